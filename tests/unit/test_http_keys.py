"""Every text the street door asks for is there in English, with the places it fills."""

import ast
import json
import re
from pathlib import Path

import pytest

import hedgerow_node.http
from hedgerow_node.http.keeper import network_pages
from hedgerow_node.http.webui import find_webui

SOURCES = sorted(Path(hedgerow_node.http.__file__).parent.rglob("*.py"))
ENGLISH = json.loads((find_webui().locales / "en.json").read_text(encoding="utf-8"))
PLURALS = ("zero", "one", "two", "few", "many", "other")
COMPUTED = {
    "when.monthly.{nth}": [f"when.monthly.{nth}" for nth in (-1, 1, 2, 3, 4, 5)],
    "help.emergency.{one.service}": [f"help.emergency.{service}" for service in ("police", "ambulance", "fire")],
    "cosign.kind.{kind}": [f"cosign.kind.{kind}" for kind in ("charter", "listing", "withdrawal")],
    "findings.kind.{each.kind}": [
        f"findings.kind.{kind}" for kind in ("email", "phone", "surname", "password", "address")
    ],
    "network.chosen_{state}": [f"network.chosen_{state}" for state in ("on", "off", "failed")],
    "network.done.{done}": [f"network.done.{done}" for done in network_pages.DONE],
    "network.rooms.{state}": [f"network.rooms.{state}" for state in ("up", "away")],
    "network.rooms.{state}_now": [f"network.rooms.{state}_now" for state in ("up", "away")],
    "network.score.{_standing(link['score'])}": [f"network.score.{standing}" for standing in ("low", "new", "good")],
}


def calls() -> list[tuple[str, str, frozenset[str]]]:
    """(file, key, names of the places filled) of each call of ``t``."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name != "t" or not isinstance(node.args[0], ast.Constant | ast.JoinedStr):
                continue
            said = ast.unparse(node.args[0]).removeprefix("f").strip("'\"")
            named = frozenset(keyword.arg or "" for keyword in node.keywords)
            found += [(path.name, key, named) for key in COMPUTED.get(said, [said])]
    return found


def test_there_are_calls() -> None:
    assert len(calls()) > 40


@pytest.mark.parametrize(("file", "key", "named"), calls())
def test_a_text_is_there_and_is_filled(file: str, key: str, named: frozenset[str]) -> None:
    texts = [ENGLISH[name] for name in (key, *(f"{key}_{form}" for form in PLURALS)) if name in ENGLISH]
    assert texts, f"{file} asks for {key}"
    for text in texts:
        wanted = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", text))
        assert wanted <= named, f"{file}: {key} needs {wanted - named}"


def test_what_was_done_has_a_text() -> None:
    from hedgerow_node.http.keeper.pages import DONE

    for done in DONE:
        assert {"cosigned": "cosign.done", "added": "cosign.added"}.get(done, f"keeper.done.{done}") in ENGLISH
