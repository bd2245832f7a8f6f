"""The golden vectors: the bytes of the protocol do not change by accident."""

import json
import sys
from pathlib import Path

import pytest

from hedgerow_protocol import wire
from hedgerow_protocol.envelope import parse_envelope, record_id, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.records import read_record
from hedgerow_protocol.state import RecordSet

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "records.json").read_text(encoding="utf-8"))


def test_the_generator_still_gives_the_kept_file() -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_vectors
    finally:
        sys.path.remove(str(VECTORS))
    assert make_vectors.text() == (VECTORS / "records.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("vector", GOLDEN["wire"], ids=lambda vector: vector["name"])
def test_encoding(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["bytes"])
    assert wire.encode(wire.decode(data, size_max=1000)) == data


@pytest.mark.parametrize("vector", GOLDEN["refused"], ids=lambda vector: vector["name"])
def test_refused(vector: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        wire.decode(bytes.fromhex(vector["bytes"]), size_max=1000)


@pytest.mark.parametrize("vector", GOLDEN["keys"], ids=lambda vector: vector["public"][:8])
def test_keys(vector: dict[str, str]) -> None:
    key = SigningKey.from_seed(Usage[vector["usage"].upper()], bytes.fromhex(vector["seed"]))
    assert key.public.hex() == vector["public"]


@pytest.mark.parametrize("vector", GOLDEN["records"], ids=lambda vector: vector["name"])
def test_records(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["envelope"])
    envelope = parse_envelope(data)
    assert envelope.to_bytes() == data
    assert envelope.body.hex() == vector["body"]
    assert record_id(envelope.kind, envelope.body).hex() == vector["rid"]
    record = read_record(verify_envelope(envelope))
    assert record.to_body() == envelope.body


@pytest.mark.parametrize("vector", GOLDEN["states"], ids=lambda vector: vector["name"])
def test_states(vector: dict[str, object]) -> None:
    envelopes = {record["rid"]: record["envelope"] for record in GOLDEN["records"]}
    records = RecordSet()
    now = vector["now"]
    for rid in reversed(vector["rids"]):  # type: ignore[call-overload]
        records.add(verify_envelope(parse_envelope(bytes.fromhex(envelopes[rid]))), now)  # type: ignore[arg-type]
    assert records.state_hash(now) == vector["state_hash"]  # type: ignore[arg-type]
    assert len(records.shown(now)) == len(vector["shown"])  # type: ignore[arg-type]
