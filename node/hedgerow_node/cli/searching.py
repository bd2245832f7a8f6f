"""``hedgerow search`` and ``hedgerow export``: reading what this node holds."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.directory.door import read_directory
from hedgerow_node.directory.publishing_words import describe_meeting
from hedgerow_node.directory.query import PARAMETERS, Query, query_from_params
from hedgerow_node.directory.search import Page
from hedgerow_protocol import ids
from hedgerow_protocol.state import ShownListing

MEETINGS_SHOWN_MAX = 7
"""Meetings of one listing on a terminal."""


def search(options: argparse.Namespace) -> int:
    """Search and print; the filters are those of the API."""
    page = asyncio.run(_search(options, query_of(options)))
    if options.json:
        from hedgerow_node.formats.listing_json import listing_json

        print(
            json.dumps(
                {"listings": [listing_json(each) for each in page.listings], "next": page.next}, ensure_ascii=False
            )
        )
        return 0
    for each in page.listings:
        print("\n".join(_lines(each)), end="\n\n")
    if not page.listings:
        print("Nothing was found. Fewer words or filters may find more.")
    if page.next:
        print(f"There is more: add --cursor {page.next}")
    return 0


def query_of(options: argparse.Namespace) -> Query:
    """The search this command line asks for. Raises :class:`~hedgerow_node.directory.query.QueryError`."""
    pairs = [("q", " ".join(options.words))]
    for name in PARAMETERS:
        value: Any = getattr(options, f"q_{name}", None)
        if isinstance(value, list):
            pairs += [(name, each) for each in value]
        elif value is not None:
            pairs.append((name, value))
    return query_from_params(pairs)


async def _search(options: argparse.Namespace, query: Query) -> Page:
    async with read_directory(config_of(options)) as reading:
        return await reading.directory.search(query, now=clock.now())


def _lines(shown: ShownListing) -> list[str]:
    lines = [f"{shown.name}   [{ids.to_text(shown.id)}]"]
    if shown.content is None:
        return [*lines, "  in dispute: its stewards signed two changes that compete"]
    if shown.content.summary:
        lines.append(f"  {' '.join(shown.content.summary.split())[:200]}")
    meetings = shown.content.meetings
    lines += [f"  {describe_meeting(each)}" for each in meetings[:MEETINGS_SHOWN_MAX]]
    if len(meetings) > MEETINGS_SHOWN_MAX:
        lines.append(f"  … and {len(meetings) - MEETINGS_SHOWN_MAX} more times")
    return lines


def export(options: argparse.Namespace) -> int:
    """Write all listings in a standard format; what it cannot hold is listed on standard error."""
    data, losses = asyncio.run(_export(options))
    if options.out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        _write(options.out, data)
    if losses:
        print("This format cannot hold: " + ", ".join(f"{kind} ({n})" for kind, n in losses.items()), file=sys.stderr)
    return 0


async def _export(options: argparse.Namespace) -> tuple[bytes, dict[str, int]]:
    config = config_of(options)
    now = clock.now()
    async with read_directory(config) as reading:
        listings = [each async for each in reading.directory.all_listings(now=now)]
    match options.format:
        case "meeting-guide":
            from hedgerow_node.formats.meeting_guide_out import export_meeting_guide

            rows, losses = export_meeting_guide(listings)
            return _json(rows), losses
        case "hsds":
            from hedgerow_node.formats.hsds_out import export_hsds

            value, losses = export_hsds(listings, now=now)
            return _json(value), losses
        case _:
            from hedgerow_node.formats.ical_out import export_icalendar

            name = config.title or "Hedgerow"
            return export_icalendar(listings, now=now, discreet=options.discreet, name=name, url=config.base_url), {}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)  # noqa: PTH105 - it replaces on every system
