"""Taking a calendar file apart: unfolded lines, events as blocks of lines, and what the calendar says of zones.

A file is never refused for one bad line. Lines broken by other programs are joined again, what is no line of
iCalendar at all is left out, an event without its END ends where the next begins; each such thing is counted.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from hedgerow_node.formats import bounds
from hedgerow_node.formats.report import FormatError, Tally
from hedgerow_node.formats.text_repair import decode_file

LINES_MAX: Final = 4_000_000
"""Lines. One calendar: a hundred for each of the most events one call may bring."""

EVENT_LINES_MAX: Final = 1_000
"""Lines. One event, unfolded: a year of exception dates one by one, and room to spare."""

LINE_CHARACTERS_MAX: Final = 128 * 1024
"""Characters. One unfolded line: a long description; pictures inside a calendar are longer and are left out."""

_LINE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*[ \t]*[;:]")
_CALENDAR_FIELDS: Final = frozenset({"NAME", "X-WR-CALNAME", "X-WR-TIMEZONE"})


@dataclass(slots=True)
class Calendars:
    """What one file holds."""

    events: list[list[str]] = field(default_factory=list)
    """The lines of each VEVENT without its BEGIN and END, and without what is nested in it (alarms)."""
    name: str = ""
    zone: str = ""
    """X-WR-TIMEZONE, as it is written."""
    zone_places: dict[str, str] = field(default_factory=dict)
    """TZID of a VTIMEZONE → the IANA name it says it stands for (X-LIC-LOCATION)."""


def read_calendars(data: bytes, tally: Tally) -> Calendars:
    """Take a file apart. Raises :class:`FormatError` when it holds far more than a calendar does."""
    text = decode_file(data, tally)
    if text.count("\n") + text.count("\r") > LINES_MAX:
        raise FormatError(f"This calendar has more than {LINES_MAX} lines. Divide it into several.")
    return _Splitter(tally).split(unfold(text, tally))


def unfold(text: str, tally: Tally) -> list[str]:
    """Lines whole again (RFC 5545, 3.1), however the file ends its lines."""
    whole: list[list[str]] = []
    for raw in re.split(r"\r\n|\n|\r", text.lstrip("\ufeff")):
        if raw[:1] in (" ", "\t") and whole:
            whole[-1].append(raw[1:])
        elif raw.strip():
            whole.append([raw])
    lines: list[list[str]] = []
    for parts in whole:
        line = "".join(parts)
        if _LINE.match(line) or not lines:
            lines.append([line])
        else:
            # A new line that was not escaped, inside somebody's description.
            tally.repair("line_broken")
            lines[-1].append(line)
    return ["\\n".join(parts) for parts in lines]


class _Splitter:
    def __init__(self, tally: Tally) -> None:
        self._found = Calendars()
        self._tally = tally
        self._stack: list[str] = []
        self._event: list[str] | None = None
        self._tzid = ""

    def split(self, lines: list[str]) -> Calendars:
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().upper()
            if name == "BEGIN":
                self._begin(value.strip().upper())
            elif name == "END":
                self._end(value.strip().upper())
            elif len(line) > LINE_CHARACTERS_MAX:
                self._tally.repair("line_too_long")
            else:
                self._line(line, name.partition(";")[0].strip(), value)
        if self._event is not None:
            self._close("event_without_end")
        return self._found

    def _begin(self, component: str) -> None:
        if component in ("VEVENT", "VCALENDAR") and self._event is not None:
            self._close("event_without_end")
        if component == "VEVENT":
            self._event = []
            self._stack = ["VEVENT"]
            if len(self._found.events) >= bounds.ROWS_MAX:
                raise FormatError(f"This calendar has more than {bounds.ROWS_MAX} events. Divide it into several.")
        elif len(self._stack) < 16:
            self._stack.append(component)
            self._tzid = "" if component == "VTIMEZONE" else self._tzid

    def _end(self, component: str) -> None:
        if component == "VEVENT" and self._event is not None:
            self._close("")
        elif component == "VCALENDAR" and self._event is not None:
            self._close("event_without_end")
        elif component in self._stack:
            del self._stack[self._stack.index(component) :]

    def _close(self, repair: str) -> None:
        if repair:
            self._tally.repair(repair)
        if self._event is not None:
            self._found.events.append(self._event)
        self._event = None
        self._stack = []

    def _line(self, line: str, name: str, value: str) -> None:
        if self._event is not None and self._stack == ["VEVENT"]:
            if len(self._event) < EVENT_LINES_MAX:
                self._event.append(line)
            else:
                self._tally.repair("lines_left_out")
        elif "VTIMEZONE" in self._stack:
            if name == "TZID":
                self._tzid = value.strip()
            elif name == "X-LIC-LOCATION" and self._tzid:
                self._found.zone_places[self._tzid] = value.strip()
        elif name in _CALENDAR_FIELDS and self._event is None:
            if name == "X-WR-TIMEZONE":
                self._found.zone = value.strip()
            else:
                self._found.name = self._found.name or value.strip()
