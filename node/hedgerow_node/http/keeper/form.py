"""The publishing form: its fields, what they become, and how a listing fills them again.

The reading of single fields is the directory's (the command line uses it, too); here are only this form's shorter
names. A change made in the form keeps what the form has no field for: notes of the source, moved dates, other tags.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from multidict import MultiDictProxy

from hedgerow_node.directory.publishing_form import FieldErrors, fields_from_listing, listing_from_fields
from hedgerow_node.formats.vocabulary import ACCESS_NEEDS, EXPERIENCES
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, ListingContent, Meeting

MEETINGS_MAX = 20
"""Meetings. In one form; a group with more keeps its list in a file."""

LEASE_DAYS = ("30", "90", "180", "365")

_TEXTS = {
    "name": "name",
    "summary": "summary",
    "openness": "openness",
    "eligibility": "eligibility",
    "joining": "joining",
    "how_to_join": "how_to_join",
    "intake": "intake",
    "url": "url",
    "contact_name": "contact_name",
    "contact_phone": "contact_phone",
    "contact_email": "contact_email",
}
"""Fields of the listing: this form's name, then the directory's."""

_LISTS = {"experience": "experiences", "languages": "languages", "access": "features"}

_MEETING = {
    "name": "name",
    "repeat": "repeats",
    "weekday": "weekday",
    "nth": "ordinal",
    "date": "first",
    "start": "start",
    "duration": "duration",
    "tz": "tz",
    "attendance": "attendance",
    "place": "place_name",
    "street": "street",
    "city": "city",
    "postal": "postal_code",
    "country": "country",
    "approximate": "approximate",
    "lat": "latitude",
    "lon": "longitude",
    "online_url": "online_url",
    "online_phone": "phone",
    "password_hint": "password_hint",
    "notes": "notes",
}
"""Fields of a meeting: this form's name, then the directory's."""

_MEETING_BACK = {theirs: ours for ours, theirs in _MEETING.items()} | {"end": "duration", "place_notes": "notes"}
_THEIR_NAME = re.compile(r"meeting_([0-9]{1,2})_([a-z_]+)")
_OUR_NAME = re.compile(r"m([0-9]{1,2})_([a-z_]+)")
_WEEKDAY_NUMBERS = {
    name: str(number)
    for number, name in enumerate(("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))
}
_SHAPE = ("repeat", "weekday", "nth", "date")


@dataclass(frozen=True, slots=True)
class FormState:
    """What the form shows."""

    values: dict[str, Any]
    meeting_count: int


def empty_form(tz: str, language: str, country: str) -> FormState:
    """A form for a new listing."""
    values: dict[str, Any] = dict.fromkeys(_TEXTS, "") | {name: [] for name in _LISTS}
    values |= {"joining": "come", "lease_days": "90", "keep": [], "languages": [language] if language else []}
    values |= _empty_meeting(0, tz, country)
    return FormState(values, 1)


def posted_form(form: MultiDictProxy[str]) -> FormState:
    """The form as somebody sent it, with every name present."""
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in _TEXTS}
    values |= {name: [each for each in form.getall(name, []) if each] for name in _LISTS}
    values["lease_days"] = form.get("lease_days") if form.get("lease_days") in LEASE_DAYS else "90"
    values["keep"] = [kind for kind in form.getall("keep", []) if kind in KINDS]
    numbers = [int(found[1]) for name in form if (found := _OUR_NAME.fullmatch(name))]
    count = min(max(numbers, default=0) + 1, MEETINGS_MAX)
    for number in range(count):
        values |= {f"m{number}_{name}": form.get(f"m{number}_{name}", "").strip() for name in _MEETING}
    return FormState(values, count)


def filled_form(content: ListingContent) -> FormState:
    """The form for a change of this listing."""
    fields = fields_from_listing(content)
    values: dict[str, Any] = {ours: _text(fields.get(theirs, "")) for ours, theirs in _TEXTS.items()}
    values |= {ours: _texts(fields.get(theirs, [])) for ours, theirs in _LISTS.items()}
    values |= {"lease_days": "90", "keep": list(KINDS)}  # it was published with these words before
    count = max(1, len(content.meetings))
    for number in range(count):
        values |= _empty_meeting(number, "", "")
        for ours, theirs in _MEETING.items():
            said = _text(fields.get(f"meeting_{number + 1}_{theirs}", ""))
            if said or content.meetings:
                values[f"m{number}_{ours}"] = _shown(ours, said)
    return FormState(values, count)


def with_meeting(state: FormState, tz: str, country: str) -> FormState:
    """One more meeting, at the same kind of place and in the same zone as the last one."""
    if state.meeting_count >= MEETINGS_MAX:
        return state
    number, last = state.meeting_count, state.meeting_count - 1
    values = state.values | _empty_meeting(number, tz, country)
    for name in ("tz", "attendance", "country"):
        values[f"m{number}_{name}"] = state.values[f"m{last}_{name}"]
    return FormState(values, number + 1)


def without_meeting(state: FormState) -> FormState:
    """Without the last meeting."""
    if state.meeting_count <= 1:
        return state
    last = f"m{state.meeting_count - 1}_"
    values = {name: value for name, value in state.values.items() if not name.startswith(last)}
    return FormState(values, state.meeting_count - 1)


def content_of(state: FormState, today: date, before: ListingContent | None = None) -> ListingContent:
    """The listing a form describes. Raises :class:`FieldErrors` under the directory's names: see :func:`our_errors`.

    ``before`` is the listing that is changed; what the form cannot say stays as it was.
    """
    fields: dict[str, str | list[str]] = {theirs: state.values[ours] for ours, theirs in _TEXTS.items()}
    fields |= {theirs: state.values[ours] for ours, theirs in _LISTS.items()}
    for number in range(state.meeting_count):
        meeting = _meeting_fields(state, number, today)
        if meeting is not None:
            fields |= {f"meeting_{number + 1}_{theirs}": value for theirs, value in meeting.items() if value}
    content = listing_from_fields(fields)
    return content if before is None else _keep_the_rest(state, content, before)


def our_errors(errors: FieldErrors) -> list[dict[str, str]]:
    """The errors under this form's names, in the order of the form."""
    listing_names = {theirs: ours for ours, theirs in (_TEXTS | _LISTS).items()}
    found = []
    for name, sentence in errors.fields.items():
        of_meeting = _THEIR_NAME.fullmatch(name)
        if of_meeting:
            field = f"m{int(of_meeting[1]) - 1}_{_MEETING_BACK.get(of_meeting[2], 'notes')}"
        else:
            field = listing_names.get(name, "name")
        found.append({"field": field, "text": sentence})
    return found


def form_options(zones: list[str], wording: Any) -> dict[str, Any]:
    """What the form offers."""
    experiences = sorted(((tag, wording.tag(tag)) for tag in EXPERIENCES), key=lambda each: each[1].casefold())
    languages = sorted(((tag, wording.language_name(tag)) for tag in LANGUAGES), key=lambda each: each[1].casefold())
    return {
        "experience": _rows(experiences),
        "language": _rows(languages),
        "access": _rows((tag, wording.tag(tag)) for tag in ACCESS_NEEDS),
        "tz": [{"value": zone, "label": zone.replace("_", " ")} for zone in zones],
    }


KINDS = ("email", "phone", "surname", "password", "address")
"""What screening looks for."""

LANGUAGES = (
    "ar", "bg", "bn", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "ga", "gu", "he", "hi", "hr",
    "hu", "it", "ja", "ko", "lt", "lv", "mi", "nl", "no", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sr",
    "sv", "sw", "ta", "th", "ti", "tl", "tr", "uk", "ur", "vi", "zh", "ase", "bfi", "isg", "gsg", "fsl",
)  # fmt: skip
"""Languages offered as boxes to tick; a listing can hold any other."""


def _rows(pairs: Any) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in pairs]


def _empty_meeting(number: int, tz: str, country: str) -> dict[str, str]:
    values = {f"m{number}_{name}": "" for name in _MEETING}
    values |= {f"m{number}_repeat": "weekly", f"m{number}_weekday": "1", f"m{number}_nth": "1"}
    values |= {f"m{number}_attendance": "in_person", f"m{number}_tz": tz, f"m{number}_country": country}
    return values


def _meeting_fields(state: FormState, number: int, today: date) -> dict[str, str] | None:
    """One meeting under the directory's names; ``None`` when nothing was said about it."""
    said = {name: state.values.get(f"m{number}_{name}", "") for name in _MEETING}
    given = {"start", "date", "place", "street", "city", "online_url", "online_phone", "notes", "name", "lat"}
    if not any(said[name] for name in given) and said["repeat"] != "appointment":
        return None
    match said["repeat"]:
        case "monthly":
            said["date"] = said["date"] or _first_nth(said["nth"], said["weekday"], today)
            said["weekday"] = ""
        case "weekly":
            said["nth"] = ""
        case "fortnightly" | "once" | "appointment":
            said["weekday"] = said["nth"] = ""
    return {_MEETING[name]: value for name, value in said.items()}


def _first_nth(nth: str, weekday: str, today: date) -> str:
    """The next date that is the nth (or last) of a weekday in its month."""
    if nth not in ("1", "2", "3", "4", "-1") or weekday not in "0123456" or not weekday:
        return ""
    for ahead in range(70):
        day = today + timedelta(days=ahead)
        if (day.weekday() + 1) % 7 != int(weekday):
            continue
        last = (day + timedelta(days=7)).month != day.month
        if last if nth == "-1" else (day.day + 6) // 7 == int(nth):
            return day.isoformat()
    return ""


def _shown(name: str, said: str) -> str:
    if name == "weekday":
        return _WEEKDAY_NUMBERS.get(said, said)
    if name == "nth":
        return {"last": "-1", "": "1"}.get(said, said)
    if name == "approximate":
        return "1" if said else ""
    return said


def _keep_the_rest(state: FormState, content: ListingContent, before: ListingContent) -> ListingContent:
    features = {tag for tag in before.facets.features if tag not in ACCESS_NEEDS} | set(content.facets.features)
    shown = filled_form(before)
    meetings = []
    for number, meeting in enumerate(content.meetings):
        if number < len(before.meetings):
            same = all(
                state.values.get(f"m{number}_{name}") == shown.values.get(f"m{number}_{name}") for name in _SHAPE
            )
            meeting = _keep_meeting(meeting, before.meetings[number], same_dates=same)
        meetings.append(meeting)
    kept = before.meetings[MEETINGS_MAX:] if state.meeting_count == MEETINGS_MAX else ()
    return replace(
        content,
        program=before.program,
        facets=replace(
            content.facets,
            formats=before.facets.formats,
            features=tuple(sorted(features))[: limits.TAGS_MAX],
            communities=before.facets.communities,
        ),
        meetings=(*meetings, *kept),
        links=before.links,
        contacts=(*content.contacts, *before.contacts[1:]),
        district=before.district,
        body=before.body,
        group_notes=before.group_notes,
        source=before.source,
        extras=before.extras,
    )


def _keep_meeting(meeting: Meeting, before: Meeting, *, same_dates: bool) -> Meeting:
    meeting = replace(
        meeting,
        slug=before.slug,
        facets=before.facets,
        standing=before.standing,
        updated=before.updated,
        url=before.url,
        extras=before.extras,
    )
    if meeting.place is not None and before.place is not None:
        old = before.place
        same_address = (meeting.place.street, meeting.place.city) == (old.street, old.city)
        place = replace(
            meeting.place,
            state=old.state,
            regions=old.regions,
            notes=old.notes,
            formatted=old.formatted if same_address else "",
        )
        meeting = replace(meeting, place=place)
    if meeting.online is not None and before.online is not None:
        notes = {"url_notes": before.online.url_notes, "phone_notes": before.online.phone_notes}
        meeting = replace(meeting, online=replace(meeting.online, **notes))
    if meeting.attendance is Attendance.UNKNOWN:
        meeting = replace(meeting, attendance=before.attendance)
    if not same_dates or meeting.start is None:
        return meeting
    return replace(
        meeting,
        weekday=before.weekday,
        rrule=before.rrule,
        first=before.first,
        until=before.until,
        cancelled=before.cancelled,
        added=before.added,
        changes=before.changes,
    )


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value)
