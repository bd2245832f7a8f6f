"""One meeting as an HSDS 3.0 schedule.

HSDS gives a time as an offset from UTC and knows weekly and monthly rules only. The zone's name goes along as an
attribute and in the notes; a rule HSDS cannot hold goes into the description as text, and is counted.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from hedgerow_node.formats import vocabulary
from hedgerow_node.schedule.occurrences import next_occurrence, zone_of
from hedgerow_protocol.content import Attendance, Facets, Meeting, Openness
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.rules import WEEKDAYS, Rule, parse

HSDS_NAMESPACE: Final = UUID("0f6c5f0e-3b0a-5a53-8c1b-7f6c1b9e2d55")
"""Names our entries: UUIDv5, so that an entry keeps its id on every node and at every export."""

TAXONOMY: Final = "Hedgerow"

ATTENDING: Final = {
    Attendance.IN_PERSON: "In person",
    Attendance.ONLINE: "Online",
    Attendance.HYBRID: "In person and online",
}

ZONE_NOTE: Final = "These are local times in {zone}; the offset from UTC changes with its clocks."


def entry_id(*parts: str) -> str:
    """A UUID for an entry, from what makes it itself."""
    return str(uuid5(HSDS_NAMESPACE, "\x1f".join(parts)))


def own_or_entry_id(own: str, *parts: str) -> str:
    """An id that is a UUID already, as it is; else one made from the parts."""
    try:
        return own if str(UUID(own)) == own else entry_id(*parts, own)
    except ValueError:
        return entry_id(*parts, own)


def attribute(owner: str, kind: str, code: str, value: str = "") -> dict[str, object]:
    """One tag: a taxonomy term of ours with its code; ``value`` where the term is a field and not a tag."""
    name = vocabulary.label_of_tag(code)
    shown: dict[str, object] = {"id": entry_id("attribute", owner, kind, code), "link_type": kind}
    if value:
        shown["value"] = value
    shown["taxonomy_term"] = {
        "id": entry_id("term", kind, code),
        "code": code,
        "name": name,
        "description": name,
        "taxonomy": TAXONOMY,
    }
    return shown


def facet_attributes(owner: str, facets: Facets) -> list[dict[str, object]]:
    """The facets' tags but for languages, which have a place of their own."""
    tags = [("format", tag) for tag in facets.formats]
    tags += [("feature", tag) for tag in facets.features]
    tags += [("community", tag) for tag in facets.communities]
    if facets.openness is not Openness.UNKNOWN:
        tags.append(("openness", facets.openness.name.lower()))
    return [attribute(owner, kind, tag) for kind, tag in tags]


def schedule_of(owner: str, meeting: Meeting, now: Timestamp, losses: Counter[str]) -> dict[str, object]:
    """The schedule of one meeting; what it cannot say is counted in ``losses``."""
    sid = own_or_entry_id(meeting.slug, "schedule", owner)
    shown: dict[str, object] = {"id": sid}
    description = [meeting.notes]
    _add_times(shown, meeting, now, losses)
    if not _add_rule(shown, meeting):
        losses["rule_in_words"] += 1
        description.append(f"RRULE:{meeting.rrule}")
        description.append(f"DTSTART:{meeting.first}")
    if meeting.attendance in ATTENDING:
        shown["attending_type"] = ATTENDING[meeting.attendance]
    if meeting.online is not None and meeting.online.url:
        shown["schedule_link"] = meeting.online.url
    if words := "\n".join(part for part in description if part):
        shown["description"] = words
    attributes = facet_attributes(sid, meeting.facets)
    if meeting.slug != sid:
        attributes.append(attribute(sid, "field", "slug", meeting.slug))
    if meeting.tz:
        attributes.append(attribute(sid, "field", "time-zone", meeting.tz))
    if attributes:
        shown["attributes"] = attributes
    _count(meeting, losses)
    return shown


def _add_times(shown: dict[str, object], meeting: Meeting, now: Timestamp, losses: Counter[str]) -> None:
    if meeting.start is not None:
        shown["opens_at"] = _clock(meeting.start)
        if meeting.duration_min is not None and 0 < meeting.duration_min < 1440:
            shown["closes_at"] = _clock((meeting.start + meeting.duration_min) % 1440)
        elif meeting.duration_min:
            losses["length_of_a_day_or_more"] += 1
    offset = _offset(meeting, now)
    if offset is not None:
        shown["timezone"] = int(offset) if offset == int(offset) else offset
        if meeting.tz not in ("UTC", "Etc/UTC"):
            shown["notes"] = ZONE_NOTE.format(zone=meeting.tz)


def _offset(meeting: Meeting, now: Timestamp) -> float | None:
    """Hours ahead of UTC at the next time it is held, else now; ``None`` when the zone is not known."""
    zone = zone_of(meeting)
    if zone is None:
        return None
    coming = next_occurrence(meeting, now)
    moment = coming.start if coming is not None else datetime.fromtimestamp(now, UTC).astimezone(zone)
    offset = moment.utcoffset() or timedelta()
    return offset.total_seconds() / 3600


def _add_rule(shown: dict[str, object], meeting: Meeting) -> bool:
    """Add the rule's fields; whether HSDS can hold it."""
    if meeting.weekday is None and not meeting.rrule:
        if meeting.first:
            shown["dtstart"] = meeting.first
            shown["count"] = 1
        return True
    rule = parse(meeting.rrule) if meeting.rrule else Rule(freq="WEEKLY", byday=((0, meeting.weekday or 0),))
    if rule.freq not in ("WEEKLY", "MONTHLY") or rule.bymonth or rule.bysetpos:
        return False
    if rule.freq == "WEEKLY" and rule.bymonthday:
        return False
    shown["freq"] = rule.freq
    if rule.interval != 1:
        shown["interval"] = rule.interval
    if rule.byday:
        shown["byday"] = ",".join(f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in rule.byday)
    if rule.bymonthday:
        shown["bymonthday"] = ",".join(map(str, rule.bymonthday))
    if rule.wkst != 1:
        shown["wkst"] = WEEKDAYS[rule.wkst]
    if meeting.first:
        shown["dtstart"] = meeting.first
    until = min(filter(None, (rule.until, meeting.until)), default="")
    if until:
        shown["until"] = until
    elif rule.count is not None:
        shown["count"] = rule.count
    if meeting.weekday is not None:
        for name, day in (("valid_from", meeting.first), ("valid_to", meeting.until)):
            if day:
                shown[name] = day
    return True


def _count(meeting: Meeting, losses: Counter[str]) -> None:
    losses["meeting_name"] += bool(meeting.name)
    losses["exceptions"] += bool(meeting.cancelled or meeting.added or meeting.changes)
    losses["meeting_url"] += bool(meeting.url)
    losses["updated"] += bool(meeting.updated)
    losses["languages_of_one_meeting"] += bool(meeting.facets.languages)
    losses["further_fields"] += bool(meeting.extras)
    if meeting.online is not None:
        losses["online_notes"] += bool(meeting.online.url_notes or meeting.online.phone_notes)
        losses["dial_in_number"] += bool(meeting.online.phone)
        losses["password_hint"] += bool(meeting.online.password_hint)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
