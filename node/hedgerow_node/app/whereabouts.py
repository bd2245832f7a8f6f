"""What federation asks the directory about other nodes: who holds drops, whose relays are which, who is shut out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hedgerow_node import clock
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.address_entry import usable
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.settings import DROPS
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import relay_of
from hedgerow_protocol.records import Announcement, read_announcement


@dataclass(frozen=True, slots=True)
class DirectoryWhereabouts:
    """Implements :class:`hedgerow_node.federation.holders.Whereabouts`."""

    directory: Directory

    async def holders(self) -> Sequence[NodeId]:
        """See there."""
        envelopes = await self.directory.announcements_saying(DROPS, now=clock.now())
        return await asyncio.to_thread(_holders, envelopes)

    async def relays_of(self, node: NodeId) -> Sequence[NodeId]:
        """See there."""
        envelope = await self.directory.announcement_of(node)
        announcement = None if envelope is None else _read(envelope)
        return () if announcement is None else usable(announcement, ())[1]

    async def blocked(self) -> frozenset[NodeId]:
        """See there."""
        return frozenset(NodeId(each.target) for each in await self.directory.blocked() if each.is_node)


def _holders(envelopes: Sequence[bytes]) -> list[NodeId]:
    """Only who can be dialled: who uses a relay may not be met by somebody who uses one, too."""
    found = []
    for envelope in envelopes:
        announcement = _read(envelope)
        if announcement is None or DROPS not in announcement.features:
            continue
        if any(relay_of(each) is None for each in announcement.addresses):
            found.append(announcement.node_id)
    return found


def _read(envelope: bytes) -> Announcement | None:
    try:
        return read_announcement(parse_envelope(envelope).body)
    except RemoteError:
        return None
