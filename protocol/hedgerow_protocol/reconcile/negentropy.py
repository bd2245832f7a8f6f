"""Negentropy version 1, byte for byte as the reference writes it: two sets find their difference by ranges.

The initiator cuts its set into sixteen ranges and sends a fingerprint of each; whoever hears a fingerprint that is not
its own cuts that range again, until ranges are small enough to list. Only the initiator learns the difference.

Neither side stops a partner that never agrees: whoever drives a session counts rounds, bytes and ids
(:mod:`hedgerow_protocol.reconcile.session`). Source: hoytech/negentropy, protocol version 1.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.reconcile.negentropy_codec import (
    FINGERPRINT,
    FINGERPRINT_BYTES,
    INFINITY,
    NOTHING,
    SKIP,
    VERSION,
    Bound,
    Range,
    Reader,
    Writer,
    bound_between,
    key_of_bound,
    varint,
)
from hedgerow_protocol.reconcile.sorted_blocks import KEY_BYTES, SECONDS_END, SortedBlocks

FRAME_LIMIT_MIN: Final = 4_096
"""Bytes. The least that one message may be limited to."""

_BUCKETS: Final = 16
_MARGIN: Final = 200  # bytes that are kept free for the last range of a limited message

Items = Iterable[tuple[int, bytes]]
"""Records as (seconds, 32-byte id), each once, in any order."""


def fingerprint(store: SortedBlocks, begin: int, end: int) -> bytes:
    """16 bytes over the sum and the number of the ids from one index to another."""
    hashed = sha256(store.sum(begin, end).to_bytes(32, "little") + varint(end - begin))
    return hashed.digest()[:FINGERPRINT_BYTES]


class _Side:
    """What both sides do."""

    def __init__(self, items: Items | SortedBlocks, frame_limit: int = 0) -> None:
        if frame_limit != 0 and frame_limit < FRAME_LIMIT_MIN:
            raise ValueError(f"a frame limit is 0 or at least {FRAME_LIMIT_MIN}")
        self._store = items if isinstance(items, SortedBlocks) else SortedBlocks.of(items)
        self._frame_limit = frame_limit

    def _full(self, size: int) -> bool:
        return self._frame_limit != 0 and size > self._frame_limit - _MARGIN

    def _split(self, begin: int, end: int, bound: Bound, writer: Writer) -> bytes:
        """The records of a range: listed when they are few, else as sixteen fingerprints."""
        count = end - begin
        if count < 2 * _BUCKETS:
            return writer.id_list(bound, self._rids(begin, end))
        each, extra = divmod(count, _BUCKETS)
        out = bytearray()
        at = begin
        for bucket in range(_BUCKETS):
            until = at + each + (bucket < extra)
            upper = bound
            if until != end:
                left, right = self._store.entries(until - 1, until + 1)
                upper = bound_between(left[:KEY_BYTES], right[:KEY_BYTES])
            out += writer.fingerprint(upper, fingerprint(self._store, at, until))
            at = until
        return bytes(out)

    def _rids(self, begin: int, end: int) -> list[bytes]:
        return [entry[8:KEY_BYTES] for entry in self._store.entries(begin, end)]

    def _listed(self, heard: Range, begin: int, end: int, writer: Writer, used: int) -> tuple[bytes, int]:
        """The answer to a list of ids, and the index up to which it speaks."""
        raise NotImplementedError

    def _answer(self, reader: Reader) -> bytes:
        out = bytearray((VERSION,))
        writer = Writer()
        behind: Bound = NOTHING
        begin = 0
        skipped = False
        while reader.more:
            heard = reader.range()
            end = self._end_of(heard.bound, begin)
            part = b""
            if heard.mode == SKIP:
                skipped = True
            elif heard.mode == FINGERPRINT:
                if heard.fingerprint == fingerprint(self._store, begin, end):
                    skipped = True
                else:
                    part = writer.skip(behind) if skipped else b""
                    skipped = False
                    part += self._split(begin, end, heard.bound, writer)
            elif isinstance(self, Initiator):
                skipped = True
                self._listed(heard, begin, end, writer, 0)
            else:
                out += writer.skip(behind) if skipped else b""
                skipped = False
                listed, end = self._listed(heard, begin, end, writer, len(out))
                out += listed
            if self._full(len(out) + len(part)):
                rest = fingerprint(self._store, end, len(self._store))
                out += writer.fingerprint(INFINITY, rest)
                break
            out += part
            begin, behind = end, heard.bound
        return bytes(out)

    def _end_of(self, bound: Bound, begin: int) -> int:
        if bound[0] == SECONDS_END:
            return len(self._store)
        return self._store.lower_bound(key_of_bound(bound), begin)


class Initiator(_Side):
    """The side that begins and that learns what both lack."""

    def __init__(self, items: Items | SortedBlocks, frame_limit: int = 0, *, have_max: int = 2**62) -> None:
        """``have_max``: of more ids that the other lacks, the rest is not told."""
        super().__init__(items, frame_limit)
        self._have_max = have_max
        self._have: list[bytes] = []
        self._need: list[bytes] = []

    def start(self) -> bytes:
        """The first message."""
        return bytes((VERSION,)) + self._split(0, len(self._store), INFINITY, Writer())

    def receive(self, message: bytes) -> tuple[bytes | None, list[bytes], list[bytes]]:
        """The next message (``None`` when all is known), ids the other lacks, ids we lack.

        With a frame limit an id may be told more than once. Raises only :class:`RemoteError`.
        """
        reply, have, need = self.receive_entries(message)
        return reply, [entry[8:KEY_BYTES] for entry in have], need

    def receive_entries(self, message: bytes) -> tuple[bytes | None, list[bytes], list[bytes]]:
        """The same, with the whole entries of what the other lacks, as the store holds them."""
        reader = Reader(message)
        if reader.version() != VERSION:
            raise RemoteError(Code.MALFORMED, "The other side speaks another version of Negentropy.")
        self._have, self._need = [], []
        reply = self._answer(reader)
        return (reply if len(reply) > 1 else None), self._have, self._need

    def _listed(self, heard: Range, begin: int, end: int, writer: Writer, used: int) -> tuple[bytes, int]:
        theirs = dict.fromkeys(heard.rids)
        for entry in self._store.entries(begin, end):
            rid = entry[8:KEY_BYTES]
            if rid in theirs:
                del theirs[rid]
            elif len(self._have) < self._have_max:
                self._have.append(entry)
            elif not theirs:
                break
        self._need.extend(theirs)
        return b"", end


class Responder(_Side):
    """The side that only answers."""

    def receive(self, message: bytes) -> bytes:
        """The answer to one message. Raises only :class:`RemoteError`."""
        reader = Reader(message)
        if reader.version() != VERSION:
            return bytes((VERSION,))
        return self._answer(reader)

    def _listed(self, heard: Range, begin: int, end: int, writer: Writer, used: int) -> tuple[bytes, int]:
        bound = heard.bound
        rids: list[bytes] = []
        for index, entry in enumerate(self._store.entries(begin, end), begin):
            if self._full(used + len(rids) * 32):
                bound = (int.from_bytes(entry[:8], "big"), entry[8:KEY_BYTES])
                end = index
                break
            rids.append(entry[8:KEY_BYTES])
        return writer.id_list(bound, rids), end
