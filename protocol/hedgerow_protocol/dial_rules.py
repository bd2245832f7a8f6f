"""The numbers of the dial policy, and the values that go in and out of it. Spec: docs/protocol/peers.md."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant

SLOTS: Final = 8
"""Links. To keep open by dialling; inbound ones never count, for whoever dials us chose us."""

SLOTS_FOR_BOOK_MIN: Final = 4
"""Links. Of these, left to the address book however many peers a keeper pins."""

ANCHORS_WANTED: Final = 2
"""Links. To nodes that were the longest-lived before a restart: so an attacker gains nothing by making us restart."""

PER_SOURCE_MAX: Final = 2
"""Links. To nodes of which one neighbourhood told."""

FROM_NEW_MAX: Final = 4
"""Links. To nodes that were never reached before, while others are to be had."""

ONION_MAX: Final = 4
"""Links. To onion addresses, which cost nothing to make."""

FILL_RATE: Final = 1.0
"""Dials a second to fill empty slots, beyond the first eight at once."""

FILL_PAUSE_SECONDS: Final = 10.0
"""Seconds. Before looking again when the book had nobody to dial and has learned nothing since."""

FEELER_SECONDS: Final = 120.0
"""Seconds. Between two feelers, give or take a quarter: 700 addresses a day are checked."""

AUDIT_SECONDS: Final = 240.0
"""Seconds. Between two audits: two in a row show an eclipse within ten minutes."""

AUDIT_AGAIN_SECONDS: Final = 45.0
"""Seconds. After an audit that found something amiss: so an eclipse is known for one within ten minutes."""

DIAL_SECONDS_MAX: Final = 60.0
"""Seconds. A dial of which nothing is heard for so long is over."""

PINNED_MAX: Final = 64
"""Addresses. Of peers that a keeper chose."""

FOUND_MAX: Final = 16
"""Addresses. Found on the local network and dialled: anybody there can invent more."""

FOUND_FAILURES_MAX: Final = 8
"""Dials in vain, after which such an address is left alone until it is found again."""

AWAY_MAX: Final = 1_024
"""Nodes. That asked us to stay away for a while."""

ANCHOR_SECONDS_MIN: Final = 600.0
"""Seconds. A link must last so long before it can become an anchor."""

MESH_SECONDS_MIN: Final = 600.0
"""Seconds. An inbound link must last so long before it enters the mesh: nobody takes our mesh in a storm."""

MESH_CANDIDATES_MIN: Final = 6
"""Links. With fewer candidates than the mesh has places, inbound ones need not wait: small networks must work."""


class Purpose(Enum):
    """What a dial is for."""

    KEEP = "keep"
    FEELER = "feeler"
    """To learn whether somebody answers, and close."""
    AUDIT = "audit"
    """To compare what we hold with a node that is none of our links, and close."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A dial to begin now. ``peer`` and ``channel_key`` are ``None`` where only an address is known."""

    address: str
    peer: NodeId | None
    channel_key: bytes | None
    purpose: Purpose
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class OpenLink:
    """One open link, as far as dialling is concerned."""

    peer: NodeId
    outbound: bool
    address: str
    """What we dialled, or where it came from."""
    since: Instant
    pinned: bool = False
    kept: bool = True
    """``False`` for feelers, audits, and dials to test an address: they take no slot."""


def may_enter_mesh(*, outbound: bool, connected_for: float, candidates: int) -> bool:
    """Whether a link may be taken into the mesh; ``candidates`` counts the links that could be, this one included."""
    return outbound or connected_for >= MESH_SECONDS_MIN or candidates < MESH_CANDIDATES_MIN
