"""What the parts of ``hedgerow publish`` share: reading and writing the files stewards pass around."""

import argparse
import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.directory.door import open_door, read_directory
from hedgerow_node.directory.drafts import (
    FILE_BYTES_MAX,
    DraftFile,
    add_signature,
    is_complete,
    missing,
    read_file,
    unsigned,
    write_file,
)
from hedgerow_node.directory.keyfiles import load_key, short_name
from hedgerow_node.directory.publishing import submit
from hedgerow_node.directory.publishing_words import describe_file, describe_progress
from hedgerow_node.directory.versions import DAY_SECONDS
from hedgerow_protocol import ids, limits
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import ListingId, RecordId, listing_id
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.records import Charter, Listing, Slot, Withdrawal, read_charter
from hedgerow_protocol.state import ShownListing


@dataclass(frozen=True, slots=True)
class Base:
    """What a change stands on: the charters so far and the listing as it is, from a file or from the data folder."""

    charters: tuple[Envelope, ...]
    """From the founding one on. Those of an unfinished file may lack signatures."""
    slot: Slot | None = None
    content: ListingContent | None = None
    shown: ShownListing | None = None

    @property
    def tip(self) -> Envelope:
        return self.charters[-1]

    @property
    def charter(self) -> Charter:
        return read_charter(self.tip.body)


def read_draft(path: Path) -> DraftFile:
    """A file of records. Raises what :func:`~hedgerow_node.directory.drafts.read_file` raises, and :class:`OSError`."""
    with path.open("rb") as file:
        return read_file(file.read(FILE_BYTES_MAX + 1))


def base_of_file(file: DraftFile) -> Base:
    """What a file holds, as the base of a change."""
    charters = list(file.charters)
    slot, content = None, None
    for envelope, each in zip(file.records, missing(file), strict=True):
        match each.record:
            case Charter():
                charters.append(envelope)
            case Listing() as listing:
                slot, content = listing.slot, listing.content
            case Withdrawal() as withdrawal:
                slot = withdrawal.slot
    if not charters:
        raise CommandError("This file holds no charter, so it does not say who may sign.")
    return Base(tuple(charters), slot, content)


def base_of(options: argparse.Namespace, said: str) -> Base:
    """What ``said`` names: a file on this machine, or a listing's id in the data folder."""
    if Path(said).is_file():
        return base_of_file(read_draft(Path(said)))
    return asyncio.run(_base_of_id(options, said))


def listing_id_of(said: str) -> ListingId:
    """A listing's id, also at the end of its web address. Raises :class:`CommandError`."""
    text = said.strip().rstrip("/").rpartition("/")[2].removesuffix(".json").removesuffix(".ics")
    try:
        return ListingId(ids.from_text(text, ids.LISTING_ID_BYTES))
    except RemoteError as error:
        raise CommandError(f"{said[:80]!r} is neither a file here nor the id of a listing.") from error


def changeable_base_of(options: argparse.Namespace, said: str) -> Base:
    """The same, for a change: refused while the listing is contested, where no version would be shown."""
    base = base_of(options, said)
    if base.shown is not None and base.shown.contested:
        raise CommandError(
            "This listing is in dispute: two changes of its stewards compete, and nothing signed above them would be "
            "shown. Found the group anew (hedgerow publish charter --found-anew LISTING), or take the listing back "
            "(hedgerow publish withdraw LISTING)."
        )
    return base


async def _base_of_id(options: argparse.Namespace, said: str) -> Base:
    lid = listing_id_of(said)
    async with read_directory(config_of(options)) as reading:
        shown = await reading.listing(lid)
        if shown is None:
            raise CommandError("This node has no such listing (any more).")
        return Base(await reading.charters(lid), shown.slot, shown.content, shown)


def lease_seconds(options: argparse.Namespace) -> int:
    """``--days`` as seconds. Raises :class:`CommandError`."""
    days = options.days
    if days is None:
        return limits.LEASE_SECONDS_DEFAULT
    days_max = limits.LEASE_SECONDS_MAX // DAY_SECONDS
    if not 1 <= days <= days_max:
        raise CommandError(f"--days is a number from 1 to {days_max}.")
    return int(days) * DAY_SECONDS


def file_above(base: Base, *records: Charter | Listing | Withdrawal) -> DraftFile:
    """A file with new records above what is there: charters that still lack signatures travel with them."""
    complete: list[Envelope] = []
    open_charters: list[Envelope] = []
    for envelope in base.charters:
        if open_charters or not _is_signed(complete, envelope):
            open_charters.append(envelope)
        else:
            complete.append(envelope)
    return DraftFile((*open_charters, *(unsigned(each) for each in records)), tuple(complete))


def _is_signed(before: list[Envelope], envelope: Envelope) -> bool:
    return bool(envelope.signatures) and is_complete(DraftFile((envelope,), tuple(before)))


def save(path: Path, file: DraftFile) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(write_file(file, describe_file(file)), encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 - the same call on every system, and it replaces


def finish(options: argparse.Namespace, file: DraftFile, out: Path, *, notes: list[str], brief: bool = False) -> int:
    """Sign if asked, write the file, publish it when it is complete and a data folder was named, and tell."""
    if options.sign_with is not None:
        file = add_signature(file, load_key(options.sign_with, Usage.STEWARD))
    save(out, file)
    published = False
    if is_complete(file) and options.set_data:
        notes = [*notes, *publish_file(options, file)]
        published = True
    tell(options, file, out, published=published, notes=notes, brief=brief)
    return 0


def publish_file(options: argparse.Namespace, file: DraftFile) -> list[str]:
    """Hand a complete file to the node; a sentence for what its readers should know now."""
    return asyncio.run(_submit(options, file))


async def _submit(options: argparse.Namespace, file: DraftFile) -> list[str]:
    async with open_door(config_of(options)) as door:
        await submit(door, file, clock.now())
        shown = [await door.listing(lid) for lid in _touched(file)]
    if any(each is not None and each.contested for each in shown):
        return [
            "The listing is in dispute now: another change of its stewards was published too, so pages show only its "
            "name. Talk to one another; then found the group anew: hedgerow publish charter --found-anew LISTING."
        ]
    return []


def _touched(file: DraftFile) -> list[ListingId]:
    # Stewards' own groups have one listing, whose entry is empty; a change of charter does not name it.
    return list(dict.fromkeys([*listing_ids(file), *(listing_id(root, b"") for root in _roots(file).values())]))


def listing_ids(file: DraftFile) -> list[ListingId]:
    """The ids of the listings a file speaks of."""
    roots = _roots(file)
    found = []
    for each in missing(file):
        if isinstance(each.record, Listing | Withdrawal):
            found.append(listing_id(roots[each.record.slot.charter], each.record.slot.entry))
    return list(dict.fromkeys(found))


def _roots(file: DraftFile) -> dict[RecordId, RecordId]:
    roots: dict[RecordId, RecordId] = {}
    for envelope in (*file.charters, *file.records):
        if envelope.kind == 1:
            previous = read_charter(envelope.body).previous
            roots[envelope.rid] = envelope.rid if previous is None else roots.get(previous, previous)
    return roots


def tell(
    options: argparse.Namespace,
    file: DraftFile,
    path: Path,
    *,
    published: bool,
    notes: list[str],
    brief: bool = False,
) -> None:
    """Say what the file holds (when ``brief``, only who signed it) and what comes next."""
    progress = missing(file)
    complete = not any(each.reason for each in progress)
    if options.json:
        answer = {
            "file": str(path),
            "complete": complete,
            "published": published,
            "listings": [ids.to_text(each) for each in listing_ids(file)],
            "records": [
                {
                    "kind": type(each.record).__name__.lower(),
                    "rid": ids.to_text(each.rid),
                    "signed": [short_name(key) for key in each.signed],
                    "missing": each.reason,
                }
                for each in progress
            ],
            "notes": notes,
        }
        print(json.dumps(answer, ensure_ascii=False))
        return
    print("\n".join(describe_progress(file) if brief else describe_file(file)))
    for note in notes:
        print(f"\nNote: {note}")
    print(f"\n{_next_step(path, complete, published, [ids.to_text(each) for each in listing_ids(file)])}")


def _next_step(path: Path, complete: bool, published: bool, listings: list[str]) -> str:
    if published:
        return f"Published. {'The listing’s id: ' + ', '.join(listings) if listings else ''}".rstrip()
    if complete:
        return f"Enough have signed. Publish it on a node: hedgerow publish submit {path}"
    return f"Pass {path} on: the next steward runs  hedgerow publish cosign {path} --sign-with KEYFILE"


def can_ask() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """A yes-or-no question."""
    print(question, "[y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
