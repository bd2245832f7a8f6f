"""schema.org as JSON-LD: one Event for each meeting of a listing, for search engines and other readers of pages.

An Event says when it is next held (with its offset), and in ``eventSchedule`` how it repeats, by its own wall clock.
A meeting without a next time, or whose zone is not known, has only the schedule: half a date would be a wrong one.
"""

from typing import Final

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.ical_text import duration_value
from hedgerow_node.schedule.occurrences import last_possible_date, next_occurrence, zone_of
from hedgerow_protocol.content import Attendance, ListingContent, Meeting, Place, Standing
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.rules import WEEKDAYS, Rule, parse
from hedgerow_protocol.state import ShownListing

Node = dict[str, object]

_BASE: Final = "https://schema.org/"

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_MODE: Final = {
    Attendance.IN_PERSON: "OfflineEventAttendanceMode",
    Attendance.ONLINE: "OnlineEventAttendanceMode",
    Attendance.HYBRID: "MixedEventAttendanceMode",
}
_PERIOD: Final = {"DAILY": "D", "WEEKLY": "W", "MONTHLY": "M", "YEARLY": "Y"}


def listing_json_ld(shown: ShownListing, *, now: Timestamp, url: str) -> Node:
    """The document for a listing's page at ``url``: a graph with one Event for each meeting that is not over.

    Its graph is empty for a listing in dispute, of which a page shows no text.
    """
    content = shown.content
    events: list[Node] = []
    if content is not None:
        for meeting in content.meetings:
            if meeting.standing is not Standing.ENDED:
                events.append(_event(content, meeting, now, url))
    return {"@context": "https://schema.org", "@graph": events}


def _event(content: ListingContent, meeting: Meeting, now: Timestamp, url: str) -> Node:
    paused = meeting.standing is Standing.PAUSED
    event: Node = {
        "@type": "Event",
        "@id": f"{url}#{meeting.slug}",
        "name": meeting.name or content.name,
        "url": url,
        "isAccessibleForFree": True,
        "eventStatus": _BASE + ("EventPostponed" if paused else "EventScheduled"),
    }
    if description := "\n\n".join(part for part in (content.summary, meeting.notes) if part):
        event["description"] = description
    if meeting.attendance in _MODE:
        event["eventAttendanceMode"] = _BASE + _MODE[meeting.attendance]
    if locations := _locations(meeting, url):
        event["location"] = locations[0] if len(locations) == 1 else locations
    languages = sorted({*content.facets.languages, *meeting.facets.languages})
    if languages:
        event["inLanguage"] = languages[0] if len(languages) == 1 else languages
    if keywords := _keywords(content, meeting):
        event["keywords"] = keywords
    if content.eligibility:
        event["audience"] = {"@type": "Audience", "audienceType": content.eligibility}
    event["organizer"] = {"@type": "Organization", "name": content.body or content.name, "url": content.url or url}
    _add_next(event, meeting, now)
    if schedule := _schedule(meeting):
        event["eventSchedule"] = schedule
    return event


def _add_next(event: Node, meeting: Meeting, now: Timestamp) -> None:
    if zone_of(meeting) is None:
        return
    found = next_occurrence(meeting, now)
    if found is not None:
        event["startDate"] = found.start.isoformat(timespec="minutes")
        if found.end is not None:
            event["endDate"] = found.end.isoformat(timespec="minutes")


def _locations(meeting: Meeting, url: str) -> list[Node]:
    locations: list[Node] = []
    if meeting.place is not None and meeting.attendance is not Attendance.ONLINE:
        locations.append(_place(meeting.place, meeting))
    if meeting.attendance in (Attendance.ONLINE, Attendance.HYBRID):
        # Without a public link the listing's page is where one learns how to come in.
        link = meeting.online.url if meeting.online is not None and meeting.online.url else url
        locations.append({"@type": "VirtualLocation", "url": link})
    return locations


def _place(place: Place, meeting: Meeting) -> Node:
    node: Node = {"@type": "Place"}
    if place.name:
        node["name"] = place.name
    parts: Node = {
        "streetAddress": place.street or place.formatted,
        "addressLocality": place.city,
        "addressRegion": place.state,
        "postalCode": place.postal_code,
        "addressCountry": place.country,
    }
    address = {name: value for name, value in parts.items() if value}
    if address:
        node["address"] = {"@type": "PostalAddress", **address}
    if place.latitude_e7 is not None and place.longitude_e7 is not None:
        node["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": place.latitude_e7 / 1e7,
            "longitude": place.longitude_e7 / 1e7,
        }
    needs = [tag for tag in meeting.facets.features if tag in vocabulary.ACCESS_NEEDS]
    if needs:
        node["amenityFeature"] = [
            {"@type": "LocationFeatureSpecification", "name": vocabulary.label_of_tag(tag), "value": True}
            for tag in needs
        ]
    return node


def _keywords(content: ListingContent, meeting: Meeting) -> list[str]:
    tags = [*content.experiences]
    for facets in (content.facets, meeting.facets):
        tags += [*facets.formats, *facets.features, *facets.communities]
    return [vocabulary.label_of_tag(tag) for tag in dict.fromkeys(tags)]


def _schedule(meeting: Meeting) -> Node:
    """How it repeats; empty for one by appointment or once."""
    if meeting.weekday is None and not meeting.rrule:
        return {}
    rule = parse(meeting.rrule) if meeting.rrule else Rule(freq="WEEKLY", byday=((0, meeting.weekday or 0),))
    schedule: Node = {"@type": "Schedule", "repeatFrequency": f"P{rule.interval}{_PERIOD[rule.freq]}"}
    schedule.update(_days(rule))
    last = last_possible_date(meeting)
    for name, value in (
        ("startDate", meeting.first),
        ("endDate", "" if last is None else last.isoformat()),
        ("startTime", "" if meeting.start is None else f"{meeting.start // 60:02}:{meeting.start % 60:02}:00"),
        ("scheduleTimezone", meeting.tz),
    ):
        if value:
            schedule[name] = value
    if meeting.duration_min:
        schedule["duration"] = duration_value(meeting.duration_min)
    if rule.count is not None and not meeting.until:
        schedule["repeatCount"] = rule.count
    if meeting.cancelled:
        schedule["exceptDate"] = list(meeting.cancelled)
    return schedule


def _days(rule: Rule) -> Node:
    """The rule's days: weekdays by schema.org's names; counted ones by iCalendar's, which it takes too."""
    node: Node = {}
    if rule.byday and all(ordinal == 0 for ordinal, _ in rule.byday) and not rule.bysetpos:
        node["byDay"] = [_BASE + _DAYS[day] for _, day in rule.byday]
    elif rule.byday:
        # "The last working day" (BYSETPOS) has no words there: then the days alone.
        node["byDay"] = [f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in rule.byday]
        weeks = sorted({ordinal for ordinal, _ in rule.byday if 1 <= ordinal <= 5})
        if weeks and rule.freq == "MONTHLY":
            node["byMonthWeek"] = weeks[0] if len(weeks) == 1 else weeks
    if rule.bymonthday:
        node["byMonthDay"] = rule.bymonthday[0] if len(rule.bymonthday) == 1 else list(rule.bymonthday)
    if rule.bymonth:
        node["byMonth"] = rule.bymonth[0] if len(rule.bymonth) == 1 else list(rule.bymonth)
    return node
