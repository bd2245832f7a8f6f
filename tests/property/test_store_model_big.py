"""The store shows exactly what the plain state function shows, whatever arrives in whatever order and batches."""

import contextlib
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_node.directory.service import Directory
from hedgerow_protocol.envelope import VerifiedEnvelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import RecordSet, ShownListing, hour_start
from record_worlds import DAY, NOW, make_world


def _model(records: list[VerifiedEnvelope]) -> RecordSet:
    model = RecordSet()
    for record in records:
        with contextlib.suppress(RemoteError):
            model.add(record, NOW)
    return model


async def _shown(directory: Directory, now: Timestamp) -> dict[bytes, ShownListing]:
    return {each.id: each async for each in directory.all_listings(now=now)}


@settings(max_examples=600)
@given(seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False), batch=st.integers(1, 40))
async def test_any_order_of_any_records(seed: int, order: random.Random, batch: int) -> None:
    records = make_world(seed, size=40)
    order.shuffle(records)
    model = _model(records)
    with tempfile.TemporaryDirectory() as folder:
        directory = Directory.open(Path(folder) / "public.db")
        try:
            for start in range(0, len(records), batch):
                datas = [record.envelope.to_bytes() for record in records[start : start + batch]]
                assert len(await directory.accept(datas, now=NOW)) == len(datas)
            await _compare(directory, model, NOW)
            for later in (0, 6_000, 41 * DAY, 91 * DAY):
                now = hour_start(Timestamp(NOW + later + 3_600))
                await directory.prune(now=now)
                await _compare(directory, model, now)
            assert directory.database.damage() is None
        finally:
            await directory.close()


async def _compare(directory: Directory, model: RecordSet, now: Timestamp) -> None:
    expected = model.shown(now)
    assert await _shown(directory, now) == expected
    status = await directory.status(now=now)
    assert status.state_hash == model.state_hash(now)
    assert status.listings == len(expected)
    for lid, shown in expected.items():
        assert await directory.listing(lid, now=now) == shown
