"""A node as the home of members: takes what they say, and lets those in whom a hub welcomes."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.chain import head_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AccountKey, KeyPackageRef, MailboxId, RoomId, Submission
from hedgerow_protocol.federation.claims import claim_tag
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.values import (
    UNKNOWN_KIND,
    AnswerBody,
    Busy,
    Claimed,
    Done,
    KeyPackageClaim,
    MailboxTold,
    PutBack,
    RefusalAnswer,
    RequestBody,
    Submit,
    SubmitAccepted,
    Unfollow,
    WelcomeLetter,
)
from hedgerow_protocol.ids import NodeId
from rooms_across.hub import unknown
from rooms_across.rows import Copy, Own, Package

if TYPE_CHECKING:
    from rooms_across.node import Node

WAIT_SECONDS = 5.0
Reply = Callable[[AnswerBody | None], None]
"""``None``: another node has not answered yet; it is kept."""


class Home:
    """The home's side of one node. What members ask is answered by calling back, or never when the node crashes."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.disk = node.disk

    # --- members

    def offer(self, ref: KeyPackageRef, mailbox: MailboxId, room: RoomId, reply: Callable[[], None]) -> None:
        """A device offers itself to be let in."""

        def work() -> None:
            if self.disk.get("package", ref) is None:
                self.disk.put("package", ref, Package(mailbox, room))
            self.disk.then(reply)

        self.disk.write(work)

    def claim(self, claimer: MailboxId, ref: KeyPackageRef, home: NodeId, reply: Reply) -> None:
        """Claim the KeyPackage of a newcomer."""
        tag = claim_tag(sha256(self.node.key.public).digest(), AccountKey(claimer + claimer), ref)
        if home == self.node.id:
            self._here(lambda: self._claim(ref, tag), reply)
        else:
            self._elsewhere(home, KeyPackageClaim(ref, ref[:16], tag), tag + ref, reply)

    def submit(self, said: Submission, hub: NodeId, reply: Reply) -> None:
        """A member says something."""
        if hub == self.node.id:
            self._here(lambda: self.node.hub.submit(None, said), reply)
            return

        def standing() -> AnswerBody | None:
            seq = self.disk.get(("ids", said.room), said.id)
            if seq is not None:
                entry = self.disk.get(("log", said.room), seq)
                return SubmitAccepted(seq, entry.time, entry.hash)
            self._own(said.room, said.mailbox)
            return None

        self._elsewhere(hub, Submit(said), said.room + said.id, reply, standing)

    def put_back(self, author: MailboxId, room: RoomId, mailbox: MailboxId, hub: NodeId, seen: int) -> None:
        """A member judges that a mailbox should not have been taken out."""
        if hub == self.node.id:
            self._here(lambda: self.node.hub.put_back(room, mailbox, seen) or Done(), lambda answer: None)
        else:
            about = author + mailbox + seen.to_bytes(8, "big")
            self._elsewhere(hub, PutBack(room, author, mailbox, seen), about, lambda answer: None)

    def leave(self, room: RoomId, mailbox: MailboxId, hub: NodeId, reply: Reply) -> None:
        """A device stops."""

        def work() -> AnswerBody:
            own = self.disk.get(("own", room), mailbox)
            if own is not None and own.until is None:
                at = self.disk.get("room", room) if hub == self.node.id else self.disk.get("copy", room).head.position
                self.disk.put(("own", room), mailbox, replace(own, until=at.seq, gone=True))
                if hub != self.node.id:
                    self.node.ask(hub, Unfollow(room, mailbox))
            return Done()

        self._here(work, reply)

    def _own(self, room: RoomId, mailbox: MailboxId) -> Own:
        own: Own | None = self.disk.get(("own", room), mailbox)
        if own is None or own.until is not None:
            raise Refused(Refusal.NOT_ALLOWED, "This mailbox does not take part.")
        return own

    def _here(self, work: Callable[[], AnswerBody], reply: Reply) -> None:
        done = self.disk.write(work)
        answer = RefusalAnswer(done.code, done.sentence) if isinstance(done, Refused) else done
        self.disk.answer(lambda: reply(answer))

    def _elsewhere(
        self,
        to: NodeId,
        body: RequestBody,
        key: bytes,
        reply: Reply,
        standing: Callable[[], AnswerBody | None] = lambda: None,
    ) -> None:
        """Keep a request, and wait for its answer for a while. The same again is one request."""

        def work() -> AnswerBody | bytes:
            found = standing()
            if found is not None:
                return found
            id = self.disk.get("sent", key)
            if id is None:
                id = self.node.ask(to, body)
                self.disk.put("sent", key, id)
            return self.disk.get("answers", id) or id

        done = self.disk.write(work)
        if isinstance(done, Refused):
            reply(RefusalAnswer(done.code, done.sentence))
        elif not isinstance(done, bytes):
            self.disk.answer(lambda: reply(done))
        else:
            self.disk.answer(lambda: self._wait(done, reply))

    def _wait(self, id: bytes, reply: Reply) -> None:
        told: list[bool] = []

        def once(answer: AnswerBody | None) -> None:
            if not told:
                told.append(True)
                reply(answer)

        life = self.node.life
        self.node.waiters.setdefault(id, []).append(once)
        self.node.world.clock.after(WAIT_SECONDS, lambda: once(None) if self.node.life == life else None)

    # --- other nodes

    def answer(self, peer: NodeId, request: Request) -> AnswerBody:
        """Within a transaction."""
        match request.body:
            case KeyPackageClaim(ref, _, tag):
                return self._claim(ref, tag)
            case WelcomeLetter():
                self._welcome(peer, request.body)
            case MailboxTold():
                return self._mailbox_told(peer, request.body)
            case _:
                return UNKNOWN_KIND
        return Done()

    def _claim(self, ref: KeyPackageRef, tag: bytes) -> AnswerBody:
        package = self.disk.get("package", ref)
        if package is None or package.claimed not in (None, tag):
            raise Refused(Refusal.UNKNOWN, "There is no such KeyPackage.")
        self.disk.put("package", ref, replace(package, claimed=tag))
        return Claimed(bytes(ref), package.mailbox)

    def _welcome(self, hub: NodeId, said: WelcomeLetter) -> None:
        disk, room = self.disk, said.room
        if said.head.position.seq + 1 != said.seq or not head_holds(hub, room, said.head):
            raise unknown()
        package = disk.get("package", said.ref)
        if package is None:
            if disk.get("arrived", (room, said.mailbox)) != (hub, said.seq):
                raise unknown()
            return
        if not self.was_offered(package, said):
            raise unknown()
        copy = disk.get("copy", room)
        if copy is None:
            if disk.get("room", room) is not None:
                raise unknown()
            copy = Copy(hub, said.head)
            disk.put("copy", room, copy)
        elif copy.hub != hub or copy.proof is not None:
            raise unknown()
        disk.remove("package", said.ref)
        disk.put("arrived", (room, said.mailbox), (hub, said.seq))
        disk.put(("own", room), said.mailbox, Own(said.seq))
        disk.then(lambda: self.node.world.safety.welcomed(self.node, hub, said))
        disk.then(lambda: self.node.grew(room))
        self.node.follower.follow(room, copy, copy.head.position.seq)

    def was_offered(self, package: Package, said: WelcomeLetter) -> bool:
        """Whether somebody claimed this, for this room and mailbox."""
        return package.claimed is not None and (package.room, package.mailbox) == (said.room, said.mailbox)

    def _mailbox_told(self, hub: NodeId, told: MailboxTold) -> AnswerBody:
        disk, room = self.disk, told.room
        copy, own = disk.get("copy", room), disk.get(("own", room), told.mailbox)
        if copy is None or copy.hub != hub or own is None or own.gone:
            raise unknown()
        if told.until is None:
            disk.put(("own", room), told.mailbox, replace(own, until=None))
            # What came meanwhile was passed over, or came without its payload.
            self.node.follower.follow(room, copy, copy.head.position.seq if own.until is None else own.until)
        else:
            at = told.until.position
            if copy.proof is None and at.seq > copy.head.position.seq:
                return Busy(1)
            disk.put(("own", room), told.mailbox, replace(own, until=at.seq))
        disk.then(lambda: self.node.grew(room))
        return Done()
