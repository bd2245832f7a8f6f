"""Whatever arrives on a channel is the frame that was sent or a RemoteError; nothing altered ever opens or passes."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_ends import BIRCH, NOW, answer, dial, pair, said, shake_hands, transmitted
from hedgerow_protocol import limits
from hedgerow_protocol.channel import Channel, Opened
from hedgerow_protocol.channel_plaintext import Plain, pad, unpad
from hedgerow_protocol.errors import RemoteError

PATTERNS = pytest.mark.parametrize("known", [True, False], ids=["XK", "XX"])
BITS = (0x01, 0x80)


def flips(message: bytes) -> list[bytes]:
    """The message with each of its bytes changed, in the lowest and in the highest bit."""
    return [
        message[:where] + bytes([message[where] ^ bit]) + message[where + 1 :]
        for where in range(len(message))
        for bit in BITS
    ]


def cuts(message: bytes) -> list[bytes]:
    """The message cut at every place, and with something added."""
    return [*(message[:size] for size in range(len(message))), message + b"\0", message + message]


def refused(channel: Channel, message: bytes) -> bool:
    """Whether a copy of this end refuses a message in the one right way."""
    try:
        copy.deepcopy(channel).handle(message, NOW)
    except RemoteError:
        return True
    return False


@PATTERNS
def test_every_byte_of_the_first_message_counts(known: bool) -> None:
    initiator, responder = dial(known=known), answer()
    first = transmitted(initiator.start())
    for altered in [*flips(first), *cuts(first)]:
        end = copy.deepcopy(responder)
        try:
            second = transmitted(end.handle(altered, NOW))
        except RemoteError:
            continue
        assert not known, "with XK the responder notices at once"
        assert refused(initiator, second), "with XX the initiator notices in the answer"
    assert len(flips(first)) == 2 * (49 if known else 33)


@PATTERNS
def test_every_byte_of_the_second_and_third_message_counts(known: bool) -> None:
    initiator, responder = dial(known=known), answer()
    second = transmitted(responder.handle(transmitted(initiator.start()), NOW))
    assert not refused(initiator, second)
    assert all(refused(initiator, altered) for altered in [*flips(second), *cuts(second)])
    third = transmitted(initiator.handle(second, NOW))
    assert not refused(responder, third)
    assert all(refused(responder, altered) for altered in [*flips(third), *cuts(third)])


@pytest.mark.parametrize("size", [1, 62, 700])
def test_every_byte_of_a_transport_message_counts(size: int) -> None:
    initiator, responder = pair()
    for sender, receiver in ((initiator, responder), (responder, initiator)):
        sealed = sender.seal(b"x" * size, NOW)
        assert all(refused(receiver, altered) for altered in [*flips(sealed), *cuts(sealed)])
        assert said(receiver.handle(sealed, NOW)) == b"x" * size


@PATTERNS
@given(data=st.binary(max_size=400), stage=st.integers(0, 3), pattern=st.sampled_from([b"", b"\x01", b"\x02"]))
@settings(deadline=None, max_examples=150)
def test_any_bytes_at_any_stage(known: bool, data: bytes, stage: int, pattern: bytes) -> None:
    initiator, responder = dial(known=known), answer()
    end = responder
    if stage > 0:
        end = initiator
        second = transmitted(responder.handle(transmitted(initiator.start()), NOW))
        if stage > 1:
            end = responder
            third = transmitted(initiator.handle(second, NOW))
            if stage > 2:
                responder.handle(third, NOW)
    try:
        outputs = end.handle(pattern + data if stage == 0 else data, NOW)
    except RemoteError:
        assert not end.is_open
        return
    assert stage == 0, "only a first XX message can be made without a key"
    assert not any(isinstance(output, Opened) for output in outputs)


@given(
    frames=st.lists(st.binary(min_size=1, max_size=90), min_size=2, max_size=8),
    swap=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_order_and_number_are_kept(frames: list[bytes], swap: st.DataObject) -> None:
    initiator, responder = pair()
    sealed = [initiator.seal(frame, NOW) for frame in frames]
    place = swap.draw(st.integers(0, len(frames) - 1))
    other = swap.draw(st.integers(0, len(frames) - 1).filter(lambda number: number != place))
    for number in range(place):
        assert said(responder.handle(sealed[number], NOW)) == frames[number]
    assert refused(responder, sealed[other]), "early, late or a second time"
    assert refused(initiator, sealed[place]), "thrown back at its sender"
    assert said(responder.handle(sealed[place], NOW)) == frames[place]


def test_messages_of_another_channel_are_refused() -> None:
    initiator, _ = pair()
    other, end = dial(known=False), answer()
    shake_hands(other, end)
    assert refused(end, initiator.seal(b"hello", NOW))


@PATTERNS
def test_a_whole_handshake_cannot_be_replayed(known: bool) -> None:
    _, _, (first, second, third) = shake_hands(dial(known=known), answer())
    again = answer(entropy=lambda size: b"\x77" * size)
    assert transmitted(again.handle(first, NOW)) != second
    assert refused(again, third)


@given(frame=st.binary(min_size=1, max_size=3_000) | st.just(bytes(limits.FRAME_BYTES_MAX)), last=st.booleans())
@settings(deadline=None, max_examples=200)
def test_padding_is_undone_and_its_sizes_are_few(frame: bytes, last: bool) -> None:
    plaintext = pad(Plain(frame, last))
    assert unpad(plaintext) == Plain(frame, last)
    assert len(plaintext) % (64 if len(plaintext) <= 1_024 else 512) == 0
    assert 3 + len(frame) <= len(plaintext) <= 65_519
    assert len(plaintext) - len(frame) < 3 + (64 if len(plaintext) <= 1_024 else 512)


@given(
    st.binary(max_size=200)
    | st.builds(lambda head, size: head + bytes(size), st.binary(max_size=5), st.integers(0, 2_000))
)
@settings(deadline=None, max_examples=400)
def test_every_plaintext_is_the_padding_of_its_frame_or_refused(plaintext: bytes) -> None:
    try:
        plain = unpad(plaintext)
    except RemoteError:
        return
    assert pad(plain) == plaintext


@PATTERNS
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=10)
def test_any_randomness_opens_a_channel(known: bool, seed: int) -> None:
    draw = random.Random(seed)
    ours, theirs, _ = shake_hands(dial(known=known, entropy=draw.randbytes), answer(entropy=draw.randbytes))
    assert ours.binding == theirs.binding
    assert ours.peer == BIRCH.id
