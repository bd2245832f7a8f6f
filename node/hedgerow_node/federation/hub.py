"""What other nodes may ask of this one as the hub of a room. Everything is checked before it changes anything."""

from collections.abc import Callable
from functools import partial

from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.federation.pieces import Pieces
from hedgerow_node.federation.telling import Telling
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.private import far_ask_rows, far_mailbox_rows, follower_rows, moving_rows, putting_back_rows
from hedgerow_node.store.private.appending import MOVES_SECONDS, MovesAway
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Accepted, AskId
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.values import (
    AnswerBody,
    Asked,
    AskGone,
    BlobGet,
    BlobPut,
    Busy,
    Done,
    Follow,
    Following,
    PutBack,
    RoomAsk,
    Submit,
    SubmitAccepted,
    SubmitConflict,
    Unfollow,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Timestamp


class HubDesk:
    """Answers requests about rooms of this hub. Methods raise :class:`Refused` and :class:`StoreError`."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        delivery: DeliveryService,
        telling: Telling,
        pieces: Pieces,
        *,
        sign: Sign,
        entropy: Entropy,
        now: Callable[[], Timestamp],
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._delivery = delivery
        self._telling = telling
        self._pieces = pieces
        self._sign = sign
        self._entropy = entropy
        self._now = now

    async def submit(self, peer: NodeId, body: Submit) -> AnswerBody:
        """A member there says something. In its place in the queue as soon as this is begun."""
        room = body.submission.room
        try:
            outcome = await self._delivery.submit_far(peer, body.submission, now=self._now())
        except MovesAway:
            return Busy(MOVES_SECONDS)
        except Refused as refused:
            # Where the room has moved away, what was on its way here is asked of the new hub by and by.
            if refused.code is Refusal.UNKNOWN and await self._database.read(lambda c: moving_rows.is_closed(c, room)):
                return Busy(MOVES_SECONDS)
            raise
        if isinstance(outcome, Accepted):
            return SubmitAccepted(outcome.seq, outcome.time, outcome.hash)
        position = await self._database.read(lambda c: follower_rows.room_position(c, peer, room))
        return SubmitConflict(outcome.seen, position.seq)

    async def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """Anything else; ``None`` when this is no request to a hub."""
        body = request.body
        match body:
            case Follow():
                return await self._follow(peer, body)
            case Unfollow():
                await self._write(partial(_leave, peer, body))
            case PutBack():
                await self._write(lambda c: putting_back_rows.put_back_for_node(c, peer, body, self._entropy))
            case RoomAsk():
                name = AskId(request.id)
                await self._write(
                    lambda c: far_ask_rows.add_room_ask_of_node(c, peer, body, name, self._entropy, self._now())
                )
                return Asked(name)
            case AskGone():
                await self._write(lambda c: far_ask_rows.gone_elsewhere(c, peer, body, self._entropy, self._now()))
            case BlobGet():
                return await self._pieces.get(peer, body)
            case BlobPut():
                await self._pieces.put(peer, body, self._now())
            case _:
                return None
        return Done()

    async def _follow(self, peer: NodeId, body: Follow) -> AnswerBody:
        position, following = await self._scribe.quietly(lambda c: follower_rows.follow(c, peer, body.room, body.after))
        fellows = self._telling.follow(following)
        return Following(self._sign(body.room, position), fellows)

    async def _write(self, work: Callable[[Connection], Happened | None]) -> None:
        await self._scribe.write(lambda c: (None, work(c)))


def _leave(peer: NodeId, body: Unfollow, connection: Connection) -> Happened | None:
    return far_mailbox_rows.leave(connection, peer, body.room, body.mailbox)
