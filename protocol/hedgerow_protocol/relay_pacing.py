"""How a relay shares its line: messages that come too fast wait their turn, in order, and not without bound."""

from collections import deque
from dataclasses import dataclass, field

from hedgerow_protocol import relay_limits
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.ratelimit import TokenBucket


def cost_of(payload: bytes) -> int:
    """What a message counts against every limit, in bytes."""
    return max(len(payload), relay_limits.CIRCUIT_MESSAGE_BYTES_MIN)


@dataclass(slots=True, eq=False)
class Stream:
    """One direction of one circuit: where it leads, and what waits."""

    link: int
    number: int
    bucket: TokenBucket
    """Shared with the other direction."""
    queue: deque[bytes] = field(default_factory=deque)
    queued: int = 0


class Line:
    """All streams of one relay, and the rate they share. A stream that waits is served in turn with the others."""

    def __init__(self) -> None:
        self._total = TokenBucket(relay_limits.RELAY_RATE_BYTES, relay_limits.RELAY_BURST_BYTES)
        self._waiting: deque[Stream] = deque()
        self._seen = Instant(0.0)
        self.queued = 0

    def add(self, stream: Stream, payload: bytes) -> None:
        """A message came in; :meth:`ready` tells when it may go out."""
        if not stream.queue:
            self._waiting.append(stream)
        stream.queue.append(payload)
        stream.queued += cost_of(payload)
        self.queued += cost_of(payload)

    def ready(self, now: Instant) -> list[tuple[Stream, bytes]]:
        """Every message that may go out now, in order."""
        out: list[tuple[Stream, bytes]] = []
        self._seen = now
        held_back = 0
        while held_back < len(self._waiting):
            stream = self._waiting[0]
            cost = cost_of(stream.queue[0])
            if not _has(self._total, cost, now):
                break
            if not _has(stream.bucket, cost, now):
                self._waiting.rotate(-1)
                held_back += 1
                continue
            for bucket in (self._total, stream.bucket):
                bucket.take(min(cost, bucket.level(now)), now)
            out.append((stream, stream.queue.popleft()))
            stream.queued -= cost
            self.queued -= cost
            held_back = 0
            if stream.queue:
                self._waiting.rotate(-1)
            else:
                self._waiting.popleft()
        return out

    def too_long(self) -> Stream | None:
        """A stream that holds back more than is allowed; the longest, when it is all of them together."""
        longest = max(self._waiting, key=lambda stream: stream.queued, default=None)
        if longest is None:
            return None
        over = longest.queued > relay_limits.CIRCUIT_QUEUE_BYTES_MAX or self.queued > relay_limits.RELAY_QUEUE_BYTES_MAX
        return longest if over else None

    def drop(self, stream: Stream) -> None:
        """Its circuit has ended: what waits is not delivered."""
        if stream.queue:
            self._waiting.remove(stream)
            self.queued -= stream.queued
            stream.queue.clear()
            stream.queued = 0

    def next_due(self) -> Instant | None:
        """When the next message may go out, if any waits."""
        first: Instant | None = None
        for stream in self._waiting:
            cost = cost_of(stream.queue[0])
            wait = max(
                (cost - self._total.level(self._seen)) / relay_limits.RELAY_RATE_BYTES,
                (cost - stream.bucket.level(self._seen)) / relay_limits.CIRCUIT_RATE_BYTES,
                0.0,
            )
            due = Instant(self._seen + wait)
            first = due if first is None or due < first else first
        return first


def _has(bucket: TokenBucket, cost: int, now: Instant) -> bool:
    """Whether so much may pass. Half a byte is forgiven, so that :meth:`Line.next_due` is never a hair too early."""
    return bucket.level(now) + 0.5 >= cost
