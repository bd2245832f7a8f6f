"""What ``hedgerow doctor`` says about the members' side: the store is whole, closed to others, and has its files."""

import stat
from pathlib import Path

from hedgerow_node.cli.doctor_network import Finding
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private.copying import files_of
from hedgerow_node.store.private.files import PRIVATE_MODE
from hedgerow_node.store.private.opening import DATABASE

NAME = "members' store"


def private_check(data: Path) -> Finding:
    """One look at ``private.db`` in a data folder; nothing is changed."""
    from hedgerow_node.store.copies import damage_of

    database = data / DATABASE
    if not database.exists():
        return Finding(NAME, True, "empty: nobody has an account here yet")
    if wrong := damage_of(database):
        return Finding(NAME, False, wrong)
    if stat.S_IMODE(database.stat().st_mode) & ~PRIVATE_MODE:
        return Finding(NAME, False, f"others on this machine may read it. Close it: chmod 600 {database}")
    try:
        missing = sum(not path.is_file() for path in files_of(database, data))
    except StoreError as error:
        return Finding(NAME, False, str(error))
    if missing:
        return Finding(NAME, False, f"{missing} files of members are missing. Restore a backup, or let them expire.")
    parts = (database, database.with_name(database.name + "-wal"))
    size = sum(part.stat().st_size for part in parts if part.exists()) / 1024**2
    return Finding(NAME, True, f"sound, {size:.1f} MiB")
