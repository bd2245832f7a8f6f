"""The links of this node and their lives: dialled, let in, or run through a circuit, each in a task of its own."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from hedgerow_node.net import bounds
from hedgerow_node.net.announcing import relay_address
from hedgerow_node.net.circuits import CircuitPace, Circuits, CircuitTransport
from hedgerow_node.net.dialing import Dialer, DialError
from hedgerow_node.net.links import End, Link, Owner
from hedgerow_node.net.transport import Transport
from hedgerow_node.net.websocket import Attempt
from hedgerow_protocol.channel import Channel, ChannelKey, Opened
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.events import (
    CircuitWanted,
    Dial,
    DialFailed,
    Event,
    FrameIn,
    LinkDown,
    LinkId,
    LinkUp,
    Why,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import is_local, neighbourhood_of, relay_of
from hedgerow_protocol.ports import Entropy, Now

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What the gate needs from around it."""

    feed: Callable[[Event], None]
    room: Callable[[LinkId], Any]
    """Awaited before each reading of a link."""
    dropped: Callable[[LinkId], None]
    """A link is no more."""
    now: Callable[[], Now]
    entropy: Entropy
    announcement: Callable[[], bytes]
    """This node's announcement, in its envelope, as it is now."""


@dataclass(slots=True)
class Gate:
    """Owns the links."""

    key: ChannelKey
    dialer: Dialer
    lent: Lent
    links: dict[LinkId, Link] = field(default_factory=dict)
    """Open ones."""
    dialling: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Pinned addresses that could not be reached the last time, and why."""
    ended: Counter[str] = field(default_factory=Counter)
    closed: bool = False
    circuits: Circuits = field(init=False)
    _owner: Owner = field(init=False)
    _last: int = 0
    _empty: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no link is open."""
    _dials: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(bounds.DIALS_MAX))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _dialled: dict[LinkId, Dial] = field(default_factory=dict)
    _attempts: dict[LinkId, Attempt] = field(default_factory=dict)
    _relayed: set[LinkId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.circuits = Circuits(self.lent.feed)
        self._empty.set()
        self._owner = Owner(self.lent.now, self._opened, self._frame, self.lent.room)

    # --- ways in and out

    def dial(self, dial: Dial) -> None:
        """Open a link in a task of its own. A net holds back what the machine should never ask for."""
        if self.closed or self.dialling >= bounds.DIALS_WAITING_MAX:
            self.lent.feed(DialFailed(dial.address, dial.peer))
            return
        self.dialling += 1
        self._spawn(self._dial(dial), "dial")

    async def let_in(self, transport: Transport, attempt: Attempt) -> None:
        """Run the link of a WebSocket that came through the door, until its end."""
        if self.closed:
            await transport.close()
            return
        link = self._link(transport, self._accept(), outbound=False, address=attempt.visitor.address)
        self._attempts[link.number] = attempt
        await self._run(link)

    def circuit_up(self, circuit: int, relay: NodeId, peer: NodeId, *, inbound: bool) -> None:
        """A circuit is open; when somebody came to us through it, a link begins."""
        transport = self.circuits.up(circuit, relay, peer, inbound=inbound)
        if transport is not None and not self.closed:
            link = self._link(transport, self._accept(), outbound=False, address=relay_address(relay))
            self._relayed.add(link.number)
            self._spawn(self._run_circuit(link, transport), "circuit")

    def _accept(self) -> Channel:
        lent = self.lent
        return Channel.accept(self.key, lent.announcement(), entropy=lent.entropy, now=lent.now())

    def _link(
        self, transport: Transport, channel: Channel, *, outbound: bool, address: str, pinned: bool = False
    ) -> Link:
        self._last += 1
        return Link(
            number=LinkId(self._last),
            transport=transport,
            channel=channel,
            owner=self._owner,
            outbound=outbound,
            address=address,
            pinned=pinned,
            circuit_pace=CircuitPace() if isinstance(transport, CircuitTransport) else None,
        )

    def is_relayed(self, number: LinkId) -> bool:
        """Whether a link runs through another node."""
        return number in self._relayed

    # --- dialling

    async def _dial(self, dial: Dial) -> None:
        link: Link | None = None
        try:
            async with self._dials:
                link = await self._reach(dial)
        except DialError as error:
            self._dial_failed(dial, str(error))
        finally:
            self.dialling -= 1
        if link is None:
            return
        if isinstance(link.transport, CircuitTransport):
            await self._run_circuit(link, link.transport)
        else:
            await self._run(link)

    async def _reach(self, dial: Dial) -> Link:
        transport: Transport
        if relay_of(dial.address) is not None:
            transport = await self._through_relay(dial)
        else:
            # An address inside by its own words has passed the protocol's rules; a name that turns out to lead inside
            # is somebody's trick, unless the keeper chose it.
            inside = (dial.pinned or is_local(neighbourhood_of(dial.address))) and not dial.public_only
            transport = await self.dialer.connect(dial.address, inside=inside)
        try:
            channel = Channel.initiate(
                self.key,
                self.lent.announcement(),
                entropy=self.lent.entropy,
                now=self.lent.now(),
                peer_key=dial.channel_key,
                expected=dial.peer,
            )
        except RemoteError as error:
            await transport.close(politely=False)
            raise DialError("Its announcement holds no usable key.") from error
        link = self._link(transport, channel, outbound=True, address=dial.address, pinned=dial.pinned)
        self._dialled[link.number] = dial
        if isinstance(transport, CircuitTransport):
            self._relayed.add(link.number)
        return link

    async def _through_relay(self, dial: Dial) -> CircuitTransport:
        if dial.peer is None:
            raise DialError("Without knowing the node there is nobody to ask the relay for.")
        relay = relay_of(dial.address)
        waiting: asyncio.Future[CircuitTransport] = asyncio.get_running_loop().create_future()
        entry = (dial.peer, relay, waiting)
        self.circuits.wanted.append(entry)
        self.lent.feed(CircuitWanted(dial.peer, relay))
        try:
            async with asyncio.timeout(bounds.HANDSHAKE_SECONDS_MAX):
                return await waiting
        except TimeoutError:
            raise DialError("The relay did not open a circuit.") from None
        finally:
            if entry in self.circuits.wanted:
                self.circuits.wanted.remove(entry)

    def _dial_failed(self, dial: Dial, sentence: str, *, wrong_node: bool = False) -> None:
        if dial.pinned:
            self.failed[dial.address] = sentence
            LOG.info("A chosen peer could not be reached: %s", sentence)
        self.lent.feed(DialFailed(dial.address, dial.peer, wrong_node))

    # --- lives

    async def _run(self, link: Link) -> None:
        end = End.GONE
        try:
            end = await link.run()
        finally:
            self._has_ended(link, end)

    async def _run_circuit(self, link: Link, transport: CircuitTransport) -> None:
        try:
            await self._run(link)
        finally:
            self.circuits.forget(transport)

    def _opened(self, link: Link, opened: Opened) -> None:
        dial = self._dialled.get(link.number)
        attempt = self._attempts.pop(link.number, None)
        if attempt is not None:
            attempt.succeed()
        self.failed.pop(link.address, None)
        self.links[link.number] = link
        self._empty.clear()
        self.lent.feed(
            LinkUp(
                link=link.number,
                peer=opened.peer,
                outbound=link.outbound,
                address=link.address,
                binding=opened.binding,
                announcement=opened.announcement,
                pinned=link.pinned,
                relayed=link.number in self._relayed,
                why=dial.why if dial is not None else Why.KEEP,
            )
        )

    def _frame(self, link: Link, frame: bytes) -> None:
        self.lent.feed(FrameIn(link.number, frame))

    def _has_ended(self, link: Link, end: End) -> None:
        dial = self._dialled.pop(link.number, None)
        self._attempts.pop(link.number, None)
        self._relayed.discard(link.number)
        self.ended[end.value] += 1
        self.lent.dropped(link.number)
        was_open = self.links.pop(link.number, None) is not None
        if not self.links:
            self._empty.set()
        if was_open:
            self.lent.feed(LinkDown(link.number))
        elif dial is not None:
            self._dial_failed(dial, _SENTENCES.get(end, "It hung up."), wrong_node=end is End.WRONG_NODE)

    # --- tasks

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("A link's task ended with %s", type(error).__name__, exc_info=error)

    async def close(self) -> None:
        """End every link: those that are saying goodbye may finish it."""
        self.closed = True
        for link in list(self.links.values()):
            link.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(bounds.GOODBYE_SECONDS_MAX):
                await self._empty.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.dialer.close()


_SENTENCES: Final = {
    End.WRONG_NODE: "Another node answers there than the one that was expected.",
    End.LATE: "Its handshake took too long.",
    End.HANDSHAKE: "What answers there does not speak as a node does.",
}
