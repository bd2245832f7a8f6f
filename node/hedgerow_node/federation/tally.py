"""What was refused of other nodes in the last day, by node and reason: numbers, and nothing of rooms or people."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant

HOURS: Final = 24
"""Hours. For which refusals are remembered: a keeper looks once a day."""

ROWS_MAX: Final = 2_048
"""Nodes times reasons. Remembered for each hour: 200 KB at most; further ones are counted together, without their node.
"""

HOUR_SECONDS: Final = 3_600.0


class Why(StrEnum):
    """Every reason for which something of another node is refused or passed over."""

    ASKS = "asks_over_pace"
    """It asked members here for more than their attention can take."""
    PACE = "too_much_at_once"
    """More than is answered or looked at in this time; it was told to come again, or what it said was passed over."""
    NOT_THERE = "not_there"
    """About something that is not here, or is not its business: both look the same."""
    NOT_THEIRS = "not_theirs"
    """It spoke about a room as only its hub or its followers may."""
    FORGED = "forged"
    """A signature, a hash or an order was wrong."""
    FUTURE = "from_the_future"
    """It dated something too far ahead."""
    AGAIN = "again"
    """It told once more what was here already, as happens after a link has ended."""
    UNASKED = "unasked"
    """It answered what nobody asks, or asks no longer."""
    MALFORMED = "malformed"
    """It could not be read."""
    TOO_LARGE = "too_large"
    """More bytes than may be sent."""
    UNFINISHED = "unfinished"
    """It began a letter in parts and did not end it."""
    NO_ROOM = "no_room"
    """As much as may be kept is kept already."""
    LATER = "later_version"
    """A kind of request that this version does not know."""
    NOT_ALLOWED = "not_allowed"
    """Against another rule: used twice, ended, not what it says it is."""


_OF_REFUSAL: Final = {
    Refusal.UNKNOWN: Why.NOT_THERE,
    Refusal.TOO_FAST: Why.ASKS,
    Refusal.TOO_MANY: Why.NO_ROOM,
    Refusal.TOO_LARGE: Why.TOO_LARGE,
}
_OF_CODE: Final = {
    Code.MALFORMED: Why.MALFORMED,
    Code.NOT_CANONICAL: Why.MALFORMED,
    Code.UNKNOWN_KIND: Why.LATER,
    Code.TOO_LARGE: Why.TOO_LARGE,
    Code.LIMIT: Why.TOO_LARGE,
    Code.FROM_THE_FUTURE: Why.FUTURE,
}


def why_refused(code: Refusal) -> Why:
    """The reason behind an answer."""
    return _OF_REFUSAL.get(code, Why.NOT_ALLOWED)


def why_wrong(code: Code) -> Why:
    """The reason behind a stranger's mistake."""
    return _OF_CODE.get(code, Why.FORGED)


class Tally:
    """Counts for the last 24 hours. Belongs to the event loop."""

    def __init__(self, monotonic: Callable[[], Instant]) -> None:
        self._monotonic = monotonic
        self._hours: deque[tuple[float, dict[tuple[NodeId | None, Why], int]]] = deque()

    def count(self, node: NodeId, why: Why) -> None:
        """Something of this node was refused."""
        rows = self._hour()
        key: tuple[NodeId | None, Why] = (node, why)
        if key not in rows and len(rows) >= ROWS_MAX:
            key = (None, why)
        rows[key] = rows.get(key, 0) + 1

    def counts(self) -> dict[NodeId | None, dict[str, int]]:
        """By node, then by reason; ``None``: of nodes that there was no room to tell apart."""
        self._hour()
        found: dict[NodeId | None, dict[str, int]] = {}
        for _, rows in self._hours:
            for (node, why), many in rows.items():
                of_node = found.setdefault(node, {})
                of_node[why.value] = of_node.get(why.value, 0) + many
        return found

    def _hour(self) -> dict[tuple[NodeId | None, Why], int]:
        now = self._monotonic()
        while self._hours and self._hours[0][0] + HOURS * HOUR_SECONDS <= now:
            self._hours.popleft()
        if not self._hours or self._hours[-1][0] + HOUR_SECONDS <= now:
            self._hours.append((now, {}))
        return self._hours[-1][1]
