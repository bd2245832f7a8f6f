"""Whatever peers, rooms and links do: letters pass only where both sides take them, and dials stay within bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gossip_peer import Stage, announcement, node_key
from hedgerow_protocol import messages
from hedgerow_protocol.gossip.events import (
    AnnouncementFound,
    Dial,
    DialFailed,
    FrameIn,
    LetterIn,
    LetterOut,
    LinkDown,
    LinkId,
    NodesBlocked,
    Output,
    PeerDown,
    PeerUp,
    PeerWanted,
    Send,
    Why,
)
from hedgerow_protocol.gossip.settings import ROOMS, Settings
from hedgerow_protocol.gossip.wanting import WANTED_LINKS_MAX
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.messages import Bye, Letter

PEERS = st.integers(1, 6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("up"), PEERS, st.booleans(), st.sampled_from(list(Why))),
        st.tuples(st.just("hello"), st.integers(0, 9), st.booleans(), st.booleans()),
        st.tuples(st.just("frame"), st.integers(0, 9), st.binary(max_size=40)),
        st.tuples(st.just("letter"), st.integers(0, 9), st.binary(max_size=40)),
        st.tuples(st.just("write"), PEERS, st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("down"), st.integers(0, 9)),
        st.tuples(st.just("bye"), st.integers(0, 9), st.integers(0, 400)),
        st.tuples(st.just("want"), PEERS),
        st.tuples(st.just("found"), PEERS, st.sampled_from(("https://one.example.org", "relay", "nowhere"))),
        st.tuples(st.just("fail"), st.integers(0, 3)),
        st.tuples(st.just("block"), st.sets(PEERS, max_size=2)),
        st.tuples(st.just("wait"), st.floats(0.0, 700.0)),
    ),
    max_size=60,
)


def node(number: int) -> NodeId:
    return NodeId(node_key(number).public[1:])


class World:
    """A machine, and what may be said of it after every step."""

    def __init__(self) -> None:
        self.stage = Stage(settings=Settings(rooms=True))
        self.links: list[LinkId] = []
        self.up: dict[NodeId, LinkId] = {}
        self.dialling: list[Dial] = []
        self.blocked: set[NodeId] = set()
        self.checked = 0

    def link_at(self, place: int) -> LinkId | None:
        return self.links[-1 - place] if place < len(self.links) else None

    def check(self) -> None:
        for output in self.stage.out[self.checked :]:
            self._check(output)
        self.checked = len(self.stage.out)
        rooms = sum(each.why is Why.ROOMS for each in self.stage.machine.state.links.values())
        assert sum(each.why is Why.ROOMS for each in self.dialling) <= WANTED_LINKS_MAX - min(rooms, WANTED_LINKS_MAX)

    def _check(self, output: Output) -> None:
        match output:
            case PeerUp(peer, link):
                assert peer not in self.up
                assert peer not in self.blocked
                self.up[peer] = link
            case PeerDown(peer):
                del self.up[peer]
            case LetterIn(peer):
                assert peer in self.up
            case Send(link, frame, letter):
                assert letter == isinstance(messages.decode(frame), Letter)
                assert not letter or link in self.up.values()
            case Dial(why=Why.ROOMS):
                assert output.peer not in {each.peer for each in self.dialling}
                assert output.peer not in self.blocked
                assert output.peer not in self.stage.machine.state.by_peer
                self.dialling.append(output)
            case Dial():
                self.dialling.append(output)


def _take(world: World, step: tuple) -> None:  # type: ignore[type-arg]
    stage = world.stage
    match step:
        case ("up", number, outbound, why):
            world.dialling = [each for each in world.dialling if each.peer != node(number)]
            why = why if outbound else Why.KEEP
            world.links.append(stage.link(number, outbound=outbound, hello=False, why=why))
        case ("hello", place, rooms, relays) if (link := world.link_at(place)) is not None:
            features = (*(("relay/1",) if relays else ()), *((ROOMS,) if rooms else ()))
            stage.say(link, stage.hello(link, features=features))
        case ("frame", place, data) if (link := world.link_at(place)) is not None:
            stage.give(FrameIn(link, data))
        case ("letter", place, data) if (link := world.link_at(place)) is not None:
            stage.say(link, Letter(data))
        case ("write", number, data):
            stage.give(LetterOut(node(number), data))
        case ("down", place) if (link := world.link_at(place)) is not None:
            stage.give(LinkDown(link))
        case ("bye", place, seconds) if (link := world.link_at(place)) is not None:
            stage.say(link, Bye(0, seconds, ""))
        case ("want", number):
            stage.give(PeerWanted(node(number)))
        case ("found", number, where):
            address = {"relay": "relay:" + to_text(node(number % 6 + 1)), "nowhere": "http://192.168.0.1:8470"}
            stage.give(AnnouncementFound(announcement(number, address.get(where, where)).to_bytes()))
        case ("fail", place) if place < len(world.dialling):
            dial = world.dialling.pop(place)
            stage.give(DialFailed(dial.address, dial.peer))
        case ("block", numbers):
            world.blocked = set()  # what was blocked before may come again from now on
            stage.give(NodesBlocked(frozenset(node(each) for each in numbers)))
            world.check()
            world.blocked = {node(each) for each in numbers}
        case ("wait", seconds):
            # A dial of which nothing is heard is over after a minute.
            world.dialling = [] if seconds > 61 else world.dialling
            stage.pass_time(min(seconds, 61.0) if not world.dialling else min(seconds, 1.0))


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_letters_pass_only_between_up_and_down(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    world = World()
    for step in steps:
        _take(world, step)
        world.check()


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_payload_arrives_as_it_was(payload: bytes) -> None:
    stage = Stage(settings=Settings(rooms=True))
    link = stage.link(1, hello=False)
    stage.say(link, stage.hello(link, features=(ROOMS,)))
    out = [each for each in stage.give(LetterOut(node(1), payload or b"\0")) if isinstance(each, Send)]
    assert messages.decode(out[0].frame) == Letter(payload or b"\0")
    came = [each for each in stage.give(FrameIn(link, out[0].frame)) if isinstance(each, LetterIn)]
    assert came == [LetterIn(node(1), payload or b"\0")]
