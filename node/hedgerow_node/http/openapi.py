"""The OpenAPI 3.1 description of the JSON API, made from the same constants the handlers use."""

from typing import Any

from hedgerow_node.directory.query import (
    ACCESS_TAGS_MAX,
    ATTENDANCES,
    CURSOR_CHARACTERS_MAX,
    PAGE_LISTINGS_DEFAULT,
    PAGE_LISTINGS_MAX,
    PARAMETERS,
    QUERY_CHARACTERS_MAX,
)
from hedgerow_node.http.bounds import EXPORT_LISTINGS_MAX
from hedgerow_node.http.openapi_member import SECURITY, member_paths
from hedgerow_node.http.openapi_schemas import SCHEMAS
from hedgerow_node.http.problems import PROBLEM_TYPE
from hedgerow_protocol import limits

TEXT = {"type": "string"}
_TIME = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$", "examples": ["18:30"]}
_TAG = {"type": "string", "maxLength": limits.TAG_CHARACTERS_MAX}
_TIMESTAMP = {"type": "integer", "description": "Seconds since 1970-01-01 UTC."}

_FILTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "q": (
        "Words; accents and case do not matter, all must occur, the last may be the beginning of a word.",
        {"type": "string", "maxLength": QUERY_CHARACTERS_MAX},
    ),
    "experience": ("A tag of shared experience, such as bereavement.", _TAG),
    "program": ("The code of a program, such as aa.", _TAG),
    "weekday": (
        "0 = Sunday … 6 = Saturday; may be repeated.",
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 6}},
    ),
    "from": ("The meeting begins at this wall-clock time or later (in tz, else its own).", _TIME),
    "until": ("The meeting begins at this time or earlier; before `from` it means past midnight.", _TIME),
    "tz": ("IANA zone of the person who asks; weekday and times are then meant in it.", {"type": "string"}),
    "attendance": (
        "in_person and online also find hybrid meetings.",
        {"type": "string", "enum": list(ATTENDANCES)},
    ),
    "near": (
        "Latitude, longitude (degrees, WGS 84) and distance in kilometres.",
        {"type": "string", "examples": ["52.52,13.40,10"]},
    ),
    "language": ("BCP 47; de also finds de-AT.", _TAG),
    "access": (
        "Features that must all be there, such as wheelchair; may be repeated.",
        {"type": "array", "items": _TAG, "maxItems": ACCESS_TAGS_MAX},
    ),
    "limit": (
        "How many listings at most.",
        {"type": "integer", "minimum": 1, "maximum": PAGE_LISTINGS_MAX, "default": PAGE_LISTINGS_DEFAULT},
    ),
    "cursor": (
        "`next` of the page before, with the same filters.",
        {"type": "string", "maxLength": CURSOR_CHARACTERS_MAX},
    ),
}


def openapi_document(version: str, server: str) -> dict[str, Any]:
    """The whole document. ``server`` is the address of this node, or its path prefix."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hedgerow",
            "version": version,
            "description": (
                "Public listings of peer-support groups, which may be shown elsewhere: no key is needed, requests are "
                "limited by address, and nothing about them is kept. And the members' side: accounts, devices and "
                "rooms, of which this node sees ciphertext only; a device shows its token."
            ),
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": server or "/"}],
        "paths": _paths() | member_paths(),
        "components": {
            "schemas": _schemas() | SCHEMAS,
            "responses": {"Problem": _problem_response()},
            "securitySchemes": SECURITY,
        },
    }


def filter_parameters(*, paging: bool = True) -> list[dict[str, Any]]:
    """The query parameters of a search."""
    names = [name for name in PARAMETERS if paging or name not in ("limit", "cursor")]
    return [_parameter(name, *_FILTERS[name]) for name in names]


def _parameter(name: str, description: str, schema: dict[str, Any], where: str = "query") -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "in": where, "description": description, "schema": schema}
    if where == "path":
        parameter["required"] = True
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    return parameter


def _paths() -> dict[str, Any]:
    listing_id = _parameter("id", "The listing's id.", {"type": "string", "pattern": "^[a-z2-7]{32}$"}, "path")
    discreet = _parameter(
        "discreet", "A neutral title for every entry; 1 for an ordinary one.", {"type": "string", "maxLength": 60}
    )
    region = _parameter("region", "One region of a list that is too large.", {"type": "string", "maxLength": 80})
    lang = _parameter("lang", "The language of labels.", TEXT)
    filters = filter_parameters(paging=False)
    page, listing, status = _ref("ListingsPage"), _ref("Listing"), _ref("Status")
    rows = {"type": "array", "items": {"type": "object"}}
    whole = f"At most {EXPORT_LISTINGS_MAX} listings; narrow a larger directory with filters."
    calendar = {"type": "string"}
    return {
        "/api/v1/listings": _get("searchListings", "Search listings", page, filter_parameters(), bad=True),
        "/api/v1/listings/{id}": _get("getListing", "One listing", listing, [listing_id], missing=True),
        "/api/v1/status": _get("getStatus", "What this node is and holds", status),
        "/api/v1/openapi.json": _get("getOpenapi", "This document", {"type": "object"}),
        "/listings/{id}.json": _get("getListingFile", "One listing", listing, [listing_id], missing=True),
        "/listings/{id}.ics": _get(
            "getListingCalendar", "One listing as a calendar", calendar, [listing_id, discreet], media="text/calendar",
            bad=True, missing=True,
        ),
        "/directory/list.json": _get(
            "getCompactList", "The compact list a browser searches by itself", {"type": "object"}, [lang, region],
            bad=True, missing=True,
        ),
        "/export/meetings.json": _get("exportMeetingGuide", f"Meeting Guide. {whole}", rows, filters, bad=True),
        "/export/calendar.ics": _get(
            "exportCalendar", f"iCalendar. {whole}", calendar, [*filters, discreet], media="text/calendar", bad=True
        ),
        "/export/hsds.json": _get("exportHsds", f"HSDS 3.0. {whole}", {"type": "object"}, filters, bad=True),
        "/healthz": _get("getHealth", "The process answers", _ref("State")),
        "/readyz": _get("getReadiness", "The directory answers", _ref("State")),
        "/metrics": _get(
            "getMetrics", "Counts for the machine's keeper, on this machine only", {"type": "string"},
            media="text/plain", missing=True,
        ),
    }  # fmt: skip


def _get(
    operation: str,
    summary: str,
    schema: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    *,
    media: str = "application/json",
    bad: bool = False,
    missing: bool = False,
) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {"description": summary, "content": {media: {"schema": schema}}},
        "304": {"description": "Not changed since the version named in If-None-Match."},
        "default": {"$ref": "#/components/responses/Problem"},
    }
    if bad:
        responses["400"] = {"$ref": "#/components/responses/Problem"}
    if missing:
        responses["404"] = {"$ref": "#/components/responses/Problem"}
    get: dict[str, Any] = {"operationId": operation, "summary": summary, "responses": responses}
    if parameters:
        get["parameters"] = parameters
    return {"get": get}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem_response() -> dict[str, Any]:
    return {
        "description": "What is wrong, as a sentence (RFC 9457).",
        "content": {PROBLEM_TYPE: {"schema": _ref("Problem")}},
    }


def _schemas() -> dict[str, Any]:
    texts = {"type": "array", "items": TEXT}
    nullable_text = {"type": ["string", "null"]}
    return {
        "Problem": _object(
            {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "field": TEXT},
            required=("title", "status", "detail"),
        ),
        "State": _object({"status": TEXT}, required=("status",)),
        "Status": _object(
            {
                "node_id": TEXT,
                "listings": {"type": "integer"},
                "meetings": {"type": "integer"},
                "records": {"type": "integer"},
                "state_hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "peers": {"type": "integer"},
                "version": TEXT,
                "bundle": {"type": "string", "description": "SHA-256 of all that browsers get; empty if not built."},
                "client": {"type": "string", "description": "SHA-256 of the saved client, /client.html."},
                "bundle_differs": {
                    "type": "integer",
                    "description": "Connected nodes that say they serve another bundle of the same version.",
                },
            }
        ),
        "ListingsPage": _object({"listings": {"type": "array", "items": _ref("Listing")}, "next": nullable_text}),
        "Listing": _object(
            {
                "id": TEXT,
                "name": TEXT,
                "meetings": {"type": "array", "items": _ref("Meeting")},
                "languages": texts,
                "facets": {"type": "object"},
                "place": {"type": ["object", "null"]},
                "expires": {"anyOf": [_TIMESTAMP, TEXT]},
                "in_dispute": {"type": "boolean"},
                "joining": {"type": "string", "enum": ["come", "ask", "invitation"]},
                "intake": {
                    "type": ["object", "null"],
                    "description": "Where members' programs ask to join: node, room, key; 32 bytes in base64url each.",
                },
            },
            required=("id", "name", "meetings", "languages", "facets", "place", "expires", "in_dispute"),
        ),
        "Meeting": _object(
            {
                "slug": TEXT,
                "weekday": {"type": ["integer", "null"], "minimum": 0, "maximum": 6},
                "rrule": nullable_text,
                "start": {"type": ["string", "null"], "description": "HH:MM by the wall clock of tz."},
                "duration_min": {"type": ["integer", "null"]},
                "tz": nullable_text,
                "attendance": {"type": "string", "enum": ["unknown", *ATTENDANCES]},
            },
            required=("slug", "start", "duration_min", "tz", "attendance"),
        ),
    }


def _object(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": True,
    }
