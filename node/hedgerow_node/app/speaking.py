"""The directory of a running node: what is published or imported here, other nodes hear of at once."""

from collections.abc import Callable, Sequence

from hedgerow_node.directory.outcome import Outcome, Stored
from hedgerow_node.directory.service import Directory
from hedgerow_node.store.rows import LOCAL, Origin
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp

Tell = Callable[[list[tuple[RecordId, bytes]]], None]


class SpeakingDirectory(Directory):
    """Set :attr:`tell` before anything is published."""

    tell: Tell = staticmethod(lambda _: None)
    """Told the records that were stored and did not come from the network, with their envelopes."""

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp, origin: Origin = LOCAL) -> list[Outcome]:
        """See :meth:`Directory.accept`."""
        outcomes = await super().accept(envelopes, now=now, origin=origin)
        if origin is LOCAL:
            stored = [
                (outcome.rid, envelope)
                for outcome, envelope in zip(outcomes, envelopes, strict=True)
                if isinstance(outcome, Stored)
            ]
            if stored:
                self.tell(stored)
        return outcomes
