"""Hedgerow's encoding: msgpack restricted to one form per value.

Allowed: nil, booleans, integers in their shortest form, UTF-8 text in Unicode normal form C, byte strings, arrays.
Not allowed: maps, floats, extension types, trailing bytes, anything msgpack would let two encoders write differently.
The decoder bounds sizes first, decodes, encodes again and compares, so a value has exactly one encoding and its hash
means something. Spec: docs/protocol/encoding.md.
"""

from itertools import chain
from typing import Any, TypeAlias
from unicodedata import is_normalized

import msgpack

from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code, LocalError, RemoteError

Value: TypeAlias = "bool | int | str | bytes | list[Value] | tuple[Value, ...] | None"
"""What the encoding can say. Decoding gives tuples for arrays."""

_packb = msgpack.packb
_unpackb = msgpack.unpackb


def encode(value: Value) -> bytes:
    """Encode a value. Raises :class:`LocalError` for something the encoding cannot say."""
    _check_allowed(value, local=True)
    return bytes(_packb(value, use_bin_type=True))


def decode(data: bytes, *, size_max: int) -> Value:
    """Decode exactly one canonical value of at most ``size_max`` bytes. Raises only :class:`RemoteError`."""
    value = unpack(data, size_max=size_max)
    check_canonical(value, data)
    return value


def unpack(data: bytes, *, size_max: int) -> Value:
    """The first half of :func:`decode`: bounded, but perhaps not canonical and not yet of the allowed types."""
    if len(data) > size_max:
        raise RemoteError(Code.TOO_LARGE, f"This is {len(data)} bytes; at most {size_max} are allowed.")
    try:
        return _unpackb(  # type: ignore[no-any-return]
            data,
            use_list=False,
            raw=False,
            strict_map_key=True,
            max_str_len=size_max,
            max_bin_len=size_max,
            max_array_len=limits.ARRAY_ITEMS_MAX,
            max_map_len=0,
            max_ext_len=0,
        )
    except Exception as error:
        # msgpack raises at least five unrelated types for malformed input, and the wire may hold anything: every
        # failure to decode a stranger's bytes is the stranger's mistake.
        raise RemoteError(Code.MALFORMED, "These bytes are not a valid encoding.") from error


def check_canonical(value: Value, data: bytes) -> None:
    """The second half of :func:`decode`: whether ``data`` is the one encoding of what was unpacked from it."""
    check_same(value, data)
    check_allowed(value)


def check_same(value: Value, data: bytes) -> None:
    """Whether a value encodes to the very bytes it was unpacked from."""
    try:
        again = _packb(value, use_bin_type=True)
    except Exception as error:  # the same: what cannot be encoded again was never ours
        raise RemoteError(Code.MALFORMED, "These bytes are not a valid encoding.") from error
    if again != data:
        raise RemoteError(Code.NOT_CANONICAL, "These bytes are not in the one canonical form.")


def check_allowed(value: Value, inside: int = 0) -> None:
    """Whether a value holds only what this encoding may say; for what no reader of fields has looked at.

    ``inside``: how many arrays are around it.
    """
    _check_allowed(value, local=False, depth=inside)


def check_normal(text: str) -> None:
    """Whether a text is in Unicode normal form C; for readers of fields, which spare the whole another walk."""
    if not text.isascii() and not is_normalized("NFC", text):
        _refuse(Code.NOT_CANONICAL, "Text is not in Unicode normal form C.", local=False)


def unpack_stored(data: bytes) -> Any:
    """Unpack bytes that :func:`decode` has accepted before, without checking them again."""
    return _unpackb(data, use_list=False, raw=False)


_ARRAYS = frozenset((tuple, list))
_ALLOWED = frozenset((str, int, bytes, bool, type(None))) | _ARRAYS


def _check_allowed(value: object, *, local: bool, depth: int = 0) -> None:
    # Level by level, because then most of the work is done by loops that are not Python's.
    level: list[object] = [value]
    while level:
        if not _ALLOWED.issuperset(map(type, level)):
            unknown = next(type(each) for each in level if type(each) not in _ALLOWED)
            _refuse(Code.MALFORMED, f"A {unknown.__name__} has no place in this encoding.", local)
        texts = [each for each in level if type(each) is str]
        if not "".join(texts).isascii() and not all(is_normalized("NFC", each) for each in texts):
            _refuse(Code.NOT_CANONICAL, "Text is not in Unicode normal form C.", local)
        arrays: list[Any] = [each for each in level if type(each) in _ARRAYS and each]
        depth += 1
        if arrays and depth > limits.NESTING_DEPTH_MAX:
            _refuse(Code.MALFORMED, "Arrays are nested too deep.", local)
        if arrays and max(map(len, arrays)) > limits.ARRAY_ITEMS_MAX:
            _refuse(Code.TOO_LARGE, "An array is too long.", local)
        level = list(chain.from_iterable(arrays))


def _refuse(code: Code, reason: str, local: bool) -> None:
    if local:
        raise LocalError(reason)
    raise RemoteError(code, reason)
