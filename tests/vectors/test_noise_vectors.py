"""Handshakes byte for byte: vectors that others published, and our own, which need no shared folder."""

import json
from pathlib import Path
from typing import Any

import make_channel_vectors
import pytest

from hedgerow_protocol.handshake import Handshake
from shared import SHARED, needs_shared, shared

KEPT = Path(__file__).parent / "channel.json"
OWN: list[dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))["noise"]


def published() -> list[dict[str, Any]]:
    """Those of Noise's Haskell implementation whose patterns and ciphers are ours."""
    if SHARED is None:
        return []
    vectors: list[dict[str, Any]] = json.loads(shared("vectors/noise-cacophony.json").read_text())["vectors"]
    return vectors


def sides(vector: dict[str, Any]) -> list[Handshake]:
    """The initiator and the responder of a vector."""

    def key(name: str) -> bytes | None:
        return bytes.fromhex(vector[name]) if name in vector else None

    made = []
    for prefix, initiator in (("init", True), ("resp", False)):
        made.append(
            Handshake(
                vector["protocol_name"],
                initiator,
                bytes.fromhex(vector[f"{prefix}_prologue"]),
                s=key(f"{prefix}_static"),
                e=key(f"{prefix}_ephemeral"),
                rs=key(f"{prefix}_remote_static"),
                psk=bytes.fromhex(vector[f"{prefix}_psks"][0]) if f"{prefix}_psks" in vector else None,
            )
        )
    return made


def check(vector: dict[str, Any]) -> None:
    """Every message both ways, and the hash."""
    initiator, responder = sides(vector)
    for number, message in enumerate(vector["messages"]):
        sender, receiver = (initiator, responder) if number % 2 == 0 else (responder, initiator)
        payload, ciphertext = bytes.fromhex(message["payload"]), bytes.fromhex(message["ciphertext"])
        assert sender.finished == receiver.finished == (number > 2)
        assert (sender.encrypt(payload) if sender.finished else sender.write(payload)) == ciphertext
        assert (receiver.decrypt(ciphertext) if receiver.finished else receiver.read(ciphertext)) == payload
    for side in (initiator, responder):
        assert side.handshake_hash.hex() == vector["handshake_hash"]


@needs_shared
@pytest.mark.parametrize("vector", published(), ids=lambda vector: vector["protocol_name"])
def test_published(vector: dict[str, Any]) -> None:
    check(vector)


@needs_shared
def test_the_published_file_is_read_whole() -> None:
    names = {vector["protocol_name"] for vector in published()}
    assert {f"Noise_{p}_25519_ChaChaPoly_{h}" for p in ("XK", "XX") for h in ("BLAKE2s", "SHA256")} <= names


@pytest.mark.parametrize("vector", OWN, ids=lambda vector: vector["protocol_name"])
def test_own(vector: dict[str, Any]) -> None:
    check(vector)


def test_a_vector_with_one_wrong_bit_is_noticed() -> None:
    altered = json.loads(json.dumps(OWN[0]))
    altered["handshake_hash"] = ("0" if altered["handshake_hash"][0] != "0" else "1") + altered["handshake_hash"][1:]
    with pytest.raises(AssertionError):
        check(altered)


def test_the_generator_still_gives_the_kept_file() -> None:
    assert make_channel_vectors.text() == KEPT.read_text(encoding="utf-8")
