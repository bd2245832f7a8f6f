"""What strangers' links may bring: bounded by where they come from, whatever keys they show."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_worlds import node_of
from hedgerow_protocol import budget
from hedgerow_protocol.budget import Account, HostQuota, Introductions, Room, account_of
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.neighbourhood import neighbourhood_of
from hedgerow_protocol.ports import Instant

T0 = Instant(500.0)
HALF_DAY = Instant(500.0 + 12 * 3_600)


def rid(number: int) -> RecordId:
    return RecordId(number.to_bytes(32, "big"))


def at(address: str, key: int = 0, *, pinned: bool = False) -> Account:
    return account_of(neighbourhood_of(address), node_of(key), pinned=pinned)


def flood(
    introductions: Introductions,
    account_for: Callable[[int], Account],
    count: int,
    *,
    chain: bool = False,
    size: int = 1_500,
) -> int:
    """How many of ``count`` records are taken."""
    return sum(
        introductions.charge(account_for(number), rid(number), size, T0, new_chain=chain) for number in range(count)
    )


def test_ten_thousand_minted_charters_through_one_neighbourhood() -> None:
    introductions = Introductions()
    assert flood(introductions, lambda number: at(f"1.2.{number % 256}.1", number), 10_000, chain=True) == 1_024
    assert introductions.room(at("1.2.3.4", 77_777), T0).chains == 0
    assert introductions.room(at("1.3.3.4"), T0) == Room(30_000, 64 * 1024 * 1024, 1_024)
    assert introductions.room(at("1.2.3.4"), HALF_DAY).chains == 512


def test_records_and_bytes_have_limits_of_their_own() -> None:
    assert flood(Introductions(), lambda _: at("1.2.3.4"), 31_000) == 30_000
    assert flood(Introductions(records_max=1_000), lambda _: at("1.2.3.4"), 5_000) == 4_096
    assert flood(Introductions(), lambda _: at("1.2.3.4"), 5_000, size=40_000) == 64 * 1024 * 1024 // 40_000


def test_a_peer_of_the_keepers_choice() -> None:
    introductions = Introductions(records_max=20_000)
    assert flood(introductions, lambda _: at("1.2.3.4", 1, pinned=True), 12_000, chain=True) == 10_000
    assert introductions.room(at("1.2.3.4", 1), T0).chains == 1_024


@pytest.mark.parametrize("address", ["127.0.0.1:%d", "192.168.0.%d", "?%d", "http://" + "a" * 54 + "%02d.onion"])
def test_where_places_are_free_all_of_a_kind_share_a_limit(address: str) -> None:
    introductions = Introductions()
    honest = at(address.replace("%d", "9").replace("%02d", "bb"), 10**6)
    assert (
        flood(introductions, lambda _: at(address.replace("%d", "1").replace("%02d", "aa"), 1), 3_000, chain=True)
        == 1_024
    )
    assert introductions.room(honest, T0).chains == 1_024
    letters = "abcdefghijklmnopqrstuvwxyz"

    def minted(number: int) -> Account:
        pair = letters[number // 26 % 26] + letters[number % 26]
        return at(address.replace("%d", str(number % 200)).replace("%02d", pair), number)

    many = Introductions()
    assert flood(many, minted, 12_000, chain=True) == 8 * 1_024


def test_a_record_is_charged_once() -> None:
    introductions = Introductions()
    account, other = at("1.2.3.4"), at("5.6.7.8")
    before = introductions.room(account, T0)
    assert introductions.charge(account, rid(1), 1_000, T0)
    assert introductions.charge(account, rid(1), 1_000, T0)
    assert introductions.charge(other, rid(1), 1_000, T0)
    assert introductions.room(account, T0).records == before.records - 1
    assert introductions.room(other, T0) == before


def test_those_who_hold_a_record_share_its_charge() -> None:
    introductions = Introductions()
    accounts = [at(f"1.{number}.3.4") for number in range(10)]
    for number in range(840):
        introductions.charge(accounts[0], rid(number), 1_000, T0, new_chain=True)
    full = Room(30_000, 64 * 1024 * 1024, 1_024)
    for account in accounts[1:]:
        for number in range(840):
            introductions.corroborated(rid(number), account, T0)
            introductions.corroborated(rid(number), account, T0)
    rooms = [introductions.room(account, T0) for account in accounts]
    assert rooms[0].chains == 1_024 - 840 // 8
    assert rooms[7] == rooms[0]
    assert rooms[8] == full  # eight share; what comes later changes nothing
    introductions.corroborated(rid(0), at("9.9.9.9", 5, pinned=True), T0)
    assert introductions.room(accounts[0], Instant(T0 + 1)).records >= rooms[0].records


def test_what_a_chosen_peer_brought_is_charged_to_nobody_else() -> None:
    introductions = Introductions()
    introductions.charge(at("1.2.3.4", 1, pinned=True), rid(1), 1_000, T0, new_chain=True)
    introductions.corroborated(rid(1), at("5.6.7.8"), T0)
    assert introductions.room(at("5.6.7.8"), T0).records == 30_000
    assert introductions.room(at("1.2.3.4", 1, pinned=True), T0).records == 149_999


def test_nobody_is_pushed_over_his_limit_by_what_others_brought() -> None:
    introductions = Introductions()
    account, full = at("1.2.3.4"), at("5.6.7.8")
    for number in range(1_024):
        introductions.charge(full, rid(number), 1_000, T0, new_chain=True)
    introductions.charge(account, rid(5_000), 1_000, T0, new_chain=True)
    introductions.charge(account, rid(5_001), 1_000, T0)
    room = introductions.room(full, T0)
    introductions.corroborated(rid(5_000), full, T0)
    assert introductions.room(full, T0) == room
    assert introductions.room(account, T0).records == 30_000 - 2
    introductions.corroborated(rid(5_001), full, T0)
    assert introductions.room(full, T0).records == room.records - 1
    assert introductions._charges[account.key].records == 1.5


def test_a_chosen_peer_clears_a_charge_even_when_it_has_faded() -> None:
    introductions = Introductions()
    account = at("1.2.3.4")
    for number in range(100):
        introductions.charge(account, rid(number), 1_000, T0, new_chain=True)
    for number in range(100):
        introductions.corroborated(rid(number), at("5.5.5.5", 9, pinned=True), HALF_DAY)
    assert introductions.room(account, HALF_DAY) == Room(30_000, 64 * 1024 * 1024, 1_024)
    assert introductions.room(account, T0) == introductions.room(account, HALF_DAY)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "INTRODUCED_MAX", 50)
    monkeypatch.setattr(budget, "ACCOUNTS_MAX", 40)
    introductions = Introductions()
    assert flood(introductions, lambda number: at(f"127.0.0.{number % 200}", number), 3_000, chain=True) == 3_000
    assert len(introductions._introduced) == 50
    assert len(introductions._charges) <= 41
    # Dropped accounts gave nothing back to all of their kind.
    assert flood(Introductions(), lambda number: at("127.0.0.1", number), 12_000, chain=True) == 8_192


PLACES = ["1.1.0.1", "1.2.0.1", "1.3.0.1", "127.0.0.1", "http://" + "a" * 56 + ".onion"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["charge", "corroborate"]), st.sampled_from(PLACES), st.integers(0, 9), st.integers(0, 120),
        st.booleans(), st.floats(0, 3_600),
    ),
    max_size=120,
)  # fmt: skip


@settings(max_examples=60)
@given(STEPS)
def test_no_account_ever_exceeds_its_limit_and_charges_are_what_was_taken(
    steps: list[tuple[str, str, int, int, bool, float]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "CHAINS_MAX", 5)
        patch.setattr(budget, "RECORDS_MIN", 12)
        patch.setattr(budget, "BYTES_MAX", 20_000)
        patch.setattr(budget, "WIDE_FACTOR", 2)
        introductions = Introductions(records_max=10)
        taken: dict[RecordId, float] = {}
        now = T0
        for what, address, key, number, chain, pause in steps:
            now = Instant(now + pause)
            account = at(address, key)
            if what == "corroborate":
                introductions.corroborated(rid(number), account, now)
            elif introductions.charge(account, rid(number), 100 * key, now, new_chain=chain):
                taken.setdefault(rid(number), now)
            for name, charge in introductions._charges.items():
                wide = 2 if name.startswith(b"wide:") else 1
                assert charge.records <= 12 + 1e-6
                assert charge.chains <= 5 * wide + 1e-6
                assert charge.bytes <= 20_000 * wide + 1e-3
        owed = sum(0.5 ** ((now - when) / budget.HALF_LIFE_SECONDS) for when in taken.values())
        for charge in introductions._charges.values():
            charge.fade(now)
        own = sum(charge.records for name, charge in introductions._charges.items() if not name.startswith(b"wide:"))
        assert own == pytest.approx(owed, abs=1e-6)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.integers(0, 3), st.floats(0, 3_600), st.lists(
            st.tuples(st.integers(0, 30), st.integers(0, 4_000), st.booleans()), max_size=20
        )),
        max_size=8,
    )
)  # fmt: skip
def test_many_at_once_are_charged_as_one_after_another(
    batches: list[tuple[str, int, float, list[tuple[int, int, bool]]]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "CHAINS_MAX", 5)
        patch.setattr(budget, "RECORDS_MIN", 12)
        patch.setattr(budget, "BYTES_MAX", 20_000)
        patch.setattr(budget, "WIDE_FACTOR", 2)
        patch.setattr(budget, "INTRODUCED_MAX", 25)
        together, single = Introductions(records_max=10), Introductions(records_max=10)
        now = T0
        for address, key, pause, records in batches:
            now = Instant(now + pause)
            account = at(address, key)
            together.charge_all(account, [(rid(number), size, chain) for number, size, chain in records], now)
            for number, size, chain in records:
                single.charge(account, rid(number), size, now, new_chain=chain)
            assert together._introduced == single._introduced
            assert together.room(account, now) == single.room(account, now)
            assert together._charges.keys() == single._charges.keys()


def test_a_hosts_quota_is_its_own() -> None:
    quota = HostQuota()
    host, other = node_of(1), node_of(2)
    assert sum(quota.claim(host, rid(number)) for number in range(10_000)) == 512
    assert quota.claim(host, rid(3))
    assert quota.claim(other, rid(3))
    assert (quota.count(host), quota.count(other), len(quota)) == (512, 1, 513)
    quota.release(host, rid(3))
    quota.release(host, rid(3))
    assert not quota.claims(host, rid(3))
    assert quota.claim(host, rid(9_999))
    assert not quota.claim(host, rid(3))
    quota.release(other, rid(3))
    assert (quota.count(other), len(quota)) == (0, 512)
