"""Records in words: what stewards read before they sign, and what stands on top of the files they pass around."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from hedgerow_node.directory.drafts import DraftFile, Missing, Signable, missing
from hedgerow_node.directory.keyfiles import short_name
from hedgerow_protocol import ids, rules
from hedgerow_protocol.content import Attendance, Facets, Intake, Joining, ListingContent, Meeting, Openness, Standing
from hedgerow_protocol.ids import RecordId, listing_id
from hedgerow_protocol.intake import to_code
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot, Withdrawal, read_charter

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_ATTENDANCE = {
    Attendance.IN_PERSON: "in person",
    Attendance.ONLINE: "online",
    Attendance.HYBRID: "in person and online",
}


def describe_file(file: DraftFile) -> list[str]:
    """Every record of a file, what it says and what it still needs, as lines of text."""
    charters: dict[RecordId, Charter] = {each.rid: read_charter(each.body) for each in file.charters}
    lines: list[str] = []
    for each in missing(file):
        lines += [*([""] if lines else []), *_describe(each, charters)]
        if isinstance(each.record, Charter):
            charters[each.rid] = each.record
    return lines


def describe_progress(file: DraftFile) -> list[str]:
    """Who signed each record, and what it still needs, as lines of text."""
    charters: dict[RecordId, Charter] = {each.rid: read_charter(each.body) for each in file.charters}
    lines: list[str] = []
    for each in missing(file):
        said = " ".join(_progress(each, _previous(each.record, charters)))
        lines.append(f"{_title(each.record)}: {said[:1].lower()}{said[1:]}")
        if isinstance(each.record, Charter):
            charters[each.rid] = each.record
    return lines


def _title(record: Signable) -> str:
    match record:
        case Charter(previous=None):
            return "Charter"
        case Charter():
            return "Change of stewards"
        case Listing() as listing:
            return f"Listing “{listing.content.name}”"
        case Withdrawal():
            return "Withdrawal"


def _previous(record: Signable, charters: Mapping[RecordId, Charter]) -> Charter | None:
    return charters.get(record.previous) if isinstance(record, Charter) and record.previous else None


def _root(rid: RecordId, charters: Mapping[RecordId, Charter]) -> RecordId:
    while (charter := charters.get(rid)) is not None and charter.previous is not None:
        rid = charter.previous
    return rid


def _describe(each: Missing, charters: Mapping[RecordId, Charter]) -> list[str]:
    previous = _previous(each.record, charters)
    match each.record:
        case Charter() as charter:
            lines = describe_charter(charter, previous)
        case Listing() as listing:
            lines = ["A LISTING", *describe_content(listing.content), _lease(listing.slot)]
        case Withdrawal() as withdrawal:
            lid = listing_id(_root(withdrawal.slot.charter, charters), withdrawal.slot.entry)
            lines = [f"A WITHDRAWAL: the listing {ids.to_text(lid)} will no longer be shown."]
    return [*lines, *_progress(each, previous)]


def describe_charter(charter: Charter, previous: Charter | None = None) -> list[str]:
    """Who may sign, and how a change differs from before."""
    title = "A CHARTER (who may sign for a listing)" if charter.previous is None else "A CHANGE OF STEWARDS"
    count = len(charter.stewards)
    alone = "This steward alone signs every change:"
    lines = [title, alone if count == 1 else f"{charter.threshold} of these {count} stewards must sign every change:"]
    for key in charter.stewards:
        new = previous is not None and key not in previous.stewards
        lines.append(f"  {short_name(key)}{' (new)' if new else ''}")
    if previous is not None:
        lines += [f"  {short_name(key)} leaves" for key in previous.stewards if key not in charter.stewards]
        lines.append(f"Before, {previous.threshold} of {len(previous.stewards)} had to sign.")
    return lines


def describe_content(content: ListingContent) -> list[str]:
    """Everything a listing says, in words: whoever signs must be able to read it all."""
    pairs = [
        ("Name", content.name),
        ("Summary", content.summary),
        ("Shared experience", ", ".join(content.experiences)),
        ("Program", content.program),
        *_describe_facets(content.facets),
        ("Joining", "" if content.joining is Joining.COME else content.joining.name.lower()),
        ("How to join", content.how_to_join),
        ("Asks on this network", "" if content.intake is None else _intake(content.intake)),
        ("For whom", content.eligibility),
        ("Web", " ".join(filter(None, (content.url, *content.links)))),
        ("Contact", "; ".join(" ".join(filter(None, (c.name, c.phone, c.email))) for c in content.contacts)),
        ("District", content.district),
        ("Body", content.body),
        ("Notes", content.group_notes),
        ("Last confirmed", content.confirmed),
        ("From the feed", content.source),
        *content.extras,
    ]
    return [*_lines(pairs), *(f"Meeting: {describe_meeting(meeting)}" for meeting in content.meetings)]


def _intake(intake: Intake) -> str:
    return f"people ask to join with the line {to_code(intake)}; compare it with the one in the group's conversation"


def _describe_facets(facets: Facets) -> list[tuple[str, str]]:
    return [
        ("Open or closed", "" if facets.openness is Openness.UNKNOWN else facets.openness.name.lower()),
        ("Languages", ", ".join(facets.languages)),
        ("Form", ", ".join(facets.formats)),
        ("Access and comfort", ", ".join(facets.features)),
        ("Especially for", ", ".join(facets.communities)),
    ]


def _lines(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{label}: {' '.join(value.split())}" for label, value in pairs if value]


def describe_meeting(meeting: Meeting) -> str:
    """One meeting in a line: when, how, where, and whatever else it says."""
    parts = [meeting.name, _when(meeting)]
    if meeting.standing is not Standing.ACTIVE:
        parts.append(meeting.standing.name)
    if meeting.attendance in _ATTENDANCE:
        parts.append(_ATTENDANCE[meeting.attendance])
    place, online = meeting.place, meeting.online
    if place is not None:
        where = (place.name, place.formatted or place.street, place.city, place.postal_code, place.country)
        parts += [", ".join(each for each in where if each), place.notes]
    if online is not None:
        parts += [online.url, online.url_notes, online.phone, online.phone_notes, online.password_hint]
    parts += [meeting.notes, *_lines(_describe_facets(meeting.facets)), meeting.url]
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _when(meeting: Meeting) -> str:
    if meeting.weekday is not None:
        day = f"every {_DAYS[meeting.weekday]}{f' from {meeting.first}' if meeting.first else ''}"
    elif meeting.rrule:
        day = f"{_rule(meeting.rrule)} from {meeting.first}"
    else:
        day = meeting.first or "by appointment"
    if meeting.until:
        day += f" until {meeting.until}"
    for label, dates in (("not on", meeting.cancelled), ("also on", meeting.added)):
        if dates:
            day += f", {label} {', '.join(dates)}"
    for change in meeting.changes:
        day += f", {change.date} moved to {change.to_date} {change.start // 60:02}:{change.start % 60:02}"
    if meeting.start is None:
        return day
    time = f"{meeting.start // 60:02}:{meeting.start % 60:02}"
    if meeting.duration_min is not None:
        end = meeting.start + meeting.duration_min
        time += f"–{end // 60 % 24:02}:{end % 60:02}"
    return f"{day} {time}{f' ({meeting.tz})' if meeting.tz else ''}"


def _rule(text: str) -> str:
    rule = rules.parse(text)
    if rule.freq == "WEEKLY" and rule.interval == 2 and len(rule.byday) == 1:
        return f"every second {_DAYS[rule.byday[0][1]]}"
    if rule.freq == "MONTHLY" and rule.interval == 1 and len(rule.byday) == 1 and rule.byday[0][0] in _ORDINALS:
        ordinal, day = rule.byday[0]
        return f"every {_ORDINALS[ordinal]} {_DAYS[day]} of the month"
    if rule.freq == "MONTHLY" and rule.interval == 1 and len(rule.bymonthday) == 1:
        return f"every month on day {rule.bymonthday[0]}"
    return text


def _lease(slot: Slot) -> str:
    return f"Valid until {date_of(slot.expires)}."


def date_of(moment: Timestamp) -> str:
    """The date of a time in UTC."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _progress(each: Missing, previous: Charter | None) -> list[str]:
    names = ", ".join(short_name(key) for key in each.signed) or "nobody yet"
    if not each.reason:
        return [f"Signed by {names}: enough."]
    waiting = ", ".join(short_name(key) for key in each.may_sign if key not in each.signed)
    return [f"Signed by {names}. {_needed(each, previous)} May still sign: {waiting}."]


def _needed(each: Missing, previous: Charter | None) -> str:
    if previous is None or not isinstance(each.record, Charter):
        return each.reason.rpartition("; ")[2]  # how many did sign stands before it
    counts = [
        f"{sum(key in charter.stewards for key in each.signed)} of the {charter.threshold} needed {when}"
        for charter, when in ((previous, "from the stewards before"), (each.record, "from those from now on"))
    ]
    return f"That is {' and '.join(counts)}."
