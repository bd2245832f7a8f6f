"""The fields of one meeting in a form, and back."""

from dataclasses import replace
from datetime import date, timedelta

from hedgerow_node.directory.publishing_values import Reader
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol import limits, rules
from hedgerow_protocol.content import Attendance, Facets, Meeting, Online, Place, Standing

MEETING_FIELDS: dict[str, str] = {
    "repeats": "weekly, fortnightly, monthly, once, or appointment (no fixed time).",
    "weekday": "sunday … saturday, or 0 … 6 with 0 = Sunday.",
    "ordinal": "For monthly: 1, 2, 3, 4 or last; empty with a first date means: that day of the month.",
    "first": "The first date, YYYY-MM-DD: needed for fortnightly, monthly and once.",
    "until": "The last date, if it ends.",
    "start": "The time it begins, HH:MM.",
    "end": "The time it ends, HH:MM; or say duration.",
    "duration": "How long it lasts, in minutes.",
    "tz": "The time zone's name, such as Europe/Dublin.",
    "cancelled": "Dates on which it is not held. A list.",
    "attendance": "in_person, online or hybrid.",
    "standing": "active, paused or ended.",
    "name": "The meeting's name, where it differs from the group's.",
    "place_name": "The venue.",
    "street": "Street and number of the venue; never a private home.",
    "city": "Town.",
    "state": "State, county or province.",
    "postal_code": "Postal code.",
    "country": "Country.",
    "place_notes": "How to find the door.",
    "latitude": "Degrees north.",
    "longitude": "Degrees east.",
    "approximate": "yes when the place is only a town or an area.",
    "online_url": "The web address to join, without its password.",
    "online_notes": "How to join online.",
    "phone": "A public dial-in number.",
    "phone_notes": "How to join by phone.",
    "password_hint": "How to ask for the password. Never the password.",
    "notes": "Anything else about this meeting.",
    "languages": "Languages of this meeting, where they differ. A list.",
    "slug": "The meeting's short name, kept through changes.",
}

_ORDINALS = {"": 0, "1": 1, "2": 2, "3": 3, "4": 4, "last": -1, "-1": -1}
_ORDINAL_NAMES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WEEKDAYS: dict[str, int | None] = {
    "": None,
    **{name: number for number, name in enumerate(_DAY_NAMES)},
    **{str(number): number for number in range(7)},
    **{name[:3]: number for number, name in enumerate(_DAY_NAMES)},
}
_REPEATS = {each: each for each in ("weekly", "fortnightly", "monthly", "once", "appointment")}


def meeting_from_fields(reader: Reader, prefix: str, *, slug_base: str) -> Meeting | None:
    """Read one meeting; ``None`` when it is wrong, and then the reader knows why."""
    for name in reader.fields:
        if name.startswith(prefix) and name.removeprefix(prefix) not in MEETING_FIELDS:
            reader.refuse(name, "There is no such field of a meeting.")
    weekday = reader.one_of(prefix + "weekday", _WEEKDAYS)
    first = reader.date(prefix + "first")
    repeats = reader.one_of(prefix + "repeats", {"": "", **_REPEATS}) or _guess(weekday, first)
    start = reader.time(prefix + "start")
    zone = reader.line(prefix + "tz")
    if zone and find_zone(zone) is None:
        reader.refuse(prefix + "tz", f"There is no time zone {zone[:40]!r}. Write it as Europe/Dublin.")
        zone = ""
    online = _online(reader, prefix)
    place = _place(reader, prefix)
    meeting = Meeting(
        slug=reader.line(prefix + "slug", limits.SLUG_CHARACTERS_MAX) or slug_base,
        name=reader.line(prefix + "name", limits.NAME_CHARACTERS_MAX),
        first=first,
        until=reader.date(prefix + "until"),
        start=start,
        duration_min=_duration(reader, prefix, start),
        tz=zone,
        cancelled=reader.dates(prefix + "cancelled"),
        attendance=_attendance(reader, prefix, place, online),
        standing=reader.one_of(prefix + "standing", {"": Standing.ACTIVE, **{e.name.lower(): e for e in Standing}}),
        place=place,
        online=online,
        notes=reader.text(prefix + "notes"),
        facets=Facets(languages=reader.languages(prefix + "languages")),
    )
    return _with_time(reader, prefix, meeting, repeats, weekday)


def _guess(weekday: int | None, first: str) -> str:
    if weekday is not None:
        return "weekly"
    return "once" if first else "appointment"


def _with_time(reader: Reader, prefix: str, meeting: Meeting, repeats: str, weekday: int | None) -> Meeting | None:
    if repeats == "appointment":
        return replace(meeting, first="", start=None)
    if meeting.start is None:
        reader.refuse(prefix + "start", "Say when it begins, such as 19:30.")
    if repeats == "weekly":
        if weekday is None:
            reader.refuse(prefix + "weekday", "Say on which day of the week it is held.")
        return replace(meeting, weekday=weekday)
    if not meeting.first:
        reader.refuse(prefix + "first", "Say the first date, such as 2027-01-14.")
        return None
    first_day = (date.fromisoformat(meeting.first).weekday() + 1) % 7
    if repeats == "once":
        return meeting
    if weekday is not None and weekday != first_day:
        reader.refuse(prefix + "first", f"{meeting.first} is not a {_DAY_NAMES[weekday].capitalize()}.")
    if repeats == "fortnightly":
        return replace(meeting, rrule=rules.spell(rules.Rule(freq="WEEKLY", interval=2, byday=((0, first_day),))))
    ordinal = reader.one_of(prefix + "ordinal", _ORDINALS)
    if ordinal:
        if not _is_on(date.fromisoformat(meeting.first), ordinal):
            which = f"{_ORDINAL_NAMES[ordinal]} {_DAY_NAMES[first_day].capitalize()}"
            reader.refuse(prefix + "first", f"{meeting.first} is not the {which} of its month.")
        return replace(meeting, rrule=rules.spell(rules.Rule(freq="MONTHLY", byday=((ordinal, first_day),))))
    day = date.fromisoformat(meeting.first).day
    return replace(meeting, rrule=rules.spell(rules.Rule(freq="MONTHLY", bymonthday=(day,))))


def _is_on(day: date, ordinal: int) -> bool:
    if ordinal == -1:
        return day.month != (day + timedelta(days=7)).month
    return (day.day - 1) // 7 + 1 == ordinal


def _duration(reader: Reader, prefix: str, start: int | None) -> int | None:
    minutes = reader.number(prefix + "duration", 1, limits.DURATION_MINUTES_MAX)
    end = reader.time(prefix + "end")
    if minutes is not None or end is None or start is None:
        return minutes
    return (end - start) % 1440 or 1440


def _place(reader: Reader, prefix: str) -> Place | None:
    latitude = reader.degrees_e7(prefix + "latitude", 90)
    longitude = reader.degrees_e7(prefix + "longitude", 180)
    if (latitude is None) != (longitude is None):
        reader.refuse(prefix + ("latitude" if latitude is None else "longitude"), "Say both degrees, or neither.")
    place = Place(
        name=reader.line(prefix + "place_name"),
        street=reader.line(prefix + "street"),
        city=reader.line(prefix + "city"),
        state=reader.line(prefix + "state"),
        postal_code=reader.line(prefix + "postal_code"),
        country=reader.line(prefix + "country"),
        notes=reader.text(prefix + "place_notes"),
        latitude_e7=latitude,
        longitude_e7=longitude,
        approximate=reader.flag(prefix + "approximate"),
    )
    return None if replace(place, approximate=False) == Place() else place


def _online(reader: Reader, prefix: str) -> Online | None:
    online = Online(
        url=reader.web_address(prefix + "online_url"),
        url_notes=reader.text(prefix + "online_notes"),
        phone=reader.line(prefix + "phone"),
        phone_notes=reader.text(prefix + "phone_notes"),
        password_hint=reader.text(prefix + "password_hint"),
    )
    return None if online == Online() else online


def _attendance(reader: Reader, prefix: str, place: Place | None, online: Online | None) -> Attendance:
    said = reader.one_of(
        prefix + "attendance", {"": Attendance.UNKNOWN, **{each.name.lower(): each for each in Attendance}}
    )
    if said is not Attendance.UNKNOWN:
        return said
    if online is not None:
        return Attendance.HYBRID if place is not None and place.street else Attendance.ONLINE
    return Attendance.IN_PERSON if place is not None else Attendance.UNKNOWN


def fields_from_meeting(meeting: Meeting) -> dict[str, str | list[str]]:
    """The fields that would make this meeting, where a field can say it."""
    place, online = meeting.place or Place(), meeting.online or Online()
    repeats, ordinal = _repeats(meeting)
    fields: dict[str, str | list[str]] = {
        "repeats": repeats,
        "ordinal": ordinal,
        "weekday": "" if meeting.weekday is None else _DAY_NAMES[meeting.weekday],
        "first": meeting.first,
        "until": meeting.until,
        "start": "" if meeting.start is None else f"{meeting.start // 60:02}:{meeting.start % 60:02}",
        "duration": "" if meeting.duration_min is None else str(meeting.duration_min),
        "tz": meeting.tz,
        "cancelled": list(meeting.cancelled),
        "attendance": "" if meeting.attendance is Attendance.UNKNOWN else meeting.attendance.name.lower(),
        "standing": meeting.standing.name.lower(),
        "name": meeting.name,
        "place_name": place.name,
        "street": place.street,
        "city": place.city,
        "state": place.state,
        "postal_code": place.postal_code,
        "country": place.country,
        "place_notes": place.notes,
        "latitude": _degrees(place.latitude_e7),
        "longitude": _degrees(place.longitude_e7),
        "approximate": "yes" if place.approximate else "",
        "online_url": online.url,
        "online_notes": online.url_notes,
        "phone": online.phone,
        "phone_notes": online.phone_notes,
        "password_hint": online.password_hint,
        "notes": meeting.notes,
        "languages": list(meeting.facets.languages),
        "slug": meeting.slug,
    }
    return {name: value for name, value in fields.items() if value}


def _repeats(meeting: Meeting) -> tuple[str, str]:
    if meeting.weekday is not None:
        return "weekly", ""
    if not meeting.rrule:
        return ("once" if meeting.first else "appointment"), ""
    rule = rules.parse(meeting.rrule)
    if rule.freq == "MONTHLY" and len(rule.byday) == 1:
        ordinal = rule.byday[0][0]
        return "monthly", "last" if ordinal == -1 else str(ordinal)
    return ("fortnightly" if rule.freq == "WEEKLY" else "monthly"), ""


def _degrees(value: int | None) -> str:
    from decimal import Decimal

    return "" if value is None else str(Decimal(value) / 10_000_000)
