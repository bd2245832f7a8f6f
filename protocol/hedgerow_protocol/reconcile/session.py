"""One reconciliation over one link: a state machine that is told payloads and the time, and says what to do.

The opener says how many records it has; the answerer chooses the way. Small differences travel as a sketch, large ones
and all doubtful cases by ranges. Whoever finds the difference gives what the peer lacks and names what it lacks itself.
Records themselves do not travel here. Spec: docs/protocol/reconciliation.md.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.ports import Entropy, Now
from hedgerow_protocol.reconcile import payloads
from hedgerow_protocol.reconcile.hour_views import HOUR_CELLS, HourView
from hedgerow_protocol.reconcile.live_set import LiveSet
from hedgerow_protocol.reconcile.payloads import Answer, Cells, End, Method, Open, Payload, Ranges, Turn, is_opening
from hedgerow_protocol.reconcile.ranging import RangeInitiator, RangeResponder
from hedgerow_protocol.reconcile.salting import NONCE_BYTES, SALT_BYTES
from hedgerow_protocol.reconcile.sketch import CELLS_MAX, DoubtfulError
from hedgerow_protocol.reconcile.sketching import CellGiver, CellTaker, window_for
from hedgerow_protocol.reconcile.talk import SESSION_BYTES_MAX, Talk, View

__all__ = ["Session", "Step", "is_opening"]

SESSION_SALT_RECORDS_MAX: Final = 32_000
"""Records. Up to so many the whole set is hashed under a fresh salt for each session: 0.15 s of work, in slices."""

SILENCE_SECONDS_MAX: Final = 90
"""Seconds. Without a word from a peer whose turn it is; a small machine needs 30 for a million records."""

SILENCE_SECONDS_SMALL: Final = 12
"""Seconds. The same where both sets are small enough for a fresh salt: there nobody needs long."""

SESSION_SECONDS_MAX: Final = 900
"""Seconds. The whole of a session: its view of the set takes memory."""

SESSIONS_RESTARTED_MAX: Final = 1
"""Openings. That a peer may send into a session that is under way: the first for an end that crossed ours."""

BYTES_HEARD_MAX: Final = SESSION_BYTES_MAX + 4 * payloads.PAYLOAD_BYTES_MAX
"""Bytes, and ``FOUND_BYTES`` for each record found. A peer that sends so many should have ended the session before."""

INBOX_PAYLOADS_MAX: Final = 1_024
"""Payloads. Held while our own view is built; a whole sketch arrives in fewer than a hundred."""

_Stage: TypeAlias = RangeInitiator | RangeResponder | CellGiver | CellTaker


@dataclass(frozen=True, slots=True)
class Step:
    """What to do after one event."""

    send: tuple[bytes, ...] = ()
    """Payloads for the peer, in order."""
    give: tuple[RecordId, ...] = ()
    """Records of ours that the peer lacks, each once in a session: fetch and send them."""
    expect: int = 0
    """So many records the peer is going to send, beside those told of before."""
    done: bool = False
    failed: str | None = None
    """Done, because the peer misbehaved: a sentence for the log."""
    again: bool = False
    """Done, but more differs: open another session when what is given and expected has arrived."""
    busy: bool = False
    """Work is left to do: call :meth:`Session.tick` soon, without waiting for the peer."""


class Session:
    """One side of one reconciliation. Make it with :meth:`open` or :meth:`answer`."""

    def __init__(self, talk: Talk, *, opened: bool, hint: int | None, now: Now) -> None:
        self._talk = talk
        self._hint = hint
        self._waiting = opened  # for the answer to our opening
        self._stage: _Stage | None = None
        self._started = now.instant
        self._heard = now.instant
        self._restarts = 0
        self._hour: HourView | None = None

    @classmethod
    def open(
        cls, live: LiveSet, *, binding: bytes, dialled: bool, peer: NodeId, peer_count: int, hint: int | None,
        entropy: Entropy, now: Now,
    ) -> "Session":  # fmt: skip
        """Begin: call :meth:`start` next.

        ``binding``: 32 bytes that only the two ends of the channel know. ``dialled``: we made the link.
        ``hint``: how many of our records came or went since both sets were equal, ``None`` when that is not known.
        """
        talk = Talk(live, peer=peer, binding=binding, dialled=dialled, entropy=entropy)
        talk.peer_count = peer_count
        return cls(talk, opened=True, hint=hint, now=now)

    @classmethod
    def answer(
        cls, live: LiveSet, *, binding: bytes, dialled: bool, peer: NodeId, entropy: Entropy, now: Now,
        hint: int | None = None,
    ) -> "Session":  # fmt: skip
        """Answer: give :meth:`handle` the payload for which :func:`is_opening` is true."""
        talk = Talk(live, peer=peer, binding=binding, dialled=dialled, entropy=entropy)
        return cls(talk, opened=False, hint=hint, now=now)

    # --- the door

    def start(self, now: Now) -> Step:
        """Say the first word, as opener."""
        if not self._waiting or self._talk.tag:
            raise LocalError("Only an opener starts, and once.")
        talk = self._talk
        talk.now = now.instant
        talk.own_count = len(talk.live)
        nonce = talk.entropy(NONCE_BYTES)
        talk.tag, talk.nonces = nonce[: payloads.TAG_BYTES], (nonce, b"")
        large = max(talk.own_count, talk.peer_count) > SESSION_SALT_RECORDS_MAX
        salt = b""
        if large and not talk.dialled:
            self._hour = talk.live.views.own(talk.live.records, talk.entropy, now.instant)
            salt = self._hour.salt.key
        views = talk.live.views
        ranges = views.much_differs(talk.peer, now.instant) or (large and views.audit_due(talk.peer, now.instant))
        talk.send(Open(nonce, talk.own_count, self._hint, ranges, salt))
        return self._step()

    def handle(self, payload: bytes, now: Now) -> Step:
        """The peer has said something."""
        talk = self._talk
        talk.now = self._heard = now.instant
        if talk.done and not (talk.owing and is_opening(payload)):
            return self._step()
        talk.bytes += len(payload)
        try:
            heard = payloads.decode(payload)
            if heard is not None:
                self._hear(heard)
        except RemoteError as error:
            talk.fail(error.reason)
        return self._step()

    def tick(self, now: Now) -> Step:
        """Time has passed: go on with what is done in slices, and give up on a peer that says nothing."""
        talk = self._talk
        talk.now = now.instant
        if talk.done:
            return self._step()
        if talk.job is not None:
            self._heard = now.instant
            try:
                talk.slice()
                self._empty_inbox()
            except RemoteError as error:
                talk.fail(error.reason)
        elif self._hour is not None and not self._hour.ready:
            self._hour.step()
        if not talk.done:
            large = max(talk.own_count, talk.peer_count) > SESSION_SALT_RECORDS_MAX
            if now.instant - self._heard > (SILENCE_SECONDS_MAX if large else SILENCE_SECONDS_SMALL):
                talk.fail("The peer says nothing more in a reconciliation.")
            elif now.instant - self._started > SESSION_SECONDS_MAX:
                talk.end(again=True)
        return self._step()

    def close(self) -> None:
        """The link is gone: let go of all memory."""
        self._talk.close()
        self._stage = self._hour = None

    def _step(self) -> Step:
        talk = self._talk
        send, give, expect = talk.taken()
        if talk.owing:
            return Step(send, give, expect, busy=True)
        busy = talk.job is not None or (self._waiting and self._hour is not None and not self._hour.ready)
        return Step(send, give, expect, talk.done, talk.failed, talk.again, busy and not talk.done)

    # --- hearing

    def _hear(self, heard: Payload) -> None:
        talk = self._talk
        if isinstance(heard, Open):
            self._opening(heard)
        elif heard.tag == talk.tag and talk.tag:
            if len(talk.inbox) >= INBOX_PAYLOADS_MAX:
                raise RemoteError(Code.LIMIT, "The peer says more than can be listened to.")
            talk.inbox.append(heard)
            self._empty_inbox()

    def _empty_inbox(self) -> None:
        talk = self._talk
        while talk.inbox and talk.job is None and not talk.done:
            try:
                self._hear_next(talk.inbox.popleft())
            except DoubtfulError:
                self._no_sketch()

    def _hear_next(self, heard: Payload) -> None:
        talk = self._talk
        match heard:
            case End():
                talk.expect(heard.giving)
                if self._stage is not None:
                    self._stage.ended(heard)
                talk.finish(again=heard.again)
            case Answer() if self._waiting:
                self._waiting = False
                self._answered(heard)
            case Turn() if isinstance(self._stage, CellGiver):
                self._ranges(begin=True)
            case Ranges() if isinstance(self._stage, CellGiver):
                self._ranges(begin=False)
                talk.inbox.appendleft(heard)
            case Cells() if isinstance(self._stage, RangeInitiator | RangeResponder):
                pass  # they were under way when the sketch was given up
            case _ if self._stage is not None:
                if talk.bytes > BYTES_HEARD_MAX + talk.bytes_earned:
                    raise RemoteError(Code.LIMIT, "The peer says more than one reconciliation may.")
                self._stage.handle(heard)
            case _:
                raise RemoteError(Code.MALFORMED, "A payload of a reconciliation came out of turn.")

    def _opening(self, opening: Open) -> None:
        """The peer opens. When both have, the dialler's opening holds and the other's is forgotten."""
        talk = self._talk
        if self._waiting and talk.dialled:
            return
        if self._stage is not None:
            # The peer has done with the session that we were in: whatever it still had to say of it, it has said.
            if self._restarts >= SESSIONS_RESTARTED_MAX:
                raise RemoteError(Code.LIMIT, "The peer begins again and again.")
            self._restarts += 1
        talk.anew(opening.tag, opening.nonce, opening.count)
        self._waiting, self._stage, self._hour = False, None, None
        self._choose(opening)

    # --- choosing, as answerer

    def _choose(self, opening: Open) -> None:
        talk = self._talk
        talk.own_count = len(talk.live)
        nonce = talk.entropy(NONCE_BYTES)
        talk.nonces = (opening.nonce, nonce)
        view, salt = self._sketched(opening)
        if view is None:
            begin = talk.own_count > talk.peer_count
            if talk.fresh() is None:
                talk.end(again=True)
                return
            method = Method.ANSWERER_RANGES if begin else Method.OPENER_RANGES
            talk.send(Answer(talk.tag, nonce, talk.own_count, method, b"", 0))
            self._ranges(begin=begin)
            return
        method = Method.HOUR_SKETCH if isinstance(view, HourView) else Method.SKETCH
        longest = HOUR_CELLS if method is Method.HOUR_SKETCH else CELLS_MAX
        estimate = self._estimate(opening)
        window = window_for(estimate, longest)
        talk.send(Answer(talk.tag, nonce, talk.own_count, method, salt, window))
        self._stage = CellGiver(talk, view, window, estimate)

    def _sketched(self, opening: Open) -> tuple[View | None, bytes]:
        """The view from which to send cells, and the salt to tell with it; ``None`` where ranges are better."""
        talk = self._talk
        few, many = sorted((talk.own_count, talk.peer_count))
        large = many > SESSION_SALT_RECORDS_MAX
        longest = HOUR_CELLS if large else CELLS_MAX
        # A difference takes 1.4 cells of 13 bytes; ranges list the smaller set at worst, 32 bytes for each of it.
        if opening.ranges or 3 * (many - few) > 2 * longest or 18 * (many - few) > 32 * few + 400:
            return None, b""
        if not large:
            return talk.fresh(), b""
        if not talk.dialled:
            own = talk.live.views.own(talk.live.records, talk.entropy, talk.now)
            return own, own.salt.key
        if len(opening.salt) != SALT_BYTES:
            return None, b""
        return talk.live.views.foreign(talk.peer, opening.salt, talk.live.records, talk.now), b""

    def _estimate(self, opening: Open) -> int | None:
        """How many records may differ; ``None`` when nobody knows."""
        if opening.changes is None:
            return None
        difference = abs(self._talk.own_count - self._talk.peer_count)
        if self._hint is None:  # we cannot say how much we have changed: about as much as the peer
            return difference + 2 * opening.changes
        return max(difference, opening.changes + self._hint)

    # --- the answer, as opener

    def _answered(self, answer: Answer) -> None:
        talk = self._talk
        talk.nonces = (talk.nonces[0], answer.nonce)
        talk.peer_count = answer.count
        match answer.method:
            case Method.OPENER_RANGES:
                self._ranges(begin=True)
            case Method.ANSWERER_RANGES:
                self._ranges(begin=False)
            case Method.SKETCH:
                view = talk.fresh()
                self._take_cells(view, answer.window)
            case Method.HOUR_SKETCH:
                self._take_cells(self._hour_view(answer), answer.window)

    def _hour_view(self, answer: Answer) -> HourView | None:
        talk = self._talk
        if not talk.dialled:
            return self._hour
        if len(answer.salt) != SALT_BYTES:
            return None
        return talk.live.views.foreign(talk.peer, answer.salt, talk.live.records, talk.now)

    def _take_cells(self, view: View | None, window: int) -> None:
        longest = HOUR_CELLS if isinstance(view, HourView) else CELLS_MAX
        if view is None:
            self._no_sketch()
        elif not 0 < window <= longest:
            raise RemoteError(Code.BAD_FIELD, "A sketch of this length was not possible.")
        else:
            self._stage = CellTaker(self._talk, view, window)

    def _no_sketch(self) -> None:
        """The sketch comes to nothing: go on by ranges; who has more begins."""
        talk = self._talk
        begin = talk.own_count >= talk.peer_count
        if not begin:
            talk.send(Turn(talk.tag))
        self._ranges(begin=begin)

    def _ranges(self, *, begin: bool) -> None:
        talk = self._talk
        view = talk.fresh()
        if view is None:
            talk.end(again=True)
        else:
            self._stage = RangeInitiator(talk, view) if begin else RangeResponder(talk, view)
