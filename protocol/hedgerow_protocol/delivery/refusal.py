"""What a member's device is told when something cannot be done: a stable code and a sentence."""

from enum import StrEnum


class Refusal(StrEnum):
    """Every way the accounts and delivery services say no."""

    BAD = "bad"
    """What was sent is not what it says it is (a KeyPackage that does not verify, an entry that is no MLS message)."""
    NO_ACCOUNT = "no-account"
    """No such account, or the signature is not its own."""
    NOT_ALLOWED = "not-allowed"
    """This device may not do that."""
    UNKNOWN = "unknown"
    """There is no such thing, or this device may not know of it: both look the same."""
    TAKEN = "taken"
    """The name is in use for something else."""
    USED = "used"
    """It was good for one time, and that time was before."""
    ENDED = "ended"
    """It has expired, or everything it allowed has been used."""
    STALE = "stale"
    """Somebody wrote a newer version meanwhile."""
    TOO_MANY = "too-many"
    """A number of things is reached; one must go before another comes."""
    TOO_LARGE = "too-large"
    """More bytes than may be sent or kept."""
    TOO_FAST = "too-fast"
    """The same later is fine; ``retry_after`` says when."""


class Refused(Exception):  # noqa: N818 - it is an answer more than an error
    """A request that is answered with no. ``str()`` of it is a sentence a person can read."""

    def __init__(self, code: Refusal, sentence: str, *, retry_after: float | None = None, version: int = 0) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.retry_after = retry_after
        """Seconds; only with ``TOO_FAST``."""
        self.version = version
        """The version that is kept now; only with ``STALE``."""


class Waiting(Exception):  # noqa: N818 - it is an answer more than an error
    """Another node has not answered yet; what was asked is kept and goes on. Asking the same again is fine.

    ``str()`` of it is a sentence a person can read.
    """

    def __init__(self, sentence: str, *, retry_after: float) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after
        """Seconds after which asking again may bring an answer."""
