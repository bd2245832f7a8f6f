"""Any bytes whatever give a value or a RemoteError, and every value has exactly one encoding."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
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


def _nested(depth: int) -> tuple[Any, ...]:
    return (_nested(depth - 1),) if depth > 1 else ()


@st.composite
def longer(draw: st.DrawFn) -> bytes:
    """A real listing with fields of a later version somewhere, or with another value in some place."""
    row = wire.decode(bytes.fromhex(GOLDEN["records"][2]["body"]), size_max=40_000)
    odd: list[Any] = ["e\u0301", 1.5, {}]
    anything: st.SearchStrategy[Any] = st.one_of(values, st.sampled_from(odd), st.integers(1, 9).map(_nested))

    def change(value: tuple[Any, ...]) -> tuple[Any, ...]:
        inner = [place for place, each in enumerate(value) if type(each) is tuple and each]
        if inner and draw(st.integers(0, 4)) > 0:
            place = draw(st.sampled_from(inner))
            return (*value[:place], change(value[place]), *value[place + 1 :])
        if draw(st.booleans()):
            return (*value, draw(anything))
        place = draw(st.integers(0, len(value) - 1))
        return (*value[:place], draw(anything), *value[place + 1 :])

    assert type(row) is tuple
    return msgpack.packb(change(row), use_bin_type=True)  # type: ignore[no-any-return]


def _read_whole(body: bytes) -> records.Listing | None:
    try:
        return records.read_listing(body)
    except RemoteError:
        return None


def _read_by_field(body: bytes) -> records.Listing | records.Withdrawal | None:
    envelope = sign(Kind.LISTING, body, [KEY]).envelope
    try:
        return records.read_opened(verify_envelope(envelope), records.open_slot(envelope))
    except RemoteError:
        return None


@given(longer() | damaged(BODIES[2:3]))
@settings(max_examples=1000)
def test_reading_field_by_field_lets_through_what_reading_the_whole_does(body: bytes) -> None:
    assert _read_by_field(body) == _read_whole(body)


def _with_one_more(value: tuple[Any, ...], more: Any) -> Iterator[tuple[Any, ...]]:
    yield (*value, more)
    for place, each in enumerate(value):
        if type(each) is tuple:
            for changed in _with_one_more(each, more):
                yield (*value[:place], changed, *value[place + 1 :])


def test_fields_of_a_later_version_are_as_deep_as_the_whole_may_be() -> None:
    row: Any = wire.decode(BODIES[2], size_max=40_000)
    structs = [_read_whole(wire.encode(changed)) is not None for changed in _with_one_more(row, ())]
    assert 5 < sum(structs) < len(structs)
    for depth in range(2, 10):
        for is_struct, changed in zip(structs, _with_one_more(row, _nested(depth)), strict=True):
            body = msgpack.packb(changed, use_bin_type=True)
            expected = is_struct and _is_canonical(body)
            assert (_read_whole(body) is not None) == expected
            assert (_read_by_field(body) is not None) == expected


def _is_canonical(body: bytes) -> bool:
    try:
        wire.decode(body, size_max=40_000)
    except RemoteError:
        return False
    return True


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
