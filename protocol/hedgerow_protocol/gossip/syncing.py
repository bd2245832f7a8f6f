"""Two nodes whose sets differ find out how, and give each other what is lacking.

A :class:`~hedgerow_protocol.reconcile.session.Session` finds the difference; here it is decided when one begins, and
the records themselves travel: a few messages at a time, the next when the peer has judged the last.
"""

from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Fetch, Fetched, LinkId, Ticket
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.linked import Syncing as SyncState
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.spreading import packed
from hedgerow_protocol.gossip.tending import Tending
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.messages import Got, Reconcile, Records
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.reconcile.session import Session, Step, is_opening

SLICE_SECONDS = 0.002
"""Seconds. Between two slices of a long computation, for whatever else the node has to do."""

FRUITLESS_MAX = 12
"""Sessions counted as fruitless at most: enough doublings to reach every upper bound."""

EXPECT_SECONDS_MAX = 20.0
"""Seconds. What a peer promised and did not send for so long is not waited for any longer."""


class Syncing:
    """Reconciliation over all links."""

    def __init__(self, state: MachineState, tending: Tending) -> None:
        self._state = state
        self._tending = tending
        self._fetching: dict[Ticket, LinkId] = {}
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
        sync.opened = True
        sync.unequal = None
        sync.stored = sync.gave = 0
        self._step(linked, sync.session.start(now), now)

    def link_down(self, linked: Linked) -> None:
        """A link has ended: free what its session holds."""
        if linked.syncing.session is not None:
            linked.syncing.session.close()
            linked.syncing.session = None

    # --- steps

    def reconcile(self, linked: Linked, message: Reconcile, now: Now) -> None:
        """A step of the peer's. Raises :class:`RemoteError`."""
        sync = linked.syncing
        sync.heard = now.instant
        if sync.session is None:
            if not is_opening(message.payload):
                return  # of a session that has ended here already
            if not linked.openings.take(1, now.instant):
                return  # each may cost a pass over the whole set
            if not linked.giving.idle:
                linked.giving.rids.clear()  # the peer begins anew: what it still lacks it will say again
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
            sync.stored = sync.gave = 0
        self._step(linked, sync.session.handle(message.payload, now), now)

    def _step(self, linked: Linked, step: Step, now: Now) -> None:
        sync = linked.syncing
        for payload in step.send:
            self._state.send(linked, Reconcile(payload))
        self._promise(linked, step.give)
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
            if step.failed is not None:
                self._state.scores.unconverged(linked.peer, now)
        self._give(linked, now)

    def _promise(self, linked: Linked, rids: tuple[RecordId, ...]) -> None:
        """Give these, but those that were given before in vain."""
        giving = linked.giving
        for rid in rids:
            times_given = giving.given.get(rid, 0)
            if times_given >= times.GIVEN_TIMES_MAX:
                giving.short = True
                continue
            giving.given[rid] = times_given + 1
            linked.syncing.gave += 1
            giving.rids.append(rid)
        while len(giving.given) > times.GIVEN_MAX:
            giving.given.popitem(last=False)

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
                self._step(linked, sync.session.tick(now), now)
            if sync.expect and now.instant - sync.heard > EXPECT_SECONDS_MAX:
                sync.expect = 0
            self._give_up_giving(linked, now)
            if sync.check and self._quiet(linked):
                self._look_again(linked, now)
            elif sync.unequal is not None and self._quiet(linked) and now.instant >= sync.unequal:
                sync.unequal = None
                self._tending.ping(linked)

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
        if linked.giving.in_flight.pop(got.number, None) is not None:
            linked.syncing.heard = now.instant
            self._give(linked, now)
            if linked.syncing.check and self._quiet(linked):
                self._look_again(linked, now)

    def _give(self, linked: Linked, now: Now) -> None:
        giving = linked.giving
        self._send_ready(linked, now)
        room = len(giving.in_flight) < times.GIVE_WINDOW and len(giving.ready) < times.GIVE_FETCH
        if room and giving.rids and not giving.fetching:
            many = min(times.GIVE_FETCH, len(giving.rids))
            rids = tuple(giving.rids.popleft() for _ in range(many))
            giving.fetching = many
            ticket = self._state.ticket()
            self._fetching[ticket] = linked.link
            self._state.out.append(Fetch(ticket, linked.link, rids))

    def _send_ready(self, linked: Linked, now: Now) -> None:
        giving = linked.giving
        while giving.ready and len(giving.in_flight) < times.GIVE_WINDOW:
            part = packed(list(giving.ready))[0]
            for _ in part:
                giving.ready.popleft()
            giving.number += 1
            giving.in_flight[giving.number] = now.instant
            self._state.send(linked, Records(giving.number, part))
        if giving.short and not (giving.rids or giving.fetching or giving.ready):
            giving.short = False
            self._state.send(linked, Records(0, ()))

    def fetched(self, event: Fetched, now: Now) -> None:
        """Records have been read that a peer lacks."""
        link = self._fetching.pop(event.ticket, None)
        linked = None if link is None else self._state.links.get(link)
        if linked is not None:
            linked.giving.short = linked.giving.short or len(event.envelopes) < linked.giving.fetching
            linked.giving.fetching = 0
            linked.giving.ready.extend(event.envelopes)
            self._give(linked, now)

    def _give_up_giving(self, linked: Linked, now: Now) -> None:
        giving = linked.giving
        if giving.in_flight and now.instant - min(giving.in_flight.values()) > times.GIVE_SECONDS_MAX:
            giving.in_flight.clear()
            giving.rids.clear()
            giving.ready.clear()
