"""Times, dates, places and labels as a person reads them, in the page's language (CLDR through Babel, own texts)."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache

from hedgerow_node.formats.vocabulary import label_of_tag
from hedgerow_node.http.languages import Language
from hedgerow_node.schedule.now import ShownTime, Whose
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol import rules
from hedgerow_protocol.content import Attendance, Meeting, Place, Standing

_BABEL_WEEKDAY = (6, 0, 1, 2, 3, 4, 5)
"""Babel counts from Monday, we from Sunday."""


class Wording:
    """How one language says things. Cheap to make; keep one for each request."""

    def __init__(self, language: Language, today: date) -> None:
        self.language = language
        self.today = today

    def tag(self, tag: str) -> str:
        """A facet or experience."""
        key = f"tag.{tag}"
        return self.language.t(key) if self.language.has(key) else label_of_tag(tag)

    def tags(self, tags: Iterable[str]) -> list[str]:
        """Several of them."""
        return [self.tag(each) for each in tags]

    def language_name(self, tag: str) -> str:
        """A language, named in the page's language; sign languages and rare ones by our own list."""
        names = self.language.babel.languages
        name = names.get(tag.replace("-", "_")) or names.get(tag.split("-")[0])
        return _first_upper(str(name)) if name else label_of_tag(tag)

    def country(self, code: str) -> str:
        """A country by its ISO code."""
        return str(self.language.babel.territories.get(code, code))

    def weekday(self, number: int) -> str:
        """Tuesday."""
        return _weekday(str(self.language.babel), number)

    def clock(self, minute: int) -> str:
        """7:00 PM, 19:00: as this language writes minutes after midnight."""
        return _clock(str(self.language.babel), minute % 1440)

    def day(self, day: date) -> str:
        """Tuesday 24 November; with the year when it is another one."""
        skeleton = "MMMEd" if day.year == self.today.year else "yMMMEd"
        return _date(str(self.language.babel), day, skeleton)

    def plain_date(self, day: date) -> str:
        """22 November 2026."""
        return _date(str(self.language.babel), day, "yMMMd")

    def iso_date(self, text: str) -> str:
        """The same from YYYY-MM-DD; empty stays empty, what is no date stays as it is."""
        try:
            return self.plain_date(date.fromisoformat(text)) if text else ""
        except ValueError:
            return text

    def timestamp(self, seconds: int) -> str:
        """The day of a moment (UTC)."""
        return self.plain_date(datetime.fromtimestamp(seconds, UTC).date())

    def moment(self, start: datetime) -> str:
        """Tuesday 24 November, 7:00 PM."""
        return self.language.t(
            "when.date_time", date=self.day(start.date()), time=self.clock(start.hour * 60 + start.minute)
        )

    def zone(self, name: str) -> str:
        """New York time."""
        zone = find_zone(name) if name else None
        if zone is None:
            return self.language.t("when.zone_unknown")
        return self.language.t("when.zone", place=_zone_place(str(self.language.babel), name))

    def zone_of_meeting(self, meeting: Meeting) -> str:
        """Whose clock the meeting's time follows: said for what can be joined from afar, and where it is not known."""
        if meeting.start is None:
            return ""
        if not meeting.tz:
            return self.language.t("when.zone_unknown")
        return self.zone(meeting.tz) if meeting.attendance in (Attendance.ONLINE, Attendance.HYBRID) else ""

    def when(self, meeting: Meeting) -> str:
        """Every Tuesday, 7:00 PM to 8:00 PM."""
        t, time = self.language.t, self.span(meeting)
        if meeting.weekday is not None:
            return t("when.weekly", day=self.weekday(meeting.weekday), time=time)
        if not meeting.first:
            return t("when.appointment")
        first = date.fromisoformat(meeting.first)
        if not meeting.rrule:
            return t("when.once", date=self.day(first), time=time)
        return self._rule(rules.parse(meeting.rrule), first, time)

    def weekly(self, days: list[int], meeting: Meeting) -> str:
        """Every Monday and Thursday, 7:00 PM; every day when it is all seven."""
        if len(days) == 7:
            return self.language.t("when.daily", time=self.span(meeting))
        names = self.listed([self.weekday(day) for day in days])
        return self.language.t("when.weekly", day=names, time=self.span(meeting))

    def span(self, meeting: Meeting) -> str:
        """7:00 PM to 8:00 PM; without an end where the length is not said."""
        t = self.language.t
        if meeting.start is None:
            return t("when.no_time")
        start = self.clock(meeting.start)
        if meeting.duration_min is None or not 0 < meeting.duration_min < 1440:
            return start
        return t("when.range", start=start, end=self.clock(meeting.start + meeting.duration_min))

    def _rule(self, rule: rules.Rule, first: date, time: str) -> str:
        t = self.language.t
        plain = not (rule.bymonth or rule.bysetpos)
        days = self.listed([self.weekday(day) for _, day in rule.byday] or [self.weekday((first.weekday() + 1) % 7)])
        match rule.freq:
            case "DAILY" if rule.interval == 1 and plain and not rule.byday:
                return t("when.daily", time=time)
            case "WEEKLY" if plain and rule.interval == 1:
                return t("when.weekly", day=days, time=time)
            case "WEEKLY" if plain and rule.interval == 2:
                return t("when.fortnightly", day=days, time=time)
            case "WEEKLY" if plain:
                return t("when.weeks", weeks=rule.interval, day=days, time=time)
            case "MONTHLY" if plain and rule.interval == 1 and len(rule.byday) == 1 and not rule.bymonthday:
                nth, day = rule.byday[0]
                if nth in (-1, 1, 2, 3, 4, 5):
                    return t(f"when.monthly.{nth}", day=self.weekday(day), time=time)
            case "MONTHLY" if plain and rule.interval == 1 and not rule.byday:
                numbers = rule.bymonthday or (first.day,)
                if min(numbers) > 0:
                    return t("when.monthly_date", number=self.listed([str(each) for each in numbers]), time=time)
        return t("when.rule", time=time)

    def note(self, meeting: Meeting) -> str:
        """paused; until 21 December 2026."""
        t = self.language.t
        if meeting.standing is not Standing.ACTIVE:
            return t("when.paused") if meeting.standing is Standing.PAUSED else t("standing.ended")
        parts = []
        if meeting.weekday is not None and meeting.first > self.today.isoformat():
            parts.append(t("when.from", date=self.iso_date(meeting.first)))
        if meeting.until:
            parts.append(t("when.until", date=self.iso_date(meeting.until)))
        return ", ".join(parts)

    def changes(self, meeting: Meeting, days_ahead: int = 90) -> list[str]:
        """The exceptions of the coming months, each a short sentence."""
        low, high = self.today.isoformat(), date.fromordinal(self.today.toordinal() + days_ahead).isoformat()
        said = [(day, "when.cancelled", "") for day in meeting.cancelled]
        said += [(day, "when.also", "") for day in meeting.added]
        for change in meeting.changes:
            to = self.language.t(
                "when.date_time", date=self.day(date.fromisoformat(change.to_date)), time=self.clock(change.start)
            )
            said.append((change.date, "when.changed", to))
        return [
            self.language.t(key, date=self.day(date.fromisoformat(day)), to=to)
            for day, key, to in sorted(said)
            if low <= day <= high
        ]

    def distance(self, km: float) -> str:
        """3 km; below ten with one decimal would claim more than a town's middle tells."""
        return self.language.t("client.distance", count=max(1, round(km)))

    def zone_label(self, shown: ShownTime) -> str:
        """Whose time a shown moment is."""
        return self.language.t("when.zone_unknown") if shown.whose is Whose.UNKNOWN else self.zone(shown.zone)

    def listed(self, parts: list[str]) -> str:
        """Monday and Thursday."""
        if len(parts) == 1:
            return parts[0]
        from babel.lists import format_list

        return str(format_list(parts, locale=self.language.babel))


def place_line(place: Place) -> str:
    """A place in one line. An approximate one shows its town or area only."""
    if place.approximate:
        parts = [place.city or (place.regions[-1] if place.regions else ""), place.state]
        return _joined(parts) or place.name or place.formatted
    address = place.formatted or _joined([place.street, place.city])
    return _joined([place.name, address])


def place_lines(place: Place) -> list[str]:
    """The address below the place's name, line by line."""
    if place.formatted and not place.street:
        return [place.formatted]
    town = " ".join(part for part in (place.postal_code, place.city) if part)
    area = ", ".join(part for part in (town, place.state, place.country) if part)
    return [line for line in (place.street, area) if line]


def zone_or_utc(name: str) -> tzinfo:
    """A zone by name; UTC where it is not known."""
    return find_zone(name) or UTC


def _joined(parts: list[str]) -> str:
    kept: list[str] = []
    for part in parts:
        if part and not any(part in before for before in kept):
            kept.append(part)
    return ", ".join(kept)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=128)
def _weekday(locale: str, number: int) -> str:
    from babel.dates import get_day_names

    return str(get_day_names("wide", "stand-alone", locale)[_BABEL_WEEKDAY[number]])


@lru_cache(maxsize=4096)
def _clock(locale: str, minute: int) -> str:
    from babel.dates import format_time

    # CLDR puts a narrow no-break space before AM/PM; an ordinary no-break space is in more fonts.
    return str(format_time(time(minute // 60, minute % 60), "short", locale=locale)).replace("\u202f", "\u00a0")


@lru_cache(maxsize=2048)
def _date(locale: str, day: date, skeleton: str) -> str:
    from babel.dates import format_date

    pattern = _date_pattern(locale, skeleton)
    return str(format_date(day, pattern, locale=locale))


@lru_cache(maxsize=64)
def _date_pattern(locale: str, skeleton: str) -> str:
    """A language's order of day, month and year for a skeleton (UTS 35), with day and month names written out."""
    from babel import Locale

    found = Locale.parse(locale).datetime_skeletons.get(skeleton)
    if found is None:  # a language whose data lacks this form
        return "full" if "E" in skeleton else "long"
    pattern = re.sub(r"\bE+", "EEEE", str(found.pattern))
    return re.sub(r"\b(?:MMM|LLL)\b\.?", "MMMM", pattern)


@lru_cache(maxsize=512)
def _zone_place(locale: str, name: str) -> str:
    from babel.dates import get_timezone_location

    if name in ("UTC", "Etc/UTC", "GMT", "Etc/GMT"):
        return "UTC"
    try:
        return str(get_timezone_location(name, locale=locale, return_city=True))
    except (LookupError, ValueError):
        return name.rpartition("/")[2].replace("_", " ")
