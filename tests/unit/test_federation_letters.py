"""Letters between nodes: what they say, what they refuse, how large ones travel; tags, rates and the turnstile."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hedgerow_protocol import limits, wire
from hedgerow_protocol.delivery.chain import entry_hash
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import (
    AccountKey,
    EntryId,
    EntryKind,
    InviteId,
    KeyPackageRef,
    RoomId,
    WelcomeOut,
)
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.federation import asks, claims, forks, moving, parts
from hedgerow_protocol.federation import values as v
from hedgerow_protocol.federation.letters import (
    Acknowledge,
    Answer,
    Notify,
    Part,
    Request,
    Unknown,
    decode,
    encode,
    kind_of,
)
from hedgerow_protocol.federation.turnstile import HELD_SECONDS, ROOMS_OF_PEER_MAX, Turnstile
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Instant
from signed_logs import ROOM, letters, log

VECTORS = Path(__file__).parent.parent / "vectors"
GOLDEN = json.loads((VECTORS / "federation.json").read_text(encoding="utf-8"))
ID = bytes(range(16))
PEER, OTHER_PEER = NodeId(b"p" * 32), NodeId(b"q" * 32)


# --- golden bytes


def test_the_generator_still_gives_the_kept_file() -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_federation_vectors
    finally:
        sys.path.remove(str(VECTORS))
    assert make_federation_vectors.text() == (VECTORS / "federation.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("golden", GOLDEN["letters"], ids=lambda each: each["name"])
def test_golden_letters_are_read_and_written(golden: dict[str, str]) -> None:
    letter = decode(bytes.fromhex(golden["bytes"]))
    assert golden["name"].split()[0] == type(letter).__name__
    assert encode(letter).hex() == golden["bytes"]
    if isinstance(letter, Request | Answer):
        assert golden["name"].split()[1] == kind_of(letter.body)


@pytest.mark.parametrize("golden", GOLDEN["refused_letters"], ids=lambda each: each["why"])
def test_golden_faults_are_refused(golden: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        decode(bytes.fromhex(golden["bytes"]))


def test_every_kind_has_a_golden_letter() -> None:
    from hedgerow_protocol.federation import letters as module

    names = {each["name"] for each in GOLDEN["letters"]}
    wanted = {f"Request {word}" for word, _, _ in module._REQUESTS} | {
        f"Answer {word}" for word, _, _ in module._ANSWERS
    }
    wanted |= {kind.__name__ for _, kind, _ in module._LETTERS} - {"Request", "Answer"}
    assert wanted <= names


def test_golden_proofs_moves_and_tags() -> None:
    for golden in GOLDEN["proofs"]:
        assert forks.proves(forks.decode(bytes.fromhex(golden["bytes"]))) is golden["proves"], golden["why"]
    golden = GOLDEN["move"]
    room = RoomId(bytes.fromhex(golden["room"]))
    said = [moving.decode_statement(each.encode()) for each in golden["statements"]]
    assert all(moving.statement_holds(room, each) for each in said)
    assert moving.move_message(room, said[0].move).hex() == golden["message"]
    members = [bytes.fromhex(each) for each in golden["members"]]
    move = said[0].move
    assert moving.decided(room, said, members) == moving.Decision(move.hub, move.number, move.seq)
    assert moving.decided(room, said[1:], members) is None
    golden = GOLDEN["tags"]
    secret, account = bytes.fromhex(golden["secret"]), AccountKey(bytes.fromhex(golden["account"]))
    assert claims.claim_tag(secret, account, KeyPackageRef(bytes.fromhex(golden["ref"]))).hex() == golden["claim"]
    assert claims.room_tag(secret, account, RoomId(bytes.fromhex(golden["room"]))).hex() == golden["in_room"]


# --- letters


def row_of(letter: Any) -> list[Any]:
    found = wire.decode(encode(letter), size_max=limits.LETTER_BYTES_MAX)
    assert isinstance(found, tuple)
    return list(found)


def test_a_later_version_is_understood_as_far_as_it_goes() -> None:
    row = [*row_of(Acknowledge(ROOM, 7)), "more", (1, 2)]
    assert decode(wire.encode(row)) == Acknowledge(ROOM, 7)
    assert decode(wire.encode((99, "anything"))) == Unknown(99)
    later = decode(wire.encode((1, ID, ("sing", (1, 2)))))
    assert later == Request(ID, v.UnknownKind("sing"))
    assert isinstance(later, Request)
    assert later.kind == "sing"
    reply = decode(encode(Answer(later.id, v.UNKNOWN_KIND)))
    assert isinstance(reply, Answer)
    assert reply.status is v.Status.REFUSED
    answer = decode(wire.encode((2, ID, ("sung", ()))))
    assert isinstance(answer, Answer)
    assert answer.status is v.Status.REFUSED
    refusal = decode(wire.encode((2, ID, ("refused", ("too-loud", "Not so loud.", 0)))))
    assert refusal == Answer(ID, v.RefusalAnswer(Refusal.BAD, "Not so loud."))


def test_nobody_sends_what_they_do_not_know() -> None:
    for letter in (Unknown(99), Request(ID, v.UnknownKind("sing")), Answer(ID, v.UnknownKind("sung"))):
        with pytest.raises(LocalError):
            encode(letter)


def test_what_became_of_a_request() -> None:
    told = {
        v.Done(): v.Status.OK,
        v.Asked(ID): v.Status.OK,  # type: ignore[arg-type]
        v.SubmitConflict(1, 2): v.Status.CONFLICT,
        v.Busy(5): v.Status.BUSY,
        v.RefusalAnswer(Refusal.USED, "No."): v.Status.REFUSED,
    }
    assert {body: Answer(ID, body).status for body in told} == told


def test_the_room_of_a_request() -> None:
    submission = GOLDEN_SUBMISSION
    assert v.room_of(v.Submit(submission)) == submission.room
    assert v.room_of(v.Unfollow(ROOM, submission.mailbox)) == ROOM
    assert v.room_of(v.InviteRead(InviteId(ID), bytes(32))) is None


def submit() -> Request:
    letter = next(each for each in GOLDEN["letters"] if each["name"] == "Request submit")
    found = decode(bytes.fromhex(letter["bytes"]))
    assert isinstance(found, Request)
    return found


_BODY = submit().body
assert isinstance(_BODY, v.Submit)
GOLDEN_SUBMISSION = _BODY.submission


@pytest.mark.parametrize(
    "change",
    [
        {"kind": EntryKind.MESSAGE},
        {"payload": b""},
        {"payload": bytes(limits.COMMIT_BYTES_MAX + 1)},
        {"epoch": limits.SEQUENCE_MAX + 1},
        {"seen": -1},
        {"removes": (b"m" * 16,) * (limits.REMOVES_MAX + 1)},
        {"welcomes": (WelcomeOut(KeyPackageRef(bytes(32)), b"w"),) * (limits.WELCOMES_MAX + 1)},
        {"welcomes": (WelcomeOut(KeyPackageRef(bytes(32)), bytes(limits.WELCOME_BYTES_MAX)),) * 9},
        {"welcomes": (WelcomeOut(KeyPackageRef(bytes(32)), b"w", PEER),)},
        {"welcomes": (WelcomeOut(KeyPackageRef(bytes(32)), b"", None, None),)},
        {"room": bytes(31)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_no_submission_says(change: dict[str, Any]) -> None:
    with pytest.raises(RemoteError):
        decode(encode(Request(ID, v.Submit(replace(GOLDEN_SUBMISSION, **change)))))


def test_a_message_has_the_size_of_a_message() -> None:
    message = replace(GOLDEN_SUBMISSION, kind=EntryKind.MESSAGE, welcomes=(), removes=())
    largest = replace(message, payload=bytes(limits.MESSAGE_BYTES_MAX))
    assert decode(encode(Request(ID, v.Submit(largest)))) == Request(ID, v.Submit(largest))
    with pytest.raises(RemoteError):
        decode(encode(Request(ID, v.Submit(replace(message, payload=bytes(limits.MESSAGE_BYTES_MAX + 1))))))


def test_the_largest_submission_is_a_letter() -> None:
    home, size = b"h" * 32, limits.WELCOMES_BYTES_MAX // limits.WELCOMES_MAX
    welcomes = [WelcomeOut(KeyPackageRef(sha256(b"%d" % n).digest()), bytes(size), home, ID) for n in range(64)]  # type: ignore[arg-type]
    largest = replace(
        GOLDEN_SUBMISSION,
        payload=bytes(limits.COMMIT_BYTES_MAX),
        welcomes=tuple(welcomes),
        removes=(GOLDEN_SUBMISSION.mailbox,) * limits.REMOVES_MAX,
    )
    request = Request(ID, v.Submit(largest))
    assert decode(encode(request)) == request


def test_a_letter_that_is_too_large_is_not_written() -> None:
    welcomes = (WelcomeOut(KeyPackageRef(bytes(32)), bytes(limits.WELCOME_BYTES_MAX)),) * 11
    with pytest.raises(LocalError):
        encode(Request(ID, v.Submit(replace(GOLDEN_SUBMISSION, welcomes=welcomes))))
    with pytest.raises(RemoteError) as refused:
        decode(bytes(limits.LETTER_BYTES_MAX + 1))
    assert refused.value.code is Code.TOO_LARGE


def test_entries_come_with_their_payload_or_its_hash() -> None:
    told = log(*letters(3)).notify(0)
    pruned = replace(told, entries=(told.entries[0], replace(told.entries[1], payload=None), told.entries[2]))
    for each in (told, pruned):
        assert decode(encode(each)) == each
    row = row_of(told)
    both = (*row[4][0][:6], bytes(32), row[4][0][7])
    neither = (*row[4][0][:5], None, None, row[4][0][7])
    first = (0, *row[4][0][1:])
    for entry in (both, neither, first):
        with pytest.raises(RemoteError):
            decode(wire.encode((*row[:4], (entry,), False)))


def test_a_notify_is_bounded() -> None:
    def told(count: int, size: int) -> Notify:
        payload, digest = bytes(size), sha256(bytes(size)).digest()
        hash = entry_hash(ROOM, 1, 1, EntryKind.COMMIT, 1, EntryId(ID), digest, bytes(32))
        template = replace(
            log("word").entries[0], kind=EntryKind.COMMIT, payload=payload, payload_hash=digest, hash=hash
        )
        return replace(log("word").notify(0), entries=tuple(replace(template, seq=n + 1) for n in range(count)))

    for fine in (told(256, 100), told(1, limits.COMMIT_BYTES_MAX), told(5, limits.NOTIFY_BYTES_MAX // 4)):
        assert decode(encode(fine)) == fine
    for much in (told(257, 100), told(6, limits.NOTIFY_BYTES_MAX // 4), told(1, limits.COMMIT_BYTES_MAX + 1)):
        with pytest.raises(RemoteError):
            decode(encode(much))


# --- parts


def large(size: int = 300_000) -> tuple[Request, bytes]:
    request = Request(ID, v.Submit(replace(GOLDEN_SUBMISSION, payload=bytes(min(size, limits.COMMIT_BYTES_MAX)))))
    return request, encode(request)


def feed(joiner: parts.Joiner, frames: Iterable[bytes]) -> None:
    for each in frames:
        joiner.came(PEER, each)


def test_large_letters_travel_in_parts_and_small_ones_as_they_are() -> None:
    small = encode(Acknowledge(ROOM, 7))
    splitter, joiner = parts.Splitter(), parts.Joiner()
    assert splitter.frames(small) == [small]
    assert joiner.came(PEER, small) == Acknowledge(ROOM, 7)
    request, data = large()
    for _again in range(2):
        frames = splitter.frames(data)
        assert len(frames) == 5
        assert max(map(len, frames)) <= limits.LETTER_FRAME_BYTES_MAX
        assert [joiner.came(PEER, frame) for frame in frames] == [None] * 4 + [request]
        assert joiner.held == 0


def test_parts_of_several_letters_and_peers_do_not_mix() -> None:
    request, data = large()
    here, there = parts.Splitter(), parts.Splitter()
    joiner = parts.Joiner()
    first, second, others = here.frames(data), here.frames(data), there.frames(data)
    got = [
        joiner.came(peer, frame)
        for trio in zip(first, second, others, strict=True)
        for peer, frame in zip((PEER, PEER, OTHER_PEER), trio, strict=True)
    ]
    assert got == [None] * 12 + [request] * 3
    assert joiner.held == 0


def test_a_link_that_ends_takes_its_parts_along() -> None:
    request, data = large()
    joiner = parts.Joiner()
    frames = parts.Splitter().frames(data)
    for frame in frames[:3]:
        joiner.came(PEER, frame)
    assert joiner.held == 3 * parts.PART_DATA_BYTES
    joiner.down(PEER)
    assert joiner.held == 0
    assert [joiner.came(PEER, frame) for frame in frames[3:]] == [None, None], "the rest of what was let go"
    assert [joiner.came(PEER, frame) for frame in frames][-1] == request


def test_parts_that_do_not_fit_are_refused() -> None:
    piece = bytes(parts.PART_DATA_BYTES)
    first = Part(1, 0, 3, piece)
    faults: list[Callable[[], list[Part]]] = [
        lambda: [first, first],
        lambda: [first, Part(1, 2, 3, piece)],
        lambda: [first, Part(1, 1, 4, piece)],
        lambda: [Part(1, 0, 3, piece[1:])],
        lambda: [first, Part(1, 1, 3, piece), Part(1, 2, 3, piece + b"x")],
        lambda: [Part(number, 0, 3, piece) for number in range(parts.OPEN_OF_PEER_MAX + 1)],
        lambda: [Part(1, index, 128, piece) for index in range(127)],
        lambda: [first, Part(1, 1, 3, piece), Part(1, 2, 3, b"x")],
    ]
    for fault in faults:
        joiner = parts.Joiner()
        with pytest.raises(RemoteError):
            feed(joiner, map(encode, fault()))
        assert joiner.held == 0
    joiner = parts.Joiner()
    nested = parts.Splitter().frames(encode(Part(1, 0, 2, bytes(limits.LETTER_FRAME_BYTES_MAX))))
    assert len(nested) == 2
    with pytest.raises(RemoteError, match="A part holds a part"):
        feed(joiner, nested)
    with pytest.raises(RemoteError):
        joiner.came(PEER, bytes(limits.LETTER_FRAME_BYTES_MAX + 1))


def test_all_peers_together_are_bounded() -> None:
    piece = bytes(parts.PART_DATA_BYTES)
    joiner = parts.Joiner()
    many = parts.OPEN_OF_PEER_BYTES_MAX // parts.PART_DATA_BYTES - 1
    for number in range(20):
        peer = NodeId(bytes([number]) * 32)
        for index in range(many):
            joiner.came(peer, encode(Part(1, index, 128, piece)))
            assert joiner.held <= parts.OPEN_BYTES_MAX
    assert joiner.held > parts.OPEN_BYTES_MAX // 2


# --- tags, rates, the turnstile


def test_tags_link_nothing() -> None:
    secret, account = b"s" * 32, AccountKey(b"a" * 32)
    ref, room = KeyPackageRef(b"r" * 32), RoomId(b"r" * 32)
    tags = {
        claims.claim_tag(secret, account, ref),
        claims.claim_tag(secret, account, KeyPackageRef(b"x" * 32)),
        claims.claim_tag(secret, AccountKey(b"b" * 32), ref),
        claims.claim_tag(b"t" * 32, account, ref),
        claims.room_tag(secret, account, room),
    }
    assert len(tags) == 5
    assert claims.claim_tag(secret, account, ref) in tags
    with pytest.raises(LocalError):
        claims.claim_tag(b"short", account, ref)


def test_a_flood_of_asks_is_bounded_and_leaves_others_alone() -> None:
    rates = asks.AskRates()
    invite, now = InviteId(ID), Instant(0.0)
    ask, claim = v.AskLetter(invite, bytes(32), b"ask"), v.KeyPackageClaim(KeyPackageRef(bytes(32)), b"c", ID)
    let_in = sum(rates.wait(PEER, ask, now) == 0 for _ in range(1_000))
    assert let_in == asks.ASKS_NODE_BURST
    wait = rates.wait(PEER, ask, now)
    assert wait >= 1
    assert rates.wait(PEER, ask, Instant(now + wait - 1)) > 0
    assert rates.wait(OTHER_PEER, ask, now) == 0
    assert rates.wait(PEER, claim, now) == 0
    assert sum(rates.wait(PEER, claim, now) == 0 for _ in range(1_000)) == asks.CLAIMS_NODE_BURST - 1
    assert rates.wait(PEER, v.Unfollow(ROOM, GOLDEN_SUBMISSION.mailbox), now) == 0
    assert sum(rates.wait_invite(invite, now) == 0 for _ in range(1_000)) == asks.ASKS_INVITE_BURST
    assert rates.wait_invite(InviteId(bytes(16)), now) == 0
    assert rates.wait(PEER, ask, Instant(now + 3_600)) == 0


def test_rates_remember_a_bounded_number() -> None:
    buckets: asks.Buckets[int] = asks.Buckets(1, 1, remembered_max=10)
    for name in range(100):
        buckets.wait(name, Instant(0.0))
        buckets.wait(1, Instant(0.0))
    assert len(buckets) == 10
    assert buckets.wait(1, Instant(0.5)) > 0, "who asks all the time is not forgotten"


def test_nothing_overtakes_a_request_that_was_answered_busy() -> None:
    turnstile, now = Turnstile(), Instant(0.0)
    other_room = RoomId(bytes(32))
    assert turnstile.may_pass(PEER, ROOM, b"1", now)
    turnstile.busy(PEER, ROOM, b"1", now)
    assert not turnstile.may_pass(PEER, ROOM, b"2", now)
    assert turnstile.may_pass(PEER, other_room, b"3", now)
    assert turnstile.may_pass(OTHER_PEER, ROOM, b"4", now)
    assert turnstile.may_pass(PEER, ROOM, b"1", now)
    assert turnstile.may_pass(PEER, ROOM, b"2", now)
    turnstile.busy(PEER, ROOM, b"1", now)
    assert turnstile.may_pass(PEER, ROOM, b"2", Instant(now + HELD_SECONDS)), "the first was perhaps taken back"
    turnstile.busy(PEER, ROOM, b"1", now)
    turnstile.down(PEER)
    assert turnstile.may_pass(PEER, ROOM, b"2", now)
    for number in range(ROOMS_OF_PEER_MAX + 1):
        turnstile.busy(PEER, RoomId(number.to_bytes(32, "big")), b"1", now)
    assert turnstile.may_pass(PEER, RoomId(bytes(32)), b"2", now)
    assert not turnstile.may_pass(PEER, RoomId(ROOMS_OF_PEER_MAX.to_bytes(32, "big")), b"2", now)
