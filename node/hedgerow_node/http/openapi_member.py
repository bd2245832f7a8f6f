"""The part of the OpenAPI document that is about members: every address of the member API, with its bounds."""

from typing import Any, Final

from hedgerow_node.http.member.table import MEMBER_ROUTES
from hedgerow_node.http.openapi_schemas import HASH, ID, NODE, ROOM, WHOLE, a_list, ref
from hedgerow_protocol import limits

MEDIA = "application/json"
_PROBLEM = {"$ref": "#/components/responses/Problem"}

BYTES: Final = "application/octet-stream"
_BINARY: Final = {"type": "string", "contentMediaType": BYTES, "maxLength": limits.BLOB_BYTES_MAX}
_NOTHING: Final[dict[str, Any]] = {}

Described = tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]
"""operationId, summary, what is sent, what is answered (empty: nothing, status 204)."""

OPERATIONS: dict[tuple[str, str], Described] = {
    ("POST", "/accounts"): ("register", "Make an account with an invitation", ref("Registration"), ref("Account")),
    ("GET", "/accounts/self"): ("ownAccount", "One's own account", None, ref("Account")),
    ("DELETE", "/accounts/self"): ("removeAccount", "Remove the account with everything of it", None, _NOTHING),
    ("GET", "/accounts/challenge"): ("challenge", "What to sign when coming back", None, ref("Challenge")),
    ("POST", "/accounts/recover"): (
        "recover", "A new device for an account, proven by its key", ref("Recovery"), ref("Account"),
    ),
    ("GET", "/devices"): ("devices", "The account's devices", None, a_list(ref("Device"))),
    ("POST", "/devices"): ("addDevice", "A device linked with one that is in", ref("NewDevice"), ref("Id")),
    ("DELETE", "/devices/{id}"): ("removeDevice", "Revoke a device", None, _NOTHING),
    ("POST", "/invites"): ("addInvite", "Keep an invitation", ref("NewInvite"), ref("Id")),
    ("GET", "/invites"): ("invites", "One's own invitations", None, a_list(ref("OwnInvite"))),
    ("GET", "/invites/{id}"): ("readInvite", "What somebody with the link may know", None, ref("Invite")),
    ("DELETE", "/invites/{id}"): ("removeInvite", "Withdraw one's own invitation", None, _NOTHING),
    ("POST", "/invites/{id}/asks"): ("askByInvite", "Ask by an invitation", ref("AskByInvite"), ref("Id")),
    ("GET", "/asks"): ("asks", "Asks this account should look at", None, a_list(ref("Ask"))),
    ("DELETE", "/asks/{id}"): ("removeAsk", "It was handled", None, _NOTHING),
    ("POST", "/key-packages"): (
        "addKeyPackages", "Keep KeyPackages, all or none",
        a_list(ref("KeyPackageOffer"), limits.KEY_PACKAGES_AT_ONCE_MAX), _NOTHING,
    ),
    ("POST", "/key-packages/claim"): ("claimKeyPackage", "Take a KeyPackage", ref("Claim"), ref("KeyPackage")),
    ("DELETE", "/key-packages/{ref}"): ("removeKeyPackage", "Take back one's own", None, _NOTHING),
    ("POST", "/rooms"): ("createRoom", "A new room", ref("NewRoom"), ref("RoomHead")),
    ("GET", "/rooms/{id}/log"): ("readLog", "A part of a room's log", None, ref("LogPage")),
    ("POST", "/rooms/{id}/log"): ("submit", "Put an entry into a room's log", ref("Submission"), ref("Accepted")),
    ("POST", "/rooms/{id}/asks"): ("askForRoom", "Ask for another device of a member", ref("AskForRoom"), ref("Id")),
    ("GET", "/rooms/{id}/places"): ("places", "Which nodes keep the room's log", None, ref("Places")),
    ("POST", "/rooms/{id}/notes"): ("addNote", "Say something beside the room's log", ref("NewNote"), _NOTHING),
    ("GET", "/rooms/{id}/notes"): ("notes", "What was said beside the room's log", None, a_list(ref("Note"))),
    ("POST", "/rooms/{id}/moves"): ("move", "Its members have moved the room", ref("NewMove"), _NOTHING),
    ("GET", "/rooms/{id}/moves"): ("moves", "Where the room was moved, and by whom", None, a_list(ref("Move"))),
    ("POST", "/rooms/{id}/mailboxes"): ("putBack", "Undo what invalid commits did", ref("PutBack"), _NOTHING),
    ("DELETE", "/rooms/{id}/mailboxes/{mailbox}"): ("stop", "One's own takes part no longer", None, _NOTHING),
    ("GET", "/mailbox"): ("mailbox", "Everything that waits for this device", None, ref("MailboxState")),
    ("POST", "/mailbox/acknowledge"): ("acknowledge", "What was processed", ref("Acknowledgement"), _NOTHING),
    ("GET", "/welcomes"): ("welcomes", "Welcomes for this device", None, a_list(ref("Welcome"))),
    ("DELETE", "/welcomes/{id}"): ("removeWelcome", "It was processed", None, _NOTHING),
    ("PUT", "/blobs/{hash}"): ("putBlob", "Keep a file's ciphertext for a room", _BINARY, _NOTHING),
    ("GET", "/blobs/{hash}"): ("blob", "A file's ciphertext", None, _BINARY),
    ("GET", "/sealed/{name}"): ("sealed", "A sealed record of one's own", None, ref("Sealed")),
    ("PUT", "/sealed/{name}"): ("putSealed", "Write it, if nobody wrote a newer version", ref("Sealed"), _NOTHING),
    ("DELETE", "/sealed/{name}"): ("removeSealed", "Forget it", None, _NOTHING),
    ("PUT", "/rendezvous/{id}/{side}"): ("leaveAt", "Leave something for a device to link", ref("Left"), _NOTHING),
    ("GET", "/rendezvous/{id}/{side}"): ("foundAt", "What the other device has left", None, ref("Left")),
    ("GET", "/live"): (
        "live", "The live socket: see docs/api.md; schemas LiveSubmission, LiveSubmitted and LiveRefused", None, None,
    ),
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
        parameters.append({"name": "after", "in": "query", "schema": WHOLE})
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
            "content": {"application/problem+json": {"schema": {"allOf": [ref("Problem"), ref("LogPage")]}}},
        }
    return answers


SECURITY: Final = {
    "device": {
        "type": "http",
        "scheme": "bearer",
        "description": "A device's token: 32 random bytes in base64url without padding.",
    }
}
