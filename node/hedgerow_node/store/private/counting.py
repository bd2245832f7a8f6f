"""How much there is of everything, for the keeper: numbers and no names."""

from dataclasses import dataclass
from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_protocol.ports import Timestamp


@dataclass(frozen=True, slots=True)
class Counts:
    """What the keeper's page says of the members' side."""

    accounts: int
    devices: int
    rooms: int
    """In which at least one device takes part."""
    invites: int
    """Of the keeper, that still make accounts."""


def count(connection: Connection, now: Timestamp) -> Counts:
    """Count everything at one moment."""
    return Counts(*connection.execute(_COUNT, (int(now),)).fetchone())


_COUNT: Final = """
SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM device),
  (SELECT count(DISTINCT room) FROM mailbox WHERE room IS NOT NULL AND until IS NULL),
  (SELECT count(*) FROM invite WHERE account IS NULL AND expires > ? AND used < uses)
"""
