"""/safe-connection, the service worker's file and the bundle's hash, by way of the real street door."""

import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from hedgerow_node.bundle import Bundle, bundle_digest, read_bundle
from hedgerow_node.config import Config
from hedgerow_node.fingerprint import hex_of, words_of
from hedgerow_node.http.certificate import OwnCertificate
from hedgerow_node.http.pages_secure import kind_of
from hedgerow_node.http.proxy_samples import caddy_sample, nginx_sample
from hedgerow_node.http.server import build_app, keeper_link
from hedgerow_node.http.webui import WebUi, find_webui
from hedgerow_node.tls.files import set_up
from hedgerow_node.tls.names import SERVER_CERTIFICATE, SERVER_KEY, read_names
from hedgerow_protocol.ports import Timestamp
from http_site import NODE_ID, Clock, MemoryDirectory
from lent_network import LentNetwork, status
from nginx_server import NGINX, free_port, needs_nginx

FINGERPRINT = bytes(range(32))
BUNDLE = {"version": "0.0.0", "sha256": "ab" * 32, "client": "cd" * 32}
"""Of a web UI that is only said to be built."""


@pytest.fixture
def webui(tmp_path: Path) -> WebUi:
    """The real templates and languages, and a build of three files."""
    root = tmp_path / "webui"
    root.mkdir()
    for name in ("templates", "locales"):
        (root / name).symlink_to(find_webui().root / name)
    dist = root / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "assets.json").write_text("{}")
    (dist / "sw.js").write_text("self.HEDGEROW={};\nlet worker;\n")
    (dist / "client.html").write_text("<!doctype html>")
    (dist / "bundle.json").write_text(json.dumps(BUNDLE))
    return WebUi(root)


async def client_of(webui: WebUi, tmp_path: Path, **more: Any) -> TestClient[Any, Any]:
    clock = Clock()
    settings = {name: more.pop(name) for name in ("base_url", "onion") if name in more}
    app = build_app(
        Config(data=tmp_path, **settings),
        MemoryDirectory(),
        node_id=NODE_ID,
        version="0.0.0",
        now=clock.timestamp,
        monotonic=clock.monotonic,
        webui=webui,
        **more,
    )
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.mark.parametrize(
    ("scheme", "host", "kind"),
    [
        ("https", "hedgerow.local:8470", "https"),
        ("https", "203.0.113.7", "https"),
        ("http", "localhost:8470", "here"),
        ("http", "me.localhost", "here"),
        ("http", "127.0.0.1:8470", "here"),
        ("http", "[::1]:8470", "here"),
        ("http", "a" * 56 + ".onion", "onion"),
        ("http", "hedgerow.local:8470", "open"),
        ("http", "192.168.7.7", "open"),
        ("http", "localhost.example.org", "open"),
        ("http", "", "open"),
        ("http", "[", "open"),
    ],
)
def test_an_address_is_as_safe_as_a_browser_thinks(scheme: str, host: str, kind: str) -> None:
    assert kind_of(scheme, host) == kind


async def test_the_page_says_how_things_are_and_names_every_way(webui: WebUi, tmp_path: Path) -> None:
    own = OwnCertificate(hosts=("hedgerow.local", "[fd00::7]"), fingerprint=FINGERPRINT, download=b"DER")
    onion = "http://" + "a" * 56 + ".onion"
    client = await client_of(webui, tmp_path, certificate=own, onion=onion, base_url="https://hedge.example.org")
    async with client:
        answer = await client.get("/safe-connection", headers={"Host": "192.168.7.7:8470"})
        page = await answer.text()
        assert answer.status == 200
        assert "This connection is not safe" in page
        for said in (
            " ".join(words_of(FINGERPRINT)),
            hex_of(FINGERPRINT)[:47],
            hex_of(FINGERPRINT)[48:],
            " ".join(words_of(bytes.fromhex(BUNDLE["client"]))),
            "https://hedgerow.local:8470/",
            "https://[fd00::7]:8470/",
            "http://localhost:8470/",
            onion,
            "https://hedge.example.org",
            'href="/safe-connection/ca.crt"',
            'href="/client.html"',
            "access_log off;",
            "trusted_proxies",
            "could be changed on their way",
        ):
            assert said in page, said
        assert "<script" not in page.split("<main")[1]
        here = await (await client.get("/safe-connection", headers={"Host": "localhost:8470"})).text()
        assert "Nothing leaves it" in here
        assert "could be changed on their way" not in here
        for code in ("de", "fr", "es", "ar"):
            other = await (await client.get(f"/safe-connection?lang={code}")).text()
            assert f'lang="{code}"' in other


async def test_without_certificate_client_or_onion_nothing_is_promised(webui: WebUi, tmp_path: Path) -> None:
    (webui.dist / "bundle.json").unlink()
    (webui.dist / "client.html").unlink()
    async with await client_of(webui, tmp_path) as client:
        page = await (await client.get("/safe-connection")).text()
        assert "hedgerow tls --name" in page
        assert "ca.crt" not in page
        assert "client.html" not in page
        for path in ("/safe-connection/ca.crt", "/client.html"):
            assert (await client.get(path)).status == 404


async def test_files_of_the_app_come_with_the_headers_they_need(webui: WebUi, tmp_path: Path) -> None:
    own = OwnCertificate(hosts=("hedgerow.local",), fingerprint=FINGERPRINT, download=b"DER")
    async with await client_of(webui, tmp_path, certificate=own, base_url="https://example.org/groups") as client:
        worker = await client.get("/groups/app/sw.js", headers={"Host": "example.org"})
        assert worker.headers["Service-Worker-Allowed"] == "/groups/app"
        assert worker.headers["Cache-Control"] == "no-cache"
        assert worker.content_type == "text/javascript"
        saved = await client.get("/groups/client.html", headers={"Host": "example.org"})
        assert saved.headers["Content-Disposition"].startswith("attachment")
        assert "script-src 'self'" in saved.headers["Content-Security-Policy"]
        authority = await client.get("/groups/safe-connection/ca.crt", headers={"Host": "example.org"})
        assert (authority.content_type, await authority.read()) == ("application/x-x509-ca-cert", b"DER")


async def test_the_bundle_is_told_to_visitors_and_compared_with_peers(webui: WebUi, tmp_path: Path) -> None:
    bundle = Bundle(**BUNDLE)
    lent = LentNetwork(status(3, bundle=bundle, features=(bundle.feature, "webui/0.0.0/ffff", "webui/9.9/ffff")))
    async with await client_of(webui, tmp_path, peering=lent) as client:
        facts = await (await client.get("/api/v1/status")).json()
        assert (facts["bundle"], facts["client"], facts["bundle_differs"]) == (BUNDLE["sha256"], BUNDLE["client"], 1)
        page = await (await client.get("/about")).text()
        assert BUNDLE["sha256"] in page
        assert " ".join(words_of(bytes.fromhex(BUNDLE["client"]))) in page
        assert "1 other site says" in page


async def test_the_keeper_is_warned_on_both_pages(webui: WebUi, tmp_path: Path) -> None:
    lent = LentNetwork(status(3, bundle=Bundle(**BUNDLE), features=("webui/0.0.0/ffff", "webui/0.0.0/eeee")))
    async with await client_of(webui, tmp_path, peering=lent) as client:
        assert client.app is not None
        await client.post("/keeper/enter", data={"token": keeper_link(client.app).partition("#")[2]})
        for path in ("/keeper", "/keeper/network"):
            page = await (await client.get(path)).text()
            assert "2 other sites say" in page, path


# --- the hash


@pytest.fixture
def built(webui: WebUi) -> Path:
    (webui.dist / "assets" / "app-1.js").write_text("1")
    (webui.dist / "assets" / "app-1.js.gz").write_text("packed")
    return webui.dist


def test_every_file_counts_but_packed_copies_and_what_holds_the_hash_itself(built: Path) -> None:
    before = bundle_digest(built)
    (built / "assets" / "app-1.js.gz").write_text("packed by another library")
    (built / "bundle.json").write_text("{}")
    (built / ".stamp").write_text("x")
    (built / "sw.js").write_text('self.HEDGEROW={"bundle":"1"};\nlet worker;\n')
    assert bundle_digest(built) == before
    for change in (
        lambda: (built / "sw.js").write_text("self.HEDGEROW={};\nlet other;\n"),
        lambda: (built / "client.html").write_text("<!doctype html><p>"),
        lambda: (built / "assets" / "app-1.js").write_text("2"),
        lambda: (built / "assets" / "app-2.js").write_text(""),
        lambda: (built / "assets" / "app-2.js").rename(built / "assets" / "app-3.js"),
    ):
        change()
        after = bundle_digest(built)
        assert after != before
        before = after


@pytest.mark.skipif(not find_webui().bundle.sha256, reason="the web UI is not built here")
def test_what_was_built_has_the_hash_it_says() -> None:
    webui = find_webui()
    assert bundle_digest(webui.dist) == webui.bundle.sha256
    assert webui.bundle.sha256 in (webui.dist / "sw.js").read_text().partition("\n")[0]


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"version":"1","sha256":"zz","client":""}', "\xff"])
def test_a_broken_word_about_the_build_counts_as_none(tmp_path: Path, said: str) -> None:
    (tmp_path / "bundle.json").write_text(said)
    assert read_bundle(tmp_path) == Bundle()
    assert read_bundle(tmp_path / "nowhere").feature == ""


# --- the samples for reverse proxies

SECRET = "whatsomebodylookedfor"
needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """A proxy; what it says goes into the folder."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / "said.log").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=environment)
    try:
        deadline = time.monotonic() + 20
        while True:
            assert process.poll() is None, (folder / "said.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def status_of(url: str) -> int:
    """Ask for something without looking at the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, context=context, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def everything_written(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())


@needs_nginx
@pytest.mark.parametrize("prefix", ["", "/groups"])
def test_nginx_runs_with_its_sample_and_writes_no_query_even_when_the_node_is_away(tmp_path: Path, prefix: str) -> None:
    assert NGINX is not None
    made = set_up(tmp_path, read_names(["hedge.example.org"], []), Timestamp(int(time.time())))
    (tmp_path / "fullchain.pem").symlink_to(made.folder / SERVER_CERTIFICATE)
    (tmp_path / "privkey.pem").symlink_to(made.folder / SERVER_KEY)
    port = free_port()
    sample = nginx_sample("hedge.example.org", free_port(), prefix)
    sample = sample.replace("/etc/letsencrypt/live/hedge.example.org", str(tmp_path))
    sample = sample.replace("/var/log/nginx", str(tmp_path)).replace("listen 443", f"listen 127.0.0.1:{port}")
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/e.log crit; events {{}}\n"
    config = tmp_path / "nginx.conf"
    config.write_text(f"{head}http {{ {temporary}\n{sample}}}\n")
    with running([NGINX, "-c", str(config), "-p", str(tmp_path), "-e", f"{tmp_path}/e.log"], tmp_path, port):
        assert status_of(f"https://127.0.0.1:{port}{prefix}/?q={SECRET}") == 502
    assert SECRET.encode() not in everything_written(tmp_path)


@needs_caddy
@pytest.mark.parametrize("prefix", ["", "/groups"])
def test_caddy_runs_with_its_sample_and_writes_no_query_even_when_the_node_is_away(tmp_path: Path, prefix: str) -> None:
    port = free_port()
    sample = caddy_sample("hedge.example.org", free_port(), prefix)
    # Nobody outside is asked for a certificate here, and nothing listens at the usual ports.
    sample = sample.replace("{\n", "{\n    admin off\n    auto_https off\n", 1)
    sample = sample.replace("hedge.example.org {", f"http://127.0.0.1:{port} {{")
    (tmp_path / "Caddyfile").write_text(sample)
    with running(["caddy", "run", "--config", "Caddyfile"], tmp_path, port):
        assert status_of(f"http://127.0.0.1:{port}{prefix}/?q={SECRET}") == 502
    assert SECRET.encode() not in everything_written(tmp_path)
