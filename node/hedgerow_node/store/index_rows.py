"""The rows by which listings are found: kept in step with the version that wins."""

import sqlite3
from typing import Final

from hedgerow_protocol.ids import ListingId

from hedgerow_node.store.rows import IndexRow

WINDOW_BITS: Final = 14
"""Listings are numbered; 16,384 neighbours share a mark in the full text. A search for several common words goes
window by window, which bounds its work however large the store is."""

MARK: Final = "¤"
"""Begins the words that stand for filters and windows; folding never leaves it in a word that somebody types."""

PLACES_PER_LISTING: Final = 64
"""Places. As many as a listing has meetings at most."""

WORDS_SAMPLED_OF: Final = 32
"""Of this many listings one is counted in the sample of how common words are."""

TERMS_REMEMBERED_MAX: Final = 20_000
"""Words. Those lately written, so that the common ones are not written again; about 2 MB."""


def window_mark(listing: int) -> str:
    """The word that all listings of one window share."""
    return f"{MARK}w{listing >> WINDOW_BITS}"


class IndexRows:
    """Writes rows of ``listing``, ``text``, ``place`` and ``word``. Belongs to one store; used by its writer thread."""

    def __init__(self) -> None:
        self._terms: set[str] = set()

    def forget_terms(self) -> None:
        """After a failure: what was remembered may not be on the disk."""
        self._terms.clear()

    def put(
        self,
        connection: sqlite3.Connection,
        lid: ListingId,
        chain: int,
        record: int,
        expires: int,
        two_versions: bool,
        index: IndexRow,
    ) -> None:
        """Show this version of a listing, in the place of another one if there is one."""
        held = connection.execute("SELECT id, words, facts, places FROM listing WHERE lid = ?", (lid,)).fetchone()
        if held is None:
            self.add(connection, lid, chain, record, expires, two_versions, index)
            return
        number, old_words, old_facts, old_places = held
        words = f"{index.words} {window_mark(number)}"
        connection.execute(
            "UPDATE listing SET record = ?, expires = ?, two_versions = ? WHERE id = ?",
            (record, expires, int(two_versions), number),
        )
        if words == old_words and index.facts == old_facts:
            return  # a renewal: nothing that is searched has changed
        _erase_text(connection, number, old_words)
        connection.execute(
            "UPDATE listing SET meetings = ?, places = ?, source = ?, facts = ?, words = ? WHERE id = ?",
            (index.meetings, len(index.places), index.source, index.facts, words, number),
        )
        connection.execute("INSERT INTO text (rowid, words) VALUES (?, ?)", (number, words))
        _erase_places(connection, number, old_places)
        _add_places(connection, number, index)
        self._learn(connection, lid, words)

    def add(
        self,
        connection: sqlite3.Connection,
        lid: ListingId,
        chain: int,
        record: int,
        expires: int,
        two_versions: bool,
        index: IndexRow,
    ) -> None:
        """Show a listing that is not shown yet."""
        (highest,) = connection.execute("SELECT max(id) FROM listing").fetchone()
        number = (highest or 0) + 1
        words = f"{index.words} {window_mark(number)}"
        connection.execute(
            "INSERT INTO listing"
            " (id, lid, chain, record, expires, two_versions, meetings, places, source, facts, words)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number, lid, chain, record, expires, int(two_versions), index.meetings, len(index.places),
                index.source, index.facts, words,
            ),
        )  # fmt: skip
        connection.execute("INSERT INTO text (rowid, words) VALUES (?, ?)", (number, words))
        _add_places(connection, number, index)
        self._learn(connection, lid, words)

    def drop(self, connection: sqlite3.Connection, lid: ListingId) -> None:
        """Show a listing no longer."""
        held = connection.execute("SELECT id, words, places FROM listing WHERE lid = ?", (lid,)).fetchone()
        if held is None:
            return
        number, words, places = held
        _erase_text(connection, number, words)
        _erase_places(connection, number, places)
        connection.execute("DELETE FROM listing WHERE id = ?", (number,))

    def _learn(self, connection: sqlite3.Connection, lid: ListingId, words: str) -> None:
        terms = set(words.split())
        terms.discard("|")
        if lid[0] % WORDS_SAMPLED_OF == 0:
            connection.executemany(
                "INSERT INTO word (term, seen) VALUES (?, 1) ON CONFLICT (term) DO UPDATE SET seen = seen + 1",
                [(term,) for term in sorted(terms)],
            )
        else:
            new = terms - self._terms
            if new:
                connection.executemany(
                    "INSERT INTO word (term, seen) VALUES (?, 0) ON CONFLICT DO NOTHING", [(term,) for term in new]
                )
        if len(self._terms) > TERMS_REMEMBERED_MAX:
            self._terms.clear()
        self._terms |= terms


def _erase_text(connection: sqlite3.Connection, number: int, words: str) -> None:
    # FTS5 keeps no copy of the words: to take a row out it must be told what was in it.
    connection.execute("INSERT INTO text (text, rowid, words) VALUES ('delete', ?, ?)", (number, words))


def _erase_places(connection: sqlite3.Connection, number: int, count: int) -> None:
    ids = [(number * PLACES_PER_LISTING + each,) for each in range(count)]
    connection.executemany("DELETE FROM place WHERE id = ?", ids)


def _add_places(connection: sqlite3.Connection, number: int, index: IndexRow) -> None:
    for each, (latitude, longitude) in enumerate(index.places):
        connection.execute(
            "INSERT INTO place (id, south, north, west, east, listing) VALUES (?, ?, ?, ?, ?, ?)",
            (number * PLACES_PER_LISTING + each, latitude, latitude, longitude, longitude, number),
        )
