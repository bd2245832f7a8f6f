"""How this node and others get on with the rooms they share, for its keeper: of each node, never of a room or a person.

How many entries a node lacks is told in steps of ten, so that it says how far behind it is and not how much was said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import follower_rows, outgoing_rows, place_rows
from hedgerow_protocol import base64url, ids
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

STEPS: Final = (1_000, 100, 10, 1)
"""Entries. How far behind a node is at least."""

NODES_MAX: Final = 500
"""Nodes. Shown at most, those that something is wrong with first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store says of one moment."""

    waiting: dict[NodeId, tuple[int, int]]
    """Requests in the outbox, and since when the oldest waits."""
    behind: dict[NodeId, int]
    """Entries that followers have not said they have."""
    lied: dict[NodeId, int]
    """Copies whose hub told two stories."""


def kept(connection: Connection) -> Kept:
    """Read everything at one moment."""
    behind: dict[NodeId, int] = {}
    for each in follower_rows.all_followings(connection):
        behind[each.node] = behind.get(each.node, 0) + max(0, each.upto - each.acknowledged)
    return Kept(outgoing_rows.waiting_by_node(connection), behind, place_rows.lied(connection))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStanding:
    """One other node."""

    node: NodeId | None
    """``None``: several that there was no room to tell apart."""
    shares: bool = False
    """There are rooms on both."""
    up: bool = False
    since: Timestamp | None = None
    """Since when the link is up or, as far as this node remembers, away."""
    waiting: int = 0
    waiting_since: Timestamp | None = None
    behind: int = 0
    """Entries. It lacks at least so many of rooms of this hub: one of STEPS, or 0."""
    stalled: bool = False
    """It is told, and has not said for a minute that it has it."""
    silent_since: Timestamp | None = None
    """Since when it does not answer though there is a link, or keeps back what other followers have."""
    lied: int = 0
    """Copies here whose hub it is, and of which it told two stories."""
    refused: dict[str, int] = field(default_factory=dict)
    """In the last day, by reason (:class:`hedgerow_node.federation.tally.Why`)."""

    @property
    def trouble(self) -> tuple[int, int, int]:
        """What a keeper should see first has the highest."""
        return self.lied, int(self.silent_since is not None or self.stalled), sum(self.refused.values())

    def to_json(self) -> dict[str, Any]:
        """One node of ``hedgerow peers rooms --json``."""
        return {
            "node": ids.to_text(self.node) if self.node is not None else None,
            "shares_rooms": self.shares,
            "up": self.up,
            "since": self.since,
            "waiting": self.waiting,
            "waiting_since": self.waiting_since,
            "behind_at_least": self.behind,
            "stalled": self.stalled,
            "silent_since": self.silent_since,
            "two_stories": self.lied,
            "refused": self.refused,
        }


def standings(
    found: Kept,
    *,
    known: frozenset[NodeId],
    links: Mapping[NodeId, tuple[bool, Timestamp]],
    begun: Timestamp,
    silent: Mapping[NodeId, int],
    stalled: frozenset[NodeId],
    refused: Mapping[NodeId | None, dict[str, int]],
) -> list[NodeStanding]:
    """Every node that there is something to say of.

    ``known`` share rooms with this one; ``links``: whether there is one, and since when; ``begun``: when this node
    started, before which it remembers no links.
    """
    nodes = sorted({*known, *found.waiting, *found.lied, *(each for each in refused if each is not None)})
    made = []
    for node in nodes:
        many, oldest = found.waiting.get(node, (0, 0))
        up, since = links.get(node, (False, begun))
        made.append(
            NodeStanding(
                node=node,
                shares=node in known,
                up=up,
                since=since,
                waiting=many,
                waiting_since=Timestamp(oldest) if oldest else None,
                behind=step(found.behind.get(node, 0)),
                stalled=node in stalled,
                silent_since=Timestamp(silent[node]) if node in silent else None,
                lied=found.lied.get(node, 0),
                refused=refused.get(node, {}),
            )
        )
    if None in refused:
        made.append(NodeStanding(node=None, refused=refused[None]))
    return made


def step(behind: int) -> int:
    """The highest of STEPS that is reached; 0 below the first."""
    return next((each for each in STEPS if behind >= each), 0)


def proof_text(proof: bytes) -> str:
    """A proof as a line of text, to pass on and for `hedgerow peers check-proof`."""
    return base64url.encode(proof)


def to_json(nodes: list[NodeStanding]) -> dict[str, Any]:
    """What ``hedgerow peers rooms --json`` prints."""
    shown = sorted(nodes, key=lambda each: (each.trouble, each.shares, each.node or b""), reverse=True)
    return {"nodes": [each.to_json() for each in shown[:NODES_MAX]], "more": max(0, len(shown) - NODES_MAX)}
