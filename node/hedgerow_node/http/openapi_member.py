"""The part of the OpenAPI document that is about members: every address of the member API, with its bounds."""

from typing import Any, Final

from hedgerow_node.http.member import base64url
from hedgerow_node.http.member.table import MEMBER_ROUTES
from hedgerow_protocol import limits

MEDIA = "application/json"
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_WHOLE = {"type": "integer", "minimum": 0, "maximum": limits.SEQUENCE_MAX}
_SECONDS = {"type": "integer", "minimum": 0, "description": "Unix seconds."}
_YES = {"type": "boolean"}
_TEXT = {"type": "string"}


def _fixed(size: int, description: str = "") -> dict[str, Any]:
    length = base64url.length_of(size)
    schema: dict[str, Any] = {"type": "string", "pattern": f"^[A-Za-z0-9_-]{{{length}}}$"}
    schema["description"] = f"{description} {size} bytes in base64url without padding.".strip()
    return schema


def _sized(size_max: int, description: str = "") -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]*$",
        "maxLength": base64url.length_of(size_max),
        "description": f"{description} At most {size_max} bytes, in base64url without padding.".strip(),
    }


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _array(items: dict[str, Any], many_max: int | None = None) -> dict[str, Any]:
    return {"type": "array", "items": items} | ({"maxItems": many_max} if many_max is not None else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


ID: Final = _fixed(16)
HASH: Final = _fixed(32)
ROOM: Final = _fixed(32, "The room's id, which is its MLS group id.")
NODE: Final = _fixed(32, "A node's id, which is its Ed25519 public key.")
HUB: Final = {
    **NODE,
    "description": "The node that orders the room and signs its heads; only where it is another one than this.",
}
HOME: Final = {**NODE, "description": "The newcomer's own node; only where it is another one."}

SCHEMAS: dict[str, Any] = {
    "NewDevice": _object(
        {"id": _fixed(16, "Chosen by the device."), "token_hash": _fixed(32, "SHA-256 of its token.")}
    ),
    "Account": _object(
        {
            "account": _fixed(32, "The account's Ed25519 public key."),
            "device": ID,
            "node_id": _fixed(32, "The node's Ed25519 public key, which signs heads."),
            "title": _TEXT,
            "may_invite": _YES,
        }
    ),
    "Registration": _object(
        {"invite": _object({"id": ID, "proof": HASH}), "account_key": HASH, "device": _ref("NewDevice")}
    ),
    "Challenge": _object({"challenge": _fixed(32, "Good for two minutes and one time.")}),
    "Recovery": _object(
        {
            "account_key": HASH,
            "challenge": HASH,
            "signature": _fixed(64, "By the account key, over the challenge, the device's id and its token hash."),
            "device": _ref("NewDevice"),
        }
    ),
    "Device": _object({"id": ID, "created_day": _SECONDS, "this": _YES}),
    "NewInvite": _object(
        {
            "id": ID,
            "proof_hash": HASH,
            "expires": _SECONDS,
            "uses": {"type": "integer", "minimum": 0, "maximum": limits.INVITE_USES_MAX},
            "note": _sized(limits.INVITE_NOTE_BYTES_MAX, "Sealed; the node cannot read it."),
            "room": ROOM,
        },
        optional=("note", "room"),
    ),
    "OwnInvite": _object(
        {
            "id": ID,
            "expires": _SECONDS,
            "uses": _WHOLE,
            "uses_left": _WHOLE,
            "note": _sized(limits.INVITE_NOTE_BYTES_MAX),
            "room": _or_null(ROOM),
        }
    ),
    "Invite": _object(
        {
            "title": _TEXT,
            "expires": _SECONDS,
            "uses_left": _WHOLE,
            "accounts": _YES,
            "note": _sized(limits.INVITE_NOTE_BYTES_MAX),
        }
    ),
    "AskByInvite": _object({"proof": HASH, "ask": _sized(limits.ASK_BYTES_MAX, "Sealed.")}),
    "AskForRoom": _object({"ask": _sized(limits.ASK_BYTES_MAX)}),
    "Ask": _object(
        {
            "id": ID,
            "invite": _or_null(ID),
            "room": _or_null(ROOM),
            "ask": _sized(limits.ASK_BYTES_MAX),
            "time": _SECONDS,
        }
    ),
    "Id": _object({"id": ID}),
    "KeyPackageOffer": _object(
        {
            "ref": HASH,
            "key_package": _sized(limits.KEY_PACKAGE_BYTES_MAX, "A KeyPackage of suite 1 (RFC 9420, 10)."),
            "mailbox": ID,
            "consent_hash": _fixed(32, "SHA-256 of the token that lets somebody claim it."),
            "room": ROOM,
            "expires": _SECONDS,
        },
        optional=("room",),
    ),
    "Claim": _object({"ref": HASH, "consent": _sized(limits.CONSENT_BYTES_MAX), "home": HOME}, optional=("home",)),
    "KeyPackage": _object({"key_package": _sized(limits.KEY_PACKAGE_BYTES_MAX), "mailbox": ID}),
    "NewRoom": _object({"room": ROOM, "mailbox": ID}),
    "Head": _object({"seq": _WHOLE, "hash": HASH, "time": _SECONDS, "signature": _fixed(64)}),
    "RoomHead": _object({"head": _ref("Head")}),
    "Entry": _object(
        {
            "seq": {"type": "integer", "minimum": 1},
            "time": _SECONDS,
            "kind": {"type": "string", "enum": ["commit", "message"]},
            "epoch": _WHOLE,
            "id": ID,
            "payload": _or_null(_sized(limits.COMMIT_BYTES_MAX, "Null when it is no longer kept.")),
            "payload_hash": _fixed(32, "Only where the payload is null."),
            "hash": HASH,
        },
        optional=("payload_hash",),
    ),
    "LogPage": _object(
        {"entries": _array(_ref("Entry"), limits.LOG_PAGE_ENTRIES_MAX), "head": _ref("Head"), "hub": HUB},
        optional=("hub",),
    ),
    "Submission": _object(
        {
            "mailbox": ID,
            "id": _fixed(16, "Chosen by the author; the same id again gives the same answer."),
            "kind": {"type": "string", "enum": ["commit", "message"]},
            "epoch": _WHOLE,
            "seen": {**_WHOLE, "description": "The last seq the author has processed."},
            "payload": _sized(
                limits.COMMIT_BYTES_MAX,
                f"A PrivateMessage; one of kind message has at most {limits.MESSAGE_BYTES_MAX} bytes.",
            ),
            "welcomes": _array(
                _object(
                    {
                        "ref": HASH,
                        "payload": _sized(limits.WELCOME_BYTES_MAX),
                        "home": {**NODE, "description": "The newcomer's node, where it is not the room's hub."},
                        "mailbox": {**ID, "description": "The newcomer's, as the KeyPackage names it; with home."},
                    },
                    optional=("home", "mailbox"),
                ),
                limits.WELCOMES_MAX,
            ),
            "removes": _array(ID, limits.REMOVES_MAX),
        },
        optional=("welcomes", "removes"),
    ),
    "Accepted": _object({"seq": {"type": "integer", "minimum": 1}, "time": _SECONDS, "hash": HASH}),
    "Places": _object(
        {
            "hub": {**NODE, "description": "The node that orders the room; perhaps this one."},
            "followers": _array(NODE),
            "away_since": {**_SECONDS, "description": "Since when something waits for a hub that is not there."},
            "faulty": {
                **_array(_ref("Head"), 2),
                "minItems": 2,
                "description": "Two heads that contradict each other, both signed by the hub.",
            },
        },
        optional=("faulty", "away_since"),
    ),
    "NewNote": _object({"note": _sized(limits.ROOM_NOTE_BYTES_MAX, "Sealed to the room's devices.")}),
    "Note": _object({"number": _WHOLE, "note": _sized(limits.ROOM_NOTE_BYTES_MAX)}),
    "Statement": _object({"by": _fixed(32), "seq": _WHOLE, "hash": HASH, "signature": _fixed(64)}),
    "NewMove": _object(
        {
            "number": {**_WHOLE, "minimum": 1},
            "hub": NODE,
            "statements": _array(_ref("Statement"), limits.MOVE_STATEMENTS_MAX),
            "mailboxes": {**_array(ID, limits.MAILBOXES_OF_ROOM_MAX), "description": "Of all members' devices."},
        }
    ),
    "Move": _object(
        {
            "number": {**_WHOLE, "minimum": 1},
            "hub": NODE,
            "head": {**_or_null(_ref("Head")), "description": "Where that node begins; null: it has not begun."},
            "statements": _array(_ref("Statement"), limits.MOVE_STATEMENTS_MAX),
        }
    ),
    "Mailbox": _object({"mailbox": ID}),
    "MailboxState": _object(
        {
            "rooms": _array(
                _object(
                    {
                        "room": ROOM,
                        "mailbox": ID,
                        "acknowledged": _WHOLE,
                        "head": _ref("Head"),
                        "until": {
                            **_or_null(_WHOLE),
                            "description": "The last seq this mailbox may read, when it was taken out; else null.",
                        },
                        "notes": {**_WHOLE, "description": "The number of the newest note; 0: there is none."},
                        "hub": HUB,
                    },
                    optional=("hub",),
                )
            ),
            "welcomes": _WHOLE,
            "asks": _WHOLE,
        }
    ),
    "Acknowledgement": _object(
        {"acknowledged": _array(_object({"room": ROOM, "seq": _WHOLE}), limits.ROOMS_OF_DEVICE_MAX)}
    ),
    "Welcome": _object(
        {"id": ID, "ref": HASH, "room": ROOM, "seq": _WHOLE, "payload": _sized(limits.WELCOME_BYTES_MAX)}
    ),
    "Sealed": _object({"version": {**_WHOLE, "minimum": 1}, "body": _sized(limits.SEALED_VAULT_BYTES_MAX)}),
    "Left": _object({"body": _sized(limits.RENDEZVOUS_BYTES_MAX)}),
}

BYTES: Final = "application/octet-stream"
_BINARY: Final = {"type": "string", "contentMediaType": BYTES, "maxLength": limits.BLOB_BYTES_MAX}
_NOTHING: Final[dict[str, Any]] = {}

Described = tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]
"""operationId, summary, what is sent, what is answered (empty: nothing, status 204)."""

OPERATIONS: dict[tuple[str, str], Described] = {
    ("POST", "/accounts"): ("register", "Make an account with an invitation", _ref("Registration"), _ref("Account")),
    ("GET", "/accounts/self"): ("ownAccount", "One's own account", None, _ref("Account")),
    ("DELETE", "/accounts/self"): ("removeAccount", "Remove the account with everything of it", None, _NOTHING),
    ("GET", "/accounts/challenge"): ("challenge", "What to sign when coming back", None, _ref("Challenge")),
    ("POST", "/accounts/recover"): (
        "recover", "A new device for an account, proven by its key", _ref("Recovery"), _ref("Account"),
    ),
    ("GET", "/devices"): ("devices", "The account's devices", None, _array(_ref("Device"))),
    ("POST", "/devices"): ("addDevice", "A device linked with one that is in", _ref("NewDevice"), _ref("Id")),
    ("DELETE", "/devices/{id}"): ("removeDevice", "Revoke a device", None, _NOTHING),
    ("POST", "/invites"): ("addInvite", "Keep an invitation", _ref("NewInvite"), _ref("Id")),
    ("GET", "/invites"): ("invites", "One's own invitations", None, _array(_ref("OwnInvite"))),
    ("GET", "/invites/{id}"): ("readInvite", "What somebody with the link may know", None, _ref("Invite")),
    ("DELETE", "/invites/{id}"): ("removeInvite", "Withdraw one's own invitation", None, _NOTHING),
    ("POST", "/invites/{id}/asks"): ("askByInvite", "Ask by an invitation", _ref("AskByInvite"), _ref("Id")),
    ("GET", "/asks"): ("asks", "Asks this account should look at", None, _array(_ref("Ask"))),
    ("DELETE", "/asks/{id}"): ("removeAsk", "It was handled", None, _NOTHING),
    ("POST", "/key-packages"): (
        "addKeyPackages", "Keep KeyPackages, all or none",
        _array(_ref("KeyPackageOffer"), limits.KEY_PACKAGES_AT_ONCE_MAX), _NOTHING,
    ),
    ("POST", "/key-packages/claim"): ("claimKeyPackage", "Take a KeyPackage", _ref("Claim"), _ref("KeyPackage")),
    ("DELETE", "/key-packages/{ref}"): ("removeKeyPackage", "Take back one's own", None, _NOTHING),
    ("POST", "/rooms"): ("createRoom", "A new room", _ref("NewRoom"), _ref("RoomHead")),
    ("GET", "/rooms/{id}/log"): ("readLog", "A part of a room's log", None, _ref("LogPage")),
    ("POST", "/rooms/{id}/log"): ("submit", "Put an entry into a room's log", _ref("Submission"), _ref("Accepted")),
    ("POST", "/rooms/{id}/asks"): ("askForRoom", "Ask for another device of a member", _ref("AskForRoom"), _ref("Id")),
    ("GET", "/rooms/{id}/places"): ("places", "Which nodes keep the room's log", None, _ref("Places")),
    ("POST", "/rooms/{id}/notes"): ("addNote", "Say something beside the room's log", _ref("NewNote"), _NOTHING),
    ("GET", "/rooms/{id}/notes"): ("notes", "What was said beside the room's log", None, _array(_ref("Note"))),
    ("POST", "/rooms/{id}/moves"): ("move", "Its members have moved the room", _ref("NewMove"), _NOTHING),
    ("GET", "/rooms/{id}/moves"): ("moves", "Where the room was moved, and by whom", None, _array(_ref("Move"))),
    ("POST", "/rooms/{id}/mailboxes"): ("putBack", "Undo what an invalid commit did", _ref("Mailbox"), _NOTHING),
    ("DELETE", "/rooms/{id}/mailboxes/{mailbox}"): ("stop", "One's own takes part no longer", None, _NOTHING),
    ("GET", "/mailbox"): ("mailbox", "Everything that waits for this device", None, _ref("MailboxState")),
    ("POST", "/mailbox/acknowledge"): ("acknowledge", "What was processed", _ref("Acknowledgement"), _NOTHING),
    ("GET", "/welcomes"): ("welcomes", "Welcomes for this device", None, _array(_ref("Welcome"))),
    ("DELETE", "/welcomes/{id}"): ("removeWelcome", "It was processed", None, _NOTHING),
    ("PUT", "/blobs/{hash}"): ("putBlob", "Keep a file's ciphertext for a room", _BINARY, _NOTHING),
    ("GET", "/blobs/{hash}"): ("blob", "A file's ciphertext", None, _BINARY),
    ("GET", "/sealed/{name}"): ("sealed", "A sealed record of one's own", None, _ref("Sealed")),
    ("PUT", "/sealed/{name}"): ("putSealed", "Write it, if nobody wrote a newer version", _ref("Sealed"), _NOTHING),
    ("DELETE", "/sealed/{name}"): ("removeSealed", "Forget it", None, _NOTHING),
    ("PUT", "/rendezvous/{id}/{side}"): ("leaveAt", "Leave something for a device to link", _ref("Left"), _NOTHING),
    ("GET", "/rendezvous/{id}/{side}"): ("foundAt", "What the other device has left", None, _ref("Left")),
    ("GET", "/live"): ("live", "The live socket: see docs/api.md", None, None),
}  # fmt: skip

PATH_SCHEMAS: Final = {
    "ref": HASH,
    "hash": HASH,
    "mailbox": ID,
    "name": {"type": "string", "pattern": "^(index|vault-[A-Za-z0-9_-]{22})$"},
    "side": {"type": "string", "enum": ["a", "b"]},
}


def member_paths() -> dict[str, Any]:
    """The paths of the member API."""
    paths: dict[str, Any] = {}
    for route in MEMBER_ROUTES:
        short = route.path.removeprefix("/api/v1")
        operation = _operation(short, OPERATIONS[route.method, short], open=route.open)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return paths


def _operation(path: str, described: Described, *, open: bool) -> dict[str, Any]:
    name, summary, sent, answered = described
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": [] if open else [{"device": []}],
        "responses": {**_answered(name, answered), "default": _PROBLEM},
    }
    if not open:
        operation["responses"]["401"] = _PROBLEM
    parameters = [_in_path(path, part[1:-1]) for part in path.split("/") if part.startswith("{")]
    if name == "readInvite":
        parameters.append({"name": "Invite-Proof", "in": "header", "required": True, "schema": HASH})
    if name in ("readInvite", "askByInvite"):
        described_node = {**NODE, "description": "The node that keeps the invitation, if another one; takes a token."}
        parameters.append({"name": "node", "in": "query", "schema": described_node})
    if path.startswith("/blobs/"):
        parameters.append({"name": "room", "in": "query", "required": True, "schema": ROOM})
    if name in ("readLog", "notes"):
        parameters.append({"name": "after", "in": "query", "schema": _WHOLE})
    if name == "readLog":
        many = {"type": "integer", "minimum": 1, "maximum": limits.LOG_PAGE_ENTRIES_MAX}
        parameters.append({"name": "limit", "in": "query", "schema": many})
    if parameters:
        operation["parameters"] = parameters
    if sent is not None:
        media = BYTES if sent is _BINARY else MEDIA
        operation["requestBody"] = {"required": True, "content": {media: {"schema": sent}}}
    return operation


def _in_path(path: str, name: str) -> dict[str, Any]:
    schema = PATH_SCHEMAS.get(name, ROOM if path.startswith("/rooms/") else ID)
    return {"name": name, "in": "path", "required": True, "schema": schema}


CREATED: Final = ("register", "recover", "addDevice", "addInvite", "askByInvite", "askForRoom", "createRoom")
"""Operations that answer 201."""


def _answered(name: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    if schema is None:
        return {"101": {"description": "The socket is open. Send the token within ten seconds."}, "426": _PROBLEM}
    if schema is _NOTHING:
        return {"204": {"description": "Done."}}
    media = BYTES if schema is _BINARY else MEDIA
    status = "201" if name in CREATED else "200"
    answers: dict[str, Any] = {status: {"description": "Done.", "content": {media: {"schema": schema}}}}
    if name == "submit":
        answers["409"] = {
            "description": "Another commit of that epoch was first; what its author has not seen is in it.",
            "content": {"application/problem+json": {"schema": {"allOf": [_ref("Problem"), _ref("LogPage")]}}},
        }
    return answers


SECURITY: Final = {
    "device": {
        "type": "http",
        "scheme": "bearer",
        "description": "A device's token: 32 random bytes in base64url without padding.",
    }
}
