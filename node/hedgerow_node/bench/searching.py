"""Searching: the worst that a stranger can ask, and 200 ordinary searches against the same done bare."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random  # noqa: TID251 - the same searches every time
from typing import Final

from hedgerow_node.bench.listings import NOW, Maker, word
from hedgerow_node.bench.measure import Figure, Yardstick, cpu, median
from hedgerow_node.directory.query import PAGE_LISTINGS_MAX, Query
from hedgerow_node.directory.search import RANKED_MAX, search
from hedgerow_node.directory.service import Directory
from hedgerow_node.store.database import Connection
from hedgerow_protocol.content import Attendance

ORDINARY: Final = 200
ORDINARY_LIMIT: Final = 20


def worst_queries() -> Iterator[tuple[str, Query]]:
    """Searches that were hard, one of each kind."""
    common = " ".join(word(rank) for rank in range(8))
    never = Query(from_min=1, until_min=2, tz="Asia/Kathmandu")
    towns = Maker(1).towns
    yield "everything", Query()
    yield "the commonest word", Query(q=word(0))
    yield "two common words", Query(q=f"{word(0)} {word(1)}")
    yield "eight common words", Query(q=common)
    yield "two letters", Query(q=word(0)[:2])
    yield "three letters", Query(q=word(0)[:2] + "b")
    yield "a common word and two letters", Query(q=f"{word(0)} {word(1)[:2]}")
    yield "two filters", Query(experience="alcohol", program="aa")
    yield "many filters", Query(experience="alcohol", program="oa", language="de-at", access=("hearing-loop",))
    yield "a weekday elsewhere", Query(weekdays=(2,), tz="Pacific/Kiritimati")
    yield "a time at which nobody meets", never
    yield "a common word at that time", replace(never, q=word(0))
    yield "everything at once", Query(
        q=common, experience="alcohol", language="en", attendance=Attendance.ONLINE, access=("wheelchair",),
        weekdays=(1, 2), tz="Asia/Tokyo",
    )  # fmt: skip
    yield "near, the whole world", Query(near=(10, 10, 20_000))
    yield "near, and words", Query(near=(10, 10, 20_000), q=f"{word(0)} {word(1)}")
    yield "near, and an absent word", Query(near=(10, 10, 20_000), q="zzzz")
    yield "near, at a time at which nobody meets", replace(never, near=(10, 10, 20_000))
    yield "near a pole", Query(near=(90, 0, 20_000))
    yield "near the largest town", Query(near=(towns[0][1] / 1e7, towns[0][2] / 1e7, 500))


def ordinary_queries() -> list[str]:
    """200 searches as people type them: one to three words of all degrees of commonness."""
    random = Random(200)
    return [
        " ".join(word(int(random.paretovariate(0.6)) % 4_000) for _ in range(random.choice((1, 1, 2, 2, 3)))) + " "
        for _ in range(ORDINARY)
    ]


def _bare(connection: Connection, words: str) -> None:
    """What a search cannot do without: MATCH, order, limit, and the rows of the answer."""
    match = " AND ".join(f'"{each}"' for each in words.split()[:-1])
    last = words.split()[-1]
    expanded = [
        term
        for (term,) in connection.execute(
            "SELECT term FROM (SELECT term, seen FROM word WHERE term >= ? AND term < ? LIMIT 1000)"
            " ORDER BY seen DESC LIMIT 24",
            (last, last + "\U0010ffff"),
        )
    ]
    alternatives = " OR ".join(f'"{term}"' for term in (last, *expanded))
    match = f"{match} AND ({alternatives})" if match else alternatives
    rows = connection.execute(
        "SELECT l.id, l.words FROM text t CROSS JOIN listing l ON l.id = t.rowid"
        " WHERE t.text MATCH ? AND l.expires > ? ORDER BY t.rowid DESC LIMIT ?",
        (match, NOW, RANKED_MAX),
    ).fetchall()
    rows.sort(key=lambda row: sum(f" {each}" not in row[1].partition("|")[0] for each in words.split()))
    numbers = [row[0] for row in rows[:ORDINARY_LIMIT]]
    marks = ", ".join("?" * len(numbers))
    connection.execute(
        f"SELECT r.envelope FROM listing l JOIN record r ON r.id = l.record WHERE l.id IN ({marks})",  # noqa: S608
        numbers,
    ).fetchall()


async def figures(directory: Directory, size: int) -> list[Figure]:
    """The worst search and the ordinary ones, at the present size."""
    return await directory.database.read(lambda connection: _figures(connection, size))


def _figures(connection: Connection, size: int) -> list[Figure]:
    yardstick = Yardstick(list(islice(Maker(2).envelopes(100), 100)))
    costs: dict[str, float] = {}
    for name, query in worst_queries():
        query = replace(query, limit=PAGE_LISTINGS_MAX)
        search(connection, query, NOW)  # so that the pages it needs are in memory
        costs[name] = median(
            [cpu(lambda asked=query: search(connection, asked, NOW)) / yardstick.seconds() for _ in range(5)]  # type: ignore[misc]
        )
    worst = max(costs, key=lambda name: costs[name])
    limit = 350.0 if size <= 100_000 else 525.0
    found = [Figure(f"search_worst_at_{size}", costs[worst], "V", limit, worst)]
    found += [Figure(f"search: {name}", cost, "V") for name, cost in costs.items()]
    ratios = []
    for _ in range(3):
        ours = bare = 0.0
        for words in ordinary_queries():
            query = Query(q=words, limit=ORDINARY_LIMIT)
            bare += cpu(lambda asked=words: _bare(connection, asked))  # type: ignore[misc]
            ours += cpu(lambda asked=query: search(connection, asked, NOW))  # type: ignore[misc]
        ratios.append(ours / bare)
    found.append(Figure(f"search_ordinary_at_{size}", median(ratios), "times", 1.5, "the same done bare"))
    return found
