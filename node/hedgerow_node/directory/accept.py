"""The one door: what every envelope passes before this node keeps it.

Size, parse, already known?, may these keys sign and are they enough?, verify, read, judge, store: in this order, the
cheap before the dear, and nothing is kept that was not verified. All of it runs in the store's writer thread, so that
the event loop only waits; a batch in which nothing is new writes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar, assert_never

from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.directory.search_index import index_of
from hedgerow_node.store import showing
from hedgerow_node.store.blocks import Blocks
from hedgerow_node.store.chains import charter_row
from hedgerow_node.store.database import Connection
from hedgerow_node.store.keeping import Keeper
from hedgerow_node.store.rows import Arrival, CharterRow, Kept
from hedgerow_protocol.envelope import Envelope, Kind, VerifiedEnvelope, parse_envelope, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import (
    Charter,
    Listing,
    Opened,
    Record,
    open_slot,
    read_charter,
    read_opened,
    read_record,
)
from hedgerow_protocol.state import check_founding, check_signers, check_succession, check_times


class Taken(NamedTuple):
    """What became of one envelope, and what the waiting room needs to know of it."""

    outcome: Outcome
    waits_for: RecordId | None = None
    """The charter it needs; ``None`` for a founding charter and for what a node says of itself."""
    is_charter: bool = False


def take_all(keeper: Keeper, datas: Sequence[bytes], now: Timestamp) -> list[Taken]:
    """Take a batch in, within one write; what became of each, in their order.

    Charters go first, so that the listings beside them find them.
    """
    envelopes = [_try(parse_envelope, data) for data in datas]
    parsed = [each for each in envelopes if isinstance(each, Envelope)]
    known = showing.known(keeper.connection, [each.rid for each in parsed])
    taken: dict[int, Taken] = {}
    new: dict[int, Envelope] = {}
    for index, each in enumerate(envelopes):
        if isinstance(each, Refused):
            taken[index] = Taken(each)
        elif each.rid in known:
            taken[index] = Taken(Known(each.rid))
        else:
            new[index] = each
    charters = {index: each for index, each in new.items() if each.kind is Kind.CHARTER}
    if charters:
        taken |= _take(keeper, charters, datas, now)
        new = {index: each for index, each in new.items() if each.kind is not Kind.CHARTER}
    taken |= _take(keeper, new, datas, now)
    return [taken[index] for index in range(len(datas))]


def _take(keeper: Keeper, new: dict[int, Envelope], datas: Sequence[bytes], now: Timestamp) -> dict[int, Taken]:
    # Stage by stage, not envelope by envelope: so a stage's code and tables stay in the processor's caches.
    inspector = _Inspector(keeper.connection, now)
    opened = {index: _try(inspector.open, each) for index, each in new.items()}
    verified = {i: _try(_verify, each) if isinstance(each, _Opened) else each for i, each in opened.items()}
    read = {i: _try(_read, each) if isinstance(each, _Verified) else each for i, each in verified.items()}
    ready = {i: _arrival(each, datas[i]) for i, each in read.items() if isinstance(each, _Read)}
    keeper.expect(ready.values())
    taken: dict[int, Taken] = {}
    for index, each in read.items():
        if isinstance(each, _Read):
            outcome = _keep(keeper, ready[index], each.opened.needs)
            taken[index] = Taken(outcome, each.opened.needs, new[index].kind is Kind.CHARTER)
        else:
            taken[index] = Taken(replace(each, rid=new[index].rid))
    return taken


_T = TypeVar("_T")
_V = TypeVar("_V")


def _try(step: Callable[[_T], _V], value: _T) -> _V | Refused:
    try:
        return step(value)
    except RemoteError as error:
        return _refused(error)


class _Opened(NamedTuple):
    """Its signers may sign, as far as is known; whether they did is still to be checked."""

    envelope: Envelope
    body: Opened | Charter | None
    needs: RecordId | None
    needed_is_known: bool


class _Verified(NamedTuple):
    opened: _Opened
    envelope: VerifiedEnvelope


class _Read(NamedTuple):
    """Verified and read."""

    opened: _Opened
    record: Record


class _Inspector:
    """Looks at who signed, before anything is verified; remembers the charters it has looked up."""

    def __init__(self, connection: Connection, now: Timestamp) -> None:
        self._connection = connection
        self._now = now
        self._blocks = Blocks(connection)
        self._charters: dict[RecordId, CharterRow | None] = {}

    def open(self, envelope: Envelope) -> _Opened:
        """Unpack what is needed to find the charter, and check the signers against it. Raises :class:`RemoteError`."""
        match envelope.kind:
            case Kind.CHARTER:
                return self._open_charter(envelope, read_charter(envelope.body))
            case Kind.LISTING | Kind.WITHDRAWAL:
                return self._open_slot(envelope, open_slot(envelope))
            case Kind.ANNOUNCEMENT | Kind.HOSTING:
                self._blocks.check_node(envelope.authors[0][1:])
                return _Opened(envelope, None, None, True)
            case _:
                assert_never(envelope.kind)

    def _open_charter(self, envelope: Envelope, charter: Charter) -> _Opened:
        if charter.previous is None:
            check_founding(envelope, charter)
            return _Opened(envelope, charter, None, True)
        previous = self._charter(charter.previous)
        if previous is not None:
            check_succession(envelope, charter, previous.charter)
        return _Opened(envelope, charter, charter.previous, previous is not None)

    def _open_slot(self, envelope: Envelope, opened: Opened) -> _Opened:
        slot = opened.slot
        check_times(slot.issued, slot.expires, self._now)
        charter = self._charter(slot.charter)
        if charter is not None:
            self._blocks.check_listing(charter.root, slot.entry)
            check_signers(envelope, charter.charter)
        return _Opened(envelope, opened, slot.charter, charter is not None)

    def _charter(self, rid: RecordId) -> CharterRow | None:
        if rid not in self._charters:
            self._charters[rid] = charter_row(self._connection, rid)
        return self._charters[rid]


def _verify(opened: _Opened) -> _Verified:
    return _Verified(opened, verify_envelope(opened.envelope))


def _read(each: _Verified) -> _Read:
    opened, verified = each.opened, each.envelope
    match opened.body:
        case Opened():
            return _Read(opened, read_opened(verified, opened.body))
        case Charter():
            return _Read(opened, opened.body)
        case None:
            return _Read(opened, read_record(verified))
        case _:
            assert_never(opened.body)


def _arrival(read: _Read, data: bytes) -> Arrival:
    opened = read.opened
    # What waits for its charter is indexed when that comes.
    index = index_of(read.record) if isinstance(read.record, Listing) and opened.needed_is_known else None
    return Arrival(data, opened.envelope, read.record, index)


def _keep(keeper: Keeper, arrival: Arrival, needs: RecordId | None) -> Outcome:
    """Let the judge decide, and keep it if it counts."""
    rid = arrival.envelope.rid
    kept = _try(keeper.take, arrival)
    match kept:
        case Refused():
            return replace(kept, rid=rid)
        case Kept.STORED:
            return Stored(rid, new_chain=needs is None and arrival.envelope.kind is Kind.CHARTER)
        case Kept.KNOWN:
            return Known(rid)
        case Kept.SUPERSEDED:
            return Superseded(rid)
        case Kept.WAITING:
            return Waiting(rid, needs)
        case _:
            assert_never(kept)


def _refused(error: RemoteError) -> Refused:
    return Refused(error.code, error.reason)
