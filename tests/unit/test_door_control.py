"""What goes over the control socket comes out as it went in, and nothing else comes out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.directory.door_control import (
    BATCH_ENVELOPES_MAX,
    ControlError,
    decode_batch,
    encode_batch,
    outcome_from_json,
    outcome_to_json,
    short_path,
)
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_protocol import wire
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId

RID = RecordId(bytes(range(32)))


@pytest.mark.parametrize(
    "outcome", [*(kind(RID) for kind in (Stored, Known, Superseded, Waiting)), Refused(Code.LIMIT, "Full.")]
)
def test_outcomes_survive(outcome: Outcome) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome


@pytest.mark.parametrize(
    "value",
    [{}, {"outcome": "stored"}, {"outcome": "stored", "rid": "x"}, {"outcome": "refused", "code": "?", "reason": ""}],
)
def test_other_answers_are_not_understood(value: dict[str, str]) -> None:
    with pytest.raises(ControlError):
        outcome_from_json(value)


@given(st.lists(st.binary(max_size=50), max_size=BATCH_ENVELOPES_MAX))
def test_batches_survive(envelopes: list[bytes]) -> None:
    assert decode_batch(encode_batch(envelopes)) == envelopes


@given(st.binary(max_size=80))
def test_any_bytes_are_a_batch_or_refused(data: bytes) -> None:
    try:
        envelopes = decode_batch(data)
    except RemoteError:
        return
    assert encode_batch(envelopes) == data


def test_a_batch_has_a_bound_and_holds_bytes() -> None:
    with pytest.raises(RemoteError):
        decode_batch(encode_batch([b""] * (BATCH_ENVELOPES_MAX + 1)))
    with pytest.raises(RemoteError):
        decode_batch(wire.encode((b"", 7)))


def test_a_long_path_gets_a_short_name(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    (folder / "control.sock").write_text("here")
    with short_path(folder / "control.sock") as short:
        assert len(short) < 100
        assert Path(short).read_text() == "here"
    assert not Path(short).exists()
    assert (folder / "control.sock").exists()
