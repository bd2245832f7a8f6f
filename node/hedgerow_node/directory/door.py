"""The one way in for commands: through the running node, or, where none runs, as the only writer.

There is never a second writer: whoever opens the door without a running node holds the lock of the data folder until
it closes. Reading needs no lock, because the store lets readers look on beside the writer.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.directory.door_folder import FolderBusyError, FolderError, FolderLock, load_keys, make_folder
from hedgerow_node.directory.import_plan import Held
from hedgerow_node.directory.outcome import Outcome
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.envelope import Envelope, parse_envelope
from hedgerow_protocol.ids import ListingId, RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

WAIT_SECONDS_MAX = 20.0
"""Seconds. To wait for a node that is just starting, or for another command to end."""

WAIT_STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """What this node holds, beside whoever writes."""

    directory: Directory

    async def listing(self, lid: ListingId) -> ShownListing | None:
        """One listing as a page would show it now."""
        return await self.directory.listing(lid, now=clock.now())

    async def charters(self, lid: ListingId) -> tuple[Envelope, ...]:
        """The charters a listing stands on, from the founding one on."""
        chain = await self.directory.charter_of(lid)
        return tuple(parse_envelope(each) for each in chain.envelopes) if chain is not None else ()

    async def held_of(self, root: RecordId, source: str) -> dict[bytes, Held]:
        """What fills the entries below a directory's charter; only the listings of this source have their text.

        Entries of other sources are never wanted by this one (their names are hashes over the source), so it does no
        harm that they look withdrawn here; what this source withdrew must be known, to come after it.
        """
        held = {entry: Held(each.slot, None) for entry, each in (await self.directory.slots(root)).items()}
        for shown in await self.directory.of_source(root, source, now=clock.now()):
            held[shown.slot.entry] = Held(shown.slot, shown.content)
        return held


@dataclass(frozen=True, slots=True)
class Door(Reading):
    """A way in for records."""

    config: Config
    through_node: bool = False

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]:
        """One outcome for each envelope; what was stored is durable. A running node judges by its own clock."""
        if not self.through_node:
            return await self.directory.accept(envelopes, now=now)
        outcomes: list[Outcome] = []
        for start in range(0, len(envelopes), door_control.BATCH_ENVELOPES_MAX):
            batch = envelopes[start : start + door_control.BATCH_ENVELOPES_MAX]
            body = door_control.encode_batch(batch)
            answer = await door_control.call(self.config.control_socket, "POST", "/accept", body)
            outcomes += [door_control.outcome_from_json(each) for each in answer["outcomes"]]
        return outcomes


@asynccontextmanager
async def open_door(config: Config) -> AsyncIterator[Door]:
    """Open the data folder for writing, making it first if there is none.

    Raises :class:`~hedgerow_node.directory.door_folder.FolderError` when it cannot be used, or when somebody else
    holds its lock and does not answer.
    """
    make_folder(config.data)
    lock = FolderLock(config)
    through_node = not await take_or_find_node(config, lock)
    try:
        if not through_node:
            load_keys(config, clock.entropy)
        directory = open_directory(config)
        try:
            yield Door(directory, config, through_node)
        finally:
            await directory.close()
    finally:
        lock.release()


async def take_or_find_node(config: Config, lock: FolderLock) -> bool:
    """Whether the lock was taken; False when a running node answers instead."""
    deadline = clock.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            lock.take()
        except FolderBusyError:
            if await _answers(config):
                return False
            if clock.monotonic() >= deadline:
                raise
            await asyncio.sleep(WAIT_STEP_SECONDS)
        else:
            return True


async def _answers(config: Config) -> bool:
    try:
        await door_control.call(config.control_socket, "GET", "/status")
    except (OSError, door_control.ControlError):
        return False
    return True


def open_directory(config: Config) -> Directory:
    """The directory on this data folder's store."""
    return Directory.open(config.database_file, records_max=config.records_max)


@asynccontextmanager
async def read_directory(config: Config) -> AsyncIterator[Reading]:
    """Open the data folder for reading, beside whoever writes. Raises ``FolderError`` when there is nothing to read."""
    if not config.database_file.exists():
        raise FolderError(f"There are no listings in {config.data} yet. Import a feed, or name another folder: --data.")
    directory = open_directory(config)
    try:
        yield Reading(directory)
    finally:
        await directory.close()
