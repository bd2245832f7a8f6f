"""A node: the real machines around a disk, links and requests. What it is as a hub and as a follower: other modules."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation import outbox
from hedgerow_protocol.federation.comparing import Advanced, Comparing, Fellows, ShowHead
from hedgerow_protocol.federation.events import Connected, Disconnected, Tick, Want
from hedgerow_protocol.federation.fanout import Fanout
from hedgerow_protocol.federation.fanout_values import Acknowledged, Fetched, Read
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
    encode,
)
from hedgerow_protocol.federation.outbox import Outbox
from hedgerow_protocol.federation.outbox_values import Answered, BusyAnswered, Queued, Send
from hedgerow_protocol.federation.parts import Joiner, Splitter
from hedgerow_protocol.federation.turnstile import Turnstile
from hedgerow_protocol.federation.values import AnswerBody, Busy, RefusalAnswer, RequestBody, room_of
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant, Now, Timestamp
from rooms_across.asking import Asking
from rooms_across.disk import Disk
from rooms_across.follower import Follower
from rooms_across.home import Home
from rooms_across.hub import Hub
from rooms_across.rows import Outgoing
from rooms_across.world import EPOCH, World

if TYPE_CHECKING:
    from rooms_across.member import Member

FANOUT_MS = 1_000


class Node:
    """One node. Whatever is not on ``disk`` is gone after a crash."""

    honest = True
    mute = False
    """Whether it never acknowledges what it is told."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.key = SigningKey.from_seed(Usage.NODE, f"rooms across {number}".encode().ljust(32, b"."))
        self.id = NodeId(self.key.public[1:])
        self.disk = Disk(self._commit_later)
        self.hub, self.follower, self.home, self.asking = Hub(self), Follower(self), Home(self), Asking(self)
        self.up, self.life, self.slow = False, 0, False
        self.skew = world.random.randint(-20, 20)
        self.members: list[Member] = []
        world.nodes[self.id] = self
        self._begin_anew()

    def __repr__(self) -> str:
        return f"node {self.number}"

    def _begin_anew(self) -> None:
        self.outbox, self.fanout, self.comparing = Outbox(), Fanout(FANOUT_MS), Comparing(self.id)
        self.joiner, self.turnstile = Joiner(), Turnstile()
        self.splitters: dict[NodeId, Splitter] = {}
        self.waiters: dict[bytes, list[Callable[[AnswerBody], None]]] = {}
        self._alarms: dict[int, float] = {}
        self.fetched: dict[tuple[RoomId, NodeId], int] = {}
        """From where followers said that they go on, on this link."""
        self.follower.forget()

    # --- coming and going

    def start(self) -> None:
        """Go on from the disk."""
        self.world.note(f"{self} starts")
        self.up, self.life = True, self.life + 1
        for number, row in sorted(self.disk.all("outgoing").items()):
            self._tell_outbox(number, row)
        self.hub.start()
        for room, copy in self.disk.all("copy").items():
            if copy.proof is None:
                self.feed(self.comparing, Fellows(room, self.disk.get("fellows", room, ())))
                self.feed(self.comparing, Advanced(room, copy.head.position.seq))
        self.follower.start()
        for member in self.members:
            member.wake()

    def crash(self) -> None:
        """Everything that is not committed is lost."""
        if not self.up:
            return
        self.world.note(f"{self} crashes")
        self.up, self.life = False, self.life + 1
        self.disk.crash()
        self._begin_anew()
        self.world.wires.crashed(self.id)
        self.world.safety.crashed(self)

    def _commit_later(self) -> None:
        latency = self.world.random.uniform(0.002, 0.05)
        life = self.life
        if self.world.chance(self.world.weather.crash_per_write):
            self.world.clock.after(self.world.random.uniform(0, latency), self._die, life)
        self.world.clock.after(latency, self._commit, life)

    def _commit(self, life: int) -> None:
        if life == self.life:
            self.disk.commit()
            self.world.safety.look(self)

    def _die(self, life: int) -> None:
        if life == self.life and self.up and self.world.weather.rough:
            self.crash()
            self.world.clock.after(self.world.random.uniform(1, 120), self.rise)

    def rise(self) -> None:
        """Start, if it is down."""
        if not self.up:
            self.start()

    def now(self) -> Now:
        """This node's clocks."""
        time = self.world.clock.time
        return Now(Instant(time), Timestamp(EPOCH + self.skew + int(time)))

    # --- machines

    def feed(self, machine: Any, event: Any) -> None:
        """Tell a machine what happened, and do what it says."""
        held: dict[RoomId | int, int] = {}
        for output in machine.handle(event, self.now()):
            self._act(output, held)
        self._set_alarm(machine)
        for number in held.values():
            self.feed(self.outbox, BusyAnswered(number, 1))

    def _set_alarm(self, machine: Any) -> None:
        due = machine.due()
        if due is None:
            return
        at = self._alarms.get(id(machine))
        when = max(due, self.world.clock.time + 0.01)
        if at is None or when < at:
            self._alarms[id(machine)] = when
            self.world.clock.at(when, self._ring, machine, self.life, when)

    def _ring(self, machine: Any, life: int, when: float) -> None:
        if life != self.life or self._alarms.get(id(machine)) != when:
            return
        del self._alarms[id(machine)]
        self.feed(machine, Tick())

    def _act(self, output: Any, held: dict[RoomId | int, int]) -> None:
        match output:
            case Send(node, numbers):
                for number in numbers:
                    row = self.disk.get("outgoing", number)
                    if row is None or row.room in held:
                        continue
                    if not self._post(node, row.letter) and node in self.splitters:
                        # No room on the link: what is behind this one in its room must not overtake it.
                        held[number if row.room is None else row.room] = number
            case Want(node):
                self.world.wires.want(self.id, node)
            case Read():
                self.hub.read(output)
            case ShowHead(room, node):
                self.follower.show(room, node)

    # --- letters

    def link_up(self, peer: NodeId) -> None:
        """A link is open."""
        self.splitters[peer] = Splitter()
        self.feed(self.outbox, Connected(peer))
        self.hub.link_up(peer)
        self.feed(self.fanout, Connected(peer))
        self.feed(self.comparing, Connected(peer))
        self.follower.link_up(peer)

    def link_down(self, peer: NodeId) -> None:
        """It has ended."""
        del self.splitters[peer]
        self.fetched = {key: after for key, after in self.fetched.items() if key[1] != peer}
        self.joiner.down(peer)
        self.turnstile.down(peer)
        for machine in (self.outbox, self.fanout, self.comparing):
            self.feed(machine, Disconnected(peer))

    def send(self, to: NodeId, letter: Letter) -> bool:
        """Put a letter on a link, if there is one with room."""
        return self._post(to, encode(letter), wait=isinstance(letter, Notify))

    def _post(self, to: NodeId, letter: bytes, *, wait: bool = True) -> bool:
        splitter = self.splitters.get(to)
        return splitter is not None and self.world.wires.send(self.id, to, splitter.frames(letter), wait=wait)

    def came(self, peer: NodeId, frame: bytes) -> None:
        """A frame of a letter."""
        try:
            letter = self.joiner.came(peer, frame)
        except RemoteError as error:
            if self.world.nodes[peer].honest:
                self.world.fail(f"{self} does not understand {self.world.nodes[peer]}: {error}")
            return
        if letter is not None:
            self.take(peer, letter)

    def take(self, peer: NodeId, letter: Letter) -> None:
        """A letter."""
        self.world.safety.outsiders.look(self, peer, letter)
        match letter:
            case Request():
                self._request(peer, letter)
            case Answer():
                self._answered(peer, letter)
            case Notify():
                self.follower.take(peer, letter)
            case Heads() | Followers() | Forked():
                self.follower.take(peer, letter)
            case Acknowledge(room, seq):
                self.world.safety.acknowledging(self, peer, room, seq)
                if self.disk.get(("cursor", room), peer) is not None:
                    self.feed(self.fanout, Acknowledged(room, peer, seq))
                    self.hub.acknowledged(peer, room, seq)
            case Fetch(room, after):
                self.fetched[room, peer] = after
                self.feed(self.fanout, Fetched(room, peer, after))

    # --- requests

    def ask(self, node: NodeId, body: RequestBody) -> bytes:
        """Within a transaction: ask this of another node, until it is answered. The request's id."""
        number = self.disk.get("meta", "requests", 0) + 1
        id = self.world.random.randbytes(16)
        row = Outgoing(node, room_of(body), id, encode(Request(id, body)), self.now().timestamp)
        self.disk.put("meta", "requests", number)
        self.disk.put("outgoing", number, row)
        self.disk.put("asked", id, (number, node, body))
        self.disk.then(lambda: self._tell_outbox(number, row))
        return id

    def _tell_outbox(self, number: int, row: Outgoing) -> None:
        self.feed(self.outbox, Queued(row.node, number, row.room, len(row.letter), row.created))

    def _request(self, peer: NodeId, request: Request) -> None:
        room, now = room_of(request.body), self.now().instant
        self.world.safety.requested(peer, request.id)
        if room is not None and not self.turnstile.may_pass(peer, room, request.id, now):
            self.send(peer, Answer(request.id, Busy(5)))
            return
        if self.world.chance(self.world.weather.busy):
            answer: AnswerBody = Busy(self.world.random.randint(0, 5))
        else:
            answer = self._do(peer, request)
        if isinstance(answer, Busy) and room is not None:
            self.turnstile.busy(peer, room, request.id, now)
        self.disk.answer(lambda: self.send(peer, Answer(request.id, answer)) and None)
        self.disk.write(lambda: None)

    def _do(self, peer: NodeId, request: Request) -> AnswerBody:
        sides = (self.hub, self.asking, self.home)
        done = self.disk.write(lambda: next(filter(None, (each.answer(peer, request) for each in sides))))
        if isinstance(done, Refused):
            return RefusalAnswer(done.code, done.sentence)
        return done  # type: ignore[no-any-return]

    def _answered(self, peer: NodeId, answer: Answer) -> None:
        found = self.disk.get("asked", answer.id)
        if found is None or not self.was_asked(peer, found[1]):
            return
        number, _, body = found
        if isinstance(answer.body, Busy):
            self.feed(self.outbox, BusyAnswered(number, answer.body.seconds))
            return
        self.disk.write(lambda: self._settle(peer, number, answer, body))

    def was_asked(self, peer: NodeId, asked: NodeId) -> bool:
        """Whether an answer comes from whoever was asked."""
        return peer == asked

    def _settle(self, peer: NodeId, number: int, answer: Answer, body: RequestBody) -> None:
        self.disk.remove("outgoing", number)
        self.disk.remove("asked", answer.id)
        self.disk.put("answers", answer.id, answer.body)
        self.hub.answered(peer, body, answer.body)
        self.asking.answered(peer, body, answer.body)
        self.follower.answered(body, answer.body)

        def tell() -> None:
            self.feed(self.outbox, Answered(number))
            for waiter in self.waiters.pop(answer.id, ()):
                waiter(answer.body)

        self.disk.then(tell)

    # --- members

    def grew(self, room: RoomId) -> None:
        """Members here may read on."""
        for member in self.members:
            if member.room == room:
                self.world.clock.after(self.world.random.uniform(0.01, 0.5), member.wake)


def check_sizes(node: Node) -> str | None:
    """What has grown beyond its bounds."""
    for peer in node.world.nodes:
        many, size = node.outbox.under_way(peer)
        if many > outbox.WINDOW_REQUESTS_MAX or (size > 1 << 20 and many > 1):
            return f"{many} requests of {size} bytes are under way to one node"
    if node.joiner.held > 6 * 1024 * 1024 * len(node.splitters):
        return f"{node.joiner.held} bytes wait for their other parts"
    if len(node.turnstile._waits) > len(node.splitters):
        return "nodes that are not linked are still told to wait"
    for room in node.fanout._rooms.values():
        for cursor in room.cursors.values():
            # It is told nothing from before the first entry that it may read, or that it says it has.
            first = min((each.joined for each in node.hub.spans(room.name, cursor.node.name)), default=1)
            has = max(cursor.acknowledged, first - 1, node.fetched.get((room.name, cursor.node.name), 0))
            many = cursor.sent - has if cursor.flight else 0
            if many > limits.NOTIFY_ENTRIES_MAX or cursor.bytes > limits.NOTIFY_BYTES_MAX + 256 * 1024:
                return f"{many} entries of {cursor.bytes} bytes are under way to one follower"
    copies = len(node.disk.all("copy"))
    if len(node.comparing._rooms) > copies or len(node.fanout._rooms) > len(node.disk.all("room")):
        return "machines remember rooms that are not there"
    for timers in (node.outbox._late, node.outbox._ends, node.fanout._agains, node.fanout._stalls):
        if len(timers._heap) > 1_000 + 4 * len(timers):
            return "moments that were cancelled are remembered"
    return None
