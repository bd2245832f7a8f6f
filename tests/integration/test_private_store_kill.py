"""A node that is killed, or loses its power, keeps every entry it has acknowledged: once, in its place, unchanged."""

import asyncio
import importlib.util
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash
from hedgerow_protocol.delivery.values import Accepted, EntryId, EntryKind, MailboxId
from private_worlds import NOW, Member, message, world
from shared import needs_shared, shared

TESTS = Path(__file__).parent.parent

SENDER = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from private_worlds import NOW, message, world

async def main():
    folder, senders, records = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    out = os.open(sys.argv[5], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if len(sys.argv) > 5 else 1
    async with world(folder) as made:
        # Often, so that what is on its way from the log of the database into it is cut off, too.
        made.store.database._connection.execute("PRAGMA wal_autocheckpoint = 40")
        ash = await made.member()
        room = await made.room(ash)
        os.write(1, b"%s %s %s\\n" % (room.hex().encode(), ash.token.hex().encode(), ash.mailbox.hex().encode()))
        numbers = iter(range(1, records + 1))

        async def send():
            for number in numbers:
                id = number.to_bytes(16, "big")
                done = await made.delivery.submit(ash.session, message(room, ash, id=id), now=NOW)
                os.write(out, b"%d\\n" % number if out != 1 else b"%d %d\\n" % (number, done.seq))

        await asyncio.gather(*(send() for _ in range(senders)))

asyncio.run(main())
"""


def entries_of(path: Path) -> dict[int, int]:
    """Number of each entry, to its seq, after a look at the whole file."""
    with closing(sqlite3.connect(path)) as reading:
        assert reading.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = reading.execute("SELECT submission, id & 0xffffffff FROM entry ORDER BY id").fetchall()
    found = {int.from_bytes(submission, "big"): seq for submission, seq in rows}
    assert len(found) == len(rows), "an entry stands in the log twice"
    assert sorted(found.values()) == list(range(1, len(rows) + 1))
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_kill_while_many_send(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    senders = choose.choice([1, 8, 64])
    command = [sys.executable, "-c", SENDER, str(TESTS), str(tmp_path), str(senders), "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - nothing else waits
        assert process.stdout is not None
        room, token, mailbox = (bytes.fromhex(each) for each in process.stdout.readline().split())
        lines = [process.stdout.readline() for _ in range(choose.randrange(50, 1_500))]
        process.kill()
        lines += [line for line in process.stdout if line.endswith("\n")]
    acknowledged = {int(number): int(seq) for number, seq in (line.split() for line in lines)}
    found = entries_of(tmp_path / "private.db")
    assert acknowledged.items() <= found.items()
    async with world(tmp_path) as here:
        session = await here.accounts.authenticate(token)
        assert session is not None
        ash = Member(session, token, MailboxId(mailbox), None)  # type: ignore[arg-type]
        position = BEGINNING
        while True:
            page = await here.delivery.log(session, room, after=position.seq, limit=500)  # type: ignore[arg-type]
            if not page.entries:
                break
            for entry in map(json.loads, page.entries):
                position = type(position)(entry["seq"], chained(room, entry, position.hash), entry["time"])
        assert page.head.position == position
        assert position.seq == len(found)
        # Whoever heard no answer sends again: what stands there is not put there twice.
        again = [*choose.sample(sorted(found), 20), max(found) + 1]
        answers = await asyncio.gather(
            *(
                here.delivery.submit(
                    session,
                    message(room, ash, id=number.to_bytes(16, "big")),
                    now=NOW,  # type: ignore[arg-type]
                )
                for number in again
            )
        )
        seqs = [answer.seq for answer in answers if isinstance(answer, Accepted)]
        assert seqs == [*(found[number] for number in again[:-1]), len(found) + 1]


def chained(room: bytes, entry: dict[str, str | int], previous: bytes) -> bytes:
    """The hash of an entry as it was read, which must be the one that stands in it."""
    import base64

    read = {name: base64.urlsafe_b64decode(str(entry[name]) + "==") for name in ("id", "payload", "hash")}
    hash = entry_hash(
        room,  # type: ignore[arg-type]
        int(entry["seq"]),
        int(entry["time"]),
        EntryKind.MESSAGE,
        int(entry["epoch"]),
        EntryId(read["id"]),
        sha256(read["payload"]).digest(),
        previous,
    )
    assert hash == read["hash"]
    return hash


def simulator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("powerfail", shared("tools/powerfail.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_shared
@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.skipif(shutil.which("cc") is None, reason="the power-failure simulator needs a C compiler")
@pytest.mark.parametrize(("senders", "records", "crashes"), [(1, 120, 250), (16, 480, 250)])
def test_no_acknowledged_entry_is_lost_when_the_power_goes(
    tmp_path: Path, senders: int, records: int, crashes: int
) -> None:
    powerfail = simulator()
    (tmp_path / "pf.c").write_text(powerfail.SHIM)
    library, log, data = tmp_path / "pf.so", tmp_path / "log", tmp_path / "data"
    build = ["cc", "-O1", "-shared", "-fPIC", "-o", library, tmp_path / "pf.c", "-ldl", "-lpthread"]
    subprocess.run(build, check=True)
    data.mkdir()
    command = [sys.executable, "-c", SENDER, TESTS, data, str(senders), str(records), data / "acks"]
    watched = {"LD_PRELOAD": str(library), "PF_DIR": str(data), "PF_LOG": str(log)}
    subprocess.run(command, env=os.environ | watched, check=True, stdout=subprocess.DEVNULL)
    operations = powerfail.parse(log.read_bytes())
    assert [kind for kind, *_ in operations].count("S") > records // senders // 2
    choose = random.Random(senders)
    acknowledged = 0
    for _ in range(crashes):
        out = tmp_path / "image"
        out.mkdir()
        acks = powerfail.image(operations, choose.randrange(1, len(operations) + 1), choose, str(out))
        acknowledged += len(acks)
        if acks:
            assert set(acks) <= set(entries_of(out / "private.db"))
            PrivateStore.open(out).database.close()
        shutil.rmtree(out)
    assert acknowledged > crashes
