"""The stage of a session in which ranges are compared by Negentropy, under the session's own salt."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.reconcile.negentropy import Initiator, Responder
from hedgerow_protocol.reconcile.payloads import PAYLOAD_BYTES_MAX, SHORT_NAME_BYTES, End, Payload, Ranges
from hedgerow_protocol.reconcile.session_view import SLICE_RECORDS, SessionView
from hedgerow_protocol.reconcile.talk import SESSION_IDS_MAX, Talk

RESPONDER_MESSAGE_BYTES: Final = PAYLOAD_BYTES_MAX - 100
"""Bytes. Of a responder's message: a payload less its other fields."""

INITIATOR_MESSAGE_BYTES: Final = PAYLOAD_BYTES_MAX - 100 - RESPONDER_MESSAGE_BYTES // 32 * SHORT_NAME_BYTES
"""Bytes. Of an initiator's message: it names, in the same payload, all that the last answer listed."""


class RangeInitiator:
    """The side with more records begins, and learns the difference."""

    def __init__(self, talk: Talk, view: SessionView) -> None:
        self._talk = talk
        self._view = view
        self._initiator: Initiator | None = None
        self._needed: set[bytes] = set()
        self._found: list[RecordId] = []
        """What the peer lacks and was not told of yet."""
        talk.work(view.prepare_order(), self._begin)

    def _begin(self) -> None:
        assert self._view.ordered is not None  # noqa: S101 - the job made it
        self._talk.own_count = self._view.length
        self._initiator = Initiator(self._view.ordered, INITIATOR_MESSAGE_BYTES, have_max=SESSION_IDS_MAX + 1)
        self._talk.send(Ranges(self._talk.tag, self._initiator.start(), b"", 0))

    def handle(self, payload: Payload) -> None:
        """Hear an answer. Raises :class:`RemoteError`."""
        talk = self._talk
        if not isinstance(payload, Ranges) or self._initiator is None:
            raise RemoteError(Code.MALFORMED, "A payload of a reconciliation came out of turn.")
        talk.round()
        reply, have, need = self._initiator.receive_entries(payload.message)
        need = [salted for salted in dict.fromkeys(need) if salted not in self._needed]
        need = need[: max(0, SESSION_IDS_MAX - talk.ids)]
        self._needed.update(need)
        talk.ids += len(need)
        talk.found += len(need)
        talk.expect(len(need))
        names = b"".join(salted[:SHORT_NAME_BYTES] for salted in need)
        talk.work(self._give(have), lambda: self._go_on(reply, names))

    def _give(self, have: list[bytes]) -> Iterator[None]:
        for begin in range(0, len(have), SLICE_RECORDS):
            some = have[begin : begin + SLICE_RECORDS][: SESSION_IDS_MAX - self._talk.ids]
            found = self._talk.unknown([self._view.rid_of(entry) for entry in some])
            self._found += found
            self._talk.ids += len(found)
            self._talk.found += len(found)
            yield

    def _go_on(self, reply: bytes | None, names: bytes) -> None:
        talk = self._talk
        found, self._found = self._found, []
        talk.tell(found)
        enough = talk.used_up or talk.ids >= SESSION_IDS_MAX
        if reply is None or enough:
            again = reply is not None or talk.ids >= SESSION_IDS_MAX
            talk.live.views.compared(talk.peer, talk.now, all_found=not again)
            talk.end(again=again, names=names, giving=len(found))
        else:
            talk.send(Ranges(talk.tag, reply, names, len(found)))

    def ended(self, end: End) -> None:
        """Hear that the responder can go on no longer."""
        self._talk.live.views.compared(self._talk.peer, self._talk.now, all_found=False)


class RangeResponder:
    """The side with fewer records answers."""

    def __init__(self, talk: Talk, view: SessionView) -> None:
        self._talk = talk
        self._view = view
        self._responder: Responder | None = None
        talk.work(chain(view.prepare_names(), view.prepare_order()), self._begin)

    def _begin(self) -> None:
        assert self._view.ordered is not None  # noqa: S101 - the job made it
        self._talk.own_count = self._view.length
        self._responder = Responder(self._view.ordered, RESPONDER_MESSAGE_BYTES)

    def handle(self, payload: Payload) -> None:
        """Hear a message of the initiator's. Raises :class:`RemoteError`."""
        talk = self._talk
        if not isinstance(payload, Ranges) or self._responder is None:
            raise RemoteError(Code.MALFORMED, "A payload of a reconciliation came out of turn.")
        talk.round()
        talk.expect(payload.giving)
        talk.found += payload.giving
        talk.give_named(payload.names, self._view)
        answer = self._responder.receive(payload.message)
        if talk.used_up:
            talk.live.views.compared(talk.peer, talk.now, all_found=False)
            talk.end(again=True)
        else:
            talk.send(Ranges(talk.tag, answer, b"", 0))

    def ended(self, end: End) -> None:
        """Hear that it is over. Raises :class:`RemoteError`."""
        self._talk.give_named(end.names, self._view)
        self._talk.live.views.compared(self._talk.peer, self._talk.now, all_found=not end.again)
