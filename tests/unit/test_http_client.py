"""Who asks and by which name; buckets; one-time links; forms from elsewhere."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_node.http import bounds
from hedgerow_node.http.client import Callers, Hosts, origin_is_ours, parse_address, subscriber
from hedgerow_node.http.keeper.links import KeeperLinks
from hedgerow_node.http.rate import RateLimit
from hedgerow_protocol.ports import Instant
from http_site import Clock


def request_from(remote: str, **headers: str) -> object:
    """A request whose connection comes from this address."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request("GET", "/", headers=named).clone(remote=remote)


@pytest.mark.parametrize(
    ("remote", "headers", "address", "secure"),
    [
        ("203.0.113.9", {}, "203.0.113.9", False),
        ("127.0.0.1", {}, "127.0.0.1", True),
        ("::1", {}, "::", True),
        ("203.0.113.9", {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "https"}, "203.0.113.9", False),
        ("127.0.0.1", {"X_Forwarded_For": "1.2.3.4"}, "127.0.0.1", False),
        ("10.0.0.1", {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "https"}, "1.2.3.4", True),
        ("10.0.0.1", {"X_Forwarded_For": "9.9.9.9, 1.2.3.4, 10.0.0.7"}, "1.2.3.4", False),
        ("10.0.0.1", {"X_Forwarded_For": "nonsense"}, "10.0.0.1", False),
        ("10.0.0.1", {"X_Forwarded_For": "127.0.0.1, 1.2.3.4"}, "1.2.3.4", False),
        ("2001:db8:1:2:3:4:5:6", {}, "2001:db8:1:2::", False),
        ("::ffff:203.0.113.9", {}, "203.0.113.9", False),
    ],
)
def test_callers(remote: str, headers: dict[str, str], address: str, secure: bool) -> None:
    caller = Callers(("10.0.0.0/24",)).of(request_from(remote, **headers))  # type: ignore[arg-type]
    assert caller.address == address
    assert caller.secure is secure


@given(st.text(max_size=300), st.text(alphabet="0123456789.:, abcdef", max_size=200))
def test_any_header_gives_a_caller(first: str, second: str) -> None:
    plain = "".join(each for each in first if each.isprintable() and each.isascii())
    for header in (plain, second):
        request = request_from("10.0.0.1", X_Forwarded_For=header, X_Forwarded_Proto=header)
        assert Callers(("10.0.0.0/24",)).of(request).address  # type: ignore[arg-type]
    Hosts(("https://example.org",)).is_ours(first)


@given(st.from_regex(r"[a-z]{1,10}(\.[a-z]{1,8}){1,3}", fullmatch=True))
def test_names_somebody_can_register_are_not_ours(name: str) -> None:
    local = (".localhost", ".local", ".lan", ".arpa", ".internal", ".test", ".onion")
    assert Hosts(("https://groups.example.org/x",)).is_ours(name) is (
        name == "groups.example.org" or name.endswith(local)
    )


def test_addresses_are_parsed_or_not() -> None:
    assert parse_address("fe80::1%eth0") is not None
    assert parse_address("1.2.3") is None
    assert subscriber(None) == ""


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://localhost:8470"}, True),
        ({"Origin": "http://LOCALHOST:8470"}, True),
        ({"Origin": "http://localhost:9999"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://[::1"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8470"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_origins(headers: dict[str, str], ours: bool) -> None:
    assert origin_is_ours(make_mocked_request("POST", "/", headers=headers), "localhost:8470") is ours


def test_buckets_fill_again() -> None:
    rate = RateLimit(per_second=2, burst=4)
    assert [rate.take("a", Instant(0)) for _ in range(4)] == [0.0] * 4
    assert rate.take("a", Instant(0)) == pytest.approx(0.5)
    assert rate.take("b", Instant(0)) == 0.0
    assert rate.take("a", Instant(0.5)) == 0.0
    assert rate.take("a", Instant(0.5)) > 0
    assert rate.take("a", Instant(100), 4) == 0.0


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 0.5), st.floats(0.5, 3)), max_size=300))
def test_buckets_never_give_more_than_promised(steps: list[tuple[int, float, float]]) -> None:
    rate = RateLimit(per_second=5, burst=10, addresses_max=20)
    now, given_out = 0.0, dict.fromkeys(range(51), 0.0)
    for who, passed, cost in steps:
        now += passed
        if rate.take(str(who), Instant(now), cost) == 0.0:
            given_out[who] += cost
        assert len(rate) <= 21
    if len({who for who, _, _ in steps}) <= 20:  # nobody was forgotten early
        assert all(given <= 10 + 5 * now + 1e-6 for given in given_out.values())


def test_links_and_sessions_stay_few() -> None:
    clock, count = Clock(), 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(size, "big")

    links = KeeperLinks(clock.monotonic, entropy)
    tokens = [links.make() for _ in range(bounds.KEEPER_LINKS_MAX + 3)]
    assert links.redeem(tokens[0]) is None, "the oldest left"
    secrets = [links.redeem(token) for token in tokens[3:]]
    assert all(secrets)
    more = links.redeem(links.make())
    assert links.session(more or "") is not None
    assert sum(links.session(secret or "") is not None for secret in secrets) == bounds.KEEPER_SESSIONS_MAX - 1
    assert links.session("") is None
    clock.elapsed += bounds.KEEPER_SESSION_SECONDS
    assert links.session(more or "") is None
