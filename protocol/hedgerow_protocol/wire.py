"""Hedgerow's encoding: msgpack restricted to one form per value.

Allowed: nil, booleans, integers in their shortest form, UTF-8 text in Unicode normal form C, byte strings, arrays.
Not allowed: maps, floats, extension types, trailing bytes, anything msgpack would let two encoders write differently.
The decoder bounds sizes first, decodes, encodes again and compares, so a value has exactly one encoding and its hash
means something. Spec: docs/protocol/encoding.md.
"""

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


def check_allowed(value: Value) -> None:
    """Whether a value holds only what this encoding may say; for what no reader of fields has looked at."""
    _check_allowed(value, local=False)


def unpack_stored(data: bytes) -> Any:
    """Unpack bytes that :func:`decode` has accepted before, without checking them again."""
    return _unpackb(data, use_list=False, raw=False)


_PLAIN = frozenset((int, bytes, bool, type(None)))


def _check_allowed(value: object, *, local: bool) -> None:
    # Every record passes here twice, so the common cases come first and cost one comparison of types.
    level: list[tuple[object, ...] | list[object]] = [(value,)]
    depth = 0
    while level:
        deeper: list[tuple[object, ...] | list[object]] = []
        for items in level:
            for item in items:
                kind = type(item)
                if kind is str:
                    if not item.isascii() and not is_normalized("NFC", item):  # type: ignore[attr-defined, arg-type]
                        _refuse(Code.NOT_CANONICAL, "Text is not in Unicode normal form C.", local)
                elif kind in _PLAIN:
                    continue
                elif kind is tuple or kind is list:
                    if item:
                        deeper.append(item)  # type: ignore[arg-type]
                else:
                    _refuse(Code.MALFORMED, f"A {kind.__name__} has no place in this encoding.", local)
        depth += 1
        if deeper and depth > limits.NESTING_DEPTH_MAX:
            _refuse(Code.MALFORMED, "Arrays are nested too deep.", local)
        if any(len(items) > limits.ARRAY_ITEMS_MAX for items in deeper):
            _refuse(Code.TOO_LARGE, "An array is too long.", local)
        level = deeper


def _refuse(code: Code, reason: str, local: bool) -> None:
    if local:
        raise LocalError(reason)
    raise RemoteError(code, reason)
