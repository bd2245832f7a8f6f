"""``hedgerow client-fingerprint FILE``: the eight words of a saved client, to compare with another person."""

import argparse
import hashlib
import json
from pathlib import Path

from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.fingerprint import words_of

CLIENT_BYTES_MAX = 16 * 1024**2
"""Bytes. A saved client has less than one million; anything this large is another file."""


def client_fingerprint(options: argparse.Namespace) -> int:
    """Print the words; exit code 1 when the file is not the client that this installation gives out."""
    from hedgerow_node.http.webui import find_webui

    file: Path = options.file
    with file.open("rb") as opened:
        body = opened.read(CLIENT_BYTES_MAX + 1)
    if len(body) > CLIENT_BYTES_MAX:
        raise CommandError(f"{file} is too large to be a saved client.")
    digest = hashlib.sha256(body).digest()
    own = find_webui().bundle.client
    same = own == digest.hex() if own else None
    if options.json:
        print(json.dumps({"words": list(words_of(digest)), "sha256": digest.hex(), "same_as_this_version": same}))
    else:
        print(" ".join(words_of(digest)))
        print(digest.hex())
        print(
            {
                True: "This is the client of the version installed here.",
                False: "This is not the client of the version installed here. Another version has other words.",
                None: "The web UI is not built here, so there is nothing to compare it with.",
            }[same]
        )
    return 1 if same is False else 0
