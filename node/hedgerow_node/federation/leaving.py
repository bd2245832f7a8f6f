"""Leaving drops: what has waited long for a node that cannot be met is left where that node will come by."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from typing import Final

from hedgerow_node.federation.exchange import Exchange
from hedgerow_node.federation.holders import Holders, Pace
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Database
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import drop_rows
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol import limits, wire
from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.federation.drops import (
    LETTER_MORE_BYTES,
    LETTERS_BYTES_MAX,
    SEED_BYTES,
    may_be_in_drop,
    seal_drop,
)
from hedgerow_protocol.federation.letters import Acknowledge, Answer, Fetch, Letter, encode
from hedgerow_protocol.federation.values import Busy, Done, DropLeft
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Entropy, Timestamp

LOG = logging.getLogger(__name__)

HOLDERS_USED: Final = 2
"""Nodes. At which one drop is left: one of them may be gone when it is fetched."""

AT_A_TIME_MAX: Final = 4
"""Nodes. For which drops are being left at a time; each may take a MiB of memory and a minute to reach its holder."""

REPLIES_NODES_MAX: Final = 256
"""Nodes. Whose drops were opened, and for which answers are remembered until they are left somewhere; who asked asks
again in the end."""

REPLIES_BYTES_MAX: Final = 128 * 1024
"""Bytes. Of answers that are remembered for one node."""


@dataclass(slots=True)
class _Away:
    """What this node has to say to one that is not there and that is not on the disk."""

    since: Timestamp
    replies: dict[tuple[str, bytes], bytes] = field(default_factory=dict)
    """Encoded letters; of several about the same, the last."""
    size: int = 0


class Leaving:
    """Leaves drops. Belongs to the event loop."""

    def __init__(
        self,
        database: Database,
        scribe: Scribe,
        exchange: Exchange,
        holders: Holders,
        key: SigningKey,
        sign: Sign,
        entropy: Entropy,
        now: Callable[[], Timestamp],
        pace: Pace,
    ) -> None:
        self._database = database
        self._scribe = scribe
        self._exchange = exchange
        self._holders = holders
        self._key = key
        self._sign = sign
        self._entropy = entropy
        self._now = now
        self._pace = pace
        self._away: dict[NodeId, _Away] = {}
        self._by_drop: dict[NodeId, None] = {}
        """Nodes from which a drop came since there was a link to them, the latest last."""
        self._parted: dict[NodeId, Timestamp] = {}
        """When links ended, as long as that matters."""
        self._busy: dict[NodeId, asyncio.Lock] = {}
        self._few = asyncio.Semaphore(AT_A_TIME_MAX)
        self._tasks = Tasks("leaving drops")

    def start(self) -> None:
        """Look now and then whether something waits."""
        self._tasks.spawn(self._look_forever())

    async def stop(self) -> None:
        """Leave nothing more."""
        await self._tasks.stop()

    def up(self, node: NodeId) -> None:
        """A link is open: what is to be said goes by it, and what could not be answered is asked again."""
        self._away.pop(node, None)
        self._by_drop.pop(node, None)
        self._parted.pop(node, None)

    def down(self, node: NodeId) -> None:
        """It has ended: perhaps the next one is there in a moment."""
        self._parted[node] = self._now()

    def unsent(self, to: NodeId, letter: Letter | bytes) -> None:
        """There is no link for this. Requests and entries are on the disk; what answers a drop is remembered here.

        Who asked over a link that has ended asks again: nothing is remembered for that.
        """
        if to not in self._by_drop:
            return
        match letter:
            case Answer(id, body) if not isinstance(body, Busy) and may_be_in_drop(letter):
                self._remember(to, ("answer", id), encode(letter))
            case Acknowledge(room) | Fetch(room):
                self._remember(to, ("room", room), encode(letter))

    def came_by_drop(self, node: NodeId) -> None:
        """A drop of this node was opened, and there is no link to it."""
        self._by_drop.pop(node, None)
        self._by_drop[node] = None
        while len(self._by_drop) > REPLIES_NODES_MAX:
            oldest = next(iter(self._by_drop))
            del self._by_drop[oldest]
            self._away.pop(oldest, None)

    def owes(self, node: NodeId) -> bool:
        """Whether there is an answer for this node."""
        return node in self._away

    async def leave(self, node: NodeId, *, at_once: bool = False) -> bool:
        """Leave what waits for a node, unless that was done already; ``False`` when nobody could keep it.

        ``at_once``: however short a time ago something was left for it.
        """
        lock = self._busy.setdefault(node, asyncio.Lock())
        try:
            async with lock, self._few:
                return await self._leave(node, at_once)
        finally:
            if not lock.locked():
                self._busy.pop(node, None)

    # --- inside

    def _remember(self, to: NodeId, about: tuple[str, bytes], letter: bytes) -> None:
        away = self._away.get(to)
        if away is None:
            away = self._away[to] = _Away(self._now())
        away.size += len(letter) - len(away.replies.pop(about, b""))
        away.replies[about] = letter
        while away.size > REPLIES_BYTES_MAX and len(away.replies) > 1:
            away.size -= len(away.replies.pop(next(iter(away.replies))))

    async def _look_forever(self) -> None:
        while True:
            await asyncio.sleep(self._pace.look)
            try:
                waiting = await self._database.read(drop_rows.waiting)
            except StoreError:
                LOG.warning("What waits for other nodes could not be read; it is tried again")
                continue
            for node, away in self._away.items():
                waiting[node] = min(away.since, waiting.get(node, away.since))
            oldest = self._now() - self._pace.after
            self._parted = {node: when for node, when in self._parted.items() if when > oldest}
            late = [node for node, since in waiting.items() if self._is_late(node, since)]
            await asyncio.gather(*(self._leave_quietly(node) for node in late))

    def _is_late(self, node: NodeId, since: int) -> bool:
        since = max(since, self._parted.get(node, since))
        return not self._exchange.is_up(node) and self._now() - since >= self._patience(node)

    def _patience(self, node: NodeId) -> float:
        return self._pace.soon if node in self._by_drop else self._pace.after

    async def _leave_quietly(self, node: NodeId) -> None:
        try:
            await self.leave(node)
        except StoreError:
            LOG.warning("What waits for another node could not be left anywhere; it is tried again")
        except Exception:
            # A mistake of ours in what is for one node: the others have their turn all the same.
            LOG.exception("What waits for another node could not be made a drop")

    async def _leave(self, node: NodeId, at_once: bool) -> bool:
        last = await self._database.read(lambda c: drop_rows.left_for(c, node))
        ago = inf if last is None else self._now() - last.time
        if ago < self._patience(node) and not at_once:
            return True
        away = self._away.get(node)
        replies = dict(away.replies) if away is not None else {}
        letters, digest = await self._letters(node, list(replies.values()))
        if not letters:
            return True
        if last is not None and last.digest == digest and not replies and ago < self._pace.again:
            return True
        holders = await self._holders.of(node)
        if self._exchange.is_up(node) or not holders:
            return self._exchange.is_up(node)
        try:
            sealed = seal_drop(self._key, node, letters, self._now(), self._entropy(SEED_BYTES))
        except (RemoteError, LocalError) as error:
            LOG.warning("What waits for another node could not be sealed: %s", error)
            return False
        if not await self._give(holders, DropLeft(node, sealed)):
            return False
        await self._scribe.quietly(lambda c: drop_rows.has_left(c, node, digest, self._now()))
        self._forget(node, replies)
        return True

    async def _letters(self, node: NodeId, replies: list[bytes]) -> tuple[tuple[bytes, ...], bytes]:
        """What is to be said, and the digest of that part of it that goes again until it is answered."""
        replies = replies[: limits.DROP_LETTERS_MAX // 2]
        budget = LETTERS_BYTES_MAX - sum(len(each) + LETTER_MORE_BYTES for each in replies)
        many = limits.DROP_LETTERS_MAX - len(replies)
        waiting = await self._database.read(lambda c: drop_rows.letters_for(c, node, budget, many, self._sign))
        return (*replies, *waiting), sha256(wire.encode(tuple(waiting))).digest()

    async def _give(self, holders: list[NodeId], drop: DropLeft) -> int:
        """Leave it at the first ones that take it; how many did."""
        kept = 0
        for holder in holders:
            kept += isinstance(await self._holders.ask(holder, drop), Done)
            if kept == HOLDERS_USED:
                break
        return kept

    def _forget(self, node: NodeId, replies: dict[tuple[str, bytes], bytes]) -> None:
        away = self._away.get(node)
        if away is None:
            return
        for about, letter in replies.items():
            if away.replies.get(about) == letter:
                away.size -= len(away.replies.pop(about))
        if not away.replies:
            del self._away[node]
