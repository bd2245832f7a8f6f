"""Nodes with private stores in one process, whose letters go through memory: linked and cut as a test wants it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mls_bytes
from hedgerow_node.accounts.service import AccountService
from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.federation.far_accounts import FarAccounts
from hedgerow_node.federation.far_delivery import FarDelivery
from hedgerow_node.federation.service import Federation, tags_of
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.values import AskRow, Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import KeyPackageRef, RoomId, WelcomeOut
from hedgerow_protocol.federation.letters import Answer, Letter, Request, encode
from hedgerow_protocol.federation.parts import Joiner, Splitter
from hedgerow_protocol.federation.values import AnswerBody, RequestBody
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant, Timestamp
from private_worlds import NOW, Member, World, commit


@dataclass
class Wire:
    """All links. A frame is lost when its link is cut before it arrives."""

    nodes: dict[NodeId, "Node"] = field(default_factory=dict)
    links: dict[frozenset[NodeId], int] = field(default_factory=dict)
    """Each with a number that no other link has."""
    made: int = 0
    frames: list[tuple[NodeId, NodeId, bytes]] = field(default_factory=list)
    """Everything that went over any link."""
    lose: Callable[[NodeId, NodeId, bytes], bool] = lambda sender, to, frame: False

    def link(self, one: "Node | Stranger", other: "Node | Stranger") -> None:
        """Link two nodes that run."""
        key = frozenset((one.id, other.id))
        if key not in self.links:
            self.made += 1
            self.links[key] = self.made
            one.federation.up(other.id)
            other.federation.up(one.id)

    def cut(self, one: "Node | Stranger", other: "Node | Stranger") -> None:
        """End a link."""
        if self.links.pop(frozenset((one.id, other.id)), None) is not None:
            one.federation.down(other.id)
            other.federation.down(one.id)

    def cut_all(self, node: "Node") -> None:
        """End all links of a node."""
        for key in [key for key in self.links if node.id in key]:
            self.cut(*(self.nodes[each] for each in key))

    def carry(self, sender: NodeId, to: NodeId, frame: bytes) -> bool:
        """One frame on its way."""
        link = self.links.get(frozenset((sender, to)))
        if link is None:
            return False
        assert 0 < len(frame) <= limits.LETTER_FRAME_BYTES_MAX
        self.frames.append((sender, to, frame))
        if not self.lose(sender, to, frame):
            asyncio.get_running_loop().call_soon(self._arrive, link, sender, to, frame)
        return True

    def _arrive(self, link: int, sender: NodeId, to: NodeId, frame: bytes) -> None:
        if self.links.get(frozenset((sender, to))) == link:
            self.nodes[to].federation.came(sender, frame)


@dataclass
class LentPost:
    """One node's post."""

    wire: Wire
    me: NodeId
    wanted: list[NodeId] = field(default_factory=list)
    shared: frozenset[NodeId] = frozenset()
    room: int | None = None
    """Frames that it still takes; ``None``: any number."""

    def send(self, to: NodeId, letter: bytes) -> bool:
        """See Post."""
        if self.room is not None:
            if not self.room:
                return False
            self.room -= 1
        return self.wire.carry(self.me, to, letter)

    def want(self, to: NodeId) -> None:
        """See Post."""
        self.wanted.append(to)

    def connected(self) -> frozenset[NodeId]:
        """See Post."""
        return frozenset(each for key in self.wire.links if self.me in key for each in key) - {self.me}

    def waiting(self, to: NodeId) -> int:
        """See Post."""
        return 0

    def known(self, nodes: frozenset[NodeId]) -> None:
        """See Post."""
        self.shared = nodes


@dataclass
class Node(World):
    """One node: both services, and federation in front of them."""

    delivery: FarDelivery  # type: ignore[assignment]
    accounts: FarAccounts  # type: ignore[assignment]
    federation: Federation = None  # type: ignore[assignment]
    here: DeliveryService = None  # type: ignore[assignment]
    id: NodeId = None  # type: ignore[assignment]
    key: SigningKey = None  # type: ignore[assignment]
    post: LentPost = None  # type: ignore[assignment]
    later: int = 0
    """Seconds that its clock is ahead of NOW."""

    def heard(self, room: RoomId) -> list[bytes]:
        """Entries of a room that listening devices were told."""
        return [text for happened in self.told for text in happened.entries.get(room, ())]


@dataclass
class Stranger:
    """A node that says what a test lets it say, and keeps what it is told."""

    wire: Wire
    key: SigningKey
    heard: list[Letter] = field(default_factory=list)
    joiner: Joiner = field(default_factory=Joiner)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.wire.nodes[self.id] = self  # type: ignore[assignment]

    @property
    def id(self) -> NodeId:
        """Its name."""
        return NodeId(self.key.public[1:])

    @property
    def federation(self) -> "Stranger":
        """What the wire calls."""
        return self

    def came(self, peer: NodeId, frame: bytes) -> None:
        """See LetterReceiver."""
        letter = self.joiner.came(peer, frame)
        if letter is not None:
            self.heard.append(letter)
            self.news.set()

    def up(self, peer: NodeId) -> None:
        """See LetterReceiver."""

    def down(self, peer: NodeId) -> None:
        """See LetterReceiver."""
        self.joiner.down(peer)

    def say(self, to: "Node", letter: Letter) -> None:
        """Send a letter."""
        for frame in Splitter().frames(encode(letter)):
            assert self.wire.carry(self.id, to.id, frame)

    async def ask(self, to: "Node", body: RequestBody) -> AnswerBody:
        """Send a request and wait for its answer."""
        request = Request(os.urandom(16), body)
        self.say(to, request)
        answer = await self.hear(lambda each: isinstance(each, Answer) and each.id == request.id)
        assert isinstance(answer, Answer)
        return answer.body

    async def hear(self, wanted: Callable[[Letter], bool], seconds: float = 10.0) -> Letter:
        """Wait for a letter."""
        async with asyncio.timeout(seconds):
            while True:
                for each in self.heard:
                    if wanted(each):
                        return each
                self.news.clear()
                await self.news.wait()


def node_key(name: str) -> SigningKey:
    """The key of a node by its name."""
    return SigningKey.from_seed(Usage.NODE, f"hedgerow test seed {name}".encode().ljust(32, b"."))


@asynccontextmanager
async def node(folder: Path, wire: Wire, name: str, **settings: Any) -> AsyncIterator[Node]:
    """A running node; entered again over the same folder it goes on. ``settings`` are Federation's."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    key = node_key(name)
    store = PrivateStore.open(folder)
    accounts = AccountService(store, entropy=os.urandom, tags=tags_of(key))
    here = DeliveryService(store, key, entropy=os.urandom)
    post = LentPost(wire, here.node)
    settings.setdefault("fanout_ms", 0)
    later = settings.pop("later", 0)
    made: Node

    def now() -> Timestamp:
        return Timestamp(NOW + made.later)

    federation = Federation(
        store,
        accounts,
        here,
        key,
        post,
        title=name,
        entropy=os.urandom,
        timestamp=now,
        monotonic=lambda: Instant(asyncio.get_running_loop().time()),
        **settings,
    )
    made = Node(
        store,
        federation.accounts,
        federation.delivery,
        federation=federation,
        here=here,
        id=here.node,
        key=key,
        post=post,
        later=later,
    )
    made.delivery.tell = made.told.append
    wire.nodes[made.id] = made
    await federation.start()
    try:
        yield made
    finally:
        wire.cut_all(made)
        await federation.stop()
        await here.close()
        await store.close()


@asynccontextmanager
async def nodes(folder: Path, *names: str, link: bool = True, **settings: Any) -> AsyncIterator[tuple[Any, ...]]:
    """The wire and so many nodes, each linked with each."""
    wire = Wire()
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(node(folder / name, wire, name, **settings)) for name in names]
        if link:
            for at, one in enumerate(made):
                for other in made[:at]:
                    wire.link(one, other)
        yield wire, *made


async def let_in_from(
    hub_room: RoomId, by: tuple[Node, Member], newcomers: Sequence[tuple[Node, Member]], *, epoch: int, seen: int
) -> int:
    """One commit of a member that lets in newcomers of any nodes; its seq."""
    here, author = by
    welcomes = []
    for home, newcomer in newcomers:
        ref, consent = await home.offer(newcomer)
        far = home.id if home is not here else None
        claimed = await here.delivery.claim_key_package(author.session, ref, consent, home=far, now=NOW)
        assert claimed.mailbox == newcomer.mailbox
        welcomes.append(WelcomeOut(KeyPackageRef(ref), mls_bytes.welcome([ref]), home.id, newcomer.mailbox))
    done = await here.delivery.submit(
        author.session, commit(hub_room, author, epoch=epoch, seen=seen, welcomes=welcomes), now=NOW
    )
    return done.seq  # type: ignore[union-attr]


async def eventually(is_so: Callable[[], Awaitable[bool]], what: str, seconds: float = 15.0) -> None:
    """Wait for something that has to be asked for."""
    try:
        async with asyncio.timeout(seconds):
            while not await is_so():  # noqa: ASYNC110 - asks a store, which calls nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


async def in_room(where: Node, member: Member, room: RoomId, seq: int = 0) -> None:
    """Wait until a device is in a room, and its node has the log up to a seq."""

    async def is_in() -> bool:
        overview = await where.delivery.overview(member.session)
        return any(each.room == room and each.head.position.seq >= seq for each in overview.rooms)

    await eventually(is_in, f"the room at seq {seq}")


def told_of(happened: Sequence[Happened], room: RoomId) -> int:
    """How many entries of a room were told."""
    return sum(len(each.entries.get(room, ())) for each in happened)


async def wait_log(where: Node, member: Member, room: RoomId, seq: int) -> None:
    """Wait until a device can read a room up to a seq."""

    async def can() -> bool:
        page = await where.delivery.log(member.session, room, after=seq - 1, limit=1)
        return len(page.entries) == 1

    await eventually(can, f"seq {seq} can be read", 25)


async def wait_asks(where: Node, member: Member, many: int) -> Sequence[AskRow]:
    """Wait until a device sees so many asks; those."""

    async def are_there() -> bool:
        return len(await where.accounts.asks(member.session)) == many

    await eventually(are_there, f"{many} asks")
    return await where.accounts.asks(member.session)
