"""``hedgerow backup`` and ``hedgerow restore``: everything of a data folder in one file, checked on both ways."""

import argparse
import json
import os
import tarfile
import tempfile
from hashlib import blake2b
from io import BytesIO
from itertools import islice
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.cli.backup_private import PRIVATE_FILES, PRIVATE_STORE, stage_private, unpack_private
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.progress import ProgressBar
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.cli.version import version
from hedgerow_node.config import Config
from hedgerow_node.directory.door_folder import FolderLock
from hedgerow_node.store.copies import copy_store, damage_of
from hedgerow_node.tls.names import FILES as TLS_FILES

MANIFEST = "hedgerow-backup.json"
MANIFEST_BYTES_MAX = 64 * 1024
SMALL_FILE_BYTES_MAX = 1024 * 1024
"""Bytes. Keys, settings and crisis lines are a few kilobytes."""

STORE_BYTES_MAX = 64 * 1024**3
"""Bytes. The store of the largest node anybody could configure."""

STORE = "public.db"
LARGE_FILES = (STORE, PRIVATE_STORE, PRIVATE_FILES)
SMALL_FILES = ("node.key", "directory.key", "hedgerow.toml", "crisis-lines.toml", *TLS_FILES)


def backup(options: argparse.Namespace) -> int:
    """Write a backup; the node may go on running meanwhile."""
    config = config_of(options)
    target: Path = options.file
    if not config.data.is_dir() or not config.node_key_file.exists():
        raise CommandError(f"There is no Hedgerow data in {config.data}.")
    if target.exists():
        raise CommandError(f"{target} is already there, and a backup is never written over. Choose another name.")
    bar = ProgressBar()
    part = target.with_name(target.name + ".part")
    try:
        with tempfile.TemporaryDirectory(prefix="hedgerow-", dir=target.absolute().parent) as folder:
            staged = stage_private(config, Path(folder), lambda done, total: bar("Copying", done, total))
            copy = Path(folder) / STORE
            if config.database_file.exists():
                copy_store(config.database_file, copy, lambda done, total: bar("Copying", done, total))
                if wrong := damage_of(copy):
                    raise CommandError(f"The copy is not sound, so no backup was written. {wrong}")
                staged.append(copy)
            _pack(config, staged, part)
        os.replace(part, target)  # noqa: PTH105 - it replaces on every system
    finally:
        bar.close()
        part.unlink(missing_ok=True)
    if options.json:
        print(json.dumps({"file": str(target), "bytes": target.stat().st_size}))
    else:
        print(f"Everything is in {target}. It holds your keys: keep it as safe as a house key.")
    return 0


def _pack(config: Config, staged: list[Path], part: Path) -> None:
    files = [config.data / name for name in SMALL_FILES if (config.data / name).is_file()] + staged
    manifest = {
        "format": 1,
        "version": version(),
        "made": int(clock.now()),
        "files": {path.name: digest_of(path) for path in files},
    }
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        data = json.dumps(manifest, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(data), 0o600
        tar.addfile(info, BytesIO(data))
        for path in files:
            info = tarfile.TarInfo(path.name)
            info.size, info.mode = path.stat().st_size, 0o600
            with path.open("rb") as content:
                tar.addfile(info, content)
        tar.close()
        raw.flush()
        os.fsync(raw.fileno())


def digest_of(path: Path) -> str:
    """BLAKE2b-256 of a file, in hex."""
    digest = blake2b(digest_size=32)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def restore(options: argparse.Namespace) -> int:
    """Check a backup whole, and only then put it in the place of the data folder."""
    config = config_of(options)
    data = config.data
    holds_data = data.is_dir() and any(data.iterdir())
    if holds_data and not options.replace:
        raise CommandError(f"{data} holds data. Say --replace: it is then moved aside, not deleted.")
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".hedgerow-restore-", dir=data.parent) as folder:
        fresh = Path(folder) / "data"
        fresh.mkdir(mode=0o700)
        _unpack(options.file, fresh)
        aside = _put_in_place(config, fresh, holds_data)
    if options.json:
        print(json.dumps({"data": str(data), "moved_aside": str(aside) if aside else None}))
    else:
        print(f"Restored into {data}." + (f" What was there before is in {aside}." if aside else ""))
    return 0


def _unpack(file: Path, fresh: Path) -> None:
    try:
        with file.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
            digests = _read_manifest(tar)
            for member in islice(tar, 1, None):
                bound = STORE_BYTES_MAX if member.name in LARGE_FILES else SMALL_FILE_BYTES_MAX
                if member.name not in digests or not member.isfile() or member.size > bound:
                    raise CommandError(f"{file} holds something that is not part of a backup: {member.name[:60]!r}.")
                _copy_out(tar, member, fresh / member.name)
    except (tarfile.TarError, EOFError) as error:
        raise CommandError(f"{file} is not a Hedgerow backup, or a part of it was lost.") from error
    for name, digest in digests.items():
        if not (fresh / name).is_file() or digest_of(fresh / name) != digest:
            raise CommandError(f"{file} is damaged: {name} is not what was backed up. Nothing was changed.")
    for store in {STORE, PRIVATE_STORE} & set(digests):
        if wrong := damage_of(fresh / store):
            raise CommandError(f"The backup's store is damaged. Nothing was changed. {wrong}")
    unpack_private(fresh)


def _read_manifest(tar: tarfile.TarFile) -> dict[str, str]:
    first = tar.next()
    source = tar.extractfile(first) if first is not None and first.isfile() and first.name == MANIFEST else None
    if source is None:
        raise CommandError("This is not a Hedgerow backup: it does not begin with its list of contents.")
    try:
        manifest = json.loads(source.read(MANIFEST_BYTES_MAX))
        files = manifest["files"]
        digests = {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError("This backup's list of contents cannot be read.") from error
    if manifest.get("format") != 1 or not set(digests) <= {*LARGE_FILES, *SMALL_FILES} or "node.key" not in digests:
        raise CommandError("This backup was made by another version of Hedgerow, or it is not one.")
    return digests


def _copy_out(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise CommandError("This backup holds something that is not a file.")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())


def _put_in_place(config: Config, fresh: Path, holds_data: bool) -> Path | None:
    data = config.data
    if not holds_data:
        if data.is_dir():
            data.rmdir()
        fresh.rename(data)
        return None
    with FolderLock(config):
        aside = data.with_name(f"{data.name}.before-restore-{clock.now()}")
        data.rename(aside)
        fresh.rename(data)
    return aside
