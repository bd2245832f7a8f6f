"""Block lists that keepers pass to each other: a round trip, and a sentence for any other text."""

import json

import pytest

from hedgerow_node.directory.blocklist import (
    TEXT_BYTES_MAX,
    blocklist_from_json,
    blocklist_to_json,
    clean_reason,
    target_from_text,
)
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import ListingId, NodeId, to_text
from hedgerow_protocol.ports import Timestamp

NOW = Timestamp(1_790_000_123)
NODE = NodeId(bytes(range(32)))
LISTING = ListingId(bytes(range(20)))


def test_there_and_back() -> None:
    blocks = [Block(LISTING, "Verkauft Kuren — „sicher“.", NOW), Block(NODE, "", Timestamp(NOW - 5))]
    text = blocklist_to_json(blocks)
    assert str(NOW) not in text
    assert blocklist_from_json(text, now=NOW) == [blocks[0], Block(NODE, "", NOW)]
    assert blocklist_to_json(blocklist_from_json(text, now=NOW)) == text


def test_each_target_once_with_its_first_reason() -> None:
    rows = [{"listing": to_text(LISTING), "reason": reason} for reason in ("first", "second")]
    text = json.dumps({"format": "hedgerow-blocklist", "version": 1, "blocks": rows})
    assert blocklist_from_json(text, now=NOW) == [Block(LISTING, "first", NOW)]


def _text(*rows: object, version: object = 1) -> str:
    return json.dumps({"format": "hedgerow-blocklist", "version": version, "blocks": list(rows)})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.MALFORMED),
        ("[" * 100_000, Code.MALFORMED),
        ("[]", Code.MALFORMED),
        ('{"format": "hedgerow-blocklist", "version": 1}', Code.MALFORMED),
        (_text(version=2), Code.UNKNOWN_KIND),
        (_text(version=True), Code.UNKNOWN_KIND),
        (_text(7), Code.MALFORMED),
        (_text({}), Code.MALFORMED),
        (_text({"node": to_text(NODE), "listing": to_text(LISTING)}), Code.MALFORMED),
        (_text({"node": to_text(LISTING)}), Code.BAD_FIELD),
        (_text({"listing": "é"}), Code.BAD_FIELD),
        (_text({"listing": to_text(LISTING), "reason": 5}), Code.MALFORMED),
        (_text({"listing": to_text(LISTING), "reason": "x" * 201}), Code.BAD_FIELD),
        (_text({"listing": to_text(LISTING), "reason": "a\u202eb"}), Code.BAD_FIELD),
        (_text(*({"listing": to_text(LISTING)} for _ in range(10_001))), Code.MALFORMED),
        (" " * (TEXT_BYTES_MAX + 1), Code.TOO_LARGE),
    ],
)
def test_anything_else(text: str, code: Code) -> None:
    with pytest.raises(RemoteError) as refused:
        blocklist_from_json(text, now=NOW)
    assert refused.value.code is code
    assert str(refused.value).endswith(".")


def test_targets_and_reasons() -> None:
    assert target_from_text(to_text(NODE)) == NODE
    assert target_from_text(to_text(LISTING)) == LISTING
    with pytest.raises(RemoteError):
        target_from_text("abc")
    assert clean_reason(" two\n lines ") == "two lines"
    assert clean_reason("half \ud800 pair") == "half ? pair"
