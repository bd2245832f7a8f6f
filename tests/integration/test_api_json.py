"""The JSON API over a real socket and store: filters against the naive ones, paging, errors, exports, caching."""

import json
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from hedgerow_node.directory.query import query_from_params
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.member.table import MEMBER_ROUTES
from hedgerow_node.http.routes import ROUTES
from hedgerow_protocol.content import Attendance, Facets, ListingContent, Place
from hedgerow_protocol.ids import to_text
from http_site import NODE_ID, NOW, SAMPLE, MemoryDirectory, fits, make_app, put, weekly


def varied() -> list[ListingContent]:
    """Listings that differ in everything a filter looks at."""
    contents = []
    towns = [Place(city="Leeds", latitude_e7=538_000_000, longitude_e7=-15_500_000), None]
    for number, (weekday, start, attendance, place) in enumerate(
        product((0, 3, 6), (0, 9 * 60, 23 * 60 + 30), list(Attendance), towns)
    ):
        meeting = weekly(
            f"m{number}", weekday, start, attendance=attendance, place=place,
            facets=Facets(features=("wheelchair",) if number % 3 == 0 else ()),
        )  # fmt: skip
        contents.append(
            ListingContent(
                name=f"Circle {number:03}",
                summary="Grief and tea" if number % 2 else "Walking together",
                experiences=("bereavement",) if number % 2 else ("parenting",),
                program="aa" if number % 5 == 0 else "",
                facets=Facets(languages=("en",) if number % 4 else ("en", "pl")),
                meetings=(meeting,),
            )
        )
    return contents


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    opened = Directory.open(tmp_path / "public.db")
    yield opened
    await opened.close()


@pytest.fixture
async def client(aiohttp_client: Any, tmp_path: Path, directory: Directory) -> TestClient:
    await put(directory, varied())
    return await aiohttp_client(make_app(tmp_path, directory))


QUERIES = (
    "",
    "q=grief",
    "q=TOGETHER+walk",
    "experience=bereavement",
    "program=aa",
    "weekday=0",
    "weekday=0&weekday=6",
    "from=08:00&until=12:00",
    "from=23:00&until=01:00",
    "attendance=online",
    "attendance=in_person&weekday=3",
    "near=53.8,-1.55,5",
    "near=0,0,5",
    "language=pl",
    "access=wheelchair&attendance=hybrid",
    "q=tea&experience=bereavement&weekday=3&from=09:00",
)


async def all_pages(client: TestClient, query: str, limit: int) -> list[str]:
    """The names on every page of a search."""
    names: list[str] = []
    cursor = ""
    for _ in range(200):
        parts = [part for part in (query, f"limit={limit}", f"cursor={cursor}" if cursor else "") if part]
        response = await client.get("/api/v1/listings?" + "&".join(parts))
        assert response.status == 200, await response.text()
        answer = await response.json()
        assert len(answer["listings"]) <= limit
        names += [each["name"] for each in answer["listings"]]
        cursor = answer["next"]
        if cursor is None:
            return names
    raise AssertionError("The pages have no end.")


@pytest.mark.parametrize("query", QUERIES)
async def test_filters_find_what_the_naive_ones_do(client: TestClient, query: str) -> None:
    naive = MemoryDirectory()
    await put(naive, varied())
    asked = query_from_params([tuple(part.split("=")) for part in query.replace("+", " ").split("&") if part])  # type: ignore[misc]
    expected = [each.name for each in naive.records.shown(NOW).values() if fits(asked, each)]
    found = await all_pages(client, query, 7)
    assert sorted(found) == sorted(expected)
    assert len(set(found)) == len(found)


async def test_a_listing_in_json(client: TestClient) -> None:
    first = (await (await client.get("/api/v1/listings?q=circle&limit=1")).json())["listings"][0]
    for name in ("id", "name", "meetings", "languages", "facets", "place", "expires", "in_dispute"):
        assert name in first
    for name in ("weekday", "start", "duration_min", "tz", "attendance", "slug"):
        assert name in first["meetings"][0]
    for path in (f"/api/v1/listings/{first['id']}", f"/listings/{first['id']}.json"):
        response = await client.get(path)
        assert response.status == 200
        assert await response.json() == first
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_status(client: TestClient) -> None:
    response = await client.get("/api/v1/status")
    status = await response.json()
    told = {"node_id", "listings", "meetings", "records", "state_hash", "peers", "version"}
    assert set(status) == told | {"bundle", "client", "bundle_differs"}
    assert status["node_id"] == to_text(NODE_ID)
    assert status["listings"] == status["meetings"] == len(varied())
    assert len(status["state_hash"]) == 64
    again = await client.get("/api/v1/status", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""


async def test_answers_change_with_the_directory(client: TestClient, directory: Directory) -> None:
    before = await client.get("/directory/list.json")
    status = await (await client.get("/api/v1/status")).json()
    await put(directory, SAMPLE, first=1000)
    after = await client.get("/directory/list.json", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    names = [row[1] for row in (await after.json())["listings"]]
    assert "Sunday circle" in names
    assert (await (await client.get("/api/v1/status")).json())["listings"] == status["listings"] + len(SAMPLE)
    found = await (await client.get("/api/v1/listings?limit=200")).json()
    assert len(found["listings"]) == status["listings"] + len(SAMPLE)


WRONG = (
    ("/api/v1/listings?weekday=7", "weekday"),
    ("/api/v1/listings?from=7pm", "from"),
    ("/api/v1/listings?near=1,2", "near"),
    ("/api/v1/listings?near=91,0,5", "near"),
    ("/api/v1/listings?near=nan,0,5", "near"),
    ("/api/v1/listings?limit=0", "limit"),
    ("/api/v1/listings?limit=201", "limit"),
    ("/api/v1/listings?cursor=nonsense", "cursor"),
    ("/api/v1/listings?cursor=%00%ff", "cursor"),
    ("/api/v1/listings?attendance=both", "attendance"),
    ("/api/v1/listings?tz=Nowhere/Town", "tz"),
    ("/api/v1/listings?colour=blue", "colour"),
    ("/api/v1/listings?q=" + "a" * 300, "q"),
    ("/export/meetings.json?weekday=x", "weekday"),
    ("/export/calendar.ics?discreet=" + "a" * 90, "discreet"),
    ("/directory/list.json?region=" + "r" * 90, "region"),
)


@pytest.mark.parametrize(("path", "field"), WRONG)
async def test_wrong_parameters_are_problems(client: TestClient, path: str, field: str) -> None:
    response = await client.get(path)
    assert response.status == 400
    assert response.content_type == "application/problem+json"
    problem = json.loads(await response.text())
    assert problem["status"] == 400
    assert problem["field"] == field
    assert problem["title"] == "Bad Request"
    assert problem["detail"].endswith(".")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/listings/" + "a" * 32, 404),
        ("GET", "/api/v1/listings/short", 404),
        ("GET", "/api/v1/listings/%2e%2e%2fetc", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/listings", 404),
        ("POST", "/api/v1/listings", 405),
        ("DELETE", "/api/v1/status", 405),
        ("GET", "/directory/list.json?region=atlantis", 404),
        ("GET", "/api/v1/listings?q=" + "a" * 5000, 414),
    ],
)
async def test_errors_are_problems(client: TestClient, method: str, path: str, status: int) -> None:
    response = await client.request(method, path)
    assert response.status == status
    assert response.content_type == "application/problem+json"
    assert json.loads(await response.text())["status"] == status
    if status == 405:
        assert "GET" in response.headers["Allow"]


async def test_the_document_names_every_route(client: TestClient) -> None:
    document = await (await client.get("/api/v1/openapi.json")).json()
    described = set(document["paths"])
    routed = {route.path.replace("{id:[a-z2-7]{32}}", "{id}") for route in ROUTES if route.api}
    members = {route.path for route in MEMBER_ROUTES}
    assert described == routed | members
    for route in MEMBER_ROUTES:
        assert route.method.lower() in document["paths"][route.path], route.path
    names = [parameter["name"] for parameter in document["paths"]["/api/v1/listings"]["get"]["parameters"]]
    for name in names:  # each described filter is understood: an unknown one would be refused by name
        response = await client.get(f"/api/v1/listings?{name}=")
        assert response.status == 200, name
    operations = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(set(operations)) == len(operations)


async def test_the_document_is_valid(client: TestClient) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    document = await (await client.get("/api/v1/openapi.json")).json()
    validator.validate(document)


async def test_answers_hold_to_the_document(client: TestClient) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = await (await client.get("/api/v1/openapi.json")).json()
    for path, name in (("/api/v1/listings?limit=200", "ListingsPage"), ("/api/v1/status", "Status")):
        answer = await (await client.get(path)).json()
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer)


async def test_exports(client: TestClient, directory: Directory) -> None:
    await put(directory, SAMPLE, first=1000)
    count = len(varied()) + len(SAMPLE)
    response = await client.get("/export/meetings.json")
    assert response.status == 200
    rows = await response.json()
    assert isinstance(rows, list)
    assert len(rows) >= count
    response = await client.get("/export/calendar.ics")
    assert response.status == 200
    assert response.content_type == "text/calendar"
    text = await response.text()
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert "Circle 000" in text
    narrow = await (await client.get("/export/calendar.ics?experience=hearing-voices")).text()
    assert "Voices York" in narrow
    assert "Circle 000" not in narrow
    discreet = await (await client.get("/export/calendar.ics?discreet=1")).text()
    assert "Appointment" in discreet
    assert "Circle 000" not in discreet
    assert "Sunday circle" not in discreet
    again = await client.get("/export/meetings.json")
    same = await client.get("/export/meetings.json", headers={"If-None-Match": again.headers["ETag"]})
    assert same.status == 304


async def test_hsds_export(client: TestClient) -> None:
    response = await client.get("/export/hsds.json")
    assert response.status == 200
    assert await response.json()


async def test_one_listing_as_a_calendar(client: TestClient, directory: Directory) -> None:
    listing = (await put(directory, SAMPLE, first=1000))[0]
    response = await client.get(f"/listings/{listing}.ics")
    text = await response.text()
    assert text.count("BEGIN:VEVENT") == 1
    assert "Sunday circle" in text
    assert "attachment" in response.headers["Content-Disposition"]
    text = await (await client.get(f"/listings/{listing}.ics?discreet=Dentist")).text()
    assert "Dentist" in text
    assert "circle" not in text.lower()


async def test_other_sites_may_read_but_not_write(client: TestClient) -> None:
    response = await client.options("/api/v1/listings", headers={"Origin": "https://elsewhere.example"})
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_heads_have_no_body(client: TestClient) -> None:
    for path in ("/api/v1/status", "/export/meetings.json", "/", "/healthz"):
        response = await client.head(path)
        assert response.status == 200, path
        assert await response.read() == b""


async def test_health(client: TestClient) -> None:
    assert await (await client.get("/healthz")).json() == {"status": "ok"}
    assert await (await client.get("/readyz")).json() == {"status": "ready"}
    text = await (await client.get("/metrics")).text()
    assert f"hedgerow_listings {len(varied())}" in text
    assert "{" not in text, "no labels"
    elsewhere = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert elsewhere.status == 404


async def test_the_compact_list(client: TestClient, directory: Directory) -> None:
    ids = await put(directory, SAMPLE, first=1000)
    value = await (await client.get("/directory/list.json?lang=en")).json()
    assert value["v"] == 1
    rows = {row[0]: row for row in value["listings"]}
    assert len(rows) == len(varied()) + len(SAMPLE)
    row = rows[ids[0]]
    assert row[1] == "Sunday circle"
    assert [value["tags"][index] for index in row[3]] == [["bereavement", "Bereavement"]]
    assert [value["langs"][index][0] for index in row[4]] == ["en"]
    assert row[5] & 2
    weekday, start, duration, zone, attendance, place, tags, dates = row[6][0]
    assert (weekday, start, duration, value["zones"][zone], attendance) == (0, 810, 60, "Europe/London", 1)
    assert value["places"][place] == ["Example Library, 12 High St, Leeds", 53.7997, -1.5492]
    assert {value["tags"][index][0] for index in tags} == {"wheelchair", "discussion"}
    assert dates == 0
    monthly = rows[ids[1]][6][1]
    assert monthly[0] == -1
    assert monthly[7] == ["2026-12-03"]
    towns = {town[0]: town for town in value["towns"]}
    assert "York" in towns
