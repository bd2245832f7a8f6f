"""From the real feeds to everything a node gives out: no e-mail address and no password is in any of it.

The secrets are taken out of the raw files with plain patterns that share nothing with the screening code.
"""

import json
import re
import urllib.request
from pathlib import Path

from command_line import CommandLine
from running_node import running_node
from shared import needs_shared, shared

pytestmark = needs_shared

FEEDS = [
    ("aa", ["data/tsml/orange-county-ca-aa.json"]),
    ("aa", ["data/tsml/san-francisco-marin-aa.json"]),
    ("al-anon", ["data/tsml/massachusetts-al-anon.json"]),
    ("aa", ["data/tsml/edge-cases-timezones.json"]),
    ("na", ["data/bmlt/GetSearchResults-part.json", "data/bmlt/GetFormats-all-languages.json"]),
    ("sg", ["data/hsds/service_full.json"]),
    ("sg", ["data/ics/rfc_7986_conferences.ics", "data/ics/alarm_google_future.ics"]),
]
GIVEN_OUT = [
    "export/meetings.json",
    "export/calendar.ics",
    "export/calendar.ics?discreet=Busy",
    "export/hsds.json",
    "directory/list.json",
    "print",
]
MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
SECRET = re.compile(r"(?i)pass\s?(?:word|code)[ \t]*[:=][ \t]*([\w!?*-]{4,})|[?&]pwd=([^&#\s\"\\]{4,})")
NOT_SECRETS = re.compile(r"(?i)^(none|not|required|needed|email|call|please|text|contact|available|dial|enter|same).*$")
SAID = re.compile(r"(?i)pass\s?(?:word|code)\W{0,3}[:=]\W{0,3}\w*\d|\bpwd=")


def unfolded(text: str) -> str:
    """One line for what iCalendar folds and JSON escapes."""
    return text.replace("\r\n ", "").replace("\\n", "\n").replace("\\/", "/")


def secrets_of(text: str) -> set[str]:
    found = {next(filter(None, groups)).strip("!?*-") for groups in SECRET.findall(unfolded(text))}
    return {each for each in found if len(each) >= 5 and not NOT_SECRETS.match(each)}


def test_no_address_and_no_password_is_given_out(hedgerow: CommandLine, tmp_path: Path) -> None:
    secrets: set[str] = set()
    addresses = 0
    for program, names in FEEDS:
        paths = [shared(name) for name in names]
        hedgerow.json("import", *paths, "--program", program, "--tz", "America/New_York")
        for path in paths:
            raw = path.read_text(encoding="utf-8", errors="replace")
            secrets |= secrets_of(raw)
            addresses += len(MAIL.findall(raw))
    assert len(secrets) > 300
    assert addresses > 300
    with running_node(hedgerow.data) as node:
        texts = {}
        for path in GIVEN_OUT:
            with urllib.request.urlopen(node.url + path, timeout=60) as answer:
                texts[path] = unfolded(answer.read().decode())
        texts["api"] = ""
        cursor = ""
        while cursor is not None:
            page = node.get(f"api/v1/listings?limit=200&cursor={cursor}")
            texts["api"] += unfolded(json.dumps(page, ensure_ascii=False))
            cursor = page["next"]
    assert texts["api"].count('"slug"') > 3_000
    for path, text in texts.items():
        assert len(text) > 100_000, path
        assert MAIL.findall(text) == [], path
        assert SAID.findall(text) == [], path
        # Meeting numbers of nine digits and more stay: they are part of the link and open nothing by themselves.
        left = {each for each in secrets & set(re.findall(r"[\w!?*-]{5,}", text)) if not re.fullmatch(r"\d{9,}", each)}
        assert left == set(), f"{path}: {sorted(left)[:20]}"
