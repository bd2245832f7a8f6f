"""How much one device may ask for and send. Who asks for more waits a moment, and then is told to come back later."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hedgerow_node.http import bounds
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.rate import RateLimit
from hedgerow_protocol.ports import Instant


def _requests() -> RateLimit:
    return RateLimit(
        per_second=bounds.DEVICE_REQUESTS_PER_SECOND,
        burst=bounds.DEVICE_REQUESTS_BURST,
        addresses_max=bounds.DEVICES_REMEMBERED_MAX,
    )


def _sent() -> RateLimit:
    return RateLimit(
        per_second=bounds.DEVICE_BYTES_PER_SECOND,
        burst=bounds.DEVICE_BYTES_BURST,
        addresses_max=bounds.DEVICES_REMEMBERED_MAX,
    )


def _asks() -> RateLimit:
    return RateLimit(
        per_second=bounds.ACCOUNT_ASKS_PER_SECOND,
        burst=bounds.ACCOUNT_ASKS_BURST,
        addresses_max=bounds.DEVICES_REMEMBERED_MAX,
    )


@dataclass(slots=True)
class Pace:
    """The paces of all devices."""

    monotonic: Callable[[], Instant]
    requests: RateLimit = field(default_factory=_requests)
    sent: RateLimit = field(default_factory=_sent)
    asks: RateLimit = field(default_factory=_asks)
    waiting: int = 0

    def admit_ask(self, account: str) -> None:
        """Let an account ask to join somewhere. Raises Problem (429)."""
        if wait := self.asks.take(account, self.monotonic()):
            raise too_much(wait)

    async def admit(self, device: str, size: int) -> None:
        """Let a request of ``size`` bytes through, perhaps after a short wait. Raises Problem (429)."""
        wait = self._take(device, size)
        if not wait:
            return
        if self.waiting >= bounds.DEVICES_WAITING_MAX:
            raise too_much(wait)
        deadline = self.monotonic() + bounds.DEVICE_WAIT_SECONDS_MAX
        self.waiting += 1
        try:
            while wait:
                if self.monotonic() + wait > deadline:
                    raise too_much(wait)
                await asyncio.sleep(wait)
                wait = self._take(device, size)
        finally:
            self.waiting -= 1

    def _take(self, device: str, size: int) -> float:
        now = self.monotonic()
        if size and (wait := self.sent.take(device, now, float(size))):
            return wait
        return self.requests.take(device, now)


def too_much(wait: float) -> Problem:
    """The answer to whoever asks too often."""
    seconds = int(wait) + 1
    return Problem(
        429,
        f"That was a lot at once. Wait {seconds} seconds, then go on.",
        headers=(("Retry-After", str(seconds)),),
        type="slow-down",
    )
