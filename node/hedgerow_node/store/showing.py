"""Listings as pages show them, and what publishing needs to know of a chain. Reading connections only."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hedgerow_node.store.chains import charter_row
from hedgerow_node.store.database import Connection
from hedgerow_node.store.rows import CharterChain, Counts, HeldSlot
from hedgerow_protocol.envelope import Kind, stored_body
from hedgerow_protocol.ids import ListingId, NodeId, RecordId, listing_id
from hedgerow_protocol.keys import PUBLIC_BYTES
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing, read_stored
from hedgerow_protocol.state import ShownListing, hash_of_sorted, hour_start

_SHOWN = (
    "SELECT l.id, l.lid, l.two_versions, h.contested, c.threshold, length(c.stewards), r.envelope, h.root"
    " FROM listing l CROSS JOIN record r ON r.id = l.record CROSS JOIN chain h ON h.id = l.chain"
    " CROSS JOIN charter c ON c.id = r.charter"
)


def by_numbers(connection: Connection, numbers: Sequence[int], now: Timestamp) -> list[ShownListing]:
    """These listings, in this order."""
    found: dict[int, ShownListing] = {}
    marks = ", ".join("?" * len(numbers))
    for row in connection.execute(f"{_SHOWN} WHERE l.id IN ({marks})", tuple(numbers)):
        found[row[0]] = _shown(connection, row, now)
    return [found[number] for number in numbers if number in found]


def by_id(connection: Connection, lid: ListingId, now: Timestamp) -> ShownListing | None:
    """One listing, if it is shown now."""
    row = connection.execute(f"{_SHOWN} WHERE l.lid = ? AND l.expires > ?", (lid, now)).fetchone()
    return None if row is None else _shown(connection, row, now)


def after(connection: Connection, number: int, many: int, now: Timestamp) -> tuple[list[ShownListing], int]:
    """The next listings after this number, oldest first, and the number to go on from (-1: there are no more)."""
    rows = connection.execute(
        f"{_SHOWN} WHERE l.id > ? AND l.expires > ? ORDER BY l.id LIMIT ?", (number, now, many)
    ).fetchall()
    return [_shown(connection, row, now) for row in rows], rows[-1][0] if len(rows) == many else -1


def of_source(connection: Connection, root: RecordId, source: str, now: Timestamp) -> list[ShownListing]:
    """The listings shown now below one founding charter that name this source, in the order of their entries."""
    entries = connection.execute(
        "SELECT DISTINCT entry FROM record WHERE chain = (SELECT id FROM chain WHERE root = ?) AND entry IS NOT NULL",
        (root,),
    ).fetchall()
    found = (by_id(connection, listing_id(root, entry), now) for (entry,) in entries)
    return [each for each in found if each is not None and each.content is not None and each.content.source == source]


def _shown(connection: Connection, row: tuple[Any, ...], now: Timestamp) -> ShownListing:
    _number, lid, two_versions, contested, threshold, stewards_bytes, data, root = row
    listing = read_stored(Kind.LISTING, stored_body(data))
    assert isinstance(listing, Listing)  # noqa: S101 - only listings have a row there
    hosts = () if contested else listing.hosts
    return ShownListing(
        id=ListingId(lid),
        name=listing.content.name,
        content=None if contested else listing.content,
        slot=listing.slot,
        hosts=hosts,
        hosts_confirmed=_confirmed(connection, root, hosts, now) if hosts else (),
        contested=bool(contested),
        two_versions=bool(two_versions),
        threshold=threshold,
        stewards=stewards_bytes // PUBLIC_BYTES,
    )


def _confirmed(connection: Connection, root: bytes, hosts: Sequence[NodeId], now: Timestamp) -> tuple[NodeId, ...]:
    """Which of these nodes claim to host the group, in the order in which they are named."""
    marks = ", ".join("?" * len(hosts))
    rows = connection.execute(
        "SELECT h.node FROM hosted h JOIN node_record n ON n.node = h.node AND n.kind = ?"  # noqa: S608 - question marks
        f" WHERE h.root = ? AND n.expires > ? AND h.node IN ({marks})",
        (int(Kind.HOSTING), root, now, *hosts),
    ).fetchall()
    return tuple(host for host in hosts if (host,) in rows)


# --- chains


def chain_of_listing(connection: Connection, lid: ListingId) -> CharterChain | None:
    """The charters behind a listing that has a row."""
    row = connection.execute("SELECT chain FROM listing WHERE lid = ?", (lid,)).fetchone()
    return None if row is None else _chain(connection, row[0])


def chain_of_charter(connection: Connection, rid: RecordId) -> CharterChain | None:
    """The charters before and after this one."""
    charter = charter_row(connection, rid)
    return None if charter is None else _chain(connection, charter.chain)


def _chain(connection: Connection, chain: int) -> CharterChain:
    root, contested = connection.execute("SELECT root, contested FROM chain WHERE id = ?", (chain,)).fetchone()
    rows = connection.execute(
        "SELECT r.envelope FROM charter c JOIN record r ON r.id = c.id"
        " WHERE c.chain = ? AND c.on_path = 1 ORDER BY c.position",
        (chain,),
    )
    return CharterChain(RecordId(root), tuple(data for (data,) in rows), bool(contested))


def slots(connection: Connection, root: RecordId) -> dict[bytes, HeldSlot]:
    """What fills each entry below a founding charter, withdrawals and expired ones too: the greatest of each."""
    rows = connection.execute(
        "SELECT r.entry, c.position, r.expires, r.seq, r.rid, r.kind, r.envelope FROM record r"
        " JOIN charter c ON c.id = r.charter WHERE r.chain = (SELECT id FROM chain WHERE root = ?)"
        " ORDER BY r.entry, c.position, r.expires, r.seq, r.rid DESC",
        (root,),
    )
    held: dict[bytes, HeldSlot] = {}
    order_before: tuple[int, int, int] | None = None
    for entry, position, expires, seq, rid, kind, data in rows:
        order = (position, expires, seq)
        twice = entry in held and order == order_before
        record = read_stored(Kind(kind), stored_body(data))
        content = record.content if isinstance(record, Listing) else None
        held[entry] = HeldSlot(RecordId(rid), record.slot, content, twice)
        order_before = order
    return held


def envelope_of(connection: Connection, rid: RecordId) -> bytes | None:
    """A record's envelope as it was received."""
    row = connection.execute("SELECT envelope FROM record WHERE rid = ?", (rid,)).fetchone()
    return None if row is None else row[0]


def announcement_of(connection: Connection, node: NodeId) -> bytes | None:
    """The envelope of a node's newest announcement."""
    row = connection.execute(
        "SELECT r.envelope FROM node_record n JOIN record r ON r.id = n.record WHERE n.node = ? AND n.kind = ?",
        (node, int(Kind.ANNOUNCEMENT)),
    ).fetchone()
    return None if row is None else row[0]


def announcements_saying(connection: Connection, feature: str, now: Timestamp) -> list[bytes]:
    """Envelopes of all announcements in force in which this word stands, perhaps as a feature."""
    rows = connection.execute(
        "SELECT r.envelope FROM node_record n JOIN record r ON r.id = n.record"
        " WHERE n.kind = ? AND n.expires > ? AND instr(r.envelope, ?) > 0",
        (int(Kind.ANNOUNCEMENT), now, feature.encode()),
    )
    return [envelope for (envelope,) in rows]


def known(connection: Connection, rids: Iterable[RecordId]) -> set[RecordId]:
    """Which of these records are held."""
    found: set[RecordId] = set()
    wanted = list(rids)
    for start in range(0, len(wanted), 200):
        part = wanted[start : start + 200]
        marks = ", ".join("?" * len(part))
        rows = connection.execute(f"SELECT rid FROM record WHERE rid IN ({marks})", part)  # noqa: S608 - question marks
        found.update(RecordId(rid) for (rid,) in rows)
    return found


# --- the whole


def live_hash(connection: Connection, now: Timestamp) -> tuple[int, str]:
    """How many records are live as of the start of the hour, and the hash over their ids."""
    at = hour_start(now)
    rows = connection.execute(
        "SELECT rid FROM record WHERE expires > ?1 UNION ALL"
        " SELECT c.rid FROM charter c WHERE c.chain IN (SELECT id FROM chain WHERE live_until > ?1) ORDER BY rid",
        (at,),
    )
    count = 0

    def rids() -> Iterator[RecordId]:
        nonlocal count
        for (rid,) in rows:
            count += 1
            yield RecordId(rid)

    # SQLite has sorted them: sorting them again would hold the interpreter's lock, and with it the event loop.
    digest = hash_of_sorted(rids())
    return count, digest


def counts(connection: Connection, now: Timestamp) -> Counts:
    """Listings and meetings shown now, and records held."""
    listings, meetings = connection.execute(
        "SELECT count(*), coalesce(sum(meetings), 0) FROM listing WHERE expires > ?", (now,)
    ).fetchone()
    (records,) = connection.execute("SELECT value FROM tally WHERE name = 'records'").fetchone()
    return Counts(listings, meetings, records)
