"""The rows by which listings are found: kept in step with the version that wins."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from hedgerow_node.store.rows import IndexRow
from hedgerow_protocol.ids import ListingId

WINDOW_BITS: Final = 14
"""Listings are numbered; 16,384 neighbours share a mark in the full text. A search for several common words goes
window by window, which bounds its work however large the store is."""

MARK: Final = "_"
"""Begins the words that stand for filters and windows; folding never leaves it in a word that somebody types."""

PLACES_PER_LISTING: Final = 64
"""Places. As many as a listing has meetings at most."""

WORDS_SAMPLED_OF: Final = 32
"""Of this many listings one is counted in the sample of how common words are."""

ALL_WORDS_LISTINGS: Final = 8_192
"""Listings. So many are read for new words in full; a large store has most of its words by then."""

WORDS_LEARNED_OF: Final = 4
"""Beyond them one listing in four is read for new words: a rare one may have to be typed to its end."""

TERMS_REMEMBERED_MAX: Final = 50_000
"""Words. Those lately written, so that the common ones are not written again; about 5 MB."""


class KnownTerms:
    """Words that are certainly in ``word``: remembered between writes, so that common ones are not written again."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def forget(self) -> None:
        """After a failure: what was remembered may not be on the disk."""
        self.known = set()

    def remember(self, terms: Iterable[str]) -> None:
        """These were written."""
        if len(self.known) > TERMS_REMEMBERED_MAX:
            self.known = set()
        self.known.update(terms)


def window_mark(listing: int) -> str:
    """The word that all listings of one window share."""
    return f"{MARK}w{listing >> WINDOW_BITS}"


class IndexRows:
    """Writes rows of ``listing``, ``text``, ``place`` and ``word`` within one write.

    Listings that are new wait until :meth:`finish`, because rows that go into one table together cost half.
    """

    def __init__(self, connection: sqlite3.Connection, known_terms: KnownTerms) -> None:
        self._connection = connection
        self._terms = known_terms
        self._next = 0
        self._new: list[tuple[ListingId, int, int, int, bool, IndexRow]] = []
        self._waiting: set[ListingId] = set()
        self._learned: dict[str, int] = {}

    def add(self, lid: ListingId, chain: int, record: int, expires: int, two_versions: bool, index: IndexRow) -> None:
        """Show a listing that is not shown yet."""
        self._new.append((lid, chain, record, expires, two_versions, index))
        self._waiting.add(lid)

    def put(self, lid: ListingId, chain: int, record: int, expires: int, two_versions: bool, index: IndexRow) -> None:
        """Show this version of a listing, in the place of another one if there is one."""
        if lid in self._waiting:
            self._insert_new()
        held = self._connection.execute("SELECT id, words, facts, places FROM listing WHERE lid = ?", (lid,)).fetchone()
        if held is None:
            self.add(lid, chain, record, expires, two_versions, index)
            return
        number, old_words, old_facts, old_places = held
        words = f"{index.words} {window_mark(number)}"
        self._connection.execute(
            "UPDATE listing SET record = ?, expires = ?, two_versions = ? WHERE id = ?",
            (record, expires, int(two_versions), number),
        )
        if words == old_words and index.facts == old_facts:
            return  # a renewal: nothing that is searched has changed
        self._erase_text(number, old_words)
        self._erase_places(number, old_places)
        self._connection.execute(
            "UPDATE listing SET meetings = ?, places = ?, facts = ?, words = ? WHERE id = ?",
            (index.meetings, len(index.places), index.facts, words, number),
        )
        self._insert_found([(number, words)], [(number, index.places)])
        self._learn(number, words, index.terms)

    def drop(self, lid: ListingId) -> None:
        """Show a listing no longer."""
        if lid in self._waiting:
            self._insert_new()
        held = self._connection.execute("SELECT id, words, places FROM listing WHERE lid = ?", (lid,)).fetchone()
        if held is None:
            return
        number, words, places = held
        self._erase_text(number, words)
        self._erase_places(number, places)
        self._connection.execute("DELETE FROM listing WHERE id = ?", (number,))

    def finish(self) -> None:
        """Write what waits."""
        self._insert_new()
        sampled = sorted([(term, seen) for term, seen in self._learned.items() if seen])
        new = sorted([(term,) for term, seen in self._learned.items() if not seen])
        self._connection.executemany(
            "INSERT INTO word (term, seen) VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET seen = seen + excluded.seen",
            sampled,
        )
        self._connection.executemany("INSERT INTO word (term, seen) VALUES (?, 0) ON CONFLICT DO NOTHING", new)
        self._terms.remember(self._learned)
        self._learned = {}

    def _insert_new(self) -> None:
        if not self._new:
            return
        (highest,) = self._connection.execute("SELECT max(id) FROM listing").fetchone()
        rows: list[tuple[object, ...]] = []
        texts: list[tuple[int, str]] = []
        places: list[tuple[int, tuple[tuple[int, int], ...]]] = []
        for lid, chain, record, expires, two_versions, index in self._new:
            number = (highest or 0) + 1 + len(rows)
            words = f"{index.words} {window_mark(number)}"
            count = len(index.places)
            rows.append(
                (number, lid, chain, record, expires, int(two_versions), index.meetings, count, index.facts, words)
            )
            texts.append((number, words))
            self._learn(number, words, index.terms)
            if count:
                places.append((number, index.places))
        self._connection.executemany(
            "INSERT INTO listing (id, lid, chain, record, expires, two_versions, meetings, places, facts, words)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._insert_found(texts, places)
        self._new.clear()
        self._waiting.clear()

    def _insert_found(
        self, texts: list[tuple[int, str]], places: list[tuple[int, tuple[tuple[int, int], ...]]]
    ) -> None:
        self._connection.executemany("INSERT INTO text (rowid, words) VALUES (?, ?)", texts)
        self._connection.executemany(
            "INSERT INTO place (id, south, north, west, east, listing) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number * PLACES_PER_LISTING + each, latitude, latitude, longitude, longitude, number)
                for number, points in places
                for each, (latitude, longitude) in enumerate(points)
            ],
        )

    def _learn(self, number: int, words: str, terms: Sequence[str]) -> None:
        """Note the words that are new; of one listing in 32 note all, marks too, for the sample."""
        learned = self._learned
        if number % WORDS_SAMPLED_OF == 0:
            for term in words.split():
                learned[term] = learned.get(term, 0) + 1
        if number > ALL_WORDS_LISTINGS and number % WORDS_LEARNED_OF:
            return
        known = self._terms.known
        for term in terms:
            if term not in known:
                learned.setdefault(term, 0)

    def _erase_text(self, number: int, words: str) -> None:
        # FTS5 keeps no copy of the words: to take a row out it must be told what was in it.
        self._connection.execute("INSERT INTO text (text, rowid, words) VALUES ('delete', ?, ?)", (number, words))

    def _erase_places(self, number: int, count: int) -> None:
        ids = [(number * PLACES_PER_LISTING + each,) for each in range(count)]
        self._connection.executemany("DELETE FROM place WHERE id = ?", ids)
