"""Reading many envelopes at once, for those who ask for them by id. Reading connections only."""

from collections.abc import Sequence
from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_protocol.ids import RecordId

RECORDS_READ_MAX: Final = 1_024
"""Records. Asked for at once; a message between nodes asks for 256."""

BYTES_READ_MAX: Final = 4 * 1024 * 1024
"""Bytes. Read at once, charters included; what is beyond can be asked for again."""

_ASKED_AT_ONCE = 200


def envelopes(connection: Connection, rids: Sequence[RecordId], *, with_charters: bool) -> list[tuple[RecordId, bytes]]:
    """The envelopes of those records that are held, each once and in their order, until ``BYTES_READ_MAX``.

    With ``with_charters`` each comes after all charters of its chain: predecessors first, and forks, which are part
    of what the chain means.
    """
    if len(rids) > RECORDS_READ_MAX:
        raise ValueError(f"At most {RECORDS_READ_MAX} records are read at once.")
    wanted = list(dict.fromkeys(rids))
    found: dict[RecordId, tuple[int | None, bytes]] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        marks = ", ".join("?" * len(part))
        rows = connection.execute(
            f"SELECT rid, chain, envelope FROM record WHERE rid IN ({marks})",  # noqa: S608 - question marks
            part,
        )
        found |= {rid: (chain, data) for rid, chain, data in rows}
    given: dict[RecordId, bytes] = {}
    chains: set[int] = set()
    size = 0
    for rid in wanted:
        if rid not in found or rid in given:
            continue
        chain, data = found[rid]
        needed: dict[RecordId, bytes] = {}
        if with_charters and chain is not None and chain not in chains:
            needed = dict(_charters(connection, chain))
        needed[rid] = data
        new = {each: bytes_ for each, bytes_ in needed.items() if each not in given}
        size += sum(map(len, new.values()))
        if given and size > BYTES_READ_MAX:
            break
        given |= new
        if chain is not None and with_charters:
            chains.add(chain)
    return list(given.items())


def _charters(connection: Connection, chain: int) -> list[tuple[RecordId, bytes]]:
    return connection.execute(
        "SELECT c.rid, r.envelope FROM charter c JOIN record r ON r.id = c.id WHERE c.chain = ?"
        " ORDER BY c.position, c.rid",
        (chain,),
    ).fetchall()
