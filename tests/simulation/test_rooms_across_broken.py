"""The simulation of rooms across nodes notices when a rule is broken: one rule at a time, in a few seeds.

What is broken is mostly of the protocol's own functions and machines; where a rule is one of rows and disks, it is the
simulation's. Each failure is to be the one that the rule is there for.
"""

from collections.abc import Callable

import pytest
from rooms_across import hub as hub_module
from rooms_across.asking import Asking
from rooms_across.disk import Disk
from rooms_across.follower import Follower
from rooms_across.home import Home
from rooms_across.hub import Hub
from rooms_across.node import Node
from rooms_across.society import live
from rooms_across.world import SimulationError

from hedgerow_protocol.delivery.values import Position
from hedgerow_protocol.federation import forks, mirror, outbox
from hedgerow_protocol.federation.comparing import Comparing
from hedgerow_protocol.federation.fanout import Fanout
from hedgerow_protocol.federation.fanout_values import Cursor, FollowedRoom
from hedgerow_protocol.federation.letters import Notify
from hedgerow_protocol.federation.outbox import Outbox
from hedgerow_protocol.federation.outbox_values import Destination
from hedgerow_protocol.federation.parts import Joiner
from hedgerow_protocol.federation.turnstile import Turnstile
from hedgerow_protocol.federation.values import RequestBody, WelcomeLetter
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant, Now

SEEDS_MAX = 12
"""Seeds. In which a broken rule must be noticed, from one on in which it shows: not each world has each fault."""

Patch = pytest.MonkeyPatch


def answers_too_early(patch: Patch) -> None:
    """Requests are answered before what they did is on the disk."""
    patch.setattr(Disk, "answer", lambda self, do: do())


def acknowledges_too_early(patch: Patch) -> None:
    """A follower acknowledges what a crash would take from it."""
    patch.setattr(Follower, "when_kept", lambda self, do: do())


def knows_nothing_again(patch: Patch) -> None:
    """A submission that came before is not recognised."""
    patch.setattr(Hub, "standing", lambda self, said: None)


def believes_any_author(patch: Patch) -> None:
    """Whoever names a mailbox may speak for it."""
    patch.setattr(Hub, "is_author", lambda self, peer, author: True)


def believes_any_answer(patch: Patch) -> None:
    """Whoever names a request may answer it."""
    patch.setattr(Node, "was_asked", lambda self, peer, asked: True)


def takes_any_welcome(patch: Patch) -> None:
    """A home lets in whom nobody claimed."""
    patch.setattr(Home, "was_offered", lambda self, package, said: True)


def has_no_first_commit(patch: Patch) -> None:
    """Two commits of an epoch may stand in a log."""
    patch.setattr(hub_module, "comes_second", lambda kind, seen, first: None)


def tells_the_removed(patch: Patch) -> None:
    """A hub goes on telling nodes whose members were taken out."""
    patch.setattr(Hub, "_end", lambda self, room, node: None)
    patch.setattr(Hub, "told", lambda self, room, node, seq, spans: self.entry(room, node, seq))


def tells_all_nodes_of_asks(patch: Patch) -> None:
    """A hub tells each node it knows what is for the members of a room."""
    patch.setattr(
        Asking, "to_be_told", lambda self, room: [each for each in self.node.world.nodes if each != self.node.id]
    )


def compares_nothing(patch: Patch) -> None:
    """Heads that others show are looked at, and never found to differ."""
    patch.setattr(forks, "compare", lambda *arguments: None)


def shows_nothing(patch: Patch) -> None:
    """Followers show each other no heads."""
    patch.setattr(Comparing, "_take_turn", lambda self, room, now: None)


def checks_no_chain(patch: Patch) -> None:
    """A follower does not look whether entries follow from one another."""
    patch.setattr(mirror, "_check_chain", lambda told: None)


def checks_no_signature(patch: Patch) -> None:
    """A follower takes heads that its hub has not signed."""
    patch.setattr(mirror, "head_holds", lambda hub, room, head: True)


def overlooks_gaps(patch: Patch) -> None:
    """A follower takes what comes without what stands before it."""
    real = mirror.check

    def check(hub: NodeId, held: mirror.Held, told: Notify, entries: forks.OwnEntries) -> mirror.Verdict:
        verdict = real(hub, held, told, entries)
        return mirror.New(told.entries, told.head) if isinstance(verdict, mirror.Gap) else verdict

    patch.setattr(mirror, "check", check)


def never_fetches(patch: Patch) -> None:
    """What a busy disk did not take is not asked for again."""
    patch.setattr(Follower, "fetch_later", lambda self, room: None)


def overtakes(patch: Patch) -> None:
    """What is behind a request that was answered busy passes it."""
    patch.setattr(Turnstile, "may_pass", lambda self, *arguments: True)


def sends_without_end(patch: Patch) -> None:
    """The outbox has no window."""
    real = Outbox._run

    def run(self: Outbox, node: Destination, now: Now) -> None:
        old, outbox.WINDOW_REQUESTS_MAX = outbox.WINDOW_REQUESTS_MAX, 1 << 20  # type: ignore[misc]
        try:
            real(self, node, now)
        finally:
            outbox.WINDOW_REQUESTS_MAX = old  # type: ignore[misc]

    patch.setattr(Outbox, "_run", run)


def tells_without_end(patch: Patch) -> None:
    """The fan-out has no window for a follower that does not acknowledge."""
    patch.setattr(Cursor, "under_way", 0)


def welcomes_nobody(patch: Patch) -> None:
    """A hub counts a newcomer in, and its home never hears of it."""
    real = Node.ask

    def ask(self: Node, node: NodeId, body: RequestBody) -> bytes:
        return bytes(16) if isinstance(body, WelcomeLetter) else real(self, node, body)

    patch.setattr(Node, "ask", ask)


def skips_a_follower(patch: Patch) -> None:
    """The fan-out tells all followers but one that a room has grown."""

    def tell(self: Fanout, room: FollowedRoom, now: Instant) -> None:
        room.told = room.newest
        for cursor in list(room.cursors.values())[1:]:
            self._wake(cursor, now)

    patch.setattr(Fanout, "_tell", tell)


def forgets_what_flew(patch: Patch) -> None:
    """What was under way when a link ended is not sent again."""
    patch.setattr(Outbox, "_rewind", lambda self, lane, number=None: None)


def forgets_requests(patch: Patch) -> None:
    """After a crash, requests that lie on the disk are not sent."""
    real = Node.start

    def start(self: Node) -> None:
        with pytest.MonkeyPatch.context() as deaf:
            deaf.setattr(Node, "_tell_outbox", lambda self, number, row: None)
            real(self)

    patch.setattr(Node, "start", start)


def forgets_followers(patch: Patch) -> None:
    """After a crash, a hub does not go on telling."""
    patch.setattr(Hub, "start", lambda self: None)


def keeps_parts(patch: Patch) -> None:
    """Parts of a letter are kept when the link has ended."""
    patch.setattr(Joiner, "down", lambda self, peer: None)


def puts_back_whatever_came_since(patch: Patch) -> None:
    """A word that is late undoes a commit that its author did not know of."""
    real = Hub.put_back
    patch.setattr(Hub, "put_back", lambda self, room, mailbox, seen: real(self, room, mailbox, 2**31))


def forgets_the_log(patch: Patch) -> None:
    """A log that grows again from an older place."""
    real = Disk.crash

    def crash(self: Disk) -> None:
        real(self)
        for room in self.names("log"):
            log, at = self.all(("log", room)), self.get("room", room)
            if at is not None and at.seq > 3:
                self._tables["room"][room] = Position(at.seq - 1, log[at.seq - 1].hash, log[at.seq - 1].time)
                del self._tables["ids", room][log.pop(at.seq).id]

    patch.setattr(Disk, "crash", crash)


BROKEN: tuple[tuple[Callable[[Patch], None], str, int, bool], ...] = (
    (answers_too_early, "was told that something stands at", 0, False),
    (acknowledges_too_early, "which a crash would take from it", 0, False),
    (knows_nothing_again, "took something twice", 0, False),
    (believes_any_author, "took something that this member did not write", 0, False),
    (believes_any_answer, "was told that something stands at", 0, False),
    (takes_any_welcome, "let somebody in whom nobody asked for", 0, False),
    (has_no_first_commit, "took a commit of epoch", 0, False),
    (tells_the_removed, "in which it has no member then", 0, False),
    (tells_all_nodes_of_asks, "was sent a AskTold, which is not for it", 0, False),
    (compares_nothing, "does not know that node 9 lies", 4, True),
    (shows_nothing, "does not know that node 9 lies", 3, True),
    (checks_no_chain, "keeps entries that do not follow from one another", 1, False),
    (checks_no_signature, "keeps a head that the hub has not signed", 8, True),
    (overlooks_gaps, "keeps entries that do not follow from one another", 0, False),
    (never_fetches, "after an hour of calm", 28, True),
    (overtakes, "took what a member wrote in another order", 0, False),
    (sends_without_end, "are under way to one node", 2, True),
    (tells_without_end, "are under way to one follower", 0, True),
    (welcomes_nobody, "after an hour of calm node . has not let in", 0, True),
    (skips_a_follower, "after an hour of calm", 0, True),
    (forgets_what_flew, "in another order|after an hour of calm|was first", 0, True),
    (forgets_requests, "has forgotten to send", 0, True),
    (forgets_followers, "after an hour of calm", 0, True),
    (keeps_parts, "do not fit together|in another order|too much|Too many", 0, False),
    (puts_back_whatever_came_since, "in which it has no member then", 33, False),
    (forgets_the_log, "has lost something of a room", 0, False),
)
"""What is broken, what the failure says, the first seed that is tried, and whether the test is a slow one."""

CASES = [
    pytest.param(broken, said, first, id=broken.__name__.replace("_", " "), marks=[pytest.mark.slow] if slow else [])
    for broken, said, first, slow in BROKEN
]


def live_some(first: int) -> None:
    """Seeds, one after the other, as long as nothing is noticed."""
    for seed in range(first, first + SEEDS_MAX):
        live(seed)


@pytest.mark.parametrize(("broken", "said", "first"), CASES)
def test_a_broken_rule_is_noticed(broken: Callable[[Patch], None], said: str, first: int, monkeypatch: Patch) -> None:
    broken(monkeypatch)
    with pytest.raises(SimulationError, match=said):
        live_some(first)
