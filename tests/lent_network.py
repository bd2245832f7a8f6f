"""A network that is only said, for the keeper's page: as many peers as wanted, of every kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hedgerow_node.config import ConfigError
from hedgerow_node.net.status import NetworkStatus, PeerStatus
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId, to_text
from hedgerow_protocol.ports import Timestamp

NOW = Timestamp(1_795_352_400)


def peer(number: int, now: int = NOW) -> PeerStatus:
    """One of every kind, in turn: chosen, in the mesh, inbound, relayed, doubtful."""
    outbound, relayed = number % 3 != 1, number % 7 == 4
    address = f"https://circle-{number}.example.org/groups" if outbound else f"2001:db8::{number + 1:x}"
    return PeerStatus(
        peer=NodeId(bytes([number % 255 + 1]) * 32),
        outbound=outbound,
        address="relay:" + "a" * 52 if relayed else address,
        pinned=outbound and number < 5,
        relayed=relayed,
        since=Timestamp(now - 60 * (number + 1) ** 2),
        in_mesh=number % 2 == 0 and number < 16,
        score=(6.25, 0.0, -7.5)[number % 3],
        features=("exchange/1",),
        holds=1_200 + number,
        bytes_in=700 * (number + 1) ** 3,
        bytes_out=90 * (number + 1) ** 4,
        records_in=31 * number,
        records_new=7 * number,
        records_out=11 * number,
        heard_seconds_ago=float(number),
    )


def status(many: int, now: int = NOW, features: Sequence[str] = (), **more: Any) -> NetworkStatus:
    """A neighbourhood of so many peers; the first ones have one of ``features`` more."""
    links = tuple(peer(number, now) for number in range(many))
    links = tuple(
        replace(each, features=(*each.features, features[number])) if number < len(features) else each
        for number, each in enumerate(links)
    )
    chosen = tuple(each.address for each in links if each.pinned)
    return NetworkStatus(links=links, chosen=chosen, known_nodes=3 * many, **more)


TROUBLED: dict[str, Any] = {
    "addresses": ("https://hedge.example.org/groups",),
    "tried": {"https://hedge.example.org/groups": False},
    "reachable": False,
    "relays": (NodeId(bytes([9]) * 32), NodeId(bytes([10]) * 32)),
    "lan": "The local network cannot be searched: permission denied.",
    "clock_off_seconds": -43_200,
    "eclipse_suspected": True,
    "failed": {"https://circle-2.example.org/groups": "Nothing listens there."},
    "refused": {"bad_signature": 3, "limit": 1_412, "of_tomorrow": 1},
    "turned_away": {"origin": 2, "handshake": 40},
    "ended": {"gone": 12, "wrong node": 1},
}
"""Everything that can be wrong, at once."""


def shared(number: int, now: int = NOW, **more: Any) -> dict[str, Any]:
    """A node that rooms are shared with, as `hedgerow peers rooms --json` says it."""
    calm = {
        "node": to_text(NodeId(bytes([number + 1]) * 32)),
        "shares_rooms": True,
        "up": True,
        "since": now - 10_800,
        "waiting": 0,
        "waiting_since": None,
        "behind_at_least": 0,
        "stalled": False,
        "silent_since": None,
        "two_stories": 0,
        "refused": {},
    }
    return {**calm, **more}


def all_troubles(now: int = NOW) -> list[dict[str, Any]]:
    """Everything that can be wrong with nodes that rooms are shared with."""
    return [
        shared(0, now, two_stories=2, refused={"forged": 12, "too_much_at_once": 1_412, "of_tomorrow": 1}),
        shared(1, now, silent_since=now - 7_300, waiting=3, waiting_since=now - 7_300),
        shared(
            2, now, up=False, since=now - 200_000, waiting=1_204, waiting_since=now - 190_000, behind_at_least=1_000
        ),
        shared(3, now, behind_at_least=100, stalled=True),
        shared(4, now, shares_rooms=False, up=False, since=None, refused={"asks_over_pace": 40, "not_there": 3}),
        shared(5, now),
        shared(6, now, node=None, shares_rooms=False, up=False, since=None, refused={"malformed": 7}),
    ]


@dataclass
class LentNetwork:
    """Stands in for the node's own (:class:`hedgerow_node.http.peering.Peering`)."""

    said: NetworkStatus
    kept: list[str] = field(default_factory=list)
    blocked: dict[bytes, Block] = field(default_factory=dict)
    room: int = 1_000
    shared: list[dict[str, Any]] = field(default_factory=list)
    """Nodes of ``hedgerow peers rooms --json``."""
    proven: list[bytes] = field(default_factory=list)

    async def rooms(self) -> Mapping[str, Any]:
        return {"nodes": self.shared, "more": 0}

    async def proofs(self) -> Sequence[bytes]:
        return self.proven

    def status(self) -> Mapping[str, Any]:
        return self.said.to_json()

    async def keep(self, url: str) -> None:
        if "full" in url:
            raise ConfigError("peers is a list of at most 32.")
        self.kept.append(url)

    async def forget(self, url: str) -> bool:
        known = url in self.kept
        self.kept = [each for each in self.kept if each != url]
        return known

    async def blocks(self) -> Sequence[Block]:
        return list(self.blocked.values())

    async def block(self, those: Sequence[Block]) -> int:
        taken = those[: self.room]
        self.blocked |= {each.target: each for each in taken}
        return len(taken)

    async def unblock(self, target: NodeId | ListingId) -> bool:
        return self.blocked.pop(target, None) is not None
