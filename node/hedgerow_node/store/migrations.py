"""The store's tables, as numbered steps that are never edited once released.

Each step runs once, in a transaction, through sqlite-utils; which steps a file has had is in its table
``_sqlite_migrations``. sqlite-utils takes a while to import and brings numpy along where that is installed, so it is
imported only when a step is due: :func:`applied` and :func:`pending` ask the file with plain SQL.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database as UtilsDatabase

SET_NAME = "hedgerow-public"


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered migration."""

    name: str
    statements: tuple[str, ...]


_RECORDS = (
    "CREATE TABLE tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO tally (name, value) VALUES ('records', 0)",
    # Every envelope as it was received. Charters expire at 0: they live as long as their chain needs them.
    """
    CREATE TABLE record (
      id INTEGER PRIMARY KEY,
      rid BLOB NOT NULL,
      kind INTEGER NOT NULL,
      chain INTEGER,
      charter INTEGER,
      entry BLOB,
      seq INTEGER NOT NULL,
      expires INTEGER NOT NULL,
      envelope BLOB NOT NULL
    ) STRICT
    """,
    # With expires beside it, the state hash reads only this index, in the order it needs. (A rid fixes its expires.)
    "CREATE UNIQUE INDEX record_rid ON record (rid, expires)",
    "CREATE INDEX record_slot ON record (chain, entry) WHERE entry IS NOT NULL",
    "CREATE INDEX record_expires ON record (expires) WHERE expires > 0",
    # A founding charter and all that follow it.
    """
    CREATE TABLE chain (
      id INTEGER PRIMARY KEY,
      root BLOB NOT NULL UNIQUE,
      contested INTEGER NOT NULL DEFAULT 0,
      entries INTEGER NOT NULL DEFAULT 0,
      live_until INTEGER NOT NULL DEFAULT 0,
      touched INTEGER NOT NULL
    ) STRICT
    """,
    # id = record.id. on_path: reached from the founding charter by following only children.
    """
    CREATE TABLE charter (
      id INTEGER PRIMARY KEY,
      rid BLOB NOT NULL UNIQUE,
      chain INTEGER NOT NULL,
      previous BLOB,
      position INTEGER NOT NULL,
      threshold INTEGER NOT NULL,
      stewards BLOB NOT NULL,
      on_path INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX charter_chain ON charter (chain)",
    "CREATE INDEX charter_previous ON charter (previous) WHERE previous IS NOT NULL",
    "CREATE TABLE announcement (node BLOB PRIMARY KEY, record INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID",
    # What pages show now: of each entry of a chain the version that wins. The id is the order of first appearance.
    # facts and words are made from the record by the directory's index and can be made again.
    """
    CREATE TABLE listing (
      id INTEGER PRIMARY KEY,
      lid BLOB NOT NULL UNIQUE,
      chain INTEGER NOT NULL,
      record INTEGER NOT NULL,
      expires INTEGER NOT NULL,
      two_versions INTEGER NOT NULL,
      meetings INTEGER NOT NULL,
      places INTEGER NOT NULL,
      facts BLOB NOT NULL,
      words TEXT NOT NULL
    ) STRICT
    """,
    # The words are folded before they come here (accents, case, signs), so that every check agrees on what a word is;
    # this tokenizer then splits at spaces and takes anything beyond ASCII as part of a word. Nothing is ranked by
    # frequency and no phrases are searched, so positions and sizes are left out.
    """
    CREATE VIRTUAL TABLE text USING fts5 (
      words, content = 'listing', content_rowid = 'id', detail = none, columnsize = 0,
      tokenize = "ascii tokenchars '_'"
    )
    """,
    # Segments are merged less eagerly than by default: a batch of a hundred listings makes one.
    "INSERT INTO text (text, rank) VALUES ('automerge', 8)",
    # The words that occur, and a sample of how often: so that the beginning of a word stands for a bounded number of
    # words, the commoner ones first.
    "CREATE TABLE word (term TEXT PRIMARY KEY, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # Ten-millionths of a degree fit 32 bits exactly. id = listing.id * 64 + number of the place.
    "CREATE VIRTUAL TABLE place USING rtree_i32 (id, south, north, west, east, +listing INTEGER)",
)

_NETWORK = (
    # Through whom a chain came: NULL when it was published or imported here. Followed ones are never pushed out.
    "ALTER TABLE chain ADD COLUMN origin BLOB",
    "ALTER TABLE chain ADD COLUMN followed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX chain_evictable ON chain (origin, touched) WHERE origin IS NOT NULL AND followed = 0",
    "CREATE TABLE followed (root BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    # How many records the chains of an origin hold.
    "CREATE TABLE origin_share (origin BLOB PRIMARY KEY, records INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE INDEX origin_share_records ON origin_share (records)",
    # What nodes say of themselves, one record of a kind for each: announcements (4) and hosting claims (5).
    """
    CREATE TABLE node_record (
      node BLOB NOT NULL,
      kind INTEGER NOT NULL,
      record INTEGER NOT NULL UNIQUE,
      expires INTEGER NOT NULL,
      PRIMARY KEY (node, kind)
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO node_record (node, kind, record, expires)"
    " SELECT a.node, 4, a.record, r.expires FROM announcement a JOIN record r ON r.id = a.record",
    "DROP TABLE announcement",
    "CREATE INDEX node_record_expires ON node_record (kind, expires)",
    "INSERT INTO tally (name, value) SELECT 'node_records', count(*) FROM node_record",
    "CREATE TABLE hosted (root BLOB NOT NULL, node BLOB NOT NULL, PRIMARY KEY (root, node)) STRICT, WITHOUT ROWID",
    # Nodes (32 bytes) and listings (20 bytes) that this node's keeper does not carry.
    """
    CREATE TABLE block (
      target BLOB PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # What the network floor keeps between runs, in its own words: addresses, scores.
    """
    CREATE TABLE network (
      kind TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID
    """,
    # How much was refused on which day (days since 1970) and why; not from whom.
    """
    CREATE TABLE refusal (
      day INTEGER NOT NULL, code TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, code)
    ) STRICT, WITHOUT ROWID
    """,
)

STEPS: tuple[Step, ...] = (Step("0001_records_listings_search", _RECORDS), Step("0002_network", _NETWORK))


def applied(connection: sqlite3.Connection, set_name: str = SET_NAME) -> list[str]:
    """The steps this file has had."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if known is None:
        return []
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (set_name,))
    return [name for (name,) in rows]


def pending(done: Sequence[str], steps: Sequence[Step] = STEPS) -> list[Step]:
    """The steps still due."""
    return [step for step in steps if step.name not in done]


def unknown(done: Sequence[str], steps: Sequence[Step] = STEPS) -> list[str]:
    """Steps of a newer program that this one does not know."""
    names = {step.name for step in steps}
    return [name for name in done if name not in names]


def apply(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS, set_name: str = SET_NAME) -> None:
    """Run every step that is due, each in its own transaction."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(set_name)
    for step in steps:
        migrations(name=step.name)(_runner(step))
    migrations.apply(Database(connection, execute_plugins=False))


def _runner(step: Step) -> "Callable[[UtilsDatabase], None]":
    def run(database: "UtilsDatabase") -> None:
        for statement in step.statements:
            database.execute(statement)

    return run
