"""A node as a follower of rooms: its copies of logs grow as their hubs tell, and are compared with those of others."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.values import Entry, RoomId
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation import forks, mirror
from hedgerow_protocol.federation.comparing import Advanced, Fellows, HeardAhead, Left
from hedgerow_protocol.federation.forks import Proof
from hedgerow_protocol.federation.letters import Acknowledge, Fetch, Followers, Forked, Heads, Notify
from hedgerow_protocol.federation.mirror import Faulty, Gap, Held, New
from hedgerow_protocol.federation.values import AnswerBody, Follow, Following, RequestBody
from hedgerow_protocol.ids import NodeId
from rooms_across.rows import Copy

if TYPE_CHECKING:
    from rooms_across.node import Node

FETCH_AGAIN_SECONDS = 5.0

PROOF_SECONDS = 600.0
"""Between two wishes for a link to somebody who is to be given a proof."""


class Follower:
    """The follower's side of one node."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.disk = node.disk
        self.forget()

    def forget(self) -> None:
        """What was only in memory."""
        self._owed: dict[NodeId, dict[RoomId, Proof]] = {}

    def start(self) -> None:
        """Others are to have the proofs that are here."""
        for room, copy in self.disk.all("copy").items():
            if copy.proof is not None:
                self._owe(room, copy.proof)

    def copy(self, room: RoomId) -> Copy | None:
        """Where a copy stands."""
        return self.disk.get("copy", room)  # type: ignore[no-any-return]

    def takes_part(self, room: RoomId) -> bool:
        """Whether a member here does."""
        return any(each.until is None for each in self.disk.all(("own", room)).values())

    def take(self, peer: NodeId, letter: Notify | Heads | Followers | Forked) -> None:
        """Something about a room. What is not from its hub, or about no room here, is passed over."""
        if isinstance(letter, Forked):
            self._forked(letter)
            return
        copy = self.copy(letter.room)
        if copy is None or (copy.hub != peer and not isinstance(letter, Heads)):
            return
        if copy.proof is not None:
            if isinstance(letter, Heads):
                self.node.send(peer, Forked(forks.encode(copy.proof)))
            return
        if not self.takes_part(letter.room):
            return
        try:
            match letter:
                case Notify() if self.node.world.chance(self.node.world.weather.busy):
                    self.fetch_later(letter.room)  # its disk took nothing
                case Notify():
                    self._notified(copy, letter)
                case Heads():
                    self._shown(peer, copy, letter)
                case Followers(room, nodes):
                    self._fellows(room, nodes, anew=False)
        except RemoteError as error:
            if self.node.world.nodes[peer].honest and not (isinstance(letter, Heads) and self._lied(letter.room)):
                self.node.world.fail(f"{self.node} refuses what {self.node.world.nodes[peer]} says: {error}")

    def _lied(self, room: RoomId) -> bool:
        return room in self.node.world.safety.lied

    def _entries(self, room: RoomId, after: int, upto: int) -> Sequence[Entry]:
        found = [self.disk.get(("log", room), seq) for seq in range(after + 1, upto + 1)]
        return [each for each in found if each is not None]

    def follow(self, room: RoomId, copy: Copy, after: int) -> None:
        """Within a transaction: ask the hub for what comes after this."""
        inside = tuple(name for name, own in self.disk.all(("own", room)).items() if own.until is None)
        self.node.ask(copy.hub, Follow(room, min(after, copy.head.position.seq), inside))

    # --- growing

    def _notified(self, copy: Copy, told: Notify) -> None:
        room = told.room
        held = Held(copy.head.position.seq, copy.head)
        verdict = mirror.check(copy.hub, held, told, partial(self._entries, room))
        match verdict:
            case New(entries, head):
                self._fill_in(room, told.entries)
                if entries:
                    self.disk.write(lambda: self._grow(copy, room, entries, head))
                    self.disk.answer(lambda: self.node.grew(room))
                if not self.node.mute:
                    seq = head.position.seq
                    self.when_kept(lambda: self._acknowledge(copy.hub, room, seq))
            case Gap(after):
                self.node.send(copy.hub, Fetch(room, after))
            case Faulty(proof):
                self.keep(proof)

    def fetch_later(self, room: RoomId) -> None:
        """Ask the hub for what was not kept: it tells a thing once on a link."""
        life = self.node.life

        def fetch() -> None:
            copy = self.copy(room)
            if self.node.life == life and copy is not None and copy.proof is None and self.takes_part(room):
                self.node.send(copy.hub, Fetch(room, copy.head.position.seq))

        self.node.world.clock.after(FETCH_AGAIN_SECONDS, fetch)

    def _fill_in(self, room: RoomId, entries: Sequence[Entry]) -> None:
        """Keep payloads of which there were only hashes: a member who was taken out is put back."""
        for each in entries:
            own = self.disk.get(("log", room), each.seq)
            if own is not None and own.payload is None and each.payload is not None and own.hash == each.hash:
                self.disk.write(lambda each=each: self.disk.put(("log", room), each.seq, each))  # type: ignore[misc]
                self.disk.answer(lambda: self.node.grew(room))

    def when_kept(self, do: Callable[[], None]) -> None:
        """Do this when all that was taken over is on the disk."""
        self.disk.write(lambda: self.disk.then(do))

    def _acknowledge(self, hub: NodeId, room: RoomId, seq: int) -> None:
        self.node.send(hub, Acknowledge(room, seq))

    def _grow(self, copy: Copy, room: RoomId, entries: Sequence[Entry], head: forks.Head) -> None:
        for each in entries:
            self.disk.put(("log", room), each.seq, each)
            self.disk.put(("ids", room), each.id, each.seq)
        self.disk.put("copy", room, replace(copy, head=head))

        def grown() -> None:
            self.node.world.safety.copied(self.node, room, copy, entries, head)
            self.node.feed(self.node.comparing, Advanced(room, head.position.seq))

        self.disk.then(grown)

    def answered(self, body: RequestBody, answer: AnswerBody) -> None:
        """Within a transaction: the hub has answered that this node follows."""
        if isinstance(body, Follow) and isinstance(answer, Following):
            self.disk.put("fellows", body.room, answer.followers)
            event = Fellows(body.room, answer.followers, anew=True)
            self.disk.then(lambda: self._compare(event))

    def _compare(self, event: Fellows) -> None:
        copy = self.copy(event.room)
        if copy is not None and copy.proof is None:
            self.node.feed(self.node.comparing, event)

    # --- comparing

    def _fellows(self, room: RoomId, nodes: tuple[NodeId, ...], *, anew: bool) -> None:
        self.disk.write(lambda: self.disk.put("fellows", room, nodes))
        self.node.feed(self.node.comparing, Fellows(room, nodes, anew))

    def show(self, room: RoomId, node: NodeId) -> None:
        """Send the newest head there."""
        copy = self.disk.sure("copy", room)
        if copy is not None and copy.head.position.seq:
            self.node.send(node, Heads(room, copy.head))

    def _shown(self, peer: NodeId, copy: Copy, letter: Heads) -> None:
        proof = forks.compare(copy.hub, letter.room, copy.head, letter.head, partial(self._entries, letter.room))
        if proof is not None:
            self.keep(proof)
        elif letter.head.position.seq > copy.head.position.seq:
            self.node.feed(self.node.comparing, HeardAhead(letter.room, peer))

    def _forked(self, letter: Forked) -> None:
        try:
            proof = forks.decode(letter.proof)
        except RemoteError:
            return
        copy = self.copy(proof.room)
        if copy is not None and copy.hub == proof.hub and forks.proves(proof):
            self.keep(proof)

    def keep(self, proof: Proof) -> None:
        """A proof that holds. The others are to have it, too."""
        room, copy = proof.room, self.copy(proof.room)
        if copy is None or copy.proof is not None:
            return

        def kept() -> None:
            self.node.world.safety.proven(self.node, proof)
            self.node.feed(self.node.comparing, Left(room))
            self._owe(room, proof)

        def keep() -> None:
            self.disk.put("copy", room, replace(copy, proof=proof))
            self.disk.then(kept)

        self.disk.write(keep)

    def _owe(self, room: RoomId, proof: Proof) -> None:
        for fellow in self.disk.get("fellows", room, ()):
            if not self.node.send(fellow, Forked(forks.encode(proof))):
                self._owed.setdefault(fellow, {})[room] = proof
                self._wish(self.node.life, fellow, 0)

    def _wish(self, life: int, fellow: NodeId, times: int) -> None:
        if self.node.life == life and fellow in self._owed and times < 12:
            self.node.world.wires.want(self.node.id, fellow)
            self.node.world.clock.after(PROOF_SECONDS, self._wish, life, fellow, times + 1)

    def link_up(self, peer: NodeId) -> None:
        """Give what is owed."""
        for proof in self._owed.pop(peer, {}).values():
            self.node.send(peer, Forked(forks.encode(proof)))
