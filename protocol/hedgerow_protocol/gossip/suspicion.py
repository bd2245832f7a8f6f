"""Noticing that one's peers keep something back: sets are compared with nodes outside the mesh."""

from hedgerow_protocol.gossip.events import Notice, Reason, Tell, Why
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.tending import Tending
from hedgerow_protocol.ports import Now

AUDIT_SECONDS_MAX = 60.0
"""Seconds. An audit that takes longer ends; it may have found what it was for."""

BAD_AUDITS_MIN = 2
"""Audits in a row that brought old records nobody in the mesh had offered."""


class Suspicion:
    """Ends audits and draws the conclusion."""

    def __init__(self, state: MachineState, tending: Tending) -> None:
        self._state = state
        self._tending = tending
        self._bad = 0

    def compared(self, linked: Linked, now: Now) -> None:
        """A peer has told its digest. An audit with a peer that holds the same is over."""
        if linked.why is Why.AUDIT and linked.greeted and self._is_settled(linked):
            self._end(linked)

    def heartbeat(self, now: Now) -> None:
        """End audits that took their time."""
        for linked in list(self._state.links.values()):
            if linked.why is not Why.AUDIT:
                continue
            late = now.instant - linked.since > AUDIT_SECONDS_MAX
            if late or (linked.greeted and now.instant - linked.since > 2.0 and self._is_settled(linked)):
                self._end(linked)
                if self._bad >= BAD_AUDITS_MIN:
                    self._bad = 0
                    self._state.out.append(Tell(Notice.ECLIPSE_SUSPECTED, self._tending.rotate_half(now)))

    @staticmethod
    def _is_settled(linked: Linked) -> bool:
        sync = linked.syncing
        return sync.session is None and not sync.expect and linked.giving.idle

    def _end(self, linked: Linked) -> None:
        if linked.suspicious:
            self._bad += 1
        elif linked.greeted:
            self._bad = 0
        self._state.close(linked, Reason.DONE)
