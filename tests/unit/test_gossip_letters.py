"""Letters between nodes that share rooms: who may send them, and what those around the machine hear of it."""

import pytest

from gossip_peer import Stage, node_key, put_out, said
from hedgerow_protocol import limits, messages
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.federation.letters import FEATURE
from hedgerow_protocol.gossip.events import (
    Close,
    LetterIn,
    LetterOut,
    LinkDown,
    LinkId,
    NodesBlocked,
    NodesKnown,
    PeerDown,
    PeerUp,
    PeerWanted,
    Reason,
    Send,
    Why,
)
from hedgerow_protocol.gossip.meeting import KNOWN_LINKS_MAX, LINKS_MAX
from hedgerow_protocol.gossip.settings import ROOMS, Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import Bye, Hello, Letter

WITH_ROOMS = Settings(rooms=True)


def node(number: int) -> NodeId:
    return NodeId(node_key(number).public[1:])


def reader(stage: Stage, number: int, **more: object) -> LinkId:
    """A link to a node that takes letters."""
    link = stage.link(number, hello=False, **more)  # type: ignore[arg-type]
    stage.say(link, stage.hello(link, features=("relay/1", ROOMS)))
    return link


def news(stage: Stage) -> list[PeerUp | PeerDown | LetterIn]:
    """What those around the machine heard, in order."""
    return [each for each in stage.out if isinstance(each, PeerUp | PeerDown | LetterIn)]


def test_the_feature_has_one_name() -> None:
    assert ROOMS == FEATURE


def test_a_letter_passes_both_ways_unread() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = reader(stage, 1)
    assert ROOMS in said(stage.out, Hello)[0].features
    assert news(stage) == [PeerUp(node(1), link)]
    (out,) = put_out(stage.give(LetterOut(node(1), b"\xff any bytes")), Send)
    assert out.link == link
    assert out.letter
    assert messages.decode(out.frame) == Letter(b"\xff any bytes")
    stage.say(link, Letter(b"\x00 and back"))
    assert news(stage)[1:] == [LetterIn(node(1), b"\x00 and back")]
    stage.give(LinkDown(link))
    assert news(stage)[2:] == [PeerDown(node(1))]
    assert not put_out(stage.give(LetterOut(node(1), b"too late")), Send)


def test_no_letter_goes_to_a_node_that_did_not_ask_for_them() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = stage.link(1, hello=False)
    assert not put_out(stage.give(LetterOut(node(1), b"before its hello")), Send)
    stage.say(link, stage.hello(link))
    assert not news(stage)
    assert not put_out(stage.give(LetterOut(node(1), b"to one who cannot read it")), Send)
    assert not put_out(stage.give(LetterOut(node(2), b"to nobody")), Send)


def test_a_letter_from_a_node_that_never_said_it_reads_them_is_an_offence_and_not_passed_on() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = stage.link(1)
    before = stage.machine.state.scores.value(node(1), stage.now)
    stage.say(link, Letter(b"unasked"))
    assert not news(stage)
    assert stage.machine.state.scores.value(node(1), stage.now) == pytest.approx(before - 3.0, abs=0.1)


def test_a_letter_before_the_hello_is_not_passed_on() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = stage.link(1, hello=False)
    stage.say(link, Letter(b"in a hurry"))
    assert not news(stage)
    assert stage.machine.state.scores.value(node(1), stage.now) < -5


def test_a_node_without_rooms_ignores_letters_and_does_not_say_that_it_reads_them() -> None:
    stage = Stage()
    link = reader(stage, 1)
    before = stage.machine.state.scores.value(node(1), stage.now)
    stage.say(link, Letter(b"to nobody here"))
    assert not news(stage)
    assert stage.machine.state.scores.value(node(1), stage.now) == before
    assert all(ROOMS not in each.features for each in said(stage.out, Hello))


def test_a_letter_has_a_size() -> None:
    most = Letter(bytes(limits.LETTER_FRAME_BYTES_MAX))
    assert messages.decode(messages.encode(most)) == most
    for payload, code in ((b"", Code.BAD_FIELD), (bytes(limits.LETTER_FRAME_BYTES_MAX + 1), Code.TOO_LARGE)):
        with pytest.raises(RemoteError) as caught:
            messages.decode(messages.encode(Letter(payload)))
        assert caught.value.code is code


def test_when_a_link_takes_over_from_another_both_are_told_in_order() -> None:
    stage = Stage(settings=WITH_ROOMS)
    old = reader(stage, 1, outbound=False)
    new = stage.link(1, outbound=False, hello=False)
    assert news(stage) == [PeerUp(node(1), old), PeerDown(node(1))]
    assert not put_out(stage.give(LetterOut(node(1), b"between the two")), Send)
    stage.give(LinkDown(old))  # the pump of the old one ends late
    stage.say(new, stage.hello(new, features=(ROOMS,)))
    assert news(stage)[2:] == [PeerUp(node(1), new)]
    stage.give(LetterOut(node(1), b"over the new one"))
    assert [each.link for each in put_out(stage.out, Send) if each.letter] == [new]


def test_a_second_link_that_is_not_taken_changes_nothing() -> None:
    stage = Stage(settings=WITH_ROOMS)
    # Of two links dialled from both sides, both nodes keep the one that the lower id dialled.
    ours = stage.own < node(1)
    kept = reader(stage, 1, outbound=ours)
    other = stage.link(1, outbound=not ours, hello=False)
    assert Close(other, Reason.SAME_NODE) in stage.out
    stage.give(LinkDown(other))
    assert news(stage) == [PeerUp(node(1), kept)]


def test_a_blocked_node_is_not_heard() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = reader(stage, 1)
    stage.give(NodesBlocked(frozenset({node(1)})))
    assert news(stage) == [PeerUp(node(1), link), PeerDown(node(1))]
    stage.say(link, Letter(b"still here"))
    assert not put_out(stage.give(LetterOut(node(1), b"and you?")), Send)
    stage.link(1, hello=False)
    assert len(news(stage)) == 2


def test_saying_goodbye_is_told() -> None:
    stage = Stage(settings=WITH_ROOMS)
    link = reader(stage, 1)
    stage.say(link, Bye(1, 0, ""))
    assert news(stage) == [PeerUp(node(1), link), PeerDown(node(1))]


def test_nodes_that_rooms_are_shared_with_come_in_when_strangers_have_to_wait() -> None:
    stage = Stage(settings=WITH_ROOMS)
    for number in range(1, LINKS_MAX + 1):
        stage.link(number, outbound=False)
    first = LINKS_MAX + 1
    stage.give(NodesKnown(frozenset(node(first + each) for each in range(KNOWN_LINKS_MAX + 1))))

    def refused(number: int) -> bool:
        link = stage.link(number, outbound=False, hello=False)
        return Close(link, Reason.FULL) in stage.out

    assert refused(first + 50)
    assert [refused(first + each) for each in range(KNOWN_LINKS_MAX + 1)] == [False] * KNOWN_LINKS_MAX + [True]


def test_an_outbound_link_for_rooms_is_no_proof_of_choice() -> None:
    """Members choose whom rooms are shared with, so such a link is treated like one from outside."""
    stage = Stage(settings=WITH_ROOMS)
    stage.give(PeerWanted(node(1)))
    link = stage.link(1, hello=False, why=Why.ROOMS)
    assert not stage.machine.state.links[link].chosen
    other = stage.link(2, why=Why.KEEP)
    assert stage.machine.state.links[other].chosen
