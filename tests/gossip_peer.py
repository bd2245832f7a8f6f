"""One machine and its links, seen from outside: tests play the peers and the node's disk."""

from collections.abc import Iterable
from random import Random
from typing import TypeVar

from directory_fixtures import NOW, charter, listing, slot
from hedgerow_protocol import messages
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, parse_envelope, sign
from hedgerow_protocol.gossip import events
from hedgerow_protocol.gossip.events import LinkId, Output, Send, Standing, Verdict
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.messages import Hello, Message
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement

T = TypeVar("T")


def node_key(number: int) -> SigningKey:
    """The key of the test's node of that number."""
    return SigningKey.from_seed(Usage.NODE, number.to_bytes(32, "big"))


def announcement(number: int, *addresses: str) -> Envelope:
    """A node's announcement."""
    key = node_key(number)
    record = Announcement(
        node=key.public, channel=bytes([number % 256]) * 32, addresses=addresses, features=(), seq=NOW,
        issued=NOW, expires=Timestamp(NOW + 7 * 86_400),
    )  # fmt: skip
    return sign(Kind.ANNOUNCEMENT, record.to_body(), [key]).envelope


def listing_world(number: int) -> tuple[Envelope, Envelope]:
    """A charter of its own and a listing below it."""
    founding = charter(nonce=number.to_bytes(16, "big"))
    return founding, listing(slot(founding.rid), ListingContent(name=f"Circle {number}"))


class Stage:
    """A machine on its own clock. Every event goes through :meth:`give`; what came out is kept."""

    def __init__(self, seed: int = 1, *, settings: Settings | None = None) -> None:
        self.random = Random(seed)
        self.time = 1_000.0
        self.own = NodeId(node_key(0).public[1:])
        self.machine = Gossip(
            self.own, entropy=self.random.randbytes, now=self.now, secret=bytes(16), settings=settings
        )
        self.out: list[Output] = []
        self.links = 0
        self.bindings: dict[LinkId, bytes] = {}

    @property
    def now(self) -> Now:
        return Now(Instant(self.time), Timestamp(NOW + int(self.time) - 1_000))

    def give(self, event: events.Event) -> list[Output]:
        """One event; what came of it."""
        out = self.machine.handle(event, self.now)
        self.out += out
        return out

    def pass_time(self, seconds: float) -> list[Output]:
        """Let time pass, with a tick whenever one is due."""
        end = self.time + seconds
        out: list[Output] = []
        while (due := self.machine.due()) is not None and due <= end:
            self.time = max(self.time, due)
            out += self.give(events.Tick())
        self.time = end
        return out

    def link(
        self, number: int, *, outbound: bool = True, address: str | None = None, hello: bool = True, **more: object
    ) -> LinkId:
        """A link to the node of that number, greeted unless told otherwise."""
        self.links += 1
        link = LinkId(self.links)
        self.bindings[link] = self.random.randbytes(32)
        self.give(
            events.LinkUp(
                link=link,
                peer=NodeId(node_key(number).public[1:]),
                outbound=outbound,
                address=address or f"http://10.0.{number // 250}.{number % 250 + 1}:8470",
                binding=self.bindings[link],
                announcement=announcement(number).to_bytes(),
                **more,  # type: ignore[arg-type]
            )
        )
        if hello:
            self.say(link, self.hello(link))
        return link

    def hello(self, link: LinkId, **changed: object) -> Hello:
        """A hello of a peer who holds what this machine holds."""
        fields: dict[str, object] = {
            "version": 1,
            "features": ("sketch/1",),
            "required": (),
            "clock": self.now.timestamp,
            "count": len(self.machine.state.live),
            "digest": self.machine.state.live.digest(self.bindings[link]),
        } | changed
        return Hello(**fields)  # type: ignore[arg-type]

    def say(self, link: LinkId, message: Message) -> list[Output]:
        """A peer says something."""
        return self.give(events.FrameIn(link, messages.encode(message)))

    def judge(self, verdicts: Iterable[Verdict] | None = None) -> list[Output]:
        """Answer the last question for judgement; everything is new and good unless told otherwise."""
        asked = [each for each in self.out if isinstance(each, events.Judge)][-1]
        if verdicts is None:
            verdicts = [Verdict(Standing.STORED, parse_envelope(each).rid) for each in asked.envelopes]
        return self.give(events.Judged(asked.ticket, tuple(verdicts)))


def said(out: Iterable[Output], kind: type[T], link: LinkId | None = None) -> list[T]:
    """The messages of one kind among outputs."""
    found = (messages.decode(each.frame) for each in out if isinstance(each, Send) and link in (None, each.link))
    return [each for each in found if isinstance(each, kind)]


def put_out(out: Iterable[Output], kind: type[T]) -> list[T]:
    """The outputs of one kind."""
    return [each for each in out if isinstance(each, kind)]
