"""Any bytes whatever give a value or a RemoteError, and every value has exactly one encoding."""

import contextlib
import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hedgerow_protocol import ids, keys, records, rules, wire
from hedgerow_protocol.content_codec import content_from_value
from hedgerow_protocol.envelope import Kind, parse_envelope, sign, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.keys import SigningKey, Usage

GOLDEN = json.loads((Path(__file__).parent.parent / "vectors" / "records.json").read_text(encoding="utf-8"))
ENVELOPES = [bytes.fromhex(record["envelope"]) for record in GOLDEN["records"]]
BODIES = [bytes.fromhex(record["body"]) for record in GOLDEN["records"]]
KEY = SigningKey.from_seed(Usage.STEWARD, bytes(32))

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=40)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=12).map(tuple), max_leaves=40)


def _encode_or_empty(value: wire.Value) -> bytes:
    try:
        return wire.encode(value)
    except (wire.LocalError, OverflowError):
        return b""


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A real record with a few bytes changed, cut or repeated."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        where = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                data[where] = draw(st.integers(0, 255))
            case 1:
                del data[where : where + draw(st.integers(1, 8))]
            case _:
                data[where:where] = data[where : where + draw(st.integers(1, 8))]
        if not data:
            break
    return bytes(data)


@given(st.binary(max_size=200) | damaged(ENVELOPES) | damaged(BODIES))
@settings(max_examples=600)
@example(b"\x91" * 2000)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\xc1")
def test_decoding_is_total_and_canonical(data: bytes) -> None:
    with contextlib.suppress(RemoteError):
        value = wire.decode(data, size_max=100_000)
        assert wire.encode(value) == data


@given(damaged(ENVELOPES) | st.binary(max_size=300))
@settings(max_examples=600)
def test_envelopes_are_total_and_a_changed_one_never_verifies(data: bytes) -> None:
    with contextlib.suppress(RemoteError):
        verified = verify_envelope(parse_envelope(data))
        records.read_record(verified)
        assert data in ENVELOPES or set(verified.envelope.signatures) < {
            signature for original in ENVELOPES for signature in parse_envelope(original).signatures
        }


@given(damaged(BODIES) | values.map(_encode_or_empty), st.sampled_from(list(Kind)))
@settings(max_examples=600)
def test_bodies_are_total(body: bytes, kind: Kind) -> None:
    with contextlib.suppress(RemoteError):
        record = records.read_record(sign(kind, body, [KEY]))
        assert type(record).__name__.upper() == kind.name


@given(values)
@settings(max_examples=300)
def test_contents_are_total(value: wire.Value) -> None:
    with contextlib.suppress(RemoteError):
        content_from_value(value)


@given(st.text(max_size=60) | st.from_regex(r"\AFREQ=[A-Z]{5,7}(;[A-Z]{2,10}=[-+A-Z0-9,]{1,8}){0,4}\Z"))
@settings(max_examples=600)
def test_rules_are_total_and_have_one_spelling(text: str) -> None:
    with contextlib.suppress(RemoteError):
        rule = rules.parse(text)
        spelled = rules.spell(rule)
        assert rules.spell(rules.parse(spelled)) == spelled
        assert rules.check(spelled) == spelled


@given(st.text(max_size=40), st.integers(1, 40))
def test_ids_are_total(text: str, size: int) -> None:
    with contextlib.suppress(RemoteError):
        assert ids.to_text(ids.from_text(text, size)) == text


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
def test_verification_is_total(public: bytes, message: bytes, signature: bytes) -> None:
    with contextlib.suppress(RemoteError):
        keys.usage_of(public)
        assert not keys.verify(public, message, signature)
