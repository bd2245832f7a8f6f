"""Reading what a program sends: base64url in its one form, JSON within bounds, fields with sentences."""

import base64
import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.http import bounds
from hedgerow_node.http.member.fields import Fields, parse_json, parse_object, parse_objects
from hedgerow_node.http.member.frames import entries_frames, text_frame
from hedgerow_node.http.problems import Problem
from hedgerow_protocol import base64url


def refused(read: Callable[[], object]) -> Problem | None:
    """What is wrong with what is read; ``None`` when nothing is. Whatever else is raised fails the test."""
    try:
        read()
    except Problem as problem:
        return problem
    return None


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=200))
def test_bytes_come_back_and_look_as_the_standard_library_writes_them(data: bytes) -> None:
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert len(text) == base64url.length_of(len(data))
    assert base64url.decode(text) == data


@given(st.text(alphabet=LETTERS + "=+/ \né", max_size=12))
def test_a_text_is_refused_or_is_the_one_form_of_its_bytes(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize("text", ["A", "AAAAA", "AA==", "AB", "AAB", "A+A/", "AA A", "ÄÄ", "\x00\x00", "AA\n"])
def test_other_writings_of_the_same_bytes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64url|last letter|ascii"):
        base64url.decode(text)


@given(st.binary(max_size=300))
def test_any_body_is_fields_or_a_problem(body: bytes) -> None:
    for read in (parse_json, parse_object, lambda each: parse_objects(each, 3)):
        problem = refused(lambda read=read: read(body))
        assert problem is None or (problem.status == 400 and problem.detail.endswith("."))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON, max_size=3))
def test_any_field_is_read_or_named(values: dict[str, object]) -> None:
    fields = Fields(values, "outer.")
    for read in (
        lambda name: fields.fixed(name, 16),
        lambda name: fields.sized(name, 40),
        lambda name: fields.whole(name, 0, 9),
        lambda name: fields.choice(name, "x", "y"),
        lambda name: fields.inside(name).fixed("d", 3),
        lambda name: fields.objects(name, 2),
        lambda name: fields.each_fixed(name, 4, 2),
    ):
        for name in "abc":
            problem = refused(lambda read=read, name=name: read(name))
            if problem is not None:
                assert problem.status == 400
                assert problem.field.startswith("outer.")
                assert problem.field in problem.detail


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{" * 3_000 + b"}" * 3_000, b"[" + b"1," * 100_000 + b"1]"])
def test_what_unfolds_too_far_is_refused_before_it_is_parsed(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse_json(body)
    assert refused.value.status == 400


@pytest.mark.parametrize("body", [b"NaN", b'{"a":Infinity}', b"\xff\xfe", b'"\\ud800', b"", b"1" * 5_000, b"[" * 8_000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(Problem, match="JSON"):
        parse_json(body)


def test_numbers_are_numbers() -> None:
    for value in (True, 1.0, "1", None, -1, 10):
        with pytest.raises(Problem, match="whole number from 0 to 9"):
            Fields({"n": value}).whole("n", 0, 9)
    assert Fields({"n": 9}).whole("n", 0, 9) == 9


def test_sizes_are_held_before_decoding() -> None:
    assert Fields({"b": "AAAA"}).sized("b", 3) == bytes(3)
    for text in ("AAAAA", "AAAAAA", "A"):
        with pytest.raises(Problem, match="0 to 3 bytes"):
            Fields({"b": text}).sized("b", 3)
    with pytest.raises(Problem, match="1 to 3 bytes"):
        Fields({"b": ""}).sized("b", 3, size_min=1)
    with pytest.raises(Problem, match=r"“o\.b” is 16 bytes"):
        Fields({"b": "AAAA"}, "o.").fixed("b", 16)


# --- frames


def unframed(data: bytes) -> list[bytes]:
    """Read frames as a client does (RFC 6455, 5.2)."""
    payloads = []
    while data:
        assert data[0] == 0x81, "a whole text frame"
        size, at = data[1], 2
        assert size < 128, "a server does not mask"
        if size == 126:
            size, at = int.from_bytes(data[2:4]), 4
            assert size >= 126, "the shortest form"
        elif size == 127:
            size, at = int.from_bytes(data[2:10]), 10
            assert size >= 65_536
        payloads.append(data[at : at + size])
        data = data[at + size :]
    return payloads


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_is_read_as_it_was_written(size: int) -> None:
    assert unframed(text_frame(b"x" * size)) == [b"x" * size]


@given(st.lists(st.integers(min_value=2, max_value=90_000), min_size=1, max_size=12))
def test_entries_are_joined_in_order_within_the_bound(sizes: list[int]) -> None:
    entries = [json.dumps("x" * (size - 2)).encode() for size in sizes]
    frames = unframed(entries_frames(entries))
    assert [len(text) + 2 for frame in frames for text in json.loads(frame)["entries"]] == sizes
    for frame in frames:
        many = len(json.loads(frame)["entries"])
        assert many == 1 or len(frame) <= bounds.LIVE_FRAME_BYTES_MAX + many + 20
    for one, next in pairwise(frames):
        first = json.loads(next)["entries"][0]
        assert len(one) + len(first) > bounds.LIVE_FRAME_BYTES_MAX, "no frame is left half empty"
