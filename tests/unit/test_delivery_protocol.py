"""The pure part of delivery: golden bytes, the log's chain, order, retention, recovery, the outside of MLS messages."""

import json
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey as Ed25519

import mls_bytes
from hedgerow_protocol import limits
from hedgerow_protocol.delivery import key_package as reading
from hedgerow_protocol.delivery.byte_strings import labelled, lp
from hedgerow_protocol.delivery.chain import BEGINNING, entry_hash, head_holds, head_message, sign_head
from hedgerow_protocol.delivery.entry_text import entry_text, room_opening
from hedgerow_protocol.delivery.envelope import check_payload, check_welcome, read_private_message
from hedgerow_protocol.delivery.key_package import read_key_package, ref_of
from hedgerow_protocol.delivery.mls_bytes import MlsBytes
from hedgerow_protocol.delivery.order import check_seen, comes_second, entry_time, last_readable
from hedgerow_protocol.delivery.recovery import Challenges, recovery_message, signature_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.retention import everybody_has, kept_at, payload_is_kept
from hedgerow_protocol.delivery.values import (
    AccountKey,
    Conflict,
    DeviceId,
    EntryId,
    EntryKind,
    Head,
    Position,
    RoomId,
)
from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from shared import needs_shared, shared

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "delivery.json").read_text(encoding="utf-8"))
ROOM = RoomId(bytes.fromhex(GOLDEN["room"]))
NODE = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed node".ljust(32, b"."))
NOW = 1_800_000_000
DAY = 86_400


def test_the_generator_still_gives_the_kept_file() -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_delivery_vectors
    finally:
        sys.path.remove(str(VECTORS))
    assert make_delivery_vectors.text() == (VECTORS / "delivery.json").read_text(encoding="utf-8")


def test_byte_strings() -> None:
    golden = GOLDEN["labelled"]
    fields = [each if isinstance(each, int) else bytes.fromhex(each) for each in golden["fields"]]
    assert labelled(golden["label"].encode(), *fields).hex() == golden["bytes"]
    assert labelled(b"a", b"bc") != labelled(b"ab", b"c")
    with pytest.raises(LocalError):
        lp(bytes(65_536))


def test_the_chain_of_the_golden_log() -> None:
    previous = bytes(32)
    for entry in GOLDEN["log"]:
        payload = bytes.fromhex(entry["payload"])
        kind = EntryKind.COMMIT if entry["kind"] == "commit" else EntryKind.MESSAGE
        check_payload(payload, ROOM, kind, entry["epoch"])
        assert sha256(payload).hexdigest() == entry["payload_hash"]
        # Written out once without the code under test, as the page on delivery says it.
        fields = [b"hedgerow log entry v1", ROOM, *(entry[name].to_bytes(8, "big") for name in ("seq", "time"))]
        fields += [bytes((kind,)), entry["epoch"].to_bytes(8, "big"), bytes.fromhex(entry["id"])]
        fields += [sha256(payload).digest(), previous]
        assert sha256(b"".join(len(each).to_bytes(2, "big") + each for each in fields)).hexdigest() == entry["hash"]
        previous = entry_hash(
            ROOM,
            entry["seq"],
            entry["time"],
            kind,
            entry["epoch"],
            EntryId(bytes.fromhex(entry["id"])),
            sha256(payload).digest(),
            previous,
        )
        assert previous.hex() == entry["hash"]


@pytest.mark.parametrize("golden", GOLDEN["heads"], ids=lambda each: str(each["seq"]))
def test_heads(golden: dict[str, str | int]) -> None:
    position = Position(int(golden["seq"]), bytes.fromhex(str(golden["hash"])), int(golden["time"]))
    assert head_message(ROOM, position).hex() == golden["message"]
    head = Head(position, bytes.fromhex(str(golden["signature"])))
    node = NodeId(bytes.fromhex(GOLDEN["node_id"]))
    assert sign_head(NODE, ROOM, position) == head
    assert head_holds(node, ROOM, head)
    assert not head_holds(node, RoomId(bytes(32)), head)
    for wrong in (replace(position, seq=position.seq + 1), replace(position, time=position.time + 1)):
        assert not head_holds(node, ROOM, Head(wrong, head.signature))


@pytest.mark.parametrize("golden", GOLDEN["refused_payloads"], ids=lambda each: each["why"])
def test_payloads_that_no_log_takes(golden: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        read_private_message(bytes.fromhex(golden["payload"]))


def test_a_payload_is_what_its_submission_says() -> None:
    payload = mls_bytes.application(ROOM, 5)
    check_payload(payload, ROOM, EntryKind.MESSAGE, 5)
    for room, kind, epoch in (
        (RoomId(bytes(32)), EntryKind.MESSAGE, 5),
        (ROOM, EntryKind.COMMIT, 5),
        (ROOM, EntryKind.MESSAGE, 4),
    ):
        with pytest.raises(RemoteError):
            check_payload(payload, room, kind, epoch)
    for wrong in (mls_bytes.public_message(ROOM, 5), mls_bytes.welcome([bytes(32)]), b""):
        with pytest.raises(RemoteError):
            check_payload(wrong, ROOM, EntryKind.MESSAGE, 5)
    check_payload(mls_bytes.application(ROOM, 5, size=65_536), ROOM, EntryKind.MESSAGE, 5)
    with pytest.raises(RemoteError, match="at most"):
        check_payload(mls_bytes.application(ROOM, 5, size=limits.MESSAGE_BYTES_MAX), ROOM, EntryKind.MESSAGE, 5)
    with pytest.raises(RemoteError, match="epochs"):
        read_private_message(mls_bytes.application(ROOM, 2**60))


def test_welcomes_show_what_they_are() -> None:
    check_welcome(mls_bytes.welcome([bytes(32)]))
    for wrong in (b"", mls_bytes.commit(ROOM, 1), bytes(limits.WELCOME_BYTES_MAX + 1)):
        with pytest.raises(RemoteError):
            check_welcome(wrong)


def test_the_golden_key_package() -> None:
    golden = GOLDEN["key_package"]
    message = bytes.fromhex(golden["message"])
    package = read_key_package(message)
    assert package.ref.hex() == golden["ref"]
    assert package.mailbox.hex() == golden["mailbox"]
    assert (package.not_before, package.not_after) == (1_800_000_000, 1_805_000_000)


def test_every_changed_byte_of_a_key_package_is_noticed() -> None:
    message = bytes.fromhex(GOLDEN["key_package"]["message"])
    for at in range(len(message)):
        changed = bytearray(message)
        changed[at] ^= 1
        with pytest.raises(RemoteError):
            read_key_package(bytes(changed))


def test_key_packages_nobody_could_use() -> None:
    good = mls_bytes.key_package(until=NOW)
    assert read_key_package(good.data).ref == good.ref
    for wrong in (
        good.data[4:],
        good.data + b"\0",
        mls_bytes.key_package(until=NOW, identity=b"\x01" + bytes(111)).data,
        mls_bytes.key_package(until=NOW, identity=b"\x02" + bytes(112)).data,
        bytes(limits.KEY_PACKAGE_BYTES_MAX + 1),
    ):
        with pytest.raises(RemoteError):
            read_key_package(wrong)


@needs_shared
def test_the_working_groups_key_package_has_the_reference_its_welcome_names(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = json.loads(shared("vectors/mls/welcome.json").read_text(encoding="utf-8"))[0]
    message, welcome = bytes.fromhex(vector["key_package"]), bytes.fromhex(vector["welcome"])
    assert b"\x20" + ref_of(message[4:]) in welcome

    def any_credential(read: MlsBytes) -> bytes:
        read.number(2)
        return read.vector(255)

    # Its identity is not one of ours; everything else holds, both signatures among it.
    monkeypatch.setattr(reading, "_read_credential", any_credential)
    assert read_key_package(message).ref == ref_of(message[4:])


def test_the_first_commit_of_an_epoch_that_its_author_has_not_judged_wins() -> None:
    assert comes_second(EntryKind.COMMIT, seen=4, newest_commit_of_epoch=0) is None
    assert comes_second(EntryKind.COMMIT, seen=4, newest_commit_of_epoch=5) == Conflict(4)
    assert comes_second(EntryKind.COMMIT, seen=5, newest_commit_of_epoch=5) is None
    assert comes_second(EntryKind.MESSAGE, seen=0, newest_commit_of_epoch=5) is None


def test_seen_and_times() -> None:
    head = Position(7, bytes(32), NOW)
    check_seen(7, head)
    with pytest.raises(Refused):
        check_seen(8, head)
    assert entry_time(NOW - 100, head) == NOW
    assert entry_time(NOW + 1, head) == NOW + 1
    assert last_readable(9, None) == 9
    assert last_readable(9, 4) == 4


def test_what_is_kept_how_long() -> None:
    kept = kept_at(NOW)
    assert payload_is_kept(EntryKind.MESSAGE, NOW - 30 * DAY, 5, 10, kept)
    assert not payload_is_kept(EntryKind.MESSAGE, NOW - 30 * DAY - 1, 5, 0, kept)
    assert payload_is_kept(EntryKind.COMMIT, NOW - 89 * DAY, 5, 4, kept)
    assert not payload_is_kept(EntryKind.COMMIT, NOW, 5, 5, kept)
    assert not payload_is_kept(EntryKind.COMMIT, NOW - 91 * DAY, 5, 4, kept)
    assert everybody_has([9, 3, 7]) == 3
    assert everybody_has([]) == 0


def test_recovery_signs_one_device() -> None:
    golden = {name: bytes.fromhex(value) for name, value in GOLDEN["recovery"].items()}
    message = recovery_message(golden["challenge"], DeviceId(golden["device"]), golden["token_hash"])
    assert message == golden["message"]
    signer = Ed25519.generate()
    account, signature = AccountKey(bytes(signer.verify_key)), signer.sign(message).signature
    assert signature_holds(account, message, signature)
    assert not signature_holds(account, message + b"x", signature)
    assert not signature_holds(AccountKey(bytes(32)), message, signature)
    assert not signature_holds(account, message, b"short")


def test_a_challenge_is_good_once_and_for_two_minutes() -> None:
    challenges = Challenges(bytes(32))
    first, second = challenges.make(NOW, b"12345678"), challenges.make(NOW, b"87654321")
    assert len(first) == 32
    challenges.take(first, NOW + 120)
    for challenge, now in (
        (first, NOW + 1),
        (second, NOW + 121),
        (second, NOW - 1),
        (second[:-1] + bytes((second[-1] ^ 1,)), NOW),
        (Challenges(b"\1" * 32).make(NOW, b"12345678"), NOW),
        (b"", NOW),
    ):
        with pytest.raises(Refused) as refused:
            challenges.take(challenge, now)
        assert refused.value.code is Refusal.ENDED
    challenges.take(second, NOW + 120)


def test_entries_as_text() -> None:
    text = entry_text(3, NOW, EntryKind.COMMIT, 1, EntryId(b"\xff" * 16), b"\xfb\xff", bytes(32), b"\1" * 32)
    assert json.loads(text) == {
        "seq": 3,
        "time": NOW,
        "kind": "commit",
        "epoch": 1,
        "id": "_" * 21 + "w",
        "payload": "-_8",
        "hash": "AQEB" * 10 + "AQE",
    }
    gone = entry_text(3, NOW, EntryKind.MESSAGE, 1, EntryId(bytes(16)), None, bytes(32), bytes(32))
    assert json.loads(gone)["payload"] is None
    assert json.loads(gone)["payload_hash"] == "A" * 43
    named = entry_text(
        3, NOW, EntryKind.MESSAGE, 1, EntryId(bytes(16)), b"", bytes(32), bytes(32), opening=room_opening(ROOM)
    )
    assert next(iter(json.loads(named))) == "room"
    assert Position(0, bytes(32), 0) == BEGINNING
