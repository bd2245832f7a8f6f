"""Channels: who may open one, what each end learns, what an onlooker does not, and when keys change."""

import dataclasses
import json
import random
from pathlib import Path

import pytest

from channel_ends import (
    ASH,
    AT,
    BIRCH,
    CHERRY,
    NOW,
    answer,
    dial,
    later,
    opened,
    pair,
    said,
    shake_hands,
    transmitted,
)
from hedgerow_protocol import channel as module
from hedgerow_protocol import limits
from hedgerow_protocol.channel import Channel, ChannelKey, Opened, Pattern, WrongNodeError
from hedgerow_protocol.channel_plaintext import Plain, pad, padded_size, unpad
from hedgerow_protocol.envelope import Kind, parse_envelope, sign
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.handshake import Handshake
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Slot, Withdrawal

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = json.loads((ROOT / "tests" / "vectors" / "channel.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("known", [True, False], ids=["XK", "XX"])
def test_both_ends_learn_who_the_other_is(known: bool) -> None:
    initiator, responder = dial(known=known, expected=BIRCH.id), answer()
    assert not initiator.is_open
    assert not responder.is_open
    ours, theirs, _ = shake_hands(initiator, responder)
    assert ours == Opened(BIRCH.id, BIRCH.announcement(), theirs.binding, known)
    assert theirs == Opened(ASH.id, ASH.announcement(), ours.binding, known)
    assert len(ours.binding) == 32
    assert initiator.is_open
    assert responder.is_open
    assert said(responder.handle(initiator.seal(b"hello", NOW), NOW)) == b"hello"
    assert said(initiator.handle(responder.seal(b"welcome", NOW), NOW)) == b"welcome"


def test_every_channel_has_another_binding() -> None:
    bindings = set()
    for seed in range(4):
        ours, _, _ = shake_hands(dial(entropy=random.Random(seed).randbytes), answer())
        bindings.add(ours.binding)
    assert len(bindings) == 4


@pytest.mark.parametrize("vector", GOLDEN["channels"], ids=lambda vector: vector["pattern"])
def test_the_kept_messages_open_a_channel(vector: dict[str, object]) -> None:
    def value(name: str) -> bytes:
        return bytes.fromhex(str(vector[name]))

    key = ChannelKey.from_seed(value("responder_seed"))
    assert key == ChannelKey(value("responder_channel_public"), value("responder_channel_private"))
    responder = Channel.accept(
        key, value("responder_announcement"), entropy=lambda _: value("responder_ephemeral_private"), now=NOW
    )
    first, second, third = (bytes.fromhex(message) for message in vector["handshake"])  # type: ignore[attr-defined]
    assert transmitted(responder.handle(first, NOW)) == second
    up = opened(responder.handle(third, NOW))
    assert up.announcement == value("initiator_announcement")
    assert up.binding == value("binding")
    messages = vector["messages"]
    assert isinstance(messages, list)
    for number, each in enumerate(messages):
        frame, message = bytes.fromhex(each["frame"]), bytes.fromhex(each["message"])
        if number == 1:
            assert responder.seal(frame, NOW) == message
        else:
            assert said(responder.handle(message, NOW)) == frame


def test_the_page_shows_the_kept_example() -> None:
    page = "".join((ROOT / "docs" / "protocol" / "channel.md").read_text(encoding="utf-8").split())
    example = GOLDEN["channels"][0]
    for name, value in example.items():
        shown = [value] if isinstance(value, str) else value
        for each in shown:
            text = each if isinstance(each, str) else each["message"]
            assert text in page, name


def test_only_the_responder_of_that_key_can_answer() -> None:
    initiator, responder = dial(peer_key=CHERRY.key.public), answer()
    with pytest.raises(RemoteError) as refused:
        responder.handle(transmitted(initiator.start()), NOW)
    assert refused.value.code is Code.BAD_KEY


def test_another_node_than_the_expected_one_never_learns_who_asked() -> None:
    for known in (True, False):
        initiator, responder = dial(known=known, expected=CHERRY.id), answer()
        second = transmitted(responder.handle(transmitted(initiator.start()), NOW))
        with pytest.raises(WrongNodeError):
            initiator.handle(second, NOW)
        with pytest.raises(LocalError):
            initiator.handle(second, NOW)
        with pytest.raises(LocalError):
            initiator.seal(b"hello", NOW)


STEWARD = SigningKey.from_seed(Usage.STEWARD, bytes(32))
CHARTER = sign(
    Kind.CHARTER,
    Charter(previous=None, position=0, stewards=(STEWARD.public,), threshold=1, nonce=bytes(16)).to_body(),
    [STEWARD],
)
WITHDRAWAL = sign(
    Kind.WITHDRAWAL,
    Withdrawal(
        slot=Slot(charter=CHARTER.envelope.rid, entry=b"", seq=1, issued=AT, expires=Timestamp(AT + 9))
    ).to_body(),
    [STEWARD],
)


def signed_by(announcement: bytes, *keys: SigningKey) -> bytes:
    return sign(Kind.ANNOUNCEMENT, parse_envelope(announcement).body, keys).envelope.to_bytes()


def forged(announcement: bytes) -> bytes:
    envelope = parse_envelope(announcement)
    [signature] = envelope.signatures
    other = dataclasses.replace(signature, signature=bytes(64))
    return dataclasses.replace(envelope, signatures=(other,)).to_bytes()


@pytest.mark.parametrize("answering", [True, False], ids=["responder's", "initiator's"])
@pytest.mark.parametrize("known", [True, False], ids=["XK", "XX"])
@pytest.mark.parametrize(
    ("code", "make"),
    [
        (Code.EXPIRED, lambda node: node.announcement(issued=AT - 9_000, expires=AT - 7_200)),
        (Code.FROM_THE_FUTURE, lambda node: node.announcement(issued=AT + 90_000, expires=AT + 100_000)),
        (Code.BAD_KEY, lambda node: node.announcement(channel=CHERRY.key.public)),
        (Code.BAD_KEY, lambda node: CHERRY.announcement()),
        (Code.BAD_SIGNATURE, lambda node: forged(node.announcement())),
        (Code.WRONG_SIGNER, lambda node: signed_by(node.announcement(), CHERRY.signing)),
        (Code.WRONG_SIGNER, lambda node: signed_by(node.announcement(), node.signing, CHERRY.signing)),
        (Code.BAD_FIELD, lambda node: CHARTER.envelope.to_bytes()),
        (Code.BAD_FIELD, lambda node: WITHDRAWAL.envelope.to_bytes()),
        (Code.MALFORMED, lambda node: b"\xc1"),
    ],
)
def test_no_announcement_no_service(answering: bool, known: bool, code: Code, make: object) -> None:
    assert callable(make)
    if answering:
        initiator, responder = dial(known=known), answer(announcement=make(BIRCH))
    else:
        initiator, responder = dial(known=known, announcement=make(ASH)), answer()
    end, message = initiator, transmitted(responder.handle(transmitted(initiator.start()), NOW))
    if not answering:
        end, message = responder, transmitted(initiator.handle(message, NOW))
    with pytest.raises(RemoteError) as refused:
        end.handle(message, NOW)
    assert refused.value.code is code
    assert initiator.is_open is not answering
    assert not responder.is_open


def test_clocks_that_differ_by_hours_still_meet() -> None:
    early = dial(announcement=ASH.announcement(issued=AT + 12 * 3600, expires=AT + 86_400))
    shake_hands(early, answer(announcement=BIRCH.announcement(issued=AT - 12 * 3600)))


def test_an_announcement_holds_until_the_hour_in_which_it_ends_is_over() -> None:
    assert AT % 3600 == 0
    initiator, responder = dial(announcement=ASH.announcement(issued=AT - 9, expires=AT + 1)), answer()
    second = transmitted(responder.handle(transmitted(initiator.start()), NOW))
    third = transmitted(initiator.handle(second, NOW))
    at = dataclasses.replace(NOW, timestamp=Timestamp(AT + 3_599))
    assert opened(responder.handle(third, at)).peer == ASH.id


def test_who_is_too_slow_is_turned_away() -> None:
    for slow in (10.0, 10.001):
        initiator, responder = dial(), answer()
        assert initiator.deadline == responder.deadline == NOW.instant + 10
        second = transmitted(responder.handle(transmitted(initiator.start()), NOW))
        if slow > 10:
            with pytest.raises(RemoteError) as refused:
                initiator.handle(second, later(slow))
            assert refused.value.code is Code.LIMIT
        else:
            responder.handle(transmitted(initiator.handle(second, later(slow))), later(slow))
            assert initiator.deadline is responder.deadline is None
            assert said(responder.handle(initiator.seal(b"x", later(99)), later(99))) == b"x"


@pytest.mark.parametrize("first", [b"", b"\x00", b"\x03" + bytes(32), b"\xff" + bytes(48)])
def test_other_ways_to_open_a_channel_are_unknown(first: bytes) -> None:
    with pytest.raises(RemoteError) as refused:
        answer().handle(first, NOW)
    assert refused.value.code is Code.UNKNOWN_KIND


def test_the_first_message_says_nothing() -> None:
    first = transmitted(dial(known=False).start())
    with pytest.raises(RemoteError) as refused:
        answer().handle(first + b"x", NOW)
    assert refused.value.code is Code.MALFORMED


def test_a_pattern_cannot_be_swapped_on_the_way() -> None:
    initiator, responder = dial(known=False), answer()
    first = transmitted(initiator.start())
    with pytest.raises(RemoteError):
        responder.handle(bytes([Pattern.XK]) + first[1:] + bytes(16), NOW)


def test_a_handshake_message_is_small() -> None:
    with pytest.raises(RemoteError) as refused:
        answer().handle(b"\x02" + bytes(module.HANDSHAKE_MESSAGE_BYTES_MAX), NOW)
    assert refused.value.code is Code.TOO_LARGE
    with pytest.raises(LocalError):
        answer(announcement=bytes(module.ANNOUNCEMENT_BYTES_MAX + 1))
    with pytest.raises(LocalError):
        answer(announcement=b"")
    # the largest announcement that may be shown still fits
    largest = padded_size(3 + module.ANNOUNCEMENT_BYTES_MAX) + 32 + 48 + 16
    assert largest <= module.HANDSHAKE_MESSAGE_BYTES_MAX


def test_ends_are_used_as_what_they_are() -> None:
    initiator, responder = dial(), answer()
    with pytest.raises(LocalError):
        responder.start()
    with pytest.raises(LocalError):
        initiator.handle(bytes(64), NOW)
    initiator = dial()
    initiator.start()
    with pytest.raises(LocalError):
        initiator.start()
    with pytest.raises(LocalError):
        initiator.seal(b"x", NOW)


def test_a_peer_key_that_is_none_is_the_stranger_s_mistake() -> None:
    initiator = dial(peer_key=bytes(32))
    with pytest.raises(RemoteError) as refused:
        initiator.start()
    assert refused.value.code is Code.BAD_KEY
    with pytest.raises(LocalError):
        initiator.start()


def test_a_relay_or_proxy_reads_neither_keys_nor_announcements() -> None:
    hidden = [
        ASH.id,
        ASH.key.public,
        ASH.announcement()[20:60],
        BIRCH.id,
        BIRCH.key.public,
        BIRCH.announcement()[20:60],
    ]
    for known in (True, False):
        _, _, messages = shake_hands(dial(known=known), answer())
        assert not any(secret in message for secret in hidden for message in messages)


def test_sizes_of_handshakes_do_not_tell_how_many_addresses_a_node_has() -> None:
    def sizes(addresses: int) -> list[int]:
        announcement = BIRCH.announcement(addresses=addresses)
        return [len(message) for message in shake_hands(dial(), answer(announcement=announcement))[2]]

    assert sizes(0) == [49, 32 + 256 + 16, 48 + 256 + 16]
    assert sizes(1) == sizes(0)


@pytest.mark.parametrize(
    ("size", "padded"),
    [(1, 64), (61, 64), (62, 128), (1_021, 1_024), (1_022, 1_536), (1_533, 1_536), (1_534, 2_048), (65_000, 65_024)],
)
def test_padding(size: int, padded: int) -> None:
    plaintext = pad(Plain(b"x" * size, last=False))
    assert len(plaintext) == padded
    assert unpad(plaintext) == Plain(b"x" * size, last=False)


def test_the_largest_frame_passes_and_nothing_beyond() -> None:
    initiator, responder = pair()
    frame = random.Random(1).randbytes(limits.FRAME_BYTES_MAX)
    sealed = initiator.seal(frame, NOW)
    assert len(sealed) <= 65_535
    assert said(responder.handle(sealed, NOW)) == frame
    for bad in (b"", bytes(limits.FRAME_BYTES_MAX + 1)):
        with pytest.raises(LocalError):
            initiator.seal(bad, NOW)
    assert said(responder.handle(initiator.seal(b"still here", NOW), NOW)) == b"still here"


@pytest.mark.parametrize(
    ("code", "plaintext"),
    [
        (Code.MALFORMED, b""),
        (Code.MALFORMED, bytes(63)),
        (Code.MALFORMED, b"\x02\x00\x01x" + bytes(60)),
        (Code.TOO_LARGE, b"\x00\x00\x00" + bytes(61)),
        (Code.TOO_LARGE, b"\x00\xff\xff" + bytes(61)),
        (Code.NOT_CANONICAL, b"\x00\x00\x01x" + bytes(59) + b"\x01"),
        (Code.NOT_CANONICAL, b"\x00\x00\x01x" + bytes(124)),
        (Code.NOT_CANONICAL, b"\x00\x00\x3ex" + bytes(60)),
        (Code.NOT_CANONICAL, b"\x00\x00\x01x" + bytes(61)),
    ],
)
def test_other_padding_is_refused(code: Code, plaintext: bytes) -> None:
    with pytest.raises(RemoteError) as refused:
        unpad(plaintext)
    assert refused.value.code is code


def test_a_key_changes_after_an_hour_and_each_direction_alone() -> None:
    initiator, responder = pair()
    marks = []
    for seconds in (0, 3_599, 3_600, 3_601, 7_199, 7_200, 7_201):
        message = initiator.seal(b"tick", later(seconds))
        assert said(responder.handle(message, later(seconds))) == b"tick"
        assert said(initiator.handle(responder.seal(b"tock", NOW), NOW)) == b"tock"
        marks.append(initiator._sent == 0)
    assert marks == [False, False, True, False, False, True, False]


def test_a_key_carries_65536_messages_and_no_more() -> None:
    initiator, responder = pair()
    for number in range(module.REKEY_MESSAGES - 1):
        responder.handle(initiator.seal(b"x", NOW), NOW)
        assert initiator._sent == responder._received == number + 1
    responder.handle(initiator.seal(b"the last under this key", NOW), NOW)
    assert initiator._sent == responder._received == 0
    assert said(responder.handle(initiator.seal(b"the next key", NOW), NOW)) == b"the next key"


def test_a_peer_that_does_not_change_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    initiator, responder = pair()
    monkeypatch.setattr(module, "REKEY_MESSAGES", 10)
    responder._received = 8
    assert said(responder.handle(initiator.seal(b"ninth", NOW), NOW)) == b"ninth"
    monkeypatch.setattr(module, "REKEY_MESSAGES", 2**20)
    tenth = initiator.seal(b"tenth", NOW)
    monkeypatch.setattr(module, "REKEY_MESSAGES", 10)
    with pytest.raises(RemoteError) as refused:
        responder.handle(tenth, NOW)
    assert refused.value.code is Code.LIMIT
    with pytest.raises(LocalError):
        responder.handle(tenth, NOW)


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        (Code.MALFORMED, Plain(ASH.announcement(), last=True)),
        (Code.TOO_LARGE, Plain(bytes(module.ANNOUNCEMENT_BYTES_MAX + 1), last=False)),
        (Code.MALFORMED, Plain(bytes(module.ANNOUNCEMENT_BYTES_MAX), last=False)),
    ],
)
def test_a_handshake_carries_an_announcement_and_no_change_of_key(code: Code, payload: Plain) -> None:
    noise = Handshake(
        "Noise_XX_25519_ChaChaPoly_BLAKE2s",
        True,
        module.prologue(Pattern.XX),
        s=ASH.key.private,
        entropy=random.Random(3).randbytes,
    )
    responder = answer()
    noise.read(transmitted(responder.handle(b"\x02" + noise.write(), NOW)))
    with pytest.raises(RemoteError) as refused:
        responder.handle(noise.write(pad(payload)), NOW)
    assert refused.value.code is code


def test_keys_stay_out_of_logs_and_differ_from_the_node_s() -> None:
    key = ASH.key
    assert key.private.hex()[:8] not in repr(key)
    assert key.public != ASH.id
    with pytest.raises(LocalError):
        ChannelKey.from_seed(b"short")
