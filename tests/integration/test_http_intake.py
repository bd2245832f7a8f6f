"""How to join: said plainly on pages, published by the keeper's form, read by members' programs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hedgerow_node.directory.service import Directory
from hedgerow_node.http.server import keeper_link
from hedgerow_protocol import intake
from hedgerow_protocol.content import Intake, Joining, ListingContent
from hedgerow_protocol.ids import ListingId, from_text
from http_site import NOW, MemoryDirectory, make_app, put
from member_devices import b64

PLACE = Intake(node=b"n" * 32, room=b"r" * 32, key=b"k" * 32)
WAYS = [
    ListingContent(name="Open evening"),
    ListingContent(name="Small circle", joining=Joining.INVITATION),
    ListingContent(name="Quiet circle", joining=Joining.ASK, how_to_join="Write to the library."),
    ListingContent(name="Parents after loss", joining=Joining.ASK, intake=PLACE),
]


async def pages_of(client: TestClient, ids: list[str]) -> list[str]:
    return [await (await client.get(f"/listings/{each}")).text() for each in ids]


async def test_each_way_to_join_is_said_plainly(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    ids = await put(directory, WAYS)
    client = await aiohttp_client(make_app(tmp_path, directory))
    come, invited, words, asked = await pages_of(client, ids)
    assert "Just come" in come
    assert "has to invite you" in invited
    assert "Ask first" in words
    assert "Write to the library." in words
    for html in (come, invited, words):
        assert "#/ask/" not in html
    assert f'href="/app#/ask/{ids[3]}"' in asked
    assert "Ask to join" in asked
    assert "Only the people in the group see them" in asked
    assert "you may get no answer" in asked
    # In another language the app opens in it, too.
    german = await (await client.get(f"/listings/{ids[3]}?lang=de")).text()
    assert f'href="/app?lang=de#/ask/{ids[3]}"' in german


async def test_members_programs_read_where_to_ask(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    ids = await put(directory, WAYS)
    client = await aiohttp_client(make_app(tmp_path, directory))
    for path in (f"/listings/{ids[3]}.json", f"/api/v1/listings/{ids[3]}"):
        answer = await (await client.get(path)).json()
        assert answer["joining"] == "ask"
        assert answer["intake"] == {"node": b64(PLACE.node), "room": b64(PLACE.room), "key": b64(PLACE.key)}
    assert (await (await client.get(f"/api/v1/listings/{ids[2]}")).json())["intake"] is None
    # It is of no use to other programs.
    for path in ("/export/meetings.json", "/export/hsds.json", "/export/calendar.ics", "/directory/list.json"):
        text = await (await client.get(path)).text()
        for part in (PLACE.node, PLACE.room, PLACE.key):
            assert b64(part) not in text, path


async def test_below_a_path_prefix(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    *_, asked = await put(directory, WAYS)
    client = await aiohttp_client(make_app(tmp_path, directory, base_url="https://example.org/groups"))
    html = await (await client.get(f"/groups/listings/{asked}")).text()
    assert f'href="/groups/app#/ask/{asked}"' in html


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    opened = Directory.open(tmp_path / "public.db")
    yield opened
    await opened.close()


@pytest.fixture
def app(tmp_path: Path, directory: Directory) -> web.Application:
    return make_app(tmp_path, directory)


@pytest.fixture
async def keeper(aiohttp_client: Any, app: web.Application) -> TestClient:
    client = await aiohttp_client(app)
    token = keeper_link(app).partition("#")[2]
    await client.post("/keeper/enter", data={"token": token}, allow_redirects=False)
    return client


async def send(client: TestClient, path: str, **fields: str) -> tuple[int, str]:
    page = await (await client.get("/keeper/listings/new")).text()
    token = re.search(r'name="csrf" value="([A-Z2-7]{32})"', page)
    assert token is not None
    form = {"name": "Parents after loss", "joining": "ask", "lease_days": "90", "do": "publish", "csrf": token[1]}
    response = await client.post(path, data=form | fields)
    return response.status, await response.text()


async def test_the_keeper_pastes_the_groups_line(keeper: TestClient, directory: Directory) -> None:
    code = intake.to_code(PLACE)
    status, html = await send(keeper, "/keeper/listings/new", intake=f"{code}  ")
    assert status == 200, html
    found = re.search(r"/keeper/listings/([a-z2-7]{32})/edit", html)
    assert found is not None
    shown = await directory.listing(ListingId(from_text(found[1], 20)), now=NOW)
    assert shown is not None
    assert shown.content is not None
    assert shown.content.intake == PLACE
    page = await (await keeper.get(f"/keeper/listings/{found[1]}/edit")).text()
    assert f'value="{code}"' in page, "the form is filled for a change"
    status, html = await send(keeper, f"/keeper/listings/{found[1]}/edit", intake=code, summary="New words")
    assert status == 200, html
    again = await directory.listing(shown.id, now=NOW)
    assert again is not None
    assert again.content is not None
    assert (again.content.intake, again.content.summary) == (PLACE, "New words")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"intake": "ring me"}, "begins with"),
        ({"intake": intake.to_code(PLACE)[:-2]}, "not whole"),
        ({"intake": intake.to_code(PLACE), "joining": "come"}, "only for groups that people ask first"),
    ],
)
async def test_a_line_that_is_none_is_told_at_its_field(
    keeper: TestClient, directory: Directory, fields: dict[str, str], sentence: str
) -> None:
    status, html = await send(keeper, "/keeper/listings/new", **fields)
    assert status == 400
    assert 'id="error-intake"' in html
    assert 'href="#field-intake"' in html
    assert sentence in html
    assert (await directory.status(now=NOW)).listings == 0
