"""Pages around the members' side: the app's frame, the invitation's, and the keeper's page that makes links."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hedgerow_node.http.server import keeper_link
from hedgerow_node.qr import qr_code
from member_node import MemberNode, member_node


@pytest.fixture(scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemberNode]:
    async with member_node(tmp_path_factory.mktemp("pages") / "data", title="Elm community") as node:
        yield node


@pytest.fixture
async def keeper(at: MemberNode) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in which the keeper's page is open."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(at.node.street.addresses[0], cookie_jar=jar) as browser:
        token = keeper_link(at.node.street.runner.app).partition("#")[2]
        async with browser.post("/keeper/enter", data={"token": token}) as response:
            assert response.status == 200
        yield browser


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy, by directive."""
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


async def text(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as response:
        assert response.status == 200, path
        return await response.text()


@pytest.mark.parametrize("path", ["/app", "/join"])
async def test_the_frame_says_nothing_of_anybody(at: MemberNode, path: str) -> None:
    async with at.http.get(f"{at.node.street.addresses[0]}{path}", headers={"Accept-Language": "de"}) as response:
        html = await response.text()
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert "noindex" in response.headers["X-Robots-Tag"]
        policy = directives(response.headers["Content-Security-Policy"])
        permissions = response.headers["Permissions-Policy"]
    found = re.search(r'<script type="application/json" id="texts">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    texts = json.loads(found[1])
    assert any(key.startswith("app.") for key in texts)
    assert 'lang="de"' in html
    assert "Elm community" in html
    host = at.node.street.addresses[0].removeprefix("http://")
    assert policy["connect-src"] == ["'self'", f"ws://{host}", f"wss://{host}"]
    assert policy["img-src"] == ["'self'", "data:", "blob:"]
    assert policy["script-src"] == ["'self'"], "no inline script, no eval, no WebAssembly on a page"
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert ("camera=(self)" in permissions) == (path == "/app")


async def test_other_pages_keep_the_strict_policy(at: MemberNode) -> None:
    async with at.http.get(f"{at.node.street.addresses[0]}/about") as response:
        policy = directives(response.headers["Content-Security-Policy"])
        assert policy["connect-src"] == ["'self'"]
        assert policy["img-src"] == ["'self'", "data:"]
        assert "camera=()" in response.headers["Permissions-Policy"]


async def test_only_the_one_worker_may_use_wasm(at: MemberNode, tmp_path: Path) -> None:
    webui = at.site.webui
    from hedgerow_node.http.webui import Asset

    for name in ("crypto.worker-abc.js", "search.worker-abc.js", "app-abc.js"):
        webui.loaded[name] = Asset(b"//", None, None, "text/javascript")
        async with at.http.get(f"{at.node.street.addresses[0]}/assets/{name}") as response:
            policy = directives(response.headers["Content-Security-Policy"])
        del webui.loaded[name]
        assert ("'wasm-unsafe-eval'" in policy["script-src"]) == name.startswith("crypto.worker-")
        assert "'unsafe-eval'" not in policy["script-src"]


async def csrf(browser: aiohttp.ClientSession) -> str:
    found = re.search(r'name="csrf" value="([A-Z2-7]{32})"', await text(browser, "/keeper/invite"))
    assert found is not None
    return found[1]


async def test_the_keeper_makes_a_link_that_works(at: MemberNode, keeper: aiohttp.ClientSession) -> None:
    assert "/keeper/invite" in await text(keeper, "/keeper")
    said = {"csrf": await csrf(keeper), "uses": "2", "days": "3"}
    async with keeper.post("/keeper/invite", data=said) as response:
        html = await response.text()
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in response.headers, "a compressed secret would speak by its size"
    assert "2 people" in html
    link = re.search(r'value="(http://[^"]+/join#[\w-]{22}\.[\w-]{43})"', html)
    assert link is not None
    path = re.search(r'<path fill="#000" d="([^"]+)"', html)
    assert path is not None
    assert path[1] == qr_code(link[1]).svg_path(), "the code says what the link says"
    assert not re.search(r"<[^>]+ style=", html)
    for _ in range(2):
        await at.stranger().register(link[1])
    secret = link[1].rpartition("#")[2].partition(".")[0]
    for page in ("/keeper", "/keeper/invite"):
        assert secret not in await text(keeper, page), "it is shown once"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"uses": "0"}, "uses"),
        ({"uses": "1001"}, "uses"),
        ({"uses": "two"}, "uses"),
        ({"uses": ""}, "uses"),
        ({"days": "91"}, "days"),
        ({"days": "-1"}, "days"),
        ({"days": "٣"}, "days"),
    ],
)
async def test_mistakes_are_told_at_their_field(
    at: MemberNode, keeper: aiohttp.ClientSession, said: dict[str, str], field: str
) -> None:
    whole = {"csrf": await csrf(keeper), "uses": "1", "days": "7"} | said
    async with keeper.post("/keeper/invite", data=whole) as response:
        html = await response.text()
        assert response.status == 400
    assert f'href="#field-{field}"' in html
    assert "/join#" not in html


async def test_only_the_keeper_makes_links(at: MemberNode, keeper: aiohttp.ClientSession) -> None:
    before = await at.desk.counts()
    async with at.http.post(
        f"{at.node.street.addresses[0]}/keeper/invite", data={"uses": "1", "days": "1"}
    ) as response:
        assert response.status == 403
    async with keeper.post("/keeper/invite", data={"csrf": "A" * 32, "uses": "1", "days": "1"}) as response:
        assert response.status == 403
    assert await at.desk.counts() == before


async def test_the_keeper_sees_numbers_and_no_names(at: MemberNode, keeper: aiohttp.ClientSession) -> None:
    ash = await at.member()
    room = await ash.found()
    await ash.write(room)
    counts = await at.desk.counts()
    html = await text(keeper, "/keeper")
    for number, label in ((counts.accounts, "Accounts"), (counts.devices, "Devices"), (counts.rooms, "Conversations")):
        assert f"<dt>{label}</dt><dd>{number}</dd>" in html
    for secret in (room, ash.account, ash.id, ash.rooms[room]):
        assert secret not in html
    assert "cannot see what anybody writes" in html
    assert "guess from this who talks with whom" in html
