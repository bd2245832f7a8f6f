"""Files that stewards pass around: records on their way to enough signatures.

A file is text: a summary for people on top, then base64 between two marker lines. Only the base64 counts; whoever signs
is shown what *it* says. It holds the records to sign in order (a charter and the listing below it travel together) and
the charters that came before them, so that any steward can judge it without a node at hand.
"""

import base64
import binascii
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hedgerow_protocol import limits, wire
from hedgerow_protocol.envelope import Envelope, Kind, merge, parse_envelope, record_id, sign, verify_envelope
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.records import Charter, Listing, Withdrawal, read_charter, read_listing, read_withdrawal
from hedgerow_protocol.state import check_founding, check_signers, check_succession

BEGIN = "-----BEGIN HEDGEROW RECORDS-----"
END = "-----END HEDGEROW RECORDS-----"

FILE_VERSION = 1
FILE_BYTES_MAX = 1024 * 1024
"""Bytes. A few records and at most 64 charters, in base64, with room to spare."""

RECORDS_MAX = 8
"""Records. A charter and a handful of listings signed in one sitting."""

Signable = Charter | Listing | Withdrawal


class DraftError(Exception):
    """A file of records cannot be used; ``str()`` is a sentence."""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """Records to sign, and the signed charters they stand on (oldest first)."""

    records: tuple[Envelope, ...]
    """Their shape and every signature they have were checked; there may be too few of them, or none."""
    charters: tuple[Envelope, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """How far one record is from being complete."""

    record: Signable
    rid: RecordId
    signed: tuple[bytes, ...]
    """Stewards who may sign and did."""
    may_sign: tuple[bytes, ...]
    reason: str
    """A sentence; empty when nothing is missing."""


def unsigned(record: Signable) -> Envelope:
    """The record as an envelope that nobody has signed yet. Raises :class:`DraftError` when a field breaks a limit."""
    try:
        body = record.to_body()
    except RemoteError as error:
        raise DraftError(str(error)) from error
    kind = kind_of(record)
    return Envelope(kind, body, (), record_id(kind, body))


def kind_of(record: Signable) -> Kind:
    """The kind an envelope of this record has."""
    match record:
        case Charter():
            return Kind.CHARTER
        case Listing():
            return Kind.LISTING
        case Withdrawal():
            return Kind.WITHDRAWAL


def read_signable(envelope: Envelope) -> Signable:
    """Decode a record that may lack signatures. Raises :class:`RemoteError`."""
    match envelope.kind:
        case Kind.CHARTER:
            return read_charter(envelope.body)
        case Kind.LISTING:
            return read_listing(envelope.body)
        case Kind.WITHDRAWAL:
            return read_withdrawal(envelope.body)
        case Kind.ANNOUNCEMENT | Kind.HOSTING:
            raise RemoteError(Code.UNKNOWN_KIND, "What a node says of itself is not something stewards sign.")


def add_signature(file: DraftFile, key: SigningKey) -> DraftFile:
    """The file with this key's signature on every record it may sign. Raises :class:`DraftError` if there is none."""
    progress = missing(file)
    if not any(key.public in each.may_sign for each in progress):
        raise DraftError("This key is not one of the stewards who may sign here.")
    signed = []
    for envelope, each in zip(file.records, progress, strict=True):
        if key.public in each.may_sign:
            mine = sign(envelope.kind, envelope.body, [key]).envelope
            envelope = merge(envelope, mine) if envelope.signatures else mine
        signed.append(envelope)
    return replace(file, records=tuple(signed))


def join(files: Sequence[DraftFile]) -> DraftFile:
    """Copies of one file that several stewards signed apart, as one. Raises :class:`DraftError`."""
    first = files[0]
    for other in files[1:]:
        if [each.rid for each in other.records] != [each.rid for each in first.records]:
            raise DraftError("These files hold different records: their signatures do not belong together.")
        merged = [
            merge(mine, theirs) if mine.signatures and theirs.signatures else (mine if mine.signatures else theirs)
            for mine, theirs in zip(first.records, other.records, strict=True)
        ]
        first = replace(first, records=tuple(merged))
    return first


def missing(file: DraftFile) -> list[Missing]:
    """What each record still needs. Raises :class:`DraftError` when the file holds a record without its charter."""
    charters = {each.rid: read_charter(each.body) for each in file.charters}
    result = []
    for envelope in file.records:
        record = read_signable(envelope)
        may_sign, reason = _judge(envelope, record, charters)
        if isinstance(record, Charter):
            charters[envelope.rid] = record
        signed = tuple(author for author in envelope.authors if author in may_sign)
        result.append(Missing(record, envelope.rid, signed, may_sign, reason))
    return result


def is_complete(file: DraftFile) -> bool:
    """Whether every record has the signatures it needs."""
    return not any(each.reason for each in missing(file))


def _judge(envelope: Envelope, record: Signable, charters: dict[RecordId, Charter]) -> tuple[tuple[bytes, ...], str]:
    # The rules are the protocol's own; here they only become "who may sign" and a sentence on what is missing.
    try:
        match record:
            case Charter(previous=None):
                may_sign = record.stewards
                check_founding(envelope, record)
            case Charter():
                previous = charters.get(record.previous) if record.previous else None
                if previous is None:
                    raise DraftError("This file changes a charter that it does not hold.")
                may_sign = tuple(sorted({*previous.stewards, *record.stewards}))
                check_succession(envelope, record, previous)
            case Listing() | Withdrawal():
                charter = charters.get(record.slot.charter)
                if charter is None:
                    raise DraftError("This file holds a listing without the charter that says who may sign for it.")
                may_sign = charter.stewards
                check_signers(envelope, charter)
    except RemoteError as error:
        return may_sign, str(error)
    return may_sign, ""


def write_file(file: DraftFile, summary: Iterable[str]) -> str:
    """The text of a file, with these lines for people on top."""
    row: wire.Value = (
        FILE_VERSION,
        tuple((int(each.kind), each.body, _pairs(each)) for each in file.records),
        tuple(each.to_bytes() for each in file.charters),
    )
    code = base64.b64encode(wire.encode(row)).decode("ascii")
    # A summary that looked like a marker could make a reader take another part of the text for the records.
    lines = [f"  {line}".rstrip() for line in summary]
    return "\n".join(["Hedgerow: records to sign", "", *lines, "", BEGIN, *textwrap.wrap(code, 76), END, ""])


def _pairs(envelope: Envelope) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((each.author, each.signature) for each in envelope.signatures)


def read_file(text: str | bytes) -> DraftFile:
    """Read a file and check every signature in it. Raises :class:`DraftError` for whatever is wrong."""
    raw = text if isinstance(text, bytes) else text.encode()
    if len(raw) > FILE_BYTES_MAX:
        raise DraftError(f"A file of records has at most {FILE_BYTES_MAX} bytes.")
    lines = [line.rstrip() for line in raw.decode("utf-8", errors="replace").splitlines()]
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        raise DraftError("This is not a file of Hedgerow records, or a part of it was lost.")
    try:
        code = base64.b64decode("".join(lines[lines.index(BEGIN) + 1 : lines.index(END)]), validate=True)
        return _parse(wire.decode(code, size_max=FILE_BYTES_MAX))
    except (binascii.Error, ValueError) as error:
        raise DraftError("A part of this file was lost or changed on its way: ask for it again.") from error
    except RemoteError as error:
        raise DraftError(f"This file cannot be used: {error}") from error


def _parse(value: wire.Value) -> DraftFile:
    if type(value) is not tuple or len(value) != 3 or value[0] != FILE_VERSION:
        raise DraftError("This file was made by another version of Hedgerow.")
    rows, charters = value[1], value[2]
    if type(rows) is not tuple or type(charters) is not tuple:
        raise DraftError("A part of this file is of the wrong kind.")
    if not 1 <= len(rows) <= RECORDS_MAX or len(charters) > limits.CHARTER_DEPTH_MAX:
        raise DraftError(f"A file holds 1 to {RECORDS_MAX} records to sign.")
    file = DraftFile(tuple(_parse_row(row) for row in rows), tuple(_parse_charter(each) for each in charters))
    if file.charters and not is_complete(DraftFile(file.charters)):
        raise DraftError("A charter in this file was not signed by enough stewards.")
    missing(file)
    return file


def _parse_row(row: wire.Value) -> Envelope:
    if type(row) is not tuple or len(row) != 3:
        raise DraftError("A record in this file is not a kind, a body and signatures.")
    kind, body, pairs = row
    if pairs != ():
        envelope = parse_envelope(wire.encode((1, kind, body, pairs)))
        return verify_envelope(envelope).envelope
    if type(kind) is not int or type(body) is not bytes or kind not in (1, 2, 3):
        raise DraftError("A record in this file is of a kind that stewards do not sign.")
    return Envelope(Kind(kind), body, (), record_id(Kind(kind), body))


def _parse_charter(value: wire.Value) -> Envelope:
    if type(value) is not bytes:
        raise DraftError("A charter in this file is of the wrong kind.")
    envelope = verify_envelope(parse_envelope(value)).envelope
    if envelope.kind is not Kind.CHARTER:
        raise DraftError("A charter in this file is something else.")
    return envelope
