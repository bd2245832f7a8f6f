"""Nodes with channel keys and announcements, and pairs of channels between them, for tests of channels."""

import random
from dataclasses import dataclass

from hedgerow_protocol.channel import Channel, ChannelKey, ChannelOutput, Frame, Opened, Transmit
from hedgerow_protocol.envelope import Kind, sign
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Entropy, Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement

AT = Timestamp(1_800_000_000)
NOW = Now(Instant(100.0), AT)


def later(seconds: float) -> Now:
    """So many seconds after ``NOW``."""
    return Now(Instant(NOW.instant + seconds), Timestamp(AT + int(seconds)))


@dataclass(frozen=True)
class TestNode:
    """A node made from one byte."""

    __test__ = False

    number: int

    @property
    def seed(self) -> bytes:
        return bytes([self.number]) * 32

    @property
    def signing(self) -> SigningKey:
        return SigningKey.from_seed(Usage.NODE, self.seed)

    @property
    def key(self) -> ChannelKey:
        return ChannelKey.from_seed(self.seed)

    @property
    def id(self) -> NodeId:
        return NodeId(self.signing.public[1:])

    def announcement(
        self, *, channel: bytes | None = None, issued: int = AT, expires: int = AT + 86_400, addresses: int = 0
    ) -> bytes:
        """Its announcement, in its envelope."""
        said = Announcement(
            node=self.signing.public,
            channel=self.key.public if channel is None else channel,
            addresses=tuple(f"wss://node{number}.example.org/peer" for number in range(addresses)),
            features=(),
            seq=1,
            issued=Timestamp(issued),
            expires=Timestamp(expires),
        )
        return sign(Kind.ANNOUNCEMENT, said.to_body(), [self.signing]).envelope.to_bytes()


ASH, BIRCH, CHERRY = TestNode(1), TestNode(2), TestNode(3)


def dial(
    *,
    known: bool = True,
    expected: NodeId | None = None,
    announcement: bytes | None = None,
    peer_key: bytes | None = None,
    entropy: Entropy | None = None,
) -> Channel:
    """Ash calls Birch."""
    return Channel.initiate(
        ASH.key,
        ASH.announcement() if announcement is None else announcement,
        entropy=entropy or random.Random(1).randbytes,
        now=NOW,
        peer_key=(BIRCH.key.public if peer_key is None else peer_key) if known else None,
        expected=expected,
    )


def answer(*, announcement: bytes | None = None, entropy: Entropy | None = None) -> Channel:
    """Birch is called."""
    return Channel.accept(
        BIRCH.key,
        BIRCH.announcement() if announcement is None else announcement,
        entropy=entropy or random.Random(2).randbytes,
        now=NOW,
    )


def transmitted(outputs: list[ChannelOutput]) -> bytes:
    """The bytes of the one message to send."""
    [data] = [output.data for output in outputs if isinstance(output, Transmit)]
    return data


def opened(outputs: list[ChannelOutput]) -> Opened:
    """That the channel is open."""
    [output] = [output for output in outputs if isinstance(output, Opened)]
    return output


def said(outputs: list[ChannelOutput]) -> bytes:
    """The one frame."""
    [output] = outputs
    assert isinstance(output, Frame)
    return output.frame


def shake_hands(initiator: Channel, responder: Channel) -> tuple[Opened, Opened, list[bytes]]:
    """What each end learned, and the three messages."""
    first = transmitted(initiator.start())
    second = transmitted(responder.handle(first, NOW))
    outputs = initiator.handle(second, NOW)
    third = transmitted(outputs)
    return opened(outputs), opened(responder.handle(third, NOW)), [first, second, third]


def pair(*, known: bool = True) -> tuple[Channel, Channel]:
    """An open channel's two ends."""
    initiator, responder = dial(known=known), answer()
    shake_hands(initiator, responder)
    return initiator, responder
