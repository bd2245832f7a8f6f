"""The community's own file of crisis lines: read leniently, each entry with the day somebody last checked it.

The node ships no numbers of helplines: a wrong one is worse than none, and only the community can call and check. An
entry older than a year is shown with a mark. A mistake in one entry leaves the others standing.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hedgerow_node.http import bounds

OLD_AFTER_DAYS = 365

EXAMPLE = """\
# Crisis lines this community recommends. They are shown on the page "Help now".
# Call each number before you write it here, and write the day on which you did: after a year the page says that the
# entry is old. One [[line]] for each:
#
# [[line]]
# name = "Example Listening Line"
# phone = "+353 1 555 0100"
# sms = ""                       # text HELLO to …
# url = "https://example.org/"
# hours = "every day, 24 hours"
# languages = ["en", "ga"]
# for_whom = "anybody who needs to talk"
# country = "IE"
# checked = "2026-11-22"
# source = "called by us"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisLine:
    """One entry; empty text where nothing is said."""

    name: str
    phone: str = ""
    sms: str = ""
    url: str = ""
    hours: str = ""
    languages: tuple[str, ...] = ()
    for_whom: str = ""
    country: str = ""
    checked: date | None = None
    source: str = ""

    def is_old(self, today: date) -> bool:
        """Whether nobody checked it within the last year (a day in the future counts as not checked)."""
        return self.checked is None or not -1 <= (today - self.checked).days <= OLD_AFTER_DAYS


@dataclass(frozen=True, slots=True)
class CrisisFile:
    """The entries that could be read, and a sentence for each that could not."""

    lines: tuple[CrisisLine, ...] = ()
    problems: tuple[str, ...] = ()


def read_crisis_file(path: Path) -> CrisisFile:
    """Read the file (blocking). A missing one is empty; nothing raises."""
    import tomllib

    try:
        with path.open("rb") as file:
            raw = file.read(bounds.CRISIS_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return CrisisFile()
    except OSError as error:
        return CrisisFile(problems=(f"{path.name} cannot be read: {(error.strerror or 'unknown reason').lower()}.",))
    if len(raw) > bounds.CRISIS_FILE_BYTES_MAX:
        return CrisisFile(problems=(f"{path.name} is larger than {bounds.CRISIS_FILE_BYTES_MAX} bytes.",))
    try:
        value = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return CrisisFile(problems=(f"{path.name} cannot be understood: {error}.",))
    return _read(value)


def crisis_line_toml(line: CrisisLine) -> str:
    """One ``[[line]]`` table, to append to the file. JSON's strings are TOML's."""
    rows = ["", "[[line]]"]
    for name in ("name", "phone", "sms", "url", "hours", "for_whom", "country", "source"):
        text = getattr(line, name)
        if text:
            rows.append(f"{name} = {json.dumps(text, ensure_ascii=False)}")
    if line.languages:
        rows.append(f"languages = {json.dumps(list(line.languages), ensure_ascii=False)}")
    if line.checked is not None:
        rows.append(f'checked = "{line.checked.isoformat()}"')
    return "\n".join(rows) + "\n"


def _read(value: Any) -> CrisisFile:
    entries = value.get("line", []) if isinstance(value, dict) else value
    if not isinstance(entries, list):
        return CrisisFile(problems=("The entries of this file are [[line]] tables.",))
    lines: list[CrisisLine] = []
    problems: list[str] = []
    for number, entry in enumerate(entries[: bounds.CRISIS_LINES_MAX], 1):
        try:
            lines.append(_line(entry))
        except ValueError as error:
            problems.append(f"Entry {number}: {error}")
    if len(entries) > bounds.CRISIS_LINES_MAX:
        problems.append(f"Only the first {bounds.CRISIS_LINES_MAX} entries are shown.")
    return CrisisFile(tuple(lines), tuple(problems))


def _line(entry: Any) -> CrisisLine:
    if not isinstance(entry, dict):
        raise ValueError("it is not a table of names and values.")
    texts = {
        name: _text(entry.get(name, ""))
        for name in ("name", "phone", "sms", "url", "hours", "for_whom", "country", "source")
    }
    if not texts["name"]:
        raise ValueError("it has no name.")
    if not (texts["phone"] or texts["sms"] or texts["url"]):
        raise ValueError("it has neither a phone number nor a text number nor a web page.")
    if texts["url"] and urlsplit(texts["url"]).scheme not in ("http", "https"):
        raise ValueError("its url does not begin with https://.")
    languages = entry.get("languages", [])
    if isinstance(languages, str):
        languages = languages.replace(",", " ").split()
    if not isinstance(languages, list):
        raise ValueError("its languages are a list.")
    return CrisisLine(
        **{**texts, "country": texts["country"].upper()},
        languages=tuple(_text(each) for each in languages[:20]),
        checked=_date(entry.get("checked")),
    )


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > 500:
        raise ValueError("a value is not a short text.")
    return " ".join(value.split())


def _date(value: Any) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ValueError("its date is written like 2026-11-22.") from None
