"""Links that rooms need: how a node is sought, how long a link is kept, and what it may cost others."""

from itertools import pairwise

from directory_fixtures import NOW
from gossip_peer import Stage, node_key, put_out, said
from hedgerow_protocol.envelope import Envelope, Kind, sign
from hedgerow_protocol.gossip import events
from hedgerow_protocol.gossip.events import (
    AnnouncementFound,
    AnnouncementSought,
    Close,
    Dial,
    DialFailed,
    Leave,
    LetterOut,
    LinkDown,
    LinkId,
    NodesBlocked,
    PeerUp,
    PeerWanted,
    Reason,
    Why,
)
from hedgerow_protocol.gossip.settings import ROOMS, Settings
from hedgerow_protocol.gossip.wanting import AGAIN_SECONDS_MAX, WANTED_LINKS_MAX, WANTED_SECONDS
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.messages import Bye, Connect
from hedgerow_protocol.neighbourhood import Neighbourhood, neighbourhood_of
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, read_announcement

ALONE = Settings(rooms=True, outbound=0)
"""Dials nobody of its own choice: what is dialled, rooms need."""


def node(number: int) -> NodeId:
    return NodeId(node_key(number).public[1:])


def relay(number: int) -> str:
    return "relay:" + to_text(node(number))


def announced(number: int, *addresses: str, seq: int = NOW) -> Envelope:
    key = node_key(number)
    record = Announcement(
        node=key.public, channel=bytes([number % 256]) * 32, addresses=addresses, features=(), seq=seq,
        issued=NOW, expires=Timestamp(NOW + 7 * 86_400),
    )  # fmt: skip
    return sign(Kind.ANNOUNCEMENT, record.to_body(), [key]).envelope


def learn(stage: Stage, number: int, *addresses: str, seq: int = NOW) -> None:
    """Put a node into the address book, as told by somebody far away."""
    envelope = announced(number, *addresses, seq=seq)
    source = stage.machine.book.get(node(number))
    stage.machine.book.learn(
        read_announcement(envelope.body), envelope, source.sources[0] if source else _far(number), stage.now
    )


def _far(number: int) -> Neighbourhood:
    return neighbourhood_of(f"http://198.{number % 200 + 1}.0.1:8470")


def dials(stage: Stage, start: int = 0) -> list[Dial]:
    return put_out(stage.out[start:], Dial)


def fail(stage: Stage, dial: Dial) -> None:
    stage.give(DialFailed(dial.address, dial.peer))


def reached(stage: Stage, number: int, dial: Dial, *features: str) -> LinkId:
    """What was dialled answers."""
    link = stage.link(
        number, address=dial.address, hello=False, why=dial.why, relayed=dial.address.startswith("relay:")
    )
    stage.say(link, stage.hello(link, features=features or (ROOMS,)))
    return link


def test_a_wanted_node_is_dialled_where_it_says_it_is() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    assert dials(stage) == [Dial("https://one.example.org", node(1), bytes([1]) * 32, Why.ROOMS)]
    stage.give(PeerWanted(node(1)))
    stage.pass_time(30)
    assert len(dials(stage)) == 1  # one at a time
    reached(stage, 1, dials(stage)[0])
    assert put_out(stage.out, PeerUp)
    stage.pass_time(120)
    assert len(dials(stage)) == 1


def test_every_way_is_tried_and_then_pauses_grow() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org", "https://two.example.net")
    times: list[tuple[float, str]] = []
    stage.give(PeerWanted(node(1)))
    for _ in range(24):
        while len(dials(stage)) == len(times):
            stage.give(PeerWanted(node(1)))
            stage.pass_time(0.5)
        times.append((stage.time, dials(stage)[-1].address))
        fail(stage, dials(stage)[-1])
    assert [address for _, address in times[:4]] == ["https://one.example.org", "https://two.example.net"] * 2
    starts = [when for when, _ in times[::2]]
    pauses = [after - before for before, after in pairwise(starts)]
    for pause, expected in zip(pauses, (5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900), strict=True):
        assert expected * 0.79 <= pause <= expected * 1.21 + 2
    assert max(pauses) <= AGAIN_SECONDS_MAX * 1.21
    assert all(second - first < 2 for (first, _), (second, _) in zip(times[::2], times[1::2], strict=True))


def test_a_dial_of_which_nothing_is_heard_is_over_after_a_minute() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    stage.pass_time(59)
    assert len(dials(stage)) == 1
    stage.pass_time(10)
    assert len(dials(stage)) == 2


def test_a_new_announcement_ends_the_pause() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    for _ in range(5):
        fail(stage, dials(stage)[-1])
        stage.give(PeerWanted(node(1)))
        stage.pass_time(90)
    fail(stage, dials(stage)[-1])
    before = len(stage.out)
    stage.pass_time(20)
    assert not dials(stage, before)
    # The same again is no news; a newer one is.
    stage.give(AnnouncementFound(announced(1, "https://new.example.org").to_bytes()))
    assert not dials(stage, before)
    stage.give(AnnouncementFound(announced(1, "https://new.example.org", seq=NOW + 1).to_bytes()))
    assert [each.address for each in dials(stage, before)] == ["https://new.example.org"]


def test_who_announces_himself_without_end_is_not_dialled_without_end() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    for number in range(100):
        if stage.machine.wanting.is_dialling(node(1)):
            fail(stage, dials(stage)[-1])
        stage.give(AnnouncementFound(announced(1, f"https://n{number}.example.org", seq=NOW + 1 + number).to_bytes()))
        stage.pass_time(0.1)
    assert len(dials(stage)) <= 4  # ten seconds


def test_a_node_that_is_in_no_book_is_looked_for_among_the_records() -> None:
    stage = Stage(settings=ALONE)
    stage.give(PeerWanted(node(1)))
    assert put_out(stage.out, AnnouncementSought) == [AnnouncementSought(node(1))]
    stage.give(AnnouncementFound(announced(1, "http://192.168.1.7:8470", "https://one.example.org").to_bytes()))
    # Nobody knows who told it, so no address inside a household is believed.
    assert [each.address for each in dials(stage)] == ["https://one.example.org"]


def test_a_node_that_announces_nothing_has_to_dial_us() -> None:
    stage = Stage(settings=ALONE)
    stage.give(PeerWanted(node(1)))
    stage.pass_time(400)
    assert not dials(stage)
    assert 4 <= len(put_out(stage.out, AnnouncementSought)) <= 10  # 0, 5, 15, 35, 75, 155, 315 seconds
    link = stage.link(1, outbound=False, hello=False)
    stage.say(link, stage.hello(link, features=(ROOMS,)))
    assert put_out(stage.out, PeerUp) == [PeerUp(node(1), link)]


def test_a_node_behind_a_relay_is_reached_through_a_link_that_is_there() -> None:
    stage = Stage(settings=ALONE)
    stage.link(2, hello=False)
    stage.say(LinkId(1), stage.hello(LinkId(1), features=("relay/1",)))
    learn(stage, 1, relay(3), relay(2))
    stage.give(PeerWanted(node(1)))
    assert dials(stage) == [Dial(relay(2), node(1), bytes([1]) * 32, Why.ROOMS)]
    assert said(stage.give(events.CircuitWanted(node(1), node(2))), Connect)


def test_a_relay_that_is_not_linked_is_dialled_first() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, relay(2))
    learn(stage, 2, "https://relay.example.org")
    stage.give(PeerWanted(node(1)))
    assert dials(stage) == [Dial("https://relay.example.org", node(2), bytes([2]) * 32, Why.ROOMS)]
    link = reached(stage, 2, dials(stage)[0], "relay/1")
    assert dials(stage)[1:] == [Dial(relay(2), node(1), bytes([1]) * 32, Why.ROOMS)]
    reached(stage, 1, dials(stage)[1])
    # The relay stays while it carries us, and goes when it is needed no more.
    stage.pass_time(WANTED_SECONDS - 60)
    stage.say(link, stage.hello(link))
    assert not [each for each in put_out(stage.out, Close) if each.reason is Reason.DONE]


def test_a_relay_is_let_go_with_the_link_it_carried() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, relay(2))
    learn(stage, 2, "https://relay.example.org")
    stage.give(PeerWanted(node(1)))
    through = reached(stage, 2, dials(stage)[0], "relay/1")
    guest = reached(stage, 1, dials(stage)[1])
    for _ in range(20):
        stage.pass_time(60)
        for link in (through, guest):
            if link in stage.machine.state.links:
                stage.machine.state.links[link].last_heard = stage.now.instant
    done = [each.link for each in put_out(stage.out, Close) if each.reason is Reason.DONE]
    assert done == [guest, through]


def test_a_relay_that_is_none_or_cannot_be_reached_is_passed_over() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, relay(2), relay(3))
    learn(stage, 2, "https://relay.example.org")
    learn(stage, 3, "https://other.example.net")
    stage.give(PeerWanted(node(1)))
    reached(stage, 2, dials(stage)[0], "sketch/1")  # it does not relay
    stage.pass_time(60)
    assert [each.address for each in dials(stage)[1:]] == ["https://other.example.net"]


def test_an_onion_is_dialled_only_with_a_way_into_tor() -> None:
    onion = "http://" + "a" * 56 + ".onion"
    for settings, expected in ((ALONE, []), (Settings(rooms=True, outbound=0, onion=True), [onion])):
        stage = Stage(settings=settings)
        learn(stage, 1, onion)
        stage.give(PeerWanted(node(1)))
        assert [each.address for each in dials(stage)] == expected


def keep_alive(stage: Stage, link: LinkId, seconds: float) -> None:
    """Let time pass on a link whose peer is heard."""
    end = stage.time + seconds
    while stage.time < end:
        stage.pass_time(min(50.0, end - stage.time))
        if link in stage.machine.state.links:
            stage.machine.state.links[link].last_heard = stage.now.instant


def test_a_link_is_kept_while_it_is_wanted_or_written_over_and_then_let_go() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    link = reached(stage, 1, dials(stage)[0])

    def is_up() -> bool:
        return link in stage.machine.state.links

    keep_alive(stage, link, WANTED_SECONDS - 20)
    stage.give(PeerWanted(node(1)))
    keep_alive(stage, link, WANTED_SECONDS - 20)
    stage.give(LetterOut(node(1), b"one more"))
    keep_alive(stage, link, WANTED_SECONDS - 20)
    assert is_up()
    assert not stage.machine.wanting.is_wanted(node(1))
    keep_alive(stage, link, 60)
    assert not is_up()
    assert Close(link, Reason.DONE) in stage.out
    assert len(dials(stage)) == 1


def test_a_link_of_another_kind_is_not_closed_when_nobody_wants_it() -> None:
    stage = Stage(settings=ALONE)
    link = stage.link(1, hello=False)
    stage.say(link, stage.hello(link, features=(ROOMS,)))
    stage.give(PeerWanted(node(1)))
    keep_alive(stage, link, WANTED_SECONDS + 100)
    assert link in stage.machine.state.links


def test_a_link_that_was_lost_comes_back_at_once_and_one_that_ends_at_once_after_pauses() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    link = reached(stage, 1, dials(stage)[0])
    keep_alive(stage, link, 100)
    stage.give(LinkDown(link))
    stage.pass_time(2.1)
    assert len(dials(stage)) == 2
    # It is full: it lets us in and says goodbye.
    for _ in range(6):
        link = stage.link(1, address="https://one.example.org", hello=False, why=Why.ROOMS)
        stage.say(link, Bye(int(Reason.FULL), 0, ""))
        before = len(dials(stage))
        stage.pass_time(3.9)
        assert len(dials(stage)) == before
        while len(dials(stage)) == before:
            stage.pass_time(1)
    assert stage.time > 1_000 + 100 + 5 + 10 + 20 + 40 + 80 + 100


def test_a_node_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(node(1)))
    link = reached(stage, 1, dials(stage)[0])
    stage.say(link, Bye(int(Reason.OTHER), 300, "repairs"))
    stage.pass_time(295)
    assert len(dials(stage)) == 1
    stage.pass_time(30)
    assert len(dials(stage)) == 2


def test_blocked_nodes_and_this_one_itself_are_not_dialled() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(PeerWanted(stage.own))
    stage.give(NodesBlocked(frozenset({node(1)})))
    stage.give(PeerWanted(node(1)))
    stage.pass_time(60)
    assert not dials(stage)
    stage.give(NodesBlocked(frozenset()))
    stage.give(PeerWanted(node(1)))
    stage.give(AnnouncementFound(announced(1, "https://one.example.org").to_bytes()))
    stage.give(PeerWanted(node(2)))
    stage.give(NodesBlocked(frozenset({node(2)})))
    learn(stage, 2, "https://two.example.org")
    stage.pass_time(60)
    assert {each.peer for each in dials(stage)} == {node(1)}


def test_who_leaves_dials_nobody() -> None:
    stage = Stage(settings=ALONE)
    learn(stage, 1, "https://one.example.org")
    stage.give(Leave())
    stage.give(PeerWanted(node(1)))
    stage.pass_time(60)
    assert not dials(stage)


def test_there_is_a_limit_and_who_is_idle_gives_way() -> None:
    stage = Stage(settings=ALONE)
    many = WANTED_LINKS_MAX + 1
    for number in range(1, many + 1):
        learn(stage, number, f"http://11.{number}.0.1:8470")
        stage.give(PeerWanted(node(number)))
    assert len(dials(stage)) == WANTED_LINKS_MAX
    links = [reached(stage, number, dials(stage)[number - 1]) for number in range(1, many)]
    for _ in range(4):
        stage.pass_time(14)
        for number in range(2, many):
            stage.give(LetterOut(node(number), b"busy"))
    assert len(dials(stage)) == WANTED_LINKS_MAX
    stage.pass_time(30)
    assert put_out(stage.out, Close) == [Close(links[0], Reason.DONE)]
    assert dials(stage)[WANTED_LINKS_MAX:][0].peer == node(many)


def test_the_dial_policy_and_rooms_do_not_dial_the_same_node_twice() -> None:
    stage = Stage(settings=Settings(rooms=True, outbound=1))
    learn(stage, 1, "https://one.example.org")
    for _ in range(3):
        stage.give(PeerWanted(node(1)))
        stage.pass_time(5)
    assert [each.peer for each in dials(stage)] == [node(1)]


def test_links_that_rooms_need_take_no_slot_of_the_dial_policy() -> None:
    stage = Stage(settings=Settings(rooms=True, outbound=1))
    stage.give(PeerWanted(node(1)))
    stage.link(1, hello=False, why=Why.ROOMS)
    learn(stage, 2, "https://two.example.net")
    stage.pass_time(15)
    assert [(each.peer, each.why) for each in dials(stage)] == [(node(2), Why.KEEP)]
