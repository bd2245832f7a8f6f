"""A copy of the live set that is kept up from the changes equals the live set, whatever happens to the store."""

import asyncio
import contextlib
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from directory_fixtures import STEWARDS, charter, listing, open_directory, slot
from hedgerow_node.directory.service import Directory
from hedgerow_node.store import live
from hedgerow_node.store.live import LiveChange, LiveItem
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.ids import ListingId, NodeId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import hour_start, state_hash
from record_worlds import DAY, NODES, NOW, make_world

STEPS = ("take", "take", "take", "take", "prune", "hour", "restart", "follow", "block")

HOURS = (-7_200, 0, 0, 3_600, 7_200, 3 * DAY, 21 * DAY, 41 * DAY, 91 * DAY, 300 * DAY)


class Copy:
    """What a follower makes of what it is told."""

    def __init__(self) -> None:
        self.items: set[LiveItem] = set()

    def begin(self, items: list[LiveItem]) -> None:
        self.items = set(items)
        assert len(self.items) == len(items)

    def fold(self, change: LiveChange) -> None:
        added, removed = set(change.added), set(change.removed)
        assert len(added) + len(removed) == len(change.added) + len(change.removed)
        assert not added & self.items
        assert removed <= self.items
        self.items = (self.items | added) - removed


async def _follow(path: Path, now: Timestamp, **settings: int) -> tuple[Directory, Copy]:
    directory = Directory.open(path, **settings)
    copy = Copy()
    directory.on_live_change(copy.fold)
    items, hour = await directory.live_items(now)
    assert hour == hour_start(now)
    copy.begin(items)
    return directory, copy


async def _check(directory: Directory, copy: Copy, hour: Timestamp) -> None:
    await asyncio.sleep(0)
    held = await directory.database.read(lambda c: live.live_items(c, hour))
    assert copy.items == set(held)
    assert (await directory.status(now=hour)).state_hash == state_hash(rid for _, rid in copy.items)
    for counted, kept in (_COUNTED_SHARES, _COUNTED_RECORDS, _COUNTED_NODES):
        question = f"SELECT * FROM ({counted}) EXCEPT {kept}"
        assert await directory.database.read(lambda c, q=question: c.execute(q).fetchall()) == []  # type: ignore[misc]


_COUNTED_SHARES = (
    "SELECT h.origin, count(*) FROM record r JOIN chain h ON h.id = r.chain WHERE h.origin IS NOT NULL GROUP BY 1",
    "SELECT origin, records FROM origin_share",
)
_COUNTED_RECORDS = ("SELECT count(*) FROM record", "SELECT value FROM tally WHERE name = 'records'")
_COUNTED_NODES = ("SELECT count(*) FROM node_record", "SELECT value FROM tally WHERE name = 'node_records'")


async def _block(directory: Directory, order: random.Random, now: Timestamp) -> None:
    lids = [each.id async for each in directory.all_listings(now=now)]
    targets: list[NodeId | ListingId] = [*lids, NodeId(NODES[0].public[1:])]
    target = order.choice(targets)
    assert await directory.block(target, "Not here.", now=now)
    if len(target) == 20:
        assert await directory.listing(ListingId(target), now=now) is None
    if order.random() < 0.5:
        assert await directory.unblock(target)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    order=st.randoms(use_true_random=False),
    steps=st.lists(st.sampled_from(STEPS), max_size=30),
    records_max=st.sampled_from([6, 12, 1_000]),
)
async def test_any_history(seed: int, order: random.Random, steps: list[str], records_max: int) -> None:
    records = make_world(seed, size=40)
    order.shuffle(records)
    now = NOW
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "public.db"
        directory, copy = await _follow(path, now, records_max=records_max)
        try:
            for step in [*steps, "hour"]:
                if step == "take":
                    batch = [records.pop().envelope.to_bytes() for _ in range(min(len(records), order.randrange(1, 9)))]
                    await directory.accept(batch, now=now, origin=order.choice([None, b"a", b"b", b"c"]))
                elif step == "prune":
                    await directory.prune(now=now)
                elif step == "hour":
                    now = Timestamp(NOW + order.choice(HOURS))
                    await directory.turn_hour(now)
                elif step == "follow":
                    roots = await directory.database.read(lambda c: c.execute("SELECT root FROM chain").fetchall())
                    if roots:
                        change = order.choice([directory.follow, directory.unfollow])
                        await change(order.choice(roots)[0])
                elif step == "block":
                    await _block(directory, order, now)
                else:
                    await directory.close()
                    directory, copy = await _follow(path, now, records_max=records_max)
                await _check(directory, copy, hour_start(now))
        finally:
            await directory.close()


async def test_nothing_is_lost_while_the_snapshot_is_taken(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    copy = Copy()
    directory.on_live_change(copy.fold)
    founding = charter()
    envelopes = [founding, *(listing(slot(founding.rid, bytes([n])), ListingContent(name="x")) for n in range(120))]
    datas = [each.to_bytes() for each in envelopes]
    try:

        async def begin() -> None:
            items, _hour = await directory.live_items(NOW)
            copy.begin(items)

        waiting = [directory.accept([data], now=NOW) for data in datas]
        waiting.insert(40, begin())  # type: ignore[arg-type]
        await asyncio.gather(*waiting)
        assert {rid for _, rid in copy.items} == {each.rid for each in envelopes}
        await begin()
        assert {rid for _, rid in copy.items} == {each.rid for each in envelopes}
        await _check(directory, copy, hour_start(NOW))
    finally:
        await directory.close()


async def test_a_caller_who_no_longer_waits_and_a_write_that_fails(tmp_path: Path) -> None:
    directory, copy = await _follow(tmp_path / "public.db", NOW)
    founding = charter()
    said = listing(slot(founding.rid), ListingContent(name="Quiet circle"))
    try:
        taking = asyncio.ensure_future(directory.accept([founding.to_bytes(), said.to_bytes()], now=NOW))
        await asyncio.sleep(0)
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking
        await directory.accept([each.to_bytes() for each in (founding, said, charter(STEWARDS[1:2]))], now=NOW)
        await _check(directory, copy, hour_start(NOW))
        pages = await directory.database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
        await directory.database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}"))
        long = ListingContent(name="Long", summary="x" * 2_000)
        many = [listing(slot(founding.rid, bytes([n])), long).to_bytes() for n in range(50)]
        results = await asyncio.gather(
            directory.accept(many, now=NOW), directory.turn_hour(Timestamp(NOW + 100 * DAY)), return_exceptions=True
        )
        assert any(isinstance(each, Exception) for each in results), "the disk was full"
        await directory.database.write(lambda c: c.execute("PRAGMA max_page_count = 100000"))
        await directory.turn_hour(NOW)
        await _check(directory, copy, hour_start(NOW))
        await directory.turn_hour(Timestamp(NOW + 100 * DAY))
        assert copy.items == set()
    finally:
        await directory.close()
