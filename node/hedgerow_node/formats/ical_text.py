"""Writing iCalendar content lines: escaping, parameters, folding (RFC 5545, 3.1 and 3.3.11; RFC 6868)."""

import re
from datetime import UTC, date, datetime
from typing import Final

LINE_OCTETS_MAX: Final = 75
"""Octets of one line without its CRLF (RFC 5545, 3.1)."""

_PLAIN_PARAMETER: Final = re.compile(r"[^\x00-\x1f\";:,\x7f]*")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def text_value(text: str) -> str:
    """A TEXT value: backslash, semicolon, comma and new line escaped; other control characters left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return _CONTROLS.sub("", text)


def parameter_value(text: str) -> str:
    """A parameter's value: what cannot stand in quotes is written with RFC 6868's carets; quoted where needed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    text = _CONTROLS.sub("", text).replace("\t", " ")
    return text if text and _PLAIN_PARAMETER.fullmatch(text) else f'"{text}"'


def folded_line(line: str) -> str:
    """One content line with its CRLF, broken into lines of at most 75 octets, never inside a character."""
    if len(line) <= LINE_OCTETS_MAX and line.isascii():
        return line + "\r\n"
    parts: list[str] = []
    begin, room = 0, LINE_OCTETS_MAX
    for index, character in enumerate(line):
        size = len(character.encode("utf-8", "replace"))
        if size > room:
            parts.append(line[begin:index])
            begin, room = index, LINE_OCTETS_MAX - 1  # the space that marks a continued line
        room -= size
    parts.append(line[begin:])
    return "\r\n ".join(parts) + "\r\n"


def date_value(day: date) -> str:
    """A DATE value."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def local_value(moment: datetime) -> str:
    """A DATE-TIME value by the wall clock."""
    return f"{date_value(moment)}T{moment.hour:02}{moment.minute:02}{moment.second:02}"


def utc_value(moment: datetime) -> str:
    """A DATE-TIME value in UTC of an aware time."""
    try:
        return local_value(moment.astimezone(UTC)) + "Z"
    except OverflowError:
        return local_value(moment) + "Z"  # in the year 1 or 9999, a day beyond what a date can say


def duration_value(minutes: int) -> str:
    """A DURATION value: whole days (by the calendar) and the rest (by the clock)."""
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or not hours else "") if rest or not days else ""
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")
