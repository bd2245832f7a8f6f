"""Every text of a listing through the sieve, field by field."""

import re
from dataclasses import replace

from hedgerow_node.screening.addresses import coarse, find_home_addresses, is_private_home, speaks_of_a_home
from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.extras import screen_extras
from hedgerow_node.screening.names import surname_withheld
from hedgerow_node.screening.phones import is_public_line
from hedgerow_node.screening.sieve import Sieve, Sort, find
from hedgerow_node.screening.spans import ADDRESS, EMAIL, PASSWORD, PHONE, SURNAME
from hedgerow_node.screening.traces import door_of, hidden_words, names_one_of, secret_in, stable_name, without_path
from hedgerow_node.screening.words import words_of
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Contact, Facets, ListingContent, Meeting, Online, Place

PASSWORD_HINT = "A password is needed to join. Ask the group for it."  # noqa: S105 - words about passwords
"""What a listing says in place of a password that was withheld."""

PASSWORD_HINT_PAGE = " Its own page says how: {url}"  # noqa: S105 - the same
"""Added where the listing names a page."""

_LONG, _SHORT, _NAME = limits.TEXT_CHARACTERS_MAX, limits.SHORT_CHARACTERS_MAX, limits.NAME_CHARACTERS_MAX
_NO_NAME = "Name withheld"
_MEETING_VERB = re.compile(
    r"(?i)(?:meet|held|host|gather|come|locat|address|treff|reun|réun|encontr|spotka|möt|samling)"
)


def walk(content: ListingContent, sieve: Sieve) -> ListingContent:
    """The content without what is private; ``sieve.findings`` tells what that was."""
    at_start = sieve.count(PASSWORD)
    screened = replace(
        content,
        name=sieve.text(content.name, "the name", Sort.TITLE, _NAME, required=_NO_NAME),
        summary=sieve.text(content.summary, "the summary", Sort.PROSE, _LONG),
        experiences=_tags(content.experiences, sieve),
        program=sieve.text(content.program, "the program", Sort.LINE, _SHORT),
        facets=_facets(content.facets, sieve),
        how_to_join=sieve.text(content.how_to_join, "how to join", Sort.PROSE, _LONG),
        eligibility=sieve.text(content.eligibility, "whom it is for", Sort.PROSE, _LONG),
        url=sieve.link(content.url, "the web page"),
        links=_links(content.links, sieve),
        contacts=_contacts(content, sieve),
        district=sieve.text(content.district, "the district", Sort.TITLE, _SHORT),
        body=sieve.text(content.body, "the organisation", Sort.TITLE, _SHORT),
        group_notes=sieve.text(content.group_notes, "the group's notes", Sort.PROSE, _LONG),
        source=sieve.text(content.source, "the source", Sort.LINE, _SHORT),
        extras=screen_extras(content.extras, "the listing", sieve),
    )
    shared_secret = sieve.count(PASSWORD) > at_start
    texts = (screened.summary, screened.how_to_join, screened.group_notes)
    all_at_home = any(speaks_of_a_home(text) and _MEETING_VERB.search(text) is not None for text in texts)
    homes = _doors_of_homes(content)
    meetings = tuple(
        _meeting(
            meeting,
            screened,
            sieve,
            shared_secret=shared_secret,
            at_home=all_at_home or (meeting.place is not None and door_of(meeting.place) in homes),
        )
        for meeting in content.meetings
    )
    screened = _without_traces(replace(screened, meetings=_unique(meetings)), content, sieve)
    if all_at_home and ADDRESS not in sieve.keep:
        screened = replace(
            screened,
            summary=_without_homes(screened.summary, "the summary", sieve),
            how_to_join=_without_homes(screened.how_to_join, "how to join", sieve),
            group_notes=_without_homes(screened.group_notes, "the group's notes", sieve),
        )
    return screened


def _without_traces(screened: ListingContent, content: ListingContent, sieve: Sieve) -> ListingContent:
    """The listing's own links without the pages that name a home which was withheld."""
    hidden: frozenset[str] = frozenset()
    for before, after in zip(content.meetings, screened.meetings, strict=True):
        if before.place is not None and after.place is not None and after.place.approximate > before.place.approximate:
            hidden |= hidden_words(before.place, screened.name, after.name)
    if not hidden:
        return screened
    links = []
    for link in (screened.url, *screened.links):
        if names_one_of(link, hidden):
            sieve.found(ADDRESS, "the links", link)
        links.append(without_path(link) if names_one_of(link, hidden) else link)
    return replace(screened, url=links[0], links=tuple(links[1:]))


def _is_home(place: Place, notes: str, online_notes: str, *names: str) -> bool:
    # A listing called after a home is not held in one where the place has a name of its own.
    return is_private_home(place, notes, online_notes, *(() if place.name else names))


def _doors_of_homes(content: ListingContent) -> frozenset[str]:
    """The doors that one meeting says are a home's: they are for the other meetings, too."""
    if len(content.meetings) < 2:
        return frozenset()
    return frozenset(
        door_of(each.place)
        for each in content.meetings
        if each.place is not None
        and _is_home(
            each.place, each.notes, each.online.url_notes if each.online is not None else "", content.name, each.name
        )
    ) - {""}


def _meeting(meeting: Meeting, listing: ListingContent, sieve: Sieve, *, shared_secret: bool, at_home: bool) -> Meeting:
    which = f"“{meeting.name or meeting.slug}”" if len(listing.meetings) > 1 or meeting.name else "the meeting"
    if find_emails(which):
        which = "the meeting"
    secrets = sieve.count(PASSWORD)
    hidden: frozenset[str] = frozenset()
    notes = sieve.text(meeting.notes, f"the notes of {which}", Sort.PROSE, _LONG)
    place = _place(meeting.place, which, sieve)
    url = sieve.link(meeting.url, f"the page of {which}")
    online = _online(meeting.online, which, sieve)
    extras = screen_extras(meeting.extras, which, sieve)
    if sieve.count(PASSWORD) > secrets or (shared_secret and online is not None):
        online = _with_hint(online, meeting.attendance, _hint(url or listing.url, sieve.keep))
    if ADDRESS not in sieve.keep:
        online_notes = online.url_notes if online is not None else ""
        if place is not None and (at_home or _is_home(place, notes, online_notes, listing.name, meeting.name)):
            hidden = hidden_words(place, listing.name, meeting.name)
            place, extras = _at_town_level(place, extras, which, sieve)
            if names_one_of(url, hidden):
                sieve.found(ADDRESS, f"the page of {which}", url)
                url = without_path(url)
            notes = _without_homes(notes, f"the notes of {which}", sieve)
        elif place is None and speaks_of_a_home(notes):
            notes = _without_homes(notes, f"the notes of {which}", sieve)
    return replace(
        meeting,
        slug=_slug(meeting.slug, hidden, sieve),
        name=sieve.text(meeting.name, f"the name of {which}", Sort.TITLE, _NAME),
        place=place,
        online=online,
        notes=notes,
        facets=_facets(meeting.facets, sieve),
        url=url,
        extras=extras,
    )


def _place(place: Place | None, which: str, sieve: Sieve) -> Place | None:
    if place is None:
        return None
    where = f"the place of {which}"
    return replace(
        place,
        name=sieve.text(place.name, where, Sort.TITLE, _SHORT),
        formatted=sieve.text(place.formatted, where, Sort.LINE, _LONG),
        street=sieve.text(place.street, where, Sort.LINE, _SHORT),
        city=sieve.text(place.city, where, Sort.LINE, _SHORT),
        state=sieve.text(place.state, where, Sort.LINE, _SHORT),
        postal_code=sieve.text(place.postal_code, where, Sort.LINE, _SHORT),
        country=sieve.text(place.country, where, Sort.LINE, _SHORT),
        regions=tuple(
            region for region in (sieve.text(each, where, Sort.LINE, _SHORT) for each in place.regions) if region
        ),
        notes=sieve.text(place.notes, f"the notes on the place of {which}", Sort.PROSE, _LONG),
    )


def _online(online: Online | None, which: str, sieve: Sieve) -> Online | None:
    if online is None:
        return None
    return Online(
        url=sieve.link(online.url, f"the link of {which}"),
        url_notes=sieve.text(online.url_notes, f"the notes on the link of {which}", Sort.PROSE, _LONG),
        phone=sieve.text(online.phone, f"the dial-in number of {which}", Sort.DIAL, _SHORT),
        phone_notes=sieve.text(online.phone_notes, f"the notes on dialling in to {which}", Sort.DIAL_NOTES, _LONG),
        password_hint=sieve.text(online.password_hint, f"how to ask for the password of {which}", Sort.PROSE, _LONG),
    )


def _with_hint(online: Online | None, attendance: Attendance, hint: str) -> Online | None:
    """Say that a password is needed, where people join from afar and nothing says it yet."""
    if online is None:
        if attendance not in (Attendance.ONLINE, Attendance.HYBRID):
            return None  # the code of a door, more likely
        online = Online()
    return online if online.password_hint else replace(online, password_hint=hint)


def _hint(page: str, keep: frozenset[str]) -> str:
    """How to ask for the password: at the page of the meeting or the listing, if it has one."""
    if not page:
        return PASSWORD_HINT
    hint = PASSWORD_HINT + PASSWORD_HINT_PAGE.format(url=page)
    return PASSWORD_HINT if find(hint, Sort.PROSE, keep) else hint  # an odd address reads like a secret in a sentence


def _at_town_level(
    place: Place, extras: tuple[tuple[str, str], ...], which: str, sieve: Sieve
) -> tuple[Place, tuple[tuple[str, str], ...]]:
    where = f"the place of {which}"
    hidden = coarse(place)
    hidden = replace(hidden, notes=_without_homes(place.notes, f"the notes on the place of {which}", sieve))
    left = tuple(pair for pair in extras if not _TELLS_PLACE.intersection(_KEY_WORDS.split(pair[0].casefold())))
    if replace(hidden, approximate=place.approximate, notes=place.notes) != place or left != extras:
        sieve.found(ADDRESS, where, ", ".join(part for part in (place.name, place.street or place.formatted) if part))
    return hidden, left


_KEY_WORDS = re.compile(r"[^a-z]+")
_TELLS_PLACE = words_of(
    "location address coordinates coordinate lat lng lon latitude longitude map maps geo venue street directions "
)


def _without_homes(text: str, where: str, sieve: Sieve) -> str:
    return sieve.spans(text, find_home_addresses(text), where, _LONG) if text else text


def _contacts(content: ListingContent, sieve: Sieve) -> tuple[Contact, ...]:
    kept: list[Contact] = []
    for number, contact in enumerate(content.contacts, start=1):
        where = f"contact {number}" if len(content.contacts) > 1 else "the contact"
        screened = _contact(contact, content.body, where, sieve)
        if screened == contact or any((screened.name, screened.phone, screened.email)):
            kept.append(screened)
    return tuple(kept)


def _contact(contact: Contact, body: str, where: str, sieve: Sieve) -> Contact:
    name = sieve.text(contact.name, where, Sort.TITLE, _SHORT)
    # The responsible body's own telephone, a helpline's or an office's is there to be called by anybody.
    public = bool(name) and (is_public_line(name) or name.casefold() == body.casefold())
    if SURNAME not in sieve.keep and not public and name:
        shortened = surname_withheld(name)
        if shortened != name:
            sieve.found(SURNAME, where, name)
            name = sieve.text(shortened[:_SHORT], where, Sort.TITLE, _SHORT)
            name = name if surname_withheld(name) == name else ""  # no person's name: a riddle
    phone = contact.phone
    if phone and not public and PHONE not in sieve.keep:
        sieve.found(PHONE, where, phone)
        phone = ""
    phone = sieve.text(phone, where, Sort.DIAL, _SHORT)
    email = contact.email
    if email and EMAIL not in sieve.keep:
        sieve.found(EMAIL, where, email)
        email = ""
    return Contact(name=name, phone=phone, email=email)


def _links(links: tuple[str, ...], sieve: Sieve) -> tuple[str, ...]:
    return tuple(link for link in (sieve.link(each, "the links") for each in links) if link)


def _facets(facets: Facets, sieve: Sieve) -> Facets:
    return replace(
        facets,
        formats=_tags(facets.formats, sieve),
        features=_tags(facets.features, sieve),
        communities=_tags(facets.communities, sieve),
    )


def _tags(tags: tuple[str, ...], sieve: Sieve) -> tuple[str, ...]:
    if EMAIL in sieve.keep or not any("@" in tag for tag in tags):
        return tags
    kept = tuple(tag for tag in tags if not find_emails(tag))
    for tag in set(tags) - set(kept):
        sieve.found(EMAIL, "the tags", tag)
    return kept


def _slug(slug: str, hidden: frozenset[str], sieve: Sieve) -> str:
    """A slug is an identity: one that holds something private becomes another that is as stable."""
    kind = secret_in(slug)
    kind = ADDRESS if (not kind or kind in sieve.keep) and names_one_of(slug, hidden) else kind
    if not kind or kind in sieve.keep:
        return slug
    sieve.found(kind, "the identifier of a meeting", slug)
    return stable_name(slug)


def _unique(meetings: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
    """No two meetings with one slug, should a new one meet an old one."""
    taken: set[str] = set()
    result: list[Meeting] = []
    for meeting in meetings:
        slug, number = meeting.slug, 2
        while slug in taken:
            slug, number = f"{meeting.slug[: limits.SLUG_CHARACTERS_MAX - 4]}-{number}", number + 1
        taken.add(slug)
        result.append(meeting if slug == meeting.slug else replace(meeting, slug=slug))
    return tuple(result)
