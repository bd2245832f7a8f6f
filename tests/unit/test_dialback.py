"""Which of our addresses work, and dialling others back without becoming a weapon."""

from collections.abc import Sequence

import pytest

from hedgerow_protocol import relay_limits
from hedgerow_protocol.dialback import AddressTested, Reach, SelfTest, SelfTestOutput
from hedgerow_protocol.dialback_answer import DialBacks, DialWish
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import DialBack, DialedBack
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.relay_values import SendMessage

HOME = "https://hedge.example.org"
NONCE = bytes(16)


def at(seconds: float) -> Now:
    return Now(Instant(seconds), Timestamp(1_700_000_000 + int(seconds)))


T0 = at(100.0)


def node(number: int) -> NodeId:
    return NodeId(number.to_bytes(32, "big"))


class Numbers:
    """Entropy that never repeats."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, size: int) -> bytes:
        self._last += 1
        return self._last.to_bytes(size, "big")


def make(*links: int, address: str = "") -> SelfTest:
    test = SelfTest(Numbers())
    for link in links:
        up(test, link, address=address)
    return test


def up(
    test: SelfTest, link: int, *, address: str = "", now: Now = T0, relayed: bool = False, can: bool = True
) -> list[SelfTestOutput]:
    neighbourhood = neighbourhood_of(address or f"11.{link}.0.1:5000")
    return test.link_up(link, node(link), relayed=relayed, can_dial_back=can, neighbourhood=neighbourhood, now=now)


def questions(outputs: Sequence[SelfTestOutput]) -> dict[int, DialBack]:
    asked = {}
    for each in outputs:
        assert isinstance(each, SendMessage)
        assert isinstance(each.message, DialBack)
        asked[each.link] = each.message
    return asked


def answer(test: SelfTest, link: int, question: DialBack, reached: bool, now: Now = T0) -> list[SelfTestOutput]:
    """The peer of a link says whether it reached us; if it did, its dial has shown at our door before."""
    before = test.dialled_us(node(link), now) if reached else []
    return before + test.handle(link, DialedBack(question.nonce, reached), now)


# --- asking


def test_one_of_two_that_reaches_us_is_enough() -> None:
    test = make(1, 2, 3)
    asked = questions(test.addresses([HOME], T0))
    assert len(asked) == 2
    assert {each.address for each in asked.values()} == {HOME}
    assert len({each.nonce for each in asked.values()}) == 2
    no, yes = asked
    assert answer(test, no, asked[no], False) == []
    assert test.states() == {HOME: Reach.PENDING}
    assert answer(test, yes, asked[yes], True) == [AddressTested(HOME, True)]
    assert test.states() == {HOME: Reach.VERIFIED}
    assert test.next_due() == 100 + relay_limits.RETEST_SECONDS


def test_an_address_that_nobody_reaches_fails_and_is_tried_again_ever_more_rarely() -> None:
    test = make(1, 2)
    outputs, now, waits = test.addresses([HOME], T0), 100.0, []
    told: list[SelfTestOutput] = []
    for _ in range(9):
        for link, question in questions(outputs).items():
            told += answer(test, link, question, False, at(now))
        due = test.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
        outputs = test.tick(at(now))
    assert told == [AddressTested(HOME, False)]
    assert waits == [70, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_what_has_worked_must_fail_twice() -> None:
    test = make(1, 2)
    for link, question in questions(test.addresses([HOME], T0)).items():
        answer(test, link, question, True)
    for wait, expected in ((3_600, []), (70, [AddressTested(HOME, False)])):
        due = test.next_due()
        assert due is not None
        assert due == pytest.approx(T0.instant + wait if wait == 3_600 else T0.instant + 3_670)
        told: list[SelfTestOutput] = []
        for link, question in questions(test.tick(at(due))).items():
            told += answer(test, link, question, False, at(due))
        assert told == expected
    due = test.next_due()
    assert due is not None
    for link, question in questions(test.tick(at(due))).items():
        told += answer(test, link, question, True, at(due))
    assert told[-1] == AddressTested(HOME, True)


def test_nobody_can_talk_us_into_an_address_that_does_not_work() -> None:
    test = make(1)
    (question,) = questions(test.addresses([HOME], T0)).values()
    assert test.handle(1, DialedBack(question.nonce, True), T0) == []
    assert test.next_due() == 105.0
    assert test.tick(at(105)) == []
    assert test.states() == {HOME: Reach.PENDING}
    assert test.dialled_us(node(1), at(106)) == []
    due = test.next_due()
    assert due is not None
    (question,) = questions(test.tick(at(due))).values()
    assert test.handle(1, DialedBack(question.nonce, True), at(due)) == []
    assert test.dialled_us(node(1), at(due + 1)) == [AddressTested(HOME, True)]  # the door was a little slower


def test_only_who_was_asked_is_heard_and_only_once() -> None:
    test = make(1, 2, 3)
    asked = questions(test.addresses([HOME], T0))
    (third,) = {1, 2, 3} - set(asked)
    link, question = next(iter(asked.items()))
    for wrong_link, nonce in ((third, question.nonce), (link, b"?" * 16)):
        test.dialled_us(node(wrong_link), T0)
        assert test.handle(wrong_link, DialedBack(nonce, True), T0) == []
    assert answer(test, link, question, False) == []
    assert test.handle(link, DialedBack(question.nonce, True), T0) == []
    assert test.states() == {HOME: Reach.PENDING}


def test_silence_and_lost_links_prove_nothing() -> None:
    test = make(1, 2)
    test.addresses([HOME], T0)
    assert test.link_down(1, T0) == []
    assert test.next_due() == 145.0
    assert test.tick(at(145)) == []
    assert test.states() == {HOME: Reach.PENDING}
    assert test.next_due() == 205.0
    assert list(questions(test.tick(at(205)))) == [2]


def test_one_peer_is_enough_where_there_is_no_other() -> None:
    test = make(1)
    asked = questions(test.addresses([HOME], T0))
    assert answer(test, 1, asked[1], True) == [AddressTested(HOME, True)]


def test_two_askers_live_in_different_neighbourhoods_unless_at_home() -> None:
    assert len(questions(make(1, 2, address="11.1.0.1:1").addresses([HOME], T0))) == 1
    assert len(questions(make(1, 2, address="10.1.0.1:1").addresses([HOME], T0))) == 2


def test_a_peer_has_its_minute_of_peace_also_over_a_new_link() -> None:
    test = make(1)
    assert list(questions(test.addresses([HOME, "https://other.example.org"], T0))) == [1]
    test.link_down(1, T0)
    assert test.next_due() is None
    assert up(test, 1, now=at(120)) == []
    assert test.next_due() == 170.0
    assert questions(test.tick(at(170)))[1].address == "https://other.example.org"


def test_who_cannot_dial_back_is_not_asked_and_who_comes_later_is() -> None:
    test = make()
    assert test.addresses([HOME], T0) == []
    assert up(test, 1, can=False) == []
    assert up(test, 2, relayed=True) == []
    assert test.next_due() is None
    assert list(questions(up(test, 3))) == [3]


def test_addresses_come_and_go() -> None:
    test = make(1, 2)
    asked = questions(test.addresses([HOME], T0))
    assert test.addresses([], T0) == []
    assert answer(test, 1, asked[1], True) == []
    assert test.states() == {}
    assert test.next_due() is None


def test_the_keeper_can_have_it_tested_again_at_once() -> None:
    test = make(1)
    now = T0
    for _ in range(5):
        for question in questions(test.addresses([HOME], now)).values():
            answer(test, 1, question, False, now)
        now = at(now.instant + 70)
    assert test.states() == {HOME: Reach.FAILED}
    assert len(questions(test.addresses([HOME], now))) == 1


# --- answering


def wish(
    backs: DialBacks, address: str, *, seen: str = "11.1.0.1:5000", peer: int = 1, now: Now = T0
) -> list[DialWish]:
    return backs.wished(peer, node(peer), seen, DialBack(address, NONCE), now, relayed=False)


def test_a_peer_is_dialled_and_told() -> None:
    backs = DialBacks()
    assert wish(backs, "wss://Hedge.example.org/peer") == [
        DialWish("https://hedge.example.org/peer", node(1), public_only=True)
    ]
    address = "https://hedge.example.org/peer"
    assert backs.outcome(address, node(2), T0, reached=True) == []
    assert backs.outcome("https://x.example.org", node(1), T0, reached=True) == []
    assert backs.outcome(address, node(1), T0, reached=True) == [SendMessage(1, DialedBack(NONCE, True))]
    assert backs.outcome(address, node(1), T0, reached=False) == []


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("http://11.1.0.1:8080", "11.1.0.1:5000"),
        ("http://[2a00::1]", "[2a00::1]:5000"),
        ("http://[2a00:0::1]", "http://[2a00::1]:80/"),
        ("http://[::ffff:11.1.0.1]", "11.1.0.1:1"),
        ("http://127.0.0.1:4000", "127.0.0.1:5000"),
        ("http://192.168.1.9:4000", "192.168.1.9:5000"),
        ("http://localhost:4000", "127.0.0.1:5000"),
        ("http://hedge.local", "192.168.1.9:5000"),
        ("https://hedge.example.org/a/b", "https://other.example.org"),
    ],
)
def test_where_the_peer_itself_is(address: str, seen: str) -> None:
    assert len(wish(DialBacks(), address, seen=seen)) == 1


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("http://11.1.0.2:8080", "11.1.0.1:5000"),  # somebody else
        ("http://127.0.0.1:8080", "11.1.0.1:5000"),  # ourselves
        ("http://192.168.1.1", "11.1.0.1:5000"),  # our router
        ("http://192.168.1.1", "192.168.1.9:5000"),
        ("http://localhost:8080", "11.1.0.1:5000"),
        ("http://localhost:8080", "192.168.1.9:5000"),
        ("http://router", "11.1.0.1:5000"),
        ("http://printer.local", "https://hedge.example.org"),
        ("http://2130706433", "11.1.0.1:5000"),
        ("http://127.1", "127.0.0.1:5000"),
        ("http://11.1.0.1:22", "11.1.0.1:5000"),
        ("ftp://11.1.0.1", "11.1.0.1:5000"),
        ("http://me@11.1.0.1", "11.1.0.1:5000"),
        ("http://hedge.example.org/?q=1", "11.1.0.1:5000"),
        ("http://hedge.example.org/a b", "11.1.0.1:5000"),
        ("http://" + "a" * 56 + ".onion", "11.1.0.1:5000"),
        ("relay:" + "a" * 52, "11.1.0.1:5000"),
        ("http://hedge.example.org", ""),
        ("http://hedge.example.org", "relay"),
        ("http://11.1.0.1", "[11.1.0.1"),
        ("", "11.1.0.1:5000"),
    ],
)
def test_never_at_anybody_else(address: str, seen: str) -> None:
    backs = DialBacks()
    if seen == "relay":
        assert backs.wished(1, node(1), "11.1.0.1:1", DialBack(address, NONCE), T0, relayed=True) == []
    else:
        assert wish(backs, address, seen=seen) == []
    assert backs.refused == 1


def test_names_must_not_lead_home_unless_the_peer_is_at_home() -> None:
    assert wish(DialBacks(), HOME)[0].public_only
    assert not wish(DialBacks(), HOME, seen="192.168.1.9:1")[0].public_only


def test_an_onion_address_needs_a_way_into_tor() -> None:
    onion = "http://" + "a" * 56 + ".onion"
    assert wish(DialBacks(onion=True), onion) == [DialWish(onion, node(1), public_only=True)]


def test_one_peer_and_one_door_once_a_minute() -> None:
    backs = DialBacks()
    assert wish(backs, HOME)
    assert not wish(backs, "https://b.example.org")
    assert not wish(backs, HOME, peer=2)
    assert wish(backs, "https://b.example.org", peer=2)
    assert not wish(backs, HOME, peer=3, now=at(159))
    assert wish(backs, HOME, peer=3, now=at(160))


def test_ten_dials_at_a_time() -> None:
    backs = DialBacks()
    given = [bool(wish(backs, f"https://{n}.example.org", peer=n)) for n in range(12)]
    assert given == [True] * 10 + [False] * 2
    backs.outcome("https://3.example.org", node(3), T0, reached=False)
    assert wish(backs, HOME, peer=20)
    assert not wish(backs, "https://z.example.org", peer=21)
    assert wish(backs, "https://y.example.org", peer=22, now=at(130))
    assert backs.outcome(HOME, node(20), at(131), reached=True) == []  # too late


def test_nobody_is_told_over_a_link_that_is_gone() -> None:
    backs = DialBacks()
    wish(backs, HOME)
    backs.link_down(1)
    assert backs.outcome(HOME, node(1), T0, reached=True) == []


def test_memory_is_bounded() -> None:
    backs = DialBacks()
    given = 0
    for n in range(2_000):
        address = f"https://{n}.example.org"
        given += bool(wish(backs, address, peer=n))
        backs.outcome(address, node(n), T0, reached=False)
    assert given == relay_limits.DIAL_BACK_REMEMBERED_MAX // 2


def test_both_sides_together() -> None:
    asking, backs = make(1), DialBacks()
    ((link, question),) = questions(asking.addresses([HOME], T0)).items()
    (dial,) = backs.wished(9, node(77), "11.1.0.1:1", question, T0, relayed=False)
    assert (dial.address, dial.peer) == (HOME, node(77))
    asking.dialled_us(node(1), at(101))
    (said,) = backs.outcome(dial.address, dial.peer, at(101), reached=True)
    assert said.link == 9
    assert isinstance(said.message, DialedBack)
    assert asking.handle(link, said.message, at(102)) == [AddressTested(HOME, True)]
