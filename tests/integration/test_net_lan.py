"""Nodes that find each other on the local network: here, on the loopback interface alone."""

import socket
from contextlib import AsyncExitStack
from unittest.mock import Mock

import pytest
from zeroconf.asyncio import AsyncServiceInfo

from hedgerow_node import clock
from hedgerow_node.net.lan import SERVICE, Lan, address_of, own_addresses
from net_ends import until


def lan(port: int, found: list[str], *, host: str = "127.0.0.1", prefix: str = "") -> Lan:
    return Lan(host=host, port=port, prefix=prefix, entropy=clock.entropy, found=found.append)


async def test_two_nodes_on_one_machine_find_each_other_and_not_themselves() -> None:
    one, two = list[str](), list[str]()
    async with AsyncExitStack() as stack:
        for each in (lan(47_001, one), lan(47_002, two, prefix="/below")):
            stack.push_async_callback(each.stop)
            await each.start()
            assert each.problem == ""
        await until(lambda: "http://127.0.0.1:47002/below" in one, "the first finds the second")
        await until(lambda: "http://127.0.0.1:47001" in two, "the second finds the first")
        assert "http://127.0.0.1:47001" not in one
        assert "http://127.0.0.1:47002/below" not in two


async def test_one_that_leaves_says_so() -> None:
    found = list[str]()
    staying, leaving = lan(47_003, found), lan(47_004, [])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(staying.stop)
        await staying.start()
        await leaving.start()
        await until(lambda: "http://127.0.0.1:47004" in staying.addresses.values(), "the other is found")
        await leaving.stop()
        await until(lambda: "http://127.0.0.1:47004" not in staying.addresses.values(), "the other is gone")
        await leaving.stop()  # once more does no harm


async def test_its_name_is_chance_and_says_nothing() -> None:
    one, two = lan(47_005, []), lan(47_005, [])
    for each in (one, two):
        await each.start()
        await each.stop()
        label = each.name.removesuffix("." + SERVICE)
        assert int(label, 16) >= 0
        assert len(label) == 16
        assert socket.gethostname() not in each.name
    assert one.name != two.name


async def test_a_network_that_cannot_be_used_is_a_sentence() -> None:
    nowhere = lan(47_006, [], host="203.0.113.77")  # not an address of this machine
    await nowhere.start()
    assert nowhere.problem.startswith("The local network cannot be searched")
    await nowhere.stop()


async def test_a_failing_socket_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", Mock(side_effect=OSError(1, "Operation not permitted")))
    refused = lan(47_007, [])
    await refused.start()
    assert "operation not permitted" in refused.problem


def info(properties: dict[str, str | bytes], addresses: list[str], port: int = 8470) -> AsyncServiceInfo:
    packed = [socket.inet_pton(socket.AF_INET6 if ":" in each else socket.AF_INET, each) for each in addresses]
    name = f"x.{SERVICE}"
    return AsyncServiceInfo(SERVICE, name, port=port, properties=properties, addresses=packed, server="x.local.")


@pytest.mark.parametrize(
    ("properties", "addresses", "expected"),
    [
        ({"v": "1", "p": ""}, ["192.168.1.7"], "http://192.168.1.7:8470"),
        ({"v": "1"}, ["192.168.1.7"], "http://192.168.1.7:8470"),
        ({"v": "1", "p": "/a/b"}, ["fe80::1", "fd00::7", "192.168.1.7"], "http://192.168.1.7:8470/a/b"),
        ({"v": "1", "p": ""}, ["fd00::7"], "http://[fd00::7]:8470"),
        ({"v": "1", "p": ""}, ["fe80::1"], None),
        ({"v": "1", "p": ""}, [], None),
        ({"v": "2", "p": ""}, ["192.168.1.7"], None),
        ({"p": ""}, ["192.168.1.7"], None),
        ({"v": "1", "p": "@evil.example.org"}, ["192.168.1.7"], None),
        ({"v": "1", "p": "/a?b"}, ["192.168.1.7"], None),
        ({"v": "1", "p": "/a b"}, ["192.168.1.7"], None),
        ({"v": "1", "p": "//evil.example.org"}, ["192.168.1.7"], None),
        ({"v": "1", "p": b"/\xff"}, ["192.168.1.7"], None),
        ({"v": "1", "p": "/" + "a" * 100}, ["192.168.1.7"], None),
    ],
)
def test_only_answers_like_ours_become_addresses(
    properties: dict[str, str | bytes], addresses: list[str], expected: str | None
) -> None:
    assert address_of(info(properties, addresses)) == expected


def test_where_a_node_can_be_found() -> None:
    assert own_addresses("127.0.0.1") == ("127.0.0.1",)
    assert own_addresses("192.168.1.7") == ("192.168.1.7",)
    assert own_addresses("no such host") == ()
    assert "127.0.0.1" in own_addresses("localhost")
    assert not any(each.startswith("127.") for each in own_addresses("0.0.0.0"))
