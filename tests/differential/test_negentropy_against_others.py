"""Our Negentropy against other people's: the relay of nostr-sdk (Rust) answers us, nostr-tools (JavaScript) asks us."""

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from hedgerow_protocol.reconcile import Initiator, Responder
from reconcile_pair import Item, item

_HERE = Path(__file__).parent
BASE = 1_700_000_000


def _nostr_tools() -> Path | None:
    """nostr-tools as the web UI's development packages have it; ``NOSTR_TOOLS`` names another copy."""
    installed = _HERE.parents[1] / "webui" / "node_modules" / "nostr-tools"
    path = Path(os.environ.get("NOSTR_TOOLS", installed)) / "lib" / "esm" / "nip77.js"
    return path if path.is_file() else None


needs_nostr_tools = pytest.mark.skipif(
    _nostr_tools() is None or shutil.which("node") is None,
    reason="nostr-tools is not installed: run npm ci in webui/ with Node in PATH",
)

# --- their initiator, our responder


def asked_by_javascript(
    theirs: list[Item], ours: list[Item], frame_limit: int
) -> tuple[set[str], set[str], list[bytes]]:
    """What nostr-tools finds that we lack and that it lacks, and all that it said."""
    responder = Responder(ours, frame_limit)
    said: list[bytes] = []
    command = ["node", str(_HERE / "negentropy_initiate.mjs"), str(_nostr_tools())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        begin = {"items": [[when, rid.hex()] for when, rid in theirs], "frameLimit": frame_limit or 10**9}
        process.stdin.write(json.dumps(begin) + "\n")
        while True:
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, "nostr-tools gave up"
            if line.startswith("{"):
                found = json.loads(line)
                return set(found["have"]), set(found["need"]), said
            said.append(bytes.fromhex(line))
            process.stdin.write(responder.receive(said[-1]).hex() + "\n")


def timed(numbers: range, *, each: int) -> list[Item]:
    """Records of which some have the same second."""
    return [(BASE + number // each, item(number)[1]) for number in numbers]


@needs_nostr_tools
@pytest.mark.parametrize("frame_limit", [0, 4_096, 60_000])
@pytest.mark.parametrize(
    ("count", "they_lack", "we_lack", "each"),
    [
        (0, slice(0, 0), slice(0, 0), 1),
        (20, slice(3, 5), slice(0, 2), 1),
        (3_000, slice(7, None, 100), slice(11, None, 150), 3),
        (3_000, slice(2_500, None), slice(0, 0), 1),
        (1_000, slice(0, None), slice(0, 0), 5),
        (1_000, slice(0, 0), slice(0, None), 1_000),
    ],
)
def test_nostr_tools_asks_us(frame_limit: int, count: int, they_lack: slice, we_lack: slice, each: int) -> None:
    every = timed(range(count), each=each)
    theirs = [item for item in every if item not in every[they_lack]]
    ours = [item for item in every if item not in every[we_lack]]
    have, need, _ = asked_by_javascript(theirs, ours, frame_limit)
    assert have == {rid.hex() for _, rid in set(theirs) - set(ours)}
    assert need == {rid.hex() for _, rid in set(ours) - set(theirs)}


@needs_nostr_tools
def test_nostr_tools_says_the_very_bytes_that_our_initiator_says() -> None:
    every = timed(range(2_000), each=4)
    theirs, ours = every[:-5], every[9:]
    responder, initiator = Responder(ours, 4_096), Initiator(theirs, 4_096)
    said: list[bytes] = []
    message: bytes | None = initiator.start()
    while message is not None:
        said.append(message)
        message, _, _ = initiator.receive(responder.receive(message))
    assert asked_by_javascript(theirs, ours, 4_096)[2] == said


# --- our initiator, their responder


def _signed(count: int) -> list[dict[str, Any]]:
    """Events of nostr, which is what that relay holds; every third second the same."""
    nostr = pytest.importorskip("nostr_sdk")
    keys = nostr.Keys.generate()
    return [
        json.loads(
            nostr.EventBuilder(nostr.Kind(1), str(number))
            .custom_created_at(nostr.Timestamp.from_secs(BASE + number // 3))
            .finalize(keys)
            .as_json()
        )
        for number in range(count)
    ]


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[str]:
    """A relay of nostr-sdk on 127.0.0.1, without limits that matter here."""
    nostr = pytest.importorskip("nostr_sdk")
    limits = nostr.RateLimit(max_reqs=500, notes_per_minute=1_000_000)
    builder = nostr.LocalRelayBuilder().addr("127.0.0.1").rate_limit(limits)
    running = builder.default_filter_limit(100_000).max_filter_limit(100_000).build()
    await running.run()
    yield str(await running.url())
    running.shutdown()


@pytest.mark.parametrize(
    ("they_lack", "we_lack", "frame_limit"),
    [
        (slice(0, 0), slice(0, 0), 0),
        (slice(1_480, None), slice(0, 10), 0),
        (slice(3, None, 50), slice(4, None, 60), 0),
        (slice(3, None, 9), slice(4, None, 7), 4_096),
        (slice(0, 0), slice(0, None), 0),
        (slice(0, None), slice(0, 0), 60_000),
    ],
)
async def test_the_relay_of_nostr_sdk_answers_us(
    relay: str, they_lack: slice, we_lack: slice, frame_limit: int
) -> None:
    events = _signed(1_500)
    every = [(event["created_at"], bytes.fromhex(event["id"])) for event in events]
    lacking = set(every[they_lack])
    ours = [each for each in every if each not in set(every[we_lack])]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(relay, timeout=aiohttp.ClientWSTimeout(30)) as socket,
    ):
        kept = [event for event, each in zip(events, every, strict=True) if each not in lacking]
        for event in kept:
            await socket.send_json(["EVENT", event])
        for _ in kept:
            answer = await socket.receive_json()
            assert (answer[0], answer[2]) == ("OK", True)
        initiator = Initiator(ours, frame_limit)
        have: set[bytes] = set()
        need: set[bytes] = set()
        message: bytes | None = initiator.start()
        begun = False
        while message is not None:
            opening = ["NEG-OPEN", "x", {"kinds": [1]}, message.hex()]
            await socket.send_json(["NEG-MSG", "x", message.hex()] if begun else opening)
            begun = True
            kind, _, answer = await socket.receive_json()
            assert kind == "NEG-MSG", answer
            message, more_have, more_need = initiator.receive(bytes.fromhex(answer))
            have.update(more_have)
            need.update(more_need)
    theirs = set(every) - lacking
    assert have == {rid for _, rid in set(ours) - theirs}
    assert need == {rid for _, rid in theirs - set(ours)}
