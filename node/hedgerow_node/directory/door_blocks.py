"""The block list for commands: through the running node, or, where none runs, as the only writer."""

import json
from collections.abc import Sequence
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.directory.blocklist import blocklist_to_json
from hedgerow_node.directory.door import open_directory, open_door
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId, to_text

CHUNK: Final = 1_000
"""Blocks. Sent to the running node at once: with the longest reasons below a megabyte."""


def block_to_json(block: Block) -> dict[str, Any]:
    """One line of the block list for programs."""
    return {
        "node" if block.is_node else "listing": to_text(block.target),
        "reason": block.reason,
        "since": int(block.since),
    }


async def read_blocks(config: Config) -> list[Block]:
    """The block list, the latest first; beside whoever writes."""
    if not config.database_file.exists():
        return []
    directory = open_directory(config)
    try:
        return await directory.blocked()
    finally:
        await directory.close()


async def add_blocks(config: Config, those: Sequence[Block]) -> int:
    """Put these on the block list; how many there was room for. Raises what :func:`open_door` does."""
    async with open_door(config) as door:
        if not door.through_node:
            return await door.directory.block_all(those, now=clock.now())
        applied = 0
        for start in range(0, len(those), CHUNK):
            body = blocklist_to_json(those[start : start + CHUNK]).encode()
            answer = await door_control.call(config.control_socket, "POST", "/blocks", body)
            applied += int(answer["blocked"])
        return applied


async def remove_block(config: Config, target: NodeId | ListingId) -> bool:
    """Take one off; whether it was there. Raises what :func:`open_door` does."""
    async with open_door(config) as door:
        if not door.through_node:
            return await door.directory.unblock(target)
        body = json.dumps({"target": to_text(target)}).encode()
        return bool((await door_control.call(config.control_socket, "DELETE", "/blocks", body))["was_there"])
