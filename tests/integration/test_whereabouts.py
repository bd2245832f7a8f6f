"""What the directory tells federation of other nodes: who holds drops, whose relays are which, who is shut out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hedgerow_node import clock
from hedgerow_node.app.whereabouts import DirectoryWhereabouts
from hedgerow_node.directory.service import Directory
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.gossip.settings import DROPS, RELAY, ROOMS, Settings
from hedgerow_protocol.ids import NodeId
from post_offices import key_of

HELPFUL = Settings(rooms=True).features


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    """An empty one."""
    made = Directory.open(tmp_path / "hedgerow.db")
    yield made
    await made.close()


def node(number: int) -> NodeId:
    return NodeId(key_of(number).public[1:])


async def announce(directory: Directory, number: int, address: str, *relays: int, features: tuple[str, ...]) -> None:
    """A node says where it is."""
    key = key_of(number)
    announcer = Announcer(key=key, channel=channel_key(key), features=features, announce=address)
    announcer.relays = tuple(map(node, relays))
    made = announcer.renew(clock.now())
    assert made is not None
    await directory.accept([made.envelope], now=clock.now())


def test_who_relays_and_reads_letters_holds_drops_and_says_so() -> None:
    assert DROPS in HELPFUL
    assert DROPS not in Settings(rooms=True, relay=False).features
    assert DROPS not in Settings().features


async def test_holders_are_those_who_say_so_and_can_be_dialled(directory: Directory) -> None:
    whereabouts = DirectoryWhereabouts(directory)
    assert list(await whereabouts.holders()) == []
    await announce(directory, 1, "https://one.example.org", features=HELPFUL)
    await announce(directory, 2, "https://two.example.org", features=(RELAY, ROOMS))
    await announce(directory, 3, "", 1, 2, features=HELPFUL)
    await announce(directory, 4, "https://four.example.org/drops/1", features=(ROOMS,))
    assert list(await whereabouts.holders()) == [node(1)]
    assert list(await whereabouts.relays_of(node(3))) == [node(1), node(2)]
    assert list(await whereabouts.relays_of(node(1))) == []
    assert list(await whereabouts.relays_of(node(9))) == []


async def test_blocked_nodes_are_shut_out(directory: Directory) -> None:
    whereabouts = DirectoryWhereabouts(directory)
    assert await whereabouts.blocked() == frozenset()
    await directory.block_all([Block(node(7), "", clock.now())], now=clock.now())
    assert await whereabouts.blocked() == {node(7)}
