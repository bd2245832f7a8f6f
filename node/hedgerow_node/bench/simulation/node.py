"""One simulated node: the real machine, a stand-in for its directory, and hands that do what the machine puts out."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - a world from a seed is the point
from typing import Final

from hedgerow_node.bench.simulation.addresses import home, source
from hedgerow_node.bench.simulation.archive import Archived
from hedgerow_node.bench.simulation.door import Machine
from hedgerow_node.bench.simulation.making import node_key
from hedgerow_node.bench.simulation.paces import ENVELOPE_SECONDS, FETCH_SECONDS, FRAME_SECONDS, JUDGE_SECONDS
from hedgerow_node.bench.simulation.safety import SimulationError
from hedgerow_node.bench.simulation.store import Changes, SimStore
from hedgerow_node.bench.simulation.world import EPOCH, End, World
from hedgerow_protocol import messages
from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.address_entry import AddressRow
from hedgerow_protocol.address_table import SECRET_BYTES
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.events import (
    Announced,
    Close,
    Dial,
    DialFailed,
    Event,
    Fetch,
    Fetched,
    FrameIn,
    Judge,
    Judged,
    Leave,
    LinkDown,
    LinkId,
    LinkUp,
    LiveChanged,
    Notice,
    Output,
    PeersChosen,
    Published,
    Send,
    Tell,
    Tick,
    Why,
)
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Message, Records
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement

MakeMachine = Callable[["Node"], Machine]
Tamper = Callable[["Node", Message, bytes], Sequence[bytes]]
"""What a dishonest node sends in place of a frame of its honest machine."""


def real_machine(node: "Node") -> Machine:
    """The machine of the protocol."""
    return Gossip(
        node.id, entropy=node.entropy, now=node.now(), settings=node.settings, secret=node.secret, book=open_book(node)
    )


def open_book(node: "Node") -> AddressBook:
    """The address book as the disk holds it, or a new one with those the node has heard of."""
    if node.book_rows:
        return AddressBook.from_rows(node.book_rows, node.secret, node.entropy, node.now())
    book = AddressBook(node.secret, node.entropy)
    for archived, told_by in node.heard_of:
        assert isinstance(archived.record, Announcement)  # noqa: S101 - nothing else is put there
        book.learn(archived.record, archived.envelope, neighbourhood_of(told_by), node.now())
    return book


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """What is particular to one node."""

    settings: Settings = field(default_factory=Settings)
    clock_off: int = 0
    """Seconds that its clock is ahead."""
    pace: float = 1.0
    tamper: Tamper | None = None
    """Set: it is not honest."""
    dialable: bool = True
    gossiped: bool = True
    """Whether others may pass its announcement on."""
    inbound_max: int = 1_000


USUAL: Final = Character()


class Node:
    """A participant with a real machine. :meth:`start` it; :meth:`crash` and start it again at will."""

    def __init__(
        self,
        world: World,
        number: int,
        *,
        character: Character = USUAL,
        make_machine: MakeMachine = real_machine,
    ) -> None:
        self.world = world
        self.number = number
        self.character = character
        self.settings = character.settings
        self.pace = character.pace
        self.honest = character.tamper is None
        key = node_key(world.seed, number)
        self.id = NodeId(key.public[1:])
        self.address = home(number) if character.dialable else ""
        self.source = source(number)
        self.random = Random((world.seed << 24) ^ number)
        self.store = SimStore(world.archive)
        self.secret = self.random.randbytes(SECRET_BYTES)
        self.heard_of: list[tuple[Archived, str]] = []
        """Announcements it knows before it first starts, and where it had them from."""
        self.book_rows: list[AddressRow] = []
        """The address book on its disk."""
        self.told: list[tuple[float, Notice, int]] = []
        self.closed: list[tuple[float, Close]] = []
        self.up = False
        self._make_machine = make_machine
        self._key = key
        self._announced = self._announce(1)
        self._links: dict[LinkId, End] = {}
        self._free_at = 0.0
        self._judging: dict[LinkId, deque[Judge]] = {}
        self._is_judging = False
        self._tick_at: float | None = None
        self._life = 0
        self._peers: tuple[str, ...] = ()
        world.add(self)

    def _announce(self, seq: int) -> Archived:
        addresses = (self.address,) if self.address else ()
        return self.world.scribe.announce(self._key, addresses, self.settings.features, self.world.unix(), seq)

    # --- clocks and chance

    def now(self) -> Now:
        """Both of its clocks."""
        time = self.world.time
        return Now(Instant(time), Timestamp(self.world.unix() + self.character.clock_off))

    def entropy(self, count: int) -> bytes:
        """Bytes by chance."""
        return self.random.randbytes(count)

    # --- its life

    def start(self, peers: Sequence[str] = ()) -> None:
        """Begin, or begin again with what the disk holds. ``peers``: addresses that its keeper chose."""
        self.up = True
        self._life += 1
        self._peers = tuple(peers) or self._peers
        self.machine = self._make_machine(self)
        self._turn_hour(self._life)
        if self.store.live:
            added = tuple((seconds, rid) for rid, seconds in self.store.live.items())
            self.handle(LiveChanged(added, ()))
        self.handle(Announced(self._announced.rid, self._announced.data, self.is_gossiped))
        if self.is_gossiped and self._announced.rid not in self.store.held:
            self.publish([self._announced])
        self.handle(PeersChosen(self._peers))
        self.handle(Tick())

    @property
    def is_gossiped(self) -> bool:
        """Whether others pass its announcement on."""
        return self.character.gossiped and bool(self.address)

    def crash(self) -> None:
        """Die without a word. What the disk holds stays; everything else is lost."""
        self._die()
        for end in list(self._links.values()):
            self.world.cut(end)
            end.up = False
        self._links.clear()

    def leave(self) -> None:
        """Say goodbye."""
        self.handle(Leave())
        for end in list(self._links.values()):
            self.world.close(end)
        self._links.clear()
        self._die()

    def _die(self) -> None:
        self.up = False
        book = getattr(self.machine, "book", None)
        if isinstance(book, AddressBook):
            self.book_rows = book.rows()
        self._life += 1
        self._tick_at = None
        self._judging.clear()
        self._is_judging = False

    def publish(self, records: Sequence[Archived]) -> None:
        """Its own people made or imported these."""
        _verdicts, changes = self.store.judge([each.data for each in records], self.now().timestamp)
        self._changed(changes)
        self.handle(Published(tuple((each.rid, each.data) for each in records)))

    def _changed(self, changes: Changes) -> None:
        if not changes:
            return
        for rid in changes.added:
            if rid in self.world.arrivals:
                self.world.arrivals[rid].setdefault(self.id, self.world.time)
        self.handle(LiveChanged(*changes.sides()))

    def _turn_hour(self, life: int) -> None:
        if life != self._life or not self.up:
            return
        now = self.now().timestamp
        self._changed(self.store.turn_hour(now))
        # In whole seconds: sums of fractions would be a little early one day.
        next_hour = now - now % 3_600 + 3_600 - self.character.clock_off - EPOCH
        self.world.clockwork.at(float(next_hour), self._turn_hour, life)

    # --- a participant

    def announcement(self) -> Archived:
        """What it says of itself at every channel."""
        return self._announced

    def accepts(self) -> bool:
        """Whether it takes another link."""
        return self.up and len(self._links) < self.character.inbound_max

    def link_up(self, end: End, dial: Dial | None) -> None:
        """A link is open."""
        if not self.up:
            self.world.close(end)
            return
        self._links[end.link] = end
        other = end.other.owner
        self.handle(
            LinkUp(
                link=end.link,
                peer=other.id,
                outbound=end.outbound,
                address=dial.address if dial is not None else other.source,
                binding=end.binding,
                announcement=other.announcement().data,
                pinned=dial.pinned if dial is not None else False,
                why=dial.why if dial is not None else Why.KEEP,
            )
        )

    def link_down(self, end: End) -> None:
        """A link has ended."""
        if self._links.pop(end.link, None) is not None and self.up:
            self.handle(LinkDown(end.link))

    def dial_failed(self, dial: Dial, wrong_node: bool) -> None:
        """Nobody answered, or somebody else."""
        if self.up:
            self.handle(DialFailed(dial.address, dial.peer, wrong_node))

    def frame_in(self, end: End, frame: bytes) -> None:
        """A frame has come; it is read when those before it have been."""
        if not self.up:
            return
        begin = max(self.world.time, self._free_at)
        self._free_at = begin + FRAME_SECONDS * self.pace
        if begin > self.world.time:
            self.world.clockwork.at(begin, self._read, end, frame, self._life)
        else:
            self._read(end, frame, self._life)

    def _read(self, end: End, frame: bytes, life: int) -> None:
        if not self.up or life != self._life or end.link not in self._links:
            return
        if self.world.cost.watched:
            self._count_copies(frame)
        self.handle(FrameIn(end.link, frame))

    def _count_copies(self, frame: bytes) -> None:
        try:
            message = messages.decode(frame)
            if isinstance(message, Records):
                parse = self.world.archive.parse
                self.world.cost.arrived(self.id, [parse(each).rid for each in message.envelopes])
        except RemoteError:
            pass

    # --- the machine and its outputs

    def handle(self, event: Event) -> None:
        """Give the machine an event and do what it puts out."""
        try:
            outputs = self.machine.handle(event, self.now())
        except Exception as error:
            what = f"{type(error).__name__}: {error}, at {type(event).__name__}"
            raise self.world.safety.broken(self, what) from error
        for output in outputs:
            self._do(output)
        self._plan_tick()
        self.world.safety.step(self)

    def _do(self, output: Output) -> None:
        match output:
            case Send():
                self._send(output)
            case Close():
                end = self._links.pop(output.link, None)
                if end is not None:
                    self.closed.append((self.world.time, output))
                    self.world.close(end)
            case Judge():
                self._judging.setdefault(output.link, deque()).append(output)
                if not self._is_judging:
                    self._judge_next(self._life)
            case Fetch():
                self.world.clockwork.after(FETCH_SECONDS * self.pace, self._fetch, output, self._life)
            case Dial():
                self.world.dial(self, output)
            case Tell():
                self.told.append((self.world.time, output.notice, output.value))
            case _:
                pass  # circuits and addresses that work are tested with real nodes

    def _send(self, output: Send) -> None:
        end = self._links.get(output.link)
        if end is None:
            raise self.world.safety.broken(self, "spoke on a link that is closed")
        message = messages.decode(output.frame)
        if self.character.tamper is None:
            self.world.safety.sent(self, message)
            self.world.send(end, output.frame)
        else:
            for frame in self.character.tamper(self, message, output.frame):
                self.world.send(end, frame)

    def _plan_tick(self) -> None:
        due = self.machine.due()
        if due is None or (self._tick_at is not None and self.world.time < self._tick_at <= due):
            return  # the tick that is planned comes early enough; after it there is another look
        self._tick_at = max(due, self.world.time)
        self.world.clockwork.at(self._tick_at, self._tick, self._tick_at, self._life)

    def _tick(self, planned: float, life: int) -> None:
        if life == self._life and planned == self._tick_at:
            self._tick_at = None
            self.handle(Tick())

    def _judge_next(self, life: int) -> None:
        """Take one batch of the link whose turn it is; the links are served in turn."""
        if life != self._life:
            return
        self._is_judging = bool(self._judging)
        if not self._judging:
            return
        link = next(iter(self._judging))
        line = self._judging.pop(link)
        judge = line.popleft()
        if line:
            self._judging[link] = line
        seconds = (JUDGE_SECONDS + ENVELOPE_SECONDS * len(judge.envelopes)) * self.pace
        self.world.clockwork.after(seconds, self._judged, judge, life)

    def _judged(self, judge: Judge, life: int) -> None:
        if life != self._life:
            return
        verdicts, changes = self.store.judge(judge.envelopes, self.now().timestamp)
        self._changed(changes)
        self.handle(Judged(judge.ticket, verdicts))
        self._judge_next(life)

    def _fetch(self, fetch: Fetch, life: int) -> None:
        if life == self._life:
            self.handle(Fetched(fetch.ticket, tuple(self.store.fetch(fetch.rids, fetch.with_charters))))

    # --- looking at it

    @property
    def links(self) -> list[End]:
        """Its open links."""
        return list(self._links.values())

    def peers(self) -> set[NodeId]:
        """Who is at the other ends."""
        return {end.other.owner.id for end in self._links.values()}

    def announcements(self) -> list[Announcement]:
        """The announcements it holds."""
        return [each.record for each in self.store.held.values() if isinstance(each.record, Announcement)]


__all__ = ["Character", "Machine", "Node", "SimulationError", "real_machine"]
