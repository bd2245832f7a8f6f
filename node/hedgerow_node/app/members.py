"""The members' side of a node: its store, and the two services on it."""

import asyncio
from dataclasses import dataclass

from hedgerow_node import clock
from hedgerow_node.accounts.service import AccountService
from hedgerow_node.config import Config
from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.federation.holders import Whereabouts
from hedgerow_node.federation.post import Post
from hedgerow_node.federation.service import Federation, tags_of
from hedgerow_node.store.private.counting import Counts, count
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Timestamp


@dataclass(frozen=True, slots=True)
class Members:
    """Accounts and delivery over one private store."""

    store: PrivateStore
    accounts: AccountService
    delivery: DeliveryService

    async def counts(self) -> Counts:
        """How much there is of everything, for the keeper."""
        now = clock.now()
        return await self.store.database.read(lambda connection: count(connection, now))

    async def prune(self, now: Timestamp) -> None:
        """Remove what is no longer kept."""
        await self.accounts.prune(now)
        await self.delivery.prune(now)

    async def close(self) -> None:
        """Write what waits, then close the store."""
        await self.delivery.close()
        await self.store.close()


async def open_members(config: Config, key: SigningKey) -> Members:
    """Open the private store of a data folder as its only writer. ``key`` is the node's: it signs heads of logs.

    Raises :class:`~hedgerow_node.store.errors.StoreError`.
    """
    store = await asyncio.to_thread(PrivateStore.open, config.data)
    try:
        await asyncio.to_thread(store.sweep)
    except BaseException:
        await store.close()
        raise
    accounts = AccountService(store, entropy=clock.entropy, members_invite=config.members_invite, tags=tags_of(key))
    return Members(store, accounts, DeliveryService(store, key, entropy=clock.entropy))


def federation_of(
    config: Config, key: SigningKey, members: Members, post: Post, whereabouts: Whereabouts
) -> Federation:
    """Rooms across nodes, over these services and this post. To be started before the network."""
    return Federation(
        members.store,
        members.accounts,
        members.delivery,
        key,
        post,
        title=config.title or "Hedgerow",
        entropy=clock.entropy,
        timestamp=clock.now,
        monotonic=clock.monotonic,
        fanout_ms=config.fanout_ms,
        whereabouts=whereabouts,
        holds_drops=config.relay,
    )
