"""Whatever a stranger puts into an address or a form: an answer, never a crash."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from hedgerow_node.directory.query import PARAMETERS
from hedgerow_node.directory.service import Directory
from http_site import SAMPLE, make_app, put

NAMES = st.sampled_from([*PARAMETERS, "lang", "part", "town", "km", "region", "discreet", "country", "done"]) | st.text(
    max_size=8
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["0", "6", "-1", "18:30", "Europe/Berlin", "53.8,-1.5,10", "nan,inf,1", "en", "1e999", "\u202e", "\x00"]
    ),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
PATHS = st.sampled_from(
    [
        "/",
        "/print",
        "/help-now",
        "/api/v1/listings",
        "/directory/list.json",
        "/export/meetings.json",
        "/keeper",
        "/keeper/enter",
    ]
)


@pytest.fixture
async def client(aiohttp_client: Any, tmp_path: Path) -> AsyncIterator[TestClient]:
    directory = Directory.open(tmp_path / "public.db")
    await put(directory, SAMPLE)
    yield await aiohttp_client(make_app(tmp_path, directory))
    await directory.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, pairs=PAIRS)
async def test_any_address_is_answered(client: TestClient, path: str, pairs: list[tuple[str, str]]) -> None:
    url = URL(path).with_query([(name.encode(errors="replace").decode(), value) for name, value in pairs])
    response = await client.get(url)
    assert response.status in (200, 400, 403, 404, 414), (url, await response.text())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS)
async def test_any_search_form_is_answered(client: TestClient, pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs, errors="replace").encode()
    response = await client.post("/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status in (200, 400, 415), await response.text()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=60), lang=st.text(max_size=40))
async def test_any_path_is_answered(client: TestClient, path: str, lang: str) -> None:
    safe = "".join(each for each in path if each.isprintable() and each not in "#?%\\")
    response = await client.get(URL.build(path="/" + safe.lstrip("/")), headers={"Accept-Language": repr(lang)})
    assert response.status in (200, 400, 403, 404), safe
