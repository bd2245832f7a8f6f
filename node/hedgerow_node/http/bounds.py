"""Every number a visitor can push against at the street door: its value, its unit and its reason."""

from typing import Final

from hedgerow_protocol import limits

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

TLS_CLOSE_SECONDS_MAX: Final = 5.0
"""Seconds. For the other side to say goodbye at the end of an https connection."""

BACKLOG_MAX: Final = 100
"""Connections. Waiting in the system to be taken; as asyncio has it."""

CONNECTIONS_MAX: Final = 3_000
"""Connections. All of them together, the live sockets of members among them: below 24 KiB each, so 72 MiB."""

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

# --- the member API

MEMBER_JSON_BYTES_MAX: Final = 256 * 1024
"""Bytes. The JSON of one request, where nothing below says otherwise."""

JSON_VALUES_MAX: Final = 8_192
"""Commas and opening brackets in one JSON text: what bounds the memory it unfolds into. A long list of
acknowledgements has about 2,000."""

JSON_AROUND_BYTES_MAX: Final = 4 * 1024
"""Bytes. Names, numbers and short ids beside one long field."""

SUBMISSION_BODY_BYTES_MAX: Final = (limits.COMMIT_BYTES_MAX + limits.WELCOMES_BYTES_MAX) * 4 // 3 + 64 * 1024
"""Bytes. The JSON of one entry for a room's log: the largest commit with all its Welcomes, in base64."""

MOVE_BODY_BYTES_MAX: Final = 256 * 1024
"""Bytes. The JSON of a move: 500 statements of 300 bytes, and 500 mailboxes."""

LOG_PAGE_ENTRIES_DEFAULT: Final = 200
"""Entries. In one answer of a room's log, when nobody says how many."""

ANNOUNCED_BODY_BYTES_MAX: Final = 256 * 1024
"""Bytes. What may come without saying before how long it is; more must say so (``Content-Length``)."""

JSON_INLINE_BYTES_MAX: Final = 256 * 1024
"""Bytes. JSON read on the event loop; longer ones in a thread, so that nobody else waits."""

MEMBER_BODIES_BYTES_MAX: Final = 96 * 1024 * 1024
"""Bytes. Bodies that are arriving or being worked on, all together; who comes beyond it is asked to try again."""

BODY_BYTES_PER_SECOND_MIN: Final = 16 * 1024
"""Bytes a second. The slowest upload that is waited for, beyond the first twenty seconds."""

OPEN_REQUEST_COST: Final = 5.0
"""Requests that one call without a token counts as, in what its address may ask for: each costs a signature to check
or a row to write."""

DEVICE_REQUESTS_PER_SECOND: Final = 50.0
"""Requests a second, sustained, of one device. A person who writes quickly makes two or three."""

DEVICE_REQUESTS_BURST: Final = 600.0
"""Requests. At once of one device: catching up with hundreds of rooms after weeks away."""

ACCOUNT_ASKS_PER_SECOND: Final = 30 / 86_400
"""Asks to join a second, sustained, of one account: each of them costs a whole group's attention."""

ACCOUNT_ASKS_BURST: Final = 30.0
"""Asks to join at once of one account: somebody who comes with a list of links."""

DEVICE_BYTES_PER_SECOND: Final = 2.0 * 1024 * 1024
"""Bytes a second, sustained, that one device may send: several pictures a second."""

DEVICE_BYTES_BURST: Final = 64.0 * 1024 * 1024
"""Bytes. At once of one device: a few large files, and the sealed vault."""

DEVICE_WAIT_SECONDS_MAX: Final = 2.0
"""Seconds. A device that asks too much is made to wait so long before it is told to come back later."""

DEVICES_WAITING_MAX: Final = 64
"""Requests. That wait in this way at once, over all devices; beyond it the answer is 429 at once."""

DEVICES_REMEMBERED_MAX: Final = 4_096
"""Devices. Token buckets held in memory; the fullest leave first."""

LIVE_TOKEN_SECONDS_MAX: Final = 10.0
"""Seconds. From the upgrade to the frame that holds the token."""

LIVE_MESSAGE_BYTES_MAX: Final = 32 * 1024
"""Bytes. One frame from a client: a submission of all but the longest messages (16 KiB in base64), or 200
acknowledgements. What is larger goes by POST."""

LIVE_ACKNOWLEDGEMENTS_MAX: Final = 200
"""Rooms. Acknowledged in one frame."""

LIVE_FRAMES_PER_SECOND: Final = 20.0
"""Frames a second, sustained, from one client: it acknowledges once for each joined frame at most."""

LIVE_FRAMES_BURST: Final = 400.0
"""Frames. At once from one client."""

LIVE_SUBMISSIONS_MAX: Final = 64
"""Submissions. Under way at once over one socket; the next is read when one of them is answered."""

LIVE_SOCKETS_MAX: Final = 2_500
"""Sockets. Below all connections, so that pages and the API stay reachable."""

LIVE_SOCKETS_PER_DEVICE_MAX: Final = 3
"""Sockets. Of one device: the one in use, and those a phone lost without saying so. The oldest makes room."""

LIVE_SOCKETS_PER_ACCOUNT_MAX: Final = 24
"""Sockets. Of one account: eight devices."""

LIVE_ENTRY_BYTES_MAX: Final = 100 * 1024
"""Bytes. An entry (as JSON) that is sent at once; a larger one is only named, and fetched from the log. The largest
message and a change of a hundred members stay below."""

LIVE_FRAME_BYTES_MAX: Final = 128 * 1024
"""Bytes. One joined frame; what is more goes into the next."""

LIVE_QUEUE_BYTES_MAX: Final = 768 * 1024
"""Bytes. That wait for one receiver: seconds of a lively room on a slow line. Beyond it the receiver is let go and
catches up by the log."""

LIVE_QUEUES_BYTES_MAX: Final = 48 * 1024 * 1024
"""Bytes. That wait for all receivers together; the longest queues leave first."""

LIVE_EASE_BYTES: Final = 256 * 1024
"""Bytes. While a receiver of the room has more to read than this, a sender's answer waits a little."""

LIVE_EASE_STEPS: Final = 10
LIVE_EASE_STEP_SECONDS: Final = 0.02
"""Seconds. At most ten of them: a receiver that reads nothing must not hold senders up for long."""

LIVE_PING_SECONDS: Final = 50.0
"""Seconds. Between two signs of life on a quiet socket: below the usual 60 of proxies; half of it is waited for."""

LIVE_GOODBYE_SECONDS: Final = 3.0
"""Seconds. For the other side to take a close frame."""

ACKNOWLEDGE_SECONDS: Final = 0.5
"""Seconds. Acknowledgements that arrive on live sockets are written together so often. One that is lost in a crash is
made again, because the client then hears the entry again."""

ACKNOWLEDGEMENTS_TOGETHER_MAX: Final = 100
"""Pairs. In one write: two milliseconds."""

ACKNOWLEDGEMENTS_WAITING_MAX: Final = 20_000
"""Pairs of device and room. Acknowledgements that wait to be written."""
