"""Two nodes whose sets differ find out how, and give each other what is lacking.

A :class:`~hedgerow_protocol.reconcile.session.Session` finds the difference; here it is decided when one begins or
begins anew, and when a peer is given up. :mod:`~hedgerow_protocol.gossip.giving` sends the records themselves.
"""

from dataclasses import dataclass

from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Fetched, LinkId, Reason, Why
from hedgerow_protocol.gossip.giving import Givers
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.linked import Syncing as SyncState
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.tending import Tending
from hedgerow_protocol.messages import Got, Reconcile
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.reconcile.session import SESSION_SALT_RECORDS_MAX, Session, Step, is_opening

SLICE_SECONDS = 0.002
"""Seconds. Between two slices of a long computation, for whatever else the node has to do."""

FRUITLESS_MAX = 12
"""Sessions counted as fruitless at most: enough doublings to reach every upper bound."""

EXPECT_SECONDS_MAX = 20.0
"""Seconds. What a peer promised and did not send for so long is not waited for any longer."""

EXPECT_FEW, EXPECT_FEW_SECONDS = 64, 6.0
"""Records, and the seconds after which so few or fewer are not waited for any longer: they fit into one message."""

PATIENCE_SECONDS = 3.0
"""Seconds. Without a word in a reconciliation between small sets, after which it is begun anew; twice as long each
time, so that slow links are waited for in the end."""

PATIENCE_RATE = 4_000.0
"""Records a second that a small machine hashes for a reconciliation: patience grows with the sets."""

BEGINNINGS_MAX = 3
"""Times one reconciliation is begun before it has failed."""

ANSWER_SECONDS = 5.0
"""Seconds. A ping that is to show whether two sets still differ is sent again when it is not answered for so long."""


@dataclass(slots=True)
class _Attempt:
    """A reconciliation that this node opened, with all its beginnings."""

    moved: Instant
    """When either side said something last."""
    begun: int = 0
    answered: bool = False
    """The peer has said something in it."""


class Syncing:
    """Reconciliation over all links."""

    def __init__(self, state: MachineState, tending: Tending) -> None:
        self._state = state
        self._tending = tending
        self._givers = Givers(state)
        self._attempts: dict[LinkId, _Attempt] = {}
        self.next_slice: Instant | None = None
        """When a session that works in slices wants the next one."""

    # --- when

    def compare(self, linked: Linked, count: int, digest: bytes, now: Now) -> None:
        """A peer has told its count and digest: where they differ, find out how."""
        linked.count = count
        sync = linked.syncing
        own = self._state.live.digest(linked.binding)
        if own == digest:
            sync.own_changes = sync.fruitless = 0
            sync.ever_equal = True
            sync.again, sync.unequal = False, None
            sync.tried = None
            sync.expect = 0
            self._givers.stop(linked)  # what was under way is not lacking any more
        elif now.instant < (due := self._not_before(sync, (own, digest))) or not self._quiet(linked):
            sync.unequal = due
        else:
            self._open(linked, (own, digest), now)

    @staticmethod
    def _not_before(sync: SyncState, pair: tuple[bytes, bytes]) -> Instant:
        return max(sync.not_before, sync.retry) if pair == sync.tried else sync.not_before

    def _quiet(self, linked: Linked) -> bool:
        sync = linked.syncing
        return sync.session is None and not sync.expect and linked.giving.idle

    def changed(self, many: int) -> None:
        """So many changes of this node's own set."""
        for linked in self._state.links.values():
            linked.syncing.own_changes += many

    def _open(self, linked: Linked, pair: tuple[bytes, bytes], now: Now) -> None:
        sync = linked.syncing
        wait = min(times.RETRY_SECONDS * 2**sync.fruitless, times.RETRY_SECONDS_MAX)
        sync.tried, sync.retry = pair, self._state.soon(now.instant, wait)
        sync.opened = True
        sync.unequal = None
        sync.stored = sync.gave = 0
        self._attempts[linked.link] = _Attempt(now.instant)
        self._begin(linked, now)

    def _begin(self, linked: Linked, now: Now) -> None:
        """Say the first word of a reconciliation, for the first time or anew."""
        sync = linked.syncing
        if sync.session is not None:
            sync.session.close()
        sync.expect = sync.early = 0
        self._attempts[linked.link].begun += 1
        hint = sync.own_changes if sync.ever_equal else None
        sync.session = Session.open(
            self._state.live,
            binding=linked.binding,
            dialled=linked.outbound,
            peer=linked.peer,
            peer_count=linked.count,
            hint=hint,
            entropy=self._state.entropy,
            now=now,
        )
        self._step(linked, sync.session.start(now), now)

    def _is_late(self, linked: Linked, now: Now) -> bool:
        """Whether a session of ours has waited too long for a word, and another beginning may help."""
        attempt = self._attempts.get(linked.link)
        if attempt is None or attempt.begun >= BEGINNINGS_MAX or linked.syncing.slicing:
            return False
        records = max(len(self._state.live), linked.count)
        patience = PATIENCE_SECONDS * 2 ** (attempt.begun - 1) + records / PATIENCE_RATE
        return records <= SESSION_SALT_RECORDS_MAX and now.instant - attempt.moved > patience

    def link_down(self, linked: Linked) -> None:
        """A link has ended: free what its session holds."""
        self._attempts.pop(linked.link, None)
        if linked.syncing.session is not None:
            linked.syncing.session.close()
            linked.syncing.session = None

    # --- steps

    def reconcile(self, linked: Linked, message: Reconcile, now: Now) -> None:
        """A step of the peer's. Raises :class:`RemoteError`."""
        sync = linked.syncing
        sync.heard = now.instant
        attempt = self._attempts.get(linked.link)
        if attempt is not None:
            attempt.moved, attempt.answered = now.instant, True
        elif is_opening(message.payload):
            if not linked.openings.take(1, now.instant):
                return  # each may cost a pass over the whole set
            self._answer(linked, now)
        if sync.session is not None:  # otherwise: of a session that has ended here already
            self._step(linked, sync.session.handle(message.payload, now), now)

    def _answer(self, linked: Linked, now: Now) -> None:
        """The peer begins, perhaps anew because something was lost: what it still lacks it will say again."""
        sync = linked.syncing
        if sync.session is not None:
            sync.session.close()
        self._givers.stop(linked)
        sync.session = Session.answer(
            self._state.live,
            binding=linked.binding,
            dialled=linked.outbound,
            peer=linked.peer,
            hint=sync.own_changes if sync.ever_equal else None,
            entropy=self._state.entropy,
            now=now,
        )
        sync.opened = False
        sync.stored = sync.gave = sync.expect = sync.early = 0

    def _step(self, linked: Linked, step: Step, now: Now, *, waited: bool = False) -> None:
        """Do what a session says. ``waited``: nothing has happened but that time has passed."""
        sync = linked.syncing
        attempt = self._attempts.get(linked.link)
        if attempt is not None and (step.send or step.busy):
            attempt.moved = now.instant
        for payload in step.send:
            self._state.send(linked, Reconcile(payload))
        self._givers.promise(linked, step.give)
        overtaken = min(sync.early, step.expect)
        sync.early -= overtaken
        sync.expect += step.expect - overtaken
        sync.heard = now.instant
        sync.slicing = step.busy
        if step.busy:
            self.next_slice = Instant(now.instant + SLICE_SECONDS)
        if step.done:
            sync.session = None
            sync.early = 0
            sync.again = step.again
            sync.check = sync.opened
            self._attempts.pop(linked.link, None)
            if step.failed is not None and not self._bears(linked, attempt, now, silent=waited):
                return
        self._givers.give(linked, now)

    def _bears(self, linked: Linked, attempt: _Attempt | None, now: Now, *, silent: bool) -> bool:
        """Whether a peer with whom a reconciliation failed is kept; closes the link otherwise."""
        if silent and attempt is None:
            return True  # the peer opened: what was lost may have been ours, and it will begin anew
        self._state.scores.unconverged(linked.peer, now)
        mute = silent and attempt is not None and not attempt.answered
        if not mute or not linked.outbound or linked.pinned or linked.why is not Why.KEEP:
            return True
        # It says that it holds something else and never a word about what. Others may be better.
        self._state.close(linked, Reason.SILENT)
        return False

    def slice(self, now: Now) -> None:
        """Let sessions that work in slices do one."""
        if self.next_slice is None or now.instant < self.next_slice:
            return
        self.next_slice = None
        for linked in list(self._state.greeted()):
            session = linked.syncing.session
            if session is not None and linked.syncing.slicing:
                self._step(linked, session.tick(now), now)

    def heartbeat(self, now: Now) -> None:
        """Step sessions that work in slices, give up on what stands still, compare again after what has moved."""
        for linked in list(self._state.greeted()):
            sync = linked.syncing
            if sync.session is not None:
                self._go_on(linked, sync.session, now)
                if linked.link not in self._state.links:
                    continue
            few = sync.expect <= EXPECT_FEW
            if sync.expect and now.instant - sync.heard > (EXPECT_FEW_SECONDS if few else EXPECT_SECONDS_MAX):
                sync.expect = 0
                sync.check = True
            self._givers.give_up(linked, now)
            if sync.check and self._quiet(linked):
                self._look_again(linked, now)
            elif sync.unequal is not None and self._quiet(linked) and now.instant >= sync.unequal:
                sync.unequal = self._state.soon(now.instant, ANSWER_SECONDS)
                self._tending.ping(linked)

    def _go_on(self, linked: Linked, session: Session, now: Now) -> None:
        """Time has passed for a session."""
        if self._is_late(linked, now):
            self._begin(linked, now)
        else:
            self._step(linked, session.tick(now), now, waited=not linked.syncing.slicing)

    def _look_again(self, linked: Linked, now: Now) -> None:
        """A session of ours is over, and what it promised has come: compare once more."""
        sync = linked.syncing
        sync.check = False
        if sync.stored or sync.gave or sync.again:
            sync.fruitless = 0
            sync.not_before = sync.retry = now.instant
        else:
            wait = min(times.SYNC_SECONDS_MIN * 2**sync.fruitless, times.SYNC_SECONDS_MAX)
            sync.not_before = self._state.soon(now.instant, wait)
            sync.fruitless = min(sync.fruitless + 1, FRUITLESS_MAX)
        sync.unequal = self._state.soon(now.instant, ANSWER_SECONDS)
        self._tending.ping(linked)

    def next_look(self) -> Instant | None:
        """When a peer whose set differs is to be asked again."""
        links = (each for each in self._state.greeted() if self._quiet(each))
        return min((due for each in links if (due := each.syncing.unequal) is not None), default=None)

    @property
    def busy(self) -> bool:
        """Whether something waits here that a heartbeat would look at."""
        return any(not self._quiet(each) or each.syncing.check for each in self._state.links.values())

    # --- giving

    def got(self, linked: Linked, got: Got, now: Now) -> None:
        """A message of records was judged."""
        if self._givers.got(linked, got, now):
            linked.syncing.heard = now.instant
            if linked.syncing.check and self._quiet(linked):
                self._look_again(linked, now)

    def fetched(self, event: Fetched, now: Now) -> None:
        """Records have been read that a peer lacks."""
        self._givers.fetched(event, now)
