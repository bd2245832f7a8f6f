"""A node as the hub of rooms: puts what members say into logs, and tells followers."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.envelope import check_payload
from hedgerow_protocol.delivery.order import check_seen, comes_second, entry_time
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    Entry,
    EntryKind,
    Head,
    MailboxId,
    Position,
    RoomId,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.fanout_values import Followed, Grown, Limited, Read, Sent
from hedgerow_protocol.federation.letters import Followers, Notify, Request
from hedgerow_protocol.federation.values import (
    AnswerBody,
    Done,
    Follow,
    Following,
    MailboxTold,
    PutBack,
    RefusalAnswer,
    RequestBody,
    Submit,
    SubmitAccepted,
    SubmitConflict,
    Unfollow,
    WelcomeLetter,
)
from hedgerow_protocol.ids import NodeId
from rooms_across.rows import Far, Own

if TYPE_CHECKING:
    from rooms_across.node import Node


class Hub:
    """The hub's side of one node."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.disk = node.disk

    # --- logs

    def found(self, room: RoomId, mailbox: MailboxId) -> None:
        """Within a transaction: a room begins."""
        self.disk.put("room", room, BEGINNING)
        self.disk.put(("own", room), mailbox, Own(1))

    def submit(self, peer: NodeId | None, said: Submission) -> SubmitAccepted | SubmitConflict:
        """Within a transaction: judge a submission of a member here (no ``peer``) or elsewhere."""
        disk, room = self.disk, said.room
        try:
            check_payload(said.payload, room, said.kind, said.epoch)
        except RemoteError as error:
            raise Refused(Refusal.BAD, str(error)) from error
        at: Position | None = disk.get("room", room)
        author = disk.get(("own" if peer is None else "far", room), said.mailbox)
        if at is None or author is None or not self.is_author(peer, author):
            raise unknown()
        stands = self.standing(said)
        if stands is not None:
            return SubmitAccepted(stands.seq, stands.time, stands.hash)
        if author.until is not None:
            raise Refused(Refusal.NOT_ALLOWED, "This mailbox was taken out.")
        check_seen(said.seen, at)
        if said.kind is EntryKind.COMMIT:
            conflict = comes_second(said.kind, said.seen, disk.get(("commits", room), said.epoch, 0))
            if conflict is not None:
                return SubmitConflict(conflict.seen, at.seq)
            for each in said.welcomes:
                self._check_welcome(room, each)
        seq, time, digest = at.seq + 1, entry_time(self.node.now().timestamp, at), sha256(said.payload).digest()
        hash = entry_hash(room, seq, time, said.kind, said.epoch, said.id, digest, at.hash)
        entry = Entry(seq, time, said.kind, said.epoch, said.id, said.payload, digest, hash)
        disk.put(("log", room), seq, entry)
        disk.put(("ids", room), said.id, seq)
        disk.put("room", room, Position(seq, hash, time))
        disk.then(lambda: self._grew(room, entry, said.mailbox))
        if said.kind is EntryKind.COMMIT:
            disk.put(("commits", room), said.epoch, seq)
            self._effects(said, at, seq)
        return SubmitAccepted(seq, time, hash)

    def is_author(self, peer: NodeId | None, author: Own | Far) -> bool:
        """Whether a mailbox is of whoever speaks for it."""
        return isinstance(author, Own) or author.node == peer

    def standing(self, said: Submission) -> Entry | None:
        """The entry that has this id already."""
        seq = self.disk.get(("ids", said.room), said.id)
        return None if seq is None else self.disk.get(("log", said.room), seq)

    def _grew(self, room: RoomId, entry: Entry, mailbox: MailboxId) -> None:
        self.node.world.safety.stands(self.node, room, entry, mailbox)
        self.node.feed(self.node.fanout, Grown(room, entry.seq))
        self.node.grew(room)

    def _check_welcome(self, room: RoomId, said: WelcomeOut) -> None:
        if said.home is None:
            package = self.disk.get("package", said.ref)
            if package is None or package.claimed is None or package.room != room:
                raise Refused(Refusal.BAD, "Nobody claimed this KeyPackage for this room.")
        elif (taken := self.disk.get(("far", room), said.mailbox)) is not None and taken.node != said.home:
            raise Refused(Refusal.BAD, "Another member has this mailbox.")

    def _effects(self, said: Submission, before: Position, seq: int) -> None:
        disk, room = self.disk, said.room
        for mailbox in said.removes:
            own, far = disk.get(("own", room), mailbox), disk.get(("far", room), mailbox)
            if own is not None:
                disk.put(("own", room), mailbox, replace(own, until=own.until or seq, last=seq))
            if far is not None:
                disk.put(("far", room), mailbox, replace(far, until=far.until or seq, last=seq))
            if far is not None and far.until is None:
                at = self.position(room, far.node, seq)
                self.node.ask(far.node, MailboxTold(room, mailbox, self.signed(room, at, far.node)))
                self._limit(room, far.node)
        for each in said.welcomes:
            if each.home is None or each.mailbox is None:
                package = disk.get("package", each.ref)
                disk.remove("package", each.ref)
                disk.put(("own", room), package.mailbox, Own(seq))
                continue
            disk.put(("far", room), each.mailbox, Far(each.home, seq))
            if disk.get(("cursor", room), each.home) is None:
                disk.put(("cursor", room), each.home, seq - 1)
            head = self.signed(room, self.position(room, each.home, before.seq), each.home)
            self.node.ask(each.home, WelcomeLetter(room, seq, each.ref, each.payload, each.mailbox, head))
            self._limit(room, each.home)

    def spans(self, room: RoomId, node: NodeId) -> list[Far]:
        """What mailboxes of a node read of a room."""
        return [each for each in self.disk.all(("far", room)).values() if each.node == node]

    def _end(self, room: RoomId, node: NodeId) -> int | None:
        spans = self.spans(room, node)
        return (
            None if any(each.until is None for each in spans) else max((each.until or 0 for each in spans), default=0)
        )

    def _limit(self, room: RoomId, node: NodeId) -> None:
        end = self._end(room, node)
        self.disk.then(lambda: self.node.feed(self.node.fanout, Limited(room, node, end)))

    # --- requests

    def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """Within a transaction."""
        match request.body:
            case Submit(said):
                return self.submit(peer, said)
            case Follow(room, after):
                return self._follow(peer, room, after)
            case Unfollow(room, mailbox):
                self._leave(peer, room, mailbox)
            case PutBack(room, author, mailbox, seen):
                far = self.disk.get(("far", room), author)
                if far is None or far.node != peer or far.until is not None:
                    raise unknown()
                self.put_back(room, mailbox, seen)
            case _:
                return None
        return Done()

    def _follow(self, peer: NodeId, room: RoomId, after: int) -> Following:
        spans, at = self.spans(room, peer), self.disk.get("room", room)
        if not spans or at is None:
            raise unknown()
        end = self._end(room, peer)
        upto = at.seq if end is None else end
        after = max(min(after, upto), min(each.joined for each in spans) - 1)
        new = self.disk.get(("following", room), peer) is None
        self.disk.put(("cursor", room), peer, after)
        self.disk.put(("following", room), peer, True)

        def begin() -> None:
            self.node.feed(self.node.fanout, Followed(room, peer, after, at.seq, end))
            if new:
                for each in self.disk.all(("following", room)):
                    self._tell_fellows(room, each)

        self.disk.then(begin)
        return Following(self.signed(room, self.position(room, peer, upto), peer), self._fellows(room, peer))

    def _fellows(self, room: RoomId, node: NodeId) -> tuple[NodeId, ...]:
        return tuple(sorted(each for each in self.disk.all(("following", room)) if each != node))

    def _tell_fellows(self, room: RoomId, node: NodeId) -> None:
        self.node.send(node, Followers(room, self._fellows(room, node)))

    def _leave(self, peer: NodeId, room: RoomId, mailbox: MailboxId) -> None:
        far, at = self.disk.get(("far", room), mailbox), self.disk.get("room", room)
        if far is None or at is None or far.node != peer:
            raise unknown()
        until = at.seq if far.until is None else far.until
        self.disk.put(("far", room), mailbox, replace(far, until=until, gone=True))
        self._limit(room, peer)

    def put_back(self, room: RoomId, mailbox: MailboxId, seen: int) -> None:
        """Within a transaction: a mailbox that commits took out up to ``seen``, which members judged to be none."""
        own, far = self.disk.get(("own", room), mailbox), self.disk.get(("far", room), mailbox)
        if own is not None and own.until is not None and own.last <= seen and not own.gone:
            self.disk.put(("own", room), mailbox, replace(own, until=None))
            self.disk.then(lambda: self.node.grew(room))
        if far is not None and far.until is not None and far.last <= seen and not far.gone:
            self.disk.put(("far", room), mailbox, replace(far, until=None))
            self.node.ask(far.node, MailboxTold(room, mailbox, None))
            self._limit(room, far.node)

    def answered(self, peer: NodeId, body: RequestBody, answer: AnswerBody) -> None:
        """Within a transaction: a newcomer's home has refused."""
        if isinstance(body, WelcomeLetter) and isinstance(answer, RefusalAnswer):
            self._leave(peer, body.room, body.mailbox)

    # --- telling

    def start(self) -> None:
        """Go on from what followers have acknowledged."""
        for room in self.disk.names("cursor"):
            newest = self.disk.get("room", room).seq
            for node, seq in self.disk.all(("cursor", room)).items():
                self.node.feed(self.node.fanout, Followed(room, node, seq, newest, self._end(room, node)))

    def link_up(self, peer: NodeId) -> None:
        """A follower is told of the others."""
        for room in self.disk.names("following"):
            if self.disk.sure(("following", room), peer):
                self._tell_fellows(room, peer)

    def acknowledged(self, peer: NodeId, room: RoomId, seq: int) -> None:
        """A follower has this on its disk."""
        if seq > self.disk.get(("cursor", room), peer):
            seq = min(seq, self.disk.get("room", room).seq)
            self.disk.write(lambda: self.disk.put(("cursor", room), peer, seq))

    def read(self, read: Read) -> None:
        """Send what the machine asks for, if the link has room."""
        seq, size = read.after, 0
        notify = self.notify(read.room, read.node, read.after, read.limit, read.size)
        if notify is not None and self.node.send(read.node, notify) and notify.entries:
            seq = notify.head.position.seq
            size = sum(len(each.payload) for each in notify.entries if each.payload is not None)
        life = self.node.life
        self.node.world.clock.after(0.001, self._sent, life, Sent(read.number, seq, size))

    def _sent(self, life: int, sent: Sent) -> None:
        if life == self.node.life:
            self.node.feed(self.node.fanout, sent)

    def notify(self, room: RoomId, node: NodeId, after: int, limit: int, size: int) -> Notify | None:
        """What a follower is told."""
        spans = self.spans(room, node)
        if not spans:
            return None
        end = self._end(room, node)
        newest = self.disk.sure("room", room).seq
        end = newest if end is None else min(end, newest)
        after = max(after, min(each.joined for each in spans) - 1)
        entries: list[Entry] = []
        for seq in range(after + 1, min(end, after + limit) + 1):
            entry = self.told(room, node, seq, spans)
            size -= len(entry.payload or b"")
            if entries and size < 0:
                break
            entries.append(entry)
        assert len(entries) <= limits.NOTIFY_ENTRIES_MAX
        upto = entries[-1].seq if entries else end
        before = self.position(room, node, entries[0].seq - 1).hash if entries else bytes(32)
        head = self.signed(room, self.position(room, node, upto), node)
        return Notify(room, head, before, tuple(entries), upto < end)

    def told(self, room: RoomId, node: NodeId, seq: int, spans: Sequence[Far]) -> Entry:
        """One entry; its payload only where a mailbox of this node reads it."""
        entry: Entry = self.entry(room, node, seq)
        reads = any(each.joined <= seq and (each.until is None or seq <= each.until) for each in spans)
        return entry if reads else replace(entry, payload=None)

    def entry(self, room: RoomId, node: NodeId, seq: int) -> Entry:
        """One entry, as this node is told of it."""
        return self.disk.get(("log", room), seq)  # type: ignore[no-any-return]

    def position(self, room: RoomId, node: NodeId, seq: int) -> Position:
        """Where the log stood at a seq, as this node is told."""
        if seq == 0:
            return BEGINNING
        entry = self.entry(room, node, seq)
        return Position(seq, entry.hash, entry.time)

    def signed(self, room: RoomId, position: Position, node: NodeId) -> Head:
        """A head for this node."""
        return sign_head(self.node.key, room, position)


def unknown() -> Refused:
    """Rooms that are not there, and rooms that are not theirs."""
    return Refused(Refusal.UNKNOWN, "No device of your node takes part in such a room here.")
