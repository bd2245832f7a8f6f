"""Backups hold everything, are checked before they replace anything, and refuse what is not theirs."""

import asyncio
import io
import json
import os
import tarfile
from hashlib import blake2b, sha256
from pathlib import Path

import pytest

from command_line import CommandLine
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import FolderLock
from hedgerow_protocol.delivery.values import BlobHash, RoomId
from private_worlds import NOW, message, world


@pytest.fixture
def filled(hedgerow: CommandLine) -> CommandLine:
    """A data folder with one listing and a title."""
    hedgerow.json("setup", "--no-questions", "--title", "Exampleton circles")
    hedgerow.json("publish", "draft", "--directory", "--set", "name=Quiet evening")
    return hedgerow


def test_a_backup_brings_everything_back(filled: CommandLine, tmp_path: Path) -> None:
    state = filled.state_hash()
    keys = [(filled.data / name).read_bytes() for name in ("node.key", "directory.key", "hedgerow.toml")]
    answer = filled.json("backup", tmp_path / "b.tar")
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    assert answer["bytes"] > 1000
    filled.data = tmp_path / "elsewhere" / "data"
    filled.json("restore", tmp_path / "b.tar")
    assert filled.state_hash() == state
    assert [(filled.data / name).read_bytes() for name in ("node.key", "directory.key", "hedgerow.toml")] == keys
    assert filled.data.stat().st_mode & 0o777 == 0o700
    assert filled.json("doctor")["fine"]


def test_what_is_there_is_moved_aside_only_when_asked(filled: CommandLine, tmp_path: Path) -> None:
    filled.json("backup", tmp_path / "b.tar")
    state = filled.state_hash()
    filled.json("publish", "draft", "--directory", "--set", "name=Later")
    assert "--replace" in filled.fails("restore", tmp_path / "b.tar")
    answer = filled.json("restore", tmp_path / "b.tar", "--replace")
    assert filled.state_hash() == state
    assert (Path(answer["moved_aside"]) / "public.db").exists()


def test_a_running_node_is_not_replaced(filled: CommandLine, tmp_path: Path) -> None:
    filled.json("backup", tmp_path / "b.tar")
    with FolderLock(Config(data=filled.data)):
        assert "Another Hedgerow" in filled.fails("restore", tmp_path / "b.tar", "--replace")
        filled.json("backup", tmp_path / "beside.tar")
    assert len(filled.json("search")["listings"]) == 1


def test_a_backup_is_never_written_over(filled: CommandLine, tmp_path: Path) -> None:
    filled.json("backup", tmp_path / "b.tar")
    assert "already there" in filled.fails("backup", tmp_path / "b.tar")
    filled.data = tmp_path / "none"
    assert "no Hedgerow data" in filled.fails("backup", tmp_path / "c.tar")


def test_a_damaged_backup_changes_nothing(filled: CommandLine, tmp_path: Path) -> None:
    filled.json("backup", tmp_path / "b.tar")
    good = (tmp_path / "b.tar").read_bytes()
    state = filled.state_hash()
    middle = len(good) // 2
    for bad in (
        good[:middle],
        good[:600],
        b"",
        b"hello" * 1000,
        good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
    ):
        (tmp_path / "bad.tar").write_bytes(bad)
        assert filled.fails("restore", tmp_path / "bad.tar", "--replace")
        assert filled.state_hash() == state
    left = [each.name for each in tmp_path.iterdir() if each.name.startswith((".hedgerow", "data.before"))]
    assert left == []


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "evil.txt", "node.key/x"])
def test_nothing_else_comes_out_of_a_backup(hedgerow: CommandLine, tmp_path: Path, name: str) -> None:
    manifest = json.dumps({"format": 1, "files": {"node.key": "0" * 64, name: "0" * 64}}).encode()
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for member, data in (("hedgerow-backup.json", manifest), (name, b"evil")):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert hedgerow.fails("restore", tmp_path / "evil.tar")
    assert not hedgerow.data.exists()
    assert not (tmp_path / "evil.txt").exists()


def test_links_do_not_come_out_of_a_backup(hedgerow: CommandLine, tmp_path: Path) -> None:
    manifest = json.dumps({"format": 1, "files": {"node.key": "0" * 64}}).encode()
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        info = tarfile.TarInfo("hedgerow-backup.json")
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))
        link = tarfile.TarInfo("node.key")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert "not part of a backup" in hedgerow.fails("restore", tmp_path / "evil.tar")


async def members_of(data: Path) -> tuple[bytes, bytes, bytes]:
    """Somebody with a room, a file in it and a sealed record: their token, the file and what is sealed."""
    async with world(data) as here:
        ash = await here.member()
        room = await here.room(ash)
        blob = os.urandom(50_000)
        await here.delivery.put_blob(ash.session, room, BlobHash(sha256(blob).digest()), blob, now=NOW)
        await here.delivery.submit(ash.session, message(room, ash), now=NOW)
        await here.accounts.put_sealed(ash.session, "index", 1, b"sealed index")
        return ash.token, bytes(room), blob


def test_a_backup_brings_members_rooms_and_files_back(filled: CommandLine, tmp_path: Path) -> None:
    token, room, blob = asyncio.run(members_of(filled.data))
    filled.json("backup", tmp_path / "b.tar")
    filled.data = tmp_path / "elsewhere"
    filled.json("restore", tmp_path / "b.tar")
    doctor = filled.json("doctor")
    assert "sound" in next(each["sentence"] for each in doctor["checks"] if each["name"] == "members' store")
    assert not (filled.data / "private-files.tar").exists()

    async def look() -> None:
        async with world(filled.data) as here:
            session = await here.accounts.authenticate(token)
            assert session is not None
            assert (await here.accounts.sealed(session, "index")).body == b"sealed index"
            assert len((await here.delivery.log(session, RoomId(room), after=0, limit=9)).entries) == 1
            kept = await here.delivery.blob(session, RoomId(room), BlobHash(sha256(blob).digest()))
            assert kept.path.read_bytes() == blob
            assert kept.path.stat().st_mode & 0o777 == 0o600
            assert here.store.sweep() == 0

    asyncio.run(look())
    assert (filled.data / "private.db").stat().st_mode & 0o777 == 0o600


def test_the_doctor_sees_an_open_store_and_missing_files(filled: CommandLine) -> None:
    asyncio.run(members_of(filled.data))
    (filled.data / "private.db").chmod(0o644)

    def found() -> dict[str, object]:
        checks = filled.json("doctor", code=1)["checks"]
        return next(each for each in checks if each["name"] == "members' store")

    assert "chmod 600" in str(found()["sentence"])
    (filled.data / "private.db").chmod(0o600)
    for path in list((filled.data / "blobs").rglob("*")):
        if path.is_file():
            path.unlink()
    assert "1 files of members are missing" in str(found()["sentence"])


@pytest.mark.parametrize("name", ["blobs/../node.key", "sealed/ab/abc", "blobs/ab/" + "cd" * 32])
def test_members_files_of_a_backup_have_their_names(filled: CommandLine, tmp_path: Path, name: str) -> None:
    asyncio.run(members_of(filled.data))
    filled.json("backup", tmp_path / "b.tar")
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 3
        tar.addfile(info, io.BytesIO(b"bad"))
    with tarfile.open(tmp_path / "b.tar") as tar:
        members = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
    members["private-files.tar"] = inner.getvalue()
    manifest = json.loads(members["hedgerow-backup.json"])
    manifest["files"]["private-files.tar"] = blake2b(inner.getvalue(), digest_size=32).hexdigest()
    members["hedgerow-backup.json"] = json.dumps(manifest).encode()
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        for each, data in members.items():
            info = tarfile.TarInfo(each)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    filled.data = tmp_path / "elsewhere"
    assert "no member left" in filled.fails("restore", tmp_path / "bad.tar")
    assert not filled.data.exists()
