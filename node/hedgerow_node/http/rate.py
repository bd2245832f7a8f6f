"""How much one address may ask for: a token bucket each, in bounded memory, forgotten when it is full again."""

from collections import OrderedDict

from hedgerow_node.http import bounds
from hedgerow_protocol.ports import Instant


class RateLimit:
    """Token buckets by address. Nothing is written down, and a quiet address is forgotten within seconds."""

    def __init__(
        self,
        *,
        per_second: float = bounds.REQUESTS_PER_SECOND,
        burst: float = bounds.REQUESTS_BURST,
        addresses_max: int = bounds.ADDRESSES_REMEMBERED_MAX,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._addresses_max = addresses_max
        self._buckets: OrderedDict[str, tuple[float, Instant]] = OrderedDict()
        """Address to (tokens at that time, time), the longest quiet first."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str, now: Instant, cost: float = 1.0) -> float:
        """Take ``cost`` tokens. Returns 0.0 when they were there, else the seconds to wait."""
        tokens, then = self._buckets.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        wait = 0.0
        if tokens >= cost:
            tokens -= cost
        else:
            wait = (cost - tokens) / self._per_second
        self._buckets[address] = (tokens, now)
        self._forget(now)
        return wait

    def _forget(self, now: Instant) -> None:
        """Drop what is full again (at most two a call, so the cost stays flat) and what is too much."""
        for _ in range(2):
            address = next(iter(self._buckets))
            tokens, then = self._buckets[address]
            full = tokens + (now - then) * self._per_second >= self._burst
            if not full and len(self._buckets) <= self._addresses_max:
                return
            if len(self._buckets) == 1:
                return
            del self._buckets[address]
