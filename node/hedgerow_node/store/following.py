"""The groups that somebody here follows: their chains are never pushed out of a full store."""

from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_protocol.ids import RecordId

FOLLOWED_MAX: Final = 10_000
"""Groups. What the members of one node follow, together; each spares at most 20,000 records from giving way."""


def follow(connection: Connection, root: RecordId) -> bool:
    """Follow the group of this founding charter, also when it is not held yet; False when there are too many."""
    (count,) = connection.execute("SELECT count(*) FROM followed WHERE root != ?", (root,)).fetchone()
    if count >= FOLLOWED_MAX:
        return False
    connection.execute("INSERT INTO followed (root) VALUES (?) ON CONFLICT DO NOTHING", (root,))
    connection.execute("UPDATE chain SET followed = 1 WHERE root = ?", (root,))
    return True


def unfollow(connection: Connection, root: RecordId) -> None:
    """Follow it no longer."""
    connection.execute("DELETE FROM followed WHERE root = ?", (root,))
    connection.execute("UPDATE chain SET followed = 0 WHERE root = ?", (root,))


def followed(connection: Connection) -> list[RecordId]:
    """The founding charters of all groups that are followed."""
    return [RecordId(root) for (root,) in connection.execute("SELECT root FROM followed ORDER BY root")]
