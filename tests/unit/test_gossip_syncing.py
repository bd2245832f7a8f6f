"""When a reconciliation begins, begins anew, and when its peer is given up; and pings that nobody answers."""

import pytest

from gossip_peer import Stage, listing_world, node_key, put_out, said
from hedgerow_protocol.gossip import events, giving, settings, syncing
from hedgerow_protocol.gossip.events import Close, Fetch, LinkId, Reason, Why
from hedgerow_protocol.gossip.meeting import PARTED_SECONDS
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Ping, Pong, Reconcile, Records
from hedgerow_protocol.ports import Instant
from hedgerow_protocol.reconcile import payloads

OTHER = bytes(16)
"""A digest that nobody's set has."""


def differing(stage: Stage, number: int, **more: object) -> LinkId:
    """A link to a peer that says it holds one record more."""
    link = stage.link(number, hello=False, **more)  # type: ignore[arg-type]
    stage.say(link, stage.hello(link, count=1, digest=OTHER))
    return link


def openings(stage: Stage, link: LinkId) -> list[bytes]:
    return [each.payload for each in said(stage.out, Reconcile, link)]


def test_a_reconciliation_without_an_answer_is_begun_anew_and_then_the_peer_is_parted_from() -> None:
    stage = Stage()
    link = differing(stage, 1)
    assert len(openings(stage, link)) == 1
    stage.pass_time(syncing.PATIENCE_SECONDS + 1.5)
    assert len(openings(stage, link)) == 2
    assert put_out(stage.pass_time(30), Close) == [Close(link, Reason.SILENT)]
    begun = openings(stage, link)
    assert len(begun) == len(set(begun)) == syncing.BEGINNINGS_MAX
    peer = NodeId(node_key(1).public[1:])
    finding = stage.machine.finding
    assert not finding._is_welcome(peer)
    stage.pass_time(PARTED_SECONDS + 60)
    assert finding._is_welcome(peer)


@pytest.mark.parametrize("more", [{"pinned": True}, {"why": Why.AUDIT}])
def test_a_keepers_own_peer_and_a_probe_are_not_parted_from(more: dict[str, object]) -> None:
    stage = Stage()
    link = differing(stage, 1, **more)
    out = stage.pass_time(28)
    assert len(openings(stage, link)) >= syncing.BEGINNINGS_MAX
    assert Close(link, Reason.SILENT) not in out


def test_who_has_said_anything_is_not_mute() -> None:
    stage = Stage()
    link = differing(stage, 1)
    # It opens at the same time, and ours holds, because we dialled: a word all the same.
    stage.say(link, Reconcile(payloads.encode(payloads.Open(b"n" * 16, 1, None, False, b""))))
    assert put_out(stage.pass_time(30), Close) == []
    assert len(openings(stage, link)) == syncing.BEGINNINGS_MAX
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) < 0


def test_a_peer_that_begins_anew_is_answered_anew_and_is_not_to_blame() -> None:
    stage = Stage()
    link = stage.link(1, outbound=False)
    for nonce in (b"a" * 16, b"b" * 16, b"c" * 16):
        out = stage.say(link, Reconcile(payloads.encode(payloads.Open(nonce, 0, None, False, b""))))
        answers = [payloads.decode(each.payload) for each in said(out, Reconcile)]
        assert [each.tag for each in answers if isinstance(each, payloads.Answer)] == [nonce[:4]]
    stage.pass_time(30)
    assert stage.machine.state.links[link].syncing.session is None
    assert stage.machine.state.scores.value(stage.machine.state.links[link].peer, stage.now) >= 0


def test_a_ping_without_an_answer_is_sent_again_soon() -> None:
    stage = Stage()
    link = stage.link(1)
    stage.pass_time(settings.PING_SECONDS * 1.3)
    before = len(said(stage.out, Ping, link))
    stage.pass_time(21)
    pings = said(stage.out, Ping, link)
    assert 1 <= before < len(pings)
    digest = stage.machine.state.live.digest(stage.bindings[link])
    stage.say(link, Pong(pings[-1].nonce, 0, digest))
    stage.out.clear()
    stage.pass_time(settings.PING_SECONDS * 0.8)
    assert said(stage.out, Ping, link) == []


def test_what_was_promised_and_never_sent_does_not_count_as_given() -> None:
    stage = Stage()
    link = stage.link(1)
    rid = listing_world(1)[1].rid
    linked = stage.machine.state.links[link]
    givers = giving.Givers(stage.machine.state)
    for _ in range(2 * settings.GIVEN_TIMES_MAX):
        givers.promise(linked, (rid,))
        givers.stop(linked)
    assert linked.giving.idle
    assert linked.giving.given[rid] == 0
    for _ in range(settings.GIVEN_TIMES_MAX):
        givers.promise(linked, (rid,))
        givers.give(linked, stage.now)
        fetch = put_out(stage.machine.state.out, Fetch)[-1]
        givers.fetched(events.Fetched(fetch.ticket, (listing_world(1)[1].to_bytes(),)), stage.now)
        givers.stop(linked)
    givers.promise(linked, (rid,))
    assert linked.giving.idle
    assert len(said(stage.machine.state.out, Records)) == settings.GIVEN_TIMES_MAX


def test_equal_sets_end_what_was_under_way() -> None:
    stage = Stage()
    link = stage.link(1)
    linked = stage.machine.state.links[link]
    linked.giving.in_flight[1] = stage.now.instant  # the answer was lost
    linked.syncing.expect = 3
    digest = stage.machine.state.live.digest(stage.bindings[link])
    stage.say(link, Ping(b"12345678", 0, digest))
    assert linked.giving.idle
    assert not linked.syncing.expect


def test_records_that_do_not_come_are_not_waited_for_long() -> None:
    stage = Stage()
    link = stage.link(1, outbound=False)
    linked = stage.machine.state.links[link]
    linked.syncing.expect = 3
    linked.syncing.heard = Instant(stage.time)
    stage.pass_time(syncing.EXPECT_FEW_SECONDS + 11)
    assert not linked.syncing.expect
    assert said(stage.out, Ping, link)
