"""What followers make of what a hub tells them: what is new, what is missing, what proves a lie; and moves of rooms."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest
from nacl.signing import SigningKey as Ed25519

from hedgerow_protocol import keys
from hedgerow_protocol.delivery.chain import sign_head
from hedgerow_protocol.delivery.values import Entry, Position
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.forks import Proof, compare, link_of, proves
from hedgerow_protocol.federation.mirror import Faulty, Gap, Held, New, check
from hedgerow_protocol.federation.moving import (
    Decision,
    Move,
    MoveStatement,
    decided,
    decode_statement,
    encode_statement,
    move_message,
    statement_holds,
)
from hedgerow_protocol.ids import NodeId
from signed_logs import HUB, OTHER_KEY, ROOM, SignedLog, letters, log


def nothing(after: int, upto: int) -> Sequence[Entry]:
    raise AssertionError("nobody needs the follower's rows for this")


TRUE = log(*letters(10))


def held(of: SignedLog, seq: int) -> Held:
    return Held(seq, of.head(seq))


# --- the mirror


def test_what_follows_is_new_and_what_is_known_is_nothing() -> None:
    verdict = check(HUB, held(TRUE, 4), TRUE.notify(4, 7), nothing)
    assert isinstance(verdict, New)
    assert list(verdict.entries) == TRUE.entries[4:7]
    assert verdict.head == TRUE.head(7)
    overlapping = check(HUB, held(TRUE, 4), TRUE.notify(1, 7), nothing)
    assert isinstance(overlapping, New)
    assert list(overlapping.entries) == TRUE.entries[4:7]
    for told in (TRUE.notify(1, 4), TRUE.notify(3, 4)):
        assert check(HUB, held(TRUE, 4), told, nothing) == New((), TRUE.head(4))
    assert check(HUB, held(TRUE, 10), TRUE.notify(10), nothing) == New((), TRUE.head())
    assert check(HUB, held(TRUE, 7), TRUE.notify(1, 4), TRUE.between) == New((), TRUE.head(7)), "an old one, again"


def test_a_follower_begins_in_the_middle_of_a_log() -> None:
    verdict = check(HUB, Held(6, None), TRUE.notify(6, 8), nothing)
    assert isinstance(verdict, New)
    assert list(verdict.entries) == TRUE.entries[6:8]
    longer = check(HUB, Held(6, None), TRUE.notify(2, 8), nothing)
    assert isinstance(longer, New)
    assert list(longer.entries) == TRUE.entries[6:8]
    assert check(HUB, Held(6, None), TRUE.notify(7), nothing) == Gap(6)
    assert check(HUB, Held(6, None), TRUE.notify(10), nothing) == Gap(6)
    first = check(HUB, Held(0, None), TRUE.notify(0), nothing)
    assert isinstance(first, New)
    assert len(first.entries) == 10
    with pytest.raises(RemoteError, match="shorter"):
        check(HUB, Held(10, None), TRUE.notify(2), nothing)


def test_what_is_missing_is_fetched() -> None:
    assert check(HUB, held(TRUE, 4), TRUE.notify(5), nothing) == Gap(4)
    assert check(HUB, held(TRUE, 4), TRUE.notify(10), nothing) == Gap(4), "only where the log stands"


def test_what_no_hub_may_send_is_refused() -> None:
    told = TRUE.notify(4)
    entry = told.entries[1]
    forged = replace(told, head=sign_head(OTHER_KEY, ROOM, TRUE.position()))
    with pytest.raises(RemoteError) as refused:
        check(HUB, held(TRUE, 4), forged, nothing)
    assert refused.value.code is Code.BAD_SIGNATURE
    bad_entries: list[tuple[Entry, ...]] = [
        (told.entries[0], replace(entry, payload_hash=bytes(32)), *told.entries[2:]),
        (told.entries[0], replace(entry, hash=bytes(32)), *told.entries[2:]),
        (told.entries[0], replace(entry, time=entry.time + 1), *told.entries[2:]),
        (told.entries[0], *told.entries[2:]),
        told.entries[::-1],
        told.entries[:-1],
    ]
    for entries in bad_entries:
        with pytest.raises(RemoteError):
            check(HUB, held(TRUE, 4), replace(told, entries=entries), nothing)
    with pytest.raises(RemoteError):
        check(HUB, held(TRUE, 4), replace(told, before=bytes(32)), nothing)
    with pytest.raises(RemoteError, match="before the first"):
        check(HUB, Held(0, None), replace(TRUE.notify(0), before=b"x" * 32), nothing)
    late = Position(10, TRUE.position().hash, TRUE.position().time + 1)
    with pytest.raises(RemoteError, match="head"):
        check(HUB, held(TRUE, 4), replace(told, head=sign_head(TRUE.key, ROOM, late)), nothing)


def test_time_that_goes_back_is_refused() -> None:
    fast = SignedLog(entries=TRUE.entries[:4])
    slow = SignedLog(entries=TRUE.entries[:4]).add("later")
    later = replace(fast.position(), time=slow.position().time + 5)
    with pytest.raises(RemoteError, match="time"):
        check(HUB, Held(4, sign_head(TRUE.key, ROOM, later)), slow.notify(4), nothing)


OTHER = TRUE.branch(5).add(*letters(8, "another"))


@pytest.mark.parametrize(
    ("own", "told", "links"),
    [
        (held(TRUE, 10), OTHER.notify(10), 3),
        (held(TRUE, 10), OTHER.notify(4), 3),
        (held(TRUE, 7), OTHER.notify(5, 7), 0),
        (held(TRUE, 7), OTHER.notify(6, 9), 2),
        (held(TRUE, 10), OTHER.notify(4, 7), 3),
        (held(TRUE, 8), OTHER.notify(5, 6), 2),
        (held(TRUE, 10), replace(OTHER.notify(13), head=OTHER.head(10)), 0),
    ],
)
def test_a_hub_that_tells_two_stories_is_proved_a_liar(own: Held, told: object, links: int) -> None:
    verdict = check(HUB, own, told, TRUE.between)  # type: ignore[arg-type]
    assert isinstance(verdict, Faulty)
    assert proves(verdict.proof)
    assert len(verdict.proof.links) == links
    assert forks.decode(forks.encode(verdict.proof)) == verdict.proof


def test_the_part_that_both_stories_share_proves_nothing() -> None:
    assert check(HUB, held(TRUE, 10), OTHER.notify(2, 5), TRUE.between) == New((), TRUE.head())


# --- heads of others, and proofs


def test_followers_compare_heads() -> None:
    own = TRUE.head(9)
    assert compare(HUB, ROOM, own, TRUE.head(9), nothing) is None
    assert compare(HUB, ROOM, own, TRUE.head(3), TRUE.between) is None
    assert compare(HUB, ROOM, own, TRUE.head(10), nothing) is None, "it is ahead: nothing can be said yet"
    assert compare(HUB, ROOM, own, OTHER.head(12), nothing) is None
    assert compare(HUB, ROOM, own, TRUE.head(0), nothing) is None
    for seq in (6, 7, 9):
        proof = compare(HUB, ROOM, own, OTHER.head(seq), lambda after, upto: TRUE.entries[after:upto])
        assert proof is not None
        assert proves(proof)
        assert (proof.first, proof.second) == (OTHER.head(seq), own)
    with pytest.raises(RemoteError, match="not signed"):
        compare(HUB, ROOM, own, sign_head(OTHER_KEY, ROOM, OTHER.position(9)), nothing)
    assert compare(HUB, ROOM, own, OTHER.head(6), lambda _after, _upto: []) is None, "from before we were told"


def test_what_lies_too_far_back_is_told_apart_and_not_proved() -> None:
    far = Position(forks.LINKS_MAX + 10, b"h" * 32, TRUE.position().time)
    with pytest.raises(RemoteError, match="too long ago"):
        compare(HUB, ROOM, sign_head(TRUE.key, ROOM, far), OTHER.head(6), TRUE.between)


def test_what_is_no_proof() -> None:
    proof = compare(HUB, ROOM, TRUE.head(9), OTHER.head(7), TRUE.between)
    assert proof is not None
    other_room = replace(proof, room=bytes(32))
    honest = Proof(HUB, ROOM, TRUE.head(7), TRUE.head(9), TRUE.position(7).hash, proof.links)
    changed = (
        other_room,
        honest,
        replace(proof, hub=NodeId(OTHER_KEY.public[1:])),
        replace(proof, before=b"x" * 32),
        replace(proof, links=proof.links[:-1]),
        replace(proof, links=(*proof.links, proof.links[0])),
        replace(proof, links=(link_of(OTHER.entries[7]), proof.links[1])),
        replace(proof, first=proof.second, second=proof.first),
        replace(proof, first=replace(proof.first, signature=bytes(64))),
        replace(proof, second=replace(proof.second, signature=bytes(64))),
    )
    for each in changed:
        assert not proves(each)
    same = TRUE.head(9)
    assert not proves(Proof(HUB, ROOM, same, same, same.position.hash, ()))
    framed = replace(TRUE.position(9), hash=b"x" * 32)
    assert not proves(Proof(HUB, ROOM, same, sign_head(OTHER_KEY, ROOM, framed), framed.hash, ()))


# --- moving

MEMBERS = [Ed25519(sha256(b"member %d" % number).digest()) for number in range(5)]
NAMES = [bytes(each.verify_key) for each in MEMBERS]
MOVE = Move(9, TRUE.position(9).hash, NodeId(OTHER_KEY.public[1:]), 1)

DECIDED = Decision(MOVE.hub, 1, 9)


def says(member: Ed25519, move: Move = MOVE) -> MoveStatement:
    return MoveStatement(bytes(member.verify_key), move, member.sign(move_message(ROOM, move)).signature)


def test_more_than_half_of_the_members_move_a_room() -> None:
    assert decided(ROOM, map(says, MEMBERS[:2]), NAMES) is None
    assert decided(ROOM, map(says, MEMBERS[:3]), NAMES) == DECIDED
    assert decided(ROOM, map(says, MEMBERS[:2]), NAMES[:4]) is None, "half is not more than half"
    assert decided(ROOM, [says(MEMBERS[0])], NAMES[:1]) == DECIDED
    assert decided(ROOM, [], []) is None


def test_only_members_who_sign_one_next_move_count() -> None:
    two = [says(each) for each in MEMBERS[:2]]
    third = MEMBERS[2]
    elsewhere = replace(MOVE, hub=NodeId(bytes(32)))
    for useless in (
        [two[0], two[0]],
        [says(Ed25519(bytes(32)))],
        [replace(says(third), signature=bytes(64))],
        [replace(says(third), by=NAMES[3])],
        [says(third), says(third, elsewhere)],
        [says(third, replace(MOVE, number=2))],
        [says(MEMBERS[1], replace(MOVE, seq=8))],
    ):
        assert decided(ROOM, [*two, *useless], NAMES) is None
    # Each names the newest entry that its device has; the new hub begins at none before the highest of them.
    later = replace(MOVE, seq=12)
    assert decided(ROOM, [*two, says(third, replace(MOVE, seq=8))], NAMES) == DECIDED
    assert decided(ROOM, [*two, says(third, later), says(third)], NAMES) == replace(DECIDED, least=12)
    assert decided(ROOM, map(says, MEMBERS), NAMES, moved=1) is None
    again = replace(MOVE, number=2)
    assert decided(ROOM, [says(each, again) for each in MEMBERS], NAMES, moved=1) == replace(DECIDED, number=2)
    both = [*[says(each) for each in MEMBERS], *[says(each, again) for each in MEMBERS[:3]]]
    assert decided(ROOM, both, NAMES) == replace(DECIDED, number=2), "the later of two"
    twisted = [*[says(each) for each in MEMBERS[:3]], *[says(each, elsewhere) for each in MEMBERS]]
    assert decided(ROOM, twisted, NAMES) is None


def test_statements_are_canonical_json() -> None:
    said = says(MEMBERS[0])
    text = encode_statement(said)
    assert decode_statement(text) == said
    assert statement_holds(ROOM, said)
    for damaged in (
        b"",
        b"{}",
        b"[]",
        b"[" * 1_000,
        b"\xff",
        text.replace(b'"seq":9', b'"seq": 9'),
        text.replace(b'"seq":9', b'"seq":9.0'),
        text.replace(b'"seq":9', b'"seq":true'),
        text.replace(b'"seq":9', b'"seq":-1'),
        text.replace(b'"number":1', b'"number":0'),
        text.replace(b'"by"', b'"at":1,"by"'),
        text.replace(b'"number":1', b'"number":1,"number":1'),
        text[:-2] + b'="}',
        text + b" ",
        text.ljust(2_000),
    ):
        assert damaged != text
        with pytest.raises(RemoteError):
            decode_statement(damaged)
    assert not keys.verify(b"\0" + said.by, move_message(ROOM, replace(MOVE, number=2)), said.signature)
