"""``hedgerow publish draft``, ``renew`` and ``withdraw``."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.publish_files import (
    Base,
    base_of,
    base_of_file,
    changeable_base_of,
    file_above,
    finish,
    lease_seconds,
    read_draft,
)
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config
from hedgerow_node.directory.door import Door, open_door
from hedgerow_node.directory.keyfiles import load_key
from hedgerow_node.directory.publishing import (
    change_with_directory_key,
    directory_signer,
    publish_with_directory_key,
    renew_with_directory_key,
    withdraw_with_directory_key,
)
from hedgerow_node.directory.publishing_form import (
    LISTING_FIELDS,
    MEETING_FIELDS,
    fields_from_listing,
    flatten,
    listing_from_fields,
)
from hedgerow_node.directory.versions import next_slot, withdrawal_slot
from hedgerow_protocol import ids
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.records import Listing, Withdrawal
from hedgerow_protocol.state import ShownListing

FORM_BYTES_MAX = 256 * 1024
"""Bytes. A form: the largest listing is 32 KiB."""


def draft(options: argparse.Namespace) -> int:
    """Write a listing, or a new version of one, and start its way round the stewards."""
    if options.template:
        print(template())
        return 0
    notes: list[str] = []
    base = _base(options)
    content = screened(_content(options, base, notes), options, notes)
    if options.directory:
        return _with_directory_key(options, content, base, notes)
    if base is None:
        raise CommandError("Say who signs: --charter FILE, --change LISTING, or --directory for this node's own key.")
    entry = base.slot.entry if base.slot else b""
    slot = next_slot(base.tip.rid, entry, clock.now(), previous=base.slot, lease_seconds=lease_seconds(options))
    file = file_above(base, Listing(slot=slot, content=content))
    return finish(options, file, options.out or Path("listing.hedgerow.txt"), notes=notes)


def _base(options: argparse.Namespace) -> Base | None:
    if options.charter is not None and options.change:
        raise CommandError("Say --charter or --change, not both.")
    if options.charter is not None:
        return base_of_file(read_draft(options.charter))
    return changeable_base_of(options, options.change) if options.change else None


def _content(options: argparse.Namespace, base: Base | None, notes: list[str]) -> ListingContent:
    if options.form is not None:
        return content_of_form(options.form, options.set, base.content if base else None)
    if not options.set:
        raise CommandError(
            "Say what the listing says: --from FORM, or --set name=… (`--template` prints an empty form)."
        )
    fields: dict[str, str | list[str]] = {}
    if base is not None and base.content is not None:
        fields = fields_from_listing(base.content)
        if listing_from_fields(fields) != replace(base.content, source=""):
            notes.append("The listing held details that a form cannot say; they are not in the new version.")
    return listing_from_fields({**fields, **_said(options.set)})


def content_of_form(path: Path, said: Sequence[str], before: ListingContent | None = None) -> ListingContent:
    """A form (TOML) as a listing. Raises :class:`CommandError` or ``FieldErrors``.

    The meetings of a new version keep the slugs of those ``before``, in order, where the form names none: calendars
    know a meeting by it.
    """
    import tomllib

    with path.open("rb") as file:
        raw = file.read(FORM_BYTES_MAX + 1)
    if len(raw) > FORM_BYTES_MAX:
        raise CommandError(f"{path} is larger than {FORM_BYTES_MAX} bytes: this is not a form.")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not valid TOML: {error}.") from error
    slugs = {f"meeting_{n}_slug": each.slug for n, each in enumerate(before.meetings if before else (), 1)}
    fields = {**flatten(table), **_said(said)}
    for name, slug in slugs.items():
        if any(each.startswith(name.removesuffix("slug")) for each in fields) and not fields.get(name):
            fields[name] = slug
    return listing_from_fields(fields)


def _said(pairs: Sequence[str]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"Write --set FIELD=TEXT; {pair[:40]!r} has no equals sign.")
        fields[name.strip()] = value
    return fields


def screened(content: ListingContent, options: argparse.Namespace, notes: list[str]) -> ListingContent:
    """The content without what is private, and a note for each kind that was taken out."""
    from hedgerow_node.screening.screen import screen

    result = screen(content, frozenset(options.keep))
    for kind, count in sorted(result.withheld.items()):
        if count:
            notes.append(f"Withheld as private: {count} × {kind}. If it is meant to be public, say --keep {kind}.")
    return result.content


def template() -> str:
    """An empty form with every field and what it is for."""
    lines = ["# Fill in what you know and leave the rest out. Then: hedgerow publish charter --from THIS-FILE …", ""]
    for name, explanation in LISTING_FIELDS.items():
        example = "[]" if explanation.endswith("A list.") else '""'
        lines += [f"# {explanation}", f"{name} = {example}"]
    lines += ["", "# One [[meetings]] for each time it is held.", "[[meetings]]"]
    for name, explanation in MEETING_FIELDS.items():
        example = "[]" if explanation.endswith("A list.") else '""'
        lines += [f"# {explanation}", f"{name} = {example}"]
    return "\n".join(lines)


def _with_directory_key(
    options: argparse.Namespace, content: ListingContent, base: Base | None, notes: list[str]
) -> int:
    lease = lease_seconds(options)

    async def publish(door: Door, config: Config) -> str:
        if base is not None and base.shown is not None:
            await change_with_directory_key(door, config, base.shown, content, clock.now(), lease_seconds=lease)
            return ids.to_text(base.shown.id)
        return ids.to_text(await publish_with_directory_key(door, config, content, clock.now(), lease_seconds=lease))

    return _at_once(options, publish, "Published.", notes)


def _at_once(
    options: argparse.Namespace, work: Callable[[Door, Config], Awaitable[str]], done: str, notes: list[str]
) -> int:
    async def run() -> str:
        config = config_of(options)
        async with open_door(config) as door:
            return await work(door, config)

    listing = asyncio.run(run())
    if options.json:
        print(json.dumps({"published": True, "listings": [listing], "notes": notes}, ensure_ascii=False))
        return 0
    for note in notes:
        print(f"Note: {note}")
    print(f"{done} The listing’s id: {listing}")
    return 0


def renew(options: argparse.Namespace) -> int:
    """Confirm a listing for another lease."""
    base = base_of(options, options.listing)
    if base.content is None or base.slot is None:
        raise CommandError("There is no listing here that could be renewed: it is withdrawn or in dispute.")
    if (shown := _own(options, base)) is not None:

        async def work(door: Door, config: Config) -> str:
            await renew_with_directory_key(door, config, shown, clock.now(), lease_seconds=lease_seconds(options))
            return ids.to_text(shown.id)

        return _at_once(options, work, "Renewed.", [])
    slot = next_slot(
        base.tip.rid, base.slot.entry, clock.now(), previous=base.slot, lease_seconds=lease_seconds(options)
    )
    hosts = base.shown.hosts if base.shown else ()
    file = file_above(base, Listing(slot=slot, content=base.content, hosts=hosts))
    return finish(options, file, options.out or Path("renewal.hedgerow.txt"), notes=[])


def withdraw(options: argparse.Namespace) -> int:
    """Take a listing back."""
    base = base_of(options, options.listing)
    if base.slot is None:
        raise CommandError("There is no listing in this file that could be withdrawn.")
    if (shown := _own(options, base)) is not None:

        async def work(door: Door, config: Config) -> str:
            await withdraw_with_directory_key(door, config, shown, clock.now())
            return ids.to_text(shown.id)

        return _at_once(options, work, "Withdrawn.", [])
    file = file_above(base, Withdrawal(slot=withdrawal_slot(base.tip.rid, clock.now(), previous=base.slot)))
    return finish(options, file, options.out or Path("withdrawal.hedgerow.txt"), notes=[])


def _own(options: argparse.Namespace, base: Base) -> ShownListing | None:
    """The listing, when this node's directory key signs for it and nobody asked for a file."""
    if base.shown is None or options.sign_with is not None or options.out is not None:
        return None
    path = config_of(options).directory_key_file
    if not path.exists() or base.shown.slot.charter != directory_signer(load_key(path, Usage.STEWARD)).root:
        return None
    return base.shown
