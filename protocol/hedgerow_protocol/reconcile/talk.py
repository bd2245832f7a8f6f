"""What the stages of one session share: the set, the words to send, what is given and expected, and the caps."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Entropy, Instant
from hedgerow_protocol.reconcile import payloads
from hedgerow_protocol.reconcile.hour_views import HourView
from hedgerow_protocol.reconcile.live_set import LiveSet
from hedgerow_protocol.reconcile.payloads import SHORT_NAME_BYTES, End, Payload
from hedgerow_protocol.reconcile.salting import Salt, session_salt
from hedgerow_protocol.reconcile.session_view import SLICE_RECORDS, SessionView

SESSION_BYTES_MAX: Final = 1 << 20
"""Bytes. Of one session, both ways: what is still to be found then is left to the next one."""

FOUND_BYTES: Final = 160
"""Bytes. By which a session may be longer for each record it finds: the record itself and its check cost several times
that, and so does another session, which hashes both sets again. Two thirds of a set are completed in one session."""

SESSION_IDS_MAX: Final = 65_536
"""Ids. Found by one session, both ways together: 4 MB of memory. An empty node needs few sessions all the same."""

ROUNDS_FREE: Final = 4
"""Messages. Of an initiator beyond two for each level of sixteen; honest sessions need fewer."""

ROUND_BYTES: Final = 30_000
"""Bytes. For so many that travelled, one more round is allowed: full messages are bounded by their bytes."""

View: TypeAlias = SessionView | HourView


class Talk:
    """One session, as its stages see it."""

    def __init__(self, live: LiveSet, *, peer: NodeId, binding: bytes, dialled: bool, entropy: Entropy) -> None:
        self.live = live
        self.peer = peer
        self.binding = binding
        self.dialled = dialled
        self.entropy = entropy
        self.now = Instant(0.0)
        self.tag = b""
        self.nonces: tuple[bytes, bytes] = (b"", b"")
        self.peer_count = 0
        self.own_count = 0
        self.bytes = 0
        self.rounds = 0
        self.ids = 0
        self.found = 0
        """Records by which the sets are known to differ: found here or told by the peer."""
        self.done = False
        self.again = False
        self.failed: str | None = None
        self.job: Iterator[None] | None = None
        self._then: Callable[[], None] | None = None
        self.inbox: deque[Payload] = deque()
        self._given: set[RecordId] = set()
        self._fresh: SessionView | None = None
        self._send: list[bytes] = []
        self._give: deque[RecordId] = deque()
        self._expect = 0
        self._promised = 0

    def anew(self, tag: bytes, nonce: bytes, peer_count: int) -> None:
        """The peer opens a session, and nothing of another one counts any more."""
        self.tag, self.nonces, self.peer_count = tag, (nonce, b""), peer_count
        self.bytes = self.rounds = self.ids = self.found = self._promised = 0
        self.done = self.again = False
        self.job = self._then = self._fresh = None
        self.inbox.clear()

    # --- outputs

    def send(self, payload: Payload) -> None:
        """Say something."""
        data = payloads.encode(payload)
        self.bytes += len(data)
        self._send.append(data)

    def give(self, rids: list[RecordId]) -> int:
        """The peer lacks these and knows how many will come. Returns how many were not given before."""
        new = self.unknown(rids)
        self._give.extend(new)
        return len(new)

    def unknown(self, rids: list[RecordId]) -> list[RecordId]:
        """Those of these that were not given before. They count as given now: :meth:`tell` must follow."""
        new = [rid for rid in dict.fromkeys(rids) if rid not in self._given]
        self._given.update(new)
        return new

    def tell(self, rids: list[RecordId]) -> None:
        """Give these, of which the peer is told now how many they are.

        Never before: records that come without a word of how many there will be are cut to a stranger's rate.
        """
        self._give.extend(rids)

    def give_named(self, names: bytes, view: View | None) -> None:
        """The peer asks for these. Raises :class:`RemoteError` for more than a session may hold."""
        self.ids += len(names) // SHORT_NAME_BYTES
        self.found += len(names) // SHORT_NAME_BYTES
        if self.ids > SESSION_IDS_MAX:
            raise RemoteError(Code.LIMIT, "More records were asked for than one reconciliation may find.")
        if view is not None:
            for at in range(0, len(names), SHORT_NAME_BYTES):
                self.give(view.named(names[at : at + SHORT_NAME_BYTES]))

    def expect(self, many: int) -> None:
        """The peer is going to send so many records."""
        self._promised += many
        if self._promised > SESSION_IDS_MAX:
            raise RemoteError(Code.LIMIT, "More records were promised than one reconciliation may find.")
        self._expect += many

    def taken(self) -> tuple[tuple[bytes, ...], tuple[RecordId, ...], int]:
        """All outputs since the last time; of the records to give, so many that nobody is held up."""
        give = tuple(self._give.popleft() for _ in range(min(len(self._give), SLICE_RECORDS)))
        outputs = tuple(self._send), give, self._expect
        self._send, self._expect = [], 0
        return outputs

    @property
    def owing(self) -> bool:
        """Records to give are left for the next steps, though all may have been said."""
        return bool(self._give)

    # --- end

    def end(self, *, again: bool, names: bytes = b"", giving: int = 0) -> None:
        """Say that it is over."""
        self.send(End(self.tag, names, giving, again))
        self.finish(again=again)

    def finish(self, *, again: bool) -> None:
        """It is over."""
        self.done = True
        self.again = again
        self.job = self._then = self._fresh = None
        self.inbox.clear()

    def fail(self, reason: str) -> None:
        """It is over because of what the peer did."""
        self.failed = reason
        self._give.clear()
        self.finish(again=False)

    def close(self) -> None:
        """Nobody is there to give anything to."""
        self._give.clear()
        self.finish(again=False)

    # --- work in slices

    def work(self, job: Iterator[None], then: Callable[[], None]) -> None:
        """Do a long piece of work, a slice now and one with every tick, and then go on."""
        self.job, self._then = job, then
        self.slice()

    def slice(self) -> None:
        """One slice of the work at hand."""
        if self.job is None or next(self.job, self) is not self:
            return
        then = self._then
        self.job = self._then = None
        if then is not None:
            then()

    # --- salts and caps

    def salt(self) -> Salt:
        """This session's own salt."""
        return session_salt(self.binding, *self.nonces)

    def fresh(self) -> SessionView | None:
        """The set under this session's salt, as it was when first asked for; ``None`` while there is no room for it."""
        if self._fresh is None:
            self._fresh = self.live.session_view(self.salt())
        return self._fresh

    def round(self) -> None:
        """One more message to answer. Raises :class:`RemoteError` beyond what any honest session needs."""
        self.rounds += 1
        levels, most = 0, max(self.own_count, self.peer_count)
        while most > 1:
            most = -(-most // 16)
            levels += 1
        if self.rounds > 2 * levels + ROUNDS_FREE + self.bytes // ROUND_BYTES:
            raise RemoteError(Code.LIMIT, "The reconciliation does not come to an end.")

    @property
    def bytes_earned(self) -> int:
        """So many bytes more the session may take for what it has found."""
        return FOUND_BYTES * min(self.found, SESSION_IDS_MAX)

    @property
    def used_up(self) -> bool:
        """This session has sent and heard as much as it may."""
        return self.bytes >= SESSION_BYTES_MAX + self.bytes_earned
