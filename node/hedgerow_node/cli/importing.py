"""``hedgerow import``: arguments in, one report out."""

import argparse
import asyncio
import json
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.progress import ProgressBar
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config
from hedgerow_node.directory import importing
from hedgerow_node.directory.door import open_door
from hedgerow_node.directory.keyfiles import load_key, load_or_create_key
from hedgerow_node.directory.publishing import DirectorySigner, directory_signer
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol.keys import Usage

DROPPED_SHOWN_MAX = 20
"""Rows. Shown to a person; ``--json`` has all of them."""


def import_feed(options: argparse.Namespace) -> int:
    """Import one feed and print its report."""
    program = importing.check_program(options.program)
    if options.tz and find_zone(options.tz) is None:
        raise CommandError(f"There is no time zone {options.tz[:40]!r}. Write it as Europe/Dublin.")
    paths: list[Path] = options.files
    source = (
        importing.clean_source(options.source)
        if options.source is not None
        else importing.source_of(program, (path.name for path in paths))
    )
    feed = importing.Feed(
        files=importing.read_files(paths),
        program=program,
        source=source,
        tz=options.tz,
        keep=frozenset(options.keep),
    )
    config = config_of(options)
    bar = ProgressBar()
    try:
        report = asyncio.run(_run(config, feed, options, bar))
    finally:
        bar.close()
    if options.json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        print("\n".join(describe(report)))
    return 1 if report.not_taken else 0


async def _run(
    config: Config, feed: importing.Feed, options: argparse.Namespace, bar: ProgressBar
) -> importing.ImportReport:
    parsed = importing.prepare(feed, bar)
    async with open_door(config) as door:
        signer = _signer(config, options)
        return await importing.import_feed(
            door,
            signer,
            parsed,
            await door.held_of(signer.root, feed.source),
            now=clock.now(),
            allow_withdraw=options.allow_withdraw,
            dry_run=options.dry_run,
            progress=bar,
        )


def _signer(config: Config, options: argparse.Namespace) -> DirectorySigner:
    if options.sign_with is not None:
        return directory_signer(load_key(options.sign_with, Usage.STEWARD))
    return directory_signer(load_or_create_key(config.directory_key_file, Usage.STEWARD, clock.entropy))


def describe(report: importing.ImportReport) -> list[str]:
    """The report for a person."""
    lines = [
        f"{'Would be done' if report.dry_run else 'Done'}: source “{report.source}”.",
        f"  read {_of(report.read, 'row')}, kept {report.kept:,}: "
        f"{_of(report.listings, 'listing')} with {_of(report.meetings, 'meeting')}",
        f"  new {report.new:,}, updated {report.updated:,}, renewed {report.renewed:,}, "
        f"unchanged {report.unchanged:,}, withdrawn {report.withdrawn:,}",
    ]
    lines += _counts("repaired", report.repaired) + _counts("withheld as private", report.withheld)
    if report.dropped:
        lines.append(f"  dropped {len(report.dropped):,}:")
        lines += [f"    row {each.row}: {each.reason}" for each in report.dropped[:DROPPED_SHOWN_MAX]]
        if len(report.dropped) > DROPPED_SHOWN_MAX:
            lines.append(f"    … and {len(report.dropped) - DROPPED_SHOWN_MAX:,} more (see --json)")
    if report.not_taken:
        lines.append(f"  NOT TAKEN {report.not_taken:,}: {' '.join(report.refused)}")
    return lines


def _of(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _counts(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    text = f"{title}: " + ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in counts.items())
    return textwrap.wrap(text, shutil.get_terminal_size().columns - 1, initial_indent="  ", subsequent_indent="    ")
