"""A simulated node's directory: what it holds, and the state function as lean as thousands of nodes need.

The same answers as :class:`hedgerow_protocol.state.RecordSet` (a test feeds both the same worlds), but every change is
worked out from what it touches, and the difference of the live set comes with it. What it holds is what would be on a
disk: a crash loses nothing of it.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from hedgerow_node.bench.simulation.archive import Archive, Archived
from hedgerow_protocol import limits
from hedgerow_protocol.envelope import Envelope, Kind
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.gossip.events import Standing, Verdict
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Withdrawal, open_slot, read_charter
from hedgerow_protocol.state import check_founding, check_signers, check_succession, check_times, hour_start, state_hash

Item = tuple[int, RecordId]
"""A member of the live set, as reconciliation orders it."""


def _turned(rid: bytes) -> bytes:
    return bytes(255 - byte for byte in rid)


@dataclass(slots=True)
class Changes:
    """What came into the live set and what left it."""

    added: dict[RecordId, int] = field(default_factory=dict)
    removed: dict[RecordId, int] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        seconds, rid = item
        if self.removed.pop(rid, None) is None:
            self.added[rid] = seconds

    def remove(self, item: Item) -> None:
        seconds, rid = item
        if self.added.pop(rid, None) is None:
            self.removed[rid] = seconds

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def sides(self) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
        """Added and removed, as the machine wants them."""
        return (
            tuple((seconds, rid) for rid, seconds in self.added.items()),
            tuple((seconds, rid) for rid, seconds in self.removed.items()),
        )


class SimStore:
    """What one node holds. Records are judged against its own clock and its own charters."""

    def __init__(self, archive: Archive, records_max: int = limits.RECORDS_STORED_MAX) -> None:
        self._archive = archive
        self._records_max = records_max
        self.held: dict[RecordId, Archived] = {}
        self.live: dict[RecordId, int] = {}
        self.judged: set[RecordId] = set()
        """Everything this node ever found good: what it may have passed on."""
        self._slots: dict[tuple[RecordId, bytes], tuple[Archived, ...]] = {}
        self._children: dict[RecordId, list[RecordId]] = {}
        self._root: dict[RecordId, RecordId] = {}
        self._alive: dict[RecordId, int] = {}
        self._latest: dict[tuple[Kind, NodeId], Archived] = {}
        """Of each node its last announcement and its last claim of what it hosts."""
        self._waiting: OrderedDict[bytes, RecordId] = OrderedDict()
        self._expiring: list[tuple[int, RecordId]] = []
        self._hash: str | None = None

    def copy(self) -> "SimStore":
        """Another store that holds the same; much cheaper than taking it all in again."""
        twin = SimStore(self._archive, self._records_max)
        twin.held, twin.live, twin.judged = dict(self.held), dict(self.live), set(self.judged)
        twin._slots, twin._root, twin._alive = dict(self._slots), dict(self._root), dict(self._alive)
        twin._children = {rid: list(each) for rid, each in self._children.items()}
        twin._latest, twin._waiting = dict(self._latest), self._waiting.copy()
        twin._expiring = list(self._expiring)
        return twin

    # --- answers

    def state_hash(self) -> str:
        """The hash of the live set as it is now."""
        if self._hash is None:
            self._hash = state_hash(self.live)
        return self._hash

    def fetch(self, rids: Sequence[RecordId], with_charters: bool) -> list[bytes]:
        """The envelopes that are still held, charters before what they charter."""
        wanted: dict[RecordId, None] = {}
        for rid in rids:
            if with_charters and rid in self.held:
                for each in self._chain_above(rid):
                    wanted[each] = None
            wanted[rid] = None
        charters = [rid for rid in wanted if rid in self._root]
        charters.sort(key=lambda rid: self._charter(rid).position)
        others = [rid for rid in wanted if rid not in self._root and rid in self.held]
        return [self.held[rid].data for rid in (*charters, *others)]

    def _chain_above(self, rid: RecordId) -> list[RecordId]:
        record = self.held[rid].record
        above: RecordId | None = None
        match record:
            case Charter():
                above = record.previous
            case Listing() | Withdrawal():
                above = record.slot.charter
            case Announcement() | HostingClaim():
                pass
        found: list[RecordId] = []
        while above is not None:
            found.append(above)
            above = self._charter(above).previous
        return found[::-1]

    def _charter(self, rid: RecordId) -> Charter:
        record = self.held[rid].record
        assert isinstance(record, Charter)  # noqa: S101 - only charters are looked up here
        return record

    def __len__(self) -> int:
        return len(self.held)

    # --- judging

    def judge(self, datas: Sequence[bytes], now: Timestamp) -> tuple[tuple[Verdict, ...], Changes]:
        """Take envelopes in; what became of each, in order, and how the live set has changed. Charters go first."""
        changes = Changes()
        verdicts: dict[int, Verdict] = {}
        for charters in (True, False):
            for index, data in enumerate(datas):
                if index not in verdicts and charters == self._is_charter(data):
                    verdicts[index] = self._judge_one(data, now, changes)
        if changes:
            self._hash = None
        return tuple(verdicts[index] for index in range(len(datas))), changes

    def _is_charter(self, data: bytes) -> bool:
        try:
            return self._archive.kind(data) is Kind.CHARTER
        except RemoteError:
            return False

    def _judge_one(self, data: bytes, now: Timestamp, changes: Changes) -> Verdict:
        rid: RecordId | None = None
        try:
            envelope = self._archive.parse(data)
            rid = envelope.rid
            if rid in self.held:
                return Verdict(Standing.KNOWN, rid)
            needs = self._inspect(envelope, now)
            archived = self._archive.read(data)
            if needs is not None and needs not in self._root:
                return self._wait(data, rid, needs)
            standing = self._keep(archived, now, changes)
        except RemoteError as error:
            return Verdict(Standing.REFUSED, rid, code=error.code)
        if standing is not Standing.STORED:
            return Verdict(standing, rid)
        self.judged.add(rid)
        if envelope.kind is Kind.CHARTER:
            self._wake(rid, now, changes)
        return Verdict(Standing.STORED, rid, new_chain=envelope.kind is Kind.CHARTER and needs is None)

    def _inspect(self, envelope: Envelope, now: Timestamp) -> RecordId | None:
        """Look at times and signers before anything is verified. The charter it needs. Raises :class:`RemoteError`."""
        match envelope.kind:
            case Kind.CHARTER:
                charter = read_charter(envelope.body)
                if charter.previous is None:
                    check_founding(envelope, charter)
                elif charter.previous in self._root:
                    check_succession(envelope, charter, self._charter(charter.previous))
                return charter.previous
            case Kind.LISTING | Kind.WITHDRAWAL:
                slot = open_slot(envelope).slot
                check_times(slot.issued, slot.expires, now)
                if slot.charter in self._root:
                    check_signers(envelope, self._charter(slot.charter))
                return slot.charter
            case Kind.ANNOUNCEMENT | Kind.HOSTING:
                return None
            case _:
                assert_never(envelope.kind)

    def _wait(self, data: bytes, rid: RecordId, needs: RecordId) -> Verdict:
        self._waiting[data] = needs
        while len(self._waiting) > limits.WAITING_ENVELOPES_MAX:
            self._waiting.popitem(last=False)
        return Verdict(Standing.WAITING, rid, needs=needs)

    def _wake(self, charter: RecordId, now: Timestamp, changes: Changes) -> None:
        for data in [data for data, needs in self._waiting.items() if needs == charter]:
            del self._waiting[data]
            self._judge_one(data, now, changes)

    # --- keeping

    def _keep(self, archived: Archived, now: Timestamp, changes: Changes) -> Standing:
        match archived.record:
            case Charter():
                return self._keep_charter(archived, archived.record, changes)
            case Announcement() | HostingClaim():
                return self._keep_latest(archived, archived.record, now, changes)
            case Listing() | Withdrawal():
                return self._keep_slot(archived, archived.record, changes)

    def _make_room(self) -> None:
        if len(self.held) >= self._records_max:
            raise RemoteError(Code.LIMIT, "This store is full.")

    def _hold(self, archived: Archived) -> None:
        self.held[archived.rid] = archived
        if archived.seconds:
            heapq.heappush(self._expiring, (archived.seconds, archived.rid))

    def _show(self, rid: RecordId, changes: Changes) -> None:
        seconds = self.held[rid].seconds
        self.live[rid] = seconds
        changes.add((seconds, rid))

    def _hide(self, rid: RecordId, changes: Changes) -> None:
        seconds = self.live.pop(rid, None)
        if seconds is not None:
            changes.remove((seconds, rid))

    def _keep_charter(self, archived: Archived, charter: Charter, changes: Changes) -> Standing:
        self._make_room()
        rid = archived.rid
        self._hold(archived)
        root = rid if charter.previous is None else self._root[charter.previous]
        self._root[rid] = root
        if self._alive.get(root):
            self._show(rid, changes)
        if charter.previous is not None:
            children = self._children.setdefault(charter.previous, [])
            children.append(rid)
            for surplus in sorted(children)[limits.CHARTER_FORKS_MAX :]:
                self._forget_charter(surplus, changes)
        return Standing.STORED if rid in self.held else Standing.SUPERSEDED

    def _forget_charter(self, rid: RecordId, changes: Changes) -> None:
        for child in list(self._children.get(rid, ())):
            self._forget_charter(child, changes)
        for key in [key for key in self._slots if key[0] == rid]:
            for each in self._slots.pop(key):
                self._drop(each, self._root[rid], changes)
        previous = self._charter(rid).previous
        if previous is not None:
            self._children[previous].remove(rid)
        self._children.pop(rid, None)
        del self._root[rid]
        del self.held[rid]
        self._hide(rid, changes)

    def _keep_latest(
        self, new: Archived, record: Announcement | HostingClaim, now: Timestamp, changes: Changes
    ) -> Standing:
        check_times(record.issued, record.expires, now)
        key = (new.envelope.kind, record.node_id)
        held = self._latest.get(key)
        if held is not None:
            if self._latest_order(new) < self._latest_order(held):
                return Standing.SUPERSEDED
            del self.held[held.rid]
            self._hide(held.rid, changes)
        self._make_room()
        self._latest[key] = new
        self._hold(new)
        self._show(new.rid, changes)
        return Standing.STORED

    @staticmethod
    def _latest_order(archived: Archived) -> tuple[int, int, bytes]:
        record = archived.record
        assert isinstance(record, Announcement | HostingClaim)  # noqa: S101 - only these are kept there
        return (record.expires, record.seq, _turned(archived.rid))

    def _keep_slot(self, new: Archived, record: Listing | Withdrawal, changes: Changes) -> Standing:
        slot = record.slot
        key = (slot.charter, slot.entry)
        before = self._slots.get(key, ())
        ordered = sorted([*before, new], key=self._slot_order, reverse=True)
        kept = tuple(each for each in ordered[:2] if self._slot_order(each)[:2] == self._slot_order(ordered[0])[:2])
        if new not in kept:
            return Standing.SUPERSEDED
        losers = [each for each in before if each not in kept]
        if not losers:
            self._make_room()
        self._slots[key] = kept
        root = self._root[slot.charter]
        self._hold(new)
        self._show(new.rid, changes)
        self._count(root, 1, changes)
        for each in losers:
            self._drop(each, root, changes)
        return Standing.STORED

    @staticmethod
    def _slot_order(archived: Archived) -> tuple[int, int, bytes]:
        record = archived.record
        assert isinstance(record, Listing | Withdrawal)  # noqa: S101 - only these fill slots
        return (record.slot.expires, record.slot.seq, _turned(archived.rid))

    def _drop(self, archived: Archived, root: RecordId, changes: Changes) -> None:
        del self.held[archived.rid]
        self._hide(archived.rid, changes)
        self._count(root, -1, changes)

    def _count(self, root: RecordId, by: int, changes: Changes) -> None:
        """So many more records under this founding charter: its whole tree is live while there is one."""
        before = self._alive.get(root, 0)
        self._alive[root] = before + by
        if before == 0:
            for rid in self._tree(root):
                self._show(rid, changes)
        elif before + by == 0:
            del self._alive[root]
            for rid in self._tree(root):
                self._hide(rid, changes)

    def _tree(self, root: RecordId) -> Iterable[RecordId]:
        pile = [root]
        while pile:
            rid = pile.pop()
            yield rid
            pile.extend(self._children.get(rid, ()))

    # --- time

    def turn_hour(self, now: Timestamp) -> Changes:
        """Forget what has expired. To be called whenever an hour of this node's clock begins."""
        changes = Changes()
        hour = hour_start(now)
        while self._expiring and self._expiring[0][0] <= hour:
            _seconds, rid = heapq.heappop(self._expiring)
            archived = self.held.get(rid)
            if archived is None:
                continue
            match archived.record:
                case Announcement() | HostingClaim():
                    del self._latest[archived.envelope.kind, archived.record.node_id]
                    del self.held[rid]
                    self._hide(rid, changes)
                case Listing() | Withdrawal():
                    slot = archived.record.slot
                    key = (slot.charter, slot.entry)
                    left = tuple(each for each in self._slots[key] if each is not archived)
                    if left:
                        self._slots[key] = left
                    else:
                        del self._slots[key]
                    self._drop(archived, self._root[slot.charter], changes)
                case Charter():
                    pass
        if changes:
            self._hash = None
        return changes
