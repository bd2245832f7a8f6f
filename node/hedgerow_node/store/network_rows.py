"""What the network floor keeps between runs (addresses, scores: rows it alone can read), and what was refused."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from hedgerow_node.store.database import Connection
from hedgerow_protocol.errors import Code
from hedgerow_protocol.ports import Timestamp

ROWS_MAX: Final = 20_000
"""Rows. Of one kind; an address book has a tenth of them."""

ROW_BYTES_MAX: Final = 8_192
"""Bytes. A key and its value; an address with its announcement has some hundred."""

KIND_CHARACTERS_MAX: Final = 32
"""Characters. The name of a kind."""

REFUSAL_DAYS_KEPT: Final = 90
"""Days. What was refused longer ago tells a keeper nothing."""

DAY_SECONDS: Final = 86_400

NetworkRow: TypeAlias = tuple[bytes, bytes]
"""A key and a value."""


class Refusals(NamedTuple):
    """How many records were refused on one day for one reason."""

    day: Timestamp
    """The first second of the day, UTC."""
    code: Code
    refused: int


def read_rows(connection: Connection, kind: str) -> list[NetworkRow]:
    """All rows of a kind, by their keys."""
    return connection.execute("SELECT key, value FROM network WHERE kind = ? ORDER BY key", (kind,)).fetchall()


def replace_rows(connection: Connection, kind: str, rows: Iterable[NetworkRow]) -> None:
    """Put these rows in the place of all of their kind. Raises ``ValueError`` when they are too many or too large."""
    wanted = dict(rows)
    if len(kind) > KIND_CHARACTERS_MAX or len(wanted) > ROWS_MAX:
        raise ValueError(f"At most {ROWS_MAX} rows of one kind are kept.")
    if any(len(key) + len(value) > ROW_BYTES_MAX for key, value in wanted.items()):
        raise ValueError(f"A row has at most {ROW_BYTES_MAX} bytes.")
    held = dict(read_rows(connection, kind))
    gone = held.keys() - wanted.keys()
    connection.executemany("DELETE FROM network WHERE kind = ? AND key = ?", [(kind, key) for key in gone])
    connection.executemany(
        "INSERT INTO network (kind, key, value) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
        [(kind, key, value) for key, value in wanted.items() if held.get(key) != value],
    )


def count_refusals(connection: Connection, counts: Mapping[Code, int], now: Timestamp) -> None:
    """Add to today's counts, and forget those of long ago."""
    today = now // DAY_SECONDS
    connection.executemany(
        "INSERT INTO refusal (day, code, count) VALUES (?, ?, ?)"
        " ON CONFLICT (day, code) DO UPDATE SET count = count + excluded.count",
        [(today, str(code), count) for code, count in counts.items() if count > 0],
    )
    connection.execute("DELETE FROM refusal WHERE day <= ?", (today - REFUSAL_DAYS_KEPT,))


def refusals(connection: Connection) -> list[Refusals]:
    """What was refused, the latest day first."""
    rows = connection.execute("SELECT day, code, count FROM refusal ORDER BY day DESC, code")
    known = {str(code): code for code in Code}
    return [Refusals(Timestamp(day * DAY_SECONDS), known[code], count) for day, code, count in rows if code in known]
