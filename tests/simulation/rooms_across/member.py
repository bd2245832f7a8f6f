"""Members' devices: they write, wait, read the log of their home in order, and ask again until they are answered."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.values import (
    EntryId,
    EntryKind,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.federation.values import (
    AnswerBody,
    Claimed,
    RefusalAnswer,
    SubmitAccepted,
    SubmitConflict,
)
from rooms_across.rows import Own, Written, sealed, welcome

if TYPE_CHECKING:
    from rooms_across.node import Node

NO_ANSWER_SECONDS = 12.0
AGAIN_SECONDS = 30.0


@dataclass(eq=False)
class Pending:
    """Something that was written and does not stand in the log yet, as far as its author knows."""

    kind: EntryKind
    size: int
    welcomes: tuple["Member", ...] = ()
    removes: tuple[MailboxId, ...] = ()
    valid: bool = True
    submission: Submission | None = None
    state: str = "new"
    """new; posted: no answer yet; kept: the home has it, and the hub has not answered."""
    turn: int = 0
    """Times that it was posted."""
    answered: int = 0
    """The last of them to which there was an answer."""


class Member:
    """One device in one room."""

    def __init__(self, home: "Node", room: RoomId, hub: "Node", name: str) -> None:
        self.home, self.room, self.hub, self.name = home, room, hub, name
        self.world = home.world
        self.mailbox = MailboxId(self.world.random.randbytes(16))
        self.ref = KeyPackageRef(sha256(self.mailbox).digest())
        self.inside = False
        self.was_in = False
        self.epoch = self.seen = self.count = 0
        self.pending: deque[Pending] = deque()
        self.read: list[EntryId] = []
        self.leaving = False
        self.out: set[MailboxId] = set()
        """Whom valid commits took out, as far as this member has read."""
        home.members.append(self)
        self.world.safety.outsiders.born(self)

    def __repr__(self) -> str:
        return f"{self.name} at {self.home}"

    # --- what members do

    def found(self) -> None:
        """Found the room."""
        self.home.disk.write(lambda: self.home.hub.found(self.room, self.mailbox))
        self.was_in = self.inside = True

    def say(self, size: int, times: int = 1) -> None:
        """Write messages, without waiting for one before the next."""
        for _ in range(times):
            self.pending.append(Pending(EntryKind.MESSAGE, size))
        self.pump()

    def take_out(self, mailbox: MailboxId, *, valid: bool) -> None:
        """Commit that another device is no more in the room."""
        self.pending.append(Pending(EntryKind.COMMIT, 300, removes=(mailbox,), valid=valid))
        self.pump()

    def let_in(self, newcomers: list["Member"], size: int, *, claim: bool = True) -> None:
        """Claim the KeyPackages of newcomers, then commit that they are in."""
        missing = set(newcomers) if claim else set()
        pending = Pending(EntryKind.COMMIT, size, welcomes=tuple(newcomers))

        def done(newcomer: Member) -> None:
            if newcomer in missing:
                missing.discard(newcomer)
                self.world.safety.claimed.add(newcomer.mailbox)
                if not missing:
                    self.pending.append(pending)
                    self.pump()

        if not claim:
            self.pending.append(pending)
            self.world.safety.never_claimed |= {each.mailbox for each in newcomers}
        for each in newcomers:
            each.offer(lambda each=each: self._claim(each, lambda: done(each)) if claim else None)  # type: ignore[misc]
        self.pump()

    def offer(self, then: Callable[[], None]) -> None:
        """Offer to be let in; the offer is on its home's disk before anybody hears of it."""
        offered: list[bool] = []

        def done() -> None:
            if not offered:
                offered.append(True)
                then()

        def go() -> None:
            if not offered:
                if self.home.up:
                    self.home.home.offer(self.ref, self.mailbox, self.room, done)
                self.world.clock.after(AGAIN_SECONDS, go)

        go()

    def _claim(self, newcomer: "Member", then: Callable[[], None]) -> None:
        answered: list[bool] = []

        def reply(answer: AnswerBody | None) -> None:
            if answer is not None and not answered:
                answered.append(True)
                if isinstance(answer, Claimed):
                    then()

        def go() -> None:
            if not answered:
                if self.home.up:
                    self.home.home.claim(self.mailbox, newcomer.ref, newcomer.home.id, reply)
                self.world.clock.after(AGAIN_SECONDS, go)

        go()

    def leave(self) -> None:
        """Stop this device."""
        self.leaving = True
        if self.home.up and self.inside:
            self.home.home.leave(self.room, self.mailbox, self.hub.id, lambda answer: self.wake())

    def ask(self) -> None:
        """Another device of this member asks the others to be let in."""
        if self.home.up and self.inside:
            self.home.asking.ask(self.room, self.mailbox, self.world.random.randbytes(200), self.hub.id)

    # --- writing

    def wake(self) -> None:
        """Its home has started, or its room has grown."""
        if not self.home.up:
            return
        self._read()
        self.pump()

    def pump(self) -> None:
        """Post what is next."""
        if not (self.inside and self.home.up):
            return
        for at, each in enumerate(self.pending):
            if each.state == "posted":
                return
            if each.state == "new":
                if each.kind is EntryKind.COMMIT and at > 0:
                    return
                if each.submission is None:
                    each.submission = self._made(each)
                each.state = "posted"
                self._post(each)
                return
            if each.kind is EntryKind.COMMIT:
                return

    def _made(self, each: Pending) -> Submission:
        id = EntryId(self.world.random.randbytes(16))
        payload = sealed(
            self.room, self.epoch, each.kind, self.mailbox + self.world.random.randbytes(8) + bytes(each.size)
        )
        self.count += 1
        self.world.safety.written[id] = Written(
            self.room, self.mailbox, self.count, id, each.kind, self.epoch, payload, each.removes, each.valid
        )
        welcomes = []
        for newcomer in each.welcomes:
            here = newcomer.home is self.hub
            out = WelcomeOut(
                newcomer.ref,
                welcome(self.room, newcomer.ref),
                None if here else newcomer.home.id,
                None if here else newcomer.mailbox,
            )
            welcomes.append(out)
        return Submission(
            self.room, self.mailbox, id, each.kind, self.epoch, self.seen, payload, tuple(welcomes), each.removes
        )

    def _post(self, each: Pending) -> None:
        assert each.submission is not None
        each.turn += 1
        turn = each.turn
        self.home.home.submit(each.submission, self.hub.id, lambda answer: self._reply(each, turn, answer))
        self.world.clock.after(NO_ANSWER_SECONDS, self._again, each, turn, 0)

    def _again(self, each: Pending, turn: int, answered: int) -> None:
        """No answer came, or one that says nothing yet: ask again, the same."""
        if each not in self.pending or each.turn != turn or (answered != turn and each.answered == turn):
            return
        if not self.home.up:
            self.world.clock.after(AGAIN_SECONDS, self._again, each, turn, answered)
        else:
            self._post(each)

    def _reply(self, each: Pending, turn: int, answer: AnswerBody | None) -> None:
        assert each.submission is not None
        id = each.submission.id
        if isinstance(answer, SubmitAccepted):
            self.world.safety.accepted(id, answer)
        if each not in self.pending or each.turn != turn:
            return
        if answer is None:
            each.state, each.answered = "kept", turn
            self.world.clock.after(AGAIN_SECONDS, self._again, each, turn, turn)
        elif isinstance(answer, SubmitConflict):
            self.world.safety.conflicted(id)
            self.pending.remove(each)
            if each.welcomes or each.removes:
                again = Pending(each.kind, each.size, each.welcomes, each.removes, each.valid)
                self.world.clock.after(5.0, self._once_more, again)
        else:
            assert isinstance(answer, SubmitAccepted | RefusalAnswer)
            self.pending.remove(each)
        self._read()
        self.pump()

    def _once_more(self, each: Pending) -> None:
        if self.inside:
            self.pending.append(each)
            self.pump()

    # --- reading

    def _read(self) -> None:
        disk = self.home.disk
        own: Own | None = disk.sure(("own", self.room), self.mailbox)
        if own is None:
            return
        if not self.was_in:
            commit = disk.sure(("log", self.room), own.joined)
            if commit is None:
                return
            self.was_in = self.inside = True
            self.seen, self.epoch = own.joined, commit.epoch + 1
            self.out |= self.world.safety.outsiders.out_by(self.room, own.joined)
        while own.until is None or self.seen < own.until:
            entry = disk.sure(("log", self.room), self.seen + 1)
            if entry is None:
                break
            self.seen += 1
            if entry.payload is None:
                # Told without its payload, because nobody here could read it then; it is being told again.
                self.seen -= 1
                break
            self.world.safety.outsiders.reads(self, self.seen)
            self._see(entry.id, entry.kind, entry.epoch)
        self.inside = own.until is None or self.seen < own.until
        if not self.inside:
            self.pending.clear()

    def _see(self, id: EntryId, kind: EntryKind, epoch: int) -> None:
        self.read.append(id)
        for each in self.pending:
            if each.submission is not None and each.submission.id == id:
                self.pending.remove(each)
                break
        said = self.world.safety.written.get(id)
        if said is None or kind is not EntryKind.COMMIT or epoch != self.epoch:
            return
        if said.valid:
            self.epoch += 1
            self.out.update(said.removes)
        elif self.mailbox not in said.removes and not self.leaving:
            for mailbox in said.removes:
                self.world.clock.after(self.world.random.uniform(0, 5), self._put_back, mailbox)

    def _put_back(self, mailbox: MailboxId) -> None:
        if self.home.up and self.inside and mailbox not in self.out:
            self.home.home.put_back(self.mailbox, self.room, mailbox, self.hub.id, self.seen)
