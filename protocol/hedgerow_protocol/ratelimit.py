"""A rate that allows bursts: how fast a stranger may make this node work."""

from hedgerow_protocol.ports import Instant


class TokenBucket:
    """Holds at most ``burst`` tokens, gains ``rate`` of them a second, and begins full.

    Nothing runs in the background: what was gained is counted when somebody asks. A clock that stands still or goes
    back gains nothing.
    """

    __slots__ = ("_burst", "_level", "_rate", "_when")

    def __init__(self, rate: float, burst: float) -> None:
        if not (rate >= 0 and burst > 0):
            raise ValueError("A bucket has room for something, and does not leak.")
        self._rate = rate
        self._burst = burst
        self._level = float(burst)
        self._when: Instant | None = None

    def level(self, instant: Instant) -> float:
        """Tokens that are there at that moment."""
        if self._when is not None and instant > self._when:
            self._level = min(self._burst, self._level + (instant - self._when) * self._rate)
        if self._when is None or instant > self._when:
            self._when = instant
        return self._level

    def take(self, n: float, instant: Instant) -> bool:
        """Take ``n`` tokens, or none and say ``False`` when there are fewer."""
        if n < 0:
            raise ValueError("Nobody gives tokens back.")
        if self.level(instant) < n:
            return False
        self._level -= n
        return True
