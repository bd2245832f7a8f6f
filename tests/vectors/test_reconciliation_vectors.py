"""The golden vectors of reconciliation: what the code makes today is what another implementation was told."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from make_reconciliation_vectors import build  # noqa: E402

from hedgerow_protocol.reconcile import payloads  # noqa: E402
from hedgerow_protocol.reconcile.payloads import Method  # noqa: E402

GOLDEN = json.loads((HERE / "reconciliation.json").read_text(encoding="utf-8"))
MADE = build()


@pytest.mark.parametrize("part", sorted(GOLDEN))
def test_vectors_are_made_as_they_were(part: str) -> None:
    assert MADE[part] == GOLDEN[part]


def test_nothing_is_left_out() -> None:
    assert MADE.keys() == GOLDEN.keys()
    said = [
        payloads.decode(bytes.fromhex(each))
        for session in GOLDEN["sessions"]
        for each in session["opener_says"] + session["answerer_says"]
    ]
    assert {type(each).__name__ for each in said} == {"Open", "Answer", "Cells", "More", "Ranges", "End"}
    methods = {each.method for each in said if isinstance(each, payloads.Answer)}
    assert methods == {Method.SKETCH, Method.OPENER_RANGES, Method.ANSWERER_RANGES}
