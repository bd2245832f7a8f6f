"""Reading the TLS presentation language as MLS uses it (RFC 9420, 2.1; RFC 9000, 16 for lengths).

Each reader takes bytes off the front, within what is there, and raises nothing but :class:`RemoteError`.
"""

from hedgerow_protocol.errors import Code, RemoteError

_LENGTH_BYTES = (1, 2, 4)


class MlsBytes:
    """Bytes and how far they were read."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def fixed(self, size: int) -> bytes:
        """So many bytes."""
        end = self.at + size
        if end > len(self.data):
            raise RemoteError(Code.MALFORMED, "This MLS message ends too early.")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes, big-endian."""
        return int.from_bytes(self.fixed(size), "big")

    def vector(self, size_max: int) -> bytes:
        """A byte string with its length in front, in the shortest form."""
        end = skip_vector(self.data, self.at, size_max)
        found = self.data[self.at + _LENGTH_BYTES[self.data[self.at] >> 6] : end]
        self.at = end
        return found

    def end(self) -> None:
        """Nothing may follow."""
        if self.at != len(self.data):
            raise RemoteError(Code.MALFORMED, "Something follows this MLS message.")


def skip_vector(data: bytes, at: int, size_max: int) -> int:
    """Where the byte string that begins at ``at`` ends. Raises :class:`RemoteError`."""
    first = data[at] if at < len(data) else 0xFF
    if first < 0x40:
        size, end = first, at + 1 + first
    elif first < 0x80:
        size = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
        end = at + 2 + size
    elif first < 0xC0:
        size = int.from_bytes(data[at : at + 4], "big") & 0x3FFF_FFFF
        end = at + 4 + size
    else:
        raise RemoteError(Code.MALFORMED, "This MLS message ends too early, or has a length without a meaning.")
    if end > len(data):
        raise RemoteError(Code.MALFORMED, "This MLS message ends too early.")
    if size > size_max:
        raise RemoteError(Code.TOO_LARGE, "A part of this MLS message is too large.")
    if first >= 0x40 and size < (0x40 if first < 0x80 else 0x4000):
        raise RemoteError(Code.NOT_CANONICAL, "A length in this MLS message is not in its shortest form.")
    return end


def vector(data: bytes) -> bytes:
    """A byte string with its length in front: the inverse of :meth:`MlsBytes.vector`."""
    size = len(data)
    if size < 1 << 6:
        return bytes((size,)) + data
    if size < 1 << 14:
        return (size | 0x4000).to_bytes(2, "big") + data
    return (size | 0x8000_0000).to_bytes(4, "big") + data
