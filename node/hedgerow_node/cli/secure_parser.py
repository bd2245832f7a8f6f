"""The arguments of the commands that make connections safe."""

from pathlib import Path
from typing import Any


def add_secure_parts(commands: Any, command: Any, lazy: Any) -> None:
    """``hedgerow tls`` and ``hedgerow client-fingerprint``."""
    tls = command(
        commands,
        "tls",
        lazy("tls", "tls"),
        "https with a certificate of this node's own, for a local network",
        more=(
            "Make a certificate authority that vouches for these names and addresses only, and speak https with it. "
            "Without arguments, show what there is. Members' devices must be told once to trust it."
        ),
    )
    tls.add_argument("--name", action="append", default=[], metavar="NAME", help="a name people type (repeatable)")
    tls.add_argument("--address", action="append", default=[], metavar="IP", help="an address they type (repeatable)")
    tls.add_argument("--replace", action="store_true", help="make another; every device must then trust the new one")
    tls.add_argument("--off", action="store_true", help="speak plain http again")
    words = command(
        commands, "client-fingerprint", lazy("fingerprint", "client_fingerprint"), "the eight words of a saved client"
    )
    words.add_argument("file", type=Path, metavar="FILE")
