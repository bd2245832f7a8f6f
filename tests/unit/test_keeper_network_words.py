"""What the network's state becomes in words: every code has a sentence, and nothing unknown breaks the page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from hedgerow_node.federation.tally import Why
from hedgerow_node.http.keeper.network_rooms import RoomsWords
from hedgerow_node.http.keeper.network_words import NetworkWords
from hedgerow_node.http.languages import Languages
from hedgerow_node.http.rendering import Community, Pages
from hedgerow_node.http.webui import WebUi
from hedgerow_node.net.links import End
from hedgerow_node.net.status import NetworkStatus
from hedgerow_protocol.errors import Code
from lent_network import NOW, TROUBLED, all_troubles, peer, shared, status

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


@pytest.mark.parametrize("code", CODES)
def test_groups_shared_with_others_in_every_language(code: str) -> None:
    language = Languages(WEBUI / "locales").get(code)
    assert [each for each in Why if f"network.rooms.refused.{each}" not in language.texts] == []
    values = RoomsWords(words(status(0), code), {"nodes": all_troubles(), "more": 3}).values()
    said = repr(values)
    assert "network." not in said
    assert "{{" not in said
    assert len(values["rows"]) == 7
    assert values["lied"]
    assert values["more"]


def test_a_calm_group_needs_few_words() -> None:
    values = RoomsWords(words(status(0)), {"nodes": [shared(5)], "more": 0}).values()
    (row,) = values["rows"]
    assert (row["line"], row["state"]) == (["Connected for 3 hours."], ["Nothing."])
    assert (row["troubles"], row["refused"], values["lied"], values["more"]) == ([], [], "", "")


def test_trouble_with_groups_is_said() -> None:
    rows = RoomsWords(words(status(0)), {"nodes": all_troubles(), "more": 0}).values()["rows"]
    assert rows[0]["troubles"] == ["It told two stories. Groups: 2."]
    assert [each["count"] for each in rows[0]["refused"]] == ["1,412", "12", "1"]
    assert rows[0]["refused"][2]["text"] == "For another reason."
    assert "2 hours" in rows[1]["troubles"][0]
    assert rows[2]["state"][0] == "Waiting to go there: 1,204."
    assert rows[3]["state"] == ["Messages it hasn't confirmed: 100 or more.", "It is sent them and says nothing."]
    assert rows[4]["line"] == ["Not connected.", "We share no group with it."]
    assert (rows[6]["name"], rows[6]["line"]) == ("Further sites", [])


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
