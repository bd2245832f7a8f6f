"""The keeper's page: one-time links, sessions, forms that publish, findings, drafts for stewards."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hedgerow_node.directory.drafts import DraftFile, add_signature, read_file, unsigned, write_file
from hedgerow_node.directory.keyfiles import load_or_create_key
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.keeper.guard import COOKIE
from hedgerow_node.http.server import keeper_link
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Kind, sign
from hedgerow_protocol.ids import ListingId, from_text, listing_id, to_text
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot
from http_site import NOW, Clock, make_app


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    opened = Directory.open(tmp_path / "public.db")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, directory: Directory, clock: Clock) -> web.Application:
    return make_app(tmp_path, directory, clock)


@pytest.fixture
async def client(aiohttp_client: Any, app: web.Application) -> TestClient:
    return await aiohttp_client(app)


def token_of(app: web.Application) -> str:
    path, _, token = keeper_link(app).partition("#")
    assert path == "/keeper/enter"
    assert len(token) == 32
    return token


async def enter(client: TestClient, app: web.Application) -> None:
    response = await client.post("/keeper/enter", data={"token": token_of(app)}, allow_redirects=False)
    assert response.status == 303
    assert response.headers["Location"] == "/keeper"


async def csrf_of(client: TestClient, path: str) -> str:
    html = await (await client.get(path)).text()
    found = re.search(r'name="csrf" value="([A-Z2-7]{32})"', html)
    assert found is not None, html[:500]
    return found[1]


FORM = {
    "name": "Tea and grief",
    "summary": "Come as you are.",
    "experience": "bereavement",
    "languages": "en",
    "joining": "come",
    "openness": "open",
    "lease_days": "90",
    "m0_attendance": "in_person",
    "m0_repeat": "weekly",
    "m0_weekday": "2",
    "m0_nth": "1",
    "m0_start": "19:30",
    "m0_duration": "90",
    "m0_tz": "Europe/Dublin",
    "m0_place": "Example Hall",
    "m0_city": "Cork",
}


async def send(client: TestClient, path: str, do: str, **fields: str) -> tuple[int, str]:
    token = await csrf_of(client, "/keeper/listings/new")
    response = await client.post(path, data=FORM | {"csrf": token, "do": do} | fields)
    return response.status, await response.text()


async def publish(client: TestClient, **fields: str) -> str:
    status, html = await send(client, "/keeper/listings/new", "publish", **fields)
    assert status == 200, html
    found = re.search(r"/keeper/listings/([a-z2-7]{32})/edit", html)
    assert found is not None, html
    return found[1]


async def test_closed_without_a_link(client: TestClient) -> None:
    for path in ("/keeper", "/keeper/listings", "/keeper/listings/new", "/keeper/cosign"):
        response = await client.get(path)
        assert response.status == 403, path
        assert "hedgerow keeper-link" in await response.text()
    for path in ("/keeper/listings/new", "/keeper/leave", "/keeper/cosign", f"/keeper/listings/{'a' * 32}/renew"):
        response = await client.post(path, data={"csrf": "x"})
        assert response.status == 403, path


async def test_a_link_works_once(client: TestClient, app: web.Application) -> None:
    token = token_of(app)
    for _ in range(3):  # looking at the link uses nothing up
        response = await client.get(f"/keeper/enter/{token}")
        assert response.status == 200
        assert f'value="{token}"' in await response.text()
    response = await client.post("/keeper/enter", data={"token": f" {token.lower()} "}, allow_redirects=False)
    assert response.status == 303
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/keeper" in cookie
    assert token not in cookie
    assert (await client.get("/keeper")).status == 200
    client.session.cookie_jar.clear()
    response = await client.post("/keeper/enter", data={"token": token}, allow_redirects=False)
    assert response.status == 403
    assert "Set-Cookie" not in response.headers
    assert (await client.get("/keeper")).status == 403


async def test_a_link_gets_old(client: TestClient, app: web.Application, clock: Clock) -> None:
    token = token_of(app)
    clock.elapsed += 601
    assert (await client.post("/keeper/enter", data={"token": token})).status == 403


async def test_sessions_end(client: TestClient, app: web.Application, clock: Clock) -> None:
    await enter(client, app)
    clock.elapsed += 3_599
    assert (await client.get("/keeper")).status == 200
    clock.elapsed += 3_600
    assert (await client.get("/keeper")).status == 403
    await enter(client, app)
    token = await csrf_of(client, "/keeper/listings/new")
    response = await client.post("/keeper/leave", data={"csrf": token}, allow_redirects=False)
    assert response.status == 303
    assert (await client.get("/keeper")).status == 403


async def test_guessing_does_not_help(client: TestClient, app: web.Application) -> None:
    token_of(app)
    for guess in ("", "A" * 32, "A" * 64, "%00", "🦔" * 10):
        assert (await client.post("/keeper/enter", data={"token": guess})).status == 403
        client.session.cookie_jar.update_cookies({COOKIE: guess[:20] if guess.isascii() else "x"})
        assert (await client.get("/keeper")).status == 403


async def test_a_cookie_of_odd_bytes_is_no_error(client: TestClient, app: web.Application) -> None:
    token_of(app)
    client.session.cookie_jar.clear()
    response = await client.get("/keeper", headers={"Cookie": f"{COOKIE}=\udce9\udcff"})
    assert response.status == 403


async def test_not_on_a_connection_others_can_read(client: TestClient, app: web.Application) -> None:
    await enter(client, app)
    response = await client.get("/keeper", headers={"X-Forwarded-For": "203.0.113.5"})
    assert response.status == 403
    assert "https" in await response.text()


async def test_forms_of_other_sites_are_refused(client: TestClient, app: web.Application) -> None:
    await enter(client, app)
    token = await csrf_of(client, "/keeper/listings/new")
    good = FORM | {"csrf": token, "do": "publish"}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
    ):
        assert (await client.post("/keeper/listings/new", data=good, headers=headers)).status == 403
    for wrong in ("", "A" * 32, token[:-1], token.lower()):
        response = await client.post("/keeper/listings/new", data=good | {"csrf": wrong})
        assert response.status == 403
    response = await client.post("/keeper/listings/new", data=good, headers={"Origin": "null"})
    assert response.status == 200, "our own pages send null, because they ask for no referrer"


async def test_publish_change_renew_withdraw(
    client: TestClient, app: web.Application, directory: Directory, clock: Clock
) -> None:
    await enter(client, app)
    status, html = await send(client, "/keeper/listings/new", "check")
    assert status == 200
    assert "Every Tuesday, 7:30" in html, "a preview"
    listing = await publish(client)
    shown = await directory.listing(ListingId(from_text(listing, 20)), now=NOW)
    assert shown is not None
    assert shown.content is not None
    assert shown.one_signer
    assert shown.content.experiences == ("bereavement",)
    assert shown.content.meetings[0].weekday == 2
    assert shown.content.meetings[0].duration_min == 90
    assert "Tea and grief" in await (await client.get("/")).text()

    clock.now += 60
    html = await (await client.get(f"/keeper/listings/{listing}/edit")).text()
    assert 'value="Tea and grief"' in html
    assert 'value="19:30"' in html
    status, html = await send(client, f"/keeper/listings/{listing}/edit", "publish", name="Tea and talk")
    assert status == 200, html
    assert "Tea and talk" in await (await client.get(f"/listings/{listing}")).text()

    clock.now += 40 * 86_400
    token = await csrf_of(client, "/keeper/listings")
    response = await client.post(f"/keeper/listings/{listing}/renew", data={"csrf": token})
    assert response.status == 200
    renewed = await directory.listing(shown.id, now=Timestamp(clock.now))
    assert renewed is not None
    assert renewed.slot.expires > shown.slot.expires

    clock.now += 60
    html = await (await client.get(f"/keeper/listings/{listing}/withdraw")).text()
    assert "Tea and talk" in html
    response = await client.post(f"/keeper/listings/{listing}/withdraw", data={"csrf": token})
    assert response.status == 200
    assert (await client.get(f"/listings/{listing}")).status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"m0_start": "7pm"}, "m0_start"),
        ({"m0_tz": "Cork time"}, "m0_tz"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"m0_online_url": "ftp://example.org/"}, "m0_online_url"),
        ({"m0_lat": "91", "m0_lon": "0"}, "m0_lat"),
        ({"m0_lat": "50"}, "m0_lon"),
        ({"m0_repeat": "fortnightly"}, "m0_date"),
        ({"m0_repeat": "once", "m0_date": "tomorrow"}, "m0_date"),
        ({"m0_duration": "-3"}, "m0_duration"),
        ({"summary": "x" * 5_000}, "summary"),
    ],
)
async def test_mistakes_are_told_at_their_field(
    client: TestClient, app: web.Application, directory: Directory, fields: dict[str, str], field: str
) -> None:
    await enter(client, app)
    status, html = await send(client, "/keeper/listings/new", "publish", **fields)
    assert status == 400
    assert f'href="#field-{field}"' in html
    assert f'id="error-{field}"' in html
    assert "Example Hall" in html, "what was written is still there"
    assert (await directory.status(now=NOW)).listings == 0


async def test_private_details_must_be_looked_at(
    client: TestClient, app: web.Application, directory: Directory
) -> None:
    await enter(client, app)
    private = {"summary": "Write to robin.someone@example.org. The password is hunter22."}
    status, html = await send(client, "/keeper/listings/new", "publish", **private)
    assert status == 400
    assert "robin.someone@example.org" in html
    assert 'name="keep" value="email"' in html
    assert (await directory.status(now=NOW)).listings == 0
    listing = await publish(client, summary="Write to robin.someone@example.org.", keep="email")
    shown = await directory.listing(ListingId(from_text(listing, 20)), now=NOW)
    assert shown is not None
    assert shown.content is not None
    assert "robin.someone@example.org" in shown.content.summary


async def test_more_meetings_without_scripts(client: TestClient, app: web.Application, directory: Directory) -> None:
    await enter(client, app)
    status, html = await send(client, "/keeper/listings/new", "add_meeting")
    assert status == 200
    assert 'name="m1_start"' in html
    second = {"m1_repeat": "monthly", "m1_weekday": "4", "m1_nth": "-1", "m1_start": "10:00", "m1_tz": "Europe/Dublin"}
    listing = await publish(client, **second)
    shown = await directory.listing(ListingId(from_text(listing, 20)), now=NOW)
    assert shown is not None
    assert shown.content is not None
    assert [meeting.rrule for meeting in shown.content.meetings] == ["", "FREQ=MONTHLY;BYDAY=-1TH"]
    assert shown.content.meetings[1].first == "2026-11-26"
    status, html = await send(client, "/keeper/listings/new", "remove_meeting", **second)
    assert 'name="m1_start"' not in html


async def test_an_edit_keeps_what_the_form_cannot_say(
    client: TestClient, app: web.Application, directory: Directory, clock: Clock
) -> None:
    await enter(client, app)
    second = {"m1_repeat": "monthly", "m1_weekday": "4", "m1_nth": "-1", "m1_start": "10:00", "m1_tz": "Europe/Dublin"}
    listing = await publish(client, **second)
    lid = ListingId(from_text(listing, 20))
    before = await directory.listing(lid, now=NOW)
    assert before is not None
    assert before.content is not None
    clock.now += 60
    html = await (await client.get(f"/keeper/listings/{listing}/edit")).text()
    values = dict(re.findall(r'<input id="field-[^"]+" name="([^"]+)" type="text" value="([^"]*)"', html))
    selects = {
        name: chosen[1]
        for name, body in re.findall(r'<select id="field-[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL)
        if (chosen := re.search(r'value="([^"]*)" selected', body))
    }
    status, html = await send(
        client, f"/keeper/listings/{listing}/edit", "publish", **values, **selects, m1_attendance="in_person"
    )
    assert status == 200, html
    after = await directory.listing(lid, now=Timestamp(clock.now))
    assert after is not None
    assert after.content is not None
    assert after.slot.seq > before.slot.seq
    assert [each.rrule for each in after.content.meetings] == [each.rrule for each in before.content.meetings]
    assert [each.slug for each in after.content.meetings] == [each.slug for each in before.content.meetings]


async def test_groups_that_speak_for_themselves_get_a_file(
    client: TestClient, app: web.Application, directory: Directory, clock: Clock
) -> None:
    keys = sorted((SigningKey.from_seed(Usage.STEWARD, bytes([n]) * 32) for n in (1, 2, 3)), key=lambda key: key.public)
    charter = Charter(
        previous=None, position=0, stewards=tuple(key.public for key in keys), threshold=2, nonce=bytes(16)
    )
    founding = sign(Kind.CHARTER, charter.to_body(), keys).envelope
    slot = Slot(charter=founding.rid, entry=b"", seq=1, issued=NOW, expires=Timestamp(NOW + 90 * 86_400))
    listing = Listing(slot=slot, content=ListingContent(name="Circle of three"))
    record = sign(Kind.LISTING, listing.to_body(), keys[:2]).envelope
    await directory.accept([founding.to_bytes(), record.to_bytes()], now=NOW)
    lid = listing_id(founding.rid, b"")
    await enter(client, app)
    clock.now += 60
    path = f"/keeper/listings/{to_text(lid)}/edit"
    status, html = await send(client, path, "publish", name="Circle of three, renamed")
    assert status == 200
    link = re.search(r'href="(/keeper/cosign/[a-z2-7]{16})"', html)
    assert link is not None, html
    shown = await directory.listing(lid, now=NOW)
    assert shown is not None
    assert shown.name == "Circle of three", "a keeper's key changes nothing here"

    token = await csrf_of(client, "/keeper/cosign")
    response = await client.get(link[1])
    file = read_file(await response.read())
    for number, key in enumerate(keys[:2]):
        signed = write_file(add_signature(file, key), ["signed"])
        upload = {"csrf": token, "file": signed.encode()}
        response = await client.post("/keeper/cosign", data=_multipart(upload))
        assert response.status == 200, await response.text()
        shown = await directory.listing(lid, now=Timestamp(clock.now))
        assert shown is not None
        assert shown.name == ("Circle of three" if number == 0 else "Circle of three, renamed")


async def test_the_directory_key_may_be_one_steward_of_several(
    client: TestClient, app: web.Application, directory: Directory, tmp_path: Path
) -> None:
    own = load_or_create_key(tmp_path / "directory.key", Usage.STEWARD, bytes)
    keys = sorted(
        (own, *(SigningKey.from_seed(Usage.STEWARD, bytes([n]) * 32) for n in (1, 2))), key=lambda k: k.public
    )
    charter = Charter(
        previous=None, position=0, stewards=tuple(key.public for key in keys), threshold=2, nonce=bytes(16)
    )
    founding = sign(Kind.CHARTER, charter.to_body(), keys).envelope
    slot = Slot(charter=founding.rid, entry=b"", seq=1, issued=NOW, expires=Timestamp(NOW + 90 * 86_400))
    record = unsigned(Listing(slot=slot, content=ListingContent(name="Together")))
    other = next(key for key in keys if key != own)
    file = add_signature(DraftFile((record,), (founding,)), other)
    await enter(client, app)
    token = await csrf_of(client, "/keeper/cosign")
    upload = _multipart({"csrf": token, "file": write_file(file, ["Together"]).encode()})
    html = await (await client.post("/keeper/cosign", data=upload)).text()
    action = re.search(r'action="(/keeper/cosign/[a-z2-7]{16}/sign)"', html)
    assert action is not None, html
    said = html.partition("<pre")[2].partition("</pre>")[0]
    assert "Name: Together" in said, "whoever signs reads what it says, not only its name"
    assert "1 of the group" in said or "2 are needed" in said
    assert (await client.post(action[1], data={"csrf": "wrong"})).status == 403
    assert (await directory.status(now=NOW)).listings == 0
    response = await client.post(action[1], data={"csrf": token})
    assert response.status == 200
    assert (await directory.status(now=NOW)).listings == 1
    assert (await client.post(action[1], data={"csrf": token})).status == 400, "it waits no more"


async def test_wrong_files_are_explained(client: TestClient, app: web.Application) -> None:
    await enter(client, app)
    token = await csrf_of(client, "/keeper/cosign")
    for data in (b"", b"hello", b"\x00\xff" * 100, b"-----BEGIN HEDGEROW RECORDS-----\n!!!\n"):
        response = await client.post("/keeper/cosign", data=_multipart({"csrf": token, "file": data}))
        assert response.status == 400
        assert 'href="#field-file"' in await response.text()
    big = await client.post("/keeper/cosign", data=_multipart({"csrf": token, "file": b"x" * 400_000}))
    assert big.status == 413


def _multipart(fields: dict[str, Any]) -> Any:
    from aiohttp import FormData

    form = FormData()
    form.add_field("csrf", fields["csrf"])
    form.add_field("file", fields["file"], filename="circle.hedgerow", content_type="application/octet-stream")
    return form
