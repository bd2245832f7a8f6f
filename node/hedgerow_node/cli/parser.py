"""The commands and their arguments. ``serve`` is what happens when no command is named."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hedgerow_node.cli.bench_parser import add_bench_parts
from hedgerow_node.cli.kinds import KEEP_KINDS
from hedgerow_node.cli.publish_parser import add_publish_parts
from hedgerow_node.cli.secure_parser import add_secure_parts
from hedgerow_node.config import SETTINGS, Config, ConfigError, load_config

COMMANDS = (
    "serve", "setup", "import", "export", "search", "publish", "peers", "invite", "keeper-link", "tls",
    "client-fingerprint", "backup", "restore", "doctor", "bench",
)  # fmt: skip

_VALUED = ("--data",)
"""Flags before the command that take a value."""


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=100)


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Read the arguments. Raises :class:`ConfigError` for an unknown flag, and :class:`SystemExit` as argparse does."""
    options, unknown = build_parser().parse_known_args(_with_command(list(arguments)))
    if unknown:
        raise ConfigError(_unknown(unknown[0], options.parser))
    options.environ = environ
    return options


def _unknown(said: str, parser: argparse.ArgumentParser) -> str:
    from difflib import get_close_matches

    if not said.startswith("-"):
        return f"{said[:60]!r} is one word too many. See: {parser.prog} --help"
    flag = said.partition("=")[0]
    known = [flag for action in parser._actions for flag in action.option_strings]
    near = get_close_matches(flag, known, n=1)
    return f"There is no {flag[:60]} here.{f' Did you mean {near[0]}?' if near else ''} See: {parser.prog} --help"


def config_of(options: argparse.Namespace) -> Config:
    """The settings as this command line, the environment and the data folder say them."""
    names = ("data", *(setting.name for setting in SETTINGS))
    said = {name: getattr(options, f"set_{name}", None) for name in names}
    return load_config(said, options.environ)


def _with_command(arguments: list[str]) -> list[str]:
    index = 0
    before: list[str] = []
    while index < len(arguments):
        each = arguments[index]
        if each in ("-h", "--help", "--version"):
            return arguments
        if each == "--json" or each.startswith("--data="):
            taken = 1
        elif each in _VALUED:
            taken = 2
        else:
            break
        before += arguments[index : index + taken]
        index += taken
    rest = arguments[index:]
    if rest and not rest[0].startswith("-"):
        # What stood before the command goes behind it, so that each command knows all of its flags.
        command = rest[0]
        inner = 2 if command in ("publish", "export", "peers", "bench") and len(rest) > 1 and rest[1][:1] != "-" else 1
        return [*rest[:inner], *before, *rest[inner:]]
    return ["serve", *before, *rest]


def _lazy(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        return int(getattr(import_module(f"hedgerow_node.cli.{module}"), name)(options))

    return run


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; the docs are made from it."""
    parser = argparse.ArgumentParser(
        prog="hedgerow",
        description="Peer support without an owner. Without a command, starts the node.",
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serving(commands)
    _add_import(commands)
    _add_reading(commands)
    _add_publish(commands)
    _add_keeping(commands)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from hedgerow_node.cli.version import version

        print(f"hedgerow {version()}")
        parser.exit()


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], explanation: str, *, more: str = ""
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=explanation,
        description=more or explanation[:1].upper() + explanation[1:] + ".",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("--data", dest="set_data", metavar="DIR", help="the data folder")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    for setting in SETTINGS:
        explanation = setting.explanation.replace("%", "%%")
        dest = f"set_{setting.name}"
        if setting.name == "lan":
            parser.add_argument("--lan", dest=dest, action=argparse.BooleanOptionalAction, help=explanation)
        elif setting.many:
            parser.add_argument(setting.flag, dest=dest, action="append", metavar="VALUE", help=explanation)
        else:
            parser.add_argument(setting.flag, dest=dest, metavar=setting.name.upper(), help=explanation)


def _add_serving(commands: Any) -> None:
    serve = _command(commands, "serve", _lazy("serving", "serve"), "start the node (what happens without a command)")
    _add_settings(serve)
    serve.add_argument("--print-config", action="store_true", help="show the settings in force and end")
    setup = _command(
        commands,
        "setup",
        _lazy("setup", "setup"),
        "make the data folder and answer a few questions",
        more="Make the data folder, its keys and its settings. On a terminal it asks; flags answer before it asks.",
    )
    _add_settings(setup)
    setup.add_argument("--no-questions", action="store_true", help="ask nothing, even on a terminal")
    for name, explanation in (
        ("name", "name of one crisis line that somebody checked today"),
        ("phone", "its phone number"),
        ("hours", "when it answers"),
        ("url", "its web page"),
    ):
        setup.add_argument(f"--crisis-{name}", metavar="TEXT", help=explanation)


def _add_import(commands: Any) -> None:
    parser = _command(
        commands,
        "import",
        _lazy("importing", "import_feed"),
        "bring a meeting feed in, or bring it up to date",
        more=(
            "Read one feed (Meeting Guide JSON, CSV or Google Sheet, BMLT, iCalendar, HSDS; all files of one call are "
            "one source), withhold what is private, and publish what changed since the last time."
        ),
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--program", required=True, metavar="CODE", help="whose codes the feed uses: aa, al-anon, na …; sg: none"
    )
    parser.add_argument("--source", metavar="ID", help="the feed's name here (default: made from the files' names)")
    parser.add_argument("--tz", default="", metavar="ZONE", help="time zone of meetings that name none: Europe/Dublin")
    parser.add_argument("--sign-with", type=Path, metavar="FILE", help="a steward key instead of the directory key")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        choices=KEEP_KINDS,
        help="do not withhold this kind of private detail (repeatable)",
    )
    parser.add_argument("--allow-withdraw", action="store_true", help="many listings vanished, and that is right")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")


def _add_reading(commands: Any) -> None:
    search = _command(commands, "search", _lazy("searching", "search"), "search the listings of this node")
    search.add_argument("words", nargs="*", metavar="WORD", help="words to look for")
    for name, metavar, explanation in (
        ("experience", "TAG", "bereavement, parenting, alcohol …"),
        ("program", "CODE", "aa, al-anon, na …"),
        ("from", "HH:MM", "begins at or after"),
        ("until", "HH:MM", "begins at or before"),
        ("tz", "ZONE", "your time zone"),
        ("attendance", "HOW", "in_person, online or hybrid"),
        ("near", "LAT,LON,KM", "not farther than this"),
        ("language", "TAG", "en, es, de …"),
        ("limit", "N", "at most so many (up to 200)"),
        ("cursor", "TEXT", "go on where a former answer ended"),
    ):
        search.add_argument(f"--{name}", dest=f"q_{name}", metavar=metavar, help=explanation)
    search.add_argument("--weekday", dest="q_weekday", action="append", metavar="0-6", help="0 = Sunday (repeatable)")
    search.add_argument("--access", dest="q_access", action="append", metavar="TAG", help="wheelchair … (repeatable)")
    export = _command(commands, "export", _lazy("searching", "export"), "write all listings in a standard format")
    export.add_argument("format", choices=("meeting-guide", "calendar", "hsds"))
    export.add_argument("--out", type=Path, metavar="FILE", help="write to a file instead of the screen")
    export.add_argument("--discreet", default="", metavar="TITLE", help="calendar: show only this title, no details")


def _add_publish(commands: Any) -> None:
    publish = commands.add_parser(
        "publish",
        help="write, co-sign, renew and withdraw listings",
        description="Write, co-sign, renew and withdraw listings. Files pass from steward to steward as you like.",
        formatter_class=_Formatter,
    )
    parts = publish.add_subparsers(dest="part", metavar="PART", required=True)
    add_publish_parts(parts, _command, _lazy)


def _add_peers(commands: Any) -> None:
    peers = commands.add_parser(
        "peers",
        help="the other nodes this one knows, and what it blocks",
        formatter_class=_Formatter,
        description="Whom this node is connected to, whom you chose, and what you block.",
    )
    parts = peers.add_subparsers(dest="part", metavar="PART", required=True)
    _command(parts, "list", _lazy("peers", "peers_list"), "show whom you chose and who is connected")
    for name, explanation in (("add", "choose one, at once and for good"), ("remove", "choose it no longer")):
        part = _command(parts, name, _lazy("peers", f"peers_{name}"), explanation)
        part.add_argument("url", metavar="URL", help="a node's web address")
    leave = "forget all peers, announce nothing, stay off the local network"
    _command(parts, "leave", _lazy("peers", "peers_leave"), leave)
    _command(parts, "rooms", _lazy("peers_rooms", "peers_rooms"), "show how others do with the rooms you share")
    _command(parts, "proofs", _lazy("peers_rooms", "peers_proofs"), "print proofs that a node told two stories")
    check = _command(parts, "check-proof", _lazy("peers_rooms", "peers_check_proof"), "check such proofs")
    check.add_argument("file", type=Path, metavar="FILE")
    block = _command(parts, "block", _lazy("peers", "peers_block"), "carry a node's records or a listing no longer")
    block.add_argument("--reason", default="", metavar="TEXT", help="one sentence, also for keepers you share it with")
    unblock = _command(parts, "unblock", _lazy("peers", "peers_unblock"), "take something off the block list")
    for part in (block, unblock):
        part.add_argument("id", metavar="ID", help="the id of a node, or the id or web address of a listing")
    _command(parts, "blocks", _lazy("peers", "peers_blocks"), "show the block list")
    for name, explanation in (("export", "write the block list into a file"), ("import", "add another's block list")):
        part = _command(parts, f"{name}-blocks", _lazy("peers", f"peers_{name}_blocks"), explanation)
        part.add_argument("file", type=Path, metavar="FILE")


def _add_invite(commands: Any) -> None:
    invite = _command(
        commands,
        "invite",
        _lazy("invite", "invite"),
        "make a link with which somebody can become a member",
        more="Make a link, and its code for a phone's camera. Whoever has it can make an account on this node.",
    )
    invite.add_argument("--uses", type=int, default=1, metavar="N", help="for how many people (1 by default)")
    invite.add_argument("--days", type=int, default=7, metavar="N", help="for how many days (7 by default)")


def _add_keeping(commands: Any) -> None:
    _add_invite(commands)
    _command(commands, "keeper-link", _lazy("keeping", "keeper_link"), "make a one-time link to the keeper's page")
    doctor = _command(commands, "doctor", _lazy("doctor", "doctor"), "look for what is wrong with this node")
    _add_settings(doctor)
    doctor.add_argument("--print-config", action="store_true", help="only show the settings in force")
    _add_peers(commands)
    add_secure_parts(commands, _command, _lazy)
    backup = _command(commands, "backup", _lazy("backup", "backup"), "write everything into one file")
    backup.add_argument("file", type=Path, metavar="FILE")
    restore = _command(commands, "restore", _lazy("backup", "restore"), "bring a backup back")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--replace", action="store_true", help="the data folder holds data; move it aside")
    bench = commands.add_parser("bench", help="measure this machine", formatter_class=_Formatter)
    add_bench_parts(bench.add_subparsers(dest="subject", metavar="WHAT", required=True), _command, _lazy)
