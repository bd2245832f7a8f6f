"""The parts of ``hedgerow publish`` and their arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hedgerow_node.cli.kinds import KEEP_KINDS

DAYS_HELP = "how long it stays without being confirmed again (default 90, at most 400)"


def add_publish_parts(parts: Any, command: Callable[..., argparse.ArgumentParser], lazy: Callable[..., Any]) -> None:
    """Add key, charter, draft, cosign, submit, renew and withdraw."""
    key = command(parts, "key", lazy("publish_charter", "make_key"), "make your steward key, or show its public part")
    key.add_argument("file", type=Path, metavar="FILE")
    _add_charter(command(parts, "charter", lazy("publish_charter", "charter"), "say who may sign for a listing"))
    _add_draft(command(parts, "draft", lazy("publish_listing", "draft"), "write a listing, or a new version of one"))
    cosign = command(
        parts,
        "cosign",
        lazy("publish_sign", "cosign"),
        "read a file of records and sign it",
        more=(
            "Show what a file says, sign it with your key, and publish it with --data as soon as enough have signed. "
            "Several copies that were signed apart are joined into the first."
        ),
    )
    cosign.add_argument("files", nargs="+", type=Path, metavar="FILE")
    cosign.add_argument("--sign-with", type=Path, metavar="KEYFILE", help="your steward key; without it, only show")
    cosign.add_argument("--out", type=Path, metavar="FILE", help="write here instead of into the first file")
    cosign.add_argument("--yes", action="store_true", help="sign without asking")
    submit = command(parts, "submit", lazy("publish_sign", "submit_file"), "publish a file that enough have signed")
    submit.add_argument("file", type=Path, metavar="FILE")
    for name, explanation in (("renew", "confirm a listing for another lease"), ("withdraw", "take a listing back")):
        part = command(parts, name, lazy("publish_listing", name), explanation)
        part.add_argument("listing", metavar="LISTING", help="its id, or the file it was signed in")
        _add_file_arguments(part)
        part.add_argument("--days", type=int, metavar="N", help=DAYS_HELP)


def _add_charter(charter: argparse.ArgumentParser) -> None:
    charter.add_argument("--steward", action="append", metavar="KEY", help="a public key, or a file with one; repeat")
    charter.add_argument("--threshold", type=int, metavar="K", help="how many must sign (default: a plain majority)")
    charter.add_argument("--change", metavar="LISTING", help="change the stewards of this listing (id or signed file)")
    charter.add_argument("--found-anew", metavar="LISTING", help="found a group anew, with the text of its old listing")
    charter.add_argument("--from", dest="form", type=Path, metavar="FORM", help="put the listing of this form below it")
    _add_listing_arguments(charter)
    _add_file_arguments(charter)


def _add_draft(draft: argparse.ArgumentParser) -> None:
    draft.add_argument("--template", action="store_true", help="print an empty form (TOML) to fill in")
    draft.add_argument("--from", dest="form", type=Path, metavar="FORM", help="the filled-in form (TOML)")
    draft.add_argument(
        "--set", action="append", default=[], metavar="FIELD=TEXT", help="one field; goes before the form"
    )
    draft.add_argument("--charter", type=Path, metavar="FILE", help="the file with the group's charter")
    draft.add_argument("--change", metavar="LISTING", help="a new version of this listing (id or signed file)")
    draft.add_argument("--directory", action="store_true", help="publish at once with this node's directory key")
    _add_listing_arguments(draft)
    _add_file_arguments(draft)


def _add_listing_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--keep", action="append", default=[], choices=KEEP_KINDS, help="do not withhold this kind of private detail"
    )
    part.add_argument("--days", type=int, metavar="N", help=DAYS_HELP)


def _add_file_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("--sign-with", type=Path, metavar="KEYFILE", help="sign it with your steward key at once")
    part.add_argument("--out", type=Path, metavar="FILE", help="where to write the file to pass on")
