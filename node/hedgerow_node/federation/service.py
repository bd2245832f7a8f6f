"""Federation put together: the services below, the post, and everything between them. The network calls it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from hedgerow_node.accounts.service import AccountService
from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.federation import drops
from hedgerow_node.federation.answering import Answering
from hedgerow_node.federation.asking import Asking
from hedgerow_node.federation.collecting import Collecting
from hedgerow_node.federation.copies import Copies
from hedgerow_node.federation.drops import Drops
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.far_accounts import FarAccounts
from hedgerow_node.federation.far_delivery import FarDelivery
from hedgerow_node.federation.fetching import Fetching
from hedgerow_node.federation.holders import Holders, Pace, Whereabouts
from hedgerow_node.federation.holding import DropDesk
from hedgerow_node.federation.home import HomeDesk
from hedgerow_node.federation.hub import HubDesk
from hedgerow_node.federation.leaving import Leaving
from hedgerow_node.federation.moves import Moves
from hedgerow_node.federation.pieces import Pieces
from hedgerow_node.federation.post import Post
from hedgerow_node.federation.sending import Sending
from hedgerow_node.federation.standing import NodeStanding, kept, standings
from hedgerow_node.federation.tally import Tally
from hedgerow_node.federation.telling import Telling
from hedgerow_node.store.private import outgoing_rows, place_rows
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import sign_head
from hedgerow_protocol.delivery.values import Head, Position, RoomId
from hedgerow_protocol.federation.asks import AskRates
from hedgerow_protocol.federation.fanout_values import FANOUT_MS_DEFAULT
from hedgerow_protocol.federation.letters import (
    Acknowledge,
    Answer,
    Fetch,
    Followers,
    Forked,
    Heads,
    Letter,
    Notify,
    Request,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Entropy, Instant, Now, Timestamp

PROOFS_MAX: Final = 50
"""Proofs. Given to the keeper at once; of each hub one is enough."""

TAGS_LABEL: Final = b"hedgerow tags for other nodes v1"


def tags_of(key: SigningKey) -> bytes:
    """The secret from which other nodes are told tags instead of accounts; the same as long as the node's key."""
    return sha256(key.sign(TAGS_LABEL)).digest()


class Federation:
    """Rooms across nodes. Begin with :meth:`start`; end with :meth:`stop` before the services and the store.

    Until :meth:`start`, members' devices reach rooms of this hub, and what they send elsewhere is kept.
    """

    def __init__(
        self,
        store: PrivateStore,
        accounts: AccountService,
        delivery: DeliveryService,
        key: SigningKey,
        post: Post,
        *,
        title: str,
        entropy: Entropy,
        timestamp: Callable[[], Timestamp],
        monotonic: Callable[[], Instant],
        fanout_ms: int = FANOUT_MS_DEFAULT,
        room_bytes_max: int = limits.ROOM_LOG_BYTES_MAX,
        whereabouts: Whereabouts | None = None,
        holds_drops: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """``whereabouts``: without them, what waits for other nodes waits for a link, and is not left anywhere."""
        self._accounts = accounts
        self._delivery = delivery
        self._timestamp = timestamp
        self._database = database = store.database
        # What is told in the order of the transactions, whoever wrote them, goes one way: see happened().
        self._scribe = scribe = Scribe(database, lambda: self.happened)

        def now() -> Now:
            return Now(monotonic(), timestamp())

        def sign(room: RoomId, position: Position) -> Head:
            return sign_head(key, room, position)

        tags, rates = tags_of(key), AskRates()
        self._tally = Tally(monotonic)
        self._exchange = exchange = Exchange(post, entropy, self._take, self._tally)
        self._sending = Sending(database, scribe, exchange, now)
        self._telling = Telling(database, scribe, exchange, sign, now, fanout_ms=fanout_ms)
        self._copies = Copies(database, scribe, exchange, delivery.node, now, room_bytes_max=room_bytes_max)
        self._pieces = Pieces(database, store.blobs, delivery.blobs, monotonic)
        self._fetching = Fetching(database, scribe, store.blobs, delivery.blobs, exchange, timestamp)
        hub = HubDesk(
            database, scribe, delivery, self._telling, self._pieces, sign=sign, entropy=entropy, now=timestamp
        )
        home = HomeDesk(
            scribe,
            accounts,
            self._copies,
            rates,
            title=title,
            entropy=entropy,
            now=timestamp,
            monotonic=monotonic,
        )
        self._moves = moves = Moves(
            database,
            scribe,
            exchange,
            delivery,
            self._copies,
            self._telling,
            self._sending,
            sign=sign,
            entropy=entropy,
            now=timestamp,
            room_bytes_max=room_bytes_max,
        )
        drops = DropDesk(delivery.node, scribe, timestamp, monotonic, holds=holds_drops)
        self._answering = Answering(exchange, hub, home, (moves, drops), rates, monotonic)
        self._drops: Drops | None = None
        if whereabouts is not None:
            pace = pace or Pace()
            holders = Holders(delivery.node, exchange, whereabouts, pace, monotonic)
            leaving = Leaving(database, scribe, exchange, holders, key, sign, entropy, timestamp, pace)
            collecting = Collecting(
                database, scribe, exchange, holders, leaving, self._answering, self._copies, self._telling,
                self._take, key, timestamp, pace,
            )  # fmt: skip
            self._drops = Drops(holders, leaving, collecting)
            exchange.unsent = self._drops.unsent
        asking = Asking(scribe, self._sending, entropy)
        self.delivery = FarDelivery(delivery, self._copies, asking, self._fetching, moves, tags=tags)
        self.accounts = FarAccounts(accounts, delivery.node, self._copies, asking)
        self._known: frozenset[NodeId] = frozenset()
        self._begun = Timestamp(0)
        self._since: dict[NodeId, Timestamp] = {}
        """Since when links to nodes that share rooms are up, or have not been."""
        self._telling.changed = self._make_known
        accounts.tell = delivery.tell = self.happened

    async def start(self) -> None:
        """Go on from the rows."""
        self._begun = self._timestamp()
        await self._copies.start()
        await self._telling.start()
        await self._sending.start()
        await self._fetching.start()
        await self._moves.start()
        if self._drops is not None:
            self._drops.start()
        self._make_known()

    async def stop(self) -> None:
        """Nothing more comes or goes; the rows say where to go on."""
        await self.delivery.end()
        if self._drops is not None:
            await self._drops.stop()
        for part in (self._moves, self._answering, self._fetching, self._copies, self._sending, self._telling):
            await part.stop()

    def happened(self, happened: Happened) -> None:
        """Something is on the disk: devices hear of it first, then other nodes."""
        self.delivery.tell(happened)
        self._telling.happened(happened)
        for room, nodes in happened.fellows.items():
            self._copies.followed_anew(room, nodes)
        if happened.posted:
            self._sending.post(happened.posted)
        if happened.outgoing:
            self._sending.wake()
        if happened.outgoing or happened.moved:
            self._make_known()

    async def prune(self, now: Timestamp) -> None:
        """Answers are kept for a day, notes for a month."""
        await self._moves.prune(now)
        await drops.prune(self._scribe, now)
        await self._scribe.quietly(lambda c: outgoing_rows.forget_answers(c, now))

    # --- what the keeper sees

    async def standing(self) -> list[NodeStanding]:
        """How this node and others get on. Raises :class:`~hedgerow_node.store.errors.StoreError`."""
        found = await self._database.read(kept)
        silent = {node: since for node, since in (await self._copies.silent_hubs()).items() if self._late(since)}
        for node, (_, since) in found.waiting.items():
            if since and self._exchange.is_up(node) and self._late(since):
                silent[node] = min(since, silent.get(node, since))
        links = {node: (self._exchange.is_up(node), since) for node, since in self._since.items()}
        return standings(
            found,
            known=self._known,
            links=links,
            begun=self._begun,
            silent=silent,
            stalled=self._telling.stalled(),
            refused=self._tally.counts(),
        )

    async def proofs(self) -> list[bytes]:
        """That hubs told two stories: :mod:`hedgerow_protocol.federation.forks`. Raises :class:`StoreError`."""
        return await self._database.read(lambda c: place_rows.proofs(c, PROOFS_MAX))

    def _late(self, since: int) -> bool:
        return self._sending.is_silent(since)

    # --- what the network calls

    def came(self, peer: NodeId, letter: bytes) -> None:
        """See :class:`hedgerow_node.federation.post.LetterReceiver`."""
        self._exchange.came(peer, letter)

    def up(self, peer: NodeId) -> None:
        """See :class:`hedgerow_node.federation.post.LetterReceiver`."""
        self._since[peer] = self._timestamp()
        self._exchange.up(peer)
        self._sending.up(peer)
        self._telling.up(peer)
        self._copies.up(peer)
        self._fetching.up(peer)
        if self._drops is not None:
            self._drops.up(peer)

    def down(self, peer: NodeId) -> None:
        """See :class:`hedgerow_node.federation.post.LetterReceiver`."""
        self._since[peer] = self._timestamp()
        if peer not in self._known:
            del self._since[peer]  # nobody here will ask for how long it was away
        self._exchange.down(peer)
        self._sending.down(peer)
        self._telling.down(peer)
        self._copies.down(peer)
        self._pieces.down(peer)
        self._answering.down(peer)
        if self._drops is not None:
            self._drops.down(peer)

    # --- inside

    def _take(self, peer: NodeId, letter: Letter) -> None:
        match letter:
            case Request():
                self._answering.take(peer, letter)
            case Answer():
                self._sending.answered(peer, letter)
            case Notify() | Heads() | Followers() | Forked():
                self._copies.take(peer, letter)
            case Acknowledge():
                self._telling.acknowledged(peer, letter)
            case Fetch():
                self._telling.fetched(peer, letter)
            case _:
                pass  # of a later version

    def _make_known(self) -> None:
        known = self._telling.followers | frozenset(self._copies.hubs.values())
        if known != self._known:
            self._known = known
            self._exchange.post.known(known)
