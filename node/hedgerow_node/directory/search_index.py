"""How a listing is found: its words, its marks for filters, and the facts that decide.

The marks narrow a search inside the full-text index; the facts then decide exactly, because weekday, time, attendance
and so on must hold for one and the same meeting, and a time depends on the zone of the person who asks.
"""

from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgpack

from hedgerow_node.directory.search_words import fold
from hedgerow_node.formats.vocabulary import label_of_tag
from hedgerow_node.store.index_rows import MARK
from hedgerow_node.store.rows import IndexRow
from hedgerow_protocol import rules
from hedgerow_protocol.content import Attendance, ListingContent, Meeting, Place, Standing
from hedgerow_protocol.records import Listing

WORDS_INDEXED_MAX: Final = 1_000
"""Words. Of one listing; the longest real ones have a third of this."""

ALL_DAYS: Final = 0b1111111


def index_of(listing: Listing) -> IndexRow:
    """The row by which a listing is found."""
    content = listing.content
    facts = [_meeting_facts(each) for each in content.meetings if each.standing is not Standing.ENDED]
    general = (
        content.experiences, content.program.lower(), content.facets.features, _lower(content.facets.languages),
    )  # fmt: skip
    name = fold(content.name)
    rest = list(dict.fromkeys(fold(_text(content))))
    del rest[WORDS_INDEXED_MAX:]
    marks = _marks(general, facts)
    return IndexRow(
        words=f"{' '.join(name)} | {' '.join(rest)} | {marks}",
        terms=(*name, *rest),
        facts=msgpack.packb((general, facts)),
        places=tuple(dict.fromkeys([(fact[4], fact[5]) for fact in facts if fact[4] is not None])),
        meetings=len(content.meetings),
    )


def _text(content: ListingContent) -> str:
    """Everything that is worth finding, beside the name."""
    facets = content.facets
    parts = [content.summary, content.eligibility, content.district, content.body, content.program]
    parts += [_label(tag) for tag in content.experiences]
    parts += [_label(tag) for tag in (*facets.formats, *facets.features, *facets.communities)]
    for meeting in content.meetings:
        parts += (meeting.name, meeting.notes)
        own = meeting.facets
        parts += [_label(tag) for tag in (*own.formats, *own.features, *own.communities)]
        if meeting.place is not None:
            parts += _place_text(meeting.place)
    parts += (content.group_notes, content.how_to_join)
    return " ".join(filter(None, parts))


def _place_text(place: Place) -> tuple[str, ...]:
    return (
        place.name, place.formatted, place.street, place.city, place.state, place.postal_code, place.country,
        *place.regions, place.notes,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _label(tag: str) -> str:
    """A tag and its English name: people search for either."""
    return f"{tag} {label_of_tag(tag)}"


def _lower(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([tag.lower() for tag in tags]) if tags else ()


def _meeting_facts(meeting: Meeting) -> tuple[Any, ...]:
    """(days as bits, start or -1, zone, attendance, latitude, longitude, features, languages)."""
    place = meeting.place
    return (
        days_of(meeting),
        -1 if meeting.start is None else meeting.start,
        meeting.tz,
        int(meeting.attendance),
        None if place is None else place.latitude_e7,
        None if place is None else place.longitude_e7,
        meeting.facets.features,
        _lower(meeting.facets.languages),
    )


def days_of(meeting: Meeting) -> int:
    """The weekdays on which a meeting may be held, as bits (1 = Sunday); 0 for one by appointment.

    A rule that names no weekday (the 15th of each month) may fall on any.
    """
    if meeting.weekday is not None:
        return 1 << meeting.weekday
    if not meeting.first:
        return 0
    if not meeting.rrule:
        return _day_of(meeting.first)
    rule = rules.parse(meeting.rrule)
    if rule.byday:
        days = 0
        for _ordinal, day in rule.byday:
            days |= 1 << day
        return days
    return _day_of(meeting.first) if rule.freq == "WEEKLY" else ALL_DAYS


def _day_of(text: str) -> int:
    return 1 << (date.fromisoformat(text).isoweekday() % 7)


def _marks(general: tuple[Any, ...], facts: list[tuple[Any, ...]]) -> str:
    """The marks of a listing; one that stands there twice does no harm."""
    experiences, program, features, languages = general
    parts = [_tag_marks("e", experiences), _tag_marks("f", features), _language_marks(languages)]
    if program:
        parts.append(mark("p", program))
    for days, _start, _zone, attendance, _lat, _lon, own_features, own_languages in facts:
        parts += (_DAY_MARKS[days], attendance_mark(attendance))
        if own_features:
            parts.append(_tag_marks("f", own_features))
        if own_languages:
            parts.append(_language_marks(own_languages))
    return " ".join(dict.fromkeys(parts) if len(facts) > 1 else parts)


@lru_cache(maxsize=4096)
def _tag_marks(kind: str, tags: tuple[str, ...]) -> str:
    return " ".join([mark(kind, tag) for tag in tags])


@lru_cache(maxsize=4096)
def _language_marks(tags: tuple[str, ...]) -> str:
    return " ".join([mark("l", part) for part in sorted({part for tag in tags for part in language_parts(tag)})])


@lru_cache(maxsize=4096)
def mark(kind: str, tag: str) -> str:
    """The word that stands for a tag. Hashed, because tags hold hyphens and the index splits at them."""
    return f"{MARK}{kind}{blake2b(tag.encode(), digest_size=5).hexdigest()}"


def day_mark(day: int) -> str:
    """The word for "meets on this weekday by its own clock"."""
    return f"{MARK}d{day}"


_DAY_MARKS = tuple(" ".join(day_mark(day) for day in range(7) if days >> day & 1) for days in range(128))


def attendance_mark(attendance: int | Attendance) -> str:
    """The word for a kind of attendance."""
    return f"{MARK}a{int(attendance)}"


@lru_cache(maxsize=1024)
def language_parts(tag: str) -> tuple[str, ...]:
    """``de-at`` is found by ``de`` and by ``de-at``."""
    parts = tag.split("-")
    return tuple("-".join(parts[:end]) for end in range(1, len(parts) + 1))
