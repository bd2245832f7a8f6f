"""The network: owns the machine, gives it events, does what it puts out.

Everything happens in the event loop, one event at a time; what takes long (the disk, names, sockets) is done by tasks
that come back with another event. So the order of things is the order of one line.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, assert_never

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.bundle import NOT_BUILT, Bundle
from hedgerow_node.config import Config
from hedgerow_node.directory.service import Directory
from hedgerow_node.federation.post import LetterReceiver
from hedgerow_node.net.announcing import Announced, Announcer, channel_key
from hedgerow_node.net.chores import ANNOUNCE_SECONDS, REACHABLE_SECONDS, SAVE_SECONDS, Chore, Hours, repeat, report
from hedgerow_node.net.dialing import Dialer
from hedgerow_node.net.engine import Engine
from hedgerow_node.net.gate import Gate, Lent
from hedgerow_node.net.judging import Judging
from hedgerow_node.net.lan import Lan
from hedgerow_node.net.posting import Posting
from hedgerow_node.net.records import DirectoryRecords
from hedgerow_node.net.remembering import Memory
from hedgerow_node.net.status import NOTICES, NetworkStatus, status_of
from hedgerow_node.net.traffic import records_of
from hedgerow_node.net.websocket import PeerDoor, Visitor
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.live import LiveChange
from hedgerow_protocol.budget import account_of
from hedgerow_protocol.errors import Code
from hedgerow_protocol.gossip import events
from hedgerow_protocol.gossip.events import Event, Fetch, Fetched, Judge, Judged, LinkId, Notice, Output, Standing
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.known_addresses import same_form
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Now, Timestamp

LOG = logging.getLogger(__name__)

LIVE_CHUNK: Final = 128
"""Items of the live set given to the machine in one event: two to four milliseconds of work."""

PUBLISHED_CHUNK: Final = 64
"""Envelopes of our own in one event."""


def now() -> Now:
    """This moment on both clocks."""
    return Now(clock.monotonic(), clock.now())


@dataclass(slots=True)
class Network:
    """One node's part in the network. Make it, hand :attr:`door` to the street door, then use it as a context manager.

    ``visitor_of`` tells who sent a request, by the street door's rules about proxies.
    """

    config: Config
    directory: Directory
    key: SigningKey
    visitor_of: Callable[[web.Request], Visitor]
    dialer: Dialer | None = None
    bundle: Bundle = NOT_BUILT
    """What this node serves to browsers: told to peers, and compared with what they say of theirs."""
    moment: Callable[[], Now] = now
    """The clocks that links and the machine go by; a bench lends quicker ones."""
    letters: LetterReceiver | None = None
    """Who reads letters here; to be lent before the start. Without it this node takes none, and tells its peers so."""
    post: Posting = field(init=False)
    """The way to send letters."""
    door: PeerDoor = field(init=False)
    gate: Gate = field(init=False)
    announcer: Announcer = field(init=False)
    judging: Judging = field(init=False)
    lan: Lan | None = None
    chosen: tuple[str, ...] = ()
    tried: dict[str, bool] = field(default_factory=dict)
    notices: dict[Notice, int] = field(default_factory=dict)
    refused: Counter[Code] = field(default_factory=Counter)
    """Records refused since the start, by reason."""
    _refused_lately: Counter[Code] = field(default_factory=Counter)
    _machine: Gossip | None = None
    _engine: Engine = field(init=False)
    _memory: Memory = field(init=False)
    _hours: Hours = field(init=False)
    _settings: Settings = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _started: bool = False
    _stopped: bool = False

    def __post_init__(self) -> None:
        config, channel = self.config, channel_key(self.key)
        self._settings = Settings(
            config.records_max, config.relay, onion=bool(config.tor_proxy), also=self.bundle.features
        )
        self.chosen = config.peers
        self._memory = Memory(self.directory)
        self._engine = Engine(self._act, self.moment)
        self.announcer = Announcer(
            key=self.key,
            channel=channel,
            features=self._settings.features,
            announce=config.announce,
            onion=config.onion,
        )
        self.judging = Judging(
            records=DirectoryRecords(self.directory, self._account_of), answer=self._answer, fail=self._drop
        )
        dialer = self.dialer or Dialer(tor_proxy=config.tor_proxy)
        lent = Lent(
            feed=self._engine.feed,
            room=self._room,
            dropped=self.judging.drop,
            now=self.moment,
            entropy=clock.entropy,
            announcement=self._announcement,
        )
        self.gate = Gate(channel, dialer, lent)
        self.post = Posting(self._engine.feed, self.gate.links)
        self.door = PeerDoor(self.gate.let_in, self.visitor_of, clock.monotonic, closed=True)

    # --- beginning and end

    async def start(self) -> None:
        """Read what is remembered; the rest begins in the background, so that pages need not wait for it."""
        if self._started:
            return
        self._started = True
        moment = self.moment()
        self.post.receiver = self.letters
        self._settings = replace(self._settings, rooms=self.letters is not None)
        self.announcer.features = self._settings.features
        machine = self._machine = await self._memory.wake(self.key, self._settings, moment)
        self.announcer.last_seq, self.announcer.told = await self._memory.last_announced()
        self._announce()
        self._engine.feed(events.NodesBlocked(await self._memory.blocked()))
        self._engine.feed(events.PeersChosen(self.chosen))
        self._engine.feed(events.RelaysWanted(self.announcer.wants_relays))
        if self.announcer.claimed:
            self._engine.feed(events.Reachable(self.announcer.claimed))
        self.directory.on_live_change(self._live_changed)
        self._spawn(self._begin(machine), "begin")

    async def _begin(self, machine: Gossip) -> None:
        """Give the machine the live set (a second and a half for 100,000 records), then dial and let in."""
        items, hour = await self.directory.live_items(clock.now())
        # Until the engine starts, events only queue: nobody but this thread touches the machine.
        await asyncio.to_thread(machine.state.live.load, items)
        self._hours = Hours(clock.now, self._turn_hour, hour)
        self.door.closed = False
        self._engine.start(machine)
        self._spawn(self.judging.run(), "judging")
        self._spawn(self._hours.run(), "hours")
        self._spawn(repeat(Chore("save", SAVE_SECONDS, self._save)), "save")
        self._spawn(repeat(Chore("announce", ANNOUNCE_SECONDS, self._announce_if_due)), "announce")
        self._spawn(repeat(Chore("reachable", REACHABLE_SECONDS, self._test_addresses)), "reachable")

    async def listening(self, port: int) -> None:
        """The street door is open at this port: look around on the local network, if that was chosen."""
        if not self.config.lan or self._stopped:
            return
        self.lan = Lan(
            host=self.config.host,
            port=port,
            prefix=self.config.path_prefix,
            entropy=clock.entropy,
            found=lambda address: self._engine.feed(events.PeerFound(address)),
        )
        await self.lan.start()

    async def stop(self) -> None:
        """Say goodbye, save, let everything go. Idempotent; to be called before the store closes."""
        if self._stopped or not self._started:
            return
        self._stopped = True
        self.door.closed = True
        if self.lan is not None:
            await self.lan.stop()
        self._engine.feed(events.Leave())
        await self.gate.close()
        await self.door.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._engine.stop()
        try:
            await self._save()
        except StoreError as error:
            LOG.warning("The address book could not be saved: %s", error)

    async def __aenter__(self) -> "Network":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"network-{name}")
        task.add_done_callback(report)
        task.add_done_callback(self._tasks.discard)
        self._tasks.add(task)

    # --- what the node tells the network

    def feed(self, event: Event) -> None:
        """Give the machine an event; only from the event loop."""
        self._engine.feed(event)

    def publish(self, envelopes: Iterable[tuple[RecordId, bytes]]) -> None:
        """This node has made or imported these records, and they are on the disk: tell the others."""
        several = tuple(envelopes)
        for start in range(0, len(several), PUBLISHED_CHUNK):
            self._engine.feed(events.Published(several[start : start + PUBLISHED_CHUNK]))

    def choose(self, addresses: Iterable[str]) -> None:
        """The keeper's peers, all of them; takes effect at once."""
        self.chosen = tuple(dict.fromkeys(addresses))
        for gone in set(self.gate.failed) - {same_form(each) for each in self.chosen}:
            del self.gate.failed[gone]
        self._engine.feed(events.PeersChosen(self.chosen))

    async def blocks_changed(self) -> None:
        """The keeper's list of blocked nodes is another one."""
        self._engine.feed(events.NodesBlocked(await self._memory.blocked()))

    def _live_changed(self, change: LiveChange) -> None:
        added, removed = change.added, change.removed
        for start in range(0, max(len(added), len(removed)), LIVE_CHUNK):
            end = start + LIVE_CHUNK
            self._engine.feed(events.LiveChanged(added[start:end], removed[start:end]))

    # --- what the machine puts out

    def _act(self, output: Output) -> None:
        match output:
            case events.Send(link=number, frame=frame):
                if (link := self.gate.links.get(number)) is None:
                    return
                if output.letter:
                    self.post.sent(output, link)
                else:
                    link.traffic.records_out += records_of(frame)
                    link.send(frame)
            case events.Close(link=number):
                if (link := self.gate.links.get(number)) is not None:
                    link.close()
            case events.Judge(link=number):
                if (link := self.gate.links.get(number)) is not None:
                    link.traffic.records_in += len(output.envelopes)
                self.judging.put(output)
            case events.Fetch():
                self.judging.put(output)
            case events.Dial():
                self.gate.dial(output)
            case events.Verified(address=address, reached=reached):
                self._tried(address, reached=reached)
            case events.CircuitUp(circuit=circuit, relay=through, peer=peer, inbound=inbound):
                self.gate.circuit_up(circuit, through, peer, inbound=inbound)
            case events.CircuitIn(circuit=circuit, payload=payload):
                self.gate.circuits.came(circuit, payload)
            case events.CircuitDown(circuit=circuit):
                self.gate.circuits.down(circuit)
            case events.CircuitFailed(target=target, relay=relay):
                self.gate.circuits.failed(target, relay)
            case events.RelaysChanged(relays=relays):
                self.announcer.relays = relays
                self._announce()
            case events.PeerUp() | events.PeerDown() | events.LetterIn():
                self.post.told(output)
            case events.AnnouncementSought(peer=peer):
                self._spawn(self._seek(peer), "seeking")
            case events.Tell(notice=notice, value=value):
                self._tell(notice, value)
            case _:
                assert_never(output)

    def _tried(self, address: str, *, reached: bool) -> None:
        if address not in self.announcer.claimed:
            return
        self.tried[address] = reached
        self.announcer.reached(address, reached=reached)
        self._engine.feed(events.RelaysWanted(self.announcer.wants_relays))
        self._announce()

    def _tell(self, notice: Notice, value: int) -> None:
        self.notices[notice] = value
        if value:
            LOG.warning(NOTICES[notice], value)

    def _answer(self, question: Judge | Fetch, answer: Judged | Fetched) -> None:
        link = self.gate.links.get(question.link)
        match answer:
            case Judged(verdicts=verdicts):
                for verdict in verdicts:
                    if verdict.standing is Standing.REFUSED and verdict.code is not None:
                        self.refused[verdict.code] += 1
                        self._refused_lately[verdict.code] += 1
                    elif verdict.standing is Standing.STORED and link is not None:
                        link.traffic.records_new += 1
            case Fetched():
                pass
            case _:
                assert_never(answer)
        self._engine.feed(answer)

    def _drop(self, number: LinkId) -> None:
        if (link := self.gate.links.get(number)) is not None:
            link.close()

    def _account_of(self, number: LinkId, peer: NodeId) -> bytes:
        link = self.gate.links.get(number)
        place = neighbourhood_of(link.address if link is not None else "")
        return account_of(place, peer, pinned=link is not None and link.pinned).key

    async def _room(self, number: LinkId) -> None:
        await self._engine.room()
        await self.judging.room(number)

    # --- chores

    def _announcement(self) -> bytes:
        self._announce()
        current = self.announcer.current
        if current is None:
            raise RuntimeError("The network has not started.")
        return current.envelope

    def _announce(self) -> None:
        fresh = self.announcer.renew(clock.now())
        if fresh is not None:
            self._engine.feed(events.Announced(fresh.rid, fresh.envelope, fresh.gossiped))
            if fresh.gossiped and not self._stopped:
                self._spawn(self._tell_announcement(fresh), "announcing")

    async def _tell_announcement(self, fresh: Announced) -> None:
        """Take our own announcement in like any other record: so it is gossiped, reconciled, and found here too."""
        try:
            await self.directory.accept([fresh.envelope], now=clock.now())
            await self._memory.save_announced(fresh.seq, told=bool(fresh.addresses))
        except StoreError as error:
            LOG.warning("This node's announcement could not be stored: %s", error)

    async def _seek(self, peer: NodeId) -> None:
        """Look for a node's announcement among the records, where more of them stand than in the address book."""
        try:
            envelope = await self.directory.announcement_of(peer)
        except StoreError as error:
            LOG.warning("A node's announcement could not be looked for: %s", error)
            return
        if envelope is not None:
            self._engine.feed(events.AnnouncementFound(envelope))

    async def _announce_if_due(self) -> None:
        self._announce()

    async def _turn_hour(self, moment: Timestamp) -> None:
        await self.directory.turn_hour(moment)

    async def _test_addresses(self) -> None:
        if self.announcer.claimed:
            self._engine.feed(events.Reachable(self.announcer.claimed))

    async def _save(self) -> None:
        if self._machine is not None:
            await self._memory.save(self._machine, self.moment())
        counts, self._refused_lately = self._refused_lately, Counter()
        if counts:
            await self.directory.count_refusals(counts, now=clock.now())

    # --- what a keeper sees

    @property
    def open_links(self) -> int:
        """Nodes this one is connected to."""
        return len(self.gate.links)

    @property
    def left(self) -> bool:
        """Whether this node has said goodbye to all others, until its next start."""
        return self._stopped

    def status(self) -> NetworkStatus:
        """Everything, as it is now."""
        return status_of(self, self._machine, self.moment())
