"""What a node says of itself: always newer, only what works, and nothing it was not told to say."""

from hedgerow_node.net.announcing import (
    CHANGE_SECONDS_MIN,
    LIFE_SECONDS,
    RETRACT_SECONDS,
    Announcer,
    channel_key,
    relay_address,
)
from hedgerow_protocol.envelope import parse_envelope, verify_envelope
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.neighbourhood import relay_of
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, read_record

KEY = SigningKey.from_seed(Usage.NODE, b"k" * 32)
ONION = "http://" + "a" * 56 + ".onion"
NOW = Timestamp(1_800_000_000)


def announcer(announce: str = "", onion: str = "", last_seq: int = 0) -> Announcer:
    return Announcer(
        key=KEY, channel=channel_key(KEY), features=("relay/1",), announce=announce, onion=onion, last_seq=last_seq
    )


def read(envelope: bytes) -> Announcement:
    record = read_record(verify_envelope(parse_envelope(envelope)))
    assert isinstance(record, Announcement)
    return record


def test_it_is_signed_names_the_channel_key_and_says_only_what_was_chosen() -> None:
    said = announcer("https://hedgerow.example.org/groups").renew(NOW)
    assert said is not None
    record = read(said.envelope)
    assert (record.node, record.channel) == (KEY.public, channel_key(KEY).public)
    assert record.addresses == ("https://hedgerow.example.org/groups",)
    assert record.features == ("relay/1",)
    assert (record.seq, record.issued, record.expires) == (NOW, NOW, NOW + LIFE_SECONDS)
    assert said.gossiped
    quiet = announcer().renew(NOW)
    assert quiet is not None
    assert not quiet.gossiped


def test_the_channel_key_is_the_same_at_every_start_and_belongs_to_the_node() -> None:
    assert channel_key(KEY) == channel_key(SigningKey.from_seed(Usage.NODE, b"k" * 32))
    assert channel_key(KEY).public != channel_key(SigningKey.from_seed(Usage.NODE, b"l" * 32)).public


def test_it_is_remade_at_half_of_its_life_and_always_newer() -> None:
    node = announcer("http://hedgerow.example.org")
    first = node.renew(NOW)
    assert first is not None
    assert node.renew(Timestamp(NOW + LIFE_SECONDS // 2 - 1)) is None
    second = node.renew(Timestamp(NOW + LIFE_SECONDS // 2))
    assert second is not None
    assert second.seq > first.seq


def test_a_change_of_address_is_said_at_once_and_then_once_a_minute() -> None:
    node = announcer()
    first = node.renew(NOW)
    assert first is not None
    node.relays = (NodeId(b"r" * 32),)
    second = node.renew(NOW)
    assert second is not None
    assert second.gossiped
    assert second.seq > first.seq
    assert relay_of(read(second.envelope).addresses[0]) == b"r" * 32
    node.relays = (NodeId(b"s" * 32),)
    assert node.renew(Timestamp(NOW + CHANGE_SECONDS_MIN - 1)) is None
    third = node.renew(Timestamp(NOW + CHANGE_SECONDS_MIN))
    assert third is not None
    assert relay_of(read(third.envelope).addresses[0]) == b"s" * 32


def test_addresses_are_taken_back_when_they_are_gone_for_long() -> None:
    node = announcer()
    node.relays = (NodeId(b"r" * 32),)
    assert node.renew(NOW) is not None
    node.relays = ()
    assert node.renew(Timestamp(NOW + 1_000)) is None
    node.relays = (NodeId(b"r" * 32),)  # back again: nobody hears of it
    assert node.renew(Timestamp(NOW + 1_100)) is None
    node.relays = ()
    assert node.renew(Timestamp(NOW + 2_000)) is None
    taken_back = node.renew(Timestamp(NOW + 2_000 + RETRACT_SECONDS))
    assert taken_back is not None
    assert taken_back.gossiped
    assert taken_back.addresses == ()
    assert node.renew(Timestamp(NOW + 9_000)) is None  # once is enough


def test_after_a_start_the_relays_have_time_to_come_back() -> None:
    node = announcer()
    node.told = True
    first = node.renew(NOW)
    assert first is not None
    assert not first.gossiped
    taken_back = node.renew(Timestamp(NOW + RETRACT_SECONDS))
    assert taken_back is not None
    assert taken_back.gossiped


def test_a_clock_that_was_set_back_does_not_make_an_older_announcement() -> None:
    said = announcer("http://hedgerow.example.org", last_seq=NOW + 5_000).renew(NOW)
    assert said is not None
    assert read(said.envelope).seq == NOW + 5_001


def test_an_address_that_nobody_gets_through_to_is_not_announced_until_somebody_does() -> None:
    node = announcer("http://hedgerow.example.org", ONION)
    assert node.addresses == ("http://hedgerow.example.org", ONION)
    assert not node.wants_relays
    node.reached("http://hedgerow.example.org", reached=False)
    assert node.addresses == (ONION,)
    assert not node.wants_relays
    node.reached(ONION, reached=False)
    assert node.addresses == ()
    assert node.wants_relays
    node.reached(ONION, reached=True)
    assert node.addresses == (ONION,)
    assert announcer().wants_relays


def test_an_address_that_others_would_not_dial_is_left_out() -> None:
    assert announcer("http://hedgerow.example.org:25").addresses == ()
    assert announcer("HTTP://Hedgerow.Example.org:80/").addresses == ("http://hedgerow.example.org",)


def test_not_more_relays_than_others_would_read() -> None:
    node = announcer()
    node.relays = tuple(NodeId(bytes([number]) * 32) for number in range(9))
    assert node.addresses == tuple(map(relay_address, node.relays[:3]))
