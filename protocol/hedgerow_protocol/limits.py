"""Every number a stranger can push against: its value, its unit and its reason.

Names read THING_UNIT_MAX so that siblings sort together. ``docs/protocol/limits.md`` is generated from this file, so
each constant is followed by one sentence that says why it is what it is.
"""

from typing import Final

ENVELOPE_BYTES_MAX: Final = 40 * 1024
"""Bytes. A listing with its signatures; small enough for one network message (65,535) beside its framing."""

BODY_BYTES_MAX: Final = 32 * 1024
"""Bytes. The signed body: 64 weekly meetings with notes fit; real feeds need below 12 KiB."""

NESTING_DEPTH_MAX: Final = 8
"""Levels of arrays. The deepest record (listing, meeting, moved occurrence) needs 5."""

ARRAY_ITEMS_MAX: Final = 512
"""Items. The longest array of any record (dates of one meeting) is shorter."""

STEWARDS_MAX: Final = 16
"""Keys. One charter's stewards: a group chooses a handful, and a check stays below 2 ms."""

SIGNATURES_MAX: Final = 32
"""Signatures. All old and all new stewards at a change of charter."""

CHARTER_DEPTH_MAX: Final = 64
"""Charters. Changes of stewards in one chain: one a year for a lifetime; bounds the walk of the state function."""

CHARTER_FORKS_MAX: Final = 4
"""Charters. Children of one charter that are kept as evidence of a dispute (those with the smallest ids)."""

CHARTER_ENTRIES_MAX: Final = 20_000
"""Listings. One directory charter; the largest intergroup feeds known hold a tenth of this."""

RECORDS_STORED_MAX: Final = 300_000
"""Records. One store by default: about 1 GB on disk, which a small board holds."""

WAITING_ENVELOPES_MAX: Final = 2_000
"""Envelopes. Held in memory until the charter they name arrives; the oldest leave first."""

ENTRY_BYTES_MAX: Final = 16
"""Bytes. The name of one entry below a charter; a truncated hash fits."""

LEASE_SECONDS_DEFAULT: Final = 90 * 86_400
"""Seconds. A listing must be confirmed again within 90 days or it fades."""

LEASE_SECONDS_MAX: Final = 400 * 86_400
"""Seconds. A yearly group can renew once a year with a month to spare."""

ANNOUNCEMENT_SECONDS_MAX: Final = 30 * 86_400
"""Seconds. A node that is gone is forgotten within a month."""

CLOCK_SKEW_SECONDS_MAX: Final = 86_400
"""Seconds. How far ahead a record's issue time may be: no clock that is half a day wrong splits the network."""

TIMESTAMP_MAX: Final = 2**40
"""Seconds since 1970. Far beyond any date a calendar library handles, and safe in every language's integers."""

SEQUENCE_MAX: Final = 2**53 - 1
"""Count. Versions of one listing; safe in JavaScript's numbers."""

NODE_ADDRESSES_MAX: Final = 8
"""Addresses. One node: web name, IPv4, IPv6, onion, and some to spare."""

NODE_ADDRESS_BYTES_MAX: Final = 255
"""Bytes. A host name's own limit and a short path."""

NODE_FEATURES_MAX: Final = 16
"""Names. Features one node announces."""

HOSTS_MAX: Final = 8
"""Node ids. Nodes that host one listing's conversations."""

MEETINGS_MAX: Final = 64
"""Meetings. One listing: nine a day in a busy week; an import splits larger groups."""

NAME_CHARACTERS_MAX: Final = 255
"""Characters. Meeting Guide's own limit."""

TEXT_CHARACTERS_MAX: Final = 4_000
"""Characters. One free text (notes, summary): a page; the longest in real feeds is 1,124."""

SHORT_CHARACTERS_MAX: Final = 255
"""Characters. One line: an address, a place's name, a label."""

URL_CHARACTERS_MAX: Final = 2_000
"""Characters. What every browser opens."""

SLUG_CHARACTERS_MAX: Final = 128
"""Characters. Meeting Guide asks for 64; real feeds have 107 longer ones in 7,592."""

TAGS_MAX: Final = 64
"""Tags. One facet of one listing or meeting; the largest vocabulary has 87 codes over five facets."""

TAG_CHARACTERS_MAX: Final = 64
"""Characters. One tag or language tag."""

DATES_MAX: Final = 366
"""Dates. Cancelled or added dates of one meeting: a year of days."""

CHANGES_MAX: Final = 64
"""Changes. Occurrences of one meeting moved to another time."""

REGIONS_MAX: Final = 8
"""Names. General to specific: country to street."""

CONTACTS_MAX: Final = 8
"""Contacts. Public ones of one listing; three in Meeting Guide, two in BMLT."""

LINKS_MAX: Final = 8
"""Links. Web pages of one listing or ways to join one meeting."""

EXTRAS_MAX: Final = 64
"""Pairs. Fields of a source format that have no place of their own, kept so that nothing is lost."""

EXTRA_KEY_CHARACTERS_MAX: Final = 80
"""Characters. Format prefix and field name."""

DURATION_MINUTES_MAX: Final = 7 * 1440
"""Minutes. A week-long retreat."""

RRULE_CHARACTERS_MAX: Final = 255
"""Characters. One RFC 5545 recurrence rule in canonical form."""

RULE_INTERVAL_MAX: Final = 400
"""Count. Weeks, months or days between occurrences."""

RULE_COUNT_MAX: Final = 5_000
"""Occurrences. A rule that counts; bounds every expansion."""

FRAME_BYTES_MAX: Final = 65_000
"""Bytes. One message between nodes: what a Noise message (65,535) holds beside its padding and tag."""

RECORDS_BYTES_MAX: Final = 60_000
"""Bytes. The envelopes of one message; leaves room to carry the whole through a relay."""

ENVELOPES_MAX: Final = 256
"""Envelopes. In one message; the smallest is 200 bytes, so 60,000 bytes hold no more."""

IDS_MAX: Final = 256
"""Ids. In one question or offer: 9 kB."""

PEERS_TOLD_MAX: Final = 16
"""Announcements. In one answer to a node that asks for others: enough to go on, too few to fill an address book."""

WAIT_SECONDS_MAX: Final = 86_400
"""Seconds. The longest time one node can ask another to stay away."""

MESSAGE_BYTES_MAX: Final = 72 * 1024
"""Bytes. An MLS message of a room: the largest padding bucket (64 KiB) and what MLS puts around it."""

COMMIT_BYTES_MAX: Final = 256 * 1024
"""Bytes. A commit: one for 200 members has 17 kB, with fifty newcomers and their proofs 60 kB."""

WELCOME_BYTES_MAX: Final = 512 * 1024
"""Bytes. A Welcome with the ratchet tree inside: 70 kB at 200 members."""

WELCOMES_MAX: Final = 64
"""Welcomes. With one commit: devices that are let in at once."""

WELCOMES_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes. All Welcomes of one commit together: fifty at once into a room of two hundred."""

REMOVES_MAX: Final = 256
"""Mailboxes. Taken out by one commit: every device of a large room."""

KEY_PACKAGE_BYTES_MAX: Final = 4 * 1024
"""Bytes. A KeyPackage of suite 1 with its certificate has about 500."""

KEY_PACKAGES_AT_ONCE_MAX: Final = 20
"""KeyPackages. In one request."""

KEY_PACKAGES_HELD_MAX: Final = 200
"""KeyPackages. Of one device: one for each ask that is open and each room it waits to come back to."""

KEY_PACKAGE_SECONDS_MAX: Final = 90 * 86_400
"""Seconds. A KeyPackage is made for one ask; nobody approves an older one."""

CONSENT_BYTES_MAX: Final = 64
"""Bytes. The token that lets somebody claim a KeyPackage; 16 at least."""

ROOMS_OF_DEVICE_MAX: Final = 500
"""Rooms. In which one device takes part: more than anybody follows."""

MAILBOXES_OF_DEVICE_MAX: Final = 1_000
"""Mailboxes. Registered by one device, those among them that wait to be let in."""

MAILBOXES_OF_ROOM_MAX: Final = 1_000
"""Mailboxes. That take part in one room: what one log is tested with."""

DEVICES_OF_ACCOUNT_MAX: Final = 16
"""Devices. Of one person, the forgotten ones among them."""

WELCOMES_WAITING_MAX: Final = 500
"""Welcomes. That wait for one device."""

LOG_PAGE_ENTRIES_MAX: Final = 500
"""Entries. In one answer."""

LOG_PAGE_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Payloads in one answer; the first entry is always in it."""

ROOM_LOG_BYTES_MAX: Final = 256 * 1024 * 1024
"""Bytes. Payloads of one room's log that are kept at once: 30,000 messages of 8 kB in a month."""

MESSAGE_SECONDS_KEPT: Final = 30 * 86_400
"""Seconds. Who is away for longer has the rest from the others."""

COMMIT_SECONDS_KEPT: Final = 90 * 86_400
"""Seconds. Without them a device cannot go on; after a season it is let in anew."""

WELCOME_SECONDS_KEPT: Final = 90 * 86_400
"""Seconds. As long as the commits that follow it."""

ASK_SECONDS_KEPT: Final = 30 * 86_400
"""Seconds. Who was not answered in a month asks again."""

ASK_BYTES_MAX: Final = 16 * 1024
"""Bytes. Sealed: a name, a few words, what lets the newcomer be added."""

ASKS_OF_INVITE_MAX: Final = 200
"""Asks. Open at once by one invitation."""

ASKS_OF_ACCOUNT_MAX: Final = 50
"""Asks. Open at once of one account."""

INVITE_NOTE_BYTES_MAX: Final = 2 * 1024
"""Bytes. Sealed: who invites to what."""

INVITE_SECONDS_MAX: Final = 90 * 86_400
"""Seconds. A link on a poster is renewed each season."""

INTAKE_SECONDS_MAX: Final = 400 * 86_400
"""Seconds. An invitation that stands in a group's listing lasts as long as the listing at most."""

INVITE_USES_MAX: Final = 1_000
"""Accounts. Made with one invitation of the keeper: a whole community on one poster."""

INVITE_USES_OF_MEMBER_MAX: Final = 50
"""Accounts. Made with one invitation of a member."""

INVITES_OF_ACCOUNT_MAX: Final = 100
"""Invitations. Open at once of one account."""

BLOB_BYTES_MAX: Final = 10 * 1024 * 1024
"""Bytes. One file's ciphertext: a photograph, a few pages; not a film."""

BLOB_SECONDS_KEPT: Final = 30 * 86_400
"""Seconds. As long as the message that names it."""

BLOBS_OF_ACCOUNT_BYTES_MAX: Final = 256 * 1024 * 1024
"""Bytes. Files of one account that are kept at once."""

BLOBS_OF_ROOM_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Bytes. Files of one room that are kept at once."""

SEALED_INDEX_BYTES_MAX: Final = 1024 * 1024
"""Bytes. The sealed index of an account's rooms: about a hundred for each."""

SEALED_VAULT_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes. The sealed vault of one device: the state of a hundred rooms."""

RENDEZVOUS_BYTES_MAX: Final = 4 * 1024
"""Bytes. What one of two devices that link leaves for the other."""

RENDEZVOUS_SECONDS_MAX: Final = 600
"""Seconds. Both devices lie on one table."""

RENDEZVOUS_MAX: Final = 1_000
"""Meeting places. Open at once; 8 MB of memory at most."""

CHALLENGE_SECONDS_MAX: Final = 120
"""Seconds. From the challenge to the signature of a recovery, which a program makes at once."""

LETTER_FRAME_BYTES_MAX: Final = 60 * 1024
"""Bytes. A letter, or a part of one, in one message between nodes: fits a frame, also one within a circuit."""

LETTER_BYTES_MAX: Final = 5 * 1024 * 1024
"""Bytes. A letter in parts: a commit with all the Welcomes it may carry."""

NOTIFY_ENTRIES_MAX: Final = 256
"""Entries. In one notify, and under way to one follower of a room."""

NOTIFY_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Payloads in one notify, and under way to one follower of a room; the first entry is always in it."""

FOLLOWERS_TOLD_MAX: Final = 200
"""Nodes. Told to one follower of a room: with more, each compares heads with some, and all still hear of a fork."""

FOLLOW_MAILBOXES_MAX: Final = 500
"""Mailboxes. Named in one request to follow a room; one that takes part is enough to be told everything."""

FORK_PROOF_BYTES_MAX: Final = 1024 * 1024
"""Bytes. A proof that a hub lied: two heads, and 16,000 entries without their payloads between them."""

BLOB_PIECE_BYTES_MAX: Final = 48 * 1024
"""Bytes. Of a file, in one letter: the letter fits one frame."""

ROOM_NOTE_BYTES_MAX: Final = 4 * 1024
"""Bytes. A member's sealed word beside the log: a statement about moving the room has 700."""

ROOM_NOTES_OF_NODE_MAX: Final = 256
"""Notes. Kept of one room from the members of one node; the oldest make room for new ones."""

ROOM_NOTE_SECONDS_KEPT: Final = 30 * 86_400
"""Seconds. A note: devices that were away for weeks still hear how the others decided."""

MOVE_STATEMENTS_MAX: Final = 500
"""Statements. About one move: one of each member of the largest room."""

DROP_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Sealed letters for a node that is not there; a larger letter waits for a link."""

DROP_LETTERS_MAX: Final = 256
"""Letters. In one drop."""

DROP_SECONDS_KEPT: Final = 14 * 86_400
"""Seconds. A drop that nobody fetches: a home that is off for a holiday."""

DROPS_TOLD_MAX: Final = 64
"""Drops. In one answer to the node they are for, and named as taken in one request."""

DROPS_TOLD_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Drops in one answer; the first one is always in it."""

assert BODY_BYTES_MAX + SIGNATURES_MAX * 120 < ENVELOPE_BYTES_MAX < 65_535  # noqa: S101 - relations of constants
assert DATES_MAX < ARRAY_ITEMS_MAX  # noqa: S101
assert LEASE_SECONDS_DEFAULT < LEASE_SECONDS_MAX  # noqa: S101
assert ENVELOPE_BYTES_MAX < RECORDS_BYTES_MAX < FRAME_BYTES_MAX < 65_535 - 16 - 2  # noqa: S101
assert BLOB_PIECE_BYTES_MAX < LETTER_FRAME_BYTES_MAX < FRAME_BYTES_MAX  # noqa: S101
assert DROP_BYTES_MAX + DROPS_TOLD_BYTES_MAX < LETTER_BYTES_MAX  # noqa: S101
assert COMMIT_BYTES_MAX + WELCOMES_BYTES_MAX < LETTER_BYTES_MAX - 64 * 1024  # noqa: S101
