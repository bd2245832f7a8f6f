"""Nodes that do what nodes must not: a hub that tells two stories, and one that tries whatever it can reach."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.values import (
    BlobHash,
    Entry,
    EntryId,
    EntryKind,
    Head,
    KeyPackageRef,
    MailboxId,
    Position,
    RoomId,
    Submission,
)
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.letters import (
    Acknowledge,
    Answer,
    Fetch,
    Forked,
    Heads,
    Letter,
    Notify,
    Part,
    Request,
    encode,
)
from hedgerow_protocol.federation.values import (
    BlobGet,
    Follow,
    MailboxTold,
    PutBack,
    RequestBody,
    Submit,
    SubmitAccepted,
    Unfollow,
    WelcomeLetter,
)
from hedgerow_protocol.ids import NodeId
from rooms_across.hub import Hub
from rooms_across.node import Node
from rooms_across.rows import Far, sealed, welcome
from rooms_across.world import World

LIES = ("two stories", "one behind", "withholds", "altered", "unsigned")
"""What a lying hub does in a room; the first two can be proved."""


class LyingLog(Hub):
    """Tells some followers of some rooms another story, from the first entry after ``begin`` on."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.lies: dict[RoomId, tuple[str, int]] = {}
        self._other: dict[RoomId, list[Entry]] = {}

    def _lie_to(self, room: RoomId, node: NodeId, seq: int) -> str:
        kind, begin = self.lies.get(room, ("", 0))
        return kind if seq >= begin and node in self.node.world.safety.lied.get(room, ()) else ""

    def entry(self, room: RoomId, node: NodeId, seq: int) -> Entry:
        entry = super().entry(room, node, seq)
        lie = self._lie_to(room, node, seq)
        if lie == "altered" and entry.payload is not None and entry.kind is EntryKind.MESSAGE:
            return replace(entry, payload=entry.payload[:-1] + b"!")
        return self._story(room, seq) if lie in ("two stories", "one behind") else entry

    def _story(self, room: RoomId, seq: int) -> Entry:
        begin = self.lies[room][1]
        story = self._other.setdefault(room, [])
        while begin + len(story) <= seq:
            at = begin + len(story)
            entry = super().entry(room, self.node.id, at)
            payload, id = entry.payload, entry.id
            if at == begin:
                payload = sealed(room, entry.epoch, entry.kind, b"another word")
                id = EntryId(sha256(payload).digest()[:16])
            before = story[-1].hash if story else super().position(room, self.node.id, at - 1).hash
            digest = sha256(payload or b"").digest()
            hash = entry_hash(room, at, entry.time, entry.kind, entry.epoch, id, digest, before)
            story.append(Entry(at, entry.time, entry.kind, entry.epoch, id, payload, digest, hash))
        return story[seq - begin]

    def signed(self, room: RoomId, position: Position, node: NodeId) -> Head:
        head = super().signed(room, position, node)
        lies = self._lie_to(room, node, position.seq) == "unsigned"
        return replace(head, signature=head.signature[::-1]) if lies else head

    def notify(self, room: RoomId, node: NodeId, after: int, limit: int, size: int) -> Notify | None:
        if self._lie_to(room, node, after + 1) == "withholds":
            return None
        kind, begin = self.lies.get(room, ("", 0))
        if kind == "one behind" and node not in self.node.world.safety.lied[room]:
            newest = self.disk.sure("room", room).seq
            limit = min(limit, max(0, newest - 1 - after)) if newest > begin + 1 else limit
            if not limit:
                return None
        return super().notify(room, node, after, limit, size)

    def told(self, room: RoomId, node: NodeId, seq: int, spans: Sequence[Far]) -> Entry:
        return super().told(room, node, seq, spans)


class LyingNode(Node):
    """A node that is honest but as a hub."""

    honest = False

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, number)
        self.hub = self.lies = LyingLog(self)


class MuteNode(Node):
    """A follower that never acknowledges."""

    mute = True


class HostileNode(Node):
    """Takes part as others do, and says to everybody whatever might do harm. It knows all names there are."""

    honest = False

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, number)
        self.heard: list[Letter] = []
        self.said: list[bytes] = []
        self.tried = 0

    def take(self, peer: NodeId, letter: Letter) -> None:
        if isinstance(letter, Notify | Heads) and len(self.heard) < 50:
            self.heard.append(letter)
        super().take(peer, letter)

    def _post(self, to: NodeId, letter: bytes, *, wait: bool = True) -> bool:
        if len(self.said) < 200:
            self.said.append(letter)
        return super()._post(to, letter, wait=wait)

    def attack(self) -> None:
        """One attempt at somebody, and the next one later."""
        world = self.world
        if self.up:
            victim = world.random.choice([each for each in world.nodes if each != self.id])
            world.wires.want(self.id, victim)
            if victim in self.splitters:
                self.tried += 1
                self._attempt(victim)
        if world.weather.rough:
            world.clock.after(world.random.uniform(0.5, 6.0), self.attack)

    def _attempt(self, victim: NodeId) -> None:
        world, random = self.world, self.world.random
        room = random.choice([each for each, hub in world.safety.hubs.items() if hub is not self])
        attempts = (self._requests, self._notifies, self._proofs, self._answers, self._frames, self._again)
        for letter in random.choice(attempts)(victim, room):
            if isinstance(letter, bytes):
                world.wires.send(self.id, victim, [letter])
            else:
                self.send(victim, letter)

    def _head(self, room: RoomId, seq: int) -> Head:
        return sign_head(self.key, room, Position(seq, self.world.random.randbytes(32), 1_800_000_000))

    def _requests(self, victim: NodeId, room: RoomId) -> Sequence[Letter]:
        world, random = self.world, self.world.random
        hub = world.safety.hubs[room]
        theirs = [*hub.disk.all(("far", room)), *hub.disk.all(("own", room)), MailboxId(random.randbytes(16))]
        mine = {name for name, far in hub.disk.all(("far", room)).items() if far.node == self.id}
        mailbox = random.choice([each for each in theirs if each not in mine])
        words = Submission(
            room,
            mailbox,
            EntryId(random.randbytes(16)),
            EntryKind.MESSAGE,
            0,
            0,
            sealed(room, 0, EntryKind.MESSAGE, b"?"),
        )
        offered = [(ref, each) for node in world.nodes.values() for ref, each in node.disk.all("package").items()] or [
            (KeyPackageRef(bytes(32)), None)
        ]
        ref, package = random.choice(offered)
        # Where somebody claims it now, whoever knows room and KeyPackage could be the hub for all its home knows.
        true_room = package is not None and package.mailbox in world.safety.never_claimed and world.chance(0.5)
        in_room = package.room if true_room else RoomId(random.randbytes(32))
        at = MailboxId(bytes(16)) if package is None else package.mailbox
        before = sign_head(self.key, in_room, BEGINNING)
        bodies: tuple[RequestBody, ...] = (
            Submit(words),
            PutBack(room, mailbox, mailbox, 2**31),
            Unfollow(room, mailbox),
            MailboxTold(room, mailbox, None),
            MailboxTold(room, mailbox, self._head(room, 1)),
            WelcomeLetter(in_room, 1, ref, welcome(in_room, ref), at, before),
            BlobGet(room, BlobHash(bytes(32)), 0),
        )
        if not mine:
            bodies += (Follow(room, 0, (mailbox,)),)
        return [Request(random.randbytes(16), body) for body in bodies]

    def _notifies(self, victim: NodeId, room: RoomId) -> Sequence[Letter]:
        time, payload = 1_800_000_000, sealed(room, 0, EntryKind.MESSAGE, b"false")
        digest, id = sha256(payload).digest(), EntryId(bytes(16))
        copy = self.world.nodes[victim].disk.get("copy", room)
        at = BEGINNING if copy is None else copy.head.position
        hash = entry_hash(room, at.seq + 1, time, EntryKind.MESSAGE, 0, id, digest, at.hash)
        entry = Entry(at.seq + 1, time, EntryKind.MESSAGE, 0, id, payload, digest, hash)
        head = sign_head(self.key, room, Position(entry.seq, hash, time))
        old: list[Letter] = self.world.random.sample(self.heard, min(3, len(self.heard)))
        return [Notify(room, head, at.hash, (entry,), False), Heads(room, head), *old]

    def _proofs(self, victim: NodeId, room: RoomId) -> Sequence[Letter]:
        hub = self.world.safety.hubs[room]
        head = sign_head(hub.key, room, BEGINNING) if self.world.chance(0.3) else self._head(room, 1)
        other = self._head(room, 1)
        proofs = (
            forks.Proof(hub.id, room, head, head, bytes(32), ()),
            forks.Proof(hub.id, room, head, other, other.position.hash, ()),
            forks.Proof(self.id, room, self._head(room, 1), other, other.position.hash, ()),
        )
        return [Forked(forks.encode(each)) for each in proofs] + [Forked(b"\x00")]

    def _answers(self, victim: NodeId, room: RoomId) -> Sequence[Letter]:
        asked = [id for id, (_, node, _) in self.world.nodes[victim].disk.all("asked").items() if node != self.id]
        false = [Answer(id, SubmitAccepted(1, 1_800_000_000, bytes(32))) for id in asked[:5]]
        return [*false, Acknowledge(room, 1 << 40), *[Fetch(room, 0)] * 5]

    def _frames(self, victim: NodeId, room: RoomId) -> Sequence[bytes]:
        random = self.world.random
        opened = [encode(Part(1 << 30 | each, 0, 3, bytes(61_408))) for each in range(5)]
        broken = [encode(Part(7, 1, 3, b"x")), encode(Part(9, 0, 2, b"short"))]
        return opened if random.random() < 0.2 else [*broken, random.randbytes(40), b"\x93\x01"]

    def _again(self, victim: NodeId, room: RoomId) -> Sequence[bytes]:
        small = [each for each in self.said if len(each) < 60_000]
        return self.world.random.sample(small, min(5, len(small)))
