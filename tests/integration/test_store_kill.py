"""A node that is killed loses nothing it has acknowledged, and its store opens again whole."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from hedgerow_node.bench.listings import NOW, Maker
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.envelope import parse_envelope

WRITER = """
import asyncio, sys
from itertools import islice
from pathlib import Path
from hedgerow_node.bench.listings import NOW, Maker
from hedgerow_node.directory.service import Directory

async def main():
    directory = Directory.open(Path(sys.argv[1]))
    source = Maker(5).envelopes(100_000)
    while True:
        batch = list(islice(source, int(sys.argv[2])))
        await directory.accept(batch, now=NOW)
        print(len(batch), flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
async def test_kill_while_listings_come_in(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    path = tmp_path / "public.db"
    batch = choose.choice([1, 7, 40])
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else waits on this loop
        [sys.executable, "-c", WRITER, str(path), str(batch)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = sum(int(process.stdout.readline()) for _ in range(choose.randrange(3, 40)))
        process.kill()
        acknowledged += sum(int(line) for line in process.stdout if line.endswith("\n"))
    directory = Directory.open(path)
    try:
        assert directory.database.damage() is None
        for made, _ in zip(Maker(5).envelopes(100_000), range(acknowledged), strict=False):
            assert await directory.envelope(parse_envelope(made).rid) == made
        status = await directory.status(now=NOW)
        assert status.held == status.records >= acknowledged
        found = [each async for each in directory.all_listings(now=NOW)]
        assert len(found) == status.listings == status.records - 1
    finally:
        await directory.close()
