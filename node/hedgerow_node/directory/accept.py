"""The one door: what every envelope passes before this node keeps it.

Size, parse, already known?, may these keys sign and are they enough?, verify, read, judge, store: in this order, the
cheap before the dear, and nothing is kept that was not verified. The first half runs in a thread of its own with a
reading connection, the second in the store's writer thread, so that the event loop only waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from hedgerow_protocol.envelope import Envelope, Kind, parse_envelope, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import (
    Charter,
    Listing,
    Opened,
    open_slot,
    read_charter,
    read_opened,
    read_record,
)
from hedgerow_protocol.state import check_founding, check_signers, check_succession, check_times

from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.directory.search_index import index_of
from hedgerow_node.store import showing
from hedgerow_node.store.chains import charter_row
from hedgerow_node.store.database import Connection
from hedgerow_node.store.keeping import Keeper
from hedgerow_node.store.rows import Arrival, CharterRow, Kept


@dataclass(frozen=True, slots=True)
class Checked:
    """Verified and read, ready for the judge."""

    arrival: Arrival
    waits_for: RecordId | None
    """The charter it needs; ``None`` for a founding charter or an announcement."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not looked at yet: charters go first."""


Inspected: TypeAlias = Checked | Known | Refused | Skipped


def inspect(connection: Connection, datas: Sequence[bytes], now: Timestamp, *, charters_only: bool) -> list[Inspected]:
    """Everything that can be decided about these envelopes without writing; in their order.

    With ``charters_only``, if there are charters only they are looked at, and the rest is skipped.
    """
    parsed = [_parse(data) for data in datas]
    envelopes = [each for each in parsed if isinstance(each, Envelope)]
    charters_only = charters_only and any(each.kind is Kind.CHARTER for each in envelopes)
    known = showing.known(connection, [each.rid for each in envelopes])
    inspector = _Inspector(connection, now)
    inspected: list[Inspected] = []
    for data, each in zip(datas, parsed, strict=True):
        if isinstance(each, Refused):
            inspected.append(each)
        elif each.rid in known:
            inspected.append(Known(each.rid))
        elif charters_only and each.kind is not Kind.CHARTER:
            inspected.append(Skipped())
        else:
            inspected.append(inspector.check(data, each))
    return inspected


def _parse(data: bytes) -> Envelope | Refused:
    try:
        return parse_envelope(data)
    except RemoteError as error:
        return _refused(error)


class _Inspector:
    """Checks envelopes one by one; remembers the charters it has looked up."""

    def __init__(self, connection: Connection, now: Timestamp) -> None:
        self._connection = connection
        self._now = now
        self._charters: dict[RecordId, Charter | None] = {}

    def check(self, data: bytes, envelope: Envelope) -> Checked | Refused:
        """Check one envelope that is not held."""
        try:
            return self._check(data, envelope)
        except RemoteError as error:
            return _refused(error)

    def _check(self, data: bytes, envelope: Envelope) -> Checked:
        match envelope.kind:
            case Kind.CHARTER:
                return self._check_charter(data, envelope)
            case Kind.LISTING | Kind.WITHDRAWAL:
                return self._check_slot(data, envelope, open_slot(envelope))
            case Kind.ANNOUNCEMENT:
                return Checked(Arrival(data, envelope, read_record(verify_envelope(envelope))), None)
            case _:
                assert_never(envelope.kind)

    def _check_charter(self, data: bytes, envelope: Envelope) -> Checked:
        charter = read_charter(envelope.body)
        if charter.previous is None:
            check_founding(envelope, charter)
        else:
            previous = self._charter(charter.previous)
            if previous is not None:
                check_succession(envelope, charter, previous)
        verify_envelope(envelope)
        return Checked(Arrival(data, envelope, charter), charter.previous)

    def _check_slot(self, data: bytes, envelope: Envelope, opened: Opened) -> Checked:
        slot = opened.slot
        check_times(slot.issued, slot.expires, self._now)
        charter = self._charter(slot.charter)
        if charter is not None:
            check_signers(envelope, charter)
        record = read_opened(verify_envelope(envelope), opened)
        index = index_of(record) if isinstance(record, Listing) and charter is not None else None
        return Checked(Arrival(data, envelope, record, index), slot.charter)

    def _charter(self, rid: RecordId) -> Charter | None:
        if rid not in self._charters:
            row: CharterRow | None = charter_row(self._connection, rid)
            self._charters[rid] = None if row is None else row.as_charter()
        return self._charters[rid]


def keep_all(keeper: Keeper, arrivals: Iterable[Arrival]) -> list[Outcome]:
    """Let the judge decide about each and keep what counts; inside one write."""
    outcomes: list[Outcome] = []
    for arrival in arrivals:
        rid = arrival.envelope.rid
        try:
            kept = keeper.take(arrival)
        except RemoteError as error:
            outcomes.append(_refused(error))
            continue
        match kept:
            case Kept.STORED:
                outcomes.append(Stored(rid))
            case Kept.KNOWN:
                outcomes.append(Known(rid))
            case Kept.SUPERSEDED:
                outcomes.append(Superseded(rid))
            case Kept.WAITING:
                outcomes.append(Waiting(rid))
            case _:
                assert_never(kept)
    return outcomes


def _refused(error: RemoteError) -> Refused:
    return Refused(error.code, error.reason)
