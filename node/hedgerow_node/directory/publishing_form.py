"""A form's fields, as text, become a listing; what is wrong comes back field by field, each with a sentence.

The same names serve the keeper's page (an HTML form) and the command line (a TOML file, see :func:`flatten`). Fields of
the listing have plain names; those of meeting 1, 2, … are called ``meeting_1_weekday``, ``meeting_2_start`` and so on.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hedgerow_node.directory.publishing_meeting import MEETING_FIELDS, fields_from_meeting, meeting_from_fields
from hedgerow_node.directory.publishing_values import FieldErrors, Fields, Reader
from hedgerow_protocol import intake, limits
from hedgerow_protocol.content import Contact, Facets, Intake, Joining, ListingContent, Meeting, Openness
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from hedgerow_protocol.errors import LocalError, RemoteError

__all__ = ["LISTING_FIELDS", "MEETING_FIELDS", "FieldErrors", "fields_from_listing", "flatten", "listing_from_fields"]

LISTING_FIELDS: dict[str, str] = {
    "name": "The group's name. Needed.",
    "summary": "What it is, in a few sentences.",
    "experiences": "What people there share: bereavement, parenting, alcohol … A list.",
    "program": "The code of a program (aa, na, al-anon …), if the group follows one.",
    "languages": "Languages spoken, as tags: en, es, pt-BR. A list.",
    "openness": "open (anybody may come) or closed (only those who share the experience).",
    "formats": "How it is held: discussion, speaker, meditation … A list.",
    "features": "Access and comfort: wheelchair, child-friendly, captions … A list.",
    "communities": "For whom in particular: women, men, young-people … A list.",
    "joining": "come (just come), ask (ask first) or invitation.",
    "how_to_join": "How to join, in words. Never a password.",
    "intake": "The line that the app shows on a group's page: with joining = ask, people can ask to join here.",
    "eligibility": "Whom it is for, in words.",
    "url": "The group's own web page.",
    "links": "Further web pages. A list.",
    "contact_name": "A public contact: the group's or a first name, no surname.",
    "contact_phone": "A public phone number of the group, not a person's own.",
    "contact_email": "A public e-mail address of the group, not a person's own.",
    "district": "The area it belongs to.",
    "body": "The body or organisation behind it.",
    "group_notes": "Anything else.",
    "confirmed": "The date on which the group last said that all this is right: YYYY-MM-DD.",
}
"""Every field of a listing, with what it is for."""

_MEETING_NAME = re.compile(r"meeting_([1-9][0-9]?)_([a-z_]+)")


def listing_from_fields(fields: Fields) -> ListingContent:
    """Make a listing from a form. Raises :class:`FieldErrors`, which names every field that is wrong."""
    reader = Reader(fields)
    meetings = _meetings(reader)
    name = reader.line("name", limits.NAME_CHARACTERS_MAX)
    if not name:
        reader.refuse("name", "Say the group's name.")
    content = ListingContent(
        name=name,
        summary=reader.text("summary"),
        experiences=reader.tags("experiences"),
        program=reader.line("program").lower(),
        facets=Facets(
            openness=reader.one_of(
                "openness", {"": Openness.UNKNOWN, "open": Openness.OPEN, "closed": Openness.CLOSED}
            ),
            formats=reader.tags("formats"),
            features=reader.tags("features"),
            communities=reader.tags("communities"),
            languages=reader.languages("languages"),
        ),
        meetings=meetings,
        joining=reader.one_of("joining", {"": Joining.COME, **{each.name.lower(): each for each in Joining}}),
        how_to_join=reader.text("how_to_join"),
        eligibility=reader.text("eligibility"),
        url=reader.web_address("url"),
        links=tuple(reader.web_addresses("links", limits.LINKS_MAX)),
        contacts=_contacts(reader),
        district=reader.line("district"),
        body=reader.line("body"),
        group_notes=reader.text("group_notes"),
        confirmed=reader.date("confirmed"),
        intake=_intake(reader),
    )
    if content.intake is not None and content.joining is not Joining.ASK:
        reader.refuse("intake", "This is only for groups that people ask first. Choose “ask”, or take it out.")
    reader.finish(LISTING_FIELDS, lambda name: _MEETING_NAME.fullmatch(name) is not None)
    try:
        return content_from_value(content_to_value(content))
    except (RemoteError, LocalError) as error:
        # Each field was checked by itself; what is left is a rule between fields.
        raise FieldErrors({"name": str(error)}) from error


def _intake(reader: Reader) -> Intake | None:
    said = reader.fields.get("intake", "")
    text = said if isinstance(said, str) else " ".join(said)
    if not text.strip():
        return None
    try:
        return intake.from_code(text)
    except LocalError as error:
        reader.refuse("intake", str(error))
        return None


def _contacts(reader: Reader) -> tuple[Contact, ...]:
    contact = Contact(
        name=reader.line("contact_name"), phone=reader.line("contact_phone"), email=reader.line("contact_email")
    )
    return (contact,) if contact != Contact() else ()


def _meetings(reader: Reader) -> tuple[Meeting, ...]:
    numbers = sorted(
        {
            int(match[1])
            for name in reader.fields
            if (match := _MEETING_NAME.fullmatch(name)) and any(reader.items(name))
        }
    )
    if len(numbers) > limits.MEETINGS_MAX:
        reader.refuse("name", f"A listing has at most {limits.MEETINGS_MAX} meetings.")
        return ()
    slugs: set[str] = set()
    meetings = []
    for number in numbers:
        meeting = meeting_from_fields(reader, f"meeting_{number}_", slug_base=_slug(reader.line("name")))
        if meeting is not None:
            meetings.append(_unique(meeting, slugs))
    return tuple(meetings)


def _unique(meeting: Meeting, slugs: set[str]) -> Meeting:
    slug, number = meeting.slug, 2
    while slug in slugs:
        slug, number = f"{meeting.slug}-{number}", number + 1
    slugs.add(slug)
    return replace(meeting, slug=slug)


def _slug(name: str) -> str:
    letters = re.sub(r"[^\w]+", "-", name.lower()).strip("-_")
    return letters[: limits.SLUG_CHARACTERS_MAX - 24].strip("-") or "meeting"


def flatten(table: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """A TOML or JSON table with ``[[meetings]]`` as the flat fields of a form. Values become text."""
    flat: dict[str, str | list[str]] = {}
    for name, value in table.items():
        if name == "meetings" and isinstance(value, list):
            for number, meeting in enumerate(value, 1):
                if not isinstance(meeting, Mapping):
                    raise FieldErrors({"meetings": "Each meeting is a table: write [[meetings]] before its lines."})
                flat.update({f"meeting_{number}_{inner}": _plain(each) for inner, each in meeting.items()})
        else:
            flat[name] = _plain(value)
    return flat


def _plain(value: Any) -> str | list[str]:
    if isinstance(value, list | tuple):
        return [_text(each) for each in value]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(value)[:5] if type(value).__name__ == "time" else str(value)


def fields_from_listing(content: ListingContent) -> dict[str, str | list[str]]:
    """The fields that would make this listing: to fill a form for a change. What no field says is left out."""
    contact = content.contacts[0] if content.contacts else Contact()
    facets = content.facets
    openness = "" if facets.openness is Openness.UNKNOWN else facets.openness.name.lower()
    fields: dict[str, str | list[str]] = {
        "name": content.name,
        "summary": content.summary,
        "experiences": list(content.experiences),
        "program": content.program,
        "languages": list(facets.languages),
        "openness": openness,
        "formats": list(facets.formats),
        "features": list(facets.features),
        "communities": list(facets.communities),
        "joining": content.joining.name.lower(),
        "how_to_join": content.how_to_join,
        "intake": "" if content.intake is None else intake.to_code(content.intake),
        "eligibility": content.eligibility,
        "url": content.url,
        "links": list(content.links),
        "contact_name": contact.name,
        "contact_phone": contact.phone,
        "contact_email": contact.email,
        "district": content.district,
        "body": content.body,
        "group_notes": content.group_notes,
        "confirmed": content.confirmed,
    }
    for number, meeting in enumerate(content.meetings, 1):
        fields.update({f"meeting_{number}_{name}": value for name, value in fields_from_meeting(meeting).items()})
    return {name: value for name, value in fields.items() if value}
