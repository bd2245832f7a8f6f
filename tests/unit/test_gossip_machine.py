"""The machine of gossip, event by event."""

import pytest

from gossip_peer import Stage, announcement, listing_world, node_key, put_out, said
from hedgerow_protocol import limits, messages
from hedgerow_protocol.errors import Code
from hedgerow_protocol.gossip import events
from hedgerow_protocol.gossip.events import Close, Dial, Fetch, Judge, Notice, Reason, Standing, Tell, Verdict, Why
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Bye, Got, Graft, Have, Hello, Peers, Ping, Pong, Prune, Records, Want

FOUNDING, LISTING = listing_world(1)
PAIR = (FOUNDING.to_bytes(), LISTING.to_bytes())


def test_both_say_hello_and_different_versions_part() -> None:
    stage = Stage()
    link = stage.link(1, hello=False)
    assert said(stage.out, Hello, link)[0].version == 1
    out = stage.say(link, stage.hello(link, version=2))
    assert put_out(out, Close) == [Close(link, Reason.VERSION)]
    assert said(out, Bye)[0].reason == Reason.VERSION


def test_a_feature_that_is_required_and_unknown_is_named() -> None:
    stage = Stage()
    link = stage.link(1, hello=False)
    out = stage.say(link, stage.hello(link, required=("sketch/1", "telepathy/3")))
    assert put_out(out, Close) == [Close(link, Reason.FEATURE)]
    assert "telepathy/3" in said(out, Bye)[0].words


def test_who_does_not_say_hello_in_time_is_closed_and_the_rest_is_an_offence() -> None:
    stage = Stage()
    link = stage.link(1, hello=False)
    stage.say(link, Graft())
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) < 0
    out = stage.pass_time(21)
    assert Close(link, Reason.SILENT) in out


def test_messages_of_later_versions_are_ignored() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.give(events.FrameIn(link, b"\x92\xcd\x03\xe8\xa5hello"))
    assert put_out(out, Close) == []
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) >= 0


def test_a_record_is_judged_before_it_is_passed_on() -> None:
    stage = Stage()
    source, other = stage.link(1), stage.link(2)
    stage.pass_time(3)  # both are in the mesh by now
    out = stage.say(source, Records(0, PAIR))
    assert put_out(out, Judge)[0].envelopes == PAIR
    assert said(out, Records) == []
    out = stage.judge()
    assert said(out, Records, other) == [Records(0, PAIR)]
    assert said(out, Records, source) == []


def test_the_same_bytes_are_judged_once() -> None:
    stage = Stage()
    first, second = stage.link(1), stage.link(2)
    stage.say(first, Records(0, PAIR))
    assert put_out(stage.say(second, Records(0, PAIR)), Judge) == []
    out = stage.judge()
    assert said(out, Records) == [], "both have it"
    assert put_out(stage.say(second, Records(0, PAIR)), Judge) == []


def test_the_same_bytes_twice_in_one_message_are_judged_once() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.say(link, Records(0, PAIR + PAIR))
    assert put_out(out, Judge)[0].envelopes == PAIR
    assert stage.machine.state.recents._bytes == sum(map(len, PAIR))


def test_outside_the_mesh_records_are_offered_and_sent_on_demand() -> None:
    stage = Stage()
    source = stage.link(1)
    others = [stage.link(number) for number in range(2, 12)]
    stage.pass_time(3)
    stage.say(source, Records(0, PAIR))
    out = stage.judge() + stage.pass_time(2)
    pushed = {each for each in others if said(out, Records, each)}
    offered = {each for each in others if said(out, Have, each)}
    assert pushed
    assert offered
    assert pushed.isdisjoint(offered)
    assert pushed | offered == set(others)
    asker = min(offered)
    out = stage.say(asker, Want((LISTING.rid,)))
    assert said(out, Records, asker) == [Records(0, (PAIR[1],))]


def test_what_is_no_longer_at_hand_is_read_from_the_disk() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.say(link, Want((LISTING.rid,)))
    (fetch,) = put_out(out, Fetch)
    assert fetch.rids == (LISTING.rid,)
    out = stage.give(events.Fetched(fetch.ticket, (PAIR[1],)))
    assert said(out, Records, link) == [Records(0, (PAIR[1],))]


def test_an_offer_is_taken_up_once_and_asked_elsewhere_when_nothing_comes() -> None:
    stage = Stage()
    first, second = stage.link(1), stage.link(2)
    assert said(stage.say(first, Have((LISTING.rid,))), Want, first) == [Want((LISTING.rid,))]
    assert said(stage.say(second, Have((LISTING.rid,))), Want) == []
    assert said(stage.pass_time(4), Want, second) == [Want((LISTING.rid,))]


def test_a_record_that_waits_for_its_charter_asks_for_it_and_is_passed_on_when_it_counts() -> None:
    stage = Stage()
    source, other = stage.link(1), stage.link(2)
    stage.pass_time(3)
    stage.say(source, Records(0, (PAIR[1],)))
    out = stage.judge([Verdict(Standing.WAITING, LISTING.rid, needs=FOUNDING.rid)])
    assert said(out, Want, source) == [Want((FOUNDING.rid,))]
    assert said(out, Records) == []
    stage.say(source, Records(0, (PAIR[0],)))
    stage.judge()
    out = stage.give(events.LiveChanged(((0, FOUNDING.rid), (9, LISTING.rid)), ()))
    assert PAIR[1] in [each for message in said(out, Records, other) for each in message.envelopes]


def test_after_wrong_signatures_a_peer_is_not_listened_to() -> None:
    stage = Stage()
    link = stage.link(1)
    heard = 0
    for number in range(2, 12):
        if put_out(stage.say(link, Records(0, (listing_world(number)[1].to_bytes(),))), Judge):
            heard += 1
            stage.judge([Verdict(Standing.REFUSED, None, code=Code.BAD_SIGNATURE)])
    assert heard == 3


def test_who_goes_on_sending_nonsense_loses_the_link_and_is_refused_for_a_while() -> None:
    stage = Stage()
    link = stage.link(1)
    peer = stage.machine.state.links[link].peer
    for _ in range(6):
        stage.give(events.FrameIn(link, b"\xc1 nonsense"))
    assert link not in stage.machine.state.links
    assert said(stage.out, Bye, link)[-1].reason == Reason.MISBEHAVED
    again = stage.link(1, hello=False)
    assert Close(again, Reason.MISBEHAVED) in stage.out
    assert stage.machine.state.scores.banned_until(peer, stage.now) is not None


@pytest.mark.parametrize("code", [Code.EXPIRED, Code.FROM_THE_FUTURE, Code.LIMIT, Code.UNKNOWN_KIND])
def test_what_may_be_right_elsewhere_is_no_offence(code: Code) -> None:
    stage = Stage()
    link = stage.link(1)
    for number in range(2, 60):
        stage.say(link, Records(0, (listing_world(number)[1].to_bytes(),)))
        stage.judge([Verdict(Standing.REFUSED, None, code=code)])
    assert link in stage.machine.state.links
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) >= 0


def test_a_flood_is_cut_to_the_rate_and_then_not_heard_at_all() -> None:
    stage = Stage()
    link = stage.link(1)
    judged = 0
    for second in range(60):
        heap = tuple(listing_world(2 + second * 50 + each)[1].to_bytes() for each in range(50))
        for envelopes in (heap[:25], heap[25:]):
            if link in stage.machine.state.links:
                out = stage.say(link, Records(0, envelopes))
                judged += sum(len(each.envelopes) for each in put_out(out, Judge))
        stage.pass_time(1)
    assert judged <= 500 + 20 * 30
    assert not stage.machine.state.scores.may_gossip(stage.machine.state.links[link].peer, stage.now)


def test_a_stranger_founds_no_more_chains_than_its_budget() -> None:
    stage = Stage()
    stage.link(1)
    link = stage.link(2, outbound=False, address="203.0.113.9:4711")
    founded = 0
    for number in range(2, 1_400):
        out = stage.say(link, Records(0, (listing_world(number)[0].to_bytes(),)))
        if put_out(out, Judge):
            founded += 1
            asked = put_out(out, Judge)[-1]
            rid = listing_world(number)[0].rid
            stage.give(events.Judged(asked.ticket, (Verdict(Standing.STORED, rid, new_chain=True),)))
        stage.pass_time(0.05)
    assert 1_000 < founded <= 1_030


def test_ping_is_answered_and_silence_ends_a_link() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.say(link, Ping(b"12345678", 0, stage.machine.state.live.digest(stage.bindings[link])))
    assert said(out, Pong, link)[0].nonce == b"12345678"
    out = stage.pass_time(140)
    assert len(said(out, Ping, link)) >= 2
    assert Close(link, Reason.SILENT) in out


def test_two_links_to_one_node_become_one_and_both_ends_keep_the_same() -> None:
    stage = Stage()
    inbound = stage.link(1, outbound=False)
    outbound = stage.link(1, outbound=True)
    links = stage.machine.state.links
    assert len(links) == 1
    smaller_dials = stage.own < links[next(iter(links))].peer
    assert (outbound in links) is smaller_dials
    assert (inbound in links) is not smaller_dials
    newer = stage.link(1, outbound=smaller_dials)
    assert newer in stage.machine.state.links, "who dials again has lost the old link"


@pytest.mark.parametrize("relayed", [False, True])
@pytest.mark.parametrize("inbound_first", [False, True])
def test_who_dial_each_other_at_once_keep_the_same_link_whichever_each_sees_first(
    inbound_first: bool, relayed: bool
) -> None:
    stage = Stage()
    first = stage.link(1, outbound=not inbound_first, relayed=relayed)
    second = stage.link(1, outbound=inbound_first, relayed=relayed)
    (kept,) = stage.machine.state.links.values()
    assert kept.outbound is (stage.own < kept.peer)
    assert kept.link in (first, second)


@pytest.mark.parametrize("relayed_first", [False, True])
@pytest.mark.parametrize("outbound_first", [False, True])
def test_a_direct_link_is_kept_rather_than_one_through_a_relay(outbound_first: bool, relayed_first: bool) -> None:
    stage = Stage()
    stage.link(1, outbound=outbound_first, relayed=relayed_first)
    stage.link(1, outbound=not outbound_first, relayed=not relayed_first)
    (kept,) = stage.machine.state.links.values()
    assert not kept.relayed


def test_nobody_is_linked_to_oneself_or_to_whom_the_keeper_blocks() -> None:
    stage = Stage()
    mirror = stage.link(0, hello=False)
    assert Close(mirror, Reason.SAME_NODE) in stage.out
    link = stage.link(3)
    peer = stage.machine.state.links[link].peer
    out = stage.give(events.NodesBlocked(frozenset({peer})))
    assert Close(link, Reason.BLOCKED) in out
    again = stage.link(3, hello=False)
    assert Close(again, Reason.BLOCKED) in stage.out


def test_a_feeler_only_looks_whether_somebody_answers() -> None:
    stage = Stage()
    link = stage.link(1, hello=False, why=Why.FEELER)
    assert Close(link, Reason.DONE) in stage.out
    assert said(stage.out, Hello, link) == []


def test_the_mesh_is_bounded_and_keeps_some_that_we_dialled() -> None:
    stage = Stage()
    outbound = [stage.link(number) for number in range(1, 5)]
    inbound = [stage.link(number, outbound=False) for number in range(10, 40)]
    stage.pass_time(700)  # strangers have proven themselves; nobody pings back, so greet them again
    for link in outbound + inbound:
        if link in stage.machine.state.links:
            stage.say(link, Graft())
    mesh = stage.machine.state.mesh()
    assert len(mesh) <= stage.machine.state.settings.mesh_high
    late = stage.link(50, outbound=False)
    if len(mesh) == stage.machine.state.settings.mesh_high:
        assert said(stage.say(late, Graft()), Prune, late)


def test_who_was_pruned_waits() -> None:
    stage = Stage()
    link = stage.link(1)
    stage.pass_time(3)
    assert stage.machine.state.links[link].in_mesh
    stage.say(link, Prune(30))
    assert not stage.machine.state.links[link].in_mesh
    assert said(stage.pass_time(25), Graft) == []
    assert said(stage.pass_time(20), Graft, link)


def test_keepers_peers_are_dialled_at_once_and_again() -> None:
    stage = Stage()
    out = stage.give(events.PeersChosen(("http://10.9.9.9:8470",))) + stage.pass_time(0.2)
    (dial,) = put_out(out, Dial)
    assert (dial.address, dial.pinned, dial.why) == ("http://10.9.9.9:8470", True, Why.KEEP)
    out = stage.give(events.DialFailed(dial.address, None)) + stage.pass_time(10)
    assert put_out(out, Dial)


def test_announcements_are_learned_and_told_to_who_asks() -> None:
    stage = Stage()
    link = stage.link(1, address="http://198.51.100.7:8470")
    known = announcement(7, "https://hedgerow.example.org")
    linked = stage.machine.state.links[link]
    linked.asked_peers = stage.now.instant
    stage.say(link, Peers((known.to_bytes(),)))
    assert stage.machine.book.get(NodeId(node_key(7).public[1:])) is not None
    forged = known.to_bytes()[:-1] + bytes([known.to_bytes()[-1] ^ 1])
    stage.say(link, Peers((forged,)))
    assert stage.machine.state.scores.value(linked.peer, stage.now) < 0


def test_an_announcement_without_addresses_is_not_passed_around() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.say(link, Records(0, (announcement(9).to_bytes(),)))
    assert put_out(out, Judge) == []


def test_a_wrong_clock_is_told_to_the_keeper() -> None:
    stage = Stage()
    for number in range(1, 7):
        link = stage.link(number, hello=False)
        stage.say(link, stage.hello(link, clock=stage.now.timestamp + 4_000))
    told = put_out(stage.out, Tell)
    assert told == [Tell(Notice.CLOCK_WRONG, 4_000)]


def test_leaving_says_goodbye_and_dials_nobody() -> None:
    stage = Stage()
    links = {stage.link(number) for number in range(1, 4)}
    stage.give(events.PeersChosen(("http://10.9.9.9:8470",)))
    out = stage.give(events.Leave())
    assert {each.link for each in put_out(out, Close)} == links
    assert put_out(stage.pass_time(600), Dial) == []


def test_too_many_records_in_one_message_are_refused() -> None:
    stage = Stage()
    link = stage.link(1)
    large = bytes(limits.RECORDS_BYTES_MAX // 2 + 1)
    frame = messages.encode(Records(0, (large, large)))
    assert put_out(stage.give(events.FrameIn(link, frame)), Judge) == []
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) < 0


def test_numbered_records_are_acknowledged_when_judged() -> None:
    stage = Stage()
    link = stage.link(1)
    out = stage.say(link, Records(3, PAIR))
    assert said(out, Got) == []
    assert said(stage.judge(), Got, link) == [Got(3)]


def test_many_own_records_are_announced_and_not_pushed() -> None:
    stage = Stage()
    link = stage.link(1)
    stage.pass_time(3)
    heap = [listing_world(number)[1] for number in range(2, 202)]
    out = stage.give(events.Published(tuple((each.rid, each.to_bytes()) for each in heap)))
    pushed = sum(len(each.envelopes) for each in said(out, Records, link))
    assert pushed == 64
    assert said(out, Ping, link), "the digest tells the rest"
