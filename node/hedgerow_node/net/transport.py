"""What carries a channel's messages: a WebSocket, or a circuit through another node."""

from typing import Protocol


class TransportError(Exception):
    """The other side broke the rules of the transport; ``str()`` is a sentence without addresses."""


class Transport(Protocol):
    """Carries messages of at most ``MESSAGE_BYTES_MAX`` bytes, in order, until it is closed."""

    async def receive(self) -> bytes | None:
        """The next message; ``None`` at the end. Raises :class:`TransportError`, or :class:`OSError`."""
        ...

    async def send(self, message: bytes) -> None:
        """Send one; returns when there is room for the next. Raises :class:`OSError` when the connection is gone."""
        ...

    async def close(self, *, politely: bool = True) -> None:
        """End it, at once when ``politely`` is false. Idempotent, and lets :meth:`receive` return."""
        ...
