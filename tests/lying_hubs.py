"""What a test says as the hub of a room: logs that are made up, signed, and told."""

import os
from dataclasses import dataclass
from hashlib import sha256

import mls_bytes
from hedgerow_node.federation.standing import NodeStanding
from hedgerow_node.federation.tally import Why
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.values import Accepted, Entry, EntryId, EntryKind, Position, RoomId
from hedgerow_protocol.federation.letters import Notify
from hedgerow_protocol.federation.values import Done, WelcomeLetter
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp
from linked_worlds import Node, Stranger, eventually, in_room, let_in_from, wait_log
from private_worlds import NOW, Member, message


def entries_from(position: Position, room: RoomId, many: int, *, time: int = NOW) -> list[Entry]:
    """A log as a hub might make it up."""
    made = []
    for _ in range(many):
        payload = mls_bytes.application(room, 1)
        id, digest, seq = EntryId(os.urandom(16)), sha256(payload).digest(), position.seq + 1
        hash = entry_hash(room, seq, time, EntryKind.MESSAGE, 1, id, digest, position.hash)
        made.append(Entry(seq, time, EntryKind.MESSAGE, 1, id, payload, digest, hash))
        position = Position(seq, hash, time)
    return made


def told(hub: Stranger, room: RoomId, before: Position, entries: list[Entry]) -> Notify:
    """A notify that the hub has signed."""
    last = entries[-1]
    head = sign_head(hub.key, room, last.position)
    return Notify(room, head, before.hash, tuple(entries), more=False)


async def joined(hub: Stranger, home: Node, member: Member, room: RoomId, before: Position = BEGINNING) -> None:
    """A member is let into a room of a hub that a test speaks for."""
    ref, consent = await home.offer(member)
    await home.delivery.claim_key_package(member.session, ref, consent, now=NOW)
    head = sign_head(hub.key, room, before)
    body = WelcomeLetter(room, before.seq + 1, ref, mls_bytes.welcome([ref]), member.mailbox, head)
    assert await hub.ask(home, body) == Done()


async def held(where: Node, room: RoomId) -> int:
    """The seq of the newest entry that a node has of a room."""
    found = await where.store.database.read(
        lambda c: c.execute("SELECT seq FROM room WHERE name = ?", (room,)).fetchone()
    )
    return int(found[0])


@dataclass
class OtherRoom:
    """A room between two honest nodes, which what happens elsewhere must not touch."""

    hub: Node
    home: Node
    founder: Member
    guest: Member
    room: RoomId
    seq: int = 1

    @classmethod
    async def between(cls, hub: Node, home: Node) -> "OtherRoom":
        """Founded at one, with a guest of the other."""
        founder, guest = await hub.member(), await home.member()
        room = await hub.room(founder)
        await let_in_from(room, (hub, founder), [(home, guest)], epoch=0, seen=0)
        await in_room(home, guest, room, 1)
        return cls(hub, home, founder, guest, room)

    async def talks(self) -> None:
        """Both say something, and both read it."""
        for where, who in ((self.home, self.guest), (self.hub, self.founder)):
            said = message(self.room, who, seen=self.seq)
            assert isinstance(
                await where.delivery.submit(who.session, said, now=Timestamp(NOW + where.later)), Accepted
            )
            self.seq += 1
            await wait_log(self.home, self.guest, self.room, self.seq)
            await wait_log(self.hub, self.founder, self.room, self.seq)


async def seen_of(where: Node, who: NodeId) -> NodeStanding:
    """What the keeper of a node sees of another one."""
    return next((each for each in await where.federation.standing() if each.node == who), NodeStanding(node=who))


async def refused_of(where: Node, who: NodeId, why: Why, many: int) -> int:
    """Wait until the keeper sees that so many things of a node were refused for a reason; how many were."""

    async def are_seen() -> bool:
        return (await seen_of(where, who)).refused.get(why, 0) >= many

    await eventually(are_seen, f"{many} refused: {why}", 30)
    return (await seen_of(where, who)).refused[why]
