"""What a keeper may do with the network while the node runs: one way for the keeper's page and the command line.

What is chosen takes effect at once and is written into the settings file, so that it holds at the next start, too.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow_node import clock
from hedgerow_node.config import Config, check_setting, load_config
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.directory.service import Directory
from hedgerow_node.federation.service import Federation
from hedgerow_node.federation.standing import to_json
from hedgerow_node.net.remembering import ADDRESSES, SCORES
from hedgerow_node.net.service import Network
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId

ALONE: Mapping[str, Any] = {"peers": (), "lan": False, "announce": "", "onion": ""}
"""Settings of a node that wants to be left alone."""


@dataclass(frozen=True, slots=True)
class NodePeering:
    """The network of one running node, in its keeper's hands (:class:`hedgerow_node.http.peering.Peering`)."""

    config: Config
    directory: Directory
    network: Network
    federation: Federation
    _file: asyncio.Lock = field(default_factory=asyncio.Lock)

    def status(self) -> Mapping[str, Any]:
        """The whole neighbourhood as JSON; ``left``: this node has left the network until its next start."""
        return {**self.network.status().to_json(), "left": self.network.left}

    async def rooms(self) -> Mapping[str, Any]:
        """How this node and others get on with the rooms they share, as JSON. Raises StoreError."""
        return to_json(await self.federation.standing())

    async def proofs(self) -> Sequence[bytes]:
        """That hubs told two stories, for anybody to check. Raises StoreError."""
        return await self.federation.proofs()

    async def keep(self, url: str) -> None:
        """Choose this peer. Raises :class:`~hedgerow_node.config.ConfigError`."""
        async with self._file:
            await asyncio.to_thread(self._write, lambda kept: (*kept, url))
            self.network.choose((*self.network.chosen, url))

    async def forget(self, url: str) -> bool:
        """Choose it no longer; whether it was chosen. Raises :class:`~hedgerow_node.config.ConfigError`."""
        async with self._file:
            chosen = self.network.chosen
            written = await asyncio.to_thread(self._write, lambda kept: tuple(each for each in kept if each != url))
            self.network.choose(each for each in chosen if each != url)
        return written or url in chosen

    def _write(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> bool:
        """Change the peers of the settings file; whether that changed anything. Flags do not go into the file."""
        kept = load_config({"data": self.config.data}, {}).peers
        wanted = check_setting("peers", change(kept))
        if wanted == kept:
            return False
        change_settings(self.config.settings_file, {"peers": wanted})
        return True

    async def leave(self) -> None:
        """Say goodbye, be found no longer, and forget where the others are. Pages go on.

        Raises :class:`~hedgerow_node.config.ConfigError`.
        """
        async with self._file:
            await asyncio.to_thread(change_settings, self.config.settings_file, ALONE)
            self.network.choose(())
            await self.network.stop()
            await forget_others(self.directory)

    async def blocks(self) -> Sequence[Block]:
        """The block list, the latest first."""
        return await self.directory.blocked()

    async def block(self, those: Sequence[Block]) -> int:
        """Put these on the block list, at once; how many there was room for."""
        applied = await self.directory.block_all(those, now=clock.now())
        await self._tell(any(each.is_node for each in those))
        return applied

    async def unblock(self, target: NodeId | ListingId) -> bool:
        """Take one off; whether it was there."""
        was_there = await self.directory.unblock(target)
        await self._tell(was_there)
        return was_there

    async def _tell(self, changed: bool) -> None:
        if changed:
            await self.network.blocks_changed()


async def forget_others(directory: Directory) -> None:
    """Empty the address book on the disk, and what was thought of each node in it."""
    for kind in (ADDRESSES, SCORES):
        await directory.replace_network_rows(kind, ())
