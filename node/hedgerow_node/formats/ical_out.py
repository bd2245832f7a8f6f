"""iCalendar out, strictly by RFC 5545 and RFC 7986: one VEVENT for each meeting that can stand in a calendar.

The text depends on the listings alone, not on the moment of export, so that a calendar that asks again gets the same
bytes until a listing changes. What a calendar cannot hold is counted by :func:`icalendar_losses`.

* A paused meeting stays, with STATUS:CANCELLED; one that has ended, one by appointment and a listing in dispute are
  left out.
* The discreet form is for a calendar that others can see: the person's own words as the title, CLASS:PRIVATE, and
  nothing that tells what is attended; paused meetings are left out too.
* X-HEDGEROW- lines carry what only we need to read our own calendar back (which events are one listing, the slug, the
  real first date of a season); the discreet form has none of them.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from hedgerow_node.formats.ical_event_out import EventWriter
from hedgerow_node.formats.ical_text import folded_line, text_value
from hedgerow_node.formats.ical_zones import first_year_needed, vtimezone
from hedgerow_protocol.content import Attendance, ListingContent, Meeting, Standing
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

_REFRESH: Final = "PT12H"
"""How often a subscribed calendar should ask again."""


def export_icalendar(
    listings: Iterable[ShownListing], *, now: Timestamp, discreet: str = "", name: str, url: str = ""
) -> bytes:
    """One calendar of all meetings of these listings.

    ``discreet`` is the title to show instead of what each meeting is; empty for the public form. ``name`` and ``url``
    are the calendar's own, used in the public form only. ``now`` says only how far ahead irregular clock changes are
    listed.
    """
    writers: list[EventWriter] = []
    for shown in listings:
        if shown.content is not None:
            for meeting in shown.content.meetings:
                if _is_held(meeting, discreet):
                    writers.append(EventWriter(shown, shown.content, meeting, discreet))
    writers = [writer for writer in writers if writer.dates]
    lines = [*_head(discreet or name, "" if discreet else url, public=not discreet), *_zones(writers, now)]
    for writer in writers:
        lines += writer.lines()
    lines.append("END:VCALENDAR")
    return "".join(map(folded_line, lines)).encode("utf-8", "replace")


def icalendar_losses(listings: Iterable[ShownListing]) -> dict[str, int]:
    """What the public calendar of these listings does not hold, as kind → number of meetings (or listings)."""
    losses: Counter[str] = Counter()
    for shown in listings:
        if shown.content is None:
            losses["listing_in_dispute"] += 1
            continue
        _count_listing(shown.content, losses)
        for meeting in shown.content.meetings:
            if meeting.standing is Standing.ENDED:
                losses["meeting_ended"] += 1
            elif not EventWriter(shown, shown.content, meeting, "").dates:
                by_appointment = meeting.weekday is None and not meeting.first
                losses["meeting_by_appointment" if by_appointment else "meeting_without_a_date"] += 1
            else:
                _count_meeting(meeting, losses)
    return {kind: count for kind, count in sorted(losses.items()) if count}


def _is_held(meeting: Meeting, discreet: str) -> bool:
    return meeting.standing is Standing.ACTIVE or (meeting.standing is Standing.PAUSED and not discreet)


def _head(name: str, url: str, *, public: bool) -> list[str]:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Hedgerow//Meetings//EN" if public else "PRODID:-//Calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text_value(name)}",
        f"X-WR-CALNAME:{text_value(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{_REFRESH}",
        f"X-PUBLISHED-TTL:{_REFRESH}",
    ]
    if url:
        lines += [f"URL:{url}"]
    return lines


def _zones(writers: list[EventWriter], now: Timestamp) -> list[str]:
    """Every zone that is named, sorted by name. UTC needs none: its times end in Z."""
    years: dict[str, int] = {}
    for writer in writers:
        if isinstance(writer.zone, ZoneInfo) and writer.zone.key != "UTC":
            needed = first_year_needed(writer.all_dates())
            years[writer.zone.key] = min(years.get(writer.zone.key, needed), needed)
    this_year = datetime.fromtimestamp(now, UTC).year
    return [line for key in sorted(years) for line in vtimezone(ZoneInfo(key), years[key], this_year)]


def _count_listing(content: ListingContent, losses: Counter[str]) -> None:
    losses["contacts"] += bool(content.contacts)
    losses["languages"] += bool(content.facets.languages)
    losses["links"] += bool(content.links)
    losses["body"] += bool(content.body or content.district)
    losses["confirmed"] += bool(content.confirmed)
    losses["further_fields"] += bool(content.extras)
    losses["words_joined"] += bool(content.summary or content.how_to_join or content.eligibility or content.group_notes)


def _count_meeting(meeting: Meeting, losses: Counter[str]) -> None:
    place, online = meeting.place, meeting.online
    losses["languages"] += bool(meeting.facets.languages)
    losses["further_fields"] += bool(meeting.extras)
    if place is not None:
        losses["place_of_an_online_meeting"] += meeting.attendance is Attendance.ONLINE
        losses["parts_of_an_address"] += bool(place.street or place.city or place.state or place.postal_code)
        losses["regions"] += bool(place.regions)
        losses["place_approximate"] += place.approximate
    if online is not None:
        losses["words_joined"] += bool(online.password_hint)
