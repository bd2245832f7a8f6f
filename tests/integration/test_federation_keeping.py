"""What is kept of rooms across nodes, how long, and what a restored or older store makes of it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import mls_bytes
from hedgerow_node.federation import copies
from hedgerow_node.store.database import Database
from hedgerow_node.store.errors import StoreBusyError
from hedgerow_node.store.private import mirror_rows
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.tables import PRAGMAS, SET_NAME, STEPS
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import KeyPackageRef, MailboxId, RoomId, WelcomeOut
from hedgerow_protocol.ids import NodeId
from linked_worlds import Node, eventually, in_room, let_in_from, node, nodes, wait_log
from private_worlds import DAY, NOW, commit, message


async def payloads(where: Node, room: RoomId) -> dict[int, bool]:
    """Seq to whether the payload is kept."""
    query = (
        "SELECT e.id & 4294967295, e.payload IS NOT NULL FROM entry e JOIN room r ON e.id >> 32 = r.id WHERE r.name = ?"
    )
    rows = await where.store.database.read(lambda c: c.execute(query, (room,)).fetchall())
    return {seq: bool(kept) for seq, kept in rows}


async def acknowledged(hub: Node, node: NodeId) -> int:
    """What a hub has on its disk of how far a follower is."""
    query = "SELECT max(acknowledged) FROM follower WHERE node = ?"
    row = await hub.store.database.read(lambda c: c.execute(query, (node,)).fetchone())
    return int(row[0])


async def test_a_hub_keeps_commits_until_followers_have_them(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        wire.cut(hub, home)
        await hub.delivery.submit(ash.session, commit(room, ash, epoch=1, seen=1), now=NOW)
        await hub.delivery.acknowledge([(ash.session, room, 2)])
        await hub.delivery.prune(NOW)
        assert (await payloads(hub, room))[2]
        wire.link(hub, home)
        await wait_log(home, birch, room, 2)
        await eventually(lambda: _reached(hub, home.id, 2), "acknowledged")
        await hub.delivery.prune(NOW)
        assert await payloads(hub, room) == {1: False, 2: False}
        # The follower keeps them for its own devices.
        await home.delivery.prune(NOW)
        assert (await payloads(home, room))[2]
        await home.delivery.acknowledge([(birch.session, room, 2)])
        await home.delivery.prune(NOW)
        assert await payloads(home, room) == {1: False, 2: False}


async def _reached(hub: Node, node: NodeId, seq: int) -> bool:
    return await acknowledged(hub, node) == seq


async def test_words_and_rooms_go_at_a_follower_as_they_do_at_the_hub(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        await hub.delivery.submit(ash.session, message(room, ash, seen=1), now=NOW)
        await wait_log(home, birch, room, 2)
        later = NOW + 31 * DAY
        await home.delivery.prune(later)
        assert not (await payloads(home, room))[2]
        page = await home.delivery.log(birch.session, room, after=1, limit=9)
        assert b'"payload":null' in page.entries[0]
        await home.delivery.stop(birch.session, room, birch.mailbox)
        await home.delivery.prune(later)
        assert await payloads(home, room) == {}
        # For the hub nobody but ash takes part; it goes when ash has gone, too.
        await hub.delivery.stop(ash.session, room, ash.mailbox)
        await eventually(lambda: _nobody(hub), "nobody takes part")
        await hub.delivery.prune(later)
        assert await payloads(hub, room) == {}


async def _nobody(hub: Node) -> bool:
    row = await hub.store.database.read(
        lambda c: c.execute("SELECT count(*) FROM far_mailbox WHERE until IS NULL").fetchone()
    )
    return bool(row[0] == 0)


async def test_who_comes_back_to_a_room_is_not_given_what_was_said_meanwhile(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        out = commit(room, ash, epoch=1, seen=1, removes=[birch.mailbox])
        await hub.delivery.submit(ash.session, out, now=NOW)
        await eventually(lambda: _is_out(home, birch), "taken out")
        for seq in (2, 3):
            await hub.delivery.submit(ash.session, message(room, ash, epoch=2, seen=seq), now=NOW)
        birch.mailbox = MailboxId(bytes(range(16)))
        back = await let_in_from(room, (hub, ash), [(home, birch)], epoch=2, seen=4)
        assert back == 5
        await in_room(home, birch, room, 5)
        await hub.delivery.submit(ash.session, message(room, ash, epoch=3, seen=5), now=NOW)
        await wait_log(home, birch, room, 6)
        # Its copy is one chain; of what no mailbox of its node reads there are hashes only.
        assert await payloads(home, room) == {1: True, 2: True, 3: False, 4: False, 5: True, 6: True}


async def _is_out(where: Node, member: object) -> bool:
    overview = await where.delivery.overview(member.session)  # type: ignore[attr-defined]
    return overview.rooms[0].until is not None


async def test_members_of_one_follower_let_one_another_in(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch, cedar = await hub.member(), await home.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        await let_in_from(room, (home, birch), [(home, cedar)], epoch=1, seen=1)
        await in_room(home, cedar, room, 2)
        assert len(await home.delivery.welcomes(cedar.session)) == 1
        await home.delivery.submit(cedar.session, message(room, cedar, epoch=2, seen=2), now=NOW)
        await wait_log(hub, ash, room, 3)


async def test_a_room_is_full_when_devices_of_all_nodes_together_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAILBOXES_OF_ROOM_MAX", 3)
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch, cedar, dogwood = [await each.member() for each in (hub, home, hub, home)]
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch), (hub, cedar)], epoch=0, seen=0)
        with pytest.raises(Refused) as refused:
            await let_in_from(room, (hub, ash), [(home, dogwood)], epoch=1, seen=1)
        assert refused.value.code is Refusal.TOO_MANY


async def test_what_could_not_be_said_for_a_month_is_given_up(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub") as (wire, hub):
        ash = await hub.member()
        room = await hub.room(ash)
        async with node(tmp_path / "home", wire, "home") as home:
            birch = await home.member()
            wire.link(hub, home)
            await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
            await in_room(home, birch, room, 1)
            wire.cut(hub, home)
            said = message(room, birch, seen=1)
            with pytest.raises(Waiting):
                await home.delivery.submit(birch.session, said, now=NOW)
        async with node(tmp_path / "home", wire, "home", later=31 * DAY) as home:
            with pytest.raises(Refused) as refused:
                await home.delivery.submit(birch.session, said, now=NOW)
            assert refused.value.code is Refusal.ENDED
            await home.federation.prune(NOW + 31 * DAY)  # type: ignore[arg-type]
            assert await _answers(home) == 1
            await home.federation.prune(NOW + 33 * DAY)  # type: ignore[arg-type]
            assert await _answers(home) == 0


async def _answers(where: Node) -> int:
    query = "SELECT count(*) FROM outgoing WHERE kind = 'submit' AND status IS NOT NULL"
    row = await where.store.database.read(lambda c: c.execute(query).fetchone())
    return int(row[0])


async def test_a_follower_that_was_restored_from_a_backup_catches_up(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub") as (wire, hub):
        ash = await hub.member()
        room = await hub.room(ash)
        async with node(tmp_path / "home", wire, "home") as home:
            birch = await home.member()
            wire.link(hub, home)
            await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
            await in_room(home, birch, room, 1)
        backup = {each.name: each.read_bytes() for each in (tmp_path / "home").glob("private.db*")}
        async with node(tmp_path / "home", wire, "home") as home:
            wire.link(hub, home)
            for seq in range(1, 6):
                await hub.delivery.submit(ash.session, message(room, ash, seen=seq), now=NOW)
            await wait_log(home, birch, room, 6)
            await eventually(lambda: _reached(hub, home.id, 6), "acknowledged")
        for each in (tmp_path / "home").glob("private.db*"):
            each.unlink()
        for name, data in backup.items():
            (tmp_path / "home" / name).write_bytes(data)
        async with node(tmp_path / "home", wire, "home") as home:
            wire.link(hub, home)
            await hub.delivery.submit(ash.session, message(room, ash, seen=6), now=NOW)
            await wait_log(home, birch, room, 7)
            assert all((await payloads(home, room)).values())


async def test_the_outbox_has_room_for_so_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hedgerow_node.store.private import outgoing_rows

    monkeypatch.setattr(outgoing_rows, "OF_DEVICE_MAX", 3)
    monkeypatch.setattr("hedgerow_node.federation.far_delivery.SUBMIT_SECONDS", 0.01)
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        wire.cut(hub, home)
        for _ in range(3):
            with pytest.raises(Waiting):
                await home.delivery.submit(birch.session, message(room, birch, seen=1), now=NOW)
        with pytest.raises(Refused) as refused:
            await home.delivery.submit(birch.session, message(room, birch, seen=1), now=NOW)
        assert refused.value.code is Refusal.TOO_MANY


async def test_a_mailbox_of_another_member_cannot_be_named_for_a_newcomer(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "west", "east") as (_, hub, west, east):
        ash, birch, cedar = await hub.member(), await west.member(), await east.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(west, birch)], epoch=0, seen=0)
        await in_room(west, birch, room, 1)
        ref = KeyPackageRef(bytes(32))
        for mailbox in (ash.mailbox, birch.mailbox):
            welcome = WelcomeOut(ref, mls_bytes.welcome([ref]), east.id, mailbox)
            said = commit(room, ash, epoch=1, seen=1, welcomes=[welcome])
            with pytest.raises(Refused) as refused:
                await hub.delivery.submit(ash.session, said, now=NOW)
            assert refused.value.code is Refusal.BAD
        assert cedar.mailbox not in (ash.mailbox, birch.mailbox)


async def test_a_store_of_the_release_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "private.db"
    before = Database.open(path, STEPS[:1], set_name=SET_NAME, pragmas=PRAGMAS)
    before.write_now(
        lambda c: c.execute("INSERT INTO room (name, seq, time, hash) VALUES (?, 0, 0, ?)", (bytes(32), bytes(32)))
    )
    before.close()
    store = await asyncio.to_thread(PrivateStore.open, tmp_path)
    rows = await store.database.read(lambda c: c.execute("SELECT name, hub, signature FROM room").fetchall())
    await store.close()
    assert rows == [(bytes(32), None, None)]
    with closing(sqlite3.connect(tmp_path / "private.db.before-0002_rooms_across_nodes")) as backup:
        assert backup.execute("SELECT count(*) FROM room").fetchone() == (1,)


async def test_what_a_busy_disk_did_not_take_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub tells a thing once on a link; nobody says anything more in the room, and the link stays."""
    real, failed = mirror_rows.grow, []

    def grow(*arguments: Any) -> Any:
        if not failed:
            failed.append(True)
            raise StoreBusyError("The disk is busy.")
        return real(*arguments)

    monkeypatch.setattr(copies, "FETCH_AGAIN_SECONDS", 0.05)
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        room = await hub.room(ash)
        await let_in_from(room, (hub, ash), [(home, birch)], epoch=0, seen=0)
        await in_room(home, birch, room, 1)
        monkeypatch.setattr(mirror_rows, "grow", grow)
        await hub.delivery.submit(ash.session, message(room, ash, seen=1), now=NOW)
        await wait_log(home, birch, room, 2)
        assert failed
