"""Whom a node dials, and when."""

from collections import Counter
from itertools import pairwise

import pytest

from finding_worlds import DAY, World, address_in, announced, finding_of, moment, node_of, place_in
from hedgerow_protocol.dial_rules import OpenLink, Plan, Purpose, may_enter_mesh
from hedgerow_protocol.finding import Finding
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.known_addresses import KnownAddresses
from hedgerow_protocol.neighbourhood import Neighbourhood, neighbourhood_of
from hedgerow_protocol.ports import Instant, Now

FRIEND = "https://friend.example.org"


def learn(
    finding: Finding, number: int, *addresses: str, source: Neighbourhood | None = None, now: Now | None = None
) -> None:
    """Node ``number`` is told of: by itself, unless somebody else is named."""
    told = announced(number, *(addresses or (address_in(number),)))
    finding.book.learn(*told, source or place_in(number), now or moment())


def link_to(
    number: int, address: str | None = None, *, since: float = 0, outbound: bool = True, **more: bool
) -> OpenLink:
    return OpenLink(node_of(number), outbound, address or address_in(number), moment(since).instant, **more)


def peers(plans: list[Plan]) -> set[NodeId | None]:
    return {plan.peer for plan in plans}


def test_a_pinned_peer_is_dialled_at_once() -> None:
    finding = finding_of()
    finding.set_pinned([FRIEND + "/"])
    assert finding.next_due(moment()) == moment().instant
    assert finding.due([], moment()) == [Plan(FRIEND, None, None, Purpose.KEEP, pinned=True)]
    assert finding.due([], moment(1)) == []


def test_a_pinned_peer_is_dialled_again_and_again_with_growing_pauses() -> None:
    finding = finding_of()
    finding.set_pinned([FRIEND])
    world = World(finding, {})
    world.run(3_600)
    times = [when for when, _ in world.plans]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] < 6
    assert all(pause <= 303 for pause in pauses)
    assert all(pause >= 220 for pause in pauses[8:])
    assert 15 < len(pauses) < 30


def test_a_link_that_lasted_is_opened_again_quickly_and_one_that_flaps_is_not() -> None:
    steady, flapping = finding_of(slots=0), finding_of(slots=0)
    for finding, lasts in ((steady, 600.0), (flapping, 1.0)):
        finding.set_pinned([FRIEND])
        seconds, when = [], 0.0
        for _ in range(8):
            assert len(finding.due([], moment(when))) == 1
            link = link_to(1, FRIEND, since=when, pinned=True)
            finding.opened(link, moment(when))
            when += lasts
            assert finding.due([link], moment(when)) == []
            finding.closed(link, moment(when))
            finding.due([], moment(when))
            pause = finding.next_due(moment(when)) - moment(when).instant
            assert finding.due([], moment(when + pause))
            seconds.append(pause)
            when += pause
            finding.failed(FRIEND, moment(when))
            when += 400
        assert (max(seconds) < 6) is (finding is steady)


def test_the_channel_key_of_a_pinned_peer_is_used_once_it_is_known() -> None:
    finding = finding_of()
    learn(finding, 1, FRIEND)
    finding.set_pinned([FRIEND])
    finding.due([], moment())
    link = link_to(1, FRIEND, pinned=True)
    finding.opened(link, moment())
    finding.closed(link, moment(100))
    plan = finding.due([], moment(200))[0]
    assert (plan.peer, plan.pinned, plan.channel_key) == (node_of(1), True, announced(1, FRIEND)[0].channel)


def test_never_ourselves_and_nobody_twice() -> None:
    finding = finding_of()
    own = "https://we.example.net"
    finding.set_self(node_of(0), [own])
    finding.set_pinned([own, FRIEND])
    learn(finding, 0, "https://other.example.com")
    learn(finding, 5, own)
    learn(finding, 1)
    assert {plan.address for plan in finding.due([], moment())} == {FRIEND, address_in(1)}
    finding.opened(link_to(0, FRIEND), moment(1))
    assert finding.due([link_to(1)], moment(10_000)) == []
    finding = finding_of()
    learn(finding, 1)
    assert finding.due([link_to(1, "1.2.3.4:555", outbound=False)], moment()) == []


def test_who_is_refused_or_asked_us_to_stay_away_is_left_alone() -> None:
    finding = finding_of()
    for number in (1, 2, 3):
        learn(finding, number)
    finding.set_refused(lambda node: node == node_of(1))
    finding.stay_away(node_of(2), 600, moment())
    assert peers(finding.due([], moment())) == {node_of(3)}
    assert peers(finding.due([link_to(3)], moment(601))) == {node_of(2)}


def test_eight_slots_are_filled_at_once_and_filled_again() -> None:
    finding = finding_of()
    for number in range(30):
        learn(finding, number)
    world = World(finding, {address_in(number): node_of(number) for number in range(30)})
    world.run(2)
    assert len(set(world.outbound())) == 8
    world.close(world.links[0], moment(2))
    world.run(5)
    assert len(set(world.outbound())) == 8
    assert len(world.plans) == 9


def test_a_fresh_node_with_one_friend_fills_its_slots_within_seconds() -> None:
    finding = finding_of()
    finding.set_pinned([address_in(0)])
    answers = {address_in(number): node_of(number) for number in range(60)}
    world = World(finding, answers)

    def tells(link: OpenLink, now: Now) -> None:
        """Each tells of sixteen others."""
        asked = next(number for number in range(60) if node_of(number) == link.peer)
        for number in range(asked * 7, asked * 7 + 16):
            finding.book.learn(*announced(number % 60, address_in(number % 60)), neighbourhood_of(link.address), now)

    world.tells = tells
    world.run(10)
    assert len(set(world.outbound())) == 8
    assert world.plans[0][0] == 0


def test_dials_that_fail_are_paced() -> None:
    finding = finding_of()
    for number in range(200):
        learn(finding, number)
    world = World(finding, {})
    world.run(60)
    assert 40 < len(world.plans) <= 8 + 60 + 2
    worst = Counter(plan.peer for _, plan in world.plans).most_common(1)[0][1]
    assert worst <= 2


def test_one_link_for_each_neighbourhood_but_not_at_home() -> None:
    finding = finding_of()
    for number in range(20):
        learn(finding, number, address_in(number % 3, number))
    assert len(finding.due([], moment())) == 3
    finding = finding_of()
    for number in range(20):
        learn(finding, number, f"http://192.168.0.{number + 1}:8470", source=neighbourhood_of("192.168.0.200"))
    assert len(finding.due([], moment())) == 8


def test_two_links_for_each_source() -> None:
    finding = finding_of()
    for number in range(20):
        learn(finding, number, source=place_in(500))
    plans = finding.due([], moment())
    assert len(plans) == 2
    links = []
    for plan in plans:
        assert plan.peer is not None
        links.append(OpenLink(plan.peer, True, plan.address, moment().instant))
        finding.opened(links[-1], moment())
    assert not [plan for plan in finding.due(links, moment(60)) if plan.purpose is Purpose.KEEP]
    learn(finding, 30, source=place_in(501))
    assert node_of(30) in peers(finding.due(links, moment(61)))


def test_a_node_known_for_a_day_stands_on_its_own_name() -> None:
    finding = finding_of()
    for number in range(6):
        learn(finding, number, source=place_in(500))
        finding.book.tried(node_of(number), True, moment())
    assert len(finding.due([], moment(DAY))) == 6


def test_at_most_half_of_the_slots_to_onions() -> None:
    finding = Finding(finding_of().book, bytes, onion=True)
    for number in range(10):
        letter = "abcdefghij"[number]
        learn(finding, number, "http://" + letter * 56 + ".onion", source=place_in(number))
    assert len(finding.due([], moment())) == 4
    without = Finding(finding.book, bytes)
    assert without.due([], moment(100)) == []


def test_the_next_address_after_a_failure() -> None:
    finding = finding_of()
    learn(finding, 1, address_in(1), "https://one.example.org")
    dialled, now = [], 0.0
    online = [link_to(9, outbound=False)]
    for _ in range(2):
        plan = finding.due(online, moment(now))[0]
        dialled.append(plan.address)
        finding.failed(plan.address, moment(now))
        now += 3_600
    assert dialled == [address_in(1), "https://one.example.org"]


def test_failures_count_only_while_we_are_online() -> None:
    for online in (False, True):
        finding = finding_of()
        learn(finding, 1)
        links = [link_to(9, outbound=False)] if online else []
        for hour in range(5):
            for plan in finding.due(links, moment(hour * 4_000)):
                finding.failed(plan.address, moment(hour * 4_000))
        assert (finding.book.get(node_of(1)) is None) is online


def test_a_dial_that_is_never_answered_is_over_after_a_while() -> None:
    finding = finding_of()
    finding.set_pinned([FRIEND])
    finding.due([], moment())
    assert finding.next_due(moment()) <= moment(60).instant
    assert len(finding.due([], moment(61))) == 1


def test_the_wrong_node_at_an_address() -> None:
    finding = finding_of()
    learn(finding, 1)
    plan = finding.due([], moment())[0]
    finding.failed(plan.address, moment(), wrong_node=True)
    assert finding.book.get(node_of(1)) is None


def test_anchors_first_after_a_restart() -> None:
    before = finding_of()
    for number in range(100):
        learn(before, number)
    links = [link_to(number, since=number) for number in (7, 3, 9, 5, 4, 8)]
    before.due(links, moment(300))
    assert before.book.anchors == ()
    before.due(links, moment(700))
    assert before.book.anchors == tuple(node_of(number) for number in (3, 4, 5, 7))
    for seed in range(5):
        after = Finding(before.book, finding_of(seed)._chance._entropy)
        after.due([], moment(800))
        assert after.book.anchors == before.book.anchors
    after = Finding(before.book, finding_of(9)._chance._entropy)
    plans = after.due([], moment(5_000))
    assert [plan.peer for plan in plans[:2]] == [node_of(3), node_of(4)]
    assert len(plans) == 8


def test_pinned_links_and_inbound_ones_are_no_anchors() -> None:
    finding = finding_of()
    for number in range(3):
        learn(finding, number)
    links = [link_to(0, pinned=True), link_to(1, outbound=False), link_to(2, kept=False)]
    finding.due(links, moment(5_000))
    assert finding.book.anchors == ()


def test_pinned_peers_take_slots_but_never_all() -> None:
    finding = finding_of()
    for number in range(40):
        learn(finding, number)
    finding.set_pinned([f"https://friend.example{number}.org" for number in range(10)])
    plans = finding.due([], moment())
    assert sum(plan.pinned for plan in plans) == 10
    assert sum(not plan.pinned for plan in plans) == 4


def test_feelers_and_audits_come_steadily() -> None:
    finding = finding_of()
    for number in range(300):
        learn(finding, number)
    world = World(finding, {address_in(number): node_of(number) for number in range(300)})
    world.run(3_600)
    count = Counter(plan.purpose for _, plan in world.plans)
    assert count[Purpose.KEEP] == 8
    assert 26 <= count[Purpose.FEELER] <= 34
    assert count[Purpose.AUDIT] in (14, 15)
    audits = [when for when, plan in world.plans if plan.purpose is Purpose.AUDIT]
    assert all(abs(later - earlier - 240) < 1 for earlier, later in pairwise(audits))
    visited = [plan.peer for _, plan in world.plans if plan.purpose is not Purpose.KEEP]
    assert not set(visited) & set(world.outbound())
    assert sum(entry.tried for entry in finding.book) > 25


def test_the_local_network() -> None:
    finding = finding_of(slots=0)
    assert finding.found("http://192.168.0.7:8470")
    assert not finding.found("http://192.168.0.7:8470/")
    assert not finding.found("http://9.9.9.9:8470")
    assert [plan.address for plan in finding.due([], moment())] == ["http://192.168.0.7:8470"]
    for number in range(40):
        finding.found(f"http://10.0.0.{number}:8470")
    assert len(finding.due([], moment(1))) == 15
    # What does not answer makes room for what is found later.
    finding.failed("http://192.168.0.7:8470", moment(2))
    assert finding.found("http://192.168.0.8:8470")
    assert [plan.address for plan in finding.due([], moment(3))] == ["http://192.168.0.8:8470"]


def test_a_local_address_that_never_answers_rests_until_it_is_found_again() -> None:
    finding = finding_of()
    finding.found("http://192.168.0.7:8470")
    world = World(finding, {})
    world.run(2 * 3_600)
    assert len(world.plans) == 8
    finding.found("http://192.168.0.7:8470")
    assert len(finding.due([], moment(7_200))) == 1


def test_a_local_node_that_linked_to_us_is_not_dialled_for_ever() -> None:
    finding = finding_of()
    finding.found("http://192.168.0.7:8470")
    finding.due([], moment())
    inbound = link_to(1, "192.168.0.7:51000", outbound=False)
    finding.opened(inbound, moment())
    second = link_to(1, "http://192.168.0.7:8470")
    finding.opened(second, moment(1))
    finding.closed(second, moment(1))
    assert finding.due([inbound], moment(1_000)) == []
    assert len(finding.due([], moment(1_001))) == 1


def test_without_slots_only_chosen_and_local_peers() -> None:
    finding = finding_of(slots=0)
    for number in range(5):
        learn(finding, number)
    finding.set_pinned([FRIEND])
    world = World(finding, {})
    world.run(3_600)
    assert {plan.address for _, plan in world.plans} == {FRIEND}


def test_nodes_behind_relays_are_left_to_whoever_asks() -> None:
    finding = finding_of()
    learn(finding, 1, f"relay:{to_text(node_of(7))}", source=place_in(7))
    assert finding.due([], moment()) == []
    entry = finding.relayed({node_of(7)}, moment())
    assert entry is not None
    assert entry.node == node_of(1)
    assert finding.relayed({node_of(8)}, moment()) is None
    finding.due([link_to(1, outbound=False)], moment())
    assert finding.relayed({node_of(7)}, moment()) is None


def test_known_addresses_are_bounded() -> None:
    addresses = KnownAddresses(finding_of()._chance, 2)
    assert addresses.add("http://10.0.0.1:8470")
    assert addresses.add("http://10.0.0.2:8470")
    assert not addresses.add("http://10.0.0.3:8470")
    known = addresses.get("http://10.0.0.1:8470/")
    assert known is not None
    addresses.failed(known, Instant(0.0))
    assert addresses.add("http://10.0.0.3:8470")
    assert len(addresses) == 2


@pytest.mark.parametrize(
    ("outbound", "seconds", "candidates", "may"),
    [(True, 0, 20, True), (False, 0, 20, False), (False, 600, 20, True), (False, 0, 5, True), (False, 0, 6, False)],
)
def test_who_may_enter_the_mesh(outbound: bool, seconds: float, candidates: int, may: bool) -> None:
    assert may_enter_mesh(outbound=outbound, connected_for=seconds, candidates=candidates) is may
