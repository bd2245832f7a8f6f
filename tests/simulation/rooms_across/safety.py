"""What must hold at every step, whatever befalls: looked at by somebody who sees all nodes' disks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.chain import entry_hash, head_holds
from hedgerow_protocol.delivery.values import Entry, EntryId, EntryKind, Head, MailboxId, RoomId
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.forks import Proof
from hedgerow_protocol.federation.values import SubmitAccepted, WelcomeLetter
from hedgerow_protocol.ids import NodeId
from rooms_across.node import Node, check_sizes
from rooms_across.outsiders import Outsiders
from rooms_across.rows import Copy, Written, room_on

if TYPE_CHECKING:
    from rooms_across.world import World


class Safety:
    """Fails the world when a rule is broken."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.hubs: dict[RoomId, Node] = {}
        self.lied: dict[RoomId, set[NodeId]] = {}
        """Rooms whose hub lies, and the followers that hear the other story."""
        self.written: dict[EntryId, Written] = {}
        self.logs: dict[RoomId, list[Entry]] = {}
        """What hubs have committed."""
        self.acknowledged: dict[EntryId, int] = {}
        self.second: set[EntryId] = set()
        """Commits whose authors were told that another one was first."""
        self._counts: dict[MailboxId, int] = {}
        self._epochs: dict[RoomId, int] = {}
        self.claimed: set[MailboxId] = set()
        self.never_claimed: set[MailboxId] = set()
        self.outsiders = Outsiders(world)
        self._looks = 0
        self.proofs = 0
        self._requests: set[tuple[NodeId, bytes]] = set()
        self.again = 0
        """Requests that arrived once more."""

    # --- at the hub

    def stands(self, hub: Node, room: RoomId, entry: Entry, mailbox: MailboxId) -> None:
        """An entry was committed to a log."""
        log, said = self.logs[room], self.written.get(entry.id)
        if said is None or (said.room, said.mailbox, said.payload) != (room, mailbox, entry.payload):
            return self._world.fail(f"{hub} took something that this member did not write")
        if entry.seq != len(log) + 1:
            self._world.fail(f"{hub} took seq {entry.seq} after {len(log)}")
        if any(each.id == entry.id for each in log):
            self._world.fail(f"{hub} took something twice")
        if said.count <= self._counts.get(mailbox, -1):
            self._world.fail(f"{hub} took what a member wrote in another order")
        if entry.id in self.second:
            self._world.fail(f"{hub} took a commit after it said that another was first")
        self._counts[mailbox] = said.count
        if entry.kind is EntryKind.COMMIT:
            if entry.epoch != self._epochs[room] and room not in self.lied:
                self._world.fail(f"{hub} took a commit of epoch {entry.epoch} in epoch {self._epochs[room]}")
            if said.valid and entry.epoch == self._epochs[room]:
                self._epochs[room] += 1
                self.outsiders.removed(said, entry)
        log.append(entry)
        return None

    def crashed(self, node: Node) -> None:
        """After a crash, what was committed is there, and nothing else."""
        for room, hub in self.hubs.items():
            if hub is node:
                self._same(node, room)

    def _same(self, node: Node, room: RoomId) -> None:
        log = self.logs[room]
        kept = node.disk.all(("log", room))
        if len(kept) != len(log) or any(kept.get(each.seq) != each for each in log):
            self._world.fail(f"{node} has lost something of a room")
        for id, seq in self.acknowledged.items():
            if self.written[id].room == room and log[seq - 1].id != id:
                self._world.fail(f"{node} has lost what was acknowledged")

    # --- at homes

    def requested(self, peer: NodeId, request: bytes) -> None:
        """A request has arrived."""
        self.again += (peer, request) in self._requests
        self._requests.add((peer, request))

    def accepted(self, id: EntryId, answer: SubmitAccepted) -> None:
        """A member was told that something stands in the log."""
        said = self.written[id]
        hub = self.hubs[said.room]
        entry = hub.disk.sure(("log", said.room), answer.seq)
        same_hash = said.room in self.lied or (entry is not None and entry.hash == answer.hash)
        if hub.honest and (entry is None or entry.id != id or not same_hash):
            self._world.fail(f"a member was told that something stands at {answer.seq}, which does not")
        if hub.honest and said.room not in self.lied:
            self.acknowledged[id] = answer.seq

    def conflicted(self, id: EntryId) -> None:
        """A member was told that another commit was first."""
        self.second.add(id)
        if any(each.id == id for each in self.logs[self.written[id].room]):
            self._world.fail("a member was told that a commit came second, which stands in the log")

    def welcomed(self, home: Node, hub: NodeId, letter: WelcomeLetter) -> None:
        """A home has let a member in."""
        real = self.hubs.get(letter.room)
        if home.honest and (real is None or real.id != hub or letter.mailbox not in self.claimed):
            self._world.fail(f"{home} let somebody in whom nobody asked for")

    # --- at followers

    def copied(self, node: Node, room: RoomId, copy: Copy, entries: Sequence[Entry], head: Head) -> None:
        """A follower has committed entries to its copy."""
        hub, log = self.hubs.get(room), self.logs.get(room)
        if hub is None or log is None or hub.id != copy.hub:
            return self._world.fail(f"{node} copies a room that is none")
        if not head_holds(hub.id, room, head):
            self._world.fail(f"{node} keeps a head that the hub has not signed")
        previous = copy.head.position
        for each in entries:
            hash = entry_hash(
                room, each.seq, each.time, each.kind, each.epoch, each.id, each.payload_hash, previous.hash
            )
            if hash != each.hash or each.seq != previous.seq + 1:
                self._world.fail(f"{node} keeps entries that do not follow from one another")
            previous = each.position
            if each.payload is not None and room_on(each.payload) != room:
                self._world.fail(f"{node} keeps something of another room")
            if node.id in self.lied.get(room, ()):
                continue
            if each.seq > len(log) or log[each.seq - 1].hash != each.hash:
                self._world.fail(f"{node} has another entry {each.seq} than {hub}")
            if each.payload not in (None, log[each.seq - 1].payload):
                self._world.fail(f"{node} has other words than its hub")
        if previous != head.position:
            self._world.fail(f"{node} keeps a head that is not that of its copy")
        return None

    def acknowledging(self, hub: Node, follower: NodeId, room: RoomId, seq: int) -> None:
        """A follower says that it has something on its disk."""
        node = self._world.nodes[follower]
        if not node.honest:
            return
        copy = node.disk.sure("copy", room)
        if copy is None or copy.head.position.seq < seq:
            self._world.fail(f"{node} acknowledges {seq}, which a crash would take from it")

    def proven(self, node: Node, proof: Proof) -> None:
        """A node has kept a proof."""
        self.proofs += 1
        if not forks.proves(proof) or forks.decode(forks.encode(proof)) != proof:
            self._world.fail(f"{node} keeps a proof that is none")
        hub = self._world.nodes.get(proof.hub)
        if hub is None or hub.honest or proof.room not in self.lied:
            self._world.fail(f"{node} has a proof against {hub}, which is honest there")

    # --- in memory

    def look(self, node: Node) -> None:
        """Bounds, now and then; and no node holds anything that is not for it."""
        self._looks += 1
        if self._looks % 64:
            return
        grown = check_sizes(node)
        if grown is not None:
            self._world.fail(f"{node}: {grown}")
        if self._looks % 1_024 == 0:
            self.outsiders.kept(node)
