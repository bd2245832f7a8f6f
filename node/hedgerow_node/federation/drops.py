"""Drops put together: for nodes that are never online at the same time, what one has to say lies with a third."""

from hedgerow_node.federation.collecting import Collecting
from hedgerow_node.federation.holders import Holders
from hedgerow_node.federation.leaving import Leaving
from hedgerow_node.store.private import deposit_rows, drop_rows
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_protocol.federation.letters import Letter
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp


class Drops:
    """Both sides of a node that leaves and fetches drops. Belongs to the event loop."""

    def __init__(self, holders: Holders, leaving: Leaving, collecting: Collecting) -> None:
        self._holders = holders
        self._leaving = leaving
        self._collecting = collecting

    def start(self) -> None:
        """Leave and fetch from now on."""
        self._leaving.start()
        self._collecting.start()

    async def stop(self) -> None:
        """No more."""
        await self._collecting.stop()
        await self._leaving.stop()

    def up(self, node: NodeId) -> None:
        """A link is open."""
        self._holders.up(node)
        self._leaving.up(node)
        self._collecting.up(node)

    def down(self, node: NodeId) -> None:
        """It has ended."""
        self._leaving.down(node)

    def unsent(self, to: NodeId, letter: Letter | bytes) -> None:
        """There is no link for this letter."""
        self._leaving.unsent(to, letter)
        self._collecting.unsent(to, letter)


async def prune(scribe: Scribe, now: Timestamp) -> None:
    """What others left here is kept for two weeks; what was opened is remembered a little longer."""
    await scribe.quietly(lambda c: deposit_rows.forget_old(c, now))
    await scribe.quietly(lambda c: drop_rows.forget_old(c, now))
