"""What the network's state becomes in words: every code has a sentence, and nothing unknown breaks the page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from hedgerow_node.http.keeper.network_words import NetworkWords
from hedgerow_node.http.languages import Languages
from hedgerow_node.http.rendering import Community, Pages
from hedgerow_node.http.webui import WebUi
from hedgerow_node.net.links import End
from hedgerow_node.net.status import NetworkStatus
from hedgerow_protocol.errors import Code
from lent_network import NOW, TROUBLED, peer, status

WEBUI = Path(__file__).resolve().parents[2] / "webui"
CODES = ("en", "de", "fr", "es", "ar")


def words(said: NetworkStatus, language: str = "en") -> NetworkWords:
    webui = WebUi(WEBUI)
    pages = Pages(webui, Languages(webui.locales, "en"), Community(name="Test"))
    view = pages.view(make_mocked_request("GET", f"/keeper/network?lang={language}"), keeper=True)
    return NetworkWords(view, {**said.to_json(), "now": NOW})


def test_alone() -> None:
    values = words(status(0)).values()
    assert [each["text"] for each in values["warnings"]] == [
        "We aren't connected to any other site. What is listed here stays here until we are."
    ]
    assert values["peers"] == []
    assert values["summary"] == ""
    assert values["reach"]["lines"][0].startswith("Nobody knows an address")
    assert values["lan"]["text"].startswith("We don't look")


def test_a_peer_in_words() -> None:
    one, two = words(NetworkStatus(links=(peer(0), peer(4)), chosen=())).values()["peers"]
    assert one["name"] == "circle-0.example.org"
    assert one["ways"] == ["We called it.", "You chose it.", "It hears of new listings at once."]
    assert (one["score"], one["since"]) == ("Good (6.2)", "1 minute")
    assert one["bytes"] == "Data in: 700 byte. Out: 90 byte."
    assert two["ways"] == ["It called us.", "Through another site.", "It hears of new listings at once."]
    assert two["address"] == "", "a relay's id is no address to show"
    assert two["name"] == two["id"], "nor is the relay's id the peer's name"
    assert two["id"] not in "a" * 52


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example.org:8470/groups", "a.example.org"),
        ("10.1.2.3:5000", "10.1.2.3"),
        ("2001:db8::2", "2001:db8::2"),
        ("http://[2001:db8::2]:80", "2001:db8::2"),
        ("relay:" + "a" * 52, ""),
        ("", ""),
        ("http://[broken", ""),
    ],
)
def test_names_of_places(address: str, name: str) -> None:
    assert words(status(0)).name(address) == name


@pytest.mark.parametrize("code", CODES)
def test_every_reason_has_a_sentence_in_every_language(code: str) -> None:
    from hedgerow_node.http.languages import Languages

    language = Languages(WEBUI / "locales").get(code)
    wanted = [f"network.refused.{each}" for each in Code]
    wanted += [f"network.ended.{each.value.replace(' ', '_')}" for each in End]
    wanted += [f"network.turned_away.{each}" for each in ("origin", "closed", "full", "address", "failed", "handshake")]
    assert [key for key in wanted if key not in language.texts] == []


def test_reasons_of_the_door_are_those_that_have_sentences() -> None:
    """The door names its reasons in its source; a new one must get a sentence."""
    import re

    from hedgerow_node.net import websocket

    source = Path(websocket.__file__).read_text(encoding="utf-8")
    said = set(re.findall(r'_refuse\("([a-z ]+)"', source)) | set(re.findall(r'turned_away\["([a-z ]+)"\]', source))
    english = Languages(WEBUI / "locales").get("en").texts
    assert said
    assert {each for each in said if f"network.turned_away.{each.replace(' ', '_')}" not in english} == set()


@pytest.mark.parametrize("code", CODES)
def test_trouble_in_every_language(code: str) -> None:
    values = words(status(5, **TROUBLED), code).values()
    assert len(values["warnings"]) == 2
    assert values["reach"]["ways"]
    assert len(values["reach"]["lines"]) == 2
    assert values["lan"]["problem"].startswith("The local network")
    texts: list[Any] = [*values["warnings"], *values["refused"], *values["ended"], *values["turned_away"]]
    assert not any("network." in each["text"] or "{{" in each["text"] for each in texts)


def test_counts_the_largest_first_and_unknown_reasons_are_no_bug() -> None:
    refused = words(status(1, **TROUBLED)).values()["refused"]
    assert [each["count"] for each in refused] == ["1,412", "3", "1"]
    assert refused[2]["text"] == "For another reason."


def test_what_is_connected_has_no_problem() -> None:
    rows = words(status(5, **TROUBLED)).values()["chosen"]
    assert {each["state"] for each in rows} == {"on"}
    away = replace(status(0), chosen=("https://a.example.org",), failed={"https://a.example.org": "Nothing listens."})
    (row,) = words(away).values()["chosen"]
    assert (row["state"], row["problem"]) == ("failed", "Nothing listens.")


def test_reached_needs_no_ways() -> None:
    there = {"https://a.example.org": True}
    reach = words(status(2, addresses=tuple(there), tried=there, reachable=True)).values()["reach"]
    assert not reach["ways"]
    assert "got through" in reach["lines"][0]
    waiting = words(status(2, addresses=("https://a.example.org", "relay:" + "a" * 52))).values()["reach"]
    assert waiting["lines"] == ["We announce https://a.example.org. Nobody has tried it yet."]
