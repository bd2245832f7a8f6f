"""Every public page over a real socket: answers, headers, escaping, languages, prefixes."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from hedgerow_node.config import Config
from hedgerow_node.http.languages import Languages
from hedgerow_node.http.security import CONTENT_SECURITY_POLICY
from hedgerow_node.http.server import build_app
from hedgerow_node.http.webui import WebUi, find_webui
from hedgerow_protocol.content import Contact, ListingContent, Online, Place
from hedgerow_protocol.envelope import Envelope, Kind, sign
from hedgerow_protocol.ids import listing_id, to_text
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot
from http_site import NODE_ID, NOW, SAMPLE, MemoryDirectory, make_app, put, weekly

PAGES = ("/", "/print", "/help-now", "/about", "/leaving", "/?experience=bereavement&weekday=0", "/?part=now")


@pytest.fixture
async def client(aiohttp_client: Any, tmp_path: Path) -> TestClient:
    directory = MemoryDirectory()
    await put(directory, SAMPLE)
    return await aiohttp_client(make_app(tmp_path, directory))


@pytest.fixture
async def ids() -> list[str]:
    return await put(MemoryDirectory(), SAMPLE)


class Tags(HTMLParser):
    """Every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


@pytest.mark.parametrize("path", PAGES)
async def test_pages_answer_with_safe_headers(client: TestClient, path: str) -> None:
    response = await client.get(path)
    assert response.status == 200, await response.text()
    html = await response.text()
    headers = response.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"  # 127.0.0.1 is a secure context
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers
    assert "Set-Cookie" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    for tag, attributes in tags_of(html):
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        if tag == "script":
            kind = attributes.get("type")
            assert "src" in attributes or kind in ("application/json", "application/ld+json")


async def test_no_third_party_request(client: TestClient) -> None:
    html = await (await client.get("/")).text()
    for tag, attributes in tags_of(html):
        if tag in ("script", "img", "iframe", "source", "video") or (
            tag == "link" and attributes.get("rel") != "canonical"
        ):
            address = attributes.get("src") or attributes.get("href") or "/"
            assert address.startswith("/"), (tag, address)


async def test_directory_shows_cards_and_choices(client: TestClient) -> None:
    html = await (await client.get("/")).text()
    assert "Sunday circle" in html
    assert "Parents online" in html
    assert "Example Library, 12 High St, Leeds" in html
    assert '<option value="Leeds">' in html
    html = await (await client.get("/?experience=bereavement")).text()
    assert "Sunday circle" in html
    assert "Parents online" not in html


async def test_words_come_by_post_only(client: TestClient) -> None:
    found = await client.post("/", data={"q": "voices"})
    assert found.status == 200
    html = await found.text()
    assert "Voices York" in html
    assert "Sunday circle" not in html
    assert 'value="voices"' in html
    html = await (await client.get("/?q=voices")).text()
    assert "Sunday circle" in html, "words in an address are not read"


async def test_near_a_town_without_scripts(client: TestClient) -> None:
    html = await (await client.post("/", data={"town": "LEEDS", "km": "10"})).text()
    assert "Sunday circle" in html
    assert "Voices York" not in html
    html = await (await client.post("/", data={"town": "53.96,-1.08", "km": "5"})).text()
    assert "Voices York" in html
    html = await (await client.post("/", data={"town": "Atlantis"})).text()
    assert "Atlantis" in html
    assert "Voices York" in html, "an unknown town is said, and left out"


async def test_on_now_or_soon(client: TestClient) -> None:
    html = await (await client.get("/?part=now")).text()
    assert "Sunday circle" in html, "13:30 in London is within two hours of 13:00 UTC"
    assert "Voices York" not in html


@pytest.mark.parametrize(
    ("field", "value"), [("from", "25:00"), ("tz", "Mars/Base"), ("attendance", "telepathy"), ("weekday", "9")]
)
async def test_wrong_filters_are_explained(client: TestClient, field: str, value: str) -> None:
    response = await client.post("/", data={field: value})
    assert response.status == 400
    html = await response.text()
    assert f'href="#field-{field}"' in html


async def test_pages_of_results_lose_nothing(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    many = [ListingContent(name=f"Circle number {number:03}", summary="words here") for number in range(60)]
    await put(directory, many)
    client = await aiohttp_client(make_app(tmp_path, directory))
    seen: list[str] = []
    cursor = ""
    for _ in range(5):
        html = await (await client.post("/", data={"q": "words", "cursor": cursor})).text()
        seen += re.findall(r"Circle number \d{3}", html)
        more = re.search(r'name="cursor" value="([^"]+)"', html)
        if more is None:
            break
        assert 'name="q" value="words"' in html
        cursor = more[1]
    assert sorted(set(seen)) == [each.name for each in many]


async def test_listing_page(client: TestClient, ids: list[str]) -> None:
    response = await client.get(f"/listings/{ids[0]}")
    assert response.status == 200
    html = await response.text()
    assert "<h1" in html
    assert "Sunday circle" in html
    assert "tel:+441135550100" in html
    assert "mailto:circle@example.org" in html
    assert f"/listings/{ids[0]}.ics" in html
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])
    html = await (await client.get(f"/listings/{ids[1]}")).text()
    assert "London time" in html
    assert "Warsaw time" in html
    assert "tel:+16465550123,,456%23" in html
    assert "First Thursday of the month" in html


@pytest.mark.parametrize("path", ["/listings/" + "a" * 32, "/listings/nothing", "/nowhere", "/keeper/nowhere"])
async def test_missing_pages_are_calm(client: TestClient, path: str) -> None:
    response = await client.get(path)
    assert response.status == 404
    html = await response.text()
    assert "<h1" in html
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def test_nothing_a_listing_says_becomes_markup(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    place = Place(name=NASTY, street=NASTY, city=NASTY, notes=NASTY, latitude_e7=1, longitude_e7=1)
    online = Online(url="https://example.org/?a=<b>&c='\"", url_notes=NASTY, phone='+1 555 0100"><b>')
    content = ListingContent(
        name=f"Nasty {NASTY}",
        summary=f"</script>{NASTY}",
        meetings=(weekly("a", 0, 600, name=NASTY, notes=NASTY, place=place, online=online),),
        how_to_join=NASTY,
        eligibility=NASTY,
        contacts=(Contact(name=NASTY, phone=NASTY, email='a"b@example.org'),),
        district=NASTY,
        body=NASTY,
        group_notes=NASTY,
    )
    (listing,) = await put(directory, [content])
    client = await aiohttp_client(make_app(tmp_path, directory))
    for path in ("/", f"/listings/{listing}", "/print"):
        response = await client.get(path)
        assert response.status == 200
        html = await response.text()
        tags = tags_of(html)
        assert not [tag for tag, _ in tags if tag in ("img", "b")], path
        assert not [attributes for _, attributes in tags if any(name.startswith("on") for name in attributes)]
        scripts = [attributes for tag, attributes in tags if tag == "script"]
        assert all("src" in each or "json" in (each.get("type") or "") for each in scripts)
    html = await (await client.post("/", data={"q": NASTY[:190], "town": NASTY[:100]})).text()
    assert not [tag for tag, _ in tags_of(html) if tag == "img"]
    html = await (await client.get("/", params={"experience": NASTY[:60], "lang": NASTY[:30]})).text()
    assert not [tag for tag, _ in tags_of(html) if tag == "img"]
    listed = await (await client.get("/directory/list.json")).json()
    assert listed["listings"][0][1] == content.name, "data keeps the words; the page that shows them escapes"


async def test_links_never_run_scripts(client: TestClient, ids: list[str]) -> None:
    for path in (*PAGES, f"/listings/{ids[0]}", f"/listings/{ids[1]}"):
        for _, attributes in tags_of(await (await client.get(path)).text()):
            for name in ("href", "src", "action"):
                address = (attributes.get(name) or "").strip().lower()
                assert not address.startswith(("javascript:", "data:", "vbscript:")), address


async def test_languages_follow_the_address_then_the_browser(client: TestClient) -> None:
    response = await client.get("/", headers={"Accept-Language": "en-GB,en;q=0.5"})
    assert response.headers["Content-Language"] == "en"
    html = await (await client.get("/?lang=en&experience=bereavement")).text()
    links = [str(attributes.get("href")) for tag, attributes in tags_of(html) if tag == "a"]
    assert any("lang=en" in link and "/help-now" in link for link in links), "the choice is carried along"


async def test_help_now_shows_dated_lines(aiohttp_client: Any, tmp_path: Path) -> None:
    (tmp_path / "crisis-lines.toml").write_text(
        '[[line]]\nname = "Example line"\nphone = "+44 20 7946 0100"\nchecked = "2026-11-01"\n'
        '[[line]]\nname = "Old line"\nphone = "555-0199"\nchecked = "2024-01-01"\n'
        "[[line]]\nphone = 5\n",
        encoding="utf-8",
    )
    client = await aiohttp_client(make_app(tmp_path, MemoryDirectory(), country="GB"))
    html = await (await client.get("/help-now")).text()
    assert "tel:999" in html
    assert "Example line" in html
    assert html.count('class="old"') == 1
    assert "tel:112" not in html, "the keeper's country comes first and alone"
    html = await (await client.get("/help-now?country=PL")).text()
    assert "tel:112" in html
    html = await (await client.get("/help-now?country=")).text()
    assert "tel:112" in html
    assert "tel:911" in html


async def test_below_a_path_prefix(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    (listing, *_) = await put(directory, SAMPLE)
    client = await aiohttp_client(make_app(tmp_path, directory, base_url="https://example.org/groups"))
    for path in ("/groups/", "/groups", f"/groups/listings/{listing}", "/groups/api/v1/status", f"/listings/{listing}"):
        assert (await client.get(path)).status == 200, path
    html = await (await client.get("/groups/")).text()
    for tag, attributes in tags_of(html):
        for name in ("href", "action", "src"):
            address = attributes.get(name) or ""
            if address.startswith("/"):
                assert address.startswith("/groups"), (tag, address)
    assert '<link rel="canonical" href="https://example.org/groups/">' in html


async def test_an_import_shows_at_once(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    client = await aiohttp_client(make_app(tmp_path, directory))
    assert "Sunday circle" not in await (await client.get("/")).text()
    await put(directory, SAMPLE)
    assert "Sunday circle" in await (await client.get("/")).text()


async def test_the_first_page_is_light(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    await put(directory, [ListingContent(name=f"Circle {number}", summary="word " * 60) for number in range(300)])
    client = await aiohttp_client(make_app(tmp_path, directory), auto_decompress=False)
    response = await client.get("/", headers={"Accept-Encoding": "gzip"})
    body = await response.read()
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(body) < 16 * 1024


def _three() -> tuple[list[SigningKey], Charter, Envelope]:
    keys = sorted((SigningKey.from_seed(Usage.STEWARD, bytes([n]) * 32) for n in (1, 2, 3)), key=lambda key: key.public)
    charter = Charter(
        previous=None, position=0, stewards=tuple(key.public for key in keys), threshold=2, nonce=bytes(16)
    )
    return keys, charter, sign(Kind.CHARTER, charter.to_body(), keys).envelope


async def test_a_group_in_dispute_shows_no_text(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    keys, charter, founding = _three()
    slot = Slot(charter=founding.rid, entry=b"", seq=1, issued=NOW, expires=Timestamp(NOW + 90 * 86_400))
    listing = Listing(slot=slot, content=ListingContent(name="Circle of three", summary="Secret words"))
    children = [
        Charter(previous=founding.rid, position=1, stewards=charter.stewards, threshold=2, nonce=bytes([n]) * 16)
        for n in (1, 2)
    ]
    envelopes = [
        founding,
        sign(Kind.LISTING, listing.to_body(), keys[:2]).envelope,
        *(sign(Kind.CHARTER, child.to_body(), keys).envelope for child in children),
    ]
    await directory.accept([each.to_bytes() for each in envelopes], now=NOW)
    client = await aiohttp_client(make_app(tmp_path, directory))
    lid = to_text(listing_id(founding.rid, b""))
    html = await (await client.get(f"/listings/{lid}")).text()
    assert "Circle of three" in html
    assert "In dispute" in html
    assert "Secret words" not in html
    html = await (await client.get("/")).text()
    assert "In dispute" in html
    assert "Secret words" not in html
    answer = await (await client.get(f"/api/v1/listings/{lid}")).json()
    assert answer["in_dispute"] is True
    assert "Secret words" not in json.dumps(answer)
    row = (await (await client.get("/directory/list.json")).json())["listings"][0]
    assert row[5] & 1
    assert "Secret words" not in json.dumps(row)
    for path in (
        "/export/meetings.json",
        "/export/calendar.ics",
        "/export/hsds.json",
        "/print",
        f"/listings/{lid}.ics",
    ):
        response = await client.get(path)
        assert response.status == 200, path
        assert "Secret words" not in await response.text()


async def test_two_texts_of_one_version_are_marked(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    keys, _, founding = _three()
    slot = Slot(charter=founding.rid, entry=b"", seq=1, issued=NOW, expires=Timestamp(NOW + 90 * 86_400))
    envelopes = [founding]
    for summary in ("One text", "Another text"):
        listing = Listing(slot=slot, content=ListingContent(name="Circle of three", summary=summary))
        envelopes.append(sign(Kind.LISTING, listing.to_body(), keys[:2]).envelope)
    await directory.accept([each.to_bytes() for each in envelopes], now=NOW)
    client = await aiohttp_client(make_app(tmp_path, directory))
    html = await (await client.get(f"/listings/{to_text(listing_id(founding.rid, b''))}")).text()
    assert "Two versions of this listing" in html
    assert ("One text" in html) != ("Another text" in html)
    assert "2 of 3 people in the group" in html


async def test_a_visitor_may_name_a_zone(client: TestClient, ids: list[str]) -> None:
    plain = await (await client.get(f"/listings/{ids[1]}")).text()
    assert "Tuesday, November 24, 7:00" in plain
    there = await (await client.get(f"/listings/{ids[1]}?tz=Asia/Tokyo")).text()
    assert "Wednesday, November 25, 4:00" in there
    assert "Tokyo time" in there
    assert (await client.get(f"/listings/{ids[1]}?tz=../../etc/passwd")).status == 200


async def test_built_files_are_served_packed_and_for_long(aiohttp_client: Any, tmp_path: Path) -> None:
    assets = tmp_path / "ui" / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets / "style-abc.css").write_bytes(b"body{}" * 100)
    (assets / "style-abc.css.gz").write_bytes(gzip.compress(b"body{}" * 100))
    (assets / "secret.py").write_text("no")
    (assets.parent / "assets.json").write_text('{"style.css": "assets/style-abc.css"}')
    real = find_webui()
    for name in ("templates", "locales"):
        (tmp_path / "ui" / name).symlink_to(getattr(real, name))
    app = build_app(
        Config(data=tmp_path), MemoryDirectory(), node_id=NODE_ID, version="0.1.0", webui=WebUi(tmp_path / "ui")
    )
    client = await aiohttp_client(app)
    assert 'href="/assets/style-abc.css"' in await (await client.get("/")).text()
    response = await client.get("/assets/style-abc.css")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert await response.read() == b"body{}" * 100
    for path in (
        "secret.py",
        "style-abc.css.gz",
        "..%2fassets.json",
        "%2e%2e%2f%2e%2e%2ftemplates%2fbase.html",
        "x.css",
    ):
        assert (await client.get(f"/assets/{path}")).status == 404, path


async def test_without_a_build_pages_still_work(aiohttp_client: Any, tmp_path: Path) -> None:
    real = find_webui()
    (tmp_path / "ui").mkdir()
    for name in ("templates", "locales"):
        (tmp_path / "ui" / name).symlink_to(getattr(real, name))
    app = build_app(
        Config(data=tmp_path), MemoryDirectory(), node_id=NODE_ID, version="0.1.0", webui=WebUi(tmp_path / "ui")
    )
    client = await aiohttp_client(app)
    html = await (await client.get("/")).text()
    assert "stylesheet" not in html
    assert "<form" in html


@pytest.mark.parametrize("code", Languages(find_webui().locales).offered)
async def test_every_page_in_every_language(client: TestClient, ids: list[str], code: str) -> None:
    for path in ("/", "/print", "/help-now", "/about", "/leaving", f"/listings/{ids[1]}", "/keeper/enter", "/nowhere"):
        response = await client.get(path, params={"lang": code})
        assert response.status == (404 if path == "/nowhere" else 200), path
        html = await response.text()
        (_, attributes), *_ = (each for each in tags_of(html) if each[0] == "html")
        assert attributes["lang"] == code
        assert attributes["dir"] == ("rtl" if code in ("ar", "fa", "he", "ur") else "ltr")
        shown = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)  # the browser fills its own texts
        assert "{{" not in shown, "every place is filled"
        links = {attributes.get("hreflang") for tag, attributes in tags_of(html) if tag == "a"} - {None}
        assert links == set(Languages(find_webui().locales).offered)
    listed = await (await client.get("/directory/list.json", params={"lang": code})).json()
    assert {tag for tag, _ in listed["langs"]} == {"en", "pl"}


async def test_the_country_that_a_browser_names_stands_first(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/help-now", headers={"Accept-Language": "en-NZ,en;q=0.8"})
    countries = re.findall(r'data-country="([A-Z]{2})"', await answer.text())
    assert countries[0] == "NZ"
    assert {"IE", "US", "IN"} <= set(countries), "the others are still there"


async def test_filters_show_the_soonest_first_and_lose_nothing(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    contents = [  # it is Sunday, 13:00 UTC: weekday 0 at a later minute comes sooner than Monday
        ListingContent(
            name=f"Circle {number:03}",
            experiences=("caring",),
            meetings=(weekly("a", number % 7, 840 + number, place=Place(city="Leeds")),),
        )
        for number in range(130)
    ]
    await put(directory, contents)
    client = await aiohttp_client(make_app(tmp_path, directory))
    form = {"experience": "caring"}
    seen: list[str] = []
    for _ in range(8):
        html = await (await client.post("/", data=form)).text()
        seen += re.findall(r"Circle (\d{3})</a>", html)
        found = re.search(r'name="cursor" value="([^"]+)"', html)
        if found is None:
            break
        form["cursor"] = found[1]
    assert sorted(seen) == [f"{number:03}" for number in range(130)]
    first = [int(each) % 7 for each in seen[:100]]  # what is put in order at a time
    assert first == sorted(first)
    assert (await client.post("/", data={"experience": "caring", "cursor": "~x"})).status == 400
    for crooked in ("٣~", "-5~", "9999~", "200~"):
        assert (await client.post("/", data={"experience": "caring", "cursor": crooked})).status == 200


async def test_a_large_directory_begins_with_what_is_soonest(aiohttp_client: Any, tmp_path: Path) -> None:
    directory = MemoryDirectory()
    contents = [
        ListingContent(name=f"Circle {number:03}", meetings=(weekly("a", 0, 13 * 60 + number // 2),))
        for number in range(150)
    ]
    await put(directory, contents)
    client = await aiohttp_client(make_app(tmp_path, directory))
    html = await (await client.get("/")).text()
    assert re.findall(r"Circle (\d{3})</a>", html) == [f"{number:03}" for number in range(25)]
    html = await (await client.post("/", data={"cursor": "others"})).text()
    assert len(re.findall(r"Circle \d{3}</a>", html)) == 25
    found = re.search(r'name="cursor" value="([^"]+)"', html)
    assert found is not None
    assert found[1] != "others", "it goes on"
