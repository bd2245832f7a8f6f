"""Hedgerow's protocol: pure functions of bytes, events and time.

Nothing in this package opens a socket or a file, reads a clock or draws randomness: those are lent to it by the
caller (see :mod:`hedgerow_protocol.ports`). Another implementation can be written from ``docs/protocol/`` and checked
against ``tests/vectors/``.
"""

PROTOCOL_VERSION = 1
