"""Opening the private store: ``private.db`` and the folders of ciphertext beside it, all of it for its owner only."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hedgerow_node.store.database import Database
from hedgerow_node.store.errors import StoreError, sentence_for
from hedgerow_node.store.private import blob_rows, sealed_rows
from hedgerow_node.store.private.files import PRIVATE_MODE, Files
from hedgerow_node.store.private.tables import PRAGMAS, SET_NAME, STEPS

DATABASE: Final = "private.db"
BLOBS: Final = "blobs"
SEALED: Final = "sealed"
FOLDERS: Final = (BLOBS, SEALED)


@dataclass(frozen=True, slots=True)
class PrivateStore:
    """What accounts and delivery share. Open one with :meth:`open`; close it with :meth:`close`."""

    database: Database
    blobs: Files
    sealed: Files

    @classmethod
    def open(cls, folder: Path) -> "PrivateStore":
        """Open or create it in a data folder. Raises :class:`StoreError` with a sentence."""
        return cls(open_private(folder / DATABASE), Files(folder / BLOBS), Files(folder / SEALED))

    def sweep(self) -> int:
        """Remove files that no row points to: what a crash left. Only before anything is written. Returns how many."""
        read = self.database.read_now
        return self.blobs.sweep(
            lambda name: (
                len(name) == 64 and read(lambda connection: blob_rows.is_wanted(connection, bytes.fromhex(name)))
            )
        ) + self.sealed.sweep(lambda name: read(lambda connection: sealed_rows.is_wanted(connection, name)))

    async def close(self) -> None:
        """Finish what is being written, then close. Idempotent."""
        await asyncio.to_thread(self.database.close)


def open_private(path: Path) -> Database:
    """Open or create the database. Raises :class:`StoreError` with a sentence."""
    try:
        # SQLite gives the files it makes beside it the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_MODE))
        path.chmod(PRIVATE_MODE)
    except OSError as error:
        raise StoreError(sentence_for(OSError("unable to open"), path.name)) from error
    return Database.open(path, STEPS, set_name=SET_NAME, pragmas=PRAGMAS)
