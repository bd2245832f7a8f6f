"""Places and circuits: what a relay gives, what it refuses, and how it shares its line."""

from collections.abc import Iterator, Sequence
from itertools import count

import pytest

from hedgerow_protocol import limits, messages, relay_limits
from hedgerow_protocol.channel_plaintext import Plain, pad
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, CircuitData, Connect, Incoming, Reserve, Reserved
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.relay import Relay, RelayMessage
from hedgerow_protocol.relay_values import (
    CircuitDown,
    CircuitFailed,
    CircuitIn,
    CircuitUp,
    Ended,
    RelayLink,
    RelayOutput,
    RelaysChanged,
    SendMessage,
)

OWN = NodeId(b"o" * 32)
HOUR = 3_600.0


def at(seconds: float) -> Now:
    return Now(Instant(seconds), Timestamp(1_700_000_000 + int(seconds)))


T0 = at(100.0)


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


def entropy(size: int) -> bytes:
    return bytes(size)


def place(number: int) -> str:
    """An address in a neighbourhood of its own."""
    return f"11.{number}.0.1:5000"


def make(**settings: bool) -> Relay:
    return Relay(OWN, entropy, **settings)


def up(
    relay: Relay, link: int, *, peer: int | None = None, address: str | None = None, **more: bool
) -> list[RelayOutput]:
    flags = {"outbound": False, "relayed": False, "can_relay": True} | more
    return relay.link_up(
        link,
        node(link if peer is None else peer),
        neighbourhood=neighbourhood_of(place(link) if address is None else address),
        now=T0,
        **flags,
    )


def serving(*guests: int, callers: tuple[int, ...] = ()) -> Relay:
    """A relay with guests that hold a place, and other peers; each link has the number of its node."""
    relay = make()
    for link in (*guests, *callers):
        up(relay, link)
    for link in guests:
        assert relay.handle(link, Reserve(), T0) == [SendMessage(link, Reserved(3_600))]
    return relay


def refused(code: Code, relay: Relay, link: int, message: RelayMessage, now: Now = T0) -> None:
    with pytest.raises(RemoteError) as caught:
        relay.handle(link, message, now)
    assert caught.value.code is code
    assert caught.value.reason.endswith(".")


# --- as a relay


def test_a_circuit_is_carried_both_ways() -> None:
    relay = serving(1, callers=(2,))
    assert relay.handle(2, Connect(1, node(1)), T0) == [SendMessage(1, Incoming(2, node(2)))]
    assert relay.handle(2, CircuitData(1, b"one"), T0) == [SendMessage(1, CircuitData(2, b"one"))]
    assert relay.handle(1, CircuitData(2, b"two"), T0) == [SendMessage(2, CircuitData(1, b"two"))]
    assert relay.handle(1, CircuitClosed(2, 0), T0) == [SendMessage(2, CircuitClosed(1, 0))]
    assert relay.handle(2, CircuitData(1, b"late"), T0) == []
    assert relay.tally().ignored == 1
    assert relay.tally().carried_circuits == 0
    assert relay.tally().carried_bytes == 2 * relay_limits.CIRCUIT_MESSAGE_BYTES_MIN


def test_numbers_are_odd_for_who_dialled_ascending_and_never_used_twice() -> None:
    relay = serving(1, 3, callers=(2,))
    relay.handle(2, Connect(5, node(1)), T0)
    for number in (0, 4, 5, 3):
        refused(Code.BAD_FIELD, relay, 2, Connect(number, node(3)))
    relay.handle(2, CircuitClosed(5, 0), T0)
    refused(Code.BAD_FIELD, relay, 2, Connect(5, node(3)))
    assert relay.handle(2, Connect(7, node(3)), T0) == [SendMessage(3, Incoming(2, node(2)))]
    outbound = make()
    up(outbound, 4, outbound=True)
    refused(Code.BAD_FIELD, outbound, 4, Connect(1, node(9)))
    assert outbound.handle(4, Connect(2, node(9)), T0) == [SendMessage(4, CircuitClosed(2, Ended.NOT_HERE))]


def test_a_circuit_that_never_was_is_a_fault() -> None:
    relay = serving(1, callers=(2,))
    refused(Code.BAD_FIELD, relay, 2, CircuitData(1, b"x"))
    refused(Code.BAD_FIELD, relay, 2, CircuitClosed(2, 0))
    relay.handle(2, Connect(1, node(1)), T0)
    refused(Code.BAD_FIELD, relay, 1, CircuitData(1, b"x"))
    refused(Code.BAD_FIELD, relay, 1, CircuitData(4, b"x"))


def test_who_is_not_here_cannot_be_reached() -> None:
    relay = serving(1, callers=(2,))
    for number, target in ((1, node(9)), (3, node(2)), (5, OWN)):
        assert relay.handle(2, Connect(number, target), T0) == [SendMessage(2, CircuitClosed(number, Ended.NOT_HERE))]
    later = at(100 + HOUR)
    assert relay.handle(2, Connect(7, node(1)), later) == [SendMessage(2, CircuitClosed(7, Ended.NOT_HERE))]
    assert relay.tally().guests == 0
    assert relay.tally().refused == 4


def test_a_place_is_kept_by_asking_again_and_moves_to_the_newer_link() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(1, Reserve(), at(100 + HOUR / 2))
    up(relay, 7, peer=1)
    relay.handle(7, Reserve(), at(100 + HOUR / 2))
    assert relay.tally().guests == 1
    assert relay.link_down(1, T0) == []
    assert relay.handle(2, Connect(1, node(1)), at(100 + HOUR)) == [SendMessage(7, Incoming(2, node(2)))]


def test_nothing_is_relayed_over_a_relayed_link_or_by_who_does_not_serve() -> None:
    relay = serving(1)
    up(relay, 2, relayed=True)
    idle = make(serve=False)
    up(idle, 2)
    for each in (relay, idle):
        assert each.handle(2, Reserve(), T0) == [SendMessage(2, Reserved(0))]
        assert each.handle(2, Connect(1, node(1)), T0) == [SendMessage(2, CircuitClosed(1, Ended.REFUSED))]


def granted(relay: Relay, links: Iterator[int], addresses: Iterator[str], *, known: bool = False) -> int:
    """How many places are given until one is refused."""
    for given in count():
        link = next(links)
        up(relay, link, address=next(addresses), known=known)
        if relay.handle(link, Reserve(), T0) == [SendMessage(link, Reserved(0))]:
            return given
    return 0


def test_places_are_limited_by_neighbourhood_kind_and_number() -> None:
    links = count(1)
    relay = make()
    assert granted(relay, links, (f"11.0.0.{n}:1" for n in count(1))) == relay_limits.RESERVATIONS_NEIGHBOURHOOD_MAX
    assert granted(relay, links, (f"10.0.{n}.1:1" for n in count(1))) == relay_limits.RESERVATIONS_WIDE_MAX
    far = (f"12.{n}.0.1:1" for n in count(1))
    assert granted(relay, links, far) == relay_limits.RESERVATIONS_STRANGERS_MAX - 36
    assert granted(relay, links, far, known=True) == relay_limits.RESERVATIONS_MAX - 48
    assert relay.handle(1, Reserve(), T0) == [SendMessage(1, Reserved(0))]
    relay.exchanged(1)
    assert relay.handle(1, Reserve(), T0) == [SendMessage(1, Reserved(3_600))]


def test_circuits_are_limited_by_guest_pair_and_neighbourhood() -> None:
    guests = tuple(range(1, 9))
    relay = serving(*guests, callers=(20,))
    numbers = count(1, 2)
    first = [relay.handle(20, Connect(next(numbers), node(1)), T0) for _ in range(2)]
    assert first[1] == [SendMessage(20, CircuitClosed(3, Ended.REFUSED))]  # the second to the same node
    for target in (2, 3, 4):
        assert isinstance(_sent(relay.handle(20, Connect(next(numbers), node(target)), T0)), Incoming)
    refused(Code.LIMIT, relay, 20, Connect(next(numbers), node(5)))
    for caller in (21, 22, 23, 24):
        up(relay, caller)
    kinds = [type(_sent(relay.handle(caller, Connect(1, node(1)), T0))) for caller in (21, 22, 23, 24)]
    assert kinds == [Incoming, Incoming, Incoming, CircuitClosed]  # four to one node
    near = [30, 31, 32]
    for caller in near:
        up(relay, caller, address="77.7.0.1:1")
    pairs = [(caller, guest) for caller in near for guest in (5, 6, 7)]
    tried = {caller: count(1, 2) for caller in near}
    sent = [_sent(relay.handle(caller, Connect(next(tried[caller]), node(guest)), T0)) for caller, guest in pairs]
    assert [type(each) for each in sent] == [Incoming] * 8 + [CircuitClosed]
    assert relay.tally().carried_circuits == 15


def _sent(outputs: object) -> object:
    assert isinstance(outputs, list)
    assert len(outputs) == 1
    assert isinstance(outputs[0], SendMessage)
    return outputs[0].message


def test_all_circuits_are_limited_and_the_last_kept_for_acquaintances() -> None:
    relay = serving(*range(1, 13), callers=tuple(range(20, 40)))
    carried = []
    for guest in range(1, 13):
        for turn in range(3):
            caller = 20 + (guest * 3 + turn) % 20
            outputs = relay.handle(caller, Connect(2 * guest + 1, node(guest)), T0)
            carried.append(type(_sent(outputs)) is Incoming)
    assert sum(carried) == relay_limits.CIRCUITS_STRANGERS_MAX
    up(relay, 50, known=True)
    assert isinstance(_sent(relay.handle(50, Connect(1, node(12)), T0)), Incoming)


def test_circuits_in_quick_succession_are_refused_until_time_has_passed() -> None:
    relay = serving(1, callers=(2,))
    kinds = []
    for number in range(1, 21, 2):
        kinds.append(type(relay.handle(2, Connect(number, node(1)), T0)[0].message))
        relay.handle(2, CircuitClosed(number, 0), T0)
    assert kinds == [Incoming] * relay_limits.CONNECTS_BURST + [CircuitClosed] * 2
    assert isinstance(_sent(relay.handle(2, Connect(21, node(1)), at(108))), Incoming)


def test_an_idle_and_an_old_circuit_end() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(2, Connect(1, node(1)), T0)
    assert relay.next_due() == 400.0
    assert relay.tick(at(399)) == []
    both = [SendMessage(2, CircuitClosed(1, Ended.LIMIT)), SendMessage(1, CircuitClosed(2, Ended.LIMIT))]
    assert relay.tick(at(400)) == both
    relay.handle(1, Reserve(), at(400))
    relay.handle(2, Connect(3, node(1)), at(400))
    for now in range(450, 400 + 7_200, 50):
        assert len(relay.handle(1, CircuitData(4, b"ping"), at(now))) == 1
        assert relay.tick(at(now)) == []
    assert relay.next_due() == 400.0 + relay_limits.CIRCUIT_SECONDS_MAX
    assert len(relay.tick(at(400 + 7_200))) == 2


def test_a_circuit_has_a_burst_then_a_rate_and_keeps_order() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(2, Connect(1, node(1)), T0)
    payloads = [bytes([n]) * 65_536 for n in range(66)]
    payloads = [each[: relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX] for each in payloads]
    arrived: list[bytes] = []
    sent_at: list[float] = []

    def collect(outputs: object, now: float) -> None:
        assert isinstance(outputs, list)
        for each in outputs:
            assert isinstance(each.message, CircuitData)
            assert (each.link, each.message.circuit) == (1, 2)
            arrived.append(each.message.payload)
            sent_at.append(now)

    for payload in payloads:
        collect(relay.handle(2, CircuitData(1, payload), T0), 100.0)
    assert 0 < len(arrived) < len(payloads)
    assert len(arrived) * len(payloads[0]) <= relay_limits.CIRCUIT_BURST_BYTES
    while len(arrived) < len(payloads):
        due = relay.next_due()
        assert due is not None
        assert due > 100.0
        before = len(arrived)
        collect(relay.tick(at(due)), due)
        assert len(arrived) > before  # never woken for nothing
    assert arrived == payloads
    waited = sum(map(len, payloads)) - relay_limits.CIRCUIT_BURST_BYTES
    assert sent_at[-1] - 100 == pytest.approx(waited / relay_limits.CIRCUIT_RATE_BYTES, abs=0.01)


def test_who_floods_a_circuit_ends_it() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(2, Connect(1, node(1)), T0)
    passed, outputs = 0, relay.handle(2, CircuitData(1, b"x"), T0)
    for _ in range(10_000):
        if any(isinstance(each.message, CircuitClosed) for each in outputs):
            break
        passed += len(outputs)
        outputs = relay.handle(2, CircuitData(1, b"x"), T0)
    ends = [each for each in outputs if isinstance(each.message, CircuitClosed)]
    assert ends == [SendMessage(2, CircuitClosed(1, Ended.LIMIT)), SendMessage(1, CircuitClosed(2, Ended.LIMIT))]
    assert passed * relay_limits.CIRCUIT_MESSAGE_BYTES_MIN <= relay_limits.CIRCUIT_BURST_BYTES
    assert relay.next_due() is None
    assert relay.handle(2, CircuitData(1, b"x"), T0) == []


def test_a_circuit_ends_at_its_whole_volume() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(2, Connect(1, node(1)), T0)
    payload = bytes(60_000)
    volume, now = 0, 100.0
    while True:
        outputs = relay.handle(2, CircuitData(1, payload), at(now))
        if any(isinstance(each.message, CircuitClosed) for each in outputs):
            break
        volume += len(payload)
        now += 0.25  # below the rate
    assert relay_limits.CIRCUIT_BYTES_MAX - 60_000 < volume <= relay_limits.CIRCUIT_BYTES_MAX


def test_circuits_that_wait_for_the_line_are_served_in_turn() -> None:
    relay = serving(1, 2, 3, 4, callers=(11, 12, 13, 14))
    payload = bytes(60_000)
    for caller in (11, 12, 13, 14):
        relay.handle(caller, Connect(1, node(caller - 10)), T0)
    passed = dict.fromkeys((1, 2, 3, 4), 0)

    def note(outputs: Sequence[RelayOutput]) -> None:
        for each in outputs:
            assert isinstance(each, SendMessage)
            assert isinstance(each.message, CircuitData)
            passed[each.link] += len(each.message.payload)

    for _ in range(42):
        for caller in (11, 12, 13, 14):
            note(relay.handle(caller, CircuitData(1, payload), T0))
    assert sum(passed.values()) <= relay_limits.RELAY_BURST_BYTES
    while (due := relay.next_due()) is not None and due < 200:
        note(relay.tick(at(due)))
        assert max(passed.values()) - min(passed.values()) <= len(payload)
    assert set(passed.values()) == {42 * len(payload)}
    assert due == 400.0  # nothing waits any more: only idleness is left


def test_one_circuit_held_back_does_not_hold_back_another() -> None:
    relay = serving(1, 2, callers=(11, 12))
    for caller in (11, 12):
        relay.handle(caller, Connect(1, node(caller - 10)), T0)
    for _ in range(72):
        relay.handle(11, CircuitData(1, bytes(60_000)), T0)
    assert relay.handle(12, CircuitData(1, b"quick"), T0) == [SendMessage(2, CircuitData(2, b"quick"))]


def test_a_message_that_could_not_be_passed_on_is_refused() -> None:
    relay = serving(1, callers=(2,))
    relay.handle(2, Connect(1, node(1)), T0)
    largest = bytes(relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX)
    assert len(messages.encode(CircuitData(2**32 - 1, largest))) == 65_000
    refused(Code.TOO_LARGE, relay, 2, CircuitData(1, largest + b"x"))
    assert len(relay.handle(2, CircuitData(1, largest), T0)) == 1


def test_the_largest_frame_of_a_channel_inside_fits() -> None:
    tag, largest = 16, relay_limits.CIRCUIT_FRAME_BYTES_MAX
    sealed = [len(pad(Plain(bytes(size), last=False))) + tag for size in (largest, largest + 1)]
    assert sealed[0] <= relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX < sealed[1]
    assert largest > limits.RECORDS_BYTES_MAX + 4_096


def test_both_ends_hear_when_a_link_is_lost() -> None:
    for lost, other in ((1, SendMessage(2, CircuitClosed(1, 0))), (2, SendMessage(1, CircuitClosed(2, 0)))):
        relay = serving(1, callers=(2,))
        relay.handle(2, Connect(1, node(1)), T0)
        assert relay.link_down(lost, T0) == [other]
        assert relay.tally().carried_circuits == 0
        with pytest.raises(LocalError):
            relay.handle(lost, Reserve(), T0)
        assert relay.link_down(lost, T0) == []


# --- as a guest


def asked(outputs: list[RelayOutput]) -> list[int]:
    return [each.link for each in outputs if isinstance(each, SendMessage) and each.message == Reserve()]


def test_two_places_in_different_neighbourhoods_are_held() -> None:
    guest = make()
    up(guest, 1, outbound=True, address="11.1.0.1:1")
    up(guest, 2, outbound=True, address="11.1.0.2:1")
    up(guest, 3, outbound=True, can_relay=False)
    up(guest, 4, outbound=True, relayed=True)
    up(guest, 5, outbound=False)
    assert asked(guest.want_relays(True, T0)) == [1]
    assert guest.next_due() == 115.0
    assert guest.handle(1, Reserved(3_600), T0) == [RelaysChanged((node(1),))]
    assert guest.next_due() == 100 + HOUR / 2
    assert asked(up(guest, 6, outbound=True)) == [6]
    assert guest.handle(6, Reserved(3_600), T0) == [RelaysChanged((node(1), node(6)))]
    assert up(guest, 7, outbound=True) == []
    assert guest.tally().relays == (node(1), node(6))


def test_at_home_relays_may_be_neighbours() -> None:
    guest = make()
    for link in (1, 2, 3):
        up(guest, link, outbound=True, address="127.0.0.1:1")
    assert len(asked(guest.want_relays(True, T0))) == relay_limits.RELAYS_WANTED


def held(guest: Relay, *links: int) -> Relay:
    for link in links:
        up(guest, link, outbound=True)
    guest.want_relays(True, T0)
    for link in links[:2]:
        guest.handle(link, Reserved(3_600), T0)
    return guest


def test_a_place_is_asked_for_again_at_half_life_and_replaced_when_it_is_not_given() -> None:
    guest = held(make(), 1, 2, 3)
    half = at(100 + HOUR / 2)
    assert asked(guest.tick(half)) == [1, 2]
    assert guest.handle(1, Reserved(3_600), half) == []
    assert asked(guest.tick(at(half.instant + 15))) == [3]  # the second has not answered
    assert guest.handle(3, Reserved(3_600), at(half.instant + 16)) == [RelaysChanged((node(1), node(2), node(3)))]
    again = at(half.instant + 15 + 600)
    assert asked(guest.tick(again)) == [2]
    assert guest.handle(2, Reserved(0), again) == [RelaysChanged((node(1), node(3)))]


def test_a_place_that_lapses_is_no_longer_told() -> None:
    guest = held(make(), 1)
    told: list[RelayOutput] = []
    while not told:
        due = guest.next_due()
        assert due is not None
        told = [each for each in guest.tick(at(due)) if isinstance(each, RelaysChanged)]
    assert told == [RelaysChanged(())]
    assert due == 100 + HOUR


def test_a_lost_relay_is_replaced_and_a_mute_one_asked_again_later() -> None:
    guest = held(make(), 1, 2, 3)
    outputs = guest.link_down(2, T0)
    assert asked(outputs) == [3]
    assert outputs[-1] == RelaysChanged((node(1),))
    assert guest.next_due() == 115.0
    assert guest.tick(at(115)) == []
    assert guest.next_due() == 715.0
    assert asked(guest.tick(at(715))) == [3]


def test_a_place_for_a_moment_is_none() -> None:
    guest = make()
    up(guest, 1, outbound=True)
    guest.want_relays(True, T0)
    assert guest.handle(1, Reserved(relay_limits.RESERVATION_SECONDS_MIN - 1), T0) == []
    assert guest.next_due() == 700.0
    refused(Code.BAD_FIELD, guest, 1, Reserved(3_600))


def test_who_can_be_dialled_again_holds_no_places() -> None:
    guest = held(make(), 1, 2)
    assert guest.want_relays(False, T0) == [RelaysChanged(())]
    assert guest.next_due() is None
    expected = [SendMessage(1, CircuitClosed(2, Ended.REFUSED))]
    assert guest.handle(1, Incoming(2, node(9)), T0) == expected


def test_a_circuit_of_our_own() -> None:
    guest = make()
    up(guest, 1, outbound=True)
    up(guest, 2)
    assert guest.connect(node(9), node(1), T0) == [
        SendMessage(1, Connect(1, node(9))),
        CircuitUp(1, node(1), node(9), inbound=False),
    ]
    assert guest.connect(node(9), node(2), T0)[0] == SendMessage(2, Connect(2, node(9)))
    assert guest.send(1, b"hello", T0) == [SendMessage(1, CircuitData(1, b"hello"))]
    assert guest.handle(1, CircuitData(1, b"well"), T0) == [CircuitIn(1, b"well")]
    assert guest.handle(2, CircuitClosed(2, 77), T0) == [CircuitDown(2, Ended.ENDED)]
    assert guest.send(2, b"gone", T0) == []
    assert guest.close(2, T0) == []
    assert guest.close(1, T0) == [SendMessage(1, CircuitClosed(1, 0))]
    assert guest.handle(1, CircuitClosed(1, 3), T0) == []
    assert guest.tally().own_circuits == 0


def test_no_relay_no_circuit() -> None:
    guest = make()
    assert guest.connect(node(9), None, T0) == [CircuitFailed(node(9), None, Ended.NOT_HERE)]
    up(guest, 1, can_relay=False)
    up(guest, 2, relayed=True)
    up(guest, 9)
    assert guest.connect(node(9), None, T0) == [CircuitFailed(node(9), None, Ended.NOT_HERE)]
    up(guest, 3)
    assert guest.connect(node(9), node(4), T0) == [CircuitFailed(node(9), node(4), Ended.NOT_HERE)]
    for _ in range(relay_limits.CIRCUITS_GUEST_MAX):
        assert isinstance(guest.connect(node(9), node(3), T0)[1], CircuitUp)
    assert guest.connect(node(9), node(3), T0) == [CircuitFailed(node(9), node(3), Ended.REFUSED)]


def test_a_visitor_comes_in() -> None:
    guest = held(make(), 1)
    assert guest.handle(1, Incoming(2, node(9)), T0) == [CircuitUp(1, node(1), node(9), inbound=True)]
    assert guest.handle(1, CircuitData(2, b"hello"), T0) == [CircuitIn(1, b"hello")]
    assert guest.send(1, b"well", T0) == [SendMessage(1, CircuitData(2, b"well"))]
    assert guest.link_down(1, T0) == [CircuitDown(1, Ended.ENDED), RelaysChanged(())]


def test_a_relay_that_breaks_the_rules() -> None:
    guest = held(make(), 1)
    up(guest, 2, outbound=True, can_relay=False)
    refused(Code.BAD_FIELD, guest, 2, Incoming(2, node(9)))  # was never asked
    refused(Code.BAD_FIELD, guest, 1, Incoming(1, node(9)))
    refused(Code.BAD_FIELD, guest, 1, CircuitData(2, b"x"))
    for number in (2, 4, 6, 8):
        assert isinstance(guest.handle(1, Incoming(number, node(9)), T0)[0], CircuitUp)
    refused(Code.LIMIT, guest, 1, Incoming(10, node(9)))
    refused(Code.BAD_FIELD, guest, 1, Incoming(8, node(9)))
    guest.handle(1, CircuitClosed(8, 0), T0)
    for number, source in ((10, OWN), (12, node(1))):
        refusal = [SendMessage(1, CircuitClosed(number, Ended.REFUSED))]
        assert guest.handle(1, Incoming(number, source), T0) == refusal


def test_a_callers_mistakes() -> None:
    guest = make()
    up(guest, 1)
    with pytest.raises(LocalError):
        up(guest, 1)
    with pytest.raises(LocalError):
        guest.connect(OWN, None, T0)
    with pytest.raises(LocalError):
        guest.send(1, b"x", T0)
    with pytest.raises(LocalError):
        guest.close(0, T0)
    guest.connect(node(9), None, T0)
    for payload in (b"", bytes(relay_limits.CIRCUIT_PAYLOAD_BYTES_MAX + 1)):
        with pytest.raises(LocalError):
            guest.send(1, payload, T0)


def test_numbers_run_out_rather_than_round() -> None:
    link = RelayLink(
        link=1,
        peer=node(1),
        outbound=False,
        relayed=False,
        can_relay=True,
        neighbourhood=neighbourhood_of(place(1)),
        known=False,
        own_last=2**32 - 4,
    )
    assert [link.next_number(), link.next_number()] == [2**32 - 2, None]
