"""The pump of submissions: bounded, alive after a failure, and empty when it is closed."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hedgerow_node.delivery import pump
from hedgerow_node.delivery.doors import Outcome
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreBusyError, StoreError
from hedgerow_node.store.private.appending import Appender
from hedgerow_node.store.private.values import Happened, Refetch
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Accepted
from private_worlds import NOW, Member, commit, message, world


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


async def handed_in(many: int, told: list[Outcome]) -> list[Outcome]:
    """Wait for so many outcomes."""
    for _ in range(500):
        if len(told) == many:
            return told
        await asyncio.sleep(0.01)
    raise AssertionError(told)


async def test_who_hands_in_hears_of_it_right_before_all_others(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        heard: list[Outcome | Happened] = []
        here.delivery.tell = heard.append
        for _ in range(3):
            here.delivery.hand_in(ash.session, message(room, ash), heard.append, now=NOW)
        for _ in range(500):
            if len(heard) == 4:
                break
            await asyncio.sleep(0.01)
        assert [type(each) for each in heard] == [Accepted] * 3 + [Happened]
        assert [each.seq for each in heard if isinstance(each, Accepted)] == [1, 2, 3]


async def test_what_is_handed_in_is_judged_as_what_is_submitted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        room, (ash, birch) = await here.full_room(2)
        stranger = await here.member()
        told: list[Outcome] = []

        def hand_in(by: Member, submission: object) -> None:
            here.delivery.hand_in(by.session, submission, told.append, now=NOW)  # type: ignore[arg-type]

        hand_in(stranger, message(room, ash))
        hand_in(ash, first := commit(room, ash, epoch=1, seen=1))
        hand_in(birch, commit(room, birch, epoch=1, seen=1))
        hand_in(ash, first)
        outcomes = await handed_in(4, told)
        assert sorted(type(each).__name__ for each in outcomes) == ["Accepted", "Accepted", "Refetch", "Refused"]
        assert {each.code for each in outcomes if isinstance(each, Refused)} == {Refusal.UNKNOWN}
        (refetch,) = [each for each in outcomes if isinstance(each, Refetch)]
        assert refetch.page.head.position.seq == 2
        assert len({each for each in outcomes if isinstance(each, Accepted)}) == 1
        with pytest.raises(Refused):  # at once: it is no such message
            hand_in(ash, message(room, ash, size=90_000))
        assert len(told) == 4


async def test_who_cannot_be_told_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())
        told: list[Outcome] = []

        def fail(_outcome: Outcome) -> None:
            raise ValueError("a mistake of ours")

        here.delivery.hand_in(ash.session, message(room, ash), fail, now=NOW)
        here.delivery.hand_in(ash.session, message(room, ash), told.append, now=NOW)
        (outcome,) = await handed_in(1, told)
        assert isinstance(outcome, Accepted)
        assert outcome.seq == 2
        assert "could not be told" in caplog.text


async def test_a_group_that_fails_is_told_to_those_who_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        whole = Appender.append
        monkeypatch.setattr(Appender, "append", fail)
        told: list[Outcome] = []
        for _ in range(2):
            here.delivery.hand_in(ash.session, message(room, ash), told.append, now=NOW)
        assert [type(each) for each in await handed_in(2, told)] == [StoreError] * 2
        monkeypatch.setattr(Appender, "append", whole)
        assert isinstance(await here.delivery.submit(ash.session, message(room, ash), now=NOW), Accepted)
        await here.delivery.close()
        with pytest.raises(StoreError):
            here.delivery.hand_in(ash.session, message(room, ash), told.append, now=NOW)


async def test_a_store_that_takes_nothing_stops_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write does not even begin: who waits is told, and the next try is a new one."""
    async with world(tmp_path) as here:
        room = await here.room(ash := await here.member())

        async def full(*_: object) -> None:
            raise StoreBusyError("Too much is waiting to be written.")

        with monkeypatch.context() as patch:
            patch.setattr(here.store.database, "write", full)
            answers = await asyncio.gather(
                *(here.delivery.submit(ash.session, message(room, ash), now=NOW) for _ in range(3)),
                return_exceptions=True,
            )
        assert [type(each) for each in answers] == [StoreBusyError] * 3
        assert isinstance(await here.delivery.submit(ash.session, message(room, ash), now=NOW), Accepted)
