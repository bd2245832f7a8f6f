"""Drops: who can open one, what it gives away, who keeps it; and what is gathered for one."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import deposit_rows, drop_rows, outgoing_rows
from hedgerow_node.store.private.opening import open_private
from hedgerow_node.store.private.outgoing_rows import Outgoing
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import EntryId, EntryKind, MailboxId, RoomId, Submission
from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.federation import letters as of
from hedgerow_protocol.federation import values as v
from hedgerow_protocol.federation.drops import (
    BUCKETS,
    LETTER_MORE_BYTES,
    LETTERS_BYTES_MAX,
    Drop,
    drop_id,
    may_be_in_drop,
    open_drop,
    seal_drop,
)
from hedgerow_protocol.federation.holders import CLOSEST, holders_for
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp

GOLDEN = json.loads((Path(__file__).parent.parent / "vectors" / "federation.json").read_text(encoding="utf-8"))["drop"]
SEED = b"s" * 32
NOW = Timestamp(1_800_000_000)
DAY = 86_400


def key(name: str) -> SigningKey:
    return SigningKey.from_seed(Usage.NODE, f"hedgerow test seed {name}".encode().ljust(32, b"."))


def node(name: str) -> NodeId:
    return NodeId(key(name).public[1:])


Run: TypeAlias = Callable[[Callable[[Connection], Any]], Any]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Works in a private store."""
    database = open_private(tmp_path / "private.db")
    yield database.write_now
    database.close()


# --- sealed and opened


def test_the_golden_drop_is_sealed_and_opened() -> None:
    said = [bytes.fromhex(each) for each in GOLDEN["letters"]]
    sealed = bytes.fromhex(GOLDEN["bytes"])
    seed = bytes.fromhex(GOLDEN["ephemeral_seed"])
    assert node("away").hex() == GOLDEN["destination"]
    assert seal_drop(key("node"), node("away"), said, Timestamp(GOLDEN["time"]), seed) == sealed
    assert open_drop(key("away"), sealed) == Drop(node("node"), Timestamp(GOLDEN["time"]), tuple(said))
    assert drop_id(sealed).hex() == GOLDEN["id"]


@pytest.mark.parametrize("golden", GOLDEN["refused"], ids=lambda each: each["why"])
def test_golden_forgeries_are_refused(golden: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        open_drop(key("away"), bytes.fromhex(golden["bytes"]))


def test_only_the_destination_opens_it_and_nothing_in_it_says_who_or_what() -> None:
    said = b"what is said " * 9
    sealed = seal_drop(key("ash"), node("birch"), [said], NOW, SEED)
    assert open_drop(key("birch"), sealed).sender == node("ash")
    for other in ("ash", "cedar"):
        with pytest.raises(RemoteError):
            open_drop(key(other), sealed)
    for secret in (node("ash"), node("birch"), said[:13], key("ash").public):
        assert secret not in sealed


def test_a_drop_handed_on_to_somebody_else_is_not_believed() -> None:
    """Whoever opened a drop can seal what is in it for a third node, but not with the sender's signature."""
    stolen = SigningKey(Usage.NODE, key("ash").public, key("birch")._secret)
    with pytest.raises(RemoteError, match="not signed"):
        open_drop(key("cedar"), seal_drop(stolen, node("cedar"), [b"x"], NOW, SEED))


def test_sizes_are_those_of_buckets() -> None:
    sizes = {len(seal_drop(key("ash"), node("birch"), [bytes(many)], NOW, SEED)) for many in range(1, 4000, 37)}
    assert sizes == set(BUCKETS[:3])
    most = [bytes(LETTERS_BYTES_MAX // 256 - LETTER_MORE_BYTES)] * 256
    for said in (most, [bytes(LETTERS_BYTES_MAX - LETTER_MORE_BYTES)]):
        sealed = seal_drop(key("ash"), node("birch"), said, NOW, SEED)
        assert len(sealed) == limits.DROP_BYTES_MAX
        assert open_drop(key("birch"), sealed).letters == tuple(said)


def test_what_does_not_fit_or_is_no_node_is_not_sealed() -> None:
    for said in ([], [b"x"] * 257, [bytes(limits.DROP_BYTES_MAX)]):
        with pytest.raises(LocalError):
            seal_drop(key("ash"), node("birch"), said, NOW, SEED)
    with pytest.raises(RemoteError):
        seal_drop(key("ash"), NodeId(bytes(32)), [b"x"], NOW, SEED)
    steward = SigningKey.from_seed(Usage.STEWARD, SEED)
    with pytest.raises(LocalError):
        seal_drop(steward, node("birch"), [b"x"], NOW, SEED)
    with pytest.raises(LocalError):
        steward.agree(bytes(32))


def test_what_may_be_in_a_drop() -> None:
    room, id = RoomId(bytes(32)), bytes(16)
    assert may_be_in_drop(of.Request(id, v.Unfollow(room, MailboxId(bytes(16)))))
    assert may_be_in_drop(of.Answer(id, v.Done()))
    assert may_be_in_drop(of.Acknowledge(room, 1))
    for other in (
        of.Request(id, v.DropFetch(())),
        of.Request(id, v.DropLeft(node("ash"), b"x")),
        of.Request(id, v.CopyFetch(room, 1, 0)),
        of.Answer(id, v.DropsFound((), False)),
        of.Part(1, 0, 2, b"x"),
        of.Followers(room, ()),
        of.Unknown(99),
    ):
        assert not may_be_in_drop(other)


# --- who keeps it


def test_relays_come_first_and_everybody_reckons_the_same_others() -> None:
    able = [node(f"holder {number}") for number in range(20)]
    away = node("away")
    assert holders_for(away, [able[3], node("no holder")], able)[0] == able[3]
    assert holders_for(away, [], able) == holders_for(away, [], able[::-1])
    assert len(holders_for(away, [], able)) == CLOSEST
    assert holders_for(away, [], [away]) == ()
    closest = holders_for(away, [], able)
    assert list(closest) == sorted(able, key=lambda each: sha256(each + away).digest())[:CLOSEST]
    # One that goes is replaced, and the others stay.
    left = holders_for(away, [], [each for each in able if each != closest[0]])
    assert left[:2] == closest[1:]


# --- what a holder keeps


def test_a_holder_keeps_what_fits_and_gives_it_to_its_destination_only(run: Run) -> None:
    ash, birch, cedar = node("ash"), node("birch"), node("cedar")
    run(lambda c: deposit_rows.leave(c, ash, birch, b"one", NOW))
    run(lambda c: deposit_rows.leave(c, ash, birch, b"one", NOW))
    run(lambda c: deposit_rows.leave(c, cedar, birch, b"two", NOW))
    assert run(lambda c: deposit_rows.take(c, ash, [])) == ([], False)
    assert run(lambda c: deposit_rows.take(c, cedar, [drop_id(b"one")])) == ([], False)
    assert run(lambda c: deposit_rows.take(c, birch, [])) == ([b"one", b"two"], False)
    assert run(lambda c: deposit_rows.take(c, birch, [drop_id(b"one")])) == ([b"two"], False)
    # The oldest of one node for another makes room, and nobody else's does.
    for number in range(deposit_rows.OF_PAIR_MAX + 2):
        run(lambda c, number=number: deposit_rows.leave(c, ash, birch, b"ash %d" % number, NOW))
    found = run(lambda c: deposit_rows.take(c, birch, [])).drops
    assert found == [b"two", *(b"ash %d" % number for number in range(2, deposit_rows.OF_PAIR_MAX + 2))]


def test_a_holder_that_is_full_says_so_and_forgets_after_two_weeks(run: Run) -> None:
    large = limits.DROP_BYTES_MAX

    def leave(sender: str, to: str, text: str) -> None:
        run(lambda c: deposit_rows.leave(c, node(sender), node(to), text.encode().ljust(large), NOW))

    for number in range(deposit_rows.OF_DESTINATION_BYTES_MAX // large):
        leave(f"sender {number}", "birch", "x" * number)
    with pytest.raises(Refused) as full:
        leave("one more", "birch", "y")
    assert full.value.code is Refusal.TOO_MANY
    for number in range(deposit_rows.OF_DEPOSITOR_BYTES_MAX // large):
        leave("ash", f"away {number}", f"{number}")
    with pytest.raises(Refused):
        leave("ash", "one more", "z")
    leave("cedar", "one more", "z")
    first = run(lambda c: deposit_rows.take(c, node("birch"), []))
    assert (len(first.drops), first.more) == (1, True)
    run(lambda c: deposit_rows.forget_old(c, NOW + limits.DROP_SECONDS_KEPT))
    assert run(lambda c: deposit_rows.take(c, node("one more"), [])).drops
    run(lambda c: deposit_rows.forget_old(c, NOW + limits.DROP_SECONDS_KEPT + DAY))
    assert run(lambda c: c.execute("SELECT count(*) FROM deposit").fetchone()) == (0,)


def test_all_nodes_together_have_a_bound(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deposit_rows, "BYTES_MAX", 3000)
    for number in range(3):
        run(lambda c, n=number: deposit_rows.leave(c, node(f"{n}"), node(f"to {n}"), bytes(900 + n), NOW))
    with pytest.raises(Refused):
        run(lambda c: deposit_rows.leave(c, node("more"), node("to more"), bytes(999), NOW))


def test_who_leaves_little_is_not_shut_out_by_those_who_leave_much(run: Run) -> None:
    large = limits.DROP_BYTES_MAX
    for number in range(deposit_rows.OF_DESTINATION_BYTES_MAX // large):
        run(
            lambda c, n=number: deposit_rows.leave(c, node("many"[: 1 + n % 4]), node("birch"), bytes([n]) * large, NOW)
        )
    run(lambda c: deposit_rows.leave(c, node("ash"), node("birch"), b"little", NOW))
    kept = run(lambda c: c.execute("SELECT size FROM deposit ORDER BY id").fetchall())
    assert kept == [(large,)] * (deposit_rows.OF_DESTINATION_BYTES_MAX // large - 1) + [(6,)]


# --- what is gathered for one


def test_nothing_overtakes_a_request_that_does_not_fit(run: Run) -> None:
    birch = node("birch")
    rooms = [RoomId(bytes([number]) * 32) for number in range(2)]

    def submit(room: RoomId, number: int, size: int) -> v.Submit:
        id = EntryId(number.to_bytes(16, "big"))
        return v.Submit(Submission(room, MailboxId(bytes(16)), id, EntryKind.MESSAGE, 0, 0, bytes(size)))

    bodies = [submit(rooms[0], 0, 10), submit(rooms[0], 1, 9_000), submit(rooms[1], 2, 10)]
    bodies += [submit(rooms[0], 3, 10), submit(rooms[1], 4, 10)]
    for number, body in enumerate(bodies):
        outgoing = Outgoing(birch, number.to_bytes(16, "big"), body, b"about")
        run(lambda c, outgoing=outgoing: outgoing_rows.put(c, outgoing, NOW))
    found = run(lambda c: drop_rows.letters_for(c, birch, 5_000, 200, _no_head))
    assert [_number_of(each) for each in found] == [0, 2, 4]
    found = run(lambda c: drop_rows.letters_for(c, birch, 50_000, 200, _no_head))
    assert [_number_of(each) for each in found] == [0, 1, 2, 3, 4]
    assert len(run(lambda c: drop_rows.letters_for(c, birch, 50_000, 2, _no_head))) == 2
    assert run(drop_rows.waiting) == {birch: NOW}


def _number_of(letter: bytes) -> int:
    request = of.decode(letter)
    assert isinstance(request, of.Request)
    return int.from_bytes(request.id, "big")


def _no_head(room: RoomId, position: object) -> of.Head:
    raise AssertionError("no room has grown")
