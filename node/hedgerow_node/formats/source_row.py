"""One row of a feed after reading: a meeting, and what the row says of the listing it belongs to."""

from dataclasses import dataclass

from hedgerow_protocol.content import Contact, Meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A meeting with everything its row says; facets are those of the meeting, complete."""

    name: str
    """The meeting's name, or the listing's where the row has none of its own."""
    listing_id: str = ""
    """The source's own id of the peer-support group, where it has a real one."""
    listing_name: str = ""
    """The group's name, where the source has one."""
    meeting: Meeting
    """Its slug may still be taken by another row, and its ``name`` is not set."""
    summary: str = ""
    district: str = ""
    body: str = ""
    url: str = ""
    links: tuple[str, ...] = ()
    group_notes: str = ""
    confirmed: str = ""
    contacts: tuple[Contact, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    """Further fields that describe the group rather than one meeting, as ("tsml:venmo", "…")."""
