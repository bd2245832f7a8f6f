"""What a keeper may see of the network: values for a page, a command, and JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hedgerow_node.bundle import NOT_BUILT, Bundle
from hedgerow_node.net.gate import Gate
from hedgerow_protocol import ids
from hedgerow_protocol.gossip.events import Notice, Why
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.known_addresses import same_form
from hedgerow_protocol.ports import Now, Timestamp

if TYPE_CHECKING:
    from hedgerow_node.net.service import Network

NOTICES: Final = {
    Notice.CLOCK_WRONG: "This machine's clock differs from those of its peers by %d seconds. Set it right.",
    Notice.ECLIPSE_SUSPECTED: "Peers seem to have kept records from this node (%d); it is looking for others.",
}
"""What the log says of each, with the number that belongs to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus:
    """One open link."""

    peer: NodeId
    outbound: bool
    """We dialled."""
    address: str
    """What we dialled, or where it came from."""
    pinned: bool
    """The keeper chose it."""
    relayed: bool
    """Through another node."""
    since: Timestamp
    in_mesh: bool
    """New records go to it at once."""
    score: float
    features: tuple[str, ...]
    holds: int
    """Live records that the peer says it holds."""
    bytes_in: int
    bytes_out: int
    records_in: int
    records_new: int
    """Of these, the ones that were new here and were kept."""
    records_out: int
    heard_seconds_ago: float
    rooms: bool = False
    """A room needs this link, or needed it a moment ago."""

    def to_json(self) -> dict[str, Any]:
        """The members of one peer in ``hedgerow peers list --json``."""
        return {
            "peer": ids.to_text(self.peer),
            "direction": "outbound" if self.outbound else "inbound",
            "address": self.address,
            "chosen": self.pinned,
            "relayed": self.relayed,
            "since": int(self.since),
            "in_mesh": self.in_mesh,
            "score": round(self.score, 1),
            "features": list(self.features),
            "holds": self.holds,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "records_in": self.records_in,
            "records_new": self.records_new,
            "records_out": self.records_out,
            "heard_seconds_ago": round(self.heard_seconds_ago, 1),
            "rooms": self.rooms,
        }


def peers_of(gate: Gate, machine: Gossip, now: Now) -> Iterator[PeerStatus]:
    """What the pumps counted of each link, beside what the machine thinks of it."""
    for link in gate.links.values():
        linked = machine.state.links.get(link.number)
        if linked is None or link.since is None:
            continue  # only just open, or saying goodbye
        traffic = link.traffic
        yield PeerStatus(
            peer=linked.peer,
            outbound=link.outbound,
            address=link.address,
            pinned=link.pinned,
            relayed=gate.is_relayed(link.number),
            since=link.since,
            in_mesh=linked.in_mesh,
            score=machine.state.scores.value(linked.peer, now),
            features=tuple(sorted(linked.features)),
            holds=linked.count,
            bytes_in=traffic.bytes_in,
            bytes_out=traffic.bytes_out,
            records_in=traffic.records_in,
            records_new=traffic.records_new,
            records_out=traffic.records_out,
            heard_seconds_ago=max(0.0, now.instant - traffic.heard),
            rooms=linked.why is Why.ROOMS or machine.wanting.is_wanted(linked.peer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """The whole neighbourhood."""

    links: tuple[PeerStatus, ...]
    chosen: tuple[str, ...]
    """Web addresses of the peers the keeper chose."""
    failed: dict[str, str] = field(default_factory=dict)
    """Of these (in their canonical form), the ones that could not be reached the last time, and a sentence why."""
    handshakes: int = 0
    dialling: int = 0
    known_nodes: int = 0
    """Nodes in the address book."""
    addresses: tuple[str, ...] = ()
    """What this node announces."""
    reachable: bool | None = None
    """Whether others got through to an address of ours; ``None`` while nobody has tried."""
    tried: dict[str, bool] = field(default_factory=dict)
    """Addresses of ours that were tried from outside."""
    relays: tuple[NodeId, ...] = ()
    """Nodes through which this one can be reached."""
    lan: str = "off"
    """``off``, ``on``, or a sentence why it does not work."""
    lan_nodes: int = 0
    clock_off_seconds: int = 0
    """How far this node's clock is from those of its peers, when that is worth a word."""
    eclipse_suspected: bool = False
    bundle: Bundle = NOT_BUILT
    """What this node serves to browsers."""
    refused: dict[str, int] = field(default_factory=dict)
    """Records refused since the start, by code."""
    turned_away: dict[str, int] = field(default_factory=dict)
    """Connections not let in since the start, by reason."""
    ended: dict[str, int] = field(default_factory=dict)
    """Links that have ended since the start, by reason."""

    def to_json(self) -> dict[str, Any]:
        """What ``hedgerow peers list --json`` prints."""
        connected = {same_form(each.address) for each in self.links if each.outbound}
        return {
            "peers": [
                {"url": url, "connected": same_form(url) in connected, "problem": self.failed.get(same_form(url), "")}
                for url in self.chosen
            ],
            "connected": len(self.links),
            "links": [each.to_json() for each in self.links],
            "handshakes": self.handshakes,
            "dialling": self.dialling,
            "known_nodes": self.known_nodes,
            "announced": list(self.addresses),
            "reachable": self.reachable,
            "tried": self.tried,
            "relays": [ids.to_text(each) for each in self.relays],
            "lan": self.lan,
            "lan_nodes": self.lan_nodes,
            "clock_off_seconds": self.clock_off_seconds,
            "eclipse_suspected": self.eclipse_suspected,
            "bundle": self.bundle.feature,
            "bundle_differs": sum(self.bundle.differs(each.features) for each in self.links),
            "refused": self.refused,
            "turned_away": self.turned_away,
            "ended": self.ended,
        }


def status_of(network: "Network", machine: Gossip | None, now: Now) -> NetworkStatus:
    """The neighbourhood of a network that runs; ``machine`` is ``None`` before it starts."""
    announcer = network.announcer
    tried = {each: network.tried[each] for each in announcer.claimed if each in network.tried}
    current = announcer.current
    return NetworkStatus(
        links=tuple(peers_of(network.gate, machine, now)) if machine is not None else (),
        chosen=network.chosen,
        failed=dict(network.gate.failed),
        handshakes=network.door.handshakes,
        dialling=network.gate.dialling,
        known_nodes=len(machine.book) if machine is not None else 0,
        addresses=current.addresses if current is not None else (),
        reachable=any(tried.values()) if tried else None,
        tried=tried,
        relays=announcer.relays,
        lan="off" if network.lan is None else network.lan.problem or "on",
        lan_nodes=len(network.lan.addresses) if network.lan is not None else 0,
        clock_off_seconds=network.notices.get(Notice.CLOCK_WRONG, 0),
        bundle=network.bundle,
        eclipse_suspected=bool(network.notices.get(Notice.ECLIPSE_SUSPECTED)),
        refused={str(code): count for code, count in network.refused.items()},
        turned_away=dict(network.door.turned_away),
        ended=dict(network.gate.ended),
    )
