"""Hostile peers on real sockets: they shake hands as they should and then misbehave; the node stays up and bounded."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hedgerow_node import app, clock
from hedgerow_node.net import bounds
from hedgerow_node.net.announcing import channel_key, relay_address
from hedgerow_protocol import messages, wire
from hedgerow_protocol.channel import Channel, Transmit
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.events import Dial, Reason, Why
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.messages import (
    DIGEST_BYTES,
    Bye,
    CircuitClosed,
    CircuitData,
    Graft,
    Have,
    Hello,
    Incoming,
    Message,
    Peers,
    Ping,
    Pong,
    Reconcile,
    Records,
    Reserve,
    Reserved,
    Want,
)
from hostile_peer import Circle, Hostile, Hours, hostile, minted_announcement, settled, spoiled
from net_ends import now, until
from networks import agreed, eventually, linked, names, node_in, publish, shown, state_hash

Figure = Callable[[str, float], None]


def batches(envelopes: Iterable[bytes], many: int = 20) -> list[Message]:
    """Records to push, so many in one message."""
    whole = list(envelopes)
    return [Records(0, tuple(whole[at : at + many])) for at in range(0, len(whole), many)]


def score(node: app.Node, stranger: Hostile) -> float:
    """What the node thinks of a stranger."""
    assert node.network._machine is not None
    return node.network._machine.state.scores.value(stranger.id, now_of(node))


def now_of(node: app.Node) -> object:
    """This moment on the node's clocks."""
    return node.network._engine.now()


async def still_well(node: app.Node, other: app.Node, name: str = "Still here") -> float:
    """An honest listing still comes over an honest link; how many seconds it took, from its acknowledgement."""
    lid = await publish(other, name)

    async def is_shown() -> bool:
        return await node.directory.listing(lid, now=clock.now()) is not None

    return await eventually(is_shown, f"{name} shown")


@pytest.mark.parametrize("kind", ["new", "forged"])
async def test_a_flood_of_a_thousand_records_a_second(tmp_path: Path, kind: str, figure: Figure) -> None:
    flood = Circle(1).many(4_000)
    if kind == "forged":
        flood = [spoiled(each) for each in flood]
    async with node_in(tmp_path / "a") as victim, node_in(tmp_path / "b", victim.address) as honest:
        await linked(victim, 1)
        await still_well(victim, honest, "Warm")
        calm = sum([await still_well(victim, honest, f"Calm {number}") for number in range(10)]) / 10
        async with hostile(victim) as stranger:

            async def pour() -> None:
                loop = asyncio.get_running_loop()
                for message in batches(flood):
                    pause = loop.time() + 0.02
                    if not await stranger.say(message):
                        return
                    await asyncio.sleep(pause - loop.time())

            began = time.monotonic()
            pouring = asyncio.create_task(pour())
            late = sum([await still_well(victim, honest, f"In the flood {number}") for number in range(10)]) / 10
            await pouring
            seconds = time.monotonic() - began
            await until(lambda: not victim.network.judging.waiting_bytes(_link_of(victim, stranger)), "judged")
            status = await victim.directory.status(now=clock.now())
            # A burst of 500 and 20 a second, however many come; and 21 honest ones, their charter and its host's claim.
            assert status.records <= 500 + 20 * (seconds + 1) + 23
            if kind == "forged":
                assert score(victim, stranger) < 0
                assert status.records <= 23
                assert victim.network.status().refused["bad_signature"] >= 1
            await agreed([victim, honest])
    figure("calm ms", 1_000 * calm)
    figure("flooded ms", 1_000 * late)


def _link_of(node: app.Node, stranger: Hostile) -> object:
    found = [number for number, each in node.network.gate.links.items() if each.peer == stranger.id]
    return found[0] if found else 0


async def test_wrong_signatures_are_counted_and_then_nobody_listens(tmp_path: Path) -> None:
    circle = Circle(2)
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        await stranger.say(Records(0, (circle.founding.to_bytes(),)))
        for number in range(12):
            await stranger.say(Records(0, (spoiled(circle.listing(f"Forged {number}", entry=number).to_bytes()),)))
            await settled(node)
        await until(lambda: node.network.status().refused.get("bad_signature", 0) >= 3, "refusals")
        await stranger.say(Ping(bytes(8), 0, bytes(DIGEST_BYTES)))
        await until(lambda: stranger.ended or bool(stranger.all(Pong)), "an answer or a goodbye")
        assert node.network.status().refused["bad_signature"] <= 12
        assert await names(node) == set()
        if not stranger.ended:
            assert score(node, stranger) < -20
            await stranger.say(Records(0, (circle.listing("Right, but too late").to_bytes(),)))
            await settled(node)
        assert await names(node) == set()


async def test_replays_change_nothing_and_a_forged_copy_does_not_hide_the_true_one(tmp_path: Path) -> None:
    circle = Circle(3)
    old, new = circle.listing("Before"), circle.listing("After", seq=2)
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger, hostile(node) as honest:
        await stranger.say(Records(0, (circle.founding.to_bytes(), spoiled(new.to_bytes()))))
        await honest.say(Records(0, (old.to_bytes(), new.to_bytes())))
        await shown(node, "After")
        before = await state_hash(node)
        for _ in range(20):
            pair = (old.to_bytes(), new.to_bytes(), circle.founding.to_bytes())
            await stranger.say(Records(0, pair), Records(7, pair), Have((old.rid, new.rid)))
        await settled(node)
        await honest.say(Ping(bytes(8), 0, bytes(DIGEST_BYTES)))
        await honest.heard_of(Pong)
        assert await state_hash(node) == before
        assert await names(node) == {"After"}
        assert score(node, honest) >= 0


async def test_expired_and_future_records_are_refused_without_blame(tmp_path: Path) -> None:
    circle = Circle(4)
    day = 86_400
    late = [circle.listing("Late", entry=1, issued=clock.now() - 100 * day, days=90).to_bytes()]
    early = [circle.listing("Early", entry=2, issued=clock.now() + 3 * day).to_bytes()]
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        await stranger.say(Records(0, (circle.founding.to_bytes(), *late, *early)))
        await until(lambda: sum(node.network.refused.values()) >= 2, "refusals")
        assert node.network.status().refused == {"expired": 1, "from_the_future": 1}
        await stranger.say(Records(0, (circle.listing("In time").to_bytes(),)))
        await shown(node, "In time")
        assert score(node, stranger) >= 0


@pytest.mark.parametrize(
    "frame",
    [
        messages.encode(Graft())[:-1],
        b"",
        messages.encode(Records(0, (b"x" * 30_001, b"y" * 30_001))),
        b"\x91\xcc\x08",
        b"\x94" + messages.encode(Ping(bytes(8), 0, bytes(DIGEST_BYTES)))[1:] + b"\x00",
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
        wire.encode((6, (bytes(31),))),
    ],
    ids=["truncated", "empty", "too many bytes", "not canonical", "more behind", "no value", "a huge map",
         "a short id"],
)  # fmt: skip
async def test_frames_that_are_wrong_end_the_link_and_nothing_else(tmp_path: Path, frame: bytes) -> None:
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        if not frame:
            await stranger.socket.send_bytes(stranger.channel._handshake.encrypt(b""))  # type: ignore[union-attr]
            await stranger.is_left()
            assert node.network.status().ended["malformed"] == 1
        else:
            for _ in range(40):
                if not await stranger.say_frames([frame]):
                    break
                await settled(node)
            if score(node, stranger) > -40:
                assert score(node, stranger) < -20, "at least nobody listens to its records any more"
                return
            await stranger.is_left()
            assert stranger.all(Bye)[-1].reason == Reason.MISBEHAVED
            async with hostile(node, key=stranger.key, greet=False) as again:
                await again.is_left()
                assert again.all(Bye)[-1].reason == Reason.MISBEHAVED
        async with hostile(node) as another:
            assert another.all(Hello)


async def test_a_message_that_is_too_large_for_the_wire(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        await stranger.socket.send_bytes(bytes(bounds.MESSAGE_BYTES_MAX + 1))
        await stranger.is_left()
        await until(lambda: node.network.status().ended.get("malformed", 0) == 1, "the end")


async def test_reconciliation_that_never_ends_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    def endless(message: Message) -> Iterable[Message]:
        if isinstance(message, Reconcile):
            yield Reconcile(message.payload)
            yield Reconcile(message.payload[:1] + bytes(range(100)))

    hours = Hours(monkeypatch)
    async with node_in(tmp_path / "a") as node, node_in(tmp_path / "b", node.address) as honest:
        await linked(node, 1)
        for number in range(30):
            await publish(node, f"Circle {number}")
        async with hostile(node, answer=endless) as stranger:
            for number in range(360):  # an hour
                said = await stranger.say(Ping(bytes(8), 7, number.to_bytes(DIGEST_BYTES, "big")))
                await hours.let(10, node, honest, step=10)
                if not said:
                    break
            figure("bytes an hour", stranger.bytes_heard)
            assert stranger.bytes_heard < 1_000_000
        await still_well(node, honest)


async def test_false_digests_for_ever_cost_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """Each ping and pong shows another set; reconciliations are answered by nobody."""

    def lies(message: Message) -> Iterable[Message]:
        if isinstance(message, Ping):
            yield Pong(message.nonce, 99, clock.entropy(DIGEST_BYTES))

    hours = Hours(monkeypatch)
    async with node_in(tmp_path / "a") as node, node_in(tmp_path / "b", node.address) as honest:
        await linked(node, 1)
        await publish(node, "One")
        await publish(honest, "Two")
        async with hostile(node, answer=lies) as stranger:
            for _ in range(720):
                await stranger.say(Ping(bytes(8), 99, clock.entropy(DIGEST_BYTES)))
                await hours.let(5, node, honest, step=5)
            sessions = len(stranger.all(Reconcile))
            figure("reconciliations an hour", sessions)
            figure("bytes an hour", stranger.bytes_heard)
            assert stranger.bytes_heard < 1_000_000
        await still_well(node, honest)


async def test_who_never_says_hello_and_who_falls_silent_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    async with node_in(tmp_path / "a") as node, hostile(node, greet=False) as mute, hostile(node) as stranger:
        await hours.let(20, node)
        await mute.is_left()
        assert mute.all(Bye)[-1].reason == Reason.SILENT
        assert not stranger.ended
        await hours.let(130, node, step=10)
        await stranger.is_left()
        assert stranger.all(Bye)[-1].reason == Reason.SILENT


@pytest.mark.parametrize("many", [90, 200], ids=["some", "more than may wait"])
async def test_who_reads_nothing_is_left(tmp_path: Path, many: int) -> None:
    async with node_in(tmp_path / "a") as node, hostile(node, reads=False) as stranger:
        await until(lambda: len(node.network.status().links) == 1, "a link")
        (link,) = node.network.gate.links.values()
        link.stall_seconds = 0.3
        for _ in range(many):
            link.send(bytes(60_000))
        await until(lambda: node.network.gate.ended["stalled"] == 1, "the end")
        assert not node.network.gate.links
        assert not stranger.ended


async def test_a_flood_of_pings_is_read_at_a_pace(tmp_path: Path, figure: Figure) -> None:
    """What costs an answer each is held back, and the rest of the node does not feel it."""
    async with node_in(tmp_path / "a") as node, node_in(tmp_path / "b", node.address) as honest:
        await linked(node, 1)
        await still_well(node, honest, "Warm")
        async with hostile(node) as stranger:
            ping = Ping(bytes(8), 0, bytes(DIGEST_BYTES))

            async def ask_for_ever() -> None:
                while await stranger.say(*[ping] * 100):  # noqa: ASYNC110 - a flood
                    await asyncio.sleep(0)

            asking = asyncio.create_task(ask_for_ever())
            try:
                began = time.monotonic()
                await until(lambda: len(stranger.all(Pong)) > bounds.MESSAGES_BURST, "many answers", 30)
                before, since = len(stranger.all(Pong)), time.monotonic()
                late = await still_well(node, honest)
                answers = len(stranger.all(Pong)) - before
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            # What was read of the burst may still be on its way.
            assert answers <= bounds.MESSAGES_RATE * (time.monotonic() - since + 2)
    figure("burst ms", 1_000 * (since - began))
    figure("honest latency ms", 1_000 * late)


async def test_wishes_for_what_nobody_holds_read_little(tmp_path: Path) -> None:
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        for number in range(60):
            wish = tuple(bytes([number, each]) * 16 for each in range(250))
            await stranger.say(Want(wish), Have(wish))  # type: ignore[arg-type]
        await settled(node)
        await stranger.say(Ping(bytes(8), 0, bytes(DIGEST_BYTES)))
        await stranger.heard_of(Pong)
        asked = sum(len(each.rids) for each in stranger.all(Want))
        assert asked <= 2_048


class LyingRelay:
    """Offers to relay, and says to everybody who asks that whatever they want is there."""

    def __init__(self, lie: Callable[["LyingRelay", Message], Iterable[Message]]) -> None:
        self.lie = lie
        self.channels: dict[int, Channel] = {}
        self.key = SigningKey.from_seed(Usage.NODE, bytes([7]) * 32)
        self.announcement = minted_announcement(int.from_bytes(bytes([7]) * 32, "big")).to_bytes()

    def __call__(self, message: Message) -> Iterable[Message]:
        if isinstance(message, Reserve):
            yield Reserved(3_600)
        yield from self.lie(self, message)


def says_rubbish(_relay: LyingRelay, message: Message) -> Iterable[Message]:
    """Answers a circuit's first message with noise."""
    if isinstance(message, CircuitData):
        yield CircuitData(message.circuit, bytes(range(200)))


def plays_the_target(relay: LyingRelay, message: Message) -> Iterable[Message]:
    """Answers the handshake itself, as if it were the node that was wanted."""
    if isinstance(message, CircuitData):
        channel = Channel.accept(channel_key(relay.key), relay.announcement, entropy=os.urandom, now=now())
        try:
            said = channel.handle(message.payload, now())
        except RemoteError:
            said = []  # whoever knows the target's key sends what nobody else can read
            yield CircuitClosed(message.circuit, 0)
        yield from (CircuitData(message.circuit, each.data) for each in said if isinstance(each, Transmit))


def gives_it_back(_relay: LyingRelay, message: Message) -> Iterable[Message]:
    """Sends every message of a circuit back to whom it came from."""
    if isinstance(message, CircuitData):
        yield message


def ends_them(_relay: LyingRelay, message: Message) -> Iterable[Message]:
    """Takes a circuit and drops it."""
    if isinstance(message, CircuitData):
        yield CircuitClosed(message.circuit, 0)


@pytest.mark.parametrize("known", [True, False], ids=["its key is known", "its key is not known"])
@pytest.mark.parametrize("lie", [says_rubbish, plays_the_target, gives_it_back, ends_them])
async def test_a_relay_that_lies_can_only_break_circuits(
    tmp_path: Path, lie: Callable[[LyingRelay, Message], Iterable[Message]], known: bool
) -> None:
    relay = LyingRelay(lie)
    wanted = SigningKey.from_seed(Usage.NODE, os.urandom(32))
    target = NodeId(wanted.public[1:])
    async with node_in(tmp_path / "a") as node, hostile(node, key=relay.key, answer=relay) as stranger:
        await linked(node, 1)
        key = channel_key(wanted).public if known else None
        node.network.gate.dial(Dial(relay_address(stranger.id), target, key, Why.KEEP))
        await until(lambda: bool(stranger.all(CircuitData)), "a call through the relay")
        await until(lambda: not node.network.gate.circuits.open, "the circuit's end")
        await until(lambda: sum(node.network.gate.ended.values()) == 1, "the link's end")
        assert not any(each.relayed for each in node.network.status().links)
        assert all(each.peer != target for each in node.network.status().links)


async def test_a_relay_that_calls_itself_is_not_let_in(tmp_path: Path) -> None:
    """Circuits that were never asked for, and data in circuits that are none, cost the relay its name."""
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        await linked(node, 1)
        for number in range(1, 40):
            if not await stranger.say(Incoming(number, NodeId(bytes([number]) * 32)), CircuitData(number, bytes(99))):
                break
            await settled(node)
        await stranger.is_left()
        assert not node.network.gate.circuits.open


async def test_announcements_by_the_hundred_take_little_room(tmp_path: Path, figure: Figure) -> None:
    """One source fills a small part of the address book, whatever it sends."""
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        told = [
            minted_announcement(number, f"https://node-{number}.example.org").to_bytes() for number in range(1, 401)
        ]
        assert await stranger.say(*batches(told))
        await stranger.say(Peers(tuple(told[:16])), Ping(bytes(8), 0, bytes(DIGEST_BYTES)))
        await stranger.heard_of(Pong)
        await until(lambda: not node.network.judging.waiting_bytes(_link_of(node, stranger)), "judged")
        await settled(node)
        known = node.network.status().known_nodes
        figure("known nodes", known)
        assert (await node.directory.status(now=clock.now())).records <= 500


async def test_somebody_elses_address_is_not_hammered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """Hundreds of invented nodes, all said to live at one innocent door: an hour later it was knocked at rarely."""
    knocks = 0

    async def knocked(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal knocks
        knocks += 1
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    innocent = await asyncio.start_server(knocked, "127.0.0.1", 0)
    door = f"http://127.0.0.1:{innocent.sockets[0].getsockname()[1]}"
    hours = Hours(monkeypatch)
    async with node_in(tmp_path / "a") as node, hostile(node) as stranger:
        told = [minted_announcement(number, door).to_bytes() for number in range(1, 301)]
        await stranger.say(*batches(told))
        await until(lambda: node.network.judging.judged >= len(told), "judged")
        for _ in range(3_600):
            await hours.let(1, node)
            await until(lambda: not node.network.gate.dialling, "the end of dials")
        figure("knocks an hour", knocks)
        figure("known nodes", node.network.status().known_nodes)
        assert knocks <= 30, "however many are said to live there, one door is one door"
    innocent.close()
    await innocent.wait_closed()
