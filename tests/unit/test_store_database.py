"""The store's file: one writer, savepoints, and sentences when the disk or the file is not as it should be."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hedgerow_node.store import migrations
from hedgerow_node.store.database import Connection, Database
from hedgerow_node.store.errors import StoreBusyError, StoreError, StoreTooSlowError
from hedgerow_node.store.migrations import Step


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "public.db")
    opened.write_now(lambda c: c.execute("CREATE TABLE note (text TEXT) STRICT"))
    yield opened
    opened.close()


def put(text: str) -> object:
    def work(connection: Connection) -> int:
        connection.execute("INSERT INTO note VALUES (?)", (text,))
        return len(text)

    return work


def notes(connection: Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY rowid")]


async def test_one_that_fails_undoes_only_itself(database: Database) -> None:
    def fails(connection: Connection) -> None:
        connection.execute("INSERT INTO note VALUES ('half')")
        raise ValueError("no")

    results = await asyncio.gather(
        database.write(put("a")),  # type: ignore[arg-type]
        database.write(fails),
        database.write(put("bc")),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    assert results[0] == 1
    assert isinstance(results[1], ValueError)
    assert results[2] == 2
    assert await database.read(notes) == ["a", "bc"]


async def test_many_writes_share_transactions(database: Database) -> None:
    before = database.version
    await asyncio.gather(*(database.write(put(str(n))) for n in range(200)))  # type: ignore[arg-type]
    assert database.version - before < 100
    assert await database.read(notes) == [str(n) for n in range(200)]


async def test_what_changes_nothing_is_no_new_version(database: Database) -> None:
    before = database.version
    await database.write(notes)
    assert database.version == before


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError):
        await database.read(put("x"))  # type: ignore[arg-type]


def test_a_read_without_end_is_stopped(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hedgerow_node.store.database.READ_STEPS_MAX", 1_000_000)
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with pytest.raises(StoreTooSlowError, match="too long"):
        database.read_now(lambda c: c.execute(endless).fetchall())
    assert database.read_now(notes) == []


def test_a_full_disk(database: Database) -> None:
    pages = database.write_now(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    database.write_now(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(StoreError, match="disk is full"):
        database.write_now(put("x" * 100_000))  # type: ignore[arg-type]
    database.write_now(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 1000}"))
    assert database.write_now(put("fits")) == 4  # type: ignore[arg-type]
    assert database.read_now(notes) == ["fits"]


async def test_too_many_writes_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database._jobs.maxsize = 3
    held = [asyncio.ensure_future(database.write(put("x"))) for _ in range(50)]  # type: ignore[arg-type]
    results = await asyncio.gather(*held, return_exceptions=True)
    busy = [each for each in results if isinstance(each, StoreBusyError)]
    done = [each for each in results if each == 1]
    assert len(busy) + len(done) == 50
    assert len(await database.read(notes)) == len(done)


def test_after_closing(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "public.db")
    database.close()
    database.close()
    with pytest.raises(StoreError, match="closed"):
        database.write_now(lambda c: None)


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "public.db")
    database.write_now(lambda c: c.execute("INSERT INTO word VALUES ('kept', 1)"))
    database.close()
    again = Database.open(tmp_path / "public.db")
    assert again.read_now(lambda c: c.execute("SELECT term FROM word").fetchall()) == [("kept",)]
    assert again.damage() is None
    again.close()


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "public.db"
    newer = (*migrations.STEPS, Step("0099_from_the_future", ("CREATE TABLE future (x) ",)))
    Database.open(path, newer).close()
    with pytest.raises(StoreError, match=r"newer version.*0099_from_the_future.*restore the backup"):
        Database.open(path)


def test_a_migration_is_preceded_by_a_backup_and_undone_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "public.db"
    Database.open(path).close()
    assert list(tmp_path.glob("*.before-*")) == [], "a new store needs none"
    bad = (*migrations.STEPS, Step("0002_bad", ("CREATE TABLE half (x)", "CREATE TABLE half (x)")))
    with pytest.raises(StoreError):
        Database.open(path, bad)
    good = (*migrations.STEPS, Step("0002_good", ("CREATE TABLE half (x)",)))
    Database.open(path, good).close()
    backup = sqlite3.connect(tmp_path / "public.db.before-0002_good")
    assert migrations.applied(backup) == [step.name for step in migrations.STEPS]
    backup.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, but a letter" * 40, b"SQLite format 3\x00" + b"\xff" * 8_000]
)
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "public.db"
    path.write_bytes(content)
    with pytest.raises(StoreError) as raised:
        Database.open(path)
    assert "public.db" in str(raised.value)
    assert path.read_bytes() == content, "the file is left as it was"


def test_a_damaged_store(tmp_path: Path) -> None:
    path = tmp_path / "public.db"
    database = Database.open(path)
    database.write_now(lambda c: c.executemany("INSERT INTO word VALUES (?, 0)", [(f"{n:040}",) for n in range(5_000)]))
    database.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = b"\x55" * 20_000
    path.write_bytes(data)
    opened = Database.open(path)
    assert "damaged" in (opened.damage() or "")
    opened.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Database.open(tmp_path / "nowhere" / "public.db")
