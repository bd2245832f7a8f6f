"""The keeper's page about other sites: what it shows, and its forms, before a network that is only lent."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient

from hedgerow_node.directory.blocklist import blocklist_from_json, blocklist_to_json
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.server import keeper_link
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId, to_text
from http_site import NODE_ID, NOW, make_app
from lent_network import TROUBLED, LentNetwork, all_troubles, status

PATH = "/keeper/network"
LISTING = ListingId(bytes(range(20)))
NODE = NodeId(bytes([7]) * 32)


@pytest.fixture
def lent() -> LentNetwork:
    return LentNetwork(status(5, NOW, **TROUBLED))


@pytest.fixture
async def client(aiohttp_client: Any, tmp_path: Path, lent: LentNetwork) -> AsyncIterator[TestClient]:
    directory = Directory.open(tmp_path / "public.db")
    app = make_app(tmp_path, directory, peering=lent)
    opened: TestClient = await aiohttp_client(app)
    token = keeper_link(app).partition("#")[2]
    await opened.post("/keeper/enter", data={"token": token})
    yield opened
    await directory.close()


async def page(client: TestClient, path: str = PATH) -> str:
    response = await client.get(path)
    assert response.status == 200
    return await response.text()


async def send(client: TestClient, path: str, **fields: Any) -> tuple[int, str]:
    token = re.search(r'name="csrf" value="([A-Z2-7]{32})"', await page(client))
    assert token is not None
    response = await client.post(path, data={"csrf": token[1], **fields})
    return response.status, await response.text()


async def test_what_it_shows(client: TestClient, lent: LentNetwork) -> None:
    html = await page(client)
    assert html.count("<g class=") == 5
    assert re.search(
        r'<svg class="drawing"[^>]* role="img" aria-labelledby="drawing-title" aria-describedby="drawing-text">', html
    )
    assert "<table" in html
    assert "circle-2.example.org" in html
    for words in ("keeping us in the dark", "12 hours", "A signature was wrong.", "1,412", "permission denied"):
        assert words in html, words
    assert not re.search(r"<[^>]+ style=", html), "the policy allows no inline style"
    assert "Other sites" in await page(client, "/keeper")


async def test_groups_shared_with_others(client: TestClient, lent: LentNetwork) -> None:
    html = await page(client)
    assert "We share no group with another site now." in html
    assert "proofs.txt" not in html
    lent.shared, lent.proven = all_troubles(NOW), [b"one", b"other"]
    html = await page(client)
    for said in ("told two different stories", "1,204", "100 or more", "It asked to join too often.", "Further sites"):
        assert said in html, said
    link = re.search(r'href="([^"]*proofs.txt[^"]*)"', html)
    assert link is not None
    response = await client.get(link[1])
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert await response.text() == "b25l\nb3RoZXI\n"


@pytest.mark.parametrize("many", [0, 1, 60, 136])
async def test_any_number_of_peers(client: TestClient, lent: LentNetwork, many: int) -> None:
    lent.said = status(many, NOW)
    html = await page(client)
    assert html.count('<tr role="row">') == (many + 1 if many else 0)
    assert html.count("<g class=") == min(many, 60)


async def test_the_addresses_of_forms_lead_back(client: TestClient) -> None:
    """After a mistake the page stands at its form's address, and the links to other languages lead there."""
    for path in ("peers", "blocks", "blocks/import"):
        response = await client.get(f"{PATH}/{path}?lang=de", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, f"{PATH}?lang=de")


async def test_a_strangers_words_stay_words(client: TestClient, lent: LentNetwork) -> None:
    """Addresses come from outside: they are shown, never run."""
    evil = '"><script>alert(1)</script>'
    said = status(1, NOW)
    lent.said = replace(said, links=(replace(said.links[0], address=f"https://a.example.org/{evil}"),))
    assert "<script>alert" not in await page(client)


async def test_closed_to_others(aiohttp_client: Any, tmp_path: Path, lent: LentNetwork) -> None:
    directory = Directory.open(tmp_path / "other.db")
    stranger: TestClient = await aiohttp_client(make_app(tmp_path, directory, peering=lent))
    for path in (PATH, f"{PATH}/blocks.json", f"{PATH}/proofs.txt"):
        assert (await stranger.get(path)).status == 403
    for path in ("peers", "blocks", "blocks/import"):
        assert (await stranger.post(f"{PATH}/{path}", data={"csrf": "x", "url": "https://a.example.org"})).status == 403
    assert lent.kept == []
    await directory.close()


async def test_without_a_network(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = Directory.open(tmp_path / "other.db")
    app = make_app(tmp_path, directory)
    client: TestClient = await aiohttp_client(app)
    await client.post("/keeper/enter", data={"token": keeper_link(app).partition("#")[2]})
    assert PATH not in await page(client, "/keeper")
    assert (await client.get(PATH)).status == 404
    await directory.close()


async def test_a_form_of_another_session_does_nothing(client: TestClient, lent: LentNetwork) -> None:
    for path, fields in (("peers", {"url": "https://a.example.org"}), ("blocks", {"target": to_text(NODE)})):
        assert (await client.post(f"{PATH}/{path}", data={"csrf": "A" * 32, **fields})).status == 403
    assert lent.kept == []
    assert lent.blocked == {}


async def test_peers(client: TestClient, lent: LentNetwork) -> None:
    code, html = await send(client, f"{PATH}/peers", url=" https://new.example.org/groups/ ", do="add")
    assert code == 200
    assert "Added." in html
    assert lent.kept == ["https://new.example.org/groups"]
    code, html = await send(client, f"{PATH}/peers", url="https://new.example.org/groups", do="remove")
    assert "Removed from the sites you chose." in html
    assert lent.kept == []
    for wrong in ("nonsense", "", "ftp://a.example.org", "javascript:alert(1)"):
        code, html = await send(client, f"{PATH}/peers", url=wrong, do="add")
        assert (code, lent.kept) == (400, [])
        assert "isn&#39;t a web address" in html
        assert 'aria-invalid="true"' in html
    code, html = await send(client, f"{PATH}/peers", url="https://full.example.org", do="add")
    assert code == 400
    assert "at most 32" in html


async def test_blocks(client: TestClient, lent: LentNetwork) -> None:
    for said in (to_text(LISTING), f"https://a.example.org/listings/{to_text(LISTING)}?lang=de"):
        code, html = await send(client, f"{PATH}/blocks", target=said, reason=" Sells \n cures. ", do="block")
        assert code == 200
        assert "Blocked." in html
        assert "Sells cures." in html
        assert lent.blocked[LISTING].reason == "Sells cures."
        code, html = await send(client, f"{PATH}/blocks", target=to_text(LISTING), do="unblock")
        assert "Unblocked." in html
        assert lent.blocked == {}
    for wrong in ("", "x", "https://a.example.org/about", "https://[", to_text(LISTING)[:-1]):
        code, html = await send(client, f"{PATH}/blocks", target=wrong, do="block")
        assert (code, lent.blocked) == (400, {})
        assert "isn&#39;t the id" in html
    code, html = await send(client, f"{PATH}/blocks", target=to_text(NODE_ID), do="block")
    assert code == 400
    assert "our own site" in html
    code, html = await send(client, f"{PATH}/blocks", target=to_text(NODE), reason="x" * 201, do="block")
    assert code == 400
    assert "at most 200 characters" in html
    lent.room = 0
    code, html = await send(client, f"{PATH}/blocks", target=to_text(NODE), do="block")
    assert code == 400
    assert "full" in html


async def test_the_link_beside_a_peer_fills_the_form(client: TestClient, lent: LentNetwork) -> None:
    html = await page(client)
    found = re.search(r'href="(/keeper/network\?block=([a-z2-7]{52}))#block"', html)
    assert found is not None
    assert f'value="{found[2]}"' in await page(client, found[1])
    assert lent.blocked == {}, "looking changes nothing"


async def test_lists_go_out_and_come_in(client: TestClient, lent: LentNetwork) -> None:
    await lent.block([Block(LISTING, "Sells cures.", NOW), Block(NODE, "", NOW)])
    response = await client.get(f"{PATH}/blocks.json")
    assert "attachment" in response.headers["Content-Disposition"]
    text = await response.text()
    assert {each.target for each in blocklist_from_json(text, now=NOW)} == {LISTING, NODE}
    lent.blocked.clear()

    code, html = await send_file(client, text.encode())
    assert code == 200
    assert "were added" in html
    assert set(lent.blocked) == {LISTING, NODE}
    for wrong in (b"", b"{}", b"\xff", json.dumps({"format": "hedgerow-blocklist", "version": 9}).encode()):
        code, html = await send_file(client, wrong)
        assert code == 400
        assert "isn&#39;t a block list" in html
    lent.blocked.clear()
    own = blocklist_to_json([Block(NODE_ID, "", NOW)])
    assert (await send_file(client, own.encode()))[0] == 200
    assert lent.blocked == {}, "nobody else's list blocks ourselves"


async def send_file(client: TestClient, data: bytes) -> tuple[int, str]:
    token = re.search(r'name="csrf" value="([A-Z2-7]{32})"', await page(client))
    assert token is not None
    form = aiohttp.FormData()
    form.add_field("csrf", token[1])
    form.add_field("file", data, filename="blocklist.json")
    response = await client.post(f"{PATH}/blocks/import", data=form)
    return response.status, await response.text()


async def test_a_long_list_is_shown_in_part(client: TestClient, lent: LentNetwork) -> None:
    await lent.block([Block(NodeId(number.to_bytes(32, "big")), "", NOW) for number in range(203)])
    html = await page(client)
    assert html.count('value="unblock"') == 200
    assert "3 older blocks are in the saved file." in html
