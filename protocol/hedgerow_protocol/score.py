"""What this node thinks of each peer, from its own experience only. Nobody else's opinion is heard or told.

Good parts are bounded and fade; bad parts fade only while the peer is linked, so that nobody clears his name by going
away and coming back. Spec: docs/protocol/peers.md.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from hedgerow_protocol.errors import Severity
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now, Timestamp

NEVER: Final = Timestamp(0)

DECAY_PER_MINUTE: Final = 0.9
"""Factor. Half is forgotten in 6.6 minutes: a mistake matters while it may be part of an attack."""

DELIVERY_POINTS: Final = 0.1
"""Points for a valid new record that this peer brought first."""

DELIVERIES_POINTS_MAX: Final = 20.0
"""Points. Two bad signatures undo any number of good deeds."""

MINUTE_POINTS: Final = 0.02
"""Points for a minute of being linked."""

MINUTES_POINTS_MAX: Final = 5.0
"""Points. Reached after 250 minutes; patience alone never outweighs one bad signature."""

OFFENCE_POINTS: Final = {Severity.LOW: 0.2, Severity.MEDIUM: 3.0, Severity.HIGH: 10.0}
"""Points lost for one thing that was wrong, by its severity. Five bad signatures end a link."""

SLIPS_POINTS_MAX: Final = 5.0
"""Points. All low offences together: a wrong clock makes many, and must never end a link."""

WITHHELD_RECORDS_MAX: Final = 5.0
"""Records. Withheld ones cost their number squared (1, 4, 9, 16, 25): out of the mesh at once, out of gossip after
five, but never refused for silence alone, which a bad line looks like."""

UNCONVERGED_POINTS: Final = 5.0
"""Points lost for a reconciliation after which the digests still differed without a reason."""

UNCONVERGED_POINTS_MAX: Final = 15.0
"""Points. Two keepers' different settings look the same as a lie, and must not end gossip alone."""

FLOOD_POINTS: Final = 2.0
"""Points lost for each second in which more came than the rate allows."""

SCORE_MIN: Final = -100.0
"""Points. The lowest score there is."""

MESH_SCORE_MIN: Final = 0.0
"""Points. Below this, no place in the mesh."""

GOSSIP_SCORE_MIN: Final = -20.0
"""Points. Below this, records and offers are neither sent nor read."""

WELCOME_SCORE_MIN: Final = -40.0
"""Points. Below this, the link is closed and the peer refused for a while."""

RETURN_POINTS: Final = 10.0
"""Points. Who comes back after being refused begins with so many bad ones: gossip, but no mesh for a while."""

FORGIVEN_POINTS: Final = 0.05
"""Points. A bad part that faded below this is nothing; otherwise no peer would ever reach zero again."""

REFUSED_SECONDS_MIN: Final = 3_600
"""Seconds. The first refusal; each further one lasts twice as long."""

REFUSED_SECONDS_MAX: Final = 86_400
"""Seconds. The longest refusal: software gets mended within days."""

REMEMBERED_SECONDS: Final = 7 * 86_400
"""Seconds. How long a peer that went away is remembered."""

SCORES_MAX: Final = 4_096
"""Peers. Remembered at one time, about 1 MB; keys are free, so more would only serve an attacker."""


class ScoreRow(NamedTuple):
    """One peer as it is kept on disk: numbers and bytes only. Times are Unix seconds, 0 for never."""

    peer: bytes
    good: float
    slips: float
    offences: float
    withheld: float
    unconverged: float
    touched: int
    refusals: int
    refused_until: int


@dataclass(slots=True)
class _Score:
    faded: Instant
    """Up to when the parts below have been faded."""
    touched: Timestamp
    linked: int = 0
    """Links that are open."""
    minutes: float = 0.0
    deliveries: float = 0.0
    slips: float = 0.0
    offences: float = 0.0
    withheld: float = 0.0
    """A number of records, not points: it counts squared."""
    unconverged: float = 0.0
    refusals: int = 0
    refused_until: Timestamp = NEVER

    @property
    def value(self) -> float:
        good = self.deliveries + self.minutes
        bad = self.slips + self.offences + self.withheld**2 + self.unconverged
        return max(SCORE_MIN, good - bad)


class Scores:
    """The scores of all peers, by node id. At most ``SCORES_MAX``; who was heard of longest ago is forgotten first."""

    def __init__(self) -> None:
        self._scores: OrderedDict[NodeId, _Score] = OrderedDict()

    def __len__(self) -> int:
        return len(self._scores)

    # --- what happened

    def connected(self, peer: NodeId, now: Now) -> None:
        """A link to this peer has opened."""
        score = self._touch(peer, now)
        if score.refusals and score.value < WELCOME_SCORE_MIN:
            score.slips = score.withheld = score.unconverged = 0.0
            score.offences = RETURN_POINTS
        score.linked += 1

    def disconnected(self, peer: NodeId, now: Now) -> None:
        """One of its links has ended."""
        score = self._touch(peer, now)
        score.linked = max(0, score.linked - 1)

    def delivered(self, peer: NodeId, now: Now, records: int = 1) -> None:
        """It brought valid new records before anybody else did."""
        score = self._touch(peer, now)
        score.deliveries = min(DELIVERIES_POINTS_MAX, score.deliveries + records * DELIVERY_POINTS)

    def offended(self, peer: NodeId, severity: Severity, now: Now) -> None:
        """It sent something wrong."""
        score = self._touch(peer, now)
        points = OFFENCE_POINTS[severity]
        if severity is Severity.LOW:
            score.slips = min(SLIPS_POINTS_MAX, score.slips + points)
        else:
            score.offences += points
        self._weigh(score, now)

    def withheld(self, peer: NodeId, now: Now, records: int = 1) -> None:
        """It held records that it should have passed on within a minute, and did not."""
        score = self._touch(peer, now)
        score.withheld = min(WITHHELD_RECORDS_MAX, score.withheld + records)
        self._weigh(score, now)

    def unconverged(self, peer: NodeId, now: Now) -> None:
        """A reconciliation ended, all was sent, and the digests still differ."""
        score = self._touch(peer, now)
        score.unconverged = min(UNCONVERGED_POINTS_MAX, score.unconverged + UNCONVERGED_POINTS)
        self._weigh(score, now)

    def flooded(self, peer: NodeId, now: Now) -> None:
        """It sent more than the rate allows. To be called at most once a second."""
        score = self._touch(peer, now)
        score.offences += FLOOD_POINTS
        self._weigh(score, now)

    # --- what follows from it

    def value(self, peer: NodeId, now: Now) -> float:
        """The score; 0 for a stranger."""
        score = self._scores.get(peer)
        if score is None:
            return 0.0
        _fade(score, now.instant)
        return score.value

    def may_mesh(self, peer: NodeId, now: Now) -> bool:
        """Whether new records are pushed to this peer and expected from it."""
        return self.value(peer, now) >= MESH_SCORE_MIN

    def may_gossip(self, peer: NodeId, now: Now) -> bool:
        """Whether offers and records are sent to it and read from it at all."""
        return self.value(peer, now) >= GOSSIP_SCORE_MIN

    def is_welcome(self, peer: NodeId, now: Now) -> bool:
        """Whether a link to this peer may be open."""
        return self.banned_until(peer, now) is None

    def banned_until(self, peer: NodeId, now: Now) -> Timestamp | None:
        """Until when it is refused, or ``None``."""
        score = self._scores.get(peer)
        if score is None:
            return None
        # A clock that was put back must not make a refusal longer than it was meant to be.
        until = min(score.refused_until, now.timestamp + REFUSED_SECONDS_MAX)
        return Timestamp(until) if until > now.timestamp else None

    def expire(self, now: Now) -> None:
        """Forget who went away long ago. Worth calling once an hour."""
        gone = [
            peer
            for peer, score in self._scores.items()
            if not score.linked and score.touched + REMEMBERED_SECONDS <= now.timestamp
        ]
        for peer in gone:
            del self._scores[peer]

    # --- keeping it

    def to_rows(self, now: Now) -> list[ScoreRow]:
        """Everything worth keeping over a restart."""
        rows = []
        for peer, score in self._scores.items():
            _fade(score, now.instant)
            rows.append(
                ScoreRow(
                    peer=bytes(peer),
                    good=score.deliveries + score.minutes,
                    slips=score.slips,
                    offences=score.offences,
                    withheld=score.withheld,
                    unconverged=score.unconverged,
                    touched=int(now.timestamp if score.linked else score.touched),
                    refusals=score.refusals,
                    refused_until=int(score.refused_until),
                )
            )
        return rows

    @classmethod
    def from_rows(cls, rows: Iterable[ScoreRow], now: Now) -> "Scores":
        """The scores as they were kept. The time in between fades the good parts of everybody."""
        scores = cls()
        for row in sorted(rows, key=lambda row: row.touched)[-SCORES_MAX:]:
            away = max(0, now.timestamp - row.touched)
            if away >= REMEMBERED_SECONDS:
                continue
            scores._scores[NodeId(row.peer)] = _Score(
                faded=now.instant,
                touched=Timestamp(min(row.touched, now.timestamp)),
                deliveries=min(DELIVERIES_POINTS_MAX, row.good) * DECAY_PER_MINUTE ** (away / 60),
                slips=row.slips,
                offences=row.offences,
                withheld=row.withheld,
                unconverged=row.unconverged,
                refusals=row.refusals,
                refused_until=Timestamp(row.refused_until),
            )
        return scores

    def _touch(self, peer: NodeId, now: Now) -> _Score:
        score = self._scores.get(peer)
        if score is None:
            score = self._scores[peer] = _Score(now.instant, now.timestamp)
            self._make_room()
        self._scores.move_to_end(peer)
        _fade(score, now.instant)
        score.touched = now.timestamp
        return score

    def _make_room(self) -> None:
        if len(self._scores) > SCORES_MAX:
            oldest = next((peer for peer, score in self._scores.items() if not score.linked), None)
            del self._scores[oldest if oldest is not None else next(iter(self._scores))]

    def _weigh(self, score: _Score, now: Now) -> None:
        """Refuse the peer when this was too much."""
        if score.value >= WELCOME_SCORE_MIN or score.refused_until > now.timestamp:
            return
        if score.refused_until + REMEMBERED_SECONDS <= now.timestamp:
            score.refusals = 0
        score.refusals += 1
        seconds = min(REFUSED_SECONDS_MAX, REFUSED_SECONDS_MIN * 2 ** min(score.refusals - 1, 16))
        score.refused_until = Timestamp(now.timestamp + seconds)


def _fade(score: _Score, now: Instant) -> None:
    minutes = (now - score.faded) / 60
    if minutes <= 0:
        return
    score.faded = now
    factor = DECAY_PER_MINUTE**minutes
    score.deliveries *= factor
    if not score.linked:
        score.minutes *= factor
        return
    score.minutes = min(MINUTES_POINTS_MAX, score.minutes + minutes * MINUTE_POINTS)
    score.offences = _forgiven(score.offences * factor)
    score.slips = _forgiven(score.slips * factor)
    score.withheld = _forgiven(score.withheld * factor)
    score.unconverged = _forgiven(score.unconverged * factor)


def _forgiven(points: float) -> float:
    return points if points >= FORGIVEN_POINTS else 0.0
