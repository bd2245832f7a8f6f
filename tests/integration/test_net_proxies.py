"""Links through what stands between nodes in the world: nginx below a sub-path, and Tor's SOCKS proxy."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hedgerow_node.net import dialing
from hedgerow_node.net.dialing import Dialer, DialError, peer_url
from hedgerow_protocol.gossip.events import Dial, DialFailed, FrameIn, LinkUp, Why
from net_ends import WroteDown, served, until
from nginx_server import needs_nginx, nginx
from socks_server import socks_server

ONION = "b" * 56 + ".onion"


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@needs_nginx
@pytest.mark.parametrize("keeps_prefix", [True, False])
async def test_through_nginx_below_a_sub_path(tmp_path: Path, keeps_prefix: bool) -> None:
    async with served(WroteDown(), prefix="/groups" if keeps_prefix else "", trust_header=True) as called:
        with nginx(tmp_path / "nginx", port_of(called.url), keeps_prefix=keeps_prefix) as url:
            caller = WroteDown()
            caller.dial(url)
            here, there = await caller.first(LinkUp), await called.end.first(LinkUp)
            assert here.peer == called.end.id
            assert there.address == "127.0.0.1"  # by X-Forwarded-For
            for size in (1, 65_000):
                caller.gate.links[here.link].send(b"a" * size)
                called.end.gate.links[there.link].send(b"b" * size)
            await until(lambda: [len(each.frame) for each in caller.all(FrameIn)] == [1, 65_000], "both ways")
            await until(lambda: [len(each.frame) for each in called.end.all(FrameIn)] == [1, 65_000], "both ways")
            await caller.close()


async def test_an_onion_is_reached_through_the_proxy_and_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    loop = asyncio.get_running_loop()
    real = type(loop).getaddrinfo

    async def watched(self: asyncio.AbstractEventLoop, host: str, *args: object, **more: object) -> object:
        looked_up.append(str(host))
        return await real(self, host, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(loop), "getaddrinfo", watched)
    real_plain = socket.getaddrinfo

    def watched_plain(host: str, *args: object, **more: object) -> object:
        looked_up.append(str(host))
        return real_plain(host, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watched_plain)
    async with served(WroteDown()) as called, socks_server({ONION: port_of(called.url)}) as socks:
        caller = WroteDown(dialer=Dialer(tor_proxy=f"127.0.0.1:{socks.port}"))
        caller.dial(f"http://{ONION}", peer=called.end.id)
        assert (await caller.first(LinkUp)).peer == called.end.id
        assert socks.asked == [(3, ONION)]
        caller.dial("http://" + "c" * 56 + ".onion")
        await caller.first(DialFailed)
        assert "SOCKS proxy" in caller.gate.failed["http://" + "c" * 56 + ".onion"]
        await caller.close()
    assert not [host for host in looked_up if "onion" in host]


async def test_an_onion_without_a_proxy_is_not_dialled() -> None:
    dialer = Dialer()
    with pytest.raises(DialError, match="tor_proxy"):
        await dialer.connect(f"http://{ONION}", inside=True)
    gone = Dialer(tor_proxy="127.0.0.1:1")
    with pytest.raises(DialError, match=r"proxy|reached"):
        await gone.connect(f"http://{ONION}")
    await gone.close()


async def test_the_environment_s_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with served(WroteDown()) as called:
        caller = WroteDown()
        caller.dial(called.url)
        await caller.first(LinkUp)
        await caller.close()


async def test_a_stranger_s_name_does_not_lead_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(WroteDown()) as called:
        port = port_of(called.url)

        async def inside(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
            found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
            return [found | {"proto": 0, "flags": 0}]

        monkeypatch.setattr(dialing.aiohttp.ThreadedResolver, "resolve", inside)
        caller = WroteDown()
        address = f"http://hedgerow.example.org:{port}"
        caller.gate.dial(Dial(address, None, None, Why.KEEP))
        await caller.first(DialFailed)
        with pytest.raises(DialError, match="inside"):
            await caller.gate.dialer.connect(f"http://127.0.0.1:{port}")
        assert called.door.inside == 0
        assert not called.end.events
        await caller.close()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://hedgerow.example.org", "ws://hedgerow.example.org/peer"),
        ("https://hedgerow.example.org:8443/groups/", "wss://hedgerow.example.org:8443/groups/peer"),
        ("http://[2001:db8::1]:8470", "ws://[2001:db8::1]:8470/peer"),
        ("http://hedgerow.example.org/peer", "ws://hedgerow.example.org/peer"),
    ],
)
def test_where_a_node_is_dialled(address: str, url: str) -> None:
    assert peer_url(address) == url


@pytest.mark.parametrize(
    "address", ["", "hedgerow.example.org", "ftp://example.org", "http://", "http://a:b@example.org", "http://a:99999",
                "http://example.org/?q", "relay:abc", "http://[::1"]
)  # fmt: skip
def test_what_is_no_address_is_not_dialled(address: str) -> None:
    with pytest.raises(DialError):
        peer_url(address)


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("10.0.0.1", True), ("::1", True), ("::ffff:192.168.0.1", True), ("169.254.0.1", True),
     ("fe80::1%eth0", True), ("8.8.8.8", False), ("2606:4700::1111", False), ("example.org", False)],
)  # fmt: skip
def test_what_lies_inside(host: str, inside: bool) -> None:
    assert dialing.is_inside(host) is inside
