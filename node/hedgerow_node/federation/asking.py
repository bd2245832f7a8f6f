"""Asking other nodes for the sake of a device: the request is on the disk, and its answer is awaited for a moment."""

from collections.abc import Callable
from typing import Final, TypeVar

from hedgerow_node.federation.sending import Sending
from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import outgoing_rows
from hedgerow_node.store.private.outgoing_rows import Outgoing, Sent
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened, Session
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.federation.letters import kind_of
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, AnswerBody, RefusalAnswer, RequestBody
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

RETRY_SECONDS: Final = 10.0
"""Seconds. After which a device may ask again for an answer that has not come."""

AnswerT = TypeVar("AnswerT")


class Asking:
    """Puts requests into the outbox, each once, and waits for their answers."""

    def __init__(self, scribe: Scribe, sending: Sending, entropy: Entropy) -> None:
        self.scribe = scribe
        self.sending = sending
        self.entropy = entropy

    async def ask(
        self, session: Session, node: NodeId, body: RequestBody, about: bytes, *, now: int, seconds: float
    ) -> AnswerBody | None:
        """The answer, also to the same request before; ``None`` while there is none. Raises :class:`Refused`."""
        sent = await self.scribe.write(lambda c: self.put(c, session, node, body, about, now))
        return await self.answer_to(sent, seconds)

    async def answer_to(self, sent: Sent, seconds: float) -> AnswerBody | None:
        """The answer to a request that :meth:`put` gave; ``None`` while there is none."""
        return sent.answer or await self.sending.wait(sent.request, seconds, new=sent.new)

    def put(
        self,
        connection: Connection,
        session: Session,
        node: NodeId,
        body: RequestBody,
        about: bytes,
        now: int,
        again: Callable[[Sent], bool] = lambda sent: False,
    ) -> tuple[Sent, Happened | None]:
        """Within a write: the request that is under way or was answered, or this one. Raises :class:`Refused`.

        ``again`` says of an answered request that it is to be asked anew.
        """
        known = outgoing_rows.find(connection, node, kind_of(body), about)
        if known is not None and not _passes(known) and not again(known):
            return known, None
        outgoing_rows.check_room_for(connection, node, session.device_row)
        request = self.entropy(REQUEST_ID_BYTES)
        posted = outgoing_rows.put(connection, Outgoing(node, request, body, about, session.device_row), now)
        return Sent(request, None, now, new=True), Happened(posted=[posted])


def _passes(known: Sent) -> bool:
    return isinstance(known.answer, RefusalAnswer) and known.answer.code in outgoing_rows.PASSING


def expect(answer: AnswerBody | None, kind: type[AnswerT]) -> AnswerT:
    """An answer of the kind that belongs to the request. Raises :class:`Refused` or :class:`Waiting`."""
    if isinstance(answer, kind):
        return answer
    raise not_answered(answer)


def not_answered(answer: AnswerBody | None) -> Refused | Waiting:
    """What a device is told instead of an answer; to be raised."""
    if answer is None:
        return Waiting(
            "The other community has not answered yet. Your request is on its way.", retry_after=RETRY_SECONDS
        )
    if isinstance(answer, RefusalAnswer):
        retry_after = float(answer.retry_after) if answer.code is Refusal.TOO_FAST else None
        return Refused(answer.code, answer.sentence or "The other community said no.", retry_after=retry_after)
    return Refused(Refusal.BAD, "The other community has not answered what was asked.")
