"""The hub's side of following: what stands in the logs of this hub's rooms is told to the nodes that follow them."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from hedgerow_node.federation.crank import Crank
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.tally import Why
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import follower_rows
from hedgerow_node.store.private.follower_rows import Following, Told
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.events import Connected, Disconnected, Want
from hedgerow_protocol.federation.fanout import Fanout
from hedgerow_protocol.federation.fanout_values import (
    Acknowledged,
    Event,
    Fetched,
    Followed,
    Grown,
    Limited,
    Output,
    Read,
    Sent,
    Stalled,
    Unfollowed,
)
from hedgerow_protocol.federation.letters import Acknowledge, Fetch, Followers, Notify
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Now

LOG = logging.getLogger(__name__)

ACKNOWLEDGE_SECONDS: Final = 0.2
"""Seconds. For which acknowledgements of followers are gathered into one write: they come after each notify."""


class Telling:
    """Turns the fan-out machine."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        exchange: Exchange,
        sign: Sign,
        now: Callable[[], Now],
        *,
        fanout_ms: int,
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._sign = sign
        self._machine = Fanout(fanout_ms)
        self._crank: Crank[Event, Output] = Crank(self._machine, self._act, now)
        self.changed: Callable[[], None] = lambda: None
        """Called when another node follows for the first time."""
        self._followed: dict[RoomId, set[NodeId]] = {}
        self._acknowledged: dict[tuple[NodeId, RoomId], int] = {}
        self._writing: asyncio.TimerHandle | None = None
        self._tasks = Tasks("telling followers")

    async def start(self) -> None:
        """Go on from what followers have acknowledged."""
        for each in await self._database.read(follower_rows.all_followings):
            self._begin(each)
        self._crank.start()

    async def stop(self) -> None:
        """Tell no more; write what was acknowledged."""
        self._crank.stop()
        if self._writing is not None:
            self._writing.cancel()
        await self._tasks.stop()
        await self._write_acknowledged()

    @property
    def followers(self) -> frozenset[NodeId]:
        """All nodes that follow a room of this hub."""
        return frozenset().union(*self._followed.values())

    def stalled(self) -> frozenset[NodeId]:
        """Followers that were told something and have not acknowledged it for a minute."""
        return frozenset(node for _, node in self._machine.stalled())

    def happened(self, happened: Happened) -> None:
        """Something was written here."""
        for room, seq in happened.heads.items():
            if room in self._followed:
                self._crank.feed(Grown(room, seq))
        for node, room, end in happened.limited:
            self._crank.feed(Limited(room, node, end))

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._crank.feed(Connected(node))
        for room, nodes in self._followed.items():
            if node in nodes:
                self._tell_fellows(room, [node])

    def down(self, node: NodeId) -> None:
        """It has ended."""
        self._crank.feed(Disconnected(node))

    def follow(self, following: Following) -> tuple[NodeId, ...]:
        """A node begins, or begins anew; the others that follow this room."""
        new = following.node not in self._followed.get(following.room, ())
        self._begin(following)
        nodes = self._followed[following.room]
        if new:
            self._tell_fellows(following.room, nodes - {following.node})
        return self._fellows_of(following.room, following.node)

    def resume(self, following: Following) -> None:
        """What this follower has was found out without a link to it."""
        self._begin(following)

    def end(self, room: RoomId) -> None:
        """This node orders the room no longer."""
        for node in self._followed.pop(room, ()):
            self._crank.feed(Unfollowed(room, node))

    def acknowledged(self, peer: NodeId, letter: Acknowledge) -> None:
        """A follower has everything up to there on its disk."""
        if peer not in self._followed.get(letter.room, ()):
            self._exchange.tally.count(peer, Why.NOT_THEIRS)
            return
        self._crank.feed(Acknowledged(letter.room, peer, letter.seq))
        key = (peer, letter.room)
        self._acknowledged[key] = max(letter.seq, self._acknowledged.get(key, 0))
        if self._writing is None:
            loop = asyncio.get_running_loop()
            self._writing = loop.call_later(ACKNOWLEDGE_SECONDS, lambda: self._tasks.spawn(self._write_acknowledged()))

    def fetched(self, peer: NodeId, letter: Fetch) -> None:
        """A follower wants something once more."""
        if peer in self._followed.get(letter.room, ()):
            self._crank.feed(Fetched(letter.room, peer, letter.after))
        else:
            self._exchange.tally.count(peer, Why.NOT_THEIRS)

    # --- inside

    def _begin(self, each: Following) -> None:
        nodes = self._followed.setdefault(each.room, set())
        if each.node not in nodes:
            nodes.add(each.node)
            self.changed()
        self._crank.feed(Followed(each.room, each.node, each.acknowledged, each.newest, each.end))

    def _fellows_of(self, room: RoomId, node: NodeId) -> tuple[NodeId, ...]:
        return tuple(sorted(self._followed[room] - {node}))[: limits.FOLLOWERS_TOLD_MAX]

    def _tell_fellows(self, room: RoomId, nodes: Iterable[NodeId]) -> None:
        for node in nodes:
            if self._exchange.is_up(node):
                self._exchange.send(node, Followers(room, self._fellows_of(room, node)))

    def _act(self, output: Output) -> None:
        match output:
            case Read():
                self._tasks.spawn(self._read(output))
            case Want(node):
                self._exchange.post.want(node)
            case Stalled():
                LOG.warning("Another node takes what it is told about a room, and does not say that it has it")

    async def _read(self, read: Read) -> None:
        seq, size = read.after, 0
        try:
            told = await self._database.read(partial(_told, read))
        except (StoreError, Refused):
            told = None
        if told is not None:
            head = self._sign(read.room, told.position)
            more = told.position.seq < told.end
            notify = Notify(read.room, head, told.before, tuple(told.entries), more)
            if self._exchange.send(read.node, notify) and told.entries:
                seq = told.position.seq
                size = sum(len(each.payload) for each in told.entries if each.payload is not None)
        self._crank.feed(Sent(read.number, seq, size))

    async def _write_acknowledged(self) -> None:
        self._writing = None
        gathered, self._acknowledged = self._acknowledged, {}
        if not gathered:
            return
        rows = [(node, room, seq) for (node, room), seq in gathered.items()]
        try:
            await self._scribe.quietly(lambda c: follower_rows.acknowledge(c, rows))
        except StoreError:
            LOG.warning("What other nodes have acknowledged could not be written; they are told some of it again")


def _told(read: Read, connection: Connection) -> Told:
    # With no entries to be read it is said where the log stands.
    return follower_rows.entries_for(connection, read.node, read.room, read.after, read.limit, read.size)
