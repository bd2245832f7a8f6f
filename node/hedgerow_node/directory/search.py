"""Answering a search with bounded work, whatever is asked and however much the store holds.

Without words: newest first. With words: blocks of the newest eight hundred that hold them all, and within a block those
first whose *name* holds them. Around a point: nearest first. What one request may look at is bounded; when the bound
is reached before the page is full, the page is short and the cursor goes on from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hedgerow_node.directory.query import Query
from hedgerow_node.directory.search_cursor import Place, read_cursor, write_cursor
from hedgerow_node.directory.search_index import attendance_mark, day_mark, mark
from hedgerow_node.directory.search_match import Matcher, attendances_for
from hedgerow_node.directory.search_near import near
from hedgerow_node.directory.search_words import TERMS_MAX, fold
from hedgerow_node.store import finding, showing
from hedgerow_node.store.database import Connection
from hedgerow_node.store.rows import Candidate
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

RANKED_MAX: Final = 800
"""Listings. How many hits are put in order of how well their names fit; ordering costs time for each."""

EXAMINED_MAX: Final = 1_600
"""Listings. How many one request looks at to fill its page."""

PREFIX_CHARACTERS_MIN: Final = 2
"""Characters. Shorter last words must be whole: too many words begin with one letter."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of answers."""

    listings: tuple[ShownListing, ...]
    next: str | None
    """The cursor of the page after it; ``None`` when there are no more answers."""
    total: int | None = None
    """How many answers there are, where that is known without counting."""


def search(connection: Connection, query: Query, now: Timestamp) -> Page:
    """Answer a search. Raises :class:`QueryError` for a cursor of another search."""
    place = read_cursor(query)
    terms = fold(query.q)[:TERMS_MAX]
    if query.q and not terms:
        return Page((), None, 0)  # signs only: no listing holds such a word
    matcher = Matcher(query, terms, now)
    if query.near is not None:
        numbers, end = near(connection, query, matcher, place, now)
    else:
        numbers, end = _Walk(connection, query, terms, matcher, now).page(place)
    listings = tuple(showing.by_numbers(connection, numbers, now)) if numbers else ()
    following = None if end is None else write_cursor(query, end)
    complete = place is None and following is None
    return Page(listings, following, len(listings) if complete else None)


class _Walk:
    """Goes from the newest listing to the oldest."""

    def __init__(
        self, connection: Connection, query: Query, terms: list[str], matcher: Matcher, now: Timestamp
    ) -> None:
        self._connection = connection
        self._query = query
        self._terms = terms
        self._matcher = matcher
        self._now = now
        groups = [*self._word_groups(), *_mark_groups(query)]
        self._hits = finding.Hits(connection, groups, now) if groups else None

    def _word_groups(self) -> Iterator[list[str]]:
        for term in self._terms[:-1]:
            yield [term]
        for last in self._terms[-1:]:
            long_enough = len(last) >= PREFIX_CHARACTERS_MIN
            yield finding.expansions(self._connection, last) if long_enough else [last]

    def page(self, place: Place | None) -> tuple[list[int], Place | None]:
        """The numbers of a page's listings, and where to go on."""
        if place is None:
            place = Place(finding.highest(self._connection), 0)
        found: list[int] = []
        examined = 0
        while place.top > 0:
            block, below = self._block(place.top)
            for index in range(place.skip, len(block)):
                if not self._matcher.matches(block[index]):
                    continue
                if len(found) == self._query.limit:  # one more than fits: so there is a next page
                    return found, Place(place.top, index) if self._terms else Place(block[index].id, 0)
                found.append(block[index].id)
            examined += len(block)
            place = Place(below, 0)
            if examined >= EXAMINED_MAX or (self._hits is not None and self._hits.tired):
                break
        return found, place if place.top > 0 else None

    def _block(self, top: int) -> tuple[list[Candidate], int]:
        if self._hits is None:
            many = self._query.limit + 1
            block = finding.browse(self._connection, top, many, self._now)
            return block, block[-1].id - 1 if len(block) == many else 0
        if not self._terms:
            many = 2 * self._query.limit + 20
            return self._hits.block(top, many, many)
        block, below = self._hits.block(top, RANKED_MAX, 2 * self._query.limit)
        return sorted(block, key=self._rank), below

    def _rank(self, candidate: Candidate) -> int:
        """Smaller is better: how many of the words are not in the name. (Sorting keeps the newer one first.)"""
        name = f" {candidate.words.partition('|')[0]}"
        missing = 2 * len(self._terms)
        for term in self._terms:
            if f" {term} " in name:
                missing -= 2
            elif f" {term}" in name:
                missing -= 1
        return missing


def _mark_groups(query: Query) -> Iterator[list[str]]:
    """Marks that narrow the search in the index; the matcher then decides."""
    if query.experience:
        yield [mark("e", query.experience)]
    if query.program:
        yield [mark("p", query.program)]
    if query.language:
        yield [mark("l", query.language)]
    for tag in query.access:
        yield [mark("f", tag)]
    if query.attendance is not None:
        yield [attendance_mark(each) for each in attendances_for(query.attendance)]
    if query.weekdays:
        days = set(query.weekdays)
        if query.tz:  # in the zone of the one who asks it may be the day before or after
            days |= {(day + shift) % 7 for day in query.weekdays for shift in (-1, 1)}
        if len(days) < 7:
            yield [day_mark(day) for day in sorted(days)]
