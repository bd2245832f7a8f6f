"""Files that stewards pass round: who may sign, how many are missing, and what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_publishing_form import FULL

from hedgerow_node.directory.drafts import (
    BEGIN,
    END,
    DraftError,
    DraftFile,
    add_signature,
    is_complete,
    join,
    missing,
    read_file,
    unsigned,
    write_file,
)
from hedgerow_node.directory.publishing import change_charter, check_charter, directory_signer, found_charter
from hedgerow_node.directory.publishing_form import listing_from_fields
from hedgerow_node.directory.publishing_words import describe_content, describe_file
from hedgerow_node.directory.versions import next_slot
from hedgerow_protocol.content import ListingContent, Meeting
from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing

NOW = Timestamp(1_790_000_000)
A, B, C, D = (SigningKey.from_seed(Usage.STEWARD, bytes([n]) * 32) for n in range(1, 5))
NODE = SigningKey.from_seed(Usage.NODE, b"\x01" * 32)


def nonce(count: int) -> bytes:
    return b"\x07" * count


def founding(*keys: SigningKey, threshold: int | None = None) -> DraftFile:
    charter = found_charter([key.public for key in keys], threshold, nonce)
    envelope = unsigned(charter)
    meeting = Meeting(slug="m", weekday=2, start=600, tz="Europe/Dublin")
    slot = next_slot(envelope.rid, b"", NOW, previous=None)
    listing = Listing(slot=slot, content=ListingContent(name="Quiet evening", meetings=(meeting,)))
    return DraftFile((envelope, unsigned(listing)))


def test_a_charter_and_its_listing_are_signed_in_one_round() -> None:
    file = founding(A, B, C)
    assert [each.reason != "" for each in missing(file)] == [True, True]
    once = read_file(write_file(add_signature(file, A), describe_file(file)))
    assert "2 are needed" in missing(once)[0].reason
    twice = read_file(write_file(add_signature(once, C), []))
    assert is_complete(twice)
    assert missing(twice)[1].signed == tuple(sorted((A.public, C.public)))


def test_signing_apart_and_joining_gives_the_same() -> None:
    file = founding(A, B, C)
    apart = join([add_signature(file, A), file, add_signature(file, B)])
    assert apart == add_signature(add_signature(file, A), B)
    assert join([file, add_signature(file, A)]) == add_signature(file, A)


def test_signing_twice_changes_nothing() -> None:
    once = add_signature(founding(A, B, C), A)
    assert add_signature(once, A) == once


def test_strangers_cannot_sign() -> None:
    with pytest.raises(DraftError, match="not one of the stewards"):
        add_signature(founding(A, B, C), D)


def test_different_records_do_not_join() -> None:
    with pytest.raises(DraftError, match="different records"):
        join([founding(A, B), founding(A, C)])


def test_a_change_of_stewards_needs_old_and_new() -> None:
    file = add_signature(add_signature(founding(A, B, C), A), B)
    old = file.records[0]
    charter = change_charter(
        old, found_charter([A.public, B.public, C.public], None, nonce), [C.public, D.public], 2, nonce
    )
    change = DraftFile((unsigned(charter),), (old,))
    change = add_signature(add_signature(change, C), D)
    assert not is_complete(change)
    assert "2 are needed" in missing(change)[0].reason
    assert "(new)" in "\n".join(describe_file(change))
    assert "leaves" in "\n".join(describe_file(change))
    assert is_complete(add_signature(change, A))


def test_a_listing_needs_its_charter() -> None:
    file = founding(A, B)
    with pytest.raises(DraftError, match="without the charter"):
        missing(DraftFile(file.records[1:]))


def test_a_node_key_is_no_steward() -> None:
    with pytest.raises(DraftError, match="a node key cannot sign"):
        found_charter([A.public, NODE.public], None, nonce)
    with pytest.raises(LocalError):
        directory_signer(NODE)


@pytest.mark.parametrize("threshold", [1, 4])
def test_a_threshold_is_a_majority(threshold: int) -> None:
    with pytest.raises(DraftError, match="more than half"):
        found_charter([A.public, B.public, C.public], threshold, nonce)


def test_warnings_before_the_group_can_no_longer_sign() -> None:
    def warned(*keys: SigningKey, threshold: int | None = None) -> str:
        return " ".join(check_charter(found_charter([key.public for key in keys], threshold, nonce)))

    assert "one signer" in warned(A)
    assert "if one of them is lost" in warned(A, B)
    assert "if one of them is lost" in warned(A, B, C, threshold=3)
    assert "If two" in warned(A, B, C)


def test_a_directory_keeps_its_ids_when_its_key_moves() -> None:
    assert directory_signer(A).root == directory_signer(A).root
    assert directory_signer(A).root != directory_signer(B).root


def test_only_the_base64_counts() -> None:
    file = add_signature(founding(A, B), A)
    text = write_file(file, ["A summary", BEGIN, "more", END])
    assert read_file(text) == file
    assert read_file(text.replace("A summary", "Another summary")) == file
    assert read_file(text.replace("\n", "\r\n")) == file


def test_a_changed_signature_is_noticed() -> None:
    file = add_signature(founding(A, B), A)
    raw = base64.b64decode("".join(write_file(file, []).split(BEGIN)[1].split(END)[0].split()))
    signature = file.records[0].signatures[0].signature
    forged = raw.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]), 1)
    text = f"{BEGIN}\n{base64.b64encode(forged).decode()}\n{END}\n"
    with pytest.raises(DraftError, match="signature"):
        read_file(text)


@pytest.mark.parametrize(
    "text", ["", "hello", f"{BEGIN}\n{END}", f"{BEGIN}\n!!!!\n{END}", f"{END}\n{BEGIN}", "x" * 2_000_000]
)
def test_other_texts_are_no_drafts(text: str) -> None:
    with pytest.raises(DraftError):
        read_file(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_draft_or_a_sentence(data: bytes) -> None:
    for raw in (data, f"{BEGIN}\n{base64.b64encode(data).decode()}\n{END}".encode()):
        with pytest.raises(DraftError):
            read_file(raw)


@given(st.data())
def test_a_damaged_draft_never_gives_other_records(data: st.DataObject) -> None:
    file = add_signature(founding(A, B), A)
    raw = bytearray(write_file(file, []).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_file(bytes(raw))
    except DraftError:
        return
    signed = [each for each in read.records if each.signatures]
    assert all(each in file.records for each in signed)


def test_charters_in_a_file_must_hold() -> None:
    file = add_signature(founding(A, B, C), A)
    listing = DraftFile(file.records[1:], file.records[:1])
    with pytest.raises(DraftError, match="not signed by enough"):
        read_file(write_file(listing, []))
    whole = add_signature(file, B)
    listing = DraftFile(whole.records[1:], whole.records[:1])
    assert read_file(write_file(listing, [])) == listing


def test_whoever_signs_can_read_everything() -> None:
    """Every text of a listing appears in the words: so nothing is signed unseen."""
    words = "\n".join(describe_content(listing_from_fields(FULL)))
    for said in (
        "Parents after loss",
        "A quiet evening. Tea at the end.",
        "bereavement, parenting",
        "closed",
        "ask",
        "child-friendly, wheelchair",
        "Write to us first.",
        "https://group.example.org",
        "group@example.org",
        "every Thursday 19:30–21:00 (Europe/Dublin)",
        "1 Example Street",
        "Ask by e-mail.",
        "every second Thursday of the month from 2027-01-14 09:05–10:05",
        "https://meet.example.org/abc",
    ):
        assert said in words, said
