"""The address book: bounded, hard to fill from one corner, and quick to forget."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_worlds import DAY, SECRET, START, address_in, announced, entropy_of, moment, node_of, place_in
from hedgerow_protocol import address_table
from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.neighbourhood import Neighbourhood, neighbourhood_of
from hedgerow_protocol.ports import Now
from hedgerow_protocol.records import read_announcement

LAN = neighbourhood_of("192.168.1.1")
LOOPBACK = neighbourhood_of("127.0.0.1")
PUBLIC = neighbourhood_of("9.9.9.9")


def book_of(seed: int = 1) -> AddressBook:
    return AddressBook(SECRET, entropy_of(seed))


def learn(
    book: AddressBook,
    number: int,
    *addresses: str,
    source: Neighbourhood = PUBLIC,
    now: Now | None = None,
    seq: int = 1,
) -> bool:
    told = announced(number, *(addresses or (address_in(number),)), seq=seq)
    return book.learn(*told, source, now or moment())


def check(book: AddressBook) -> None:
    """Every invariant of the two tables."""
    shelves = book._shelves
    assert len(shelves.new) <= 64 * 64
    assert len(shelves.tried) <= 64 * 64
    assert all(len(table._buckets) <= 64 for table in (shelves.new, shelves.tried))
    assert all(len(bucket) <= 64 for table in (shelves.new, shelves.tried) for bucket in table._buckets.values())
    standing = 0
    for entry in book:
        assert 1 <= len(entry.places) <= 2
        assert len(entry.sources) <= 2
        assert entry.tried or len(entry.sources) == len(entry.places)
        table = shelves.tried if entry.tried else shelves.new
        assert all(table.at(place) == entry.node for place in entry.places)
        standing += len(entry.places)
    assert standing == len(shelves.new) + len(shelves.tried)
    assert set(book.anchors) <= {entry.node for entry in book}


def test_learning_newer_and_older_announcements() -> None:
    book = book_of()
    assert learn(book, 1, seq=5)
    assert not learn(book, 1, seq=5)
    assert not learn(book, 1, address_in(99), seq=4)
    entry = book.get(node_of(1))
    assert entry is not None
    assert entry.addresses == (address_in(1),)
    assert learn(book, 1, address_in(1, 7), seq=6)
    assert entry.addresses == (address_in(1, 7),)
    assert parse_envelope(entry.envelope).rid == entry.rid
    assert read_announcement(parse_envelope(entry.envelope).body).seq == entry.seq == 6
    check(book)


def test_what_is_not_learned() -> None:
    book = book_of()
    assert not book.learn(*announced(1, address_in(1), lasts=60), PUBLIC, moment(60))
    assert not learn(book, 2, "http://example.org:22", "not an address", "HTTP://EXAMPLE.org")
    assert not learn(book, 3, "http://127.0.0.1:5000", "http://192.168.0.3:5000")
    assert not learn(book, 4, "http://127.0.0.1:5000", source=LAN)
    assert len(book) == 0
    assert learn(book, 3, "http://127.0.0.1:5000", "http://192.168.0.3:5000", source=LAN)
    assert learn(book, 5, "http://127.0.0.1:5000", source=LOOPBACK)
    entry = book.get(node_of(3))
    assert entry is not None
    assert entry.addresses == ("http://192.168.0.3:5000",)
    check(book)


def test_a_node_behind_a_relay() -> None:
    book = book_of()
    assert learn(book, 1, f"relay:{to_text(node_of(7))}")
    entry = book.get(node_of(1))
    assert entry is not None
    assert (entry.addresses, entry.relays) == ((), (node_of(7),))


def test_forgotten_when_it_says_nothing() -> None:
    book = book_of()
    learn(book, 1)
    book.learn(*announced(2, address_in(2), lasts=30 * DAY), PUBLIC, moment())
    book.met(node_of(2), moment(29 * DAY))
    book.expire(moment(20 * DAY))
    assert [entry.node for entry in book] == [node_of(2)]
    book.expire(moment(30 * DAY))
    assert len(book) == 0
    check(book)


def test_one_source_fills_an_eighth_and_one_place_a_sixteenth() -> None:
    book = book_of()
    for number in range(6_000):
        learn(book, number, address_in(number % 3_000, number))
    assert 256 <= len(book) <= address_table.SOURCE_BUCKETS_MAX * 64
    crowd = book_of()
    for number in range(3_000):
        learn(crowd, number, address_in(7, number), source=place_in(number))
        crowd.tried(node_of(number), True, moment())
    assert 128 <= len(crowd._shelves.tried) <= address_table.ADDRESS_BUCKETS_MAX * 64
    check(book)
    check(crowd)


def test_a_small_book_loses_nobody() -> None:
    for seed in range(20):
        book = AddressBook(bytes([seed]) * 16, entropy_of(seed))
        for number in range(60):
            assert learn(book, number, f"http://127.0.0.1:{5000 + number}", source=LOOPBACK)
            book.tried(node_of(number), True, moment())
        assert len(book) == 60


def test_at_most_two_sources_and_later_ones_can_take_over() -> None:
    book = book_of()
    learn(book, 1, source=place_in(900))
    for number in range(901, 960):
        learn(book, 1, source=place_in(number))
        check(book)
    entry = book.get(node_of(1))
    assert entry is not None
    assert place_in(900) not in entry.sources


def test_failures() -> None:
    book = book_of()
    learn(book, 1)
    learn(book, 2, address_in(2), address_in(3))
    learn(book, 4)
    book.tried(node_of(4), True, moment())
    for second in (10, 100, 1_000):
        for number in (1, 2, 4):
            book.tried(node_of(number), False, moment(second))
    assert {entry.node for entry in book} == {node_of(2), node_of(4)}
    for second in range(20):
        book.tried(node_of(4), False, moment(2_000 + second))
    assert book.get(node_of(4)) is not None
    book.tried(node_of(4), False, moment(8 * DAY))
    assert book.get(node_of(4)) is None
    book.answered_wrongly(node_of(2), moment())
    learn(book, 5)
    book.answered_wrongly(node_of(5), moment())
    assert book.get(node_of(5)) is None
    check(book)


def test_a_node_that_moved_is_hearsay_again() -> None:
    book = book_of()
    learn(book, 1)
    book.tried(node_of(1), True, moment())
    entry = book.get(node_of(1))
    assert entry is not None
    assert entry.tried
    learn(book, 1, address_in(500), seq=2)
    assert not entry.tried
    check(book)


def test_tested_before_evicted() -> None:
    book = book_of()
    number = 0
    while book.to_test(moment(DAY)) is None:
        number += 1
        learn(book, number, address_in(7, number), source=place_in(number), now=moment(0 if number < 200 else DAY))
        book.tried(node_of(number), True, moment(number if number < 200 else DAY))
        assert number < 3_000
    old = book.to_test(moment(DAY))
    assert old is not None
    newcomer = book.get(node_of(number))
    assert newcomer is not None
    assert old.tried
    assert not newcomer.tried
    before = len(book._shelves.tried)
    book.tried(old.node, False, moment(DAY + 1))
    assert newcomer.tried
    assert not old.tried or old.node not in {entry.node for entry in book}
    assert len(book._shelves.tried) == before
    check(book)


def test_who_stands_its_test_stays() -> None:
    book = book_of()
    number = 0
    while (old := book.to_test(moment(DAY))) is None:
        number += 1
        learn(book, number, address_in(7, number), source=place_in(number))
        book.tried(node_of(number), True, moment(number if number < 200 else DAY))
    book.tried(old.node, True, moment(DAY + 1))
    assert old.tried
    assert book.to_test(moment(DAY + 1)) is not old


def test_who_was_reached_lately_is_not_even_tested() -> None:
    book = book_of()
    for number in range(1_000):
        learn(book, number, address_in(7, number), source=place_in(number))
        book.tried(node_of(number), True, moment(number))
    assert len(book) > len(book._shelves.tried) > 128
    assert book.to_test(moment(4 * 3_600 - 1)) is None


def test_a_second_place_never_pushes_anybody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_table, "TABLE_BUCKETS", 2)
    monkeypatch.setattr(address_table, "TABLE_SLOTS", 4)
    book = book_of()
    number = 0
    while len(book) < 8:
        number += 1
        learn(book, number)
    before = {entry.node for entry in book}
    for node in range(number + 1):
        for source in range(700, 720):
            learn(book, node, source=place_in(source))
    assert {entry.node for entry in book} == before
    assert all(len(entry.sources) == 1 for entry in book)
    check(book)


def test_choosing() -> None:
    book = book_of()
    assert book.choose(lambda _: True, moment()) is None
    for number in range(40):
        learn(book, number, now=moment(number))
        if number < 10:
            book.tried(node_of(number), True, moment(number))
    now = moment(3_600)
    seen = {entry.node for _ in range(600) if (entry := book.choose(lambda _: True, now, oldest=False))}
    assert len(seen) == 40
    for tried in (True, False):
        drawn = [book.choose(lambda _: True, now, tried=tried) for _ in range(50)]
        assert all(entry is not None and entry.tried is tried for entry in drawn)
    only = book.choose(lambda entry: entry.node == node_of(33), now)
    assert only is not None
    assert only.node == node_of(33)
    book.dialling(node_of(33), now)
    assert book.choose(lambda entry: entry.node == node_of(33), moment(3_601)) is None
    assert book.choose(lambda entry: entry.node == node_of(33), moment(3_630)) is not None


def test_the_one_known_for_longer_is_preferred() -> None:
    book = book_of()
    for number in range(60):
        learn(book, number, source=place_in(900 + number), now=moment(0 if number < 30 else 1_000))
    now = moment(3_600)
    old = sum(entry.learned == START for _ in range(400) if (entry := book.choose(lambda _: True, now)))
    assert 260 < old < 340


def test_telling_others() -> None:
    book = book_of()
    for number in range(30):
        learn(book, number)
    assert book.sample(node_of(99), PUBLIC, moment()) == []
    for number in range(20):
        book.tried(node_of(number), True, moment())
    book.met(node_of(25), moment())
    told = book.sample(node_of(3), PUBLIC, moment())
    nodes = [read_announcement(parse_envelope(each).body).node_id for each in told]
    assert len(set(nodes)) == 16
    assert node_of(3) not in nodes
    assert set(nodes) <= {node_of(number) for number in range(20)}
    # The same listener hears the same for an hour, whatever key it shows; another one hears of others.
    assert book.sample(node_of(3), PUBLIC, moment(10)) == told
    assert set(book.sample(node_of(77), PUBLIC, moment())) - set(told) <= {book.get(node_of(3)).envelope}  # type: ignore[union-attr]
    assert book.sample(node_of(3), place_in(555), moment()) != told
    assert book.sample(node_of(3), PUBLIC, moment(3_601)) != told


def test_addresses_of_a_household_are_told_in_the_household_only() -> None:
    book = book_of()
    learn(book, 1, "http://192.168.0.3:5000", address_in(1), source=LAN)
    learn(book, 2, "http://127.0.0.1:5000", source=LOOPBACK)
    learn(book, 3, address_in(3))
    for number in (1, 2, 3):
        book.tried(node_of(number), True, moment())
    assert len(book.sample(node_of(9), PUBLIC, moment())) == 1
    assert len(book.sample(node_of(9), LAN, moment())) == 2
    assert len(book.sample(node_of(9), LOOPBACK, moment())) == 3


def test_an_answer_is_not_full_of_one_place() -> None:
    book = book_of()
    for number in range(40):
        learn(book, number, address_in(5, number), source=place_in(number))
        book.met(node_of(number), moment())
    assert len(book.sample(node_of(99), PUBLIC, moment())) == 2


def test_anchors_come_back() -> None:
    book = book_of()
    for number in range(8):
        learn(book, number)
    book.set_anchors([node_of(number) for number in (5, 99, 2, 7, 1, 3)])
    assert book.anchors == tuple(node_of(number) for number in (5, 2, 7, 1))
    again = AddressBook.from_rows(book.rows(), SECRET, entropy_of(9), moment())
    assert again.anchors == book.anchors
    again.forget(node_of(2))
    assert again.anchors == tuple(node_of(number) for number in (5, 7, 1))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["learn", "learn", "learn", "ok", "fail", "wrong", "met", "expire", "forget", "renew"]),
            st.integers(0, 60), st.integers(0, 9), st.integers(0, 40_000),
        ),
        max_size=150,
    ),
    st.integers(0, 1_000),
)  # fmt: skip
def test_any_history_keeps_the_bounds_and_survives_a_restart(
    history: list[tuple[str, int, int, int]], seed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("TABLE_BUCKETS", 3), ("TABLE_SLOTS", 4), ("SOURCE_BUCKETS_MAX", 2)):
            patch.setattr(address_table, name, value)
        book, seconds = book_of(seed), 0
        for number_of_step, (what, number, source, pause) in enumerate(history):
            seconds += pause
            now = moment(seconds)
            match what:
                case "learn":
                    learn(book, number, address_in(number % 13, number), source=place_in(source), now=now)
                case "renew":
                    moved = address_in(source, number)
                    learn(book, number, moved, source=place_in(source), now=now, seq=2 + number_of_step)
                case "ok" | "fail":
                    book.tried(node_of(number), what == "ok", now)
                case "wrong":
                    book.answered_wrongly(node_of(number), now)
                case "met":
                    book.met(node_of(number), now)
                case "forget":
                    book.forget(node_of(number))
                case _:
                    book.expire(now)
            check(book)
            assert len(book) <= 2 * 3 * 4
        book.set_anchors([entry.node for entry in book][:3])
        now = moment(seconds)
        book.expire(now)
        rows = book.rows()
        again = AddressBook.from_rows(rows, SECRET, entropy_of(seed), now)
        check(again)
        assert sorted(again.rows()) == sorted(rows)
        assert all(type(value) in (bytes, int) for row in rows for value in row)
        other = AddressBook.from_rows(rows, bytes(16), entropy_of(seed), now)
        check(other)


def test_rows_that_cannot_be_read_are_left_out() -> None:
    book = book_of()
    for number in range(5):
        learn(book, number)
    rows = book.rows()
    rows[0] = rows[0]._replace(envelope=b"\xc1")
    rows[1] = rows[1]._replace(node=bytes(32))
    rows.append(rows[2])
    assert len(AddressBook.from_rows(rows, SECRET, entropy_of(1), moment())) == 3
    assert len(AddressBook.from_rows(rows, SECRET, entropy_of(1), moment(31 * DAY))) == 0


def test_a_secret_is_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16"):
        AddressBook(b"short", entropy_of(1))
