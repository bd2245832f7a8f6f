"""Hubs that tell two stories: followers compare heads, keep the proof, and pass it on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from hedgerow_node.federation.crank import Crank
from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.tally import Why, why_wrong
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import place_rows
from hedgerow_node.store.private.mirror_rows import Copy
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.comparing import (
    Advanced,
    Comparing,
    Event,
    Fellows,
    HeardAhead,
    Left,
    Output,
    ShowHead,
)
from hedgerow_protocol.federation.events import Connected, Disconnected, Want
from hedgerow_protocol.federation.forks import OwnEntries, Proof
from hedgerow_protocol.federation.letters import Forked, Heads
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Now

LOG = logging.getLogger(__name__)

PROOFS_OF_PEER_MAX: Final = 2
"""Proofs. Of one node that are being checked at a time: each takes some ten milliseconds."""


class Liars:
    """Turns the machine that compares heads. ``forget``: a copy is not to be remembered as it was."""

    def __init__(
        self,
        scribe: Scribe,
        exchange: Exchange,
        tasks: Tasks,
        this: NodeId,
        now: Callable[[], Now],
        copy_of: Callable[[RoomId], Awaitable[Copy | None]],
        forget: Callable[[RoomId], None],
    ) -> None:
        self._scribe = scribe
        self._exchange = exchange
        self._tasks = tasks
        self._copy_of = copy_of
        self._forget = forget
        self._crank: Crank[Event, Output] = Crank(Comparing(this), self._act, now)
        self._now = now
        self._proofs: dict[NodeId, int] = {}
        self._ahead: dict[RoomId, tuple[int, int]] = {}
        """The highest seq that another follower showed signed, while it is not here, and since when it is not."""

    def begin(self, room: RoomId, seq: int, fellows: Sequence[NodeId]) -> None:
        """A copy that is there when this node starts."""
        self.fellows(room, fellows)
        self.advanced(room, seq)

    def start(self) -> None:
        """Compare from now on."""
        self._crank.start()

    def stop(self) -> None:
        """Compare no more."""
        self._crank.stop()

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._crank.feed(Connected(node))

    def down(self, node: NodeId) -> None:
        """It has ended."""
        self._crank.feed(Disconnected(node))

    def fellows(self, room: RoomId, nodes: Sequence[NodeId], *, anew: bool = False) -> None:
        """Who else follows a room; ``anew``: the hub has just answered that this node does."""
        self._crank.feed(Fellows(room, tuple(nodes), anew))

    def advanced(self, room: RoomId, seq: int) -> None:
        """A copy has grown."""
        if room in self._ahead and seq >= self._ahead[room][0]:
            del self._ahead[room]
        self._crank.feed(Advanced(room, seq))

    def left(self, room: RoomId) -> None:
        """Its hub is another one now."""
        self._ahead.pop(room, None)
        self._crank.feed(Left(room))

    async def compared(self, peer: NodeId, copy: Copy, letter: Heads, entries: OwnEntries) -> None:
        """Another node shows a head of a room. Raises :class:`RemoteError`."""
        proof = await asyncio.to_thread(forks.compare, copy.hub, letter.room, copy.head, letter.head, entries)
        if proof is not None:
            await self.keep(copy, proof)
        elif (seq := letter.head.position.seq) > copy.head.position.seq:
            known, since = self._ahead.get(letter.room, (0, int(self._now().timestamp)))
            self._ahead[letter.room] = (max(seq, known), since)
            self._crank.feed(HeardAhead(letter.room, peer))

    def ahead_since(self, room: RoomId) -> int | None:
        """Since when another follower has more of a room; ``None`` when nobody has, as far as this node knows."""
        found = self._ahead.get(room)
        return found[1] if found is not None else None

    def all_ahead(self) -> list[tuple[RoomId, int]]:
        """Rooms of which others have more, and since when."""
        return [(room, since) for room, (_, since) in self._ahead.items()]

    async def keep(self, copy: Copy, proof: Proof) -> None:
        """Keep a proof that was checked. Others that follow the room are given it, too."""
        LOG.warning("The hub of a room told two stories; the proof is kept, and nothing more is taken from it")
        fellows = await self._scribe.quietly(partial(_keep, copy, proof))
        self._forget(proof.room)
        self._ahead.pop(proof.room, None)
        self._crank.feed(Left(proof.room))
        letter = Forked(forks.encode(proof))
        for node in fellows:
            self._exchange.send(node, letter)

    def forked(self, peer: NodeId, letter: Forked, hubs: Mapping[RoomId, NodeId]) -> None:
        """Another node sends a proof."""
        if self._proofs.get(peer, 0) < PROOFS_OF_PEER_MAX:
            self._proofs[peer] = self._proofs.get(peer, 0) + 1
            self._tasks.spawn(self._check(peer, letter, dict(hubs)))
        else:
            self._exchange.tally.count(peer, Why.PACE)

    # --- inside

    async def _check(self, peer: NodeId, letter: Forked, hubs: Mapping[RoomId, NodeId]) -> None:
        try:
            proof = await asyncio.to_thread(_proof_in, letter, hubs)
            copy = await self._copy_of(proof.room) if proof is not None else None
            if proof is None:
                self._exchange.tally.count(peer, Why.FORGED)
            if proof is not None and copy is not None and not copy.faulty and copy.hub == proof.hub:
                await self.keep(copy, proof)
        except RemoteError as error:
            LOG.debug("A proof of another node could not be read: %s", error.code)
            self._exchange.tally.count(peer, why_wrong(error.code))
        except StoreError as error:
            LOG.warning("A proof of another node could not be kept: %s", type(error).__name__)
        finally:
            self._proofs[peer] -= 1
            if not self._proofs[peer]:
                del self._proofs[peer]

    def _act(self, output: Output) -> None:
        match output:
            case ShowHead(room, node):
                self._tasks.spawn(self._show(room, node))
            case Want(node):
                self._exchange.post.want(node)

    async def _show(self, room: RoomId, node: NodeId) -> None:
        try:
            copy = await self._copy_of(room)
        except StoreError:
            return  # it has its turn again
        if copy is not None and copy.head.position.seq:
            self._exchange.send(node, Heads(room, copy.head))


def _keep(copy: Copy, proof: Proof, connection: Connection) -> list[NodeId]:
    place_rows.keep_fork(connection, copy.row, proof)
    return place_rows.fellows_of(connection, copy.row)


def _proof_in(letter: Forked, hubs: Mapping[RoomId, NodeId]) -> Proof | None:
    """A proof that concerns this node and holds. Raises :class:`RemoteError`."""
    proof = forks.decode(letter.proof)
    return proof if hubs.get(proof.room) == proof.hub and forks.proves(proof) else None
