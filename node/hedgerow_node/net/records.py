"""The directory, as the network asks it."""

from collections.abc import Callable, Sequence

from hedgerow_node import clock
from hedgerow_node.directory.outcome import Outcome
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.gossip.events import Fetch, Judge, LinkId
from hedgerow_protocol.ids import NodeId


class DirectoryRecords:
    """Takes in what peers sent, and reads what they ask for."""

    def __init__(self, directory: Directory, account_of: Callable[[LinkId, NodeId], bytes]) -> None:
        """``account_of`` names the part of the network that a link belongs to: whose share of the store is charged."""
        self._directory = directory
        self._account_of = account_of

    async def take_in(self, envelopes: Sequence[bytes], judge: Judge) -> Sequence[Outcome]:
        """See :class:`~hedgerow_node.net.judging.Records`."""
        origin = self._account_of(judge.link, judge.peer)
        return await self._directory.accept(envelopes, now=clock.now(), origin=origin)

    async def read(self, fetch: Fetch) -> Sequence[bytes]:
        """See :class:`~hedgerow_node.net.judging.Records`."""
        held = await self._directory.envelopes(fetch.rids, with_charters=fetch.with_charters)
        return [envelope for _, envelope in held]
