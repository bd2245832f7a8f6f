"""The names under which Meeting Guide's fields appear, in JSON, in tables and in spreadsheets, as one set of names."""

from typing import Final

from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.text_repair import folded

FIELDS: Final = frozenset(
    [
        "address",
        "approximate",
        "attendance_option",
        "author",
        "city",
        "conference_phone",
        "conference_phone_notes",
        "conference_url",
        "conference_url_notes",
        "contact_1_email",
        "contact_1_name",
        "contact_1_phone",
        "contact_2_email",
        "contact_2_name",
        "contact_2_phone",
        "contact_3_email",
        "contact_3_name",
        "contact_3_phone",
        "coordinates",
        "country",
        "data_source",
        "data_source_name",
        "data_source_url",
        "day",
        "district",
        "district_id",
        "edit_url",
        "email",
        "end_time",
        "entity",
        "entity_email",
        "entity_location",
        "entity_logo",
        "entity_phone",
        "entity_url",
        "entity_website_url",
        "feedback_emails",
        "feedback_url",
        "formatted_address",
        "group",
        "group_id",
        "group_notes",
        "homegroup_online",
        "id",
        "last_contact",
        "latitude",
        "location",
        "location_id",
        "location_notes",
        "location_url",
        "longitude",
        "mailing_address",
        "name",
        "notes",
        "paypal",
        "phone",
        "postal_code",
        "region",
        "region_id",
        "regions",
        "slug",
        "square",
        "state",
        "sub_district",
        "sub_region",
        "sub_sub_region",
        "time",
        "time_formatted",
        "timezone",
        "types",
        "updated",
        "url",
        "venmo",
        "venue_type",
        "website",
        "website_2",
    ]
)
"""Every field that the specification, the WordPress plugin or the web page of code4recovery reads or writes."""

_ALIASES: Final[dict[str, str]] = {
    "addr": "address",
    "addressline1": "address",
    "streetaddress": "address",
    "street": "address",
    "fulladdress": "formatted_address",
    "town": "city",
    "province": "state",
    "zip": "postal_code",
    "zipcode": "postal_code",
    "postcode": "postal_code",
    "postal": "postal_code",
    "lat": "latitude",
    "lng": "longitude",
    "lon": "longitude",
    "long": "longitude",
    "latlng": "coordinates",
    "meeting": "name",
    "meetingname": "name",
    "title": "name",
    "groupname": "group",
    "locationname": "location",
    "venue": "location",
    "venuename": "location",
    "starttime": "time",
    "start": "time",
    "begintime": "time",
    "end": "end_time",
    "finishtime": "end_time",
    "weekday": "day",
    "dayofweek": "day",
    "days": "day",
    "tz": "timezone",
    "type": "types",
    "meetingtypes": "types",
    "postname": "slug",
    "note": "notes",
    "comments": "notes",
    "description": "notes",
    "web": "website",
    "websiteurl": "website",
    "homepage": "website",
    "link": "url",
    "permalink": "url",
    "zoomlink": "conference_url",
    "onlineurl": "conference_url",
    "virtualmeetinglink": "conference_url",
    "conferencephonenumber": "conference_phone",
    "phonenumber": "phone",
    "emailaddress": "email",
    "subregion": "sub_region",
    "neighborhood": "sub_region",
    "lastupdated": "updated",
    "lastmodified": "updated",
    "modified": "updated",
    "website2": "website_2",
    "lastcontacted": "last_contact",
    "feedbackemail": "feedback_emails",
}

_BY_FOLDED: Final[dict[str, str]] = {**{folded(field): field for field in FIELDS}, **_ALIASES}


def field_name(name: str) -> str | None:
    """The field that a JSON key or a column heading means ("End Time", ``endTime``, ``gsx$endtime``)."""
    if name in FIELDS:
        return name
    return _BY_FOLDED.get(folded(name.removeprefix("gsx$")))


def named_fields(raw: dict[str, object], tally: Tally) -> tuple[dict[str, object], dict[str, object]]:
    """A row's fields under our names, and those that no name is known for.

    Where a field appears under two names (``zip`` and ``postal_code``), the one written as the specification writes
    it holds, and the other stays among the unknown.
    """
    fields: dict[str, object] = {}
    unknown: dict[str, object] = {}
    renamed: list[tuple[str, str, object]] = []
    for key, value in raw.items():
        if key in FIELDS:
            fields[key] = value
            continue
        meant = field_name(key)
        if meant is None:
            unknown[key] = value
        else:
            renamed.append((key, meant, value))
    for key, meant, value in sorted(renamed, key=lambda each: each[0]):
        if fields.get(meant) in (None, "", []):
            fields[meant] = value
            if value not in (None, "", []):
                tally.repair("field_under_other_name")
        elif value != fields[meant]:
            unknown[key] = value
    return fields, unknown
