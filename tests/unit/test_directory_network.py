"""What the directory does for other nodes: reading many records, giving way in a full store, hosts, blocks."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from directory_fixtures import DAY, NODE, NOW, STEWARDS, charter, listing, open_directory, slot, withdrawal
from hedgerow_node.directory.accept_waiting import WaitingRoom
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Waiting
from hedgerow_node.directory.query import Query
from hedgerow_node.directory.service import Directory
from hedgerow_node.store import fetching, following, migrations, node_rows
from hedgerow_node.store.database import Connection, Database
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, sign
from hedgerow_protocol.errors import Code
from hedgerow_protocol.ids import NodeId, RecordId, listing_id
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, HostingClaim, Listing

A, B, C = STEWARDS[:3]
HOST = NodeId(NODE.public[1:])
NODES = [NODE, *(SigningKey.from_seed(Usage.NODE, bytes([n]) * 32) for n in range(1, 5))]


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    opened = open_directory(tmp_path)
    yield opened
    await opened.close()


async def take(
    directory: Directory, *envelopes: Envelope, origin: bytes | None = None, now: int = NOW
) -> list[Outcome]:
    return await directory.accept([each.to_bytes() for each in envelopes], now=Timestamp(now), origin=origin)


def group(number: int, hosts: Sequence[NodeId] = ()) -> tuple[Envelope, Envelope]:
    """A founding charter and its one listing."""
    founding = charter(nonce=number.to_bytes(16, "big"))
    said = Listing(slot=slot(founding.rid), content=ListingContent(name=f"Circle {number}"), hosts=tuple(hosts))
    return founding, sign(Kind.LISTING, said.to_body(), [A]).envelope


def claim(*roots: RecordId, key: SigningKey = NODE, seq: int = 1, days: int = 20, signer: object = None) -> Envelope:
    """A node says what it hosts."""
    record = HostingClaim(
        node=key.public, roots=tuple(sorted(roots)), seq=seq, issued=NOW, expires=Timestamp(NOW + days * DAY)
    )
    return sign(Kind.HOSTING, record.to_body(), [key if signer is None else A]).envelope


def announcement(key: SigningKey, days: int = 20, seq: int = 1) -> Envelope:
    record = Announcement(
        node=key.public, channel=bytes(32), addresses=(), features=(), seq=seq, issued=NOW,
        expires=Timestamp(NOW + days * DAY),
    )  # fmt: skip
    return sign(Kind.ANNOUNCEMENT, record.to_body(), [key]).envelope


async def held(directory: Directory, *envelopes: Envelope) -> list[bool]:
    unknown = await directory.unknown([each.rid for each in envelopes])
    return [each.rid not in unknown for each in envelopes]


# --- outcomes and reading


async def test_outcomes_say_what_gossip_needs(directory: Directory) -> None:
    founding, said = group(1)
    (waiting,) = await take(directory, said, origin=b"peer")
    assert isinstance(waiting, Waiting)
    assert waiting.needs == founding.rid
    (stored,) = await take(directory, founding, origin=b"peer")
    assert isinstance(stored, Stored)
    assert stored.new_chain
    second = charter([B], previous=founding, position=1, signers=[A, B])
    (changed,) = await take(directory, second)
    assert isinstance(changed, Stored)
    assert not changed.new_chain
    wrong = listing(slot(founding.rid, seq=2), ListingContent(name="x"), [C])
    (refused,) = await take(directory, wrong)
    assert isinstance(refused, Refused)
    assert refused.rid == wrong.rid


async def test_an_origin_is_short(directory: Directory) -> None:
    with pytest.raises(ValueError, match="origin"):
        await directory.accept([], now=NOW, origin=bytes(65))


async def test_reading_many(directory: Directory) -> None:
    founding, said = group(1)
    left = charter([B], previous=founding, position=1, signers=[A, B])
    right = charter([C], previous=founding, position=1, signers=[A, C])
    other_founding, other = group(2)
    await take(directory, founding, said, left, right, other_founding, other)
    missing = group(3)[0].rid
    assert await directory.unknown([said.rid, missing]) == {missing}
    alone = await directory.envelopes([other.rid, missing, said.rid, other.rid])
    assert alone == [(other.rid, other.to_bytes()), (said.rid, said.to_bytes())]
    with_charters = await directory.envelopes([said.rid, founding.rid, other.rid], with_charters=True)
    rids = [rid for rid, _ in with_charters]
    assert rids[0] == founding.rid
    assert set(rids[1:3]) == {left.rid, right.rid}
    assert rids[3:] == [said.rid, other_founding.rid, other.rid]
    with pytest.raises(ValueError, match="at once"):
        await directory.envelopes([said.rid] * (fetching.RECORDS_READ_MAX + 1))


async def test_reading_ends_at_its_bound(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [group(number) for number in range(5)]
    await take(directory, *(each for pair in groups for each in pair))
    size = sum(len(each.to_bytes()) for each in groups[0])
    monkeypatch.setattr(fetching, "BYTES_READ_MAX", 2 * size + 20)
    found = await directory.envelopes([said.rid for _, said in groups], with_charters=True)
    assert [rid for rid, _ in found] == [each.rid for pair in groups[:2] for each in pair]


def test_a_flood_pushes_only_its_own_out_of_the_waiting_room() -> None:
    room = WaitingRoom(envelopes_max=10)
    charter_rid = RecordId(bytes(32))
    room.put(b"ours", charter_rid, None)
    room.put(b"theirs", charter_rid, b"calm")
    for number in range(100):
        room.put(b"flood %03d" % number, charter_rid, b"loud")
    assert len(room) == 10
    waited = room.pop(charter_rid)
    assert waited[None] == [b"ours"]
    assert waited[b"calm"] == [b"theirs"]
    assert waited[b"loud"][-1] == b"flood 099"
    assert len(room) == 0


# --- a full store


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Directory]:
    """A store with room for ten groups, filled by one origin, the second group followed and the third ours."""
    opened = open_directory(tmp_path, records_max=20)
    for number in range(10):
        await take(opened, *group(number), origin=b"loud", now=NOW + number)
    await opened.follow(group(1)[0].rid)
    await take(opened, listing(slot(group(2)[0].rid, seq=2, days=91), ListingContent(name="Ours")))
    yield opened
    await opened.close()


async def test_the_largest_origin_gives_way(full: Directory) -> None:
    outcomes = await take(full, *group(20), origin=b"calm", now=NOW + 20)
    assert all(isinstance(each, Stored) for each in outcomes)
    assert await held(full, *group(0)) == [False, False], "the one that was untouched the longest"
    assert await held(full, *group(1), group(2)[0], *group(20)) == [True] * 5
    for number in range(21, 40):
        await take(full, *group(number), origin=b"calm", now=NOW + number)
    page = await full.search(Query(limit=50), now=Timestamp(NOW + 40))
    names = {each.name for each in page.listings}
    assert {"Circle 1", "Ours"} <= names, "what is followed, and what somebody published here, never goes"
    assert len(names & {f"Circle {number}" for number in (0, *range(3, 10))}) >= 3, "a fair share stays"
    assert len(names) <= 10


async def test_who_has_the_most_pushes_nobody_out(full: Directory) -> None:
    outcomes = await take(full, *group(20), origin=b"loud")
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].code is Code.LIMIT
    assert "full" in outcomes[0].reason


async def test_what_is_published_here_always_finds_room(full: Directory) -> None:
    for number in range(20, 28):
        outcomes = await take(full, *group(number))
        assert all(isinstance(each, Stored) for each in outcomes)
    (refused,) = await take(full, group(29)[0])
    assert isinstance(refused, Refused), "all that is left is ours or followed"


async def test_claimed_groups_stay_longer(full: Directory) -> None:
    await take(full, claim(*(group(number)[0].rid for number in (0, 3, 4))))
    await take(full, *group(20), *group(21), origin=b"calm", now=NOW + 20)
    assert await held(full, *(group(number)[1] for number in (0, 3, 4, 5, 6))) == [True, True, True, False, False]


async def test_a_large_chain_gives_way_bit_by_bit(tmp_path: Path) -> None:
    directory = open_directory(tmp_path, records_max=200)
    try:
        founding = charter()
        many = [listing(slot(founding.rid, bytes([n])), ListingContent(name=f"Entry {n}")) for n in range(199)]
        await take(directory, founding, *many, origin=b"loud")
        await take(directory, *group(20), origin=b"calm", now=NOW + 20)
        assert await held(directory, *group(20)) == [True, True]
        assert sum(await held(directory, *many)) == 183
        assert (await directory.search(Query(q="entry"), now=NOW)).listings
        await take(directory, listing(slot(founding.rid, b"new"), ListingContent(name="x")), origin=b"loud")
        await _is_sound(directory)
    finally:
        await directory.close()


async def _is_sound(directory: Directory) -> None:
    rows = "SELECT count(*) FROM listing l LEFT JOIN record r ON r.id = l.record WHERE r.id IS NULL"
    assert await directory.database.read(lambda c: c.execute(rows).fetchone()) == (0,)
    assert directory.database.damage() is None


async def test_announcements_take_no_room_from_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(node_rows._STORED_MAX, Kind.ANNOUNCEMENT, 3)
    directory = open_directory(tmp_path, records_max=2)
    try:
        said = [announcement(key, days) for key, days in zip(NODES, (3, 5, 20, 4, 2), strict=True)]
        outcomes = await take(directory, *said, *group(1))
        assert [type(each) for each in outcomes] == [Stored] * 4 + [Refused] + [Stored] * 2
        assert await held(directory, *said) == [False, True, True, True, False], "the one that expires first goes"
    finally:
        await directory.close()


async def test_how_many_are_followed_is_bounded(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOWED_MAX", 2)
    roots = [group(number)[0].rid for number in range(3)]
    assert [await directory.follow(root) for root in roots] == [True, True, False]
    assert set(await directory.followed()) == set(roots[:2])
    await directory.unfollow(roots[0])
    assert await directory.followed() == [roots[1]]


# --- hosts


async def test_only_a_host_says_that_it_hosts(directory: Directory) -> None:
    founding, said = group(1, [HOST])
    await take(directory, founding, said)
    lid = listing_id(founding.rid, b"")

    async def confirmed(now: int = NOW) -> tuple[NodeId, ...]:
        shown = await directory.listing(lid, now=Timestamp(now))
        assert shown is not None
        assert shown.hosts == (HOST,)
        return shown.hosts_confirmed

    assert await confirmed() == ()
    (forged,) = await take(directory, claim(founding.rid, signer=A))
    assert isinstance(forged, Refused)
    assert forged.code is Code.WRONG_SIGNER
    await take(directory, claim(founding.rid, key=NODES[1]))
    assert await confirmed() == (), "another node's claim confirms nothing"
    first = claim(founding.rid)
    assert await take(directory, first) == [Stored(first.rid)]
    assert await confirmed() == (HOST,)
    assert await confirmed(NOW + 21 * DAY) == ()
    await take(directory, claim(seq=2))
    assert await confirmed() == ()
    await directory.prune(now=Timestamp(NOW + 30 * DAY))
    rows = await directory.database.read(lambda c: c.execute("SELECT count(*) FROM hosted").fetchone())
    assert rows == (0,)


async def test_naming_an_innocent_host_changes_nothing_for_it(directory: Directory) -> None:
    mine = group(0, [HOST])
    await take(directory, *mine, claim(mine[0].rid))
    before = await directory.database.read(lambda c: c.execute("SELECT * FROM hosted").fetchall())
    for number in range(1, 600):
        await take(directory, *group(number, [HOST]), origin=b"loud")
    assert await directory.database.read(lambda c: c.execute("SELECT * FROM hosted").fetchall()) == before
    page = await directory.search(Query(limit=200), now=NOW)
    assert not any(each.hosts_confirmed for each in page.listings if each.name != "Circle 0")
    more = claim(mine[0].rid, group(700)[0].rid, seq=2)
    assert await take(directory, more) == [Stored(more.rid)], "its own quota is untouched"


# --- blocks


async def test_a_blocked_listing(directory: Directory) -> None:
    founding, said = group(1)
    other = listing(slot(founding.rid, b"other"), ListingContent(name="Other"))
    await take(directory, founding, said, other)
    lid = listing_id(founding.rid, b"")
    assert await directory.block(lid, "Not a peer group.", now=NOW)
    assert await directory.listing(lid, now=NOW) is None
    assert [each.name for each in (await directory.search(Query(), now=NOW)).listings] == ["Other"]
    assert await held(directory, said, other) == [False, True]
    (refused,) = await take(directory, said)
    assert isinstance(refused, Refused)
    assert refused.code is Code.BLOCKED
    assert (await directory.blocked())[0].reason == "Not a peer group."
    assert await directory.unblock(lid)
    assert not await directory.unblock(lid)
    assert await take(directory, said) == [Stored(said.rid)]


async def test_a_blocked_listing_that_is_withdrawn_or_waits(directory: Directory) -> None:
    founding, said = group(1)
    gone = withdrawal(slot(founding.rid, seq=2, days=91))
    waiting_founding, waits = group(2)
    await take(directory, founding, said, gone, waits)
    for each in (founding, waiting_founding):
        await directory.block(listing_id(each.rid, b""), "", now=NOW)
    assert await held(directory, gone) == [False]
    assert await take(directory, waiting_founding) == [Stored(waiting_founding.rid)]
    assert await held(directory, waits) == [False]
    assert (await directory.status(now=NOW)).listings == 0


async def test_a_blocked_node(directory: Directory) -> None:
    said = announcement(NODE)
    founding, group_said = group(1, [HOST])
    await take(directory, said, founding, group_said, claim(founding.rid))
    await directory.block(HOST, "Floods.", now=NOW)
    assert await held(directory, said, claim(founding.rid), group_said) == [False, False, True]
    for refused in await take(directory, announcement(NODE, seq=2), claim(founding.rid, seq=2)):
        assert isinstance(refused, Refused)
        assert refused.code is Code.BLOCKED
    assert await take(directory, group_said) == [Known(group_said.rid)]


# --- rows of the network floor


async def test_network_rows(directory: Directory) -> None:
    await directory.replace_network_rows("score", [(b"b", b"2"), (b"a", b"1")])
    await directory.replace_network_rows("address", [(b"a", b"9")])
    assert await directory.network_rows("score") == [(b"a", b"1"), (b"b", b"2")]
    await directory.replace_network_rows("score", [(b"b", b"3")])
    assert await directory.network_rows("score") == [(b"b", b"3")]
    assert await directory.network_rows("address") == [(b"a", b"9")]
    generation = directory.generation
    await directory.replace_network_rows("score", [(b"b", b"3")])
    assert directory.generation == generation, "nothing differs, so nothing is written"
    with pytest.raises(ValueError, match="bytes"):
        await directory.replace_network_rows("score", [(b"b", bytes(10_000))])


async def test_refusals_are_counted_by_day_and_reason(directory: Directory) -> None:
    day = Timestamp(NOW - NOW % DAY)
    await directory.count_refusals({Code.LIMIT: 2, Code.EXPIRED: 1}, now=NOW)
    await directory.count_refusals({Code.LIMIT: 3, Code.BLOCKED: 0}, now=NOW)
    assert await directory.refusals() == [(day, Code.EXPIRED, 1), (day, Code.LIMIT, 5)]
    await directory.count_refusals({Code.LIMIT: 1}, now=Timestamp(NOW + 90 * DAY))
    assert [each.refused for each in await directory.refusals()] == [1]


# --- an older store


async def test_a_store_from_before_the_network(tmp_path: Path) -> None:
    path = tmp_path / "public.db"
    founding, said = group(1)
    node_said = announcement(NODE)
    await _fill_old_store(path, founding, said, node_said)
    directory = Directory.open(path)
    try:
        assert (tmp_path / "public.db.before-0002_network").exists()
        status = await directory.status(now=NOW)
        assert (status.held, status.records) == (3, 3)
        newer = announcement(NODE, seq=2)
        assert await take(directory, newer) == [Stored(newer.rid)]
        assert await held(directory, node_said) == [False]
        rows = await directory.database.read(lambda c: c.execute("SELECT origin, followed FROM chain").fetchall())
        assert rows == [(None, 0)], "what was there before the network counts as ours"
        await directory.prune(now=Timestamp(NOW + 25 * DAY))
        assert await directory.database.read(lambda c: c.execute("SELECT * FROM tally ORDER BY name").fetchall()) == [
            ("node_records", 0), ("records", 2),
        ]  # fmt: skip
    finally:
        await directory.close()


async def _fill_old_store(path: Path, founding: Envelope, said: Envelope, node_said: Envelope) -> None:
    old = Database.open(path, migrations.STEPS[:1])
    expires = NOW + 90 * DAY

    def fill(c: Connection) -> None:
        records = (
            (1, founding.rid, 1, 1, None, None, 0, 0, founding.to_bytes()),
            (2, said.rid, 2, 1, 1, b"", 1, expires, said.to_bytes()),
            (3, node_said.rid, 4, None, None, None, 1, NOW + 20 * DAY, node_said.to_bytes()),
        )
        c.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
        c.execute("INSERT INTO chain VALUES (1, ?, 0, 1, ?, ?)", (founding.rid, expires, NOW))
        c.execute("INSERT INTO charter VALUES (1, ?, 1, NULL, 0, 1, ?, 1)", (founding.rid, A.public))
        c.execute("INSERT INTO announcement VALUES (?, 3)", (HOST,))
        c.execute("UPDATE tally SET value = 3")

    await old.write(fill)
    old.close()
