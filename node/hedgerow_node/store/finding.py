"""Candidates for a search, newest first or around a point; each answer is bounded. Reading connections only."""

from collections.abc import Sequence
from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_node.store.index_rows import WINDOW_BITS, WORDS_SAMPLED_OF, window_mark
from hedgerow_node.store.rows import Candidate
from hedgerow_protocol.ports import Timestamp

EXPANSIONS_MAX: Final = 24
"""Words. For how many words the beginning of one stands: the commonest."""

EXPANSIONS_SEEN_MAX: Final = 1_000
"""Words. Among how many those are chosen."""

RARE_MAX: Final = 2_000
"""Listings. A word that occurs in no more bounds the work of a search for it and others by itself."""

WINDOW_WORDS_MAX: Final = 24
"""Windows times words. How much a single request may go through: for two common words 196,608 listings."""

Groups = Sequence[Sequence[str]]
"""Words of which one of each group must occur."""

_COLUMNS = "l.id, l.facts, l.words, h.contested"


def highest(connection: Connection) -> int:
    """The number of the newest listing; 0 when there is none."""
    (number,) = connection.execute("SELECT max(id) FROM listing").fetchone()
    return number or 0


class Beginning(str):
    """Stands for every word that begins so. The index reads all their listings, so only small stores are asked so."""

    __slots__ = ()


def expansions(connection: Connection, beginning: str) -> list[str]:
    """Words that begin so; in a large store only some, the commoner ones first, and the beginning itself leads."""
    if highest(connection) < 1 << WINDOW_BITS:
        return [Beginning(beginning)]
    rows = connection.execute(
        "SELECT term FROM (SELECT term, seen FROM word WHERE term >= ? AND term < ? LIMIT ?)"
        " ORDER BY seen DESC LIMIT ?",
        (beginning, beginning + "\U0010ffff", EXPANSIONS_SEEN_MAX, EXPANSIONS_MAX),
    )
    return [beginning, *(term for (term,) in rows if term != beginning)]


def browse(connection: Connection, top: int, many: int, now: Timestamp) -> list[Candidate]:
    """Any listings, newest first, from number ``top`` downwards."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM listing l JOIN chain h ON h.id = l.chain"  # noqa: S608 - constants
        " WHERE l.id <= ? AND l.expires > ? ORDER BY l.id DESC LIMIT ?",
        (top, now, many),
    )
    return list(map(Candidate._make, rows))


class Hits:
    """Listings that hold one word of each group, newest first, in blocks, with bounded work."""

    def __init__(self, connection: Connection, groups: Groups, now: Timestamp) -> None:
        self._connection = connection
        self._now = now
        self._match = " AND ".join("(" + " OR ".join(map(_quoted, group)) + ")" for group in groups)
        self._windows_left = max(1, WINDOW_WORDS_MAX // max(1, len(groups)))
        # With one group, or with a rare one, the index itself goes no further than that group's listings. Several
        # common ones can pass each other for long without meeting, and SQLite would not stop on the way.
        self._windowed = len(groups) > 1 and not any(self._rare(group) for group in groups)

    @property
    def tired(self) -> bool:
        """Whether this request has looked through as many windows as it may."""
        return self._windows_left <= 0

    def block(self, top: int, many: int, least: int) -> tuple[list[Candidate], int]:
        """Up to ``many`` from number ``top`` downwards, and the number to go on from (0: there are no more).

        Stops early, with at least ``least``, where going on would mean another window.
        """
        if not self._windowed or top < 1 << WINDOW_BITS:
            found = self._select(self._match, top, many)
            return found, found[-1].id - 1 if len(found) == many else 0
        found = []
        while top > 0 and len(found) < least and self._windows_left > 0:
            self._windows_left -= 1
            more = self._select(f'"{window_mark(top)}" AND {self._match}', top, many - len(found))
            found += more
            if len(found) == many:
                return found, found[-1].id - 1
            top = ((top >> WINDOW_BITS) << WINDOW_BITS) - 1
        return found, max(top, 0)

    def _select(self, match: str, top: int, many: int) -> list[Candidate]:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM text t CROSS JOIN listing l ON l.id = t.rowid CROSS JOIN chain h ON h.id = l.chain"  # noqa: S608
            " WHERE t.text MATCH ? AND t.rowid <= ? AND l.expires > ? ORDER BY t.rowid DESC LIMIT ?",
            (match, top, self._now, many),
        )
        return list(map(Candidate._make, rows))

    def _rare(self, group: Sequence[str]) -> bool:
        marks = ", ".join("?" * len(group))
        (seen,) = self._connection.execute(
            f"SELECT coalesce(sum(seen), 0) FROM word WHERE term IN ({marks})",  # noqa: S608 - question marks
            tuple(group),
        ).fetchone()
        return bool(seen * WORDS_SAMPLED_OF <= RARE_MAX)


def _quoted(term: str) -> str:
    # Whatever was typed is one word between quotes: nothing of it is read as an operator of FTS5.
    quoted = '"' + term.replace('"', '""') + '"'
    return quoted + " *" if isinstance(term, Beginning) else quoted


Box = tuple[int, int, int, int]
"""South, north, west, east in 1e-7 degrees."""

_INSIDE = "p.south <= ?2 AND p.north >= ?1 AND p.west <= ?4 AND p.east >= ?3"


def count_inside(connection: Connection, box: Box, many: int) -> int:
    """How many places lie in a box, counted up to ``many``."""
    (count,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM place p WHERE {_INSIDE} LIMIT ?5)",  # noqa: S608 - constants
        (*box, many),
    ).fetchone()
    return int(count)


def inside(connection: Connection, box: Box, many: int, now: Timestamp) -> list[Candidate]:
    """Listings with a place in a box, at most ``many`` places."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM place p CROSS JOIN listing l ON l.id = p.listing"  # noqa: S608 - constants
        f" CROSS JOIN chain h ON h.id = l.chain WHERE {_INSIDE} AND l.expires > ?5 LIMIT ?6",
        (*box, now, many),
    )
    return list(map(Candidate._make, rows))
