"""``hedgerow tls``: https with a certificate of this node's own, for places no public certificate can be had for."""

import argparse
import json
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.directory.door_folder import FolderLock, make_folder
from hedgerow_node.fingerprint import hex_of, words_of
from hedgerow_node.tls.files import LocalTls, is_set_up, load, set_up
from hedgerow_node.tls.names import Names, TlsError, read_names

PAGE = "/safe-connection"


def tls(options: argparse.Namespace) -> int:
    """Make the certificate, show it, or speak plain http again."""
    config = config_of(options)
    if options.off:
        return _off(options, config)
    if not options.name and not options.address:
        if options.replace:
            raise CommandError("Say for which names and addresses: --name, --address.")
        return _show(options, config)
    names = read_names(options.name, options.address)
    make_folder(config.data)
    with FolderLock(config):
        local = _made(config, names, replace=options.replace)
        change_settings(config.settings_file, {"tls": "local"})
    _answer(options, config, local, on=True)
    return 0


def _made(config: Config, names: Names, *, replace: bool) -> LocalTls:
    if is_set_up(config.data) and not replace:
        local = load(config.data)
        if (set(local.names.names), set(local.names.addresses)) != (set(names.names), set(names.addresses)):
            raise CommandError(
                f"A certificate for {', '.join(local.names.hosts)} is there already, and devices trust it for these. "
                "Say --replace to make another; every device must then trust the new one."
            )
        return local
    return set_up(config.data, names, clock.now())


def _off(options: argparse.Namespace, config: Config) -> int:
    make_folder(config.data)
    with FolderLock(config):
        change_settings(config.settings_file, {"tls": "off"})
    if options.json:
        print(json.dumps({"on": False}))
    else:
        print("The node speaks plain http from its next start. The certificate stays in the data folder.")
        print("Devices that trust it can stop doing so: the page /safe-connection says how.")
    return 0


def _show(options: argparse.Namespace, config: Config) -> int:
    if not is_set_up(config.data):
        if options.json:
            print(json.dumps({"set_up": False, "on": False}))
            return 0
        print("This node has no certificate of its own. It needs the names and addresses that people will type:")
        print(f"  {_suggestion()}")
        print("Every device must then be told once to trust it. A public name and a reverse proxy are less work for")
        print("members: see docs/keeper.md.")
        return 0
    _answer(options, config, load(config.data), on=config.tls == "local")
    return 0


def _suggestion() -> str:
    """A command that fits this machine; nobody is asked for it."""
    name = socket.gethostname().partition(".")[0].lower()
    parts = ["hedgerow tls"]
    try:
        parts += [f"--name {each}" for each in read_names([f"{name}.local"], []).names if name != "localhost"]
    except TlsError:
        parts.append("--name hedgerow.local")
    return " ".join([*parts, f"--address {_own_address() or '192.168.1.20'}"])


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A datagram socket that is "connected" sends nothing; it only says which of our addresses leads outside.
            probe.connect(("192.0.2.1", 9))
            found = str(probe.getsockname()[0])
        except OSError:
            return ""
    return "" if ip_address(found).is_loopback else found


def _answer(options: argparse.Namespace, config: Config, local: LocalTls, *, on: bool) -> None:
    if options.json:
        print(json.dumps(_facts(config, local, on=on), ensure_ascii=False))
        return
    for line in _lines(config, local, on=on):
        print(line)
    if on and sys.stdout.isatty():
        from hedgerow_node.qr import qr_code

        print("\n".join(qr_code(_page(config, local)).terminal_lines()))


def _facts(config: Config, local: LocalTls, *, on: bool) -> dict[str, Any]:
    return {
        "set_up": True,
        "on": on,
        "names": list(local.names.names),
        "addresses": [str(each) for each in local.names.addresses],
        "urls": [_url(config, host) for host in local.names.hosts],
        "fingerprint": hex_of(local.fingerprint),
        "words": list(words_of(local.fingerprint)),
        "authority_until": int(local.authority.not_valid_after_utc.timestamp()),
        "server_until": int(local.server.not_valid_after_utc.timestamp()),
    }


def _lines(config: Config, local: LocalTls, *, on: bool) -> Iterator[str]:
    yield "This node's own certificate authority vouches for " + ", ".join(local.names.hosts) + " and nothing else."
    yield f"It ends on {_day(local.authority.not_valid_after_utc)}; the server's part is made anew by itself in time."
    yield ""
    yield "Its fingerprint, for people to compare before their device trusts it:"
    yield f"  {' '.join(words_of(local.fingerprint))}"
    for half in (hex_of(local.fingerprint)[:48], hex_of(local.fingerprint)[48:]):
        yield f"  {half.strip(':')}"
    yield ""
    if not on:
        yield 'It is not in use. To use it, write tls = "local" into the settings, or say the names again.'
        return
    yield "From the next start the node speaks https on its port, and http to devices that do not trust it yet:"
    for host in local.names.hosts:
        yield f"  {_url(config, host)}"
    if config.host in ("127.0.0.1", "localhost", "::1"):
        yield "It still listens on this machine only. To let others in, say where: hedgerow setup --host 0.0.0.0"
    yield f"On each device, open {_page(config, local)} and follow it."


def _page(config: Config, local: LocalTls) -> str:
    """Where a device that does not trust it yet reads how: over http."""
    return f"http://{local.names.hosts[0]}:{config.port}{config.path_prefix}{PAGE}"


def _url(config: Config, host: str) -> str:
    return f"https://{host}{f':{config.port}' if config.port else ''}{config.path_prefix}/"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
