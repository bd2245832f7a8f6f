"""Rooms of nodes that are never online at the same time, as long as a third one is."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import mls_bytes
from drop_worlds import village
from hedgerow_protocol.delivery.values import Accepted, KeyPackageRef, WelcomeOut
from linked_worlds import eventually, in_room, wait_log
from private_worlds import NOW, commit, message


@asynccontextmanager
async def meanwhile(asking: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """A device asks for what will not be answered as long as it waits."""
    task = asyncio.create_task(asking)
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_room_of_two_nodes_that_are_never_up_together(tmp_path: Path) -> None:
    async with village(tmp_path) as place:
        async with place.online("home") as home:
            birch = await home.member()
            ref, consent = await home.offer(birch)
        async with place.online("hub") as hub:
            ash = await hub.member()
            room = await hub.room(ash)
            async with meanwhile(hub.delivery.claim_key_package(ash.session, ref, consent, home=home.id, now=NOW)):
                await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await place.has_fetched(home)
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            claimed = await hub.delivery.claim_key_package(ash.session, ref, consent, home=home.id, now=NOW)
            assert claimed.mailbox == birch.mailbox
            welcome = WelcomeOut(KeyPackageRef(ref), mls_bytes.welcome([ref]), home.id, birch.mailbox)
            done = await hub.delivery.submit(
                ash.session, commit(room, ash, epoch=0, seen=0, welcomes=[welcome]), now=NOW
            )
            assert isinstance(done, Accepted)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await place.has_fetched(home)  # the Welcome; its device hears of it when the commit has come, too
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            await place.has_fetched(hub)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await in_room(home, birch, room, done.seq)
            said = message(room, birch, seen=done.seq, epoch=1)
            async with meanwhile(home.delivery.submit(birch.session, said, now=NOW)):
                await place.has_left(home, hub.id)
        async with place.online("hub") as hub:
            await wait_log(hub, ash, room, 2)
            await hub.delivery.submit(ash.session, message(room, ash, seen=2, epoch=1), now=NOW)
            await place.has_left(hub, home.id)
        async with place.online("home") as home:
            await wait_log(home, birch, room, 3)
            again = await home.delivery.submit(birch.session, said, now=NOW)
            assert isinstance(again, Accepted)
            assert again.seq == 2
            await place.has_left(home, hub.id)
        async with place.online("hub") as hub:

            async def has_all() -> bool:
                query = "SELECT acknowledged FROM follower WHERE node = ?"
                row = await hub.store.database.read(lambda c: c.execute(query, (home.id,)).fetchone())
                return bool(row == (3,))

            await eventually(has_all, "the hub knows that all of it has come")
        assert not any({home.id, hub.id} == {sender, to} for sender, to, _ in place.wire.frames)
