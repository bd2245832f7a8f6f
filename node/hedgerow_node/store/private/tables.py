"""The tables of ``private.db``, as numbered steps that are never edited once released.

What is not here cannot be found by whoever takes the disk: no names, no addresses, no times of use, nothing of who
sent an entry, who invited whom, or which member is behind a room's leaf. Where a day is enough, a day is kept.
"""

from typing import Final

from hedgerow_node.store.migrations import Step

SET_NAME: Final = "hedgerow-private"

ROOM_SHIFT: Final = 32
"""Bits. An entry's number is its room's row shifted by these, plus its seq: a room's log lies together."""

_FIRST = (
    # Rows of accounts, devices and rooms are never used again for another one.
    """
    CREATE TABLE account (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      key BLOB NOT NULL UNIQUE,
      day INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE device (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
      name BLOB NOT NULL UNIQUE,
      token_hash BLOB NOT NULL UNIQUE,
      day INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX device_account ON device (account)",
    # Where each log stands. messages_from: no message with a lower seq has a payload any more.
    """
    CREATE TABLE room (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name BLOB NOT NULL UNIQUE,
      seq INTEGER NOT NULL,
      time INTEGER NOT NULL,
      hash BLOB NOT NULL,
      bytes INTEGER NOT NULL DEFAULT 0,
      messages_from INTEGER NOT NULL DEFAULT 1
    ) STRICT
    """,
    # kind 1: commit, 2: message. payload_hash only once the payload is gone.
    """
    CREATE TABLE entry (
      id INTEGER PRIMARY KEY,
      time INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      submission BLOB NOT NULL,
      hash BLOB NOT NULL,
      payload_hash BLOB,
      payload BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX entry_submission ON entry (id >> 32, submission)",
    "CREATE INDEX entry_commit ON entry (epoch) WHERE kind = 1",
    "CREATE INDEX entry_commit_kept ON entry (kind) WHERE kind = 1 AND payload IS NOT NULL",
    # One device in one room. room NULL: it waits to be let in. until: the last seq it may read, once it was taken out.
    # device NULL: that device was revoked; the account may ask to come back to the room with another one.
    """
    CREATE TABLE mailbox (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL UNIQUE,
      account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
      device INTEGER REFERENCES device,
      room INTEGER REFERENCES room,
      joined INTEGER NOT NULL DEFAULT 0,
      until INTEGER,
      acknowledged INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX mailbox_room ON mailbox (room) WHERE room IS NOT NULL",
    "CREATE INDEX mailbox_device ON mailbox (device, room)",
    "CREATE INDEX mailbox_account ON mailbox (account)",
    # account NULL: the keeper's.
    """
    CREATE TABLE invite (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL UNIQUE,
      account INTEGER REFERENCES account ON DELETE CASCADE,
      room INTEGER REFERENCES room ON DELETE CASCADE,
      proof_hash BLOB NOT NULL,
      expires INTEGER NOT NULL,
      uses INTEGER NOT NULL,
      used INTEGER NOT NULL DEFAULT 0,
      note BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX invite_account ON invite (account)",
    "CREATE INDEX invite_room ON invite (room) WHERE room IS NOT NULL",
    """
    CREATE TABLE ask (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL UNIQUE,
      account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
      device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
      invite INTEGER REFERENCES invite ON DELETE CASCADE,
      room INTEGER REFERENCES room ON DELETE CASCADE,
      body BLOB NOT NULL,
      day INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX ask_account ON ask (account)",
    "CREATE INDEX ask_device ON ask (device)",
    "CREATE INDEX ask_invite ON ask (invite) WHERE invite IS NOT NULL",
    "CREATE INDEX ask_room ON ask (room) WHERE room IS NOT NULL",
    # claimed: the account that took it.
    """
    CREATE TABLE key_package (
      id INTEGER PRIMARY KEY,
      ref BLOB NOT NULL UNIQUE,
      device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
      mailbox INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE,
      room BLOB,
      consent_hash BLOB NOT NULL,
      expires INTEGER NOT NULL,
      claimed INTEGER REFERENCES account ON DELETE CASCADE,
      data BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX key_package_device ON key_package (device)",
    "CREATE INDEX key_package_mailbox ON key_package (mailbox)",
    "CREATE INDEX key_package_claimed ON key_package (claimed) WHERE claimed IS NOT NULL",
    """
    CREATE TABLE welcome (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL UNIQUE,
      device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      ref BLOB NOT NULL,
      seq INTEGER NOT NULL,
      day INTEGER NOT NULL,
      payload BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX welcome_device ON welcome (device)",
    "CREATE INDEX welcome_room ON welcome (room)",
    # Files lie beside the database; see files.py.
    """
    CREATE TABLE blob (
      id INTEGER PRIMARY KEY,
      hash BLOB NOT NULL,
      room INTEGER NOT NULL REFERENCES room,
      account INTEGER REFERENCES account ON DELETE SET NULL,
      size INTEGER NOT NULL,
      day INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX blob_hash ON blob (hash, room)",
    "CREATE INDEX blob_room ON blob (room)",
    "CREATE INDEX blob_account ON blob (account) WHERE account IS NOT NULL",
    """
    CREATE TABLE sealed (
      id INTEGER PRIMARY KEY,
      account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      digest BLOB NOT NULL,
      file TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX sealed_name ON sealed (account, name)",
)

_ACROSS_NODES = (
    # hub: the node that orders the room; NULL: this one. signature: the hub's, of the head that stands in the row.
    "ALTER TABLE room ADD COLUMN hub BLOB",
    "ALTER TABLE room ADD COLUMN signature BLOB",
    # The hub's signature of the head at until, in a room of another hub.
    "ALTER TABLE mailbox ADD COLUMN until_signature BLOB",
    # Claimed through another node: which one, and its tag for the account, which is another one for every KeyPackage.
    "ALTER TABLE key_package ADD COLUMN claimed_node BLOB",
    "ALTER TABLE key_package ADD COLUMN claimed_tag BLOB",
    # The node that was asked; then there is neither invite nor room here.
    "ALTER TABLE ask ADD COLUMN node BLOB",
    # Devices of other nodes in rooms of this hub. gone: 1 once its home took it back; nobody can put it back then.
    """
    CREATE TABLE far_mailbox (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      node BLOB NOT NULL,
      joined INTEGER NOT NULL,
      until INTEGER,
      gone INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE UNIQUE INDEX far_mailbox_name ON far_mailbox (room, name)",
    "CREATE INDEX far_mailbox_node ON far_mailbox (node, room)",
    # How far another node has a room of this hub on its disk.
    """
    CREATE TABLE follower (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      node BLOB NOT NULL,
      acknowledged INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX follower_node ON follower (node, room)",
    "CREATE INDEX follower_room ON follower (room)",
    # Other nodes that follow a room of another hub, as the hub or they themselves say.
    """
    CREATE TABLE fellow (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      node BLOB NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX fellow_room ON fellow (room, node)",
    # That the room's hub told two stories: hedgerow_protocol.federation.forks.
    """
    CREATE TABLE fork (
      room INTEGER PRIMARY KEY REFERENCES room ON DELETE CASCADE,
      proof BLOB NOT NULL
    ) STRICT
    """,
    # Requests to other nodes, until they are answered and a day longer. about: what the same request would be about.
    # status NULL: not answered yet.
    """
    CREATE TABLE outgoing (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      request BLOB NOT NULL UNIQUE,
      node BLOB NOT NULL,
      kind TEXT NOT NULL,
      room BLOB,
      about BLOB NOT NULL,
      device INTEGER REFERENCES device ON DELETE SET NULL,
      body BLOB NOT NULL,
      created INTEGER NOT NULL,
      status TEXT,
      answer BLOB,
      answered INTEGER
    ) STRICT
    """,
    "CREATE INDEX outgoing_waiting ON outgoing (node, id) WHERE status IS NULL",
    "CREATE INDEX outgoing_about ON outgoing (node, kind, about)",
    "CREATE INDEX outgoing_device ON outgoing (device) WHERE device IS NOT NULL",
    "CREATE INDEX outgoing_answered ON outgoing (answered) WHERE answered IS NOT NULL",
    # Asks that came from another node. node: where from. invite: of this node; told_invite: of another one.
    """
    CREATE TABLE far_ask (
      id INTEGER PRIMARY KEY,
      name BLOB NOT NULL UNIQUE,
      node BLOB NOT NULL,
      tag BLOB NOT NULL,
      invite INTEGER REFERENCES invite ON DELETE CASCADE,
      room INTEGER REFERENCES room ON DELETE CASCADE,
      told_invite BLOB,
      body BLOB NOT NULL,
      day INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX far_ask_node ON far_ask (node)",
    "CREATE INDEX far_ask_invite ON far_ask (invite) WHERE invite IS NOT NULL",
    "CREATE INDEX far_ask_room ON far_ask (room) WHERE room IS NOT NULL",
    # Files that are on their way to the hub of their room.
    """
    CREATE TABLE blob_out (
      blob INTEGER PRIMARY KEY REFERENCES blob ON DELETE CASCADE,
      created INTEGER NOT NULL
    ) STRICT
    """,
)

_MOVING = (
    # closed: 1 once more than half of the members have moved the room away from this hub: nothing more is ordered here.
    "ALTER TABLE room ADD COLUMN closed INTEGER",
    # Members' sealed words beside the log. node: where from; NULL: of a device here.
    """
    CREATE TABLE note (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      node BLOB,
      digest BLOB NOT NULL,
      body BLOB NOT NULL,
      day INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX note_digest ON note (room, digest)",
    "CREATE INDEX note_day ON note (day)",
    # Moves of which a device here has said that they are decided. seq to signature: the head at which the new hub
    # begins, signed by it; NULL until it has begun. statements: members' JSON, one a line. mailboxes: of all members.
    """
    CREATE TABLE move (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      number INTEGER NOT NULL,
      hub BLOB NOT NULL,
      seq INTEGER,
      hash BLOB,
      time INTEGER,
      signature BLOB,
      statements BLOB NOT NULL,
      mailboxes BLOB NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX move_number ON move (room, number)",
    "CREATE INDEX move_waits ON move (id) WHERE signature IS NULL",
    # Mailboxes of members in a room that has moved here, of which it is not known yet at which node they are.
    """
    CREATE TABLE unclaimed (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
      name BLOB NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX unclaimed_name ON unclaimed (room, name)",
)

_DROPS = (
    # Sealed letters of other nodes that this one keeps for nodes that come for them. depositor: the link they came by.
    """
    CREATE TABLE deposit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name BLOB NOT NULL UNIQUE,
      destination BLOB NOT NULL,
      depositor BLOB NOT NULL,
      size INTEGER NOT NULL,
      day INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX deposit_destination ON deposit (destination, id)",
    "CREATE INDEX deposit_sizes ON deposit (depositor, destination, size)",
    "CREATE INDEX deposit_day ON deposit (day)",
    # What was left for a node last: the same is not left again before a day has passed.
    """
    CREATE TABLE dropped (
      node BLOB PRIMARY KEY,
      digest BLOB NOT NULL,
      time INTEGER NOT NULL
    ) STRICT
    """,
    # Drops that were opened here: each is read once, however often somebody hands it out.
    """
    CREATE TABLE opened_drop (
      name BLOB PRIMARY KEY,
      day INTEGER NOT NULL
    ) STRICT
    """,
)

_OUT_LAST = (
    # The last commit that took it out, once until is set; it may be a later one. Members judge that some are none.
    "ALTER TABLE mailbox ADD COLUMN out_last INTEGER",
    "ALTER TABLE far_mailbox ADD COLUMN out_last INTEGER",
)

STEPS: Final = (
    Step("0001_accounts_rooms", _FIRST),
    Step("0002_rooms_across_nodes", _ACROSS_NODES),
    Step("0003_moving_rooms", _MOVING),
    Step("0004_drops", _DROPS),
    Step("0005_out_last", _OUT_LAST),
)

PRAGMAS: Final = (
    # An append touches one page of a few tables, and all of each page goes to the log of the database: small ones.
    "PRAGMA page_size = 4096",
    # What is deleted is overwritten.
    "PRAGMA secure_delete = ON",
)
