"""Addresses in every form, told apart as coarsely as they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow_protocol import limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId, to_text
from hedgerow_protocol.neighbourhood import (
    Place,
    check_address,
    is_local,
    may_tell,
    neighbourhood_of,
    place_of,
    relay_of,
    wide_of,
)

ONION = "a" * 56 + ".onion"
RELAY = NodeId(bytes(range(32)))


@pytest.mark.parametrize(
    ("address", "place", "rest"),
    [
        ("http://1.2.3.4:8470/x", Place.IPV4, b"\1\2"),
        ("1.2.200.200:5000", Place.IPV4, b"\1\2"),
        ("wss://user@1.2.3.4/peer", Place.IPV4, b"\1\2"),
        ("[2001:db8::1]:80", Place.IPV6, bytes.fromhex("20010db8")),
        ("2001:db8:ffff::1", Place.IPV6, bytes.fromhex("20010db8")),
        ("::ffff:1.2.3.4", Place.IPV4, b"\1\2"),
        ("[2002:0102:0304::1]:80", Place.IPV4, b"\1\2"),
        ("64:ff9b::102:304", Place.IPV4, b"\1\2"),
        ("2001:0:0:0:0:0:fefd:fcfb", Place.IPV4, b"\1\2"),
        ("https://a.b.Example.ORG.:8443/x", Place.NAME, b"example.org"),
        ("https://example.org", Place.NAME, b"example.org"),
        (f"http://{ONION}", Place.ONION, b"a" * 56),
        (f"http://www.{ONION}:80/x", Place.ONION, b"a" * 56),
        (f"relay:{to_text(RELAY)}", Place.RELAY, RELAY),
        ("127.0.0.1:5000", Place.LOOPBACK, b""),
        ("[::1]:5000", Place.LOOPBACK, b""),
        ("http://localhost:8470", Place.LOOPBACK, b""),
        ("10.0.0.1:5000", Place.LAN, b""),
        ("192.168.1.7", Place.LAN, b""),
        ("172.31.0.1", Place.LAN, b""),
        ("172.32.0.1", Place.IPV4, b"\xac\x20"),
        ("fe80::1%eth0", Place.LAN, b""),
        ("http://[fd00::1]:8470", Place.LAN, b""),
        ("http://kitchen.local:8470", Place.LAN, b""),
        ("http://kitchen:8470", Place.LAN, b""),
        ("0.0.0.0:80", Place.UNKNOWN, b""),
        ("[::]:80", Place.UNKNOWN, b""),
        ("224.0.0.1", Place.UNKNOWN, b""),
        ("relay:nonsense", Place.UNKNOWN, b""),
        ("", Place.UNKNOWN, b""),
        ("?", Place.UNKNOWN, b""),
        ("http://", Place.UNKNOWN, b""),
        ("http://exämple.org", Place.UNKNOWN, b""),
    ],
)
def test_where_an_address_lies(address: str, place: Place, rest: bytes) -> None:
    assert neighbourhood_of(address) == bytes((place,)) + rest
    assert place_of(neighbourhood_of(address)) is place
    assert is_local(neighbourhood_of(address)) is (place in (Place.LOOPBACK, Place.LAN))
    assert (wide_of(neighbourhood_of(address)) is None) is (place in (Place.IPV4, Place.IPV6, Place.NAME))


def test_onions_share_one_wide_kind() -> None:
    one, other = neighbourhood_of(f"http://{ONION}"), neighbourhood_of("http://" + "b" * 56 + ".onion")
    assert one != other
    assert wide_of(one) == wide_of(other)


def test_what_is_inside_stays_inside() -> None:
    loopback, lan, public = (neighbourhood_of(each) for each in ("127.0.0.1", "192.168.1.1", "1.2.3.4"))
    assert [may_tell(loopback, to) for to in (loopback, lan, public)] == [True, False, False]
    assert [may_tell(lan, to) for to in (loopback, lan, public)] == [True, True, False]
    assert all(may_tell(public, to) for to in (loopback, lan, public))
    assert not may_tell(neighbourhood_of("?"), public)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://Example.ORG", "https://example.org"),
        ("HTTPS://example.org:443/", "https://example.org"),
        ("wss://example.org/garden/", "https://example.org/garden"),
        ("ws://1.2.3.4:8470", "http://1.2.3.4:8470"),
        ("http://example.org.:80", "http://example.org"),
        ("http://[2001:DB8:0:0::1]:8470/x/y", "http://[2001:db8::1]:8470/x/y"),
        ("http://[::ffff:1.2.3.4]", "http://1.2.3.4"),
        ("http://[2002:102:304::1]", "http://[2002:102:304::1]"),
        (f"http://{ONION.upper()}", f"http://{ONION}"),
        (f"relay:{to_text(RELAY)}", f"relay:{to_text(RELAY)}"),
        ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
    ],
)
def test_the_one_form_of_an_address(text: str, canonical: str) -> None:
    assert check_address(text) == canonical
    assert check_address(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "example.org", "10.0.0.1:5000", "ftp://example.org", "https://", "https://user@example.org",
        "https://example.org?x=1", "https://example.org#x", "https://example.org:0", "https://example.org:99999",
        "http://example.org:22", "http://example.org:25/", "http://127.1:8470", "http://0x7f000001", "http://2130706433",
        "http://0.0.0.0:8470", "http://[::]", "http://224.0.0.1", "https://exa mple.org", "https://exämple.org",
        "https://example..org", "https://-example.org", "http://short.onion", "relay:", "relay:zzzz",
        "https://example.org/a/../b", "https://example.org//a", "https://example.org/%2e", "https://example.org/a b",
        "http://[1.2.3.4]", "http://[fe80::1%eth0]", "https://example.org/" + "a" * 250, "https://example.org\n",
        "https://\udc80.org",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(RemoteError):
        check_address(text)


@given(st.text(max_size=80) | st.from_regex(r"(https?|wss?)://[a-z0-9.:\[\]@/%-]{0,40}"))
def test_any_text(text: str) -> None:
    place = neighbourhood_of(text)
    assert place_of(place) in Place
    assert len(place) <= 1 + 253
    try:
        canonical = check_address(text)
    except RemoteError:
        return
    assert check_address(canonical) == canonical
    assert len(canonical) <= limits.NODE_ADDRESS_BYTES_MAX
    assert place_of(neighbourhood_of(canonical)) is not Place.UNKNOWN


def test_the_relay_of_an_address() -> None:
    assert relay_of(f"relay:{to_text(RELAY)}") == RELAY
    assert relay_of("https://example.org") is None
    assert relay_of("relay:abc") is None
