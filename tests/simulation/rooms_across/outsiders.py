"""Nothing of a room where no member is: each letter that an honest node sends is looked at where it arrives.

What is looked at is what members decided, not what nodes believe: a mailbox that a valid commit took out reads nothing
after it, whatever rows say.
"""

from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.values import AskId, Entry, KeyPackageRef, MailboxId, RoomId
from hedgerow_protocol.federation.letters import Followers, Heads, Letter, Notify, Request
from hedgerow_protocol.federation.values import (
    AskTold,
    Follow,
    KeyPackageClaim,
    MailboxTold,
    PutBack,
    RequestBody,
    RoomAsk,
    Submit,
    Unfollow,
    WelcomeLetter,
)
from hedgerow_protocol.ids import NodeId
from rooms_across.rows import Far, Written, room_on

if TYPE_CHECKING:
    from rooms_across.member import Member
    from rooms_across.node import Node
    from rooms_across.world import World


class Outsiders:
    """Fails the world when somebody is given what is not for them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.homes: dict[MailboxId, Node] = {}
        self._offers: dict[KeyPackageRef, Node] = {}
        self._removed: dict[MailboxId, int] = {}
        """Mailboxes that a valid commit took out, and its seq."""
        self._out: dict[RoomId, list[MailboxId]] = {}
        """The same by room, in the order of the log."""
        self._asks: dict[AskId, tuple[RoomId, int, frozenset[NodeId]]] = {}
        """The asks that hubs have taken: when, and who is to hear of them."""
        self._refused: set[tuple[AskId, NodeId]] = set()
        self.letters = 0
        """Letters of honest nodes that were looked at."""

    # --- what members do

    def born(self, member: "Member") -> None:
        """A device begins."""
        self.homes[member.mailbox] = self._offers[member.ref] = member.home

    def removed(self, said: Written, entry: Entry) -> None:
        """A commit stands in the log, which members take as one."""
        for each in said.removes:
            self._removed.setdefault(each, entry.seq)
            self._out.setdefault(said.room, []).append(each)

    def out_by(self, room: RoomId, seq: int) -> set[MailboxId]:
        """Whom valid commits had taken out by then: a newcomer learns from its Welcome who is in."""
        return {each for each in self._out.get(room, ()) if self._removed[each] <= seq}

    def asked(self, room: RoomId, ask: AskId, at: int, told: frozenset[NodeId]) -> None:
        """A hub has taken an ask."""
        self._asks[ask] = (room, at, told)

    def refused(self, ask: AskId, node: NodeId) -> None:
        """A node has no member there any more."""
        self._refused.add((ask, node))

    # --- what arrives

    def may_read(self, hub: "Node", node: NodeId, room: RoomId, seq: int) -> bool:
        """Whether a mailbox of this node reads this entry."""
        theirs: dict[MailboxId, Far] = hub.disk.all(("far", room))
        return any(
            far.node == node
            and far.joined <= seq
            and (far.until is None or seq <= far.until)
            and seq <= self._removed.get(mailbox, seq)
            for mailbox, far in theirs.items()
        )

    def look(self, node: "Node", peer: NodeId, letter: Letter) -> None:
        """A letter has arrived, whole."""
        if not self._world.nodes[peer].honest:
            return
        self.letters += 1
        match letter:
            case Notify():
                for entry in letter.entries:
                    self._read(node, entry)
                self._in_room(node, letter.room)
            case Heads(room) | Followers(room):
                self._in_room(node, room)
            case Request():
                self._request(node, letter.body)

    def _read(self, node: "Node", entry: Entry) -> None:
        if entry.payload is None:
            return
        room = RoomId(room_on(entry.payload))
        hub = self._world.safety.hubs.get(room)
        if hub is not None and hub.honest and not self.may_read(hub, node.id, room, entry.seq):
            self._world.fail(f"{node} was told an entry of a room in which it has no member then")

    def _in_room(self, node: "Node", room: RoomId) -> None:
        hub = self._world.safety.hubs.get(room)
        if hub is not None and hub.honest and hub is not node and not hub.hub.spans(room, node.id):
            self._world.fail(f"{node} was told how far a room is in which it never had a member")

    def _request(self, node: "Node", body: RequestBody) -> None:
        match body:
            case WelcomeLetter() | MailboxTold():
                to = self.homes.get(body.mailbox)
            case KeyPackageClaim():
                to = self._offers.get(body.ref)
            case Submit():
                to = self._world.safety.hubs.get(body.submission.room)
            case Follow() | Unfollow() | PutBack() | RoomAsk():
                to = self._world.safety.hubs.get(body.room)
            case AskTold(room, ask):
                if ask in self._asks and self._may_hear(node, room, ask):
                    return
                to = None
            case _:
                return
        if to is not node:
            self._world.fail(f"{node} was sent a {type(body).__name__}, which is not for it")

    def _may_hear(self, node: "Node", room: RoomId, ask: AskId) -> bool:
        hub, at = self._world.safety.hubs[room], self._asks[ask][1]
        return self.may_read(hub, node.id, room, at)

    # --- on disks

    def kept(self, node: "Node") -> None:
        """No node has on its disk what it must not be told, whoever it is."""
        safety = self._world.safety
        for room in node.disk.names("log"):
            hub = safety.hubs.get(room)
            if hub is None and node.disk.all(("log", room)):
                return self._world.fail(f"{node} holds a log of a room that is none")
            if hub is None or hub is node or not hub.honest:
                continue
            for seq, entry in node.disk.all(("log", room)).items():
                if entry.payload is not None and not self.may_read(hub, node.id, room, seq):
                    self._world.fail(f"{node} holds entry {seq} of a room, which no member there reads")
        for room in node.disk.names("asks"):
            hub = safety.hubs[room]
            for ask in node.disk.all(("asks", room)):
                if hub is not node and hub.honest and not self._may_hear(node, room, ask):
                    self._world.fail(f"{node} holds an ask of a room in which it had no member")
        return None

    def reads(self, member: "Member", seq: int) -> None:
        """A device reads an entry. Its home may learn a little late that it was taken out; then it gives no more."""
        removed, safety = self._removed.get(member.mailbox), self._world.safety
        hub = safety.hubs[member.room]
        if removed is None or seq <= removed or not hub.honest or not member.home.honest:
            return
        told = [row[2] for row in hub.disk.all("asked").values()]
        if not any(isinstance(each, MailboxTold) and each.mailbox == member.mailbox for each in told):
            self._world.fail(f"{member} reads entry {seq}, though it was taken out with entry {removed}")

    # --- in the end

    def unheard(self) -> str | None:
        """An ask that did not come to somebody who takes part."""
        world = self._world
        for ask, (room, _, nodes) in self._asks.items():
            for name in nodes:
                node = world.nodes[name]
                if node.mute or room in world.safety.lied or (ask, name) in self._refused:
                    continue
                if node.follower.takes_part(room) and node.disk.get(("asks", room), ask) is None:
                    return f"{node} has not heard of an ask"
        return None
