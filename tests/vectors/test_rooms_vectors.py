"""The golden bytes of rooms, computed a second time from docs/protocol/rooms.md alone, with other libraries."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import nacl.signing
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "rooms.json").read_text(encoding="utf-8"))
ROOM = bytes.fromhex(VECTORS["room"])
KEYS = [nacl.signing.SigningKey(bytes.fromhex(each["seed"])) for each in VECTORS["identities"]]
ADA, BEN = (bytes(key.verify_key) for key in KEYS)
LEAF = bytes.fromhex(VECTORS["leaf"])
MAILBOX = bytes.fromhex(VECTORS["mailbox"])


def b64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fields(label: str, *values: bytes | int) -> bytes:
    parts = [label.encode(), *(value.to_bytes(8, "big") if isinstance(value, int) else value for value in values)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def test_the_room_id_ends_with_the_hash_of_its_rules() -> None:
    assert VECTORS["rules"] == '{"approvals":"auto","kind":"room","version":1}'
    assert bytes(range(16)) + sha256(VECTORS["rules"].encode()).digest()[:16] == ROOM


def test_identities_are_ed25519_keys() -> None:
    assert [each["identity"] for each in VECTORS["identities"]] == [ADA.hex(), BEN.hex()]


def test_a_credential_certifies_a_leaf_and_a_mailbox_for_one_room() -> None:
    certificate = KEYS[0].sign(fields("hedgerow device certificate v1", ROOM, LEAF, MAILBOX)).signature
    assert VECTORS["credential"] == (b"\x01" + ADA + MAILBOX + certificate).hex()


@pytest.mark.parametrize("name", ["approval", "removal", "leave", "revocation", "profile"])
def test_statements_are_signed_over_these_fields(name: str) -> None:
    said = VECTORS[name]
    values: dict[str, list[bytes | int]] = {
        "approval": [BEN, b64(VECTORS["approval"]["ask"]), VECTORS["approval"]["expires"]],
        "removal": [BEN, VECTORS["removal"]["expires"]],
        "leave": [ADA, VECTORS["leave"]["time"]],
        "revocation": [ADA, LEAF],
        "profile": [VECTORS["profile"]["version"], VECTORS["profile"]["name"].encode()],
    }
    assert b64(said["by"]) == ADA
    assert b64(said["signature"]) == KEYS[0].sign(fields(f"hedgerow {name} v1", ROOM, *values[name])).signature


@pytest.mark.parametrize("name", ["founding", "admitted", "stamped"])
def test_policies_are_canonical_json_and_its_hash(name: str) -> None:
    text = VECTORS["policies"][name]["json"]
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert VECTORS["policies"][name]["hash"] == sha256(text.encode()).hexdigest()


def test_times_of_a_commit_are_zero_in_its_hash_and_stamped_afterwards() -> None:
    admitted, stamped = (json.loads(VECTORS["policies"][name]["json"]) for name in ("admitted", "stamped"))
    assert [member["since"] for member in admitted["members"]] == [0, 0]
    assert [member["since"] for member in stamped["members"]] == [1_800_000_100] * 2
    assert b64(json.loads(VECTORS["proofs"]["json"])["policy"]).hex() == VECTORS["policies"]["admitted"]["hash"]


def test_proofs_are_sealed_with_aes_256_gcm() -> None:
    data = bytes.fromhex(VECTORS["proofs"]["data"])
    assert data[:13] == b"\x01" + bytes(range(12))
    opened = AESGCM(bytes.fromhex(VECTORS["proofs"]["key"])).decrypt(data[1:13], data[13:], b"")
    assert opened.decode() == VECTORS["proofs"]["json"]


def test_an_event_is_padded_to_a_bucket() -> None:
    text = VECTORS["event"]["json"].encode()
    assert bytes.fromhex(VECTORS["event"]["padded"]) == (len(text).to_bytes(4, "big") + text).ljust(256, b"\0")


def test_the_number_to_compare() -> None:
    groups = []
    for half in (0, 1):
        digest = sha256(fields("hedgerow verification v1", ROOM, *sorted((ADA, BEN), key=_text), half)).digest()
        groups += [f"{int.from_bytes(digest[at : at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5)]
    assert VECTORS["verification"] == " ".join(groups)


def _text(identity: bytes) -> str:
    """Identities are sorted as base64url text, as everywhere in a room."""
    return urlsafe_b64encode(identity).decode()
