"""Our MLS engine against AWS mls-rs: a member built on it in a room, and random lives of mixed groups.

Skipped with a clear line where the binding has no wheel (it exists for x86_64 only) or Node.js is not here.
"""

import platform
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

# The same condition as in pyproject.toml: where the wheel exists, a missing one is a failure and not a skip.
if platform.machine() != "x86_64":
    pytest.skip("agentvault-mls-rs-uniffi has no wheel for this machine", allow_module_level=True)

from mls_peer import Bridge, BridgeError, Engine, RoomPeer, b64, canonical
from unit.test_typescript import WEBUI, node

LABEL = b"hedgerow test"
CONTEXT = b"context"


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    program: Path | None = node()
    if program is None or not (WEBUI / "node_modules").is_dir():
        pytest.skip("Node.js 22.18 or the packages of webui/ are not here")
    with Bridge(program) as made:
        yield made


def test_a_member_on_another_implementation_joins_reads_and_writes(bridge: Bridge) -> None:
    room = bridge("room")
    peer = RoomPeer(bytes.fromhex(room["room"]), "Otto")
    let_in = bridge("admit", ask=peer.ask(), keyPackage=peer.engine.key_package.hex())
    joined = [change for change in let_in["changes"] if change["type"] == "joined"]
    assert [(change["name"], change["identity"]) for change in joined] == [("Otto", b64(peer.identity))]
    peer.join(bytes.fromhex(let_in["welcome"]))

    said = bridge("say", text="Hello, Otto. 🌿")
    event = peer.read(bytes.fromhex(said["payload"]))
    assert (event["type"], event["text"]) == ("message", "Hello, Otto. 🌿")

    answer = peer.write({"type": "message", "id": b64(bytes(16)), "text": "Hello, everybody."})
    heard = bridge("receive", kind="message", epoch=let_in["epoch"], payload=answer.hex())
    assert len(heard) == 3
    for changes in heard:
        (message,) = [change for change in changes if change["type"] == "message"]
        assert (message["text"], message["by"]) == ("Hello, everybody.", b64(peer.identity))

    # It follows a commit, whose proofs name the policy that all members agree on.
    refreshed = bridge("refresh")
    proofs = peer.follow(bytes.fromhex(refreshed["payload"]))
    assert proofs["approvals"] == []
    assert proofs["policy"] == b64(sha256(canonical(refreshed["policy"])).digest())
    later = bridge("say", text="In the next epoch.")
    assert peer.read(bytes.fromhex(later["payload"]))["text"] == "In the next epoch."

    # What is no event, and a commit that anybody could read, are refused by all.
    for changes in bridge("receive", kind="message", epoch=later["epoch"], payload=peer.engine.seal(b"?").hex()):
        assert [change["why"] for change in changes] == ["event"]
    public = peer.engine.group.commit().commit_message.to_bytes()
    assert public[2:4] == b"\x00\x01"
    for changes in bridge("receive", kind="commit", epoch=later["epoch"], payload=public.hex()):
        assert [change["refusal"]["code"] for change in changes] == ["not-private"]


class MixedGroup:
    """Members on both engines; only ours commit. After each commit all agree, and a message reaches everybody."""

    def __init__(self, bridge: Bridge, seed: int) -> None:
        self.bridge = bridge
        self.random = random.Random(seed)
        self.ours: list[str] = []
        self.theirs: dict[str, Engine] = {}
        self.names: dict[str, str] = {}
        self.rosters: dict[str, dict[int, str]] = {}
        self.keys: dict[str, str] = {}
        self.count = 0
        founder = self._new_of_ours()[0]
        bridge("create", founder, group=self.random.randbytes(32).hex())
        self.ours.append(founder)

    def _new_of_ours(self) -> tuple[str, str]:
        self.count += 1
        name = f"ts {self.count}"
        return name, self.bridge("package", name)

    def _new_of_theirs(self) -> tuple[str, Engine]:
        self.count += 1
        name = f"rs {self.count}"
        return name, Engine.named(name)

    def step(self) -> None:
        committer = self.random.choice(self.ours)
        about = self.bridge("about", committer)
        ours = [self._new_of_ours() for _ in range(self.random.choice([0, 0, 1, 2]))]
        theirs = [self._new_of_theirs() for _ in range(self.random.choice([0, 0, 1, 2]))]
        others = [index for index, _ in about["leaves"] if index != about["own"]]
        remove = self.random.sample(others, min(len(others), self.random.choice([0, 0, 0, 1, 2])))
        packages = [package for _, package in ours] + [engine.key_package.hex() for _, engine in theirs]
        self.random.shuffle(packages)
        made = self.bridge("commit", committer, add=packages, remove=remove, data=self.random.randbytes(40).hex())
        self._everybody_follows(committer, made["payload"])
        welcome = made["welcome"]
        for name, _ in ours:
            self.bridge("join", name, welcome=welcome)
            self.ours.append(name)
        for name, engine in theirs:
            engine.join(bytes.fromhex(welcome))
            self.theirs[name] = engine
        self._all_agree()
        self._one_speaks()

    def _everybody_follows(self, committer: str, payload: str) -> None:
        out = []
        for name in self.ours:
            if name == committer:
                self.bridge("adopt", name)
            elif self.bridge("apply", name, payload=payload):
                out.append(name)
        for name, engine in self.theirs.items():
            if engine.receive(bytes.fromhex(payload)).effect.is_removed():
                out.append(name)
        self.ours = [name for name in self.ours if name not in out]
        self.theirs = {name: engine for name, engine in self.theirs.items() if name not in out}

    def _all_agree(self) -> None:
        abouts: list[Any] = [self.bridge("about", name) for name in self.ours]
        secrets = {about["secret"] for about in abouts}
        secrets |= {engine.exporter(LABEL, CONTEXT).hex() for engine in self.theirs.values()}
        assert len(secrets) == 1
        assert len({about["epoch"] for about in abouts}) == 1
        # The tree is in every secret, so that the others hold the same roster; here it is compared key by key.
        self.rosters = {name: dict(about["leaves"]) for name, about in zip(self.ours, abouts, strict=True)}
        self.keys = {name: self.rosters[name][about["own"]] for name, about in zip(self.ours, abouts, strict=True)}
        self.keys |= {name: engine.leaf.hex() for name, engine in self.theirs.items()}
        for roster in self.rosters.values():
            assert sorted(roster.values()) == sorted(self.keys.values())

    def _one_speaks(self) -> None:
        speaker = self.random.choice([*self.ours, *self.theirs])
        text = self.random.randbytes(self.random.randrange(1, 300))
        ours = speaker in self.ours
        payload = self.bridge("seal", speaker, text=text.hex()) if ours else self.theirs[speaker].seal(text).hex()
        for name in self.ours:
            if name != speaker:
                opened = self.bridge("open", name, payload=payload)
                assert opened["text"] == text.hex()
                assert self.rosters[name][opened["sender"]] == self.keys[speaker]
        for name, engine in self.theirs.items():
            if name != speaker:
                assert bytes(engine.receive(bytes.fromhex(payload)).data) == text


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 17))])
def test_mixed_groups_agree_after_every_commit(bridge: Bridge, seed: int) -> None:
    group = MixedGroup(bridge, seed)
    for _ in range(14):
        group.step()
    assert group.theirs or group.count > 3, f"seed {seed}: nobody of theirs ever came"


def test_a_tampered_welcome_or_message_is_a_fault(bridge: Bridge) -> None:
    group = MixedGroup(bridge, 0)
    name, package = group._new_of_ours()
    made = bridge("commit", group.ours[0], add=[package], remove=[], data="")
    turned = made["welcome"][:-2] + f"{int(made['welcome'][-2:], 16) ^ 1:02x}"
    with pytest.raises(BridgeError, match="broken"):
        bridge("join", name, welcome=turned)
    bridge("join", name, welcome=made["welcome"])
