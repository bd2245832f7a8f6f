"""From rows to listings: the meetings of one peer-support group become one listing.

Rows belong together when the source says so (a group's id or name), or else when they have the same name and are held
at the same place or under the same address. Everything here depends on the set of rows only, never on their order, so
that a second import of the same feed in another order changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from hedgerow_node.formats.listing_size import fitted, is_too_large
from hedgerow_node.formats.report import Draft, Tally
from hedgerow_node.formats.row_reading import merged_extras
from hedgerow_node.formats.source_row import SourceRow
from hedgerow_node.formats.text_repair import folded
from hedgerow_node.formats.vocabulary import Program
from hedgerow_protocol import limits
from hedgerow_protocol.content import Contact, Facets, ListingContent, Meeting, Openness

_KEY_CHARACTERS_MAX: Final = 200


def group_rows(rows: Iterable[SourceRow], *, prefix: str, program: Program | None, tally: Tally) -> list[Draft]:
    """One draft for each peer-support group, sorted by key; ``prefix`` names the format in further fields."""
    rows = _without_repetitions(_with_own_slugs(sorted(rows, key=_order), tally), tally)
    names_of_id: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.listing_id:
            names_of_id[row.listing_id].add(folded(row.listing_name))
    together: dict[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        together[_key(row, names_of_id)].append(row)
    drafts: list[Draft] = []
    for key in sorted(together):
        drafts.extend(_drafts(key, together[key], prefix, program, tally))
    return sorted(drafts, key=lambda draft: draft.key)


def _order(row: SourceRow) -> tuple[object, ...]:
    meeting = row.meeting
    return (
        7 if meeting.weekday is None else meeting.weekday,
        -1 if meeting.start is None else meeting.start,
        meeting.slug,
        row.name,
        repr(row),
    )


def _with_own_slugs(rows: Sequence[SourceRow], tally: Tally) -> list[SourceRow]:
    """Slugs made unique with -2, -3 …; rows that say exactly the same keep theirs, and are made one later."""
    taken = {row.meeting.slug for row in rows}
    first: dict[str, SourceRow] = {}
    own: list[SourceRow] = []
    for row in rows:
        slug = row.meeting.slug
        held = first.setdefault(slug, row)
        if held is not row and held != row:
            tally.repair("slug_repeated")
            number = 2
            while (candidate := f"{slug[: limits.SLUG_CHARACTERS_MAX - 8]}-{number}") in taken:
                number += 1
            taken.add(candidate)
            row = replace(row, meeting=replace(row.meeting, slug=candidate))
        own.append(row)
    return own


def _without_repetitions(rows: list[SourceRow], tally: Tally) -> list[SourceRow]:
    unique: dict[str, SourceRow] = {row.meeting.slug: row for row in rows}
    if len(unique) < len(rows):
        tally.repair("row_repeated", len(rows) - len(unique))
    return list(unique.values())


def _key(row: SourceRow, names_of_id: dict[str, set[str]]) -> str:
    """A name for the listing within its source, the same at every import."""
    if row.listing_id:
        several = len(names_of_id[row.listing_id]) > 1
        key = f"id:{row.listing_id}" + (f"|{folded(row.listing_name)}" if several else "")
    elif row.listing_name:
        key = f"group:{folded(row.listing_name)}"
    else:
        key = f"name:{folded(row.name) or row.name}|{_where(row.meeting)}"
    if len(key) > _KEY_CHARACTERS_MAX:
        key = f"{key[:_KEY_CHARACTERS_MAX]}…{blake2b(key.encode(), digest_size=8).hexdigest()}"
    return key


def _where(meeting: Meeting) -> str:
    """Where a meeting is held, in a form that survives small differences of spelling."""
    place, online = meeting.place, meeting.online
    if place is not None and not place.approximate:
        exact = f"{place.street} {place.city} {place.postal_code}" if place.street else place.formatted
        if folded(exact):
            return folded(exact)
    if online is not None and online.url:
        try:
            parts = urlsplit(online.url)
        except ValueError:
            return folded(online.url)
        return folded(f"{parts.netloc}{parts.path}") + (folded(parts.query) if len(parts.path) < 2 else "")
    if online is not None and online.phone:
        return folded(online.phone)
    if place is None:
        return ""
    return folded(place.formatted) or folded(f"{place.name} {place.city}") or folded(" ".join(place.regions))


def _drafts(key: str, rows: list[SourceRow], prefix: str, program: Program | None, tally: Tally) -> list[Draft]:
    """One draft, or several where one listing cannot hold so many meetings."""
    if len(rows) > limits.MEETINGS_MAX:
        tally.repair("listing_split")
        parts = [rows[at : at + limits.MEETINGS_MAX] for at in range(0, len(rows), limits.MEETINGS_MAX)]
    else:
        parts = [rows]
    contents = [content for part in parts for content in _fitting(part, prefix, program, tally)]
    return [Draft(key if index == 0 else f"{key}#{index + 1}", content) for index, content in enumerate(contents)]


def _fitting(rows: list[SourceRow], prefix: str, program: Program | None, tally: Tally) -> list[ListingContent]:
    content = _content(rows, prefix, program, tally)
    if not is_too_large(content):
        return [content]
    if len(rows) == 1:
        return [fitted(content, tally)]
    tally.repair("listing_split")
    half = len(rows) // 2
    return [*_fitting(rows[:half], prefix, program, tally), *_fitting(rows[half:], prefix, program, tally)]


def _content(rows: list[SourceRow], prefix: str, program: Program | None, tally: Tally) -> ListingContent:
    name = _common([row.listing_name for row in rows]) or _common([row.name for row in rows])
    facets = _shared_facets([row.meeting.facets for row in rows])
    district, body = _common([row.district for row in rows]), _common([row.body for row in rows])
    url, notes = _common([row.url for row in rows]), _common([row.group_notes for row in rows])
    summary, confirmed = _common([row.summary for row in rows]), max(row.confirmed for row in rows)
    shared_extras = set(rows[0].extras).intersection(*(row.extras for row in rows[1:]))
    meetings = []
    for row in rows:
        own = [pair for pair in row.extras if pair not in shared_extras]
        for field, value, shared in (
            ("district", row.district, district),
            ("entity", row.body, body),
            ("website", row.url, url),
            ("group_notes", row.group_notes, notes),
            ("last_contact", row.confirmed, confirmed),
            ("summary", row.summary, summary),
        ):
            if value and value != shared:
                own.append((f"{prefix}:{field}", value))
        meetings.append(
            replace(
                row.meeting,
                name="" if row.name == name else row.name,
                facets=_without(row.meeting.facets, facets),
                extras=merged_extras([*row.meeting.extras, *own], tally),
            )
        )
    contacts, further = _contacts(rows, prefix)
    return ListingContent(
        name=name,
        summary=summary,
        experiences=program.experiences if program else (),
        program=program.code if program else "",
        facets=facets,
        meetings=tuple(meetings),
        url=url,
        links=tuple(dict.fromkeys(link for row in rows for link in row.links))[: limits.LINKS_MAX],
        contacts=contacts,
        district=district,
        body=body,
        group_notes=notes,
        confirmed=confirmed,
        extras=merged_extras([*shared_extras, *further], tally),
    )


def _common(values: Sequence[str]) -> str:
    """The value most rows say; the first in the alphabet where several are said equally often."""
    counted = Counter(value for value in values if value)
    if not counted:
        return ""
    return min(counted, key=lambda value: (-counted[value], value))


def _contacts(rows: Sequence[SourceRow], prefix: str) -> tuple[tuple[Contact, ...], list[tuple[str, str]]]:
    """Every contact once, in the order of the rows; those a listing has no room for become further fields."""
    every = list(dict.fromkeys(contact for row in rows for contact in row.contacts))
    further: list[tuple[str, str]] = []
    for number, contact in enumerate(every[limits.CONTACTS_MAX :], start=limits.CONTACTS_MAX + 1):
        for part, value in (("name", contact.name), ("phone", contact.phone), ("email", contact.email)):
            if value:
                further.append((f"{prefix}:contact_{number}_{part}", value))
    return tuple(every[: limits.CONTACTS_MAX]), further


def _shared_facets(every: Sequence[Facets]) -> Facets:
    """What is true of every meeting."""
    openness = {facets.openness for facets in every}

    def shared(of: Callable[[Facets], tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted(set(of(every[0])).intersection(*(of(facets) for facets in every[1:]))))

    return Facets(
        openness=openness.pop() if len(openness) == 1 else Openness.UNKNOWN,
        formats=shared(lambda facets: facets.formats),
        features=shared(lambda facets: facets.features),
        communities=shared(lambda facets: facets.communities),
        languages=shared(lambda facets: facets.languages),
    )


def _without(own: Facets, shared: Facets) -> Facets:
    def rest(mine: tuple[str, ...], ours: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tag for tag in mine if tag not in ours)

    return Facets(
        openness=Openness.UNKNOWN if own.openness == shared.openness else own.openness,
        formats=rest(own.formats, shared.formats),
        features=rest(own.features, shared.features),
        communities=rest(own.communities, shared.communities),
        languages=rest(own.languages, shared.languages),
    )
