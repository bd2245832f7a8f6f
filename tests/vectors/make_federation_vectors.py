"""Makes the golden vectors of letters between nodes: every kind of letter, proofs of forks, moves of rooms, tags.

Run ``python tests/vectors/make_federation_vectors.py`` only when the protocol changes on purpose; the diff shows what
changed. All binary values are lower-case hex.
"""

import json
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey as Ed25519

from hedgerow_protocol import wire
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, sign_head
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import (
    AccountKey,
    AskId,
    BlobHash,
    Entry,
    EntryId,
    EntryKind,
    Head,
    InviteId,
    KeyPackageRef,
    MailboxId,
    Position,
    RoomId,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.federation import drops as sealing
from hedgerow_protocol.federation import forks, letters, moving, values
from hedgerow_protocol.federation.claims import claim_tag, room_tag
from hedgerow_protocol.federation.letters import encode, kind_of
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp

HERE = Path(__file__).parent
HUB_KEY = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed node".ljust(32, b"."))
HUB = NodeId(HUB_KEY.public[1:])
ROOM = RoomId(sha256(b"hedgerow test room").digest())
TIME = 1_800_000_000


def noise(name: str, size: int) -> bytes:
    """Bytes that look random and are always the same."""
    blocks = (sha256(f"hedgerow test {name} {number}".encode()).digest() for number in count())
    found = b""
    while len(found) < size:
        found += next(blocks)
    return found[:size]


MAILBOX, OTHER_MAILBOX = MailboxId(noise("mailbox", 16)), MailboxId(noise("other mailbox", 16))
REF, INVITE, ASK = KeyPackageRef(noise("ref", 32)), InviteId(noise("invite", 16)), AskId(noise("ask", 16))
BLOB, FELLOW = BlobHash(noise("blob", 32)), NodeId(noise("fellow", 32))


def grown(before: Position, *names: str) -> list[Entry]:
    """Entries of a log after a position, one of each name."""
    entries = []
    for name in names:
        payload = noise(name, 40)
        kind = EntryKind.COMMIT if name.startswith("commit") else EntryKind.MESSAGE
        digest, id, seq = sha256(payload).digest(), EntryId(noise(name + " id", 16)), before.seq + 1
        hash = entry_hash(ROOM, seq, TIME + seq, kind, 3, id, digest, before.hash)
        entries.append(Entry(seq, TIME + seq, kind, 3, id, payload, digest, hash))
        before = Position(seq, hash, TIME + seq)
    return entries


def head_of(entry: Entry) -> Head:
    """The head of the log that ends in this entry."""
    return sign_head(HUB_KEY, ROOM, entry.position)


LOG = grown(BEGINNING, "first", "commit", "third", "fourth")
OTHER = [*LOG[:2], *grown(head_of(LOG[1]).position, "another third", "another fourth")]


def requests() -> list[values.RequestBody]:
    """One of each kind; two where something may be left out."""
    welcomes = (WelcomeOut(REF, b"welcome here"), WelcomeOut(REF, b"welcome there", FELLOW, OTHER_MAILBOX))
    entry = EntryId(noise("submission", 16))
    return [
        values.KeyPackageClaim(REF, noise("consent", 32), noise("tag", 16)),
        values.InviteRead(INVITE, noise("proof", 32)),
        values.AskLetter(INVITE, noise("proof", 32), b"sealed ask"),
        values.Submit(Submission(ROOM, MAILBOX, entry, EntryKind.COMMIT, 3, 4, b"commit", welcomes, (OTHER_MAILBOX,))),
        values.Submit(Submission(ROOM, MAILBOX, entry, EntryKind.MESSAGE, 3, 4, b"message")),
        values.WelcomeLetter(ROOM, 2, REF, b"welcome", MAILBOX, head_of(LOG[0])),
        values.Follow(ROOM, 2, (MAILBOX, OTHER_MAILBOX)),
        values.Unfollow(ROOM, MAILBOX),
        values.PutBack(ROOM, MAILBOX, OTHER_MAILBOX, 7),
        values.MailboxTold(ROOM, MAILBOX, head_of(LOG[3])),
        values.MailboxTold(ROOM, MAILBOX, None),
        values.RoomAsk(ROOM, noise("tag", 16), b"ask of a second device"),
        values.AskTold(ROOM, ASK, INVITE, b"sealed ask", TIME),
        values.AskTold(ROOM, ASK, None, b"ask of a second device", TIME),
        values.AskGone(ROOM, ASK),
        values.BlobGet(ROOM, BLOB, 49_152),
        values.BlobPut(ROOM, BLOB, 49_160, 49_152, b"the rest"),
        values.Note(ROOM, b"sealed note"),
        values.CopyFetch(ROOM, 1, 2),
        values.MoveRead(ROOM, 1, (MAILBOX, OTHER_MAILBOX)),
        values.DropLeft(FELLOW, b"sealed letters"),
        values.DropFetch((noise("drop", 16), noise("other drop", 16))),
    ]


def answers() -> list[values.AnswerBody]:
    """One of each kind."""
    return [
        values.Claimed(b"KeyPackage", MAILBOX),
        values.InviteFound("Nachbarschaft Süd", TIME, b"sealed note"),
        values.Asked(ASK),
        values.SubmitAccepted(5, TIME, noise("hash", 32)),
        values.SubmitConflict(4, 9),
        values.Following(head_of(LOG[3]), (FELLOW,)),
        values.BlobBytes(49_160, b"the rest"),
        values.CopyPart(head_of(LOG[2]), (LOG[1], LOG[2], LOG[3]), False),
        values.Moved(head_of(LOG[3])),
        values.Moved(None),
        values.DropsFound((b"sealed letters", b"more of them"), True),
        values.Done(),
        values.RefusalAnswer(Refusal.TOO_FAST, "Please wait a minute.", 60),
        values.Busy(5),
    ]


def all_letters() -> list[letters.Letter]:
    """One of each kind."""
    id = noise("request", 16)
    pruned = Entry(*(getattr(LOG[2], name) for name in ("seq", "time", "kind", "epoch", "id")), None, *LOG_HASHES)
    return [
        *(letters.Request(id, body) for body in requests()),
        *(letters.Answer(id, body) for body in answers()),
        letters.Notify(ROOM, head_of(LOG[2]), LOG[0].hash, (LOG[1], pruned), True),
        letters.Notify(ROOM, head_of(LOG[3]), bytes(32), (), False),
        letters.Acknowledge(ROOM, 4),
        letters.Fetch(ROOM, 2),
        letters.Part(7, 0, 2, b"the first part of a letter"),
        letters.Heads(ROOM, head_of(LOG[3])),
        letters.Followers(ROOM, (FELLOW,)),
        letters.Forked(forks.encode(proofs()[0][1])),
    ]


LOG_HASHES = (LOG[2].payload_hash, LOG[2].hash)


def name_of(letter: letters.Letter) -> str:
    """Its class, and the word of what it asks or answers."""
    inner = f" {kind_of(letter.body)}" if isinstance(letter, letters.Request | letters.Answer) else ""
    return type(letter).__name__ + inner


def proofs() -> list[tuple[str, forks.Proof]]:
    """Two that prove a lie, and some that prove nothing."""
    plain = forks.Proof(HUB, ROOM, head_of(LOG[3]), head_of(OTHER[3]), OTHER[3].hash, ())
    link = forks.link_of(OTHER[3])
    later = forks.Proof(HUB, ROOM, head_of(LOG[2]), plain.second, OTHER[2].hash, (link,))
    return [
        ("two heads of one seq", plain),
        ("a later head, and the entry between", later),
        ("one log", forks.Proof(HUB, ROOM, head_of(LOG[2]), head_of(LOG[3]), LOG[2].hash, (forks.link_of(LOG[3]),))),
        ("a link is missing", forks.Proof(HUB, ROOM, head_of(LOG[2]), plain.second, OTHER[2].hash, ())),
        ("another hub", forks.Proof(FELLOW, ROOM, plain.first, plain.second, plain.before, ())),
    ]  # fmt: skip


def refused() -> list[tuple[str, bytes]]:
    """Bytes that are no letters."""
    id = noise("request", 16)
    fields: Any = (ROOM, MAILBOX)
    return [
        ("nothing", b""),
        ("no array", wire.encode(1)),
        ("no type", wire.encode(())),
        ("a negative type", wire.encode((-1,))),
        ("too few fields", wire.encode((4, ROOM))),
        ("a seq beyond any", wire.encode((4, ROOM, 2**53))),
        ("a room that is too short", wire.encode((4, ROOM[:31], 1))),
        ("an id that is too short", wire.encode((1, id[:15], ("unfollow", fields)))),
        ("a request without its fields", wire.encode((1, id, ("unfollow",)))),
        ("a request with too few fields", wire.encode((1, id, ("unfollow", (ROOM,))))),
        ("a follower told twice", wire.encode((8, ROOM, (FELLOW, FELLOW)))),
        ("a number in a longer form", b"\x93\x04\xc4\x20" + ROOM + b"\xcc\x04"),
        ("something behind", encode(letters.Acknowledge(ROOM, 4)) + b"\x00"),
        ("a sentence of two lines", wire.encode((2, id, ("refused", ("bad", "one\ntwo", 0))))),
    ]


def move() -> dict[str, Any]:
    """A room of three members, two of whom move it."""
    keys = [Ed25519(noise(f"member {number}", 32)) for number in range(3)]
    to = moving.Move(4, LOG[3].hash, FELLOW, 1)
    message = moving.move_message(ROOM, to)
    said = [moving.MoveStatement(bytes(key.verify_key), to, key.sign(message).signature) for key in keys[:2]]
    return {
        "room": ROOM.hex(),
        "members": [bytes(key.verify_key).hex() for key in keys],
        "message": message.hex(),
        "statements": [moving.encode_statement(each).decode() for each in said],
    }


def drops() -> dict[str, Any]:
    """One that can be opened, and some that cannot."""
    key = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed away".ljust(32, b"."))
    away, seed = NodeId(key.public[1:]), noise("drop seed", 32)
    said = [encode(letters.Acknowledge(ROOM, 4)), encode(letters.Fetch(ROOM, 2))]
    good = sealing.seal_drop(HUB_KEY, away, said, Timestamp(TIME), seed)
    forger = SigningKey(Usage.NODE, HUB_KEY.public, key._secret)
    return {
        "destination": away.hex(),
        "destination_seed": key._secret[:32].hex(),
        "sender": HUB.hex(),
        "time": TIME,
        "ephemeral_seed": seed.hex(),
        "letters": [each.hex() for each in said],
        "id": sealing.drop_id(good).hex(),
        "bytes": good.hex(),
        "refused": [
            {"why": why, "bytes": data.hex()}
            for why, data in (
                ("cut off", good[:-1]),
                ("a bit changed", good[:-1] + bytes((good[-1] ^ 1,))),
                ("another version", b"\x02" + good[1:]),
                ("an ephemeral key of zeros", good[:1] + bytes(32) + good[33:]),
                ("for another node", sealing.seal_drop(HUB_KEY, HUB, said, Timestamp(TIME), seed)),
                ("signed by another node", sealing.seal_drop(forger, away, said, Timestamp(TIME), seed)),
            )
        ],
    }


def text() -> str:
    """The file's content."""
    secret, account = noise("secret", 32), AccountKey(noise("account", 32))
    golden = {
        "hub": HUB.hex(),
        "room": ROOM.hex(),
        "letters": [{"name": name_of(each), "bytes": encode(each).hex()} for each in all_letters()],
        "refused_letters": [{"why": why, "bytes": data.hex()} for why, data in refused()],
        "proofs": [
            {"why": why, "proves": forks.proves(proof), "bytes": forks.encode(proof).hex()} for why, proof in proofs()
        ],
        "move": move(),
        "drop": drops(),
        "tags": {
            "secret": secret.hex(),
            "account": account.hex(),
            "ref": REF.hex(),
            "claim": claim_tag(secret, account, REF).hex(),
            "room": ROOM.hex(),
            "in_room": room_tag(secret, account, ROOM).hex(),
        },
    }
    return json.dumps(golden, indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "federation.json").write_text(text(), encoding="utf-8")
