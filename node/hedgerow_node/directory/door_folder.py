"""The data folder: made with mode 0700, its keys, and the lock that makes one process its only writer."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hedgerow_node.config import Config
from hedgerow_node.directory.keyfiles import load_or_create_key
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Entropy


class FolderError(Exception):
    """The data folder cannot be used; ``str()`` is a sentence."""


class FolderBusyError(FolderError):
    """Another process is the writer of this data folder."""


@dataclass(frozen=True, slots=True)
class FolderKeys:
    """The two keys of a data folder. Neither can do what the other does."""

    node: SigningKey
    """The node's name to other nodes."""
    directory: SigningKey
    """Signs imported feeds and what is written on the keeper's page."""


def make_folder(data: Path) -> bool:
    """Make the data folder if there is none; whether it was made now. Raises :class:`FolderError`."""
    try:
        if data.is_dir():
            _refuse_foreign(data)
            return False
        data.parent.mkdir(parents=True, exist_ok=True)
        data.mkdir(mode=0o700)
    except OSError as error:
        raise FolderError(f"The data folder {data} cannot be made: {_why(error)}.") from error
    return True


def _refuse_foreign(data: Path) -> None:
    # A typing error in --data must not scatter files over somebody's home.
    names = {each.name for each in data.iterdir()}
    ours = {"public.db", "node.key", "directory.key", "hedgerow.toml", "hedgerow.lock"}
    if names and not names & ours and any(not name.startswith((".", "crisis")) for name in names):
        raise FolderError(f"{data} holds other files and no Hedgerow data. Name an empty or a new folder with --data.")


def is_open_to_others(path: Path) -> bool:
    """Whether others on this machine may read or enter it."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def load_keys(config: Config, entropy: Entropy) -> FolderKeys:
    """The folder's keys, made the first time. Raises :class:`~hedgerow_node.directory.keyfiles.KeyFileError`."""
    return FolderKeys(
        node=load_or_create_key(config.node_key_file, Usage.NODE, entropy),
        directory=load_or_create_key(config.directory_key_file, Usage.STEWARD, entropy),
    )


class FolderLock:
    """An exclusive lock on a data folder, held until :meth:`release` or the end of the process."""

    def __init__(self, config: Config) -> None:
        self._path = config.lock_file
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take it at once. Raises :class:`FolderBusyError` when somebody else has it."""
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FolderError(f"The data folder {self._path.parent} cannot be written: {_why(error)}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise FolderBusyError(
                f"Another Hedgerow is using {self._path.parent}. Two may not write there at once: stop the other first."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go; the file stays, because removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "FolderLock":
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _why(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
