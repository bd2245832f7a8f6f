"""The pump of submissions: bounded, alive after a failure, and empty when it is closed."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hedgerow_node.delivery import pump
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreBusyError, StoreError
from hedgerow_node.store.private.appending import Appender
from hedgerow_protocol.delivery.values import Accepted
from private_worlds import NOW, message, world


async def test_beyond_its_bound_it_says_that_it_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "WAITING_MAX", 5)
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        answers = await asyncio.gather(
            *(here.delivery.submit(ash.session, message(room, ash), now=NOW) for _ in range(9)),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [Accepted] * 5 + [StoreBusyError] * 4
        assert isinstance(await here.delivery.submit(ash.session, message(room, ash), now=NOW), Accepted)


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), ValueError("a mistake of ours")])
async def test_a_group_that_fails_is_told_so_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        whole = Appender.append

        def fail(self: Appender, connection: Connection, batch: object) -> None:
            whole(self, connection, batch)  # type: ignore[arg-type]
            raise error

        here.told.clear()
        monkeypatch.setattr(Appender, "append", fail)
        answers = await asyncio.gather(
            *(here.delivery.submit(ash.session, message(room, ash), now=NOW) for _ in range(3)),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [StoreError] * 3
        assert here.told == []
        monkeypatch.setattr(Appender, "append", whole)
        done = await here.delivery.submit(ash.session, message(room, ash), now=NOW)
        assert isinstance(done, Accepted)
        assert done.seq == 1


async def test_what_waits_is_written_before_it_closes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        sent = [asyncio.create_task(here.delivery.submit(ash.session, message(room, ash), now=NOW)) for _ in range(150)]
        await asyncio.sleep(0)
        await here.delivery.close()
        assert sorted(each.seq for each in await asyncio.gather(*sent) if isinstance(each, Accepted)) == [
            *range(1, 151)
        ]
        with pytest.raises(StoreError):
            await here.delivery.submit(ash.session, message(room, ash), now=NOW)


async def test_who_gives_up_waiting_does_no_harm(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        sent = [asyncio.create_task(here.delivery.submit(ash.session, message(room, ash), now=NOW)) for _ in range(80)]
        await asyncio.sleep(0)
        for each in sent[::2]:
            each.cancel()
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert all(isinstance(each, Accepted) for each in answers[1::2])
        page = await here.delivery.log(ash.session, room, after=0, limit=500)
        assert 40 <= page.head.position.seq <= 80
