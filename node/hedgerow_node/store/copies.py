"""Copies of a store: made while a node is using it, and looked over before anybody relies on them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hedgerow_node.store.errors import StoreError, sentence_for

PAGES_A_STEP = 2_000
"""Pages. Copied before the progress is told; 8 MiB."""


def copy_store(source: Path, target: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Copy the store at ``source`` as it is at one moment, also beside a running node. Raises :class:`StoreError`."""
    try:
        with (
            closing(sqlite3.connect(f"file:{_quoted(source)}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing, pages=PAGES_A_STEP, progress=lambda _, left, total: progress(total - left, total))
            # A copy that stays in WAL mode would need two more files beside it to be whole.
            writing.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StoreError(sentence_for(error, source.name)) from error


def damage_of(path: Path) -> str:
    """A sentence on what is wrong with the store at ``path``, read whole; empty when it is sound."""
    try:
        with closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as reading:
            rows = reading.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        return sentence_for(error, path.name)
    return "" if rows == [("ok",)] else sentence_for(sqlite3.DatabaseError("malformed"), path.name)


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))
