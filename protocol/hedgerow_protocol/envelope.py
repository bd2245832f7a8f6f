"""Envelopes: author keys, body bytes, signatures. The body is never encoded again.

Wire form: ``[version, kind, body, [[author, signature], …]]`` with authors strictly ascending. The record's id is a
hash of its kind and body, without the signatures, so the same words signed by another subset of the stewards are the
same record. Each signature covers a domain (purpose, usage of the key, kind) and the id.
Spec: docs/protocol/identity.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

from hedgerow_protocol import limits, wire
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.ids import RECORD_ID_BYTES, RecordId
from hedgerow_protocol.keys import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, Usage, usage_of, verify

ENVELOPE_VERSION = 1


class Kind(IntEnum):
    """The kinds of record."""

    CHARTER = 1
    LISTING = 2
    WITHDRAWAL = 3
    ANNOUNCEMENT = 4
    HOSTING = 5


@dataclass(frozen=True, slots=True)
class Signature:
    """One author's signature: 33 bytes of key, 64 of signature."""

    author: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope. Its shape is right; nothing yet says that it is true."""

    kind: Kind
    body: bytes
    signatures: tuple[Signature, ...]
    rid: RecordId

    @property
    def authors(self) -> tuple[bytes, ...]:
        return tuple(signature.author for signature in self.signatures)

    def to_bytes(self) -> bytes:
        """The wire form."""
        pairs = tuple((each.author, each.signature) for each in self.signatures)
        return wire.encode((ENVELOPE_VERSION, int(self.kind), self.body, pairs))


@dataclass(frozen=True, slots=True)
class VerifiedEnvelope:
    """An envelope whose every signature was checked. Only :func:`verify_envelope` and :func:`sign` make one."""

    envelope: Envelope


_DOMAINS = {(usage, kind): b"hedgerow/sign/%d/%d:" % (usage, kind) for usage in Usage for kind in Kind}
_PERSONS = {kind: b"hedgerow/rec/%d" % kind for kind in Kind}
_KINDS = {int(kind): kind for kind in Kind}


def record_id(kind: Kind, body: bytes) -> RecordId:
    """BLAKE2b-256 over the kind's domain and the body."""
    return RecordId(blake2b(body, digest_size=RECORD_ID_BYTES, person=_PERSONS[kind]).digest())


def signed_message(usage: Usage, kind: Kind, rid: RecordId) -> bytes:
    """What a signature covers."""
    return _DOMAINS[usage, kind] + rid


def parse_envelope(data: bytes) -> Envelope:
    """Parse an envelope of at most ``ENVELOPE_BYTES_MAX`` bytes. Raises only :class:`RemoteError`."""
    value = wire.unpack(data, size_max=limits.ENVELOPE_BYTES_MAX)
    wire.check_same(value, data)
    if type(value) is not tuple or len(value) < 4:
        raise RemoteError(Code.MALFORMED, "An envelope has a version, a kind, a body and signatures.")
    if len(value) > 4:
        wire.check_allowed(value)  # fields of a later version; of the four below each type is checked here
    version, kind_number, body, pairs = value[:4]
    if type(version) is not int or version != ENVELOPE_VERSION:
        raise RemoteError(Code.UNKNOWN_KIND, "This envelope is of a version this node does not know.")
    if type(kind_number) is not int or type(body) is not bytes or type(pairs) is not tuple:
        raise RemoteError(Code.MALFORMED, "A part of this envelope is of the wrong type.")
    kind = _KINDS.get(kind_number)
    if kind is None:
        raise RemoteError(Code.UNKNOWN_KIND, "This is a kind of record this node does not know.")
    if len(body) > limits.BODY_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"The body is larger than {limits.BODY_BYTES_MAX} bytes.")
    return Envelope(kind, body, _parse_signatures(pairs), record_id(kind, body))


def stored_body(data: bytes) -> bytes:
    """The body of an envelope that was parsed and verified before; for what a store kept since."""
    return wire.unpack_stored(data)[2]  # type: ignore[no-any-return]


def _parse_signatures(pairs: tuple[wire.Value, ...]) -> tuple[Signature, ...]:
    if not 1 <= len(pairs) <= limits.SIGNATURES_MAX:
        raise RemoteError(Code.TOO_FEW_SIGNATURES, "An envelope has 1 to 32 signatures.")
    signatures: list[Signature] = []
    last = b""
    for pair in pairs:
        if type(pair) is not tuple or len(pair) != 2:
            raise RemoteError(Code.MALFORMED, "A signature is a key and 64 bytes.")
        author, signature = pair
        if type(author) is not bytes or type(signature) is not bytes:
            raise RemoteError(Code.MALFORMED, "A signature is a key and 64 bytes.")
        if len(author) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
            raise RemoteError(Code.BAD_KEY, "A key or a signature has the wrong length.")
        if author <= last:
            raise RemoteError(Code.NOT_CANONICAL, "Authors are not in ascending order.")
        last = author
        signatures.append(Signature(author, signature))
    return tuple(signatures)


def verify_envelope(envelope: Envelope) -> VerifiedEnvelope:
    """Check every signature. Raises :class:`RemoteError` when one does not hold."""
    for each in envelope.signatures:
        message = signed_message(usage_of(each.author), envelope.kind, envelope.rid)
        if not verify(each.author, message, each.signature):
            raise RemoteError(Code.BAD_SIGNATURE, "A signature does not belong to these words.")
    return VerifiedEnvelope(envelope)


def sign(kind: Kind, body: bytes, keys: Iterable[SigningKey]) -> VerifiedEnvelope:
    """Sign a body with one or several keys."""
    rid = record_id(kind, body)
    signatures = [Signature(key.public, key.sign(signed_message(key.usage, kind, rid))) for key in keys]
    if not signatures:
        raise LocalError("An envelope needs at least one signature.")
    return VerifiedEnvelope(Envelope(kind, body, _sorted_once(signatures), rid))


def merge(first: Envelope, second: Envelope) -> Envelope:
    """The same record with the signatures of both; how stewards join what each of them signed."""
    if first.rid != second.rid or first.kind != second.kind:
        raise LocalError("These are two different records: their signatures do not belong together.")
    return Envelope(first.kind, first.body, _sorted_once([*first.signatures, *second.signatures]), first.rid)


def _sorted_once(signatures: list[Signature]) -> tuple[Signature, ...]:
    by_author = {each.author: each for each in signatures}
    return tuple(by_author[author] for author in sorted(by_author))
