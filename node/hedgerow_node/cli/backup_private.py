"""The members' side of a backup: ``private.db`` and the files of ciphertext that belong to it, as one more file."""

import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config
from hedgerow_node.store.copies import copy_store, damage_of
from hedgerow_node.store.private.copying import files_of
from hedgerow_node.store.private.opening import DATABASE, SEALED
from hedgerow_protocol import limits

PRIVATE_STORE: Final = DATABASE
PRIVATE_FILES: Final = "private-files.tar"

_TRIES_MAX: Final = 5
_NAME: Final = re.compile(r"(blobs/([0-9a-f]{2})/\2[0-9a-f]{62}|sealed/([0-9a-f]{2})/\3[0-9a-f]{30})")
_FILE_BYTES_MAX: Final = max(limits.BLOB_BYTES_MAX, limits.SEALED_VAULT_BYTES_MAX)


def stage_private(config: Config, folder: Path, progress: Callable[[int, int], None]) -> list[Path]:
    """Copy the private store and its files into ``folder``. Returns what was made; nothing when there is no store.

    Beside a running node a sealed record may be replaced between the copy of the store and that of its file. Then
    both are copied again. A member's file that has just expired is left out.
    """
    source = config.data / PRIVATE_STORE
    if not source.exists():
        return []
    copy, files = folder / PRIVATE_STORE, folder / PRIVATE_FILES
    for _ in range(_TRIES_MAX):
        copy_store(source, copy, progress)
        if wrong := damage_of(copy):
            raise CommandError(f"The copy is not sound, so no backup was written. {wrong}")
        if _pack_files(config.data, copy, files):
            return [copy, files]
        copy.unlink()
    raise CommandError("The node is too busy for a backup, or a member's file is missing. Try again in a moment.")


def _pack_files(data: Path, database: Path, target: Path) -> bool:
    """Whether every sealed record was still there."""
    with tarfile.open(target, mode="w") as tar:
        for path in files_of(database, data):
            name = path.relative_to(data).as_posix()
            try:
                content = path.open("rb")
            except FileNotFoundError:
                if name.startswith(SEALED):
                    return False
                continue
            with content:
                info = tarfile.TarInfo(name)
                status = os.fstat(content.fileno())
                info.size, info.mtime, info.mode = status.st_size, int(status.st_mtime), 0o600
                tar.addfile(info, content)
    return True


def unpack_private(fresh: Path) -> None:
    """Put the files of a checked backup, which lies in ``fresh``, in their places there. Raises CommandError."""
    packed = fresh / PRIVATE_FILES
    if not packed.exists():
        return
    try:
        with tarfile.open(packed, mode="r:") as tar:
            for member in tar:
                if not member.isfile() or not _NAME.fullmatch(member.name) or member.size > _FILE_BYTES_MAX:
                    raise CommandError(f"The backup holds something that no member left: {member.name[:60]!r}.")
                _copy_out(tar, member, fresh / member.name)
    except (tarfile.TarError, EOFError) as error:
        raise CommandError("The backup's members' files cannot be read. Nothing was changed.") from error
    packed.unlink()


def _copy_out(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise CommandError("The backup holds something that is not a file.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    os.utime(target, (member.mtime, member.mtime))
