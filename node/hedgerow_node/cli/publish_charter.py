"""``hedgerow publish key`` and ``hedgerow publish charter``: who may sign for a listing."""

import argparse
import json
from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.cli.publish_files import Base, base_of, changeable_base_of, file_above, finish, lease_seconds
from hedgerow_node.cli.publish_listing import content_of_form, screened
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.directory.drafts import DraftFile, unsigned
from hedgerow_node.directory.keyfiles import create_key, load_key, public_text, read_public, short_name, write_public
from hedgerow_node.directory.publishing import change_charter, check_charter, found_charter
from hedgerow_node.directory.versions import next_slot
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.records import Charter, Listing


def make_key(options: argparse.Namespace) -> int:
    """Make a steward key, or show the public part of one that is there."""
    path: Path = options.file
    made = not path.exists()
    public = create_key(path, Usage.STEWARD, clock.entropy).public if made else read_public(str(path))
    # Whoever asks about a public file wants to see it, not to have another one.
    beside = path if path.suffix == ".pub" else write_public(path, public)
    if options.json:
        answer = {"file": str(path), "made": made, "public_file": str(beside)}
        print(json.dumps({**answer, "public": public_text(public), "name": short_name(public)}))
        return 0
    if made:
        print(f"Your steward key is in {path}. Keep that file to yourself, and a copy of it in a safe place.")
    print(f"Its public part, to give to the others, is in {beside}: {public_text(public)}")
    print(f"They will see you as {short_name(public)}: tell them, so that they know whose signature it is.")
    return 0


def charter(options: argparse.Namespace) -> int:
    """Found a charter, change its stewards, or found a group anew."""
    if options.change and options.found_anew:
        raise CommandError("Say --change or --found-anew, not both.")
    keys = _stewards(options)
    notes: list[str] = []
    if options.change:
        base = changeable_base_of(options, options.change)
        new = change_charter(base.tip, base.charter, keys, options.threshold, clock.entropy)
        file = file_above(base, new)
        notes.append(_who_must_sign(base.charter, new))
    else:
        new = found_charter(keys, options.threshold, clock.entropy)
        file = _founding_file(options, new, notes)
    notes += check_charter(new)
    return finish(options, file, options.out or Path("charter.hedgerow.txt"), notes=notes)


def _stewards(options: argparse.Namespace) -> list[bytes]:
    keys = [read_public(said) for said in options.steward or []]
    if not keys and options.sign_with is not None and not options.change:
        keys = [load_key(options.sign_with, Usage.STEWARD).public]
    if not keys:
        raise CommandError(
            "Name the stewards: --steward KEY for each of them. `hedgerow publish key FILE` makes a key."
        )
    return keys


def _founding_file(options: argparse.Namespace, new: Charter, notes: list[str]) -> DraftFile:
    founding = unsigned(new)
    content = _content(options, notes)
    if content is None:
        return DraftFile((founding,))
    slot = next_slot(founding.rid, b"", clock.now(), previous=None, lease_seconds=lease_seconds(options))
    return DraftFile((founding, unsigned(Listing(slot=slot, content=content))))


def _content(options: argparse.Namespace, notes: list[str]) -> ListingContent | None:
    old: Base | None = base_of(options, options.found_anew) if options.found_anew else None
    if old is not None:
        notes.append("The group gets a new id; the old listing fades when its lease ends, or when it is withdrawn.")
    if options.form is not None:
        return screened(content_of_form(options.form, []), options, notes)
    if old is None:
        return None
    if old.content is None:
        raise CommandError(
            "The old listing is in dispute, so no text of it is shown. Write it again: --from FORM "
            "(`hedgerow publish draft --template` prints an empty form)."
        )
    return screened(old.content, options, notes)


def _who_must_sign(old: Charter, new: Charter) -> str:
    return (
        f"A change of stewards needs {old.threshold} of the {len(old.stewards)} before and {new.threshold} of the "
        f"{len(new.stewards)} from now on; who belongs to both counts for both."
    )
