"""Block lists as text that keepers can pass to each other: ids and reasons, nothing about who made the list.

    {"format": "hedgerow-blocklist", "version": 1, "blocks": [{"listing": "…", "reason": "…"}, {"node": "…", …}]}

Applying a list only ever adds blocks; what one keeper takes off his list stays on another's.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from hedgerow_node.store.blocks import BLOCKS_MAX, Block
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.field_readers import is_visible
from hedgerow_protocol.ids import LISTING_ID_BYTES, NODE_ID_BYTES, ListingId, NodeId, from_text, to_text
from hedgerow_protocol.ports import Timestamp

FORMAT: Final = "hedgerow-blocklist"
VERSION: Final = 1

REASON_CHARACTERS_MAX: Final = 200
"""Characters. One sentence for other keepers."""

TEXT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. A full list with the longest reasons in the widest script."""


def clean_reason(text: str) -> str:
    """A reason as it is kept: one line. Raises :class:`RemoteError`."""
    reason = " ".join(text.split()).encode("utf-8", "replace").decode()  # half a surrogate pair is no text
    if len(reason) > REASON_CHARACTERS_MAX or not is_visible(reason):
        raise RemoteError(Code.BAD_FIELD, f"A reason is plain text of at most {REASON_CHARACTERS_MAX} characters.")
    return reason


def target_from_text(text: str) -> NodeId | ListingId:
    """The id of a node or a listing, told apart by its length. Raises :class:`RemoteError`."""
    try:
        return NodeId(from_text(text, NODE_ID_BYTES))
    except RemoteError:
        return ListingId(from_text(text, LISTING_ID_BYTES))


def blocklist_to_json(blocks: Iterable[Block]) -> str:
    """The text of a list. The times at which a keeper decided are left out."""
    rows = [
        {"node" if block.is_node else "listing": to_text(block.target), "reason": block.reason}
        for block in sorted(blocks, key=lambda block: (len(block.target), block.target))
    ]
    return json.dumps({"format": FORMAT, "version": VERSION, "blocks": rows}, ensure_ascii=False, indent=1) + "\n"


def blocklist_from_json(text: str, *, now: Timestamp) -> list[Block]:
    """The inverse; each target once, as of ``now``. Raises :class:`RemoteError` with a sentence for any other text."""
    if len(text) > TEXT_BYTES_MAX or len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A block list has at most {TEXT_BYTES_MAX >> 20} MiB.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemoteError(Code.MALFORMED, "This is not a block list: it is not JSON.") from error
    if type(value) is not dict or value.get("format") != FORMAT:
        raise RemoteError(Code.MALFORMED, f"This is not a block list: its format is not “{FORMAT}”.")
    if type(value.get("version")) is not int or value["version"] != VERSION:
        raise RemoteError(Code.UNKNOWN_KIND, "This block list is of a version this program does not know.")
    rows = value.get("blocks")
    if type(rows) is not list or len(rows) > BLOCKS_MAX:
        raise RemoteError(Code.MALFORMED, f"A block list has “blocks”, at most {BLOCKS_MAX} of them.")
    blocks = [_block(row, now) for row in rows]
    return list({block.target: block for block in reversed(blocks)}.values())[::-1]


def _block(row: Any, now: Timestamp) -> Block:
    if type(row) is not dict or ("node" in row) == ("listing" in row):
        raise RemoteError(Code.MALFORMED, "Each line of a block list names one node or one listing.")
    text, reason = row.get("node", row.get("listing")), row.get("reason", "")
    if type(text) is not str or type(reason) is not str:
        raise RemoteError(Code.MALFORMED, "Each line of a block list holds texts only.")
    size = NODE_ID_BYTES if "node" in row else LISTING_ID_BYTES
    target = from_text(text, size)
    return Block(NodeId(target) if "node" in row else ListingId(target), clean_reason(reason), now)
