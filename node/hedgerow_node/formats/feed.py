"""From the files of one call to drafts of listings: finds out what each file is, reads it, and joins them.

Any bytes give a :class:`Parsed` or raise :class:`FormatError` with a sentence that names the file.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hedgerow_node.formats import bounds, vocabulary
from hedgerow_node.formats.bmlt_in import BmltSupport, read_bmlt_row
from hedgerow_node.formats.feed_shapes import (
    BmltFormats,
    BmltMeetings,
    BmltServiceBodies,
    HumanServices,
    MeetingGuide,
    shapes_of,
)
from hedgerow_node.formats.grouping import group_rows
from hedgerow_node.formats.json_text import read_json
from hedgerow_node.formats.listing_size import fitted, is_too_large
from hedgerow_node.formats.meeting_guide_in import read_meeting_guide_row
from hedgerow_node.formats.report import Draft, FormatError, Parsed, Tally
from hedgerow_node.formats.source_row import SourceRow
from hedgerow_node.formats.table import read_csv
from hedgerow_node.formats.text_repair import decode_file
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_node.schedule.zones import find_zone

_CALL: Final = re.compile(r"^\s*(?:/\*.*?\*/\s*)?[\w.$]{1,100}\(\s*(?=[\[{])", re.DOTALL)
_KINDS: Final = (
    (b"PK\x03\x04", "is a spreadsheet or an archive. Save it as CSV, or unpack it, and import that"),
    (b"\x1f\x8b", "is compressed. Unpack it and import what is inside"),
    (b"%PDF", "is a PDF. Ask for the feed or a table instead"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"\xd0\xcf\x11\xe0", "is an old spreadsheet or document. Save it as CSV and import that"),
    (b"SQLite format 3", "is a database"),
)


def parse_feed(files: Sequence[tuple[str, bytes]], *, program: str, tz: str = "") -> Parsed:
    """Read the files of one source.

    ``files`` are (name, bytes); BMLT's formats and service bodies may stand among them in any order. ``program`` is one
    of :func:`~hedgerow_node.formats.vocabulary.program_codes`, in any case, or empty for none: it says what type codes
    mean. ``tz`` is the IANA zone of times whose zone the feed does not say. Raises :class:`FormatError`.
    """
    found = vocabulary.find_program(program)
    if found is None and program.strip():
        known = ", ".join(vocabulary.program_codes())
        raise FormatError(f"{_short(program)} is not a program known here. Choose one of: {known}.")
    if tz and find_zone(tz) is None:
        raise FormatError(f"{_short(tz)} is not a time zone. Zones are named like Europe/Dublin or America/New_York.")
    _check_sizes(files)
    reading = _Reading(found, tz)
    for name, data in files:
        reading.read(_short(name), data)
    return reading.parsed()


def _short(name: str) -> str:
    printable = "".join(character if character.isprintable() else "?" for character in name) or "The file"
    if len(printable) <= bounds.REPORTED_NAME_CHARACTERS_MAX:
        return printable
    return "…" + printable[1 - bounds.REPORTED_NAME_CHARACTERS_MAX :]


def _check_sizes(files: Sequence[tuple[str, bytes]]) -> None:
    if not files:
        raise FormatError("No file was given.")
    if len(files) > bounds.FILES_MAX:
        raise FormatError(f"These are {len(files)} files; at most {bounds.FILES_MAX} can be imported at once.")
    for name, data in files:
        if len(data) > bounds.FILE_BYTES_MAX:
            raise FormatError(
                f"{_short(name)} is {len(data) // 2**20} MiB; a feed is at most {bounds.FILE_BYTES_MAX // 2**20} MiB."
            )
    if sum(len(data) for _, data in files) > bounds.FILES_BYTES_MAX:
        raise FormatError(f"These files are more than {bounds.FILES_BYTES_MAX // 2**20} MiB together.")


class _Reading:
    """What has been read of one call's files so far."""

    def __init__(self, program: vocabulary.Program | None, tz: str) -> None:
        self.program = program
        self.tz = tz
        self.tally = Tally()
        self.rows: list[SourceRow] = []
        self.bmlt_rows: list[object] = []
        self.bmlt = BmltSupport()
        self.drafts: list[Draft] = []
        self.held_meetings = False

    def read(self, name: str, data: bytes) -> None:
        """Read one file. Raises :class:`FormatError`."""
        for magic, sentence in _KINDS:
            if data.startswith(magic):
                raise FormatError(f"{name} {sentence}.")
        text = decode_file(data, self.tally).lstrip("\ufeff \t\r\n\x00")
        if not text:
            raise FormatError(f"{name} is empty.")
        head = text[:200].lower()
        if head.startswith(("begin:vcalendar", "begin:vevent")):
            self._read_calendar(text)
        elif text[0] in "[{" or _CALL.match(text[:500]):
            self._read_json(name, text)
        elif head.startswith(("<!doctype", "<html", "<?xml", "<")):
            raise FormatError(f"{name} is a web page or XML, not a feed. Look for the feed's own address on that page.")
        else:
            self._read_rows(read_csv(name, text, self.tally), "")

    def _read_calendar(self, text: str) -> None:
        from hedgerow_node.formats.ical_in import read_icalendar

        self.held_meetings = True
        self.drafts.extend(read_icalendar(text.encode("utf-8", "replace"), tz=self.tz, tally=self.tally))

    def _read_json(self, name: str, text: str) -> None:
        call = _CALL.match(text[:500])
        if text[0] not in "[{" and call:
            text = text[call.end() :].rstrip().rstrip(";").rstrip().removesuffix(")")
            self.tally.repair("json_in_a_call")
        for shape in shapes_of(name, read_json(name, text, self.tally), self.tally):
            match shape:
                case MeetingGuide(rows, zone):
                    self._read_rows(rows, zone)
                case BmltMeetings(rows):
                    self.held_meetings = True
                    self._check_count(len(rows))
                    self.bmlt_rows.extend(rows)
                case BmltFormats(rows):
                    self.bmlt.add_formats(rows)
                case BmltServiceBodies(rows):
                    self.bmlt.add_service_bodies(rows)
                case HumanServices(value):
                    self._read_services(value)

    def _read_rows(self, rows: Sequence[object], zone: str) -> None:
        self.held_meetings = True
        self._check_count(len(rows))
        zones = ZoneFinder(feed=zone, argument=self.tz, tally=self.tally)
        code = self.program.code if self.program else ""
        for row in rows:
            number = self.tally.row()
            self.rows.extend(read_meeting_guide_row(row, number=number, program=code, zones=zones, tally=self.tally))

    def _read_services(self, value: object) -> None:
        from hedgerow_node.formats.hsds_in import read_hsds

        self.held_meetings = True
        self.drafts.extend(read_hsds(value, tz=self.tz, tally=self.tally))

    def _check_count(self, more: int) -> None:
        if self.tally.read + len(self.bmlt_rows) + more > bounds.ROWS_MAX:
            raise FormatError(f"These files hold more than {bounds.ROWS_MAX} rows; divide them into several sources.")

    def parsed(self) -> Parsed:
        """The drafts of all files, with the report."""
        if not self.held_meetings:
            raise FormatError("These files hold formats or service bodies but no meetings. Give the meetings as well.")
        zones = ZoneFinder(feed="", argument=self.tz, tally=self.tally)
        bmlt = [
            row
            for raw in self.bmlt_rows
            for row in read_bmlt_row(raw, number=self.tally.row(), support=self.bmlt, zones=zones, tally=self.tally)
        ]
        drafts = [
            *group_rows(self.rows, prefix="tsml", program=self.program, tally=self.tally),
            *group_rows(bmlt, prefix="bmlt", program=self.program, tally=self.tally),
            *self._of_program(self.drafts),
        ]
        return self.tally.parsed(_with_own_keys(drafts))

    def _of_program(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Drafts of formats that know no programs, with the program's code and experiences, cut to a record's size."""
        finished: list[Draft] = []
        for draft in drafts:
            content = draft.content
            if self.program is not None:
                experiences = tuple(sorted({*content.experiences, *self.program.experiences}))
                content = replace(content, program=content.program or self.program.code, experiences=experiences)
            if is_too_large(content):
                content = fitted(content, self.tally)
            finished.append(Draft(draft.key, content))
        return finished


def _with_own_keys(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts sorted by key, with a number behind keys that come again."""
    ordered = sorted(drafts, key=lambda draft: (draft.key, repr(draft.content)))
    taken = {draft.key for draft in ordered}
    own: list[Draft] = []
    for index, draft in enumerate(ordered):
        if index and ordered[index - 1].key == draft.key:
            number = 2
            while f"{draft.key}-{number}" in taken:
                number += 1
            taken.add(f"{draft.key}-{number}")
            draft = Draft(f"{draft.key}-{number}", draft.content)
        own.append(draft)
    return sorted(own, key=lambda draft: draft.key)
