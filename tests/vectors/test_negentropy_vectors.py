"""Negentropy's golden cases: bytes that the reference implementation (C++) produced."""

from hashlib import sha256

import pytest

from hedgerow_protocol.reconcile import Initiator, Responder
from hedgerow_protocol.reconcile.negentropy import fingerprint
from hedgerow_protocol.reconcile.sorted_blocks import SortedBlocks

Items = list[tuple[int, bytes]]


def rid(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def talk(client: Items, server: Items, frame_limit: int = 0) -> tuple[list[bytes], set[bytes], set[bytes]]:
    """Every message of one reconciliation, what the server lacks and what the client lacks."""
    initiator, responder = Initiator(client, frame_limit), Responder(server, frame_limit)
    messages: list[bytes] = []
    have: set[bytes] = set()
    need: set[bytes] = set()
    message: bytes | None = initiator.start()
    while message is not None:
        messages += [message, responder.receive(message)]
        message, more_have, more_need = initiator.receive(messages[-1])
        have.update(more_have)
        need.update(more_need)
        assert len(messages) < 1_000
    return messages, have, need


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "7f9c9e31ac8256ca2f258583df262dbc"),
        (1, "f9cf9d0164b7a7f0ffb00a65c75f053a"),
        (200, "7ed859c5b2b0e4b6a0ae08f32081c45d"),
    ],
)
def test_fingerprints(count: int, expected: str) -> None:
    store = SortedBlocks.of((1, rid(number)) for number in range(count))
    assert fingerprint(store, 0, count).hex() == expected


def test_first_messages_of_small_sets() -> None:
    assert Initiator([]).start().hex() == "6100000200"
    assert Initiator([(12345, rid(0))]).start() == bytes.fromhex("6100000201") + rid(0)


def spread(count: int, step: int) -> Items:
    return [(1_700_000_000 + step * number, rid(number)) for number in range(count)]


def two_ends() -> tuple[Items, Items]:
    items = spread(100, 37)
    return items[:90], items[5:]


def one_second() -> tuple[Items, Items]:
    items = [(5, rid(number)) for number in range(100)]
    return [item for item in items if int.from_bytes(item[1][:2], "big") % 7], items


def scattered() -> tuple[Items, Items]:
    items = spread(5_000, 3)
    return [item for n, item in enumerate(items) if n % 50], [item for n, item in enumerate(items) if n % 50 != 1]


@pytest.mark.parametrize(
    ("sets", "frame_limit", "sizes", "have", "need", "expected"),
    [
        (two_ends(), 0, [323, 529], 5, 10, "5c999e9a27bc72e79dbd4ab17d4fdaeb746359dd336e777838b4c3f71da0f4a2"),
        (one_second(), 0, [322, 2469], 0, 19, "e48afc20c418caf2b05174760a6605c0a4bb68f2c2c9efbdd4c53171c9fc9ca7"),
        (
            scattered(), 0, [323, 4869, 61982, 61982], 100, 100,
            "5c2c19e2b90471e3ae4ea4adb9b466a70c55a5e82c0d00f567b03dcd3d428f54",
        ),
        (scattered(), 4096, 36, 100, 100, "c87cd48e6fbb63e7be9ea6131a767b5a46f83db9fe9750eb1b323cf0877d139a"),
    ],
    ids=["two ends", "one second", "scattered", "scattered, small frames"],
)  # fmt: skip
def test_whole_reconciliations(
    sets: tuple[Items, Items], frame_limit: int, sizes: list[int] | int, have: int, need: int, expected: str
) -> None:
    client, server = sets
    messages, found_have, found_need = talk(client, server, frame_limit)
    assert found_have == {rid for _, rid in client} - {rid for _, rid in server}
    assert found_need == {rid for _, rid in server} - {rid for _, rid in client}
    assert (len(found_have), len(found_need)) == (have, need)
    assert (len(messages) if isinstance(sizes, int) else [len(message) for message in messages]) == sizes
    assert sha256(b"".join(messages)).hexdigest() == expected
