"""Ten nodes, thirty rooms, their members, and what becomes of them: :func:`live` runs one seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import combinations

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation import forks, outbox
from rooms_across.member import Member
from rooms_across.node import Node
from rooms_across.rows import Outgoing
from rooms_across.safety import Safety
from rooms_across.trouble import Trouble
from rooms_across.villains import LIES, HostileNode, LyingNode, MuteNode
from rooms_across.wires import pair
from rooms_across.world import World

NODES, ROOMS_EACH = 10, 3
CALM_SECONDS, ROUGH_SECONDS = 60.0, 1_200.0
SETTLE_SECONDS = 3_600.0
"""Seconds. In which everything is answered after all is well again: busy nodes are asked each quarter of an hour."""

LIE_SECONDS = 5_400.0
"""Seconds. In which everybody has the proof while members of the room go on talking."""


@contextmanager
def narrow(entries: int, size: int, requests: int) -> Iterator[None]:
    """Smaller windows than real ones, so that a few entries fill them."""
    old = limits.NOTIFY_ENTRIES_MAX, limits.NOTIFY_BYTES_MAX, outbox.WINDOW_REQUESTS_MAX
    limits.NOTIFY_ENTRIES_MAX, limits.NOTIFY_BYTES_MAX, outbox.WINDOW_REQUESTS_MAX = entries, size, requests  # type: ignore[misc]
    try:
        yield
    finally:
        limits.NOTIFY_ENTRIES_MAX, limits.NOTIFY_BYTES_MAX, outbox.WINDOW_REQUESTS_MAX = old  # type: ignore[misc]


class Society:
    """Who is there, and what they do."""

    def __init__(self, seed: int) -> None:
        self.world = world = World(seed)
        random = world.random
        self.lying = random.random() < 0.5
        self.hostile = random.random() < 0.5
        kinds: list[type[Node]] = [Node] * NODES
        if random.random() < 0.4:
            kinds[7] = MuteNode
        if self.hostile:
            kinds[8] = HostileNode
        if self.lying:
            kinds[9] = LyingNode
        self.nodes = [kind(world, number) for number, kind in enumerate(kinds)]
        world.safety = Safety(world)
        pairs = [pair(one.id, other.id) for one, other in combinations(self.nodes, 2)]
        world.wires.neighbours.update(random.sample(pairs, random.randint(0, len(pairs))))
        for node in self.nodes:
            node.slow = random.random() < 0.2
            node.start()
        self.members: dict[RoomId, list[Member]] = {}
        for node in self.nodes:
            for number in range(ROOMS_EACH):
                self._found(node, number)
        if self.lying:
            self._lie(self.nodes[9])

    # --- rooms

    def _found(self, hub: Node, number: int) -> None:
        world, random = self.world, self.world.random
        room = RoomId(sha256(f"{world.seed} {hub.number} {number}".encode()).digest())
        world.safety.hubs[room] = hub
        world.safety.logs[room], world.safety._epochs[room] = [], 0
        founder = Member(hub, room, hub, f"founder of room {hub.number}.{number}")
        founder.found()
        self.members[room] = [founder]
        homes = random.sample([each for each in self.nodes if each is not hub], random.randint(1, 4))
        newcomers = [self._newcomer(room, home) for home in homes]
        world.clock.after(random.uniform(0.5, 5), founder.let_in, newcomers, 500)
        self._plan(room)

    def _newcomer(self, room: RoomId, home: Node) -> Member:
        hub = self.world.safety.hubs[room]
        member = Member(home, room, hub, f"member {len(self.members[room])} of room {hub.number}")
        self.members[room].append(member)
        return member

    def _plan(self, room: RoomId) -> None:
        random, begin = self.world.random, CALM_SECONDS / 2
        for _ in range(random.randint(4, 14)):
            self.world.clock.at(random.uniform(begin, CALM_SECONDS + ROUGH_SECONDS), self._act, room)

    def inside(self, room: RoomId) -> list[Member]:
        """Who takes part, as far as they know."""
        return [each for each in self.members[room] if each.inside and not each.leaving]

    def _act(self, room: RoomId) -> None:
        random, inside = self.world.random, self.inside(room)
        if not inside:
            return
        actor, what = random.choice(inside), random.random()
        if random.random() < 0.1:
            actor.ask()
        elif what < 0.5:
            actor.say(random.choice((80, 300, 1_000)))
        elif what < 0.65:
            actor.say(200, random.randint(3, 12))
        elif what < 0.7:
            actor.say(random.choice((20_000, 70_000)))
        elif what < 0.83:
            newcomers = [self._newcomer(room, random.choice(self.nodes)) for _ in range(random.randint(1, 2))]
            actor.let_in(newcomers, random.choice((500, 500, 150_000)), claim=random.random() > 0.1)
        elif what < 0.94 and len(inside) > 2:
            actor.take_out(
                random.choice([each for each in inside if each is not actor]).mailbox, valid=random.random() < 0.6
            )
        elif len(inside) > 2:
            actor.leave()

    def _lie(self, liar: Node) -> None:
        assert isinstance(liar, LyingNode)
        random, safety = self.world.random, self.world.safety
        rooms = [room for room, hub in safety.hubs.items() if hub is liar]
        for room in rooms[: random.randint(1, 2)]:
            kind = random.choice((LIES[0], *LIES))
            homes = list(dict.fromkeys(each.home.id for each in self.members[room] if each.home is not liar))
            some = homes[: max(1, len(homes) // 2)]
            safety.lied[room] = set(some)
            liar.lies.lies[room] = (kind, random.randint(2, 6))

    # --- what is to be in the end

    def run(self) -> None:
        """Everything."""
        world = self.world
        Trouble(self, CALM_SECONDS, CALM_SECONDS + ROUGH_SECONDS)
        for node in self.nodes:
            if isinstance(node, HostileNode):
                world.clock.at(CALM_SECONDS + 1, node.attack)
        world.clock.run_until(CALM_SECONDS + ROUGH_SECONDS)
        end = world.clock.time + SETTLE_SECONDS
        while (missing := self.missing()) is not None:
            if world.clock.time >= end:
                world.fail(f"after an hour of calm {missing}")
            world.clock.run_until(world.clock.time + 20)
        self.settled = world.clock.time - CALM_SECONDS - ROUGH_SECONDS
        self._find_lies()
        for node in self.nodes:
            node.crash()
            world.safety.outsiders.kept(node)

    def missing(self) -> str | None:
        """The first thing that is not as it is to be in the end."""
        world = self.world
        for node in self.nodes:
            every = node.disk.all("outgoing").values()
            if len(every) != len(node.outbox):
                return f"{node} has forgotten to send {len(every) - len(node.outbox)} requests"
            rows = [each for each in every if not self._given_up(each)]
            if rows:
                asked = [
                    f"{type(node.disk.get('asked', each.id)[2]).__name__} to {world.nodes[each.node]}" for each in rows
                ]
                return f"{node} has {len(rows)} requests without an answer: {', '.join(asked[:3])}"
            if node.joiner.held and node.honest and not self.hostile:
                return f"{node} holds parts of letters"
        for room in self.members:
            # Whoever says again what it said long ago, as the hub of its rooms too, promises them nothing.
            bad = room in self.world.safety.lied or isinstance(self.world.safety.hubs[room], HostileNode)
            if not bad and (found := self._missing_in(room)) is not None:
                return found
        return self.world.safety.outsiders.unheard()

    def _given_up(self, row: Outgoing) -> bool:
        """Whether no answer is no wonder: it waits for words that a liar keeps back, or a mute has no room for."""
        return self.world.nodes[row.node].mute or row.room in self.world.safety.lied

    def _missing_in(self, room: RoomId) -> str | None:
        hub, log = self.world.safety.hubs[room], self.world.safety.logs[room]
        for member in self.inside(room):
            own = member.home.disk.get(("own", room), member.mailbox)
            if member.home.mute:
                continue
            if member.seen != len(log) and own.until is None:
                return f"{member} has read {member.seen} of {len(log)} entries"
            if member.pending:
                return f"{member} still waits for {len(member.pending)} answers"
        for mailbox, far in hub.disk.all(("far", room)).items():
            home = self.world.safety.outsiders.homes[mailbox]
            if far.until is None and not home.mute and home.disk.get(("own", room), mailbox) is None:
                return f"{home} has not let in somebody whom {hub} welcomes"
        for node in self.nodes:
            if node is hub or node.mute or not node.follower.takes_part(room):
                continue
            far = hub.hub.spans(room, node.id)
            if all(each.until is not None for each in far):
                return f"{node} believes to be in a room that it is not in"
            copy = node.follower.copy(room)
            if copy is None or copy.head.position.seq != len(log):
                return f"{node} has not all of a room"
            cursor = hub.fanout._rooms[room].cursors[node.id]
            if cursor.acknowledged != len(log) or cursor.flight or cursor.bytes:
                return f"{hub} still waits for an acknowledgement of {node}"
        return None

    def _find_lies(self) -> None:
        world = self.world
        rooms = [room for room in world.safety.lied if world.safety.hubs[room].lies.lies[room][0] in LIES[:2]]  # type: ignore[attr-defined]
        end = world.clock.time + LIE_SECONDS
        while (fooled := next((each for each in map(self._fooled, rooms) if each), None)) is not None:
            if world.clock.time >= end:
                world.fail(fooled)
            for room in rooms:
                inside = self.inside(room)
                if inside:
                    world.random.choice(inside).say(100)
            world.clock.run_until(world.clock.time + 90)

    def _fooled(self, room: RoomId) -> str | None:
        """Whether somebody has no proof, though there are two stories."""
        safety = self.world.safety
        hub = safety.hubs[room]
        begin = hub.lies.lies[room][1]  # type: ignore[attr-defined]
        # A mute is told no more after a while, and the others may have come later: then there is nothing to compare.
        able = [each for each in self.nodes if each is not hub and each.honest and not each.mute]
        nodes = [each for each in able if each.follower.takes_part(room)]
        copies = {each: each.follower.copy(room) for each in nodes}
        tall = [each for each, copy in copies.items() if copy is not None and copy.head.position.seq >= begin]
        if not 0 < sum(each.id in safety.lied[room] for each in tall) < len(tall):
            return None
        for node, copy in copies.items():
            if copy is not None and (copy.proof is None or not forks.proves(copy.proof)):
                return f"{node} does not know that {hub} lies"
        return None


def live(seed: int) -> Society:
    """Run a seed. Raises :class:`SimulationError`, which says how to see it again."""
    society = Society(seed)
    random = society.world.random
    with narrow(random.choice((3, 16, 256)), random.choice((8_192, 1 << 20)), random.choice((2, 8, 64))):
        society.run()
    return society
