"""Makes the golden vectors of reconciliation: the digest of a set, salted ids, cells of a sketch, whole sessions.

Run ``python tests/vectors/make_reconciliation_vectors.py`` only when the protocol changes on purpose; the diff shows
what changed. All binary values are lower-case hex. Negentropy's own vectors are in ``test_negentropy_vectors.py``.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from hedgerow_protocol.reconcile import LiveSet  # noqa: E402
from hedgerow_protocol.reconcile.lthash import LtHash  # noqa: E402
from hedgerow_protocol.reconcile.salting import NAME_BYTES, Salt, session_salt  # noqa: E402
from hedgerow_protocol.reconcile.sketch import next_cell, pack, put, symbol  # noqa: E402
from reconcile_pair import BINDING, Item, Pair, item, live_set, rid  # noqa: E402

CELLS = 48


def cells_of(salt: Salt, record: bytes) -> dict[str, Any]:
    """Everything that follows from one record's id under a salt."""
    name = salt.salted(record)[:NAME_BYTES]
    _, state = symbol(salt, name)
    indices, cell = [], 0
    while cell < 2_048:
        indices.append(cell)
        cell, state = next_cell(cell, state)
    return {
        "id": record.hex(), "salted": salt.salted(record).hex(), "name": name.hex(), "probe": salt.probe(name).hex(),
        "cells_below_2048": indices,
    }  # fmt: skip


def sketch(salt: Salt, records: list[bytes]) -> str:
    """The first cells of a set."""
    cells = [0] * CELLS
    for record in records:
        put(cells, *symbol(salt, salt.salted(record)[:NAME_BYTES]))
    return pack(cells).hex()


def session(name: str, opener: list[Item], answerer: list[Item], hint: int | None, *, dialled: bool) -> dict[str, Any]:
    """Two nodes from the opening to the end: each side's payloads in order."""
    pair = Pair(live_set(opener), live_set(answerer), seed=7, opener_dialled=dialled).run(hint)
    drawn = [
        Pair(LiveSet(), LiveSet(), seed=7).opener.entropy(16),
        Pair(LiveSet(), LiveSet(), seed=7).answerer.entropy(16),
    ]
    return {
        "name": name, "binding": BINDING.hex(), "opener_dialled": dialled, "opener_changes": hint,
        "opener": [[seconds, record.hex()] for seconds, record in opener],
        "answerer": [[seconds, record.hex()] for seconds, record in answerer],
        "nonces": [each.hex() for each in drawn],
        "session_salt": session_salt(BINDING, *drawn).key.hex(),
        "opener_says": [each.hex() for each in pair.opener.sent],
        "answerer_says": [each.hex() for each in pair.answerer.sent],
        "opener_gives": sorted(each.hex() for each in pair.opener.gave),
        "answerer_gives": sorted(each.hex() for each in pair.answerer.gave),
    }  # fmt: skip


def build() -> dict[str, Any]:
    """All vectors."""
    salt = Salt(bytes(range(16)))
    three = [rid(number) for number in range(3)]
    running = LtHash()
    running.add_all(three)
    live = live_set(item(number) for number in range(3))
    both = [item(number) for number in range(40)]
    many = [item(number) for number in range(80)]
    twenty = [rid(number) for number in range(20)]
    return {
        "live_digest": {
            "ids": [each.hex() for each in three], "key": BINDING.hex(), "state": running.state().hex(),
            "digest": live.digest(BINDING).hex(), "digest_of_nothing": LiveSet().digest(BINDING).hex(),
        },
        "salt": salt.key.hex(),
        "records": [cells_of(salt, each) for each in three],
        "sketch": {"ids": [each.hex() for each in twenty], "cells": sketch(salt, twenty)},
        "sessions": [
            session("sketch", both[:38], both[3:], 4, dialled=True),
            session("sketch, nothing known", both[:38], both[3:], None, dialled=False),
            session("opener has nothing", [], both[:35], None, dialled=True),
            session("answerer has nothing", both[:35], [], None, dialled=True),
            session("far more on one side", both[:4], [item(number) for number in range(2, 190)], None, dialled=True),
            session("more cells are wanted", many[:60], many[20:], 0, dialled=True),
        ],
    }  # fmt: skip


if __name__ == "__main__":
    (HERE / "reconciliation.json").write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")
