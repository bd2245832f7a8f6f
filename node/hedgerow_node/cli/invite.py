"""``hedgerow invite``: a link, and its code for a camera, with which somebody can become a member."""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

from hedgerow_node import clock
from hedgerow_node.accounts.invitations import DAYS_MAX, USES_MAX, make_invite
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.directory.door import take_or_find_node
from hedgerow_node.directory.door_folder import FolderLock, load_keys, make_folder
from hedgerow_protocol.ids import NodeId


def invite(options: argparse.Namespace) -> int:
    """Make one invitation, through the running node or in its folder."""
    config = config_of(options)
    if not 1 <= options.uses <= USES_MAX:
        raise CommandError(f"--uses is a whole number from 1 to {USES_MAX}.")
    if not 1 <= options.days <= DAYS_MAX:
        raise CommandError(f"--days is a whole number from 1 to {DAYS_MAX}.")
    made = asyncio.run(_make(config, uses=options.uses, days=options.days))
    if options.json:
        print(json.dumps(made))
        return 0
    for line in words(made):
        print(line)
    if sys.stdout.isatty():
        from hedgerow_node.qr import qr_code

        print("\n".join(qr_code(made["url"]).terminal_lines()))
    return 0


def words(made: dict[str, Any]) -> list[str]:
    """What is said of a link on the terminal."""
    until = datetime.fromtimestamp(made["expires"], UTC).strftime("%Y-%m-%d")
    people = "one person" if made["uses"] == 1 else f"{made['uses']} people"
    lines = [
        made["url"],
        f"It lets {people} make an account here, until {until}. Pass it on so that only they read it: it is not kept.",
    ]
    if made["url"].startswith("http://") and not made["url"].startswith(
        ("http://127.", "http://localhost", "http://[::1]")
    ):
        lines.append("This address is not https: on other devices it first shows how to make the connection safe.")
    return lines


async def _make(config: Config, *, uses: int, days: int) -> dict[str, Any]:
    make_folder(config.data)
    lock = FolderLock(config)
    if not await take_or_find_node(config, lock):
        body = json.dumps({"uses": uses, "days": days}).encode()
        return await door_control.call(config.control_socket, "POST", "/invite", body)
    try:
        return await _make_in_folder(config, uses=uses, days=days)
    finally:
        lock.release()


async def _make_in_folder(config: Config, *, uses: int, days: int) -> dict[str, Any]:
    base = config.base_url
    if not base and (config.port == 0 or config.tls != "off"):
        raise CommandError("Start the node first, or set base_url: the link begins with the node's address.")
    base = base or f"http://{f'[{config.host}]' if ':' in config.host else config.host}:{config.port}"
    from hedgerow_node.app.members import open_members

    key = load_keys(config, clock.entropy).node
    members = await open_members(config, key)
    try:
        made = await make_invite(
            members.accounts, base, NodeId(key.public[1:]), uses=uses, days=days, now=clock.now(), entropy=clock.entropy
        )
    finally:
        await members.close()
    return made.to_json()
