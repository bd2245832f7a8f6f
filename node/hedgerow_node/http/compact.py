"""The compact list that a browser searches by itself, so that nobody here learns what somebody looks for.

Its shape is the contract between this file and ``webui/src``; ``docs`` has it too. Texts stand once in tables and
listings point into them: 5,000 listings are about 100 KB after compression.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hedgerow_node.http.cards import all_facets, held, shorten
from hedgerow_node.http.towns import TownCounter, town_of
from hedgerow_node.http.wording import Wording, place_line
from hedgerow_node.schedule.occurrences import occurrences
from hedgerow_protocol.content import ListingContent, Meeting, Place, Standing
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

VERSION = 1
DAYS_AHEAD = 35
SUMMARY_CHARACTERS = 160
DISPUTED, ONE_SIGNER = 1, 2


class _Table:
    """Values that stand once, in the order in which they first came."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def at(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))

    def values(self) -> list[Any]:
        return list(self.places)


class CompactList:
    """Collects listings into one compact list."""

    def __init__(self, wording: Wording, now: Timestamp) -> None:
        self._wording = wording
        self._now = now
        today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, tzinfo=None)
        self._low = today - timedelta(days=1)  # somewhere it is still yesterday
        self._high = today + timedelta(days=DAYS_AHEAD + 1)
        self._low_day, self._high_day = self._low.date().isoformat(), self._high.date().isoformat()
        self._tags, self._languages, self._zones, self._places = _Table(), _Table(), _Table(), _Table()
        self._towns = TownCounter()
        self._listings: list[list[Any]] = []

    def add(self, shown: ShownListing) -> None:
        """Take one listing in."""
        flags = DISPUTED * shown.in_dispute + ONE_SIGNER * shown.one_signer
        content = shown.content
        if content is None:
            self._listings.append([to_text(shown.id), shown.name, "", [], [], flags, [], ""])
            return
        self._towns.add(meeting.place for meeting in content.meetings if meeting.place is not None)
        row = [
            to_text(shown.id),
            shown.name,
            shorten(content.summary, SUMMARY_CHARACTERS),
            [self._tags.at(tag) for tag in content.experiences],
            [self._languages.at(tag) for tag in all_facets(content).languages],
            flags,
            [self._meeting(content, meeting) for meeting in content.meetings if meeting.standing is Standing.ACTIVE],
            _further_words(content),
        ]
        lines = dict.fromkeys(self._line(meeting) for meeting in held(content) if not self._is_plain(meeting))
        self._listings.append([*row, list(lines)] if lines else row)

    def value(self) -> dict[str, Any]:
        """The whole list, ready for JSON."""
        return {
            "v": VERSION,
            "made": self._now,
            "tags": [[tag, self._wording.tag(tag)] for tag in self._tags.values()],
            "langs": [[tag, self._wording.language_name(tag)] for tag in self._languages.values()],
            "zones": self._zones.values(),
            "places": [list(place) for place in self._places.values()],
            "towns": [
                [town.name, round(town.latitude, 2), round(town.longitude, 2), town.listings]
                for town in self._towns.towns()
            ],
            "listings": self._listings,
        }

    def _meeting(self, content: ListingContent, meeting: Meeting) -> list[Any]:
        facets, shared = meeting.facets, content.facets
        tags = {
            *facets.formats, *facets.features, *facets.communities,
            *shared.formats, *shared.features, *shared.communities,
        }  # fmt: skip
        row = [
            -1 if meeting.weekday is None else meeting.weekday,
            -1 if meeting.start is None else meeting.start,
            meeting.duration_min or 0,
            self._zones.at(meeting.tz) if meeting.tz else -1,
            int(meeting.attendance),
            -1 if meeting.place is None else self._places.at(_place_row(meeting.place)),
            [self._tags.at(tag) for tag in sorted(tags)],
            self._dates(meeting),
        ]
        return row if self._is_plain(meeting) else [*row, 1]

    def _is_plain(self, meeting: Meeting) -> bool:
        """Whether "every Tuesday" says all: the browser spells it. Other meetings come with a line of words."""
        return meeting.weekday is not None and meeting.start is not None and not self._wording.note(meeting)

    def _line(self, meeting: Meeting) -> str:
        zone, note = self._wording.zone_of_meeting(meeting), self._wording.note(meeting)
        return self._wording.when(meeting) + (f" ({zone})" if zone else "") + (f" – {note}" if note else "")

    def _dates(self, meeting: Meeting) -> int | list[Any]:
        if meeting.weekday is not None and not self._has_exceptions(meeting):
            return 0
        dates: list[Any] = []
        for each in occurrences(meeting, self._low, self._high):
            day, minute = each.start.date().isoformat(), each.start.hour * 60 + each.start.minute
            dates.append([day, minute] if each.changed else day)
        return dates

    def _has_exceptions(self, meeting: Meeting) -> bool:
        """Whether anything in the coming weeks makes it differ from "every week"."""
        if meeting.first > self._low_day or (meeting.until and meeting.until < self._high_day):
            return True
        days = (
            *meeting.cancelled,
            *meeting.added,
            *(change.date for change in meeting.changes),
            *(change.to_date for change in meeting.changes),
        )
        return any(self._low_day <= day <= self._high_day for day in days)


def _place_row(place: Place) -> tuple[str, float | None, float | None]:
    if place.latitude_e7 is None or place.longitude_e7 is None:
        return (place_line(place), None, None)
    digits = 2 if place.approximate else 4
    return (place_line(place), round(place.latitude_e7 / 1e7, digits), round(place.longitude_e7 / 1e7, digits))


def _further_words(content: ListingContent) -> str:
    """What else somebody may search by, without what the list already says."""
    words = [content.program, content.body, content.district, content.eligibility]
    for meeting in content.meetings:
        if meeting.name and meeting.name != content.name:
            words.append(meeting.name)
        if meeting.place is not None:
            words += [*meeting.place.regions, meeting.place.state, meeting.place.country, meeting.place.postal_code]
    return shorten(" ".join(dict.fromkeys(word for word in words if word)), 200)


def region_of(shown: ShownListing) -> tuple[str, str]:
    """The part of a large list a listing belongs to: a key for addresses, and a label (empty: no place)."""
    content = shown.content
    for meeting in content.meetings if content is not None else ():
        place = meeting.place
        if place is not None and (place.state or place.country or place.regions):
            label = ", ".join(part for part in (place.country, place.state) if part) or place.regions[0]
            return label.casefold()[:80], label[:80]
        if place is not None and (town := town_of(place)):
            return town.casefold()[:80], town[:80]
    return "", ""


def compact_list(listings: Iterable[ShownListing], wording: Wording, now: Timestamp) -> dict[str, Any]:
    """All of these listings as one compact list."""
    collected = CompactList(wording, now)
    for shown in listings:
        collected.add(shown)
    return collected.value()
