"""Shapes of what members' devices and this node say to each other, as JSON Schema with its bounds."""

from typing import Any, Final

from hedgerow_protocol import base64url, limits

WHOLE = {"type": "integer", "minimum": 0, "maximum": limits.SEQUENCE_MAX}
_SECONDS = {"type": "integer", "minimum": 0, "description": "Unix seconds."}
_NUMBER = {
    "type": "integer", "minimum": 0, "maximum": 2**53 - 1, "description": "The client's own number of a submission.",
}  # fmt: skip
_YES = {"type": "boolean"}
_TEXT = {"type": "string"}


def fixed(size: int, description: str = "") -> dict[str, Any]:
    """So many bytes in base64url."""
    length = base64url.length_of(size)
    schema: dict[str, Any] = {"type": "string", "pattern": f"^[A-Za-z0-9_-]{{{length}}}$"}
    schema["description"] = f"{description} {size} bytes in base64url without padding.".strip()
    return schema


def sized(size_max: int, description: str = "") -> dict[str, Any]:
    """Up to so many bytes in base64url."""
    return {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]*$",
        "maxLength": base64url.length_of(size_max),
        "description": f"{description} At most {size_max} bytes, in base64url without padding.".strip(),
    }


def an_object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object whose members are required but for ``optional``."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def a_list(items: dict[str, Any], many_max: int | None = None) -> dict[str, Any]:
    """An array, of at most so many."""
    return {"type": "array", "items": items} | ({"maxItems": many_max} if many_max is not None else {})


def ref(name: str) -> dict[str, Any]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


ID: Final = fixed(16)
HASH: Final = fixed(32)
ROOM: Final = fixed(32, "The room's id, which is its MLS group id.")
NODE: Final = fixed(32, "A node's id, which is its Ed25519 public key.")
HUB: Final = {
    **NODE,
    "description": "The node that orders the room and signs its heads; only where it is another one than this.",
}
HOME: Final = {**NODE, "description": "The newcomer's own node; only where it is another one."}

SCHEMAS: dict[str, Any] = {
    "NewDevice": an_object(
        {"id": fixed(16, "Chosen by the device."), "token_hash": fixed(32, "SHA-256 of its token.")}
    ),
    "Account": an_object(
        {
            "account": fixed(32, "The account's Ed25519 public key."),
            "device": ID,
            "node_id": fixed(32, "The node's Ed25519 public key, which signs heads."),
            "title": _TEXT,
            "may_invite": _YES,
        }
    ),
    "Registration": an_object(
        {"invite": an_object({"id": ID, "proof": HASH}), "account_key": HASH, "device": ref("NewDevice")}
    ),
    "Challenge": an_object({"challenge": fixed(32, "Good for two minutes and one time.")}),
    "Recovery": an_object(
        {
            "account_key": HASH,
            "challenge": HASH,
            "signature": fixed(64, "By the account key, over the challenge, the device's id and its token hash."),
            "device": ref("NewDevice"),
        }
    ),
    "Device": an_object({"id": ID, "created_day": _SECONDS, "this": _YES}),
    "NewInvite": an_object(
        {
            "id": ID,
            "proof_hash": HASH,
            "expires": _SECONDS,
            "uses": {"type": "integer", "minimum": 0, "maximum": limits.INVITE_USES_MAX},
            "note": sized(limits.INVITE_NOTE_BYTES_MAX, "Sealed; the node cannot read it."),
            "room": ROOM,
        },
        optional=("note", "room"),
    ),
    "OwnInvite": an_object(
        {
            "id": ID,
            "expires": _SECONDS,
            "uses": WHOLE,
            "uses_left": WHOLE,
            "note": sized(limits.INVITE_NOTE_BYTES_MAX),
            "room": or_null(ROOM),
        }
    ),
    "Invite": an_object(
        {
            "title": _TEXT,
            "expires": _SECONDS,
            "uses_left": WHOLE,
            "accounts": _YES,
            "note": sized(limits.INVITE_NOTE_BYTES_MAX),
        }
    ),
    "AskByInvite": an_object({"proof": HASH, "ask": sized(limits.ASK_BYTES_MAX, "Sealed.")}),
    "AskForRoom": an_object({"ask": sized(limits.ASK_BYTES_MAX)}),
    "Ask": an_object(
        {
            "id": ID,
            "invite": or_null(ID),
            "room": or_null(ROOM),
            "ask": sized(limits.ASK_BYTES_MAX),
            "time": _SECONDS,
        }
    ),
    "Id": an_object({"id": ID}),
    "KeyPackageOffer": an_object(
        {
            "ref": HASH,
            "key_package": sized(limits.KEY_PACKAGE_BYTES_MAX, "A KeyPackage of suite 1 (RFC 9420, 10)."),
            "mailbox": ID,
            "consent_hash": fixed(32, "SHA-256 of the token that lets somebody claim it."),
            "room": ROOM,
            "expires": _SECONDS,
        },
        optional=("room",),
    ),
    "Claim": an_object({"ref": HASH, "consent": sized(limits.CONSENT_BYTES_MAX), "home": HOME}, optional=("home",)),
    "KeyPackage": an_object({"key_package": sized(limits.KEY_PACKAGE_BYTES_MAX), "mailbox": ID}),
    "NewRoom": an_object({"room": ROOM, "mailbox": ID}),
    "Head": an_object({"seq": WHOLE, "hash": HASH, "time": _SECONDS, "signature": fixed(64)}),
    "RoomHead": an_object({"head": ref("Head")}),
    "Entry": an_object(
        {
            "seq": {"type": "integer", "minimum": 1},
            "time": _SECONDS,
            "kind": {"type": "string", "enum": ["commit", "message"]},
            "epoch": WHOLE,
            "id": ID,
            "payload": or_null(sized(limits.COMMIT_BYTES_MAX, "Null when it is no longer kept.")),
            "payload_hash": fixed(32, "Only where the payload is null."),
            "hash": HASH,
        },
        optional=("payload_hash",),
    ),
    "LogPage": an_object(
        {"entries": a_list(ref("Entry"), limits.LOG_PAGE_ENTRIES_MAX), "head": ref("Head"), "hub": HUB},
        optional=("hub",),
    ),
    "Submission": an_object(
        {
            "mailbox": ID,
            "id": fixed(16, "Chosen by the author; the same id again gives the same answer."),
            "kind": {"type": "string", "enum": ["commit", "message"]},
            "epoch": WHOLE,
            "seen": {**WHOLE, "description": "The last seq the author has processed."},
            "payload": sized(
                limits.COMMIT_BYTES_MAX,
                f"A PrivateMessage; one of kind message has at most {limits.MESSAGE_BYTES_MAX} bytes.",
            ),
            "welcomes": a_list(
                an_object(
                    {
                        "ref": HASH,
                        "payload": sized(limits.WELCOME_BYTES_MAX),
                        "home": {**NODE, "description": "The newcomer's node, where it is not the room's hub."},
                        "mailbox": {**ID, "description": "The newcomer's, as the KeyPackage names it; with home."},
                    },
                    optional=("home", "mailbox"),
                ),
                limits.WELCOMES_MAX,
            ),
            "removes": a_list(ID, limits.REMOVES_MAX),
        },
        optional=("welcomes", "removes"),
    ),
    "LiveSubmission": an_object(
        {"submit": {"allOf": [ref("Submission"), an_object({"room": ROOM})]}, "n": _NUMBER},
    ),
    "LiveSubmitted": {"allOf": [an_object({"submitted": _NUMBER}), ref("Accepted")]},
    "LiveRefused": {
        "description": "What the POST would have answered; with entries and head where another commit was first.",
        "allOf": [
            an_object(
                {
                    "refused": _NUMBER,
                    "retry_after": {"type": "integer", "minimum": 0, "description": "Seconds."},
                    "entries": a_list(ref("Entry"), limits.LOG_PAGE_ENTRIES_MAX),
                    "head": ref("Head"),
                    "hub": HUB,
                },
                optional=("retry_after", "entries", "head", "hub"),
            ),
            ref("Problem"),
        ],
    },
    "Accepted": an_object({"seq": {"type": "integer", "minimum": 1}, "time": _SECONDS, "hash": HASH}),
    "Places": an_object(
        {
            "hub": {**NODE, "description": "The node that orders the room; perhaps this one."},
            "followers": a_list(NODE),
            "away_since": {**_SECONDS, "description": "Since when a hub is not there or keeps something back."},
            "faulty": {
                **a_list(ref("Head"), 2),
                "minItems": 2,
                "description": "Two heads that contradict each other, both signed by the hub.",
            },
        },
        optional=("faulty", "away_since"),
    ),
    "NewNote": an_object({"note": sized(limits.ROOM_NOTE_BYTES_MAX, "Sealed to the room's devices.")}),
    "Note": an_object({"number": WHOLE, "note": sized(limits.ROOM_NOTE_BYTES_MAX)}),
    "Statement": an_object({"by": fixed(32), "seq": WHOLE, "hash": HASH, "signature": fixed(64)}),
    "NewMove": an_object(
        {
            "number": {**WHOLE, "minimum": 1},
            "hub": NODE,
            "statements": a_list(ref("Statement"), limits.MOVE_STATEMENTS_MAX),
            "mailboxes": {**a_list(ID, limits.MAILBOXES_OF_ROOM_MAX), "description": "Of all members' devices."},
        }
    ),
    "Move": an_object(
        {
            "number": {**WHOLE, "minimum": 1},
            "hub": NODE,
            "head": {**or_null(ref("Head")), "description": "Where that node begins; null: it has not begun."},
            "statements": a_list(ref("Statement"), limits.MOVE_STATEMENTS_MAX),
        }
    ),
    "PutBack": an_object(
        {"mailbox": ID, "seen": {**WHOLE, "description": "The last seq processed: what a later commit did stays."}}
    ),
    "MailboxState": an_object(
        {
            "rooms": a_list(
                an_object(
                    {
                        "room": ROOM,
                        "mailbox": ID,
                        "acknowledged": WHOLE,
                        "head": ref("Head"),
                        "until": {
                            **or_null(WHOLE),
                            "description": "The last seq this mailbox may read, when it was taken out; else null.",
                        },
                        "notes": {**WHOLE, "description": "The number of the newest note; 0: there is none."},
                        "hub": HUB,
                    },
                    optional=("hub",),
                )
            ),
            "welcomes": WHOLE,
            "asks": WHOLE,
        }
    ),
    "Acknowledgement": an_object(
        {"acknowledged": a_list(an_object({"room": ROOM, "seq": WHOLE}), limits.ROOMS_OF_DEVICE_MAX)}
    ),
    "Welcome": an_object(
        {"id": ID, "ref": HASH, "room": ROOM, "seq": WHOLE, "payload": sized(limits.WELCOME_BYTES_MAX)}
    ),
    "Sealed": an_object({"version": {**WHOLE, "minimum": 1}, "body": sized(limits.SEALED_VAULT_BYTES_MAX)}),
    "Left": an_object({"body": sized(limits.RENDEZVOUS_BYTES_MAX)}),
}
