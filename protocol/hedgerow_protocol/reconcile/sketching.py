"""The stage of a session in which one side streams cells of a sketch and the other takes it apart."""

from collections.abc import Iterator
from typing import Final

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.reconcile.hour_views import HOUR_CELLS, HourView
from hedgerow_protocol.reconcile.payloads import SHORT_NAME_BYTES, Cells, End, More, Payload
from hedgerow_protocol.reconcile.session_view import SessionView
from hedgerow_protocol.reconcile.sketch import CELL_BYTES, CELLS_MAX, Decoder, DoubtfulError, pack
from hedgerow_protocol.reconcile.talk import Talk, View

WINDOW_UNKNOWN: Final = 256
"""Cells. Sent without being asked again when nobody can guess the difference: 3.3 kB, enough for some 180 records."""

WINDOW_MIN: Final = 40
"""Cells. The least that is sent without being asked again: enough for 10 records in 49 of 50 sessions."""

PART_MIN: Final = 4
"""Cells. The least in one payload, so that its other fields weigh little."""

GROWTH: Final = 10
"""One part of a stream is at most a tenth of what went before it: so little is sent beyond what is needed."""


def cells_max(view: View) -> int:
    """The longest sketch that a view can make."""
    return HOUR_CELLS if isinstance(view, HourView) else CELLS_MAX


def window_for(estimate: int | None, longest: int) -> int:
    """How many cells to send at first for so many differences."""
    wanted = WINDOW_UNKNOWN if estimate is None else max(WINDOW_MIN, estimate + estimate // 2 + 16)
    return min(wanted, longest)


def first_part(estimate: int | None, difference: int) -> int:
    """How many cells to send at once: for what is guessed, and for as many as the counts differ by."""
    return max(2 * PART_MIN, estimate or 0, difference + difference // 4)


def _prepare(view: View, many: int) -> Iterator[None]:
    if isinstance(view, SessionView):
        yield from view.prepare_cells(many)
        return
    while not view.ready:
        view.step()
        yield


class CellGiver:
    """The answerer: streams cells up to a window, and more when it is asked."""

    def __init__(self, talk: Talk, view: View, window: int, estimate: int | None) -> None:
        self._talk = talk
        self._view = view
        self._window = window
        self._estimate = estimate
        self._sent = 0
        self._cells: list[int] = []
        self._prepare()

    def _prepare(self) -> None:
        self._talk.work(_prepare(self._view, self._window), self._stream)

    def _stream(self) -> None:
        if isinstance(self._view, SessionView):
            self._cells = self._view.cells
        elif not self._cells:
            self._cells = list(self._view.cells)  # as they are now: the set may change while they are under way
        talk = self._talk
        if not self._sent:
            talk.own_count = self._view.length
        while self._sent < self._window:
            part = max(PART_MIN, self._sent // GROWTH)
            if not self._sent:
                part = first_part(self._estimate, abs(talk.own_count - talk.peer_count))
            until = min(self._window, self._sent + part)
            talk.send(Cells(talk.tag, pack(self._cells[self._sent : until])))
            self._sent = until

    def handle(self, payload: Payload) -> None:
        """Hear that more cells are wanted. Raises :class:`RemoteError`."""
        if not isinstance(payload, More) or not self._window < payload.window <= cells_max(self._view):
            raise RemoteError(Code.MALFORMED, "A payload of a reconciliation came out of turn.")
        self._window = payload.window
        self._prepare()

    def ended(self, end: End) -> None:
        """Hear what the peer found. Raises :class:`RemoteError`."""
        self._talk.give_named(end.names, self._view)


class CellTaker:
    """The opener: takes cells until they give the difference, and says what it is."""

    def __init__(self, talk: Talk, view: View, window: int) -> None:
        self._talk = talk
        self._view = view
        self._window = window
        self._decoder: Decoder | None = None
        talk.work(_prepare(view, window), self._ready)

    def _ready(self) -> None:
        if self._decoder is None:
            self._talk.own_count = self._view.length
            self._decoder = Decoder(self._view.salt, list(self._view.cells))
        elif isinstance(self._view, SessionView):
            self._decoder.know(self._view.cells)

    def handle(self, payload: Payload) -> None:
        """Hear cells. Raises :class:`RemoteError`, and :class:`DoubtfulError` when the sketch comes to nothing."""
        decoder = self._decoder
        if not isinstance(payload, Cells) or decoder is None:
            raise RemoteError(Code.MALFORMED, "A payload of a reconciliation came out of turn.")
        if not payload.cells or decoder.cells + len(payload.cells) // CELL_BYTES > self._window:
            raise RemoteError(Code.MALFORMED, "A sketch is empty or longer than was agreed.")
        decoder.feed(payload.cells)
        if decoder.finished:
            self._finish(decoder)
            return
        if decoder.cells < self._window:
            return
        longest = cells_max(self._view)
        if self._window >= longest:
            raise DoubtfulError
        self._window = min(2 * self._window, longest)
        talk = self._talk
        talk.send(More(talk.tag, self._window))
        talk.work(_prepare(self._view, self._window), self._ready)

    def _finish(self, decoder: Decoder) -> None:
        """The difference is known: name what we lack, give what the peer lacks."""
        view = self._view
        found: list[RecordId] = []
        for name in decoder.ours:
            rids = view.named(name)
            if not rids and isinstance(view, SessionView):
                raise DoubtfulError  # a view that lasts may have lost a record meanwhile; a snapshot has not
            found.extend(rids)
        theirs = decoder.theirs
        if any(view.named(name) for name in theirs) and isinstance(view, SessionView):
            raise DoubtfulError
        talk = self._talk
        giving = talk.give(found)
        talk.expect(len(theirs))
        talk.end(again=False, names=b"".join(name[:SHORT_NAME_BYTES] for name in theirs), giving=giving)

    def ended(self, end: End) -> None:
        """Hear that the answerer cannot go on."""
