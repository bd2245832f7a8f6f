"""Two kinds of wrong, kept apart.

A *caller's* mistake raises :class:`LocalError` (or a plain ``ValueError``/``TypeError``) and is a bug to fix.
A *stranger's* mistake is :class:`RemoteError`: it is expected, counted, and never stops the node. Parsing functions
raise nothing but ``RemoteError``, whatever bytes they are given.
"""

from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How much a peer that sent this should be trusted less."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Code(StrEnum):
    """Every way a stranger's bytes can be wrong; stable, listed in ``docs/protocol/limits.md``."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not_canonical"
    BAD_FIELD = "bad_field"
    BAD_KEY = "bad_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_SIGNER = "wrong_signer"
    TOO_FEW_SIGNATURES = "too_few_signatures"
    UNKNOWN_KIND = "unknown_kind"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    LIMIT = "limit"
    BLOCKED = "blocked"


_SEVERITY = {
    Code.TOO_LARGE: Severity.HIGH,
    Code.MALFORMED: Severity.HIGH,
    Code.NOT_CANONICAL: Severity.HIGH,
    Code.BAD_FIELD: Severity.MEDIUM,
    Code.BAD_KEY: Severity.MEDIUM,
    Code.BAD_SIGNATURE: Severity.HIGH,
    Code.WRONG_SIGNER: Severity.MEDIUM,
    Code.TOO_FEW_SIGNATURES: Severity.MEDIUM,
    Code.UNKNOWN_KIND: Severity.LOW,
    Code.EXPIRED: Severity.LOW,
    Code.FROM_THE_FUTURE: Severity.LOW,
    Code.LIMIT: Severity.LOW,
    Code.BLOCKED: Severity.LOW,
}


class LocalError(Exception):
    """Our own caller broke a rule of this package."""


class RemoteError(Exception):
    """A stranger sent something wrong. ``str()`` of it is a sentence a person can read."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.severity = _SEVERITY[code]
