"""More waits for a node that is not there than fits into one drop."""

import asyncio
from pathlib import Path

import pytest

from drop_worlds import eventually, newest, together, village
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from linked_worlds import Node
from private_worlds import NOW, Member, message

LOG = "SELECT submission FROM entry ORDER BY id"
LARGE, MANY = 60_000, 24
assert LARGE * MANY > limits.DROP_BYTES_MAX


@pytest.mark.parametrize("writer", ["hub", "home"])
async def test_it_goes_in_several_in_its_order(tmp_path: Path, writer: str) -> None:
    async with village(tmp_path) as place:
        ash, birch, room = await together(place)
        reader, here, there = ("home", ash, birch) if writer == "hub" else ("hub", birch, ash)
        async with place.online(writer) as one:
            ids = []
            asked = []
            for _ in range(MANY):
                said = message(room, here, epoch=1, seen=1, size=LARGE)
                ids.append(said.id)
                asked.append(asyncio.create_task(one.delivery.submit(here.session, said, now=NOW)))
            await place.has_left(one, place.id_of(reader))
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        seqs = [1]
        while seqs[-1] < 1 + MANY:
            async with place.online(reader) as other:
                before = seqs[-1]
                await eventually(lambda: _more(other, there, room, before), "a part of it has come")  # noqa: B023
                await place.has_fetched(other)
                seqs.append(await newest(other, there, room))
                rows = await other.store.database.read(lambda c: c.execute(LOG).fetchall())
                await place.has_said(other, place.id_of(writer))
            async with place.online(writer) as one:
                await place.has_fetched(one)
                if seqs[-1] < 1 + MANY:
                    await place.has_left(one, place.id_of(reader))
        assert len(seqs) > 2
        assert [row[0] for row in rows][1:] == ids


async def _more(where: Node, member: Member, room: RoomId, seq: int) -> bool:
    return await newest(where, member, room) > seq
