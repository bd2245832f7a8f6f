"""Which files belong to a copy of ``private.db``: for backups, and for looking whether all of them are there."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from hedgerow_node.store.errors import StoreError, sentence_for
from hedgerow_node.store.private.files import Files, blob_name
from hedgerow_node.store.private.opening import BLOBS, SEALED
from hedgerow_protocol.delivery.values import BlobHash


def files_of(database: Path, folder: Path) -> Iterator[Path]:
    """The files below the data folder ``folder`` that rows of ``database`` point to. Raises :class:`StoreError`."""
    from urllib.parse import quote

    blobs, sealed = Files(folder / BLOBS), Files(folder / SEALED)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as reading:
            for (file,) in reading.execute("SELECT file FROM sealed ORDER BY id").fetchall():
                yield sealed.path_of(file)
            for (hash,) in reading.execute("SELECT DISTINCT hash FROM blob ORDER BY hash").fetchall():
                yield blobs.path_of(blob_name(BlobHash(hash)))
    except sqlite3.Error as error:
        raise StoreError(sentence_for(error, database.name)) from error
