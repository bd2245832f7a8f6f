"""How a new record reaches everybody: pushed to the mesh once judged, offered to the others, asked for where it lacks.

Nothing is passed on before this node has judged it. What comes in heaps is not pushed record by record: the peers are
told that the sets differ, and reconciliation carries it.
"""

from collections import deque
from dataclasses import dataclass, field

from hedgerow_protocol import limits
from hedgerow_protocol.budget import Account
from hedgerow_protocol.envelope import Kind, parse_envelope
from hedgerow_protocol.errors import Code, RemoteError, Severity
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Fetch, Fetched, Judge, Judged, LinkId, Standing, Ticket, Verdict, Why
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.recent import CopyId, Keyed, Named, Recent, copy_id
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.messages import Got, Have, Records, Want
from hedgerow_protocol.ports import Instant, Now
from hedgerow_protocol.ratelimit import TokenBucket
from hedgerow_protocol.records import open_slot, read_announcement, read_charter

SENT_MAX = 3
"""Times one record is sent to one peer at its wish."""


@dataclass(slots=True)
class _Judging:
    """Envelopes that wait for the node's verdict."""

    link: LinkId
    peer: NodeId
    account: Account
    number: int
    solicited: bool
    recents: list[Recent]


@dataclass(slots=True)
class _Wanted:
    """A record that was asked for."""

    asked: Instant
    tries: int = 1
    others: deque[LinkId] = field(default_factory=deque)


class Spreading:
    """Takes records in from links and passes them on."""

    def __init__(self, state: MachineState) -> None:
        self._state = state
        self._judging: dict[Ticket, _Judging] = {}
        self._fetching: dict[Ticket, LinkId] = {}
        self._wanted: dict[RecordId, _Wanted] = {}
        self._pushes: dict[LinkId | None, TokenBucket] = {}
        """What may be pushed one by one of what each link brought (``None``: of what this node made): so that who
        sends much uses up nobody else's."""
        self._outgoing: dict[LinkId, list[bytes]] = {}
        self._asking: dict[LinkId, list[RecordId]] = {}
        self._waiting: set[RecordId] = set()
        self.bulk = False
        """More has changed than was pushed: the peers should compare digests."""
        self.came = 0
        """New records that came over links since the mesh was last looked at."""

    @property
    def asking(self) -> bool:
        """Whether something was asked for that has not come."""
        return bool(self._wanted)

    @property
    def busy(self) -> bool:
        """Whether a heartbeat soon would do something."""
        return bool(self._wanted) or any(each.offers for each in self._state.links.values())

    # --- records come in

    def records(self, linked: Linked, message: Records, now: Now) -> None:
        """A peer sends records. Raises :class:`RemoteError`."""
        if sum(map(len, message.envelopes)) > limits.RECORDS_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, f"Records come at most {limits.RECORDS_BYTES_MAX} bytes at a time.")
        sync = linked.syncing
        if not message.envelopes:
            sync.expect = 0  # the peer has no more of what it promised
            return
        early = sync.session is not None and sync.early < times.EARLY_MAX
        solicited = message.number > 0 and (sync.expect > 0 or early)
        if solicited:
            # While a session goes on, records overtake the word of how many there will be.
            sync.early += max(0, len(message.envelopes) - sync.expect)
            sync.expect = max(0, sync.expect - len(message.envelopes))
            sync.heard = now.instant
        keyed = {copy_id(each): each for each in message.envelopes}
        fresh = [(key, each) for key, each in keyed.items() if not self._is_copy(linked, key, now)]
        allowed = self._admit(linked, fresh, solicited, now)
        if not allowed:
            # Without an answer a giver stops: so what there is no room for is not sent on and on.
            if message.number and not fresh:
                self._state.send(linked, Got(message.number))
            return
        recents = self._state.recents.add(allowed, now.instant, linked.link)
        ticket = self._state.ticket()
        self._judging[ticket] = _Judging(linked.link, linked.peer, linked.account, message.number, solicited, recents)
        self._state.out.append(Judge(ticket, linked.link, linked.peer, tuple(envelope for _, envelope in allowed)))

    def _is_copy(self, linked: Linked, key: CopyId, now: Now) -> bool:
        recent = self._state.recents.copy(key)
        if recent is None:
            return False
        first_time = linked.link not in recent.holders
        recent.holders.add(linked.link)
        if recent.rid is not None:
            self._confirmed(linked, recent.rid, first_time, now)
        return True

    def _confirmed(self, linked: Linked, rid: RecordId, first_time: bool, now: Now) -> None:
        """A peer shows that it holds a record; what we sent it ourselves would prove nothing."""
        if first_time:
            linked.brought += 1
            self._state.introductions.corroborated(rid, linked.account, now.instant)

    def _admit(self, linked: Linked, fresh: list[Keyed], solicited: bool, now: Now) -> list[Keyed]:
        """What of this there is room for: the peer's rate first, then what its neighbourhood may still introduce."""
        if not solicited:
            fresh = self._within_rate(linked, fresh, now)
        room = self._state.introductions.room(linked.account, now.instant)
        allowed: list[Keyed] = []
        records, size, chains = room.records, room.bytes, room.chains
        for each in fresh:
            own = len(each[1])
            if own > limits.ENVELOPE_BYTES_MAX:
                raise RemoteError(Code.TOO_LARGE, f"A record is at most {limits.ENVELOPE_BYTES_MAX} bytes.")
            founding = self._admissible(each[1])
            if founding is None or records < 1 or size < own or (founding and chains < 1):
                continue
            records, size, chains = records - 1, size - own, chains - founding
            allowed.append(each)
        return allowed

    def _within_rate(self, linked: Linked, fresh: list[Keyed], now: Now) -> list[Keyed]:
        passed = [
            each
            for each in fresh
            if linked.pushes.take(1, now.instant) and linked.push_bytes.take(len(each[1]), now.instant)
        ]
        if len(passed) < len(fresh) and now.instant - linked.flooded >= 1.0:
            linked.flooded = now.instant
            self._state.scores.flooded(linked.peer, now)
        return passed

    def _admissible(self, envelope: bytes) -> bool | None:
        """Whether this founds a chain that is new here; ``None`` for what is not passed around. Looks at little."""
        kind = envelope[2] if len(envelope) > 3 else 0
        if kind == Kind.LISTING:
            return False
        if kind == Kind.CHARTER:
            parsed = parse_envelope(envelope)
            return read_charter(parsed.body).previous is None and (0, parsed.rid) not in self._state.live
        if kind == Kind.ANNOUNCEMENT and not read_announcement(parse_envelope(envelope).body).addresses:
            return None
        return False

    # --- and are judged

    def judged(self, event: Judged, now: Now) -> tuple[LinkId | None, list[tuple[RecordId, bytes]]]:
        """The node has judged what a link brought. That link, and the records that are new with their envelopes."""
        judging = self._judging.pop(event.ticket, None)
        if judging is None:
            return None, []
        linked = self._state.links.get(judging.link)
        stored: list[Named] = []
        new: list[tuple[RecordId, bytes]] = []
        charges: list[tuple[RecordId, int, bool]] = []
        recents, wanted = self._state.recents, self._wanted
        for recent, verdict in zip(judging.recents, event.verdicts, strict=True):
            rid = verdict.rid
            if rid is not None and rid in wanted:
                del wanted[rid]
            if verdict.standing is Standing.STORED and rid is not None:
                envelope = recent.envelope
                charges.append((rid, len(envelope or b""), verdict.new_chain))
                stored.append((rid, recents.judged(recent, rid, stored=True)))
                if envelope is not None:
                    new.append((rid, envelope))
            else:
                if verdict.standing is Standing.WAITING and rid is not None:
                    charges.append((rid, len(recent.envelope or b""), False))
                self._not_stored(judging, linked, recent, verdict, now)
        self._state.introductions.charge_all(judging.account, charges, now.instant)
        if stored:
            self._stored(judging, linked, stored, now)
        if linked is not None and judging.number:
            self._state.send(linked, Got(judging.number))
        return judging.link, new

    def _stored(self, judging: _Judging, linked: Linked | None, stored: list[Named], now: Now) -> None:
        self._state.scores.delivered(judging.peer, now, len(stored))
        self.came += len(stored)
        if linked is not None:
            linked.brought += len(stored)
            linked.syncing.stored += len(stored) * judging.solicited
            if linked.why is Why.AUDIT:
                linked.suspicious += sum(self._is_old(recent, now) for _, recent in stored)
        self._spread(stored, now, source=judging.link)

    def _not_stored(self, judging: _Judging, linked: Linked | None, recent: Recent, verdict: Verdict, now: Now) -> None:
        state, rid = self._state, verdict.rid
        match verdict.standing:
            case Standing.WAITING if rid is not None:
                state.recents.judged(recent, rid, stored=True)
                self._waiting.add(rid)
                if linked is not None and verdict.needs is not None:
                    self._want(linked, verdict.needs, now)
            case Standing.KNOWN | Standing.SUPERSEDED if rid is not None:
                state.recents.judged(recent, rid, stored=False)
                state.introductions.corroborated(rid, judging.account, now.instant)
            case _:
                state.recents.refused(recent)
                if linked is not None and verdict.code is not None:
                    self._blame(linked, verdict.code, now)

    def _blame(self, linked: Linked, code: Code, now: Now) -> None:
        # What is merely late, early or too much here may be right elsewhere: honest peers with other clocks or
        # keepers send it. A peer that judged before it spoke never sends the rest.
        error = RemoteError(code, "")
        if error.severity is not Severity.LOW:
            self._state.offended(linked, error, now)

    def _is_old(self, recent: Recent, now: Now) -> bool:
        if recent.envelope is None or recent.envelope[2] not in (Kind.LISTING, Kind.WITHDRAWAL):
            return False
        slot = open_slot(parse_envelope(recent.envelope)).slot
        return slot.issued < now.timestamp - self._state.old_after

    def arrived(self, rids: list[RecordId], now: Now) -> None:
        """These records are live now; those that had to wait for their charter are passed on at last."""
        for rid in self._waiting.intersection(rids):
            self._waiting.discard(rid)
            recent = self._state.recents.record(rid)
            if recent is not None:
                self._spread([(rid, recent)], now, source=min(recent.holders, default=None))
        if len(self._waiting) > limits.WAITING_ENVELOPES_MAX:
            self._waiting.clear()

    # --- and go out

    def published(self, rid: RecordId, envelope: bytes, now: Now) -> None:
        """This node made or imported a record."""
        key = copy_id(envelope)
        recent = self._state.recents.copy(key) or self._state.recents.add([(key, envelope)], now.instant)[0]
        recent = self._state.recents.judged(recent, rid, stored=True)
        self._spread([(rid, recent)], now)

    def _spread(self, records: list[Named], now: Now, *, source: LinkId | None = None) -> None:
        """Pass records on that ``source`` brought, or that this node made."""
        scores = self._state.scores
        everybody = [
            each for each in self._state.greeted() if each.link != source and scores.may_gossip(each.peer, now)
        ]
        if not everybody:
            return
        bucket = self._pushes.get(source)
        if bucket is None:
            bucket = self._pushes[source] = TokenBucket(times.PUSH_RATE, times.PUSH_BURST)
        for rid, recent in records:
            listeners = [each for each in everybody if each.link not in recent.holders]
            if not listeners:
                continue
            if recent.envelope is None or not bucket.take(1, now.instant):
                self.bulk = True
                continue
            self._pass_on(rid, recent, recent.envelope, listeners, own=source is None)

    def _pass_on(self, rid: RecordId, recent: Recent, envelope: bytes, listeners: list[Linked], *, own: bool) -> None:
        for linked in listeners:
            if linked.in_mesh or (own and linked.outbound):
                self._outgoing.setdefault(linked.link, []).append(envelope)
                recent.holders.add(linked.link)
            elif not linked.offer(rid):
                self.bulk = True

    def flush(self) -> None:
        """Send what this event made ready, several records in one message."""
        for link, envelopes in self._outgoing.items():
            if (linked := self._state.links.get(link)) is not None:
                for part in packed(envelopes):
                    self._state.send(linked, Records(0, part))
        self._outgoing.clear()
        for link, rids in self._asking.items():
            if (linked := self._state.links.get(link)) is not None:
                for at in range(0, len(rids), limits.IDS_MAX):
                    self._state.send(linked, Want(tuple(rids[at : at + limits.IDS_MAX])))
        self._asking.clear()

    def heartbeat(self, now: Now) -> None:
        """Send the lazy digests, and ask somebody else where an answer did not come."""
        for linked in self._state.greeted():
            if linked.offers:
                offers = [rid for rid in linked.offers if not self._holds(linked, rid)][: limits.IDS_MAX]
                linked.offers.clear()
                if offers:
                    self._state.send(linked, Have(tuple(offers)))
        late = [rid for rid, each in self._wanted.items() if now.instant - each.asked > times.WANT_SECONDS]
        for rid in late:
            self._ask_another(rid, self._wanted[rid], now)
        for gone in [each for each in self._pushes if each is not None and each not in self._state.links]:
            del self._pushes[gone]
        self._state.recents.expire(now.instant)

    def _holds(self, linked: Linked, rid: RecordId) -> bool:
        recent = self._state.recents.record(rid)
        return recent is None or linked.link in recent.holders

    # --- offers and wishes

    def have(self, linked: Linked, message: Have, now: Now) -> None:
        """A peer offers records."""
        for rid in message.rids:
            if not linked.ids.take(1, now.instant):
                return
            recent = self._state.recents.record(rid)
            if recent is None:
                self._want(linked, rid, now)
            else:
                first_time = linked.link not in recent.holders
                recent.holders.add(linked.link)
                self._confirmed(linked, rid, first_time, now)

    def _want(self, linked: Linked, rid: RecordId, now: Now) -> None:
        wanted = self._wanted.get(rid)
        if wanted is not None:
            if linked.link not in wanted.others and len(wanted.others) < times.WANT_TRIES_MAX:
                wanted.others.append(linked.link)
        elif len(self._wanted) < times.WANTED_MAX:
            self._wanted[rid] = _Wanted(now.instant)
            self._asking.setdefault(linked.link, []).append(rid)

    def _ask_another(self, rid: RecordId, wanted: _Wanted, now: Now) -> None:
        while wanted.others and wanted.tries < times.WANT_TRIES_MAX:
            linked = self._state.links.get(wanted.others.popleft())
            if linked is not None:
                wanted.tries += 1
                wanted.asked = now.instant
                self._asking.setdefault(linked.link, []).append(rid)
                return
        del self._wanted[rid]

    def want(self, linked: Linked, message: Want, now: Now) -> None:
        """A peer wishes records."""
        rids: list[RecordId] = []
        for rid in message.rids:
            if not linked.ids.take(1, now.instant):
                break
            times_sent = linked.sent.get(rid, 0)
            if times_sent < SENT_MAX:
                linked.sent[rid] = times_sent + 1
                rids.append(rid)
        if len(linked.sent) > times.WANTED_MAX:
            linked.sent.clear()
        asleep: list[RecordId] = []
        for rid in rids:
            recent = self._state.recents.record(rid)
            if recent is not None and recent.envelope is not None and rid not in self._waiting:
                recent.holders.add(linked.link)
                self._outgoing.setdefault(linked.link, []).append(recent.envelope)
            else:
                asleep.append(rid)
        if asleep:
            ticket = self._state.ticket()
            self._fetching[ticket] = linked.link
            self._state.out.append(Fetch(ticket, linked.link, tuple(asleep)))

    def fetched(self, event: Fetched) -> bool:
        """Records a peer wished have been read. ``False`` when somebody else asked for them."""
        link = self._fetching.pop(event.ticket, None)
        if link is None:
            return False
        if link in self._state.links:
            self._outgoing.setdefault(link, []).extend(event.envelopes)
        return True


def packed(envelopes: list[bytes]) -> list[tuple[bytes, ...]]:
    """Cut into messages that are not too large."""
    parts: list[tuple[bytes, ...]] = []
    part: list[bytes] = []
    size = 0
    for envelope in envelopes:
        if part and (size + len(envelope) > limits.RECORDS_BYTES_MAX or len(part) >= limits.ENVELOPES_MAX):
            parts.append(tuple(part))
            part, size = [], 0
        part.append(envelope)
        size += len(envelope)
    if part:
        parts.append(tuple(part))
    return parts
