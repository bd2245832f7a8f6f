"""``hedgerow peers``: whom this node knows, whom its keeper chose, and what its keeper blocks.

While the node runs it does these things itself, at once; otherwise they are written down for its next start.
"""

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config import Config, ConfigError, check_setting
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.directory import door_control
from hedgerow_node.directory.blocklist import (
    TEXT_BYTES_MAX,
    blocklist_from_json,
    blocklist_to_json,
    clean_reason,
    target_from_text,
)
from hedgerow_node.directory.door_blocks import add_blocks, block_to_json, read_blocks, remove_block
from hedgerow_node.directory.door_folder import FolderBusyError, FolderLock, make_folder
from hedgerow_protocol.ids import ListingId, NodeId

NOT_RUNNING: Final = "The node is not running; this holds from its next start."
LEFT: Final = "The node has left the network; start it again to come back."


def peers_list(options: argparse.Namespace) -> int:
    """Whom the keeper chose, and, while the node runs, whom it is connected to."""
    config = config_of(options)
    status = ask_node(config, "GET", "/peers")
    if options.json:
        print(json.dumps(status if status is not None else _as_settings(config.peers), ensure_ascii=False))
        return 0
    from hedgerow_node.cli.peers_table import lines_of

    if status is not None:
        print("\n".join([*([LEFT] if status["left"] else []), *lines_of(status, clock.now())]))
        return 0
    for url in config.peers:
        print(url)
    print("The node is not running." if config.peers else "No peers are chosen, and the node is not running.")
    return 0


def peers_add(options: argparse.Namespace) -> int:
    """Choose one more."""
    config, url = config_of(options), _peer(options)
    status = _change(config, url, keep=True)
    if status is None:
        kept = _write(config, lambda peers: (*peers, url))
        return _answer(options, _as_settings(kept), f"Kept: {url}\n{NOT_RUNNING}")
    return _answer(options, status, f"Kept: {url}\n{LEFT if status['left'] else 'The node is calling it now.'}")


def peers_remove(options: argparse.Namespace) -> int:
    """Forget one."""
    config, url = config_of(options), _peer(options)
    status = _change(config, url, keep=False)
    if status is not None and status["was_there"]:
        return _answer(options, status, f"Forgotten: {url}")
    if status is not None or url not in config.peers:
        raise CommandError(f"{url} is not among the peers kept here.")
    kept = _write(config, lambda peers: tuple(each for each in peers if each != url))
    return _answer(options, _as_settings(kept), f"Forgotten: {url}\n{NOT_RUNNING}")


def peers_leave(options: argparse.Namespace) -> int:
    """Leave the network: be found by nobody, call nobody, forget the others."""
    from hedgerow_node.app.peering import ALONE, forget_others
    from hedgerow_node.directory.door import open_directory
    from hedgerow_node.net.announcing import LIFE_SECONDS

    config, days = config_of(options), LIFE_SECONDS // 86_400
    status = ask_node(config, "POST", "/peers/leave")
    if status is None:
        make_folder(config.data)
        with FolderLock(config):
            change_settings(config.settings_file, ALONE)
            if config.database_file.exists():
                asyncio.run(_forget(lambda: open_directory(config), forget_others))
    said = (
        "This node is on its own now: no peers, no announcement, nothing on the local network.\n"
        f"What it announced before cannot be called back: other nodes forget it within {days} days.\n"
        "To come back: hedgerow peers add URL, and start the node again."
    )
    return _answer(options, {"left": True, "forgotten_within_days": days}, said)


async def _forget(open_it: Callable[[], Any], forget: Callable[[Any], Any]) -> None:
    directory = open_it()
    try:
        await forget(directory)
    finally:
        await directory.close()


def peers_block(options: argparse.Namespace) -> int:
    """Carry a node's records, or a listing, no longer."""
    from hedgerow_node.store.blocks import Block

    config, target = config_of(options), _target(options.id)
    those = [Block(target, clean_reason(options.reason), clock.now())]
    if not asyncio.run(add_blocks(config, those)):
        raise CommandError("The block list is full.")
    return _answer(options, {"blocked": 1}, f"Blocked: {options.id}")


def peers_unblock(options: argparse.Namespace) -> int:
    """Take one off the block list."""
    config, target = config_of(options), _target(options.id)
    if not asyncio.run(remove_block(config, target)):
        raise CommandError(f"{options.id} is not on the block list.")
    return _answer(options, {"unblocked": 1}, f"Unblocked: {options.id}\nWhat others hold of it comes back from them.")


def peers_blocks(options: argparse.Namespace) -> int:
    """Show the block list."""
    rows = [block_to_json(each) for each in asyncio.run(read_blocks(config_of(options)))]
    lines = [
        f"{'node   ' if 'node' in row else 'listing'}  {row.get('node', row.get('listing'))}  {row['reason']}".rstrip()
        for row in rows
    ]
    return _answer(options, {"blocks": rows}, "\n".join(lines) or "Nothing is blocked.")


def peers_export_blocks(options: argparse.Namespace) -> int:
    """Write the block list into a file for other keepers."""
    blocks = asyncio.run(read_blocks(config_of(options)))
    options.file.write_text(blocklist_to_json(blocks), encoding="utf-8")
    return _answer(options, {"blocks": len(blocks), "file": str(options.file)}, f"Written: {options.file}")


def peers_import_blocks(options: argparse.Namespace) -> int:
    """Block what another keeper blocks."""
    config = config_of(options)
    those = blocklist_from_json(_read(options.file), now=clock.now())
    applied = asyncio.run(add_blocks(config, those)) if those else 0
    if applied < len(those):
        raise CommandError(f"The block list is full: {applied} of {len(those)} blocks were taken.")
    return _answer(options, {"blocked": applied}, f"Blocked from this list: {applied}")


def ask_node(config: Config, method: str, path: str, body: bytes = b"") -> dict[str, Any] | None:
    """What the running node answers; ``None`` when none runs. Raises :class:`~…door_control.ControlError`."""
    try:
        return asyncio.run(door_control.call(config.control_socket, method, path, body))
    except (ConnectionError, FileNotFoundError):
        return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(TEXT_BYTES_MAX + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not a block list: it is not text in UTF-8.") from error


def _target(said: str) -> NodeId | ListingId:
    # The web address of a listing ends in its id.
    return target_from_text(said.strip().rstrip("/").rpartition("/")[2].removesuffix(".json").lower())


def _peer(options: argparse.Namespace) -> str:
    peers = check_setting("peers", [options.url])
    if not peers or not peers[0]:
        raise ConfigError("A peer is a web address such as https://hedgerow.example.org.")
    return str(peers[0])


def _change(config: Config, url: str, *, keep: bool) -> dict[str, Any] | None:
    return ask_node(config, "POST", "/peers", json.dumps({"url": url, "keep": keep}).encode())


def _write(config: Config, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
    make_folder(config.data)
    kept: tuple[str, ...] = check_setting("peers", tuple(dict.fromkeys(change(config.peers))))
    try:
        with FolderLock(config):
            change_settings(config.settings_file, {"peers": kept})
    except FolderBusyError as error:
        raise CommandError("The node is just starting or stopping. Try again in a moment.") from error
    return kept


def _as_settings(peers: tuple[str, ...]) -> dict[str, Any]:
    rows = [{"url": url, "connected": False, "problem": ""} for url in peers]
    return {"peers": rows, "connected": 0, "links": []}


def _answer(options: argparse.Namespace, value: dict[str, Any], said: str) -> int:
    print(json.dumps(value, ensure_ascii=False) if options.json else said)
    return 0
