"""What the network remembers over a restart, and what it leaves out."""

import os
from pathlib import Path

from hedgerow_node.directory.service import Directory
from hedgerow_node.net.announcing import Announcer, channel_key
from hedgerow_node.net.remembering import ADDRESSES, SCORES, Memory
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.errors import Severity
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.records import read_announcement
from net_ends import now

KEY = SigningKey.from_seed(Usage.NODE, b"k" * 32)
SETTINGS = Settings()


async def test_addresses_and_scores_come_back(tmp_path: Path) -> None:
    directory = Directory.open(tmp_path / "public.db")
    memory = Memory(directory)
    machine = await memory.wake(KEY, SETTINGS, now())
    assert len(machine.book) == 0
    other = SigningKey.from_seed(Usage.NODE, os.urandom(32))
    announcer = Announcer(
        key=other, channel=channel_key(other), features=(), announce="https://hedgerow.example.org/groups"
    )
    said = announcer.renew(now().timestamp)
    assert said is not None
    parsed = parse_envelope(said.envelope)
    assert machine.book.learn(read_announcement(parsed.body), parsed, neighbourhood_of("https://a.example.net"), now())
    machine.state.scores.offended(NodeId(other.public[1:]), Severity.HIGH, now())
    score = machine.state.scores.value(NodeId(other.public[1:]), now())
    assert score < 0
    await memory.save(machine, now())
    again = await memory.wake(KEY, SETTINGS, now())
    (entry,) = again.book
    assert entry.addresses == ("https://hedgerow.example.org/groups",)
    assert entry.channel == channel_key(other).public
    assert abs(again.state.scores.value(NodeId(other.public[1:]), now()) - score) < 1
    await directory.close()


async def test_rows_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    directory = Directory.open(tmp_path / "public.db")
    nonsense = [(b"a", b""), (b"b", b"\xc1"), (b"c", b"\x01"), (b"d", b"\x91\xa1x"), (b"e", b"\xdd\xff\xff\xff\xff")]
    for kind in (ADDRESSES, SCORES):
        await directory.replace_network_rows(kind, nonsense)
    machine = await Memory(directory).wake(KEY, SETTINGS, now())
    assert len(machine.book) == 0
    assert len(machine.state.scores) == 0
    await directory.close()


async def test_the_last_announcement_is_remembered(tmp_path: Path) -> None:
    directory = Directory.open(tmp_path / "public.db")
    memory = Memory(directory)
    assert await memory.last_announced() == (0, False)
    await memory.save_announced(1_800_000_000, told=True)
    assert await memory.last_announced() == (1_800_000_000, True)
    await memory.save_announced(1_800_000_001, told=False)
    assert await memory.last_announced() == (1_800_000_001, False)
    await directory.close()
