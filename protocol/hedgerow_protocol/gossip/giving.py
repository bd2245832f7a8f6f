"""The records a peer lacks travel to it: a few messages at a time, the next when the peer has judged the last."""

from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Fetch, Fetched, LinkId, Ticket
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.spreading import packed
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.messages import Got, Records
from hedgerow_protocol.ports import Now


class Givers:
    """Gives over all links what reconciliation found to be lacking at the other end."""

    def __init__(self, state: MachineState) -> None:
        self._state = state
        self._fetching: dict[Ticket, LinkId] = {}

    def promise(self, linked: Linked, rids: tuple[RecordId, ...]) -> None:
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

    def got(self, linked: Linked, got: Got, now: Now) -> bool:
        """The peer has judged a message of records. Whether it was waited for."""
        if linked.giving.in_flight.pop(got.number, None) is None:
            return False
        self.give(linked, now)
        return True

    def give(self, linked: Linked, now: Now) -> None:
        """Send what is ready and may be under way, and have more read."""
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
            self.give(linked, now)

    def give_up(self, linked: Linked, now: Now) -> None:
        """Stop where the peer has not answered for long."""
        under_way = linked.giving.in_flight.values()
        if under_way and now.instant - min(under_way) > times.GIVE_SECONDS_MAX:
            self.stop(linked)

    @staticmethod
    def stop(linked: Linked) -> None:
        """Give no more of what was promised, and wait for nothing; what was never sent does not count as given."""
        giving = linked.giving
        for rid in giving.rids:
            giving.given[rid] = max(0, giving.given.get(rid, 0) - 1)
        giving.rids.clear()
        giving.ready.clear()
        giving.in_flight.clear()
