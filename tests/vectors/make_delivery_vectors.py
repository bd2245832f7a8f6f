"""Makes the golden vectors of rooms' logs: hashes of entries, signed heads, recovery messages, MLS outsides.

Run ``python tests/vectors/make_delivery_vectors.py`` only when the protocol changes on purpose; the diff shows what
changed. All binary values are lower-case hex.
"""

import json
import struct
from hashlib import sha256
from itertools import count
from pathlib import Path

from nacl.signing import SigningKey as Ed25519

from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, head_message, sign_head
from hedgerow_protocol.delivery.key_package import ref_of
from hedgerow_protocol.delivery.mls_bytes import vector
from hedgerow_protocol.delivery.recovery import recovery_message
from hedgerow_protocol.delivery.values import DeviceId, EntryId, EntryKind, Position, RoomId
from hedgerow_protocol.keys import SigningKey, Usage

HERE = Path(__file__).parent
NODE = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed node".ljust(32, b"."))
ROOM = RoomId(sha256(b"hedgerow test room").digest())


def noise(name: str, size: int) -> bytes:
    """Bytes that look random and are always the same."""
    blocks = (sha256(f"hedgerow test {name} {number}".encode()).digest() for number in count())
    found = b""
    while len(found) < size:
        found += next(blocks)
    return found[:size]


def private_message(epoch: int, content: int, name: str) -> bytes:
    """A PrivateMessage of the room whose inside is noise."""
    head = struct.pack(">HH", 1, 2) + vector(ROOM) + struct.pack(">QB", epoch, content)
    return head + vector(noise(name + " aad", 70)) + vector(noise(name + " sender", 28)) + vector(noise(name, 300))


def log() -> list[dict[str, object]]:
    """Four entries of one log: a message before any commit, a commit, two messages, one a second later."""
    entries: list[dict[str, object]] = []
    before = BEGINNING
    for time, kind, epoch, name in (
        (1_800_000_000, EntryKind.MESSAGE, 0, "first"),
        (1_800_000_000, EntryKind.COMMIT, 0, "second"),
        (1_800_000_007, EntryKind.MESSAGE, 1, "third"),
        (1_800_000_007, EntryKind.MESSAGE, 1, "fourth"),
    ):
        payload = private_message(epoch, 1 if kind is EntryKind.MESSAGE else 3, name)
        id = EntryId(noise(name + " id", 16))
        seq = before.seq + 1
        hash = entry_hash(ROOM, seq, time, kind, epoch, id, sha256(payload).digest(), before.hash)
        entries.append(
            {
                "seq": seq,
                "time": time,
                "kind": kind.word,
                "epoch": epoch,
                "id": id.hex(),
                "payload": payload.hex(),
                "payload_hash": sha256(payload).hexdigest(),
                "hash": hash.hex(),
            }
        )
        before = Position(seq, hash, time)
    return entries


def heads(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    """The beginning and the end of the log, signed."""
    last = entries[-1]
    end = Position(int(str(last["seq"])), bytes.fromhex(str(last["hash"])), int(str(last["time"])))
    return [
        {
            "seq": position.seq,
            "hash": position.hash.hex(),
            "time": position.time,
            "message": head_message(ROOM, position).hex(),
            "signature": sign_head(NODE, ROOM, position).signature.hex(),
        }
        for position in (BEGINNING, end)
    ]


def key_package() -> dict[str, str]:
    """A KeyPackage with true signatures, and its reference."""
    key = Ed25519(noise("leaf", 32))

    def signed(label: bytes, content: bytes) -> bytes:
        return key.sign(vector(b"MLS 1.0 " + label) + vector(content)).signature

    mailbox = noise("mailbox", 16)
    identity = b"\x01" + noise("identity", 32) + mailbox + noise("certificate", 64)
    one = vector(struct.pack(">H", 1))
    leaf = vector(noise("encryption", 32)) + vector(bytes(key.verify_key)) + struct.pack(">H", 1) + vector(identity)
    leaf += one + one + vector(b"") + vector(b"") + one
    leaf += b"\x01" + struct.pack(">QQ", 1_800_000_000, 1_805_000_000) + vector(b"")
    leaf += vector(signed(b"LeafNodeTBS", leaf))
    body = struct.pack(">HH", 1, 1) + vector(noise("init", 32)) + leaf + vector(b"")
    body += vector(signed(b"KeyPackageTBS", body))
    return {
        "message": (struct.pack(">HH", 1, 5) + body).hex(),
        "ref": ref_of(body).hex(),
        "mailbox": mailbox.hex(),
    }


def text() -> str:
    """The file's content."""
    entries = log()
    device, challenge, token_hash = DeviceId(noise("device", 16)), noise("challenge", 32), noise("token", 32)
    golden = {
        "node_id": NODE.public[1:].hex(),
        "room": ROOM.hex(),
        "labelled": {
            "label": "example",
            "fields": ["", "00ff", 7],
            "bytes": labelled(b"example", b"", b"\0\xff", 7).hex(),
        },
        "log": entries,
        "heads": heads(entries),
        "refused_payloads": [
            {"why": "a proposal on its own", "payload": private_message(1, 2, "proposal").hex()},
            {"why": "a PublicMessage", "payload": "00010001" + private_message(1, 3, "public")[4:].hex()},
            {"why": "a byte too many", "payload": private_message(1, 1, "long").hex() + "00"},
            {"why": "a byte too few", "payload": private_message(1, 1, "short")[:-1].hex()},
            {"why": "a length in a longer form", "payload": "000100024020" + private_message(1, 1, "form")[5:].hex()},
        ],
        "recovery": {
            "challenge": challenge.hex(),
            "device": device.hex(),
            "token_hash": token_hash.hex(),
            "message": recovery_message(challenge, device, token_hash).hex(),
        },
        "key_package": key_package(),
    }
    return json.dumps(golden, indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "delivery.json").write_text(text(), encoding="utf-8")
