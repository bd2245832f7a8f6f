"""Whole letters over the post: taken apart into frames and put together again; questions that wait for an answer."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hedgerow_node.federation.post import Post
from hedgerow_node.federation.tally import Tally, Why, why_wrong
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.letters import Answer, Letter, Request, encode
from hedgerow_protocol.federation.parts import Joiner, Splitter
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, AnswerBody, RequestBody
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

LOG = logging.getLogger(__name__)

BACKLOG_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. Of letters that wait for room on one link: the largest letter, and what else goes to a node at a time."""

DRAIN_SECONDS: Final = 0.02
"""Seconds. Between two looks whether a link has room again."""

PARTS_SECONDS: Final = 600.0
"""Seconds. For which the next part of a letter is waited for: a part is 60 KiB, over the slowest link."""


@dataclass(slots=True)
class _Line:
    """What goes to one linked node."""

    splitter: Splitter = field(default_factory=Splitter)
    backlog: deque[bytes] = field(default_factory=deque)
    size: int = 0
    drain: asyncio.TimerHandle | None = None
    parts: asyncio.TimerHandle | None = None
    """Ends letters of which no further part has come."""

    def end(self) -> None:
        """Nothing goes or comes any more."""
        for each in (self.drain, self.parts):
            if each is not None:
                each.cancel()
        self.drain = self.parts = None


class Exchange:
    """Letters to and from all linked nodes. Belongs to the event loop."""

    def __init__(self, post: Post, entropy: Entropy, take: Callable[[NodeId, Letter], None], tally: Tally) -> None:
        self.post = post
        self.tally = tally
        self._entropy = entropy
        self._take = take
        self._joiner = Joiner()
        self._lines: dict[NodeId, _Line] = {}
        self._asked: dict[bytes, tuple[NodeId, asyncio.Future[AnswerBody]]] = {}
        self.unsent: Callable[[NodeId, Letter | bytes], None] = lambda to, letter: None
        """Called with what could not be sent because there is no link."""

    def is_up(self, node: NodeId) -> bool:
        """Whether letters can go there now."""
        return node in self._lines

    @property
    def linked(self) -> list[NodeId]:
        """The nodes to which letters can go now."""
        return list(self._lines)

    def send(self, to: NodeId, letter: Letter | bytes) -> bool:
        """Send a letter, if there is a link with room. It may still be lost with its link."""
        line = self._lines.get(to)
        if line is None:
            self.unsent(to, letter)
            return False
        if line.size > BACKLOG_BYTES_MAX:
            return False
        frames = line.splitter.frames(letter if isinstance(letter, bytes) else encode(letter))
        for at, frame in enumerate(frames):
            if line.backlog or not self.post.send(to, frame):
                self._keep(to, line, frames[at:])
                break
        return True

    def _keep(self, to: NodeId, line: _Line, frames: list[bytes]) -> None:
        line.backlog += frames
        line.size += sum(map(len, frames))
        if line.drain is None:
            line.drain = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._drain, to, line)

    def _drain(self, to: NodeId, line: _Line) -> None:
        line.drain = None
        while line.backlog and self.post.send(to, line.backlog[0]):
            line.size -= len(line.backlog.popleft())
        if line.backlog and self._lines.get(to) is line:
            line.drain = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._drain, to, line)

    async def ask(self, to: NodeId, body: RequestBody, seconds: float) -> AnswerBody | None:
        """Ask something that is not worth the disk; ``None`` when no answer came."""
        request = Request(self._entropy(REQUEST_ID_BYTES), body)
        future: asyncio.Future[AnswerBody] = asyncio.get_running_loop().create_future()
        self._asked[request.id] = (to, future)
        try:
            if not self.send(to, request):
                return None
            async with asyncio.timeout(seconds):
                return await future
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._asked[request.id]

    # --- what the network calls

    def came(self, peer: NodeId, frame: bytes) -> None:
        """A frame of a letter."""
        try:
            letter = self._joiner.came(peer, frame)
        except RemoteError as error:
            LOG.debug("A letter of another node was not understood: %s", error.code)
            self.tally.count(peer, why_wrong(error.code))
            return
        if letter is None:
            self._await_parts(peer)
            return
        if isinstance(letter, Answer):
            asked = self._asked.get(letter.id)
            if asked is not None:
                if asked[0] == peer and not asked[1].done():
                    asked[1].set_result(letter.body)
                return
        self._take(peer, letter)

    def _await_parts(self, peer: NodeId) -> None:
        """What is begun in parts is held as long as more of it comes."""
        line = self._lines.get(peer)
        if line is None:
            return
        if line.parts is not None:
            line.parts.cancel()
        line.parts = asyncio.get_running_loop().call_later(PARTS_SECONDS, self._give_up_parts, peer, line)

    def _give_up_parts(self, peer: NodeId, line: _Line) -> None:
        line.parts = None
        if self._lines.get(peer) is line and self._joiner.let_go(peer):
            self.tally.count(peer, Why.UNFINISHED)

    def up(self, peer: NodeId) -> None:
        """A link is open."""
        self._lines[peer] = _Line()

    def down(self, peer: NodeId) -> None:
        """It has ended."""
        line = self._lines.pop(peer, None)
        if line is not None:
            line.end()
        self._joiner.down(peer)
        for node, future in self._asked.values():
            if node == peer and not future.done():
                future.set_exception(ConnectionError())
