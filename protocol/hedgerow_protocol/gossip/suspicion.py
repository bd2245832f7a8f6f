"""Noticing that one's peers keep something back: sets are compared with nodes outside the mesh."""

from hedgerow_protocol.finding import Finding
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import LinkId, Notice, Reason, Tell, Why
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.ports import Instant, Now

AUDIT_SECONDS_MAX = 60.0
"""Seconds. An audit that takes longer ends; it may have found what it was for."""

BAD_AUDITS_MIN = 2
"""Audits that brought old records nobody in the mesh had offered."""

MANY_RECORDS = 2
"""Old records in one audit that weigh as much as two audits."""

BAD_AUDITS_SECONDS = 900.0
"""Seconds. Within which they count together. A clean audit between them proves nothing: it may be an accomplice's."""


STAY_AWAY_SECONDS = 3_600.0
"""Seconds. Whom a suspicion fell on is not dialled for so long; if it was wrong, that harms nobody."""


class Suspicion:
    """Ends audits and draws the conclusion."""

    def __init__(self, state: MachineState, finding: Finding) -> None:
        self._finding = finding
        self._state = state
        self._bad: list[Instant] = []
        self._witness: LinkId | None = None
        """Who told us what others had kept back; if it goes on being the only one who brings anything, that counts."""

    def compared(self, linked: Linked, now: Now) -> None:
        """A peer has told its digest. An audit with a peer that holds the same is over."""
        if linked.why is Why.AUDIT and linked.greeted and self._is_settled(linked):
            self._end(linked, now)

    def heartbeat(self, now: Now) -> None:
        """End audits that took their time."""
        for linked in list(self._state.links.values()):
            if linked.why is not Why.AUDIT:
                continue
            late = now.instant - linked.since > AUDIT_SECONDS_MAX
            if late or (linked.greeted and now.instant - linked.since > 2.0 and self._is_settled(linked)):
                self._end(linked, now)
        self._hear_witness(now)
        self._bad = [each for each in self._bad if now.instant - each < BAD_AUDITS_SECONDS]
        if len(self._bad) >= BAD_AUDITS_MIN:
            self._bad.clear()
            self._state.out.append(Tell(Notice.ECLIPSE_SUSPECTED, self._exchange_half(now)))
        self._state.old_after = times.OFFERED_SOON_SECONDS if self._bad else times.OFFERED_WITHIN_SECONDS

    def _hear_witness(self, now: Now) -> None:
        witness = None if self._witness is None else self._state.links.get(self._witness)
        if witness is None:
            self._witness = None
        elif witness.brought >= MANY_RECORDS and not any(each.brought for each in self._peers() if each is not witness):
            self._witness = None
            self._bad.append(now.instant)

    def _should_have_known(self) -> bool:
        """Whether our peers have said that they hold no more than we do: while we catch up, nothing is suspicious."""
        peers = self._peers()
        return bool(peers) and all(each.syncing.ever_equal and self._is_settled(each) for each in peers)

    def _exchange_half(self, now: Now) -> int:
        """Part from half of those we dialled, so that others find a place. How many links that were."""
        peers = [each for each in self._peers() if not each.pinned and not each.suspicious]
        unlucky = self._state.choose(peers, (len(peers) + 1) // 2)
        for linked in unlucky:
            self._state.scores.withheld(linked.peer, now)
            self._finding.stay_away(linked.peer, STAY_AWAY_SECONDS, now)
            self._state.close(linked, Reason.OTHER)
        return len(unlucky)

    def _peers(self) -> list[Linked]:
        return [each for each in self._state.greeted() if each.outbound and each.why is Why.KEEP]

    @staticmethod
    def _is_settled(linked: Linked) -> bool:
        sync = linked.syncing
        return sync.session is None and not sync.expect and linked.giving.idle

    def _end(self, linked: Linked, now: Now) -> None:
        if linked.suspicious and self._should_have_known():
            self._bad.append(now.instant)
            if linked.suspicious >= MANY_RECORDS:
                self._bad.append(now.instant)
        if self._bad:
            self._finding.audit_soon(now)
        if linked.suspicious:
            self._witness = linked.link
            linked.why = Why.KEEP  # who told us what others kept back is worth a lasting link
        else:
            self._state.close(linked, Reason.DONE)
