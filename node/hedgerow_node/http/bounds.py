"""Every number a visitor can push against at the street door: its value, its unit and its reason."""

from typing import Final

TARGET_CHARACTERS_MAX: Final = 4_096
"""Characters. Path and query of one request: every filter at once is below 1,500."""

HEADER_LINE_BYTES_MAX: Final = 8_190
"""Bytes. One header line; what browsers and proxies send stays below 4 KiB."""

HEADERS_MAX: Final = 64
"""Lines. Headers of one request; a browser behind two proxies sends about 30."""

BODY_BYTES_MAX: Final = 256 * 1024
"""Bytes. A form: the longest listing is 32 KiB of text, and percent-encoding can multiply it by three to nine."""

UPLOAD_BYTES_MAX: Final = 256 * 1024
"""Bytes. A co-signed file on the keeper's page: one envelope is at most 40 KiB, in text a third more."""

FIELDS_MAX: Final = 600
"""Fields. One form; the publishing form with twenty meetings and every box ticked sends about 560."""

HEAD_SECONDS_MAX: Final = 10.0
"""Seconds. From the first byte of a request to the end of its headers: ample on a slow phone."""

BODY_SECONDS_MAX: Final = 20.0
"""Seconds. To send a form."""

IDLE_SECONDS_MAX: Final = 75.0
"""Seconds. A kept-alive connection between two requests; longer than a proxy's usual 60."""

STALL_SECONDS_MAX: Final = 30.0
"""Seconds. A reader that takes nothing of an answer."""

CONNECTIONS_MAX: Final = 1_000
"""Connections. All of them together: a small board keeps about 30 KiB for each."""

CONNECTIONS_PER_ADDRESS_MAX: Final = 48
"""Connections. One address (a household or an office behind one router; a browser opens six)."""

REQUESTS_PER_SECOND: Final = 20.0
"""Requests a second, sustained, from one address."""

REQUESTS_BURST: Final = 200
"""Requests. At once from one address: several people of one household opening pages with all their parts."""

HEAVY_REQUEST_COST: Final = 20.0
"""Requests that one whole export or print list counts as."""

ADDRESSES_REMEMBERED_MAX: Final = 4_096
"""Addresses. Token buckets held in memory; the fullest (least active) leave first."""

COMPACT_LISTINGS_MAX: Final = 10_000
"""Listings. In one compact list for the browser: about 200 KB; above it the list is cut by region."""

COMPACT_SUMMARY_CHARACTERS: Final = 100
"""Characters. How much of a summary the compact list carries for search."""

REGIONS_MAX: Final = 2_000
"""Regions. Parts of a large compact list; the smallest are joined."""

EXPORT_LISTINGS_MAX: Final = 20_000
"""Listings. In one export file: the largest charter's entries; a larger directory is exported by filter."""

PRINT_LISTINGS_MAX: Final = 5_000
"""Listings. On one print page: a hundred sheets of paper, a county's whole booklet."""

TOWNS_MAX: Final = 5_000
"""Places. Town names known from listings, to find a town without any map service."""

KEEPER_LINKS_MAX: Final = 8
"""Links. Unused one-time links to the keeper's page."""

KEEPER_LINK_SECONDS: Final = 600
"""Seconds. A one-time link: long enough to copy it to another window."""

KEEPER_SESSIONS_MAX: Final = 8
"""Sessions. Browsers in which the keeper's page is open."""

KEEPER_IDLE_SECONDS: Final = 3_600
"""Seconds. A keeper's session without any request."""

KEEPER_SESSION_SECONDS: Final = 12 * 3_600
"""Seconds. A keeper's session in all: a working day."""

CRISIS_FILE_BYTES_MAX: Final = 64 * 1024
"""Bytes. The community's file of crisis lines: hundreds of entries."""

CRISIS_LINES_MAX: Final = 200
"""Lines. Entries read from that file."""

CACHED_ANSWER_BYTES_MAX: Final = 12 * 1024 * 1024
"""Bytes. Lists and exports kept ready in memory, all together; they are made again when the directory changes."""
