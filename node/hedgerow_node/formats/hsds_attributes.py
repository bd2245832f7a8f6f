"""Attributes of HSDS entries: taxonomy terms, of ours and of others."""

from collections.abc import Iterator
from typing import Any

from hedgerow_node.formats import bounds
from hedgerow_node.formats.hsds_schedule_out import TAXONOMY
from hedgerow_node.formats.row_reading import as_text
from hedgerow_protocol import limits


def entries(value: object) -> list[dict[str, Any]]:
    """The objects of a list; a single object counts as a list of one."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items[: bounds.CELLS_MAX] if isinstance(item, dict)]


def attributes_of(value: object) -> Iterator[tuple[str, str, str, str]]:
    """Each attribute as (kind, code, value, name); the kind is empty for terms of another taxonomy than ours."""
    for entry in entries(value):
        term = entry.get("taxonomy_term")
        term = term if isinstance(term, dict) else {}
        ours = term.get("taxonomy") == TAXONOMY
        code, name = as_text(term.get("code"))[: limits.TAG_CHARACTERS_MAX], as_text(term.get("name"))
        if ours and not _is_tag(code):
            continue
        yield as_text(entry.get("link_type")) if ours else "", code, as_text(entry.get("value")), name


def _is_tag(code: str) -> bool:
    return bool(code) and code == code.lower() and code.isprintable() and not set(code) & set(" \"'<>&,")
