"""Ciphertext in files beside the database: members' files by their hash, sealed records by a random name.

They are files and not rows because a file of 10 MiB would go through the database's log and then into the database,
and every message would wait for both. A file is on the disk, and its name is, before any row points to it; a file that
no row points to is swept away. So a row never points to nothing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from hedgerow_node.store.errors import StoreError, sentence_for
from hedgerow_node.store.private.values import DAY_SECONDS
from hedgerow_protocol.delivery.values import BlobHash

PRIVATE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_PART: Final = ".part"


class Files:
    """The files of one kind: a folder of 256 folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, name: str) -> Path:
        """Where a file lies; ``name`` is lower-case hex."""
        return self.folder / name[:2] / name

    def write(self, name: str, data: bytes, *, now: int) -> Path:
        """Write a file and its name to the disk. Its time says the day only. Raises :class:`StoreError`."""
        path = self.path_of(name)
        part = path.with_name(name + _PART + os.urandom(4).hex())
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
                _sync_folder(self.folder)
                _sync_folder(self.folder.parent)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.utime(part, (now // DAY_SECONDS * DAY_SECONDS,) * 2)
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise StoreError(sentence_for(error, self.folder.name)) from error
        return path

    def read(self, name: str) -> bytes:
        """A whole file. Raises :class:`StoreError`."""
        try:
            return self.path_of(name).read_bytes()
        except OSError as error:
            raise StoreError(f"A file in {self.folder.name} is missing. Restore a backup.") from error

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            self.path_of(name).unlink()

    def names(self) -> Iterator[str]:
        """Every file, whole or not."""
        for inner in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if inner.is_dir():
                yield from (path.name for path in sorted(inner.iterdir()))

    def sweep(self, wanted: Callable[[str], bool]) -> int:
        """Remove what no row points to; how many. Only while nothing is being written."""
        gone = 0
        for name in list(self.names()):
            if _PART in name or not wanted(name):
                self.remove(name)
                gone += 1
        return gone


def blob_name(blob: BlobHash) -> str:
    """The file name of a member's file."""
    return blob.hex()


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
