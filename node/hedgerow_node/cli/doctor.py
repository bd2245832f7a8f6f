"""``hedgerow doctor``: what is wrong with this node, and what to do about it. Changes nothing."""

import argparse
import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.version import version
from hedgerow_node.config import Config, effective
from hedgerow_node.directory import door_control
from hedgerow_node.directory.door_folder import FolderBusyError, FolderError, FolderLock, is_open_to_others
from hedgerow_node.directory.keyfiles import KeyFileError, load_key
from hedgerow_protocol.keys import Usage

DISK_BYTES_MIN = 500 * 1024**2
"""Bytes. Below this a busy import could fill the disk."""

AUTHORITY_DAYS_LEFT_MIN = 60
"""Days. Time for members to let their devices trust another certificate authority."""

EARLIEST_SENSIBLE = 1_767_225_600
"""2026-01-01: a clock before this program was written is wrong."""

NOT_RUNNING = "not running"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    fine: bool
    sentence: str
    advice: bool = False
    """Worth doing, but nothing is broken."""


def doctor(options: argparse.Namespace) -> int:
    """Look everything over; exit code 1 when something is wrong."""
    config = config_of(options)
    if options.print_config:
        return print_config(config, as_json=options.json)
    checks = list(run_checks(config))
    fine = all(check.fine for check in checks)
    if options.json:
        settings = {name: _plain(value) for name, value, _ in effective(config)}
        answer = {"fine": fine, "version": version(), "checks": [asdict(each) for each in checks], "settings": settings}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for check in checks:
            mark = "to do" if check.advice else "ok   " if check.fine else "WRONG"
            print(f"{mark}  {check.name}: {check.sentence}")
    return 0 if fine else 1


def print_config(config: Config, *, as_json: bool) -> int:
    """The settings in force and where each comes from."""
    if as_json:
        print(json.dumps({name: {"value": _plain(value), "from": origin} for name, value, origin in effective(config)}))
        return 0
    for name, value, origin in effective(config):
        print(f"{name} = {json.dumps(_plain(value), ensure_ascii=False)}  # {origin}")
    return 0


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str | int | bool) else str(value)


def run_checks(config: Config) -> Iterator[Check]:
    """Every check in order; the later ones are left out when there is no folder."""
    yield _clock()
    if not config.data.is_dir():
        yield Check("data folder", False, f"{config.data} is not there. `hedgerow setup` makes it.")
        return
    open_to_others = is_open_to_others(config.data)
    advice = f"others on this machine may look into it. Close it: chmod 700 {config.data}"
    yield Check("data folder", not open_to_others, advice if open_to_others else str(config.data))
    free = shutil.disk_usage(config.data).free
    yield Check("disk", free >= DISK_BYTES_MIN, f"{free / 1024**3:.1f} GiB free")
    yield _key(config, "node key", Usage.NODE)
    yield _key(config, "directory key", Usage.STEWARD)
    yield _store(config)
    yield _members(config)
    yield _webui()
    if config.tls == "local":
        yield _certificate(config)
    node = _node(config)
    yield node
    if node.fine and node.sentence != NOT_RUNNING:
        yield from _network(config)
    yield _crisis(config)


def _clock() -> Check:
    fine = clock.now() >= EARLIEST_SENSIBLE
    return Check("clock", fine, "plausible" if fine else "the date of this machine is wrong: set it, then start again")


def _key(config: Config, name: str, usage: Usage) -> Check:
    path = config.node_key_file if usage is Usage.NODE else config.directory_key_file
    if not path.exists():
        return Check(name, True, "not made yet; the first start makes it")
    try:
        load_key(path, usage)
    except KeyFileError as error:
        return Check(name, False, str(error))
    return Check(name, True, str(path))


def _store(config: Config) -> Check:
    if not config.database_file.exists():
        return Check("store", True, "empty: nothing was published here yet")
    from hedgerow_node.store.copies import damage_of

    wrong = damage_of(config.database_file)
    # While a node runs, the newest part lies in the log beside the file.
    parts = (config.database_file, config.database_file.with_name(config.database_file.name + "-wal"))
    size = sum(part.stat().st_size for part in parts if part.exists()) / 1024**2
    return Check("store", not wrong, wrong or f"sound, {size:.1f} MiB")


def _members(config: Config) -> Check:
    from hedgerow_node.cli.doctor_private import private_check

    return Check(*private_check(config.data))


def _webui() -> Check:
    """Whether the built files are those that were built together."""
    from hedgerow_node.bundle import bundle_digest
    from hedgerow_node.http.webui import find_webui

    webui = find_webui()
    if not webui.bundle.sha256:
        return Check("web UI", True, "not built: pages are plain, and members cannot use the app", True)
    if bundle_digest(webui.dist) != webui.bundle.sha256:
        return Check("web UI", False, "its files are not the ones that were built. Install Hedgerow anew.")
    return Check("web UI", True, f"as it was built: {webui.bundle.sha256[:16]}")


def _certificate(config: Config) -> Check:
    from hedgerow_node.tls.files import load
    from hedgerow_node.tls.names import TlsError

    try:
        local = load(config.data)
    except TlsError as error:
        return Check("certificate", False, str(error))
    days = int(local.authority.not_valid_after_utc.timestamp() - clock.now()) // 86_400
    if days < AUTHORITY_DAYS_LEFT_MIN:
        advice = f"its authority ends in {days} days. `hedgerow tls --replace` makes another, for devices to trust anew"
        return Check("certificate", days > 0, advice, days > 0)
    return Check("certificate", True, f"for {', '.join(local.names.hosts)}")


def _node(config: Config) -> Check:
    try:
        with FolderLock(config):
            return Check("node", True, NOT_RUNNING)
    except FolderBusyError:
        pass
    except FolderError as error:
        return Check("node", False, str(error))
    try:
        status = asyncio.run(door_control.call(config.control_socket, "GET", "/status"))
    except (ConnectionError, OSError, door_control.ControlError):
        return Check("node", False, "another process uses the data folder but does not answer; it may just be starting")
    return Check("node", True, f"running, {status.get('listings', 0)} listings")


def _network(config: Config) -> Iterator[Check]:
    """What the running node knows of others; nobody outside is asked."""
    from hedgerow_node.cli.doctor_network import network_checks
    from hedgerow_node.cli.peers import ask_node

    try:
        status = ask_node(config, "GET", "/peers")
    except door_control.ControlError as error:
        yield Check("peers", False, str(error))
        return
    for name, fine, sentence, advice in network_checks(status) if status is not None else ():
        yield Check(name, fine, sentence, advice)


def _crisis(config: Config) -> Check:
    from hedgerow_node.cli.setup import today
    from hedgerow_node.http.help_now.crisis_lines import read_crisis_file

    file = read_crisis_file(config.crisis_file)
    if file.problems:
        return Check("crisis lines", False, " ".join(file.problems))
    if not file.lines:
        return Check("crisis lines", True, f"none yet. Call one, then write it into {config.crisis_file}.", True)
    old = [line.name for line in file.lines if line.is_old(today())]
    if old:
        return Check("crisis lines", True, f"not checked within a year: {', '.join(old)}. Call them again.", True)
    return Check("crisis lines", True, f"{len(file.lines)}, all checked within a year")
