"""Nodes that are never online together, and one that always is and keeps what they leave for each other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import linked_worlds
from hedgerow_node.federation.holders import Pace
from hedgerow_node.store.private import drop_rows
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.drops import drop_id, open_drop
from hedgerow_protocol.federation.letters import Letter, decode
from hedgerow_protocol.federation.values import DropFetch, DropsFound
from hedgerow_protocol.ids import NodeId
from linked_worlds import Node, Stranger, Wire, in_room, let_in_from, node, node_key
from private_worlds import Member

PACE = Pace(after=0.0, soon=0.0, look=0.03, fetch=0.1, link=5.0)
"""At once, where a real node waits for minutes."""


async def eventually(is_so: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something that has to be asked for, on a machine that is busy."""
    await linked_worlds.eventually(is_so, what, 60.0)


@dataclass
class Told:
    """What every node knows of the others."""

    able: list[NodeId] = field(default_factory=list)
    relays: dict[NodeId, Sequence[NodeId]] = field(default_factory=dict)
    shut_out: frozenset[NodeId] = frozenset()

    async def holders(self) -> Sequence[NodeId]:
        """See Whereabouts."""
        return self.able

    async def relays_of(self, node: NodeId) -> Sequence[NodeId]:
        """See Whereabouts."""
        return self.relays.get(node, ())

    async def blocked(self) -> frozenset[NodeId]:
        """See Whereabouts."""
        return self.shut_out


@dataclass
class Village:
    """A wire, one holder of drops on it, and nodes that come and go."""

    folder: Path
    wire: Wire
    holder: Node
    told: Told

    @asynccontextmanager
    async def online(self, name: str, *, link: bool = True, **settings: Any) -> AsyncIterator[Node]:
        """A node, linked with the holder and with nobody else, until the block ends."""
        settings.setdefault("whereabouts", self.told)
        settings.setdefault("pace", PACE)
        async with node(self.folder / name, self.wire, name, **settings) as made:
            if link:
                self.wire.link(made, self.holder)
            yield made

    def id_of(self, name: str) -> NodeId:
        """The name of a node that may not be there."""
        return NodeId(node_key(name).public[1:])

    async def lies_for(self, who: NodeId) -> int:
        """Drops that are kept for a node."""
        query = "SELECT count(*) FROM deposit WHERE destination = ?"
        row = await self.holder.store.database.read(lambda c: c.execute(query, (who,)).fetchone())
        return int(row[0])

    async def has_left(self, sender: Node, to: NodeId) -> None:
        """Wait until everything that waits at the sender lies with the holder."""
        leaving = sender.federation._drops._leaving  # type: ignore[union-attr]

        async def is_left() -> bool:
            last = await sender.store.database.read(lambda c: drop_rows.left_for(c, to))
            _, digest = await leaving._letters(to, [])
            return not leaving.owes(to) and last is not None and last.digest == digest and await self.lies_for(to) > 0

        await eventually(is_left, "a drop lies with the holder")

    async def has_said(self, sender: Node, to: NodeId) -> None:
        """Wait until an answer lies with the holder."""

        async def is_left() -> bool:
            return await self.lies_for(to) > 0

        await eventually(is_left, "a drop lies with the holder")

    async def forget_drops(self) -> None:
        """The holder's disk is empty."""
        await self.holder.store.database.write(lambda c: c.execute("DELETE FROM deposit"))

    def stranger(self, name: str) -> Stranger:
        """A node that says what a test lets it say, linked with the holder."""
        made = Stranger(self.wire, node_key(name))
        self.wire.link(made, self.holder)
        return made

    async def taken_by(self, who: Stranger) -> list[Letter]:
        """What is said in the drops that lie for a stranger; taken, and waited for."""
        await eventually(lambda: self._lies(who.id), "something lies with the holder")
        found = await who.ask(self.holder, DropFetch(()))
        assert isinstance(found, DropsFound)
        taken = tuple(map(drop_id, found.drops))
        assert await who.ask(self.holder, DropFetch(taken)) == DropsFound((), False)
        return [decode(said) for each in found.drops for said in open_drop(who.key, each).letters]

    async def _lies(self, who: NodeId) -> bool:
        return await self.lies_for(who) > 0

    async def has_fetched(self, who: Node) -> None:
        """Wait until a node has taken everything that lies for it."""

        async def is_empty() -> bool:
            return await self.lies_for(who.id) == 0

        await eventually(is_empty, "nothing lies with the holder")


@asynccontextmanager
async def village(folder: Path, **settings: Any) -> AsyncIterator[Village]:
    """The wire and a holder, who leaves and fetches nothing itself."""
    wire = Wire()
    async with node(folder / "holder", wire, "holder", holds_drops=True, **settings) as holder:
        yield Village(folder, wire, holder, Told([holder.id]))


async def together(place: Village) -> tuple[Member, Member, RoomId]:
    """A room that two nodes began while both were up."""
    async with place.online("hub") as hub, place.online("home") as home:
        place.wire.link(hub, home)
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
    return ash, birch, room


async def newest(where: Node, member: Member, room: RoomId) -> int:
    """How far a node's log of a room goes."""
    overview = await where.delivery.overview(member.session)
    return next(each.head.position.seq for each in overview.rooms if each.room == room)
