"""``hedgerow setup``: the data folder and a few answers. It asks only on a terminal, and only what no flag said."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hedgerow_node import clock
from hedgerow_node.app.folder import prepare_folder
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.setup_network import ANNOUNCING, WITHOUT_ANNOUNCING, ask_network, shown
from hedgerow_node.config import SETTINGS, Config, ConfigError, check_setting
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.directory.door_folder import FolderLock
from hedgerow_node.directory.keyfiles import short_name
from hedgerow_node.http.help_now.crisis_lines import CrisisLine, crisis_line_toml

Ask = Callable[[str], str]

_QUESTIONS = (
    ("title", "What is your community called? (shown on every page)"),
    ("place", "Which town or area is it in?"),
    ("country", "Which country? Two letters, such as IE or NZ (its emergency numbers come first)"),
)


def setup(options: argparse.Namespace) -> int:
    """Make the data folder, ask, and keep the answers."""
    config = config_of(options)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not options.no_questions and not options.json
    said: dict[str, Any] = {
        setting.name: getattr(config, setting.name)
        for setting in SETTINGS
        if config.origins.get(setting.name) == "flag"
    }
    if asks:
        print(f"Setting up a Hedgerow node in {config.data}. Press Enter to leave an answer open.\n")
        said.update(ask_settings(config, input))
        said.update(ask_network(config, input))
    line = crisis_line_of(options) or (ask_crisis_line(config, said, input) if asks else None)
    config = replace(config, **said)
    made = not config.data.exists()
    keys = prepare_folder(config)
    with FolderLock(config):
        change_settings(config.settings_file, said)
        if line is not None:
            with config.crisis_file.open("a", encoding="utf-8") as file:
                file.write(crisis_line_toml(line))
    if options.json:
        answer = {"data": str(config.data), "made": made, "directory_key": short_name(keys.directory.public)}
        warnings = [ANNOUNCING] if config.announce else []
        print(json.dumps({**answer, "crisis_line": line is not None, "warnings": warnings}))
        return 0
    if config.origins.get("announce") == "flag" and config.announce:
        print(f"{shown(ANNOUNCING)}\n\n{shown(WITHOUT_ANNOUNCING)}")
        print("To announce nothing: hedgerow setup --announce ''")
    print(f"\nReady. Everything is in {config.data}; keep a copy of it: hedgerow backup FILE")
    if line is None:
        print("No crisis line is written down yet: the page “Help now” shows only emergency numbers. Add one with")
        print("  hedgerow setup --crisis-name … --crisis-phone …   (call it first)")
    print("Start the node with: hedgerow serve")
    return 0


def ask_settings(config: Config, ask: Ask) -> dict[str, str]:
    """Ask for the settings no flag said, again while an answer cannot be used."""
    said: dict[str, str] = {}
    for name, question in _QUESTIONS:
        if config.origins.get(name) == "flag":
            continue
        before = getattr(config, name)
        while True:
            answer = ask(f"{question}{f' [{before}]' if before else ''} ").strip()
            if not answer:
                break
            try:
                said[name] = check_setting(name, answer)
            except ConfigError as error:
                print(error)
            else:
                break
    return said


def today() -> date:
    """The date in UTC."""
    return datetime.fromtimestamp(clock.now(), UTC).date()


def crisis_line_of(options: argparse.Namespace) -> CrisisLine | None:
    """The crisis line the flags say."""
    if not options.crisis_name and not options.crisis_phone:
        return None
    if not (options.crisis_name and (options.crisis_phone or options.crisis_url)):
        raise ConfigError("A crisis line has a name and a phone number or a web page: --crisis-name, --crisis-phone.")
    return CrisisLine(
        name=_one_line(options.crisis_name),
        phone=_one_line(options.crisis_phone or ""),
        hours=_one_line(options.crisis_hours or ""),
        url=_one_line(options.crisis_url or ""),
        country=getattr(options, "set_country", None) or "",
        checked=today(),
        source="checked by this community at set-up",
    )


def ask_crisis_line(config: Config, said: dict[str, Any], ask: Ask) -> CrisisLine | None:
    """Ask for one crisis line that somebody called today."""
    print("\nThe page “Help now” should name at least one crisis line that one of you called today.")
    name = _one_line(ask("Its name (Enter to skip): "))
    if not name:
        return None
    phone = _one_line(ask("Its phone number: "))
    hours = _one_line(ask("When does somebody answer? "))
    checked = ask("Did one of you call it today and reach it? [y/N] ").strip().lower() in ("y", "yes")
    if not phone:
        print("Without a phone number it is not written down. You can add it later.")
        return None
    return CrisisLine(
        name=name,
        phone=phone,
        hours=hours,
        country=str(said.get("country", config.country)),
        checked=today() if checked else None,
        source="called by this community" if checked else "not yet called by this community",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
