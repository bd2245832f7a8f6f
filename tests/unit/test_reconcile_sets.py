"""The parts of reconciliation that are plain: sets in blocks, salts, names, cells, and what each refuses."""

import pytest

from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.reconcile import Initiator, LiveSet, Responder, payloads
from hedgerow_protocol.reconcile.names import Names
from hedgerow_protocol.reconcile.negentropy_codec import varint
from hedgerow_protocol.reconcile.salting import Salt, session_salt
from hedgerow_protocol.reconcile.session_view import SessionView
from hedgerow_protocol.reconcile.sketch import CELL_BYTES, Decoder, DoubtfulError, next_cell, pack, put, symbol
from hedgerow_protocol.reconcile.sorted_blocks import BLOCK_ENTRIES_MAX, SECONDS_END, SortedBlocks, key_of
from reconcile_pair import item, live_set, rid

SALT = Salt(bytes(16))


# --- sets


def test_what_is_no_record_is_a_mistake_of_the_caller() -> None:
    for seconds, record in ((0, b"short"), (-1, bytes(32)), (SECONDS_END, bytes(32))):
        with pytest.raises(LocalError):
            LiveSet().add(seconds, record)
    with pytest.raises(LocalError):
        Initiator([item(1), item(1)])
    with pytest.raises(LocalError):
        live_set([item(1)]).load([item(2)])
    for frame_limit in (1, 4_095, -5):
        with pytest.raises(ValueError, match="frame limit"):
            Responder([], frame_limit)
    with pytest.raises(LocalError):
        Salt(b"short")


def test_blocks_stay_small_and_are_joined_when_they_empty() -> None:
    blocks = SortedBlocks()
    for number in range(3_000):
        assert blocks.add(key_of(number % 7, rid(number)))
    assert max(len(block) for block in blocks.blocks) <= 40 * BLOCK_ENTRIES_MAX
    many = len(blocks.blocks)
    for number in range(0, 2_900):
        assert blocks.remove(key_of(number % 7, rid(number)))
    assert len(blocks.blocks) < many / 4
    assert len(blocks) == 100
    for number in range(2_900, 3_000):
        assert blocks.remove(key_of(number % 7, rid(number)))
    assert blocks.blocks == ()
    assert not blocks.remove(key_of(1, rid(1)))
    assert list(blocks.entries(0, 0)) == []


def test_a_digest_is_of_the_set_and_of_the_channel() -> None:
    live, same = live_set([item(1), item(2)]), LiveSet()
    same.add(*item(2))
    same.add(*item(3))
    same.add(*item(1))
    same.remove(*item(3))
    assert live.digest(b"k" * 32) == same.digest(b"k" * 32)
    assert live.digest(b"l" * 32) != live.digest(b"k" * 32)
    assert len(live.digest(b"k" * 32)) == 16
    same.remove(*item(1))
    assert live.digest(b"k" * 32) != same.digest(b"k" * 32)


# --- salts and names


def test_each_side_and_the_channel_have_a_part_in_a_salt() -> None:
    salts = {
        session_salt(*parts).key
        for parts in ((b"a", b"b", b"c"), (b"x", b"b", b"c"), (b"a", b"x", b"c"), (b"a", b"b", b"x"))
    }
    assert len(salts) == 4


def test_names_lead_back_to_records() -> None:
    names = Names(200)
    handles = [number.to_bytes(8, "big") for number in range(300)]
    entries = [SALT.salted(rid(number))[:8] for number in range(300)]
    for name, handle in zip(entries, handles, strict=True):
        names.add(name, handle)
    names.add(entries[5], handles[6])  # two of one name
    assert sorted(names.find(entries[5][:5])) == [handles[5], handles[6]]
    names.remove(entries[5], handles[5])
    names.remove(entries[5], handles[5])
    assert names.find(entries[5]) == [handles[6]]
    assert names.find(bytes(8)) == []
    assert len(names) == 300 == sum(len(drawer) for drawer in names.drawers())


def test_a_name_is_not_found_across_two_others() -> None:
    names = Names(1)
    names.add(b"\x00abcdefg", b"hijklmno")
    assert names.find(b"defghijk") == []


def test_many_records_of_one_second_are_put_in_order() -> None:
    live = live_set((5, rid(number)) for number in range(9_000))
    view = SessionView(SALT, live.records.blocks)
    slices = sum(1 for _ in view.prepare_order())
    assert slices >= 9
    assert view.ordered is not None
    entries = list(view.ordered.entries(0, 9_000))
    assert entries == sorted(entries)
    assert {view.rid_of(entry) for entry in entries} == {rid(number) for number in range(9_000)}
    for entry in entries[::999]:
        assert SALT.salted(view.rid_of(entry)) == entry[8:40]


# --- cells


def test_cells_thin_out_as_they_should() -> None:
    """Cell i holds a share of 2 / (i + 2) of all records."""
    cells = [0] * 200
    for number in range(4_000):
        put(cells, *symbol(SALT, SALT.salted(rid(number))[:8]))
    counts = [cell >> 160 for cell in cells]
    assert counts[0] == 4_000
    for first, last in ((1, 2), (5, 10), (40, 60), (100, 200)):
        expected = sum(4_000 * 2 / (cell + 2) for cell in range(first, last))
        assert abs(sum(counts[first:last]) - expected) < 5 * expected**0.5


def test_cells_follow_one_another() -> None:
    for extreme in (0, 1, 2**64 - 1, 2**32):
        cell, state = 0, extreme
        for _ in range(60):
            after, state = next_cell(cell, state)
            assert after > cell
            cell = after


def two_cells() -> tuple[list[int], list[int]]:
    """The cells of sets that differ by six records."""
    ours, theirs = [0] * 64, [0] * 64
    for number in range(40):
        value, seed = symbol(SALT, SALT.salted(rid(number))[:8])
        if number >= 3:
            put(ours, value, seed)
        if number < 37:
            put(theirs, value, seed)
    return ours, theirs


def test_a_sketch_that_contradicts_itself_is_doubtful() -> None:
    ours, theirs = two_cells()
    value, seed = symbol(SALT, SALT.salted(rid(1))[:8])
    for cell in (1, 2, 3, 4, 5, 6, 7, 8):  # a record in cells where it does not belong turns up twice
        theirs[cell] += value
    decoder = Decoder(SALT, ours)
    with pytest.raises(DoubtfulError):
        decoder.feed(pack(theirs))
    assert seed


def test_cells_are_cut_as_they_should_be_and_no_more_than_ours() -> None:
    ours, theirs = two_cells()
    for wrong in (pack(theirs)[:-1], pack(theirs) + bytes(CELL_BYTES)):
        with pytest.raises(RemoteError):
            Decoder(SALT, ours).feed(wrong)
    decoder = Decoder(SALT, ours)
    assert not decoder.finished
    decoder.feed(pack(theirs))
    assert decoder.finished
    assert (len(decoder.ours), len(decoder.theirs)) == (3, 3)


# --- bytes


def test_numbers_are_written_in_their_shortest_form() -> None:
    shown = {0: "00", 127: "7f", 128: "8100", 16_383: "ff7f", 16_384: "818000", 2**64 - 1: "81ffffffffffffffff7f"}
    assert {number: varint(number).hex() for number in shown} == shown


@pytest.mark.parametrize(
    "data",
    [
        "",
        "60",
        "70",
        "6100",
        "610000",
        "61000001",
        "61000002",
        "6100000201",
        "61000003",
        "6100800000",
        "61002100",
        "610201ff0001011000",
    ],
)
def test_messages_that_are_none(data: str) -> None:
    raw = bytes.fromhex(data)
    initiator = Initiator([item(1)])
    initiator.start()
    with pytest.raises(RemoteError):
        initiator.receive(raw)
    if raw[:1] == b"\x60":
        assert Responder([]).receive(raw) == b"\x61"
    else:
        with pytest.raises(RemoteError):
            Responder([]).receive(raw)


def test_another_version_is_answered_with_ours() -> None:
    assert Responder([item(1)]).receive(b"\x62whatever") == b"\x61"


def test_payloads_are_what_they_were() -> None:
    several: list[payloads.Payload] = [
        payloads.Open(bytes(16), 3, None, True, bytes(16)),
        payloads.Answer(b"tag.", bytes(16), 3, payloads.Method.HOUR_SKETCH, bytes(16), 40),
        payloads.Cells(b"tag.", bytes(26)),
        payloads.More(b"tag.", 80),
        payloads.Turn(b"tag."),
        payloads.Ranges(b"tag.", b"\x61", b"name", 3),
        payloads.End(b"tag.", b"", 0, False),
    ]
    for each in several:
        data = payloads.encode(each)
        assert payloads.decode(data) == each
        for cut in range(len(data)):
            with pytest.raises(RemoteError):
                payloads.decode(data[:cut])
    with pytest.raises(RemoteError):
        payloads.decode(payloads.encode(payloads.Ranges(b"tag.", bytes(60_000), b"", 0)))
    assert payloads.decode(b"\x01\x92\x63\xc0") is None
