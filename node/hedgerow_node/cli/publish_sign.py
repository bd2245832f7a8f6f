"""``hedgerow publish cosign`` and ``submit``: from hand to hand until enough have signed."""

import argparse
import sys
from pathlib import Path

from hedgerow_node.cli.publish_files import ask, can_ask, finish, publish_file, read_draft, tell
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.directory.drafts import DraftFile, add_signature, is_complete, join, missing
from hedgerow_node.directory.keyfiles import load_key
from hedgerow_node.directory.publishing_words import describe_file, describe_progress
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.records import Listing


def cosign(options: argparse.Namespace) -> int:
    """Show what a file says, sign it, write it back, and publish it once it is complete."""
    file = join([read_draft(path) for path in options.files])
    out: Path = options.out or options.files[0]
    notes = private_details(file)
    if options.sign_with is None:
        if len(options.files) > 1 or options.out is not None:
            return finish(options, file, out, notes=notes)
        tell(options, file, out, published=False, notes=notes)
        return 0
    key = load_key(options.sign_with, Usage.STEWARD)
    add_signature(file, key)  # refuses a key that may not sign before anybody is asked
    if all(key.public in each.signed for each in missing(file) if key.public in each.may_sign):
        notes = [*notes, "This key had signed it already."]
    asks = can_ask() and not options.yes and not options.json
    if asks:
        print("\n".join(describe_file(file)), file=sys.stderr)
        for note in notes:
            print(f"\nNote: {note}", file=sys.stderr)
        if not ask("\nSign this?"):
            raise CommandError("Nothing was signed.")
    # Who was asked has just read it all.
    return finish(options, file, out, notes=[] if asks else notes, brief=asks)


def private_details(file: DraftFile) -> list[str]:
    """A sentence for each private detail that screening finds in what is to be signed."""
    from hedgerow_node.screening.find import findings

    notes = []
    for each in missing(file):
        if isinstance(each.record, Listing):
            notes += [
                f"This looks private ({found.kind}) in {found.where}: {found.excerpt}. Is it meant for everybody?"
                for found in findings(each.record.content)
            ]
    return notes


def submit_file(options: argparse.Namespace) -> int:
    """Publish a complete file on this machine's node."""
    file = read_draft(options.file)
    if not is_complete(file):
        raise CommandError("\n".join(["This cannot be published yet.", *describe_progress(file)]))
    notes = publish_file(options, file)
    tell(options, file, options.file, published=True, notes=notes, brief=True)
    return 0
