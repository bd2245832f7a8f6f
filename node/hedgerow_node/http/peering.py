"""What the keeper's page asks of the network. The street door does not know the garden gate: ``app`` lends it this."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId


class Peering(Protocol):
    """One node's dealings with others, as far as its keeper has a say in them."""

    def status(self) -> Mapping[str, Any]:
        """The JSON of ``hedgerow peers list --json``."""
        ...

    async def rooms(self) -> Mapping[str, Any]:
        """The JSON of ``hedgerow peers rooms --json``. Raises :class:`~hedgerow_node.store.errors.StoreError`."""
        ...

    async def proofs(self) -> Sequence[bytes]:
        """That hubs told two stories: :mod:`hedgerow_protocol.federation.forks`. Raises StoreError."""
        ...

    async def keep(self, url: str) -> None:
        """Choose this peer, now and at every start. Raises :class:`~hedgerow_node.config.ConfigError`."""
        ...

    async def forget(self, url: str) -> bool:
        """Choose it no longer; whether it was chosen. Raises :class:`~hedgerow_node.config.ConfigError`."""
        ...

    async def blocks(self) -> Sequence[Block]:
        """The block list, the latest first."""
        ...

    async def block(self, those: Sequence[Block]) -> int:
        """Put these on the block list, at once; how many there was room for."""
        ...

    async def unblock(self, target: NodeId | ListingId) -> bool:
        """Take one off; whether it was there."""
        ...
