"""The keeper's page about other sites, on a node that really runs: what is chosen there holds at once and for good."""

import http.cookiejar
import re
import urllib.parse
import urllib.request
from pathlib import Path

from command_line import CommandLine
from hedgerow_node.config import load_config
from hedgerow_protocol.ids import ListingId, to_text
from running_node import RunningNode, running_node

LISTING = to_text(ListingId(bytes(range(20))))


class Browser:
    """A keeper's browser without scripts."""

    def __init__(self, node: RunningNode, link: str) -> None:
        self.home = node.url.rstrip("/")
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.post("/keeper/enter", token=link.partition("#")[2])

    def get(self, path: str) -> str:
        with self.opener.open(self.home + path, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        with self.opener.open(self.home + path, urllib.parse.urlencode(fields).encode(), timeout=20) as answer:
            return str(answer.read().decode())

    def send(self, path: str, **fields: str) -> str:
        token = re.search(r'name="csrf" value="([A-Z2-7]{32})"', self.get("/keeper/network"))
        assert token is not None
        return self.post(path, csrf=token[1], **fields)


def test_choosing_and_blocking(hedgerow: CommandLine, tmp_path: Path) -> None:
    with running_node(tmp_path / "other") as other, running_node(hedgerow.data) as node:
        browser = Browser(node, hedgerow.json("keeper-link")["url"])
        assert "We aren&#39;t connected to any other site." in browser.get("/keeper/network")
        address = other.url.rstrip("/")
        assert "Added." in browser.send("/keeper/network/peers", do="add", url=address)
        assert load_config({"data": hedgerow.data}, {}).peers == (address,)
        answer = hedgerow.connected(1)
        assert answer["peers"][0]["connected"]
        page = browser.get("/keeper/network")
        assert "We are connected to 1 site." in page
        assert "You chose it." in page
        assert "Blocked." in browser.send("/keeper/network/blocks", do="block", target=LISTING, reason="A trap.")
        assert hedgerow.json("peers", "blocks")["blocks"][0]["listing"] == LISTING
        peer = answer["links"][0]["peer"]
        assert "Blocked." in browser.send("/keeper/network/blocks", do="block", target=peer)
        hedgerow.connected(0)
        assert "Unblocked." in browser.send("/keeper/network/blocks", do="unblock", target=peer)
        hedgerow.connected(1)
        assert "Removed" in browser.send("/keeper/network/peers", do="remove", url=address)
    assert load_config({"data": hedgerow.data}, {}).peers == ()
