"""Intakes: what follows from a key, the line of text that stands for one, and its place in a listing's content."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.directory.publishing_words import describe_content
from hedgerow_protocol import intake, wire
from hedgerow_protocol.content import Intake, Joining, ListingContent
from hedgerow_protocol.content_codec import content_from_stored, content_from_value, content_to_value
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from strategies import intakes

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "intake.json").read_text(encoding="utf-8"))
KEY = bytes.fromhex(GOLDEN["key"])
PLACE = Intake(node=bytes.fromhex(GOLDEN["node"]), room=bytes.fromhex(GOLDEN["room"]), key=KEY)
CONTENT = ListingContent(name="Parents after loss", joining=Joining.ASK)

places = intakes()


def test_the_generator_still_gives_the_kept_file() -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_intake_vectors
    finally:
        sys.path.remove(str(VECTORS))
    assert make_intake_vectors.text() == (VECTORS / "intake.json").read_text(encoding="utf-8")


def test_what_follows_from_a_key() -> None:
    assert intake.invite_id(KEY).hex() == GOLDEN["id"]
    assert intake.proof(KEY).hex() == GOLDEN["proof"]
    assert intake.proof_hash(KEY).hex() == GOLDEN["proof_hash"]
    assert intake.to_code(PLACE) == GOLDEN["code"]


@given(places)
def test_a_code_reads_back_however_it_was_copied(place: Intake) -> None:
    code = intake.to_code(place)
    assert intake.from_code(code) == place
    halves = f"\n {code[:40]}\n{code[40:90]} \t{code[90:]}  "
    assert intake.from_code(halves) == place


@given(places, st.data())
def test_a_wrong_letter_is_noticed(place: Intake, data: st.DataObject) -> None:
    code = intake.to_code(place)
    at = data.draw(st.integers(len(intake.CODE_PREFIX), len(code) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    changed = code[:at] + letter + code[at + 1 :]
    if changed != code:
        with pytest.raises(LocalError, match=r"Copy it again\."):
            intake.from_code(changed)


@given(st.text(max_size=500))
def test_any_text_is_no_code_and_is_told_so(text: str) -> None:
    for said in (text, intake.CODE_PREFIX + text):
        with pytest.raises(LocalError):
            intake.from_code(said)


@pytest.mark.parametrize("said", [GOLDEN["code"][:-1], GOLDEN["code"] + "A", GOLDEN["code"].replace(":", "::", 1)])
def test_half_a_code_is_none(said: str) -> None:
    with pytest.raises(LocalError):
        intake.from_code(said)


@given(places)
def test_content_with_an_intake_reads_back(place: Intake) -> None:
    content = replace(CONTENT, intake=place)
    value = wire.decode(wire.encode(content_to_value(content)), size_max=10_000)
    assert content_from_value(value) == content
    assert content_from_stored(value) == content


def test_content_without_one_is_written_as_before() -> None:
    value = content_to_value(CONTENT)
    assert len(value) == 18
    assert content_from_value(value) == CONTENT
    assert content_from_value((*value, None)) == CONTENT


@pytest.mark.parametrize(
    "last",
    [
        (),
        (b"n" * 32, b"r" * 32),
        (b"n" * 31, b"r" * 32, b"k" * 32),
        (b"n" * 32, "r" * 32, b"k" * 32),
        (b"n" * 32, b"r" * 32, None),
        b"n" * 96,
        0,
    ],
)
def test_a_broken_intake_is_refused(last: wire.Value) -> None:
    with pytest.raises(RemoteError) as refused:
        content_from_value((*content_to_value(CONTENT), last))
    assert refused.value.code is Code.BAD_FIELD


@pytest.mark.parametrize("joining", [Joining.COME, Joining.INVITATION])
def test_only_who_wants_to_be_asked_says_where(joining: Joining) -> None:
    with pytest.raises(RemoteError) as refused:
        content_from_value(content_to_value(replace(CONTENT, joining=joining, intake=PLACE)))
    assert refused.value.code is Code.BAD_FIELD


def test_who_signs_sees_the_whole_line() -> None:
    assert GOLDEN["code"] in "\n".join(describe_content(replace(CONTENT, intake=PLACE)))
    assert intake.CODE_PREFIX not in "\n".join(describe_content(CONTENT))
