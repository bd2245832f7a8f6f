"""Members' devices that speak to a node over HTTP and WebSocket as any client would; what they send is noise in MLS
envelopes.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any

import aiohttp
from nacl.signing import SigningKey

import mls_bytes
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.invitation import Invitation

JSON = Mapping[str, Any]


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """The inverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_id() -> str:
    """16 random bytes, as the API writes them."""
    return b64(os.urandom(16))


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The last part of a problem's type."""
        return str(self.body.get("type", "")).rpartition("/")[2] if isinstance(self.body, dict) else ""


@dataclass
class Device:
    """One device of one account."""

    http: aiohttp.ClientSession
    api: str
    """The address up to and with ``/api/v1``."""
    seed: bytes = field(default_factory=lambda: os.urandom(32))
    """Of the account key: devices of one person share it."""
    id: str = field(default_factory=new_id)
    token: bytes = field(default_factory=lambda: os.urandom(32))
    node_id: str = ""
    rooms: dict[str, str] = field(default_factory=dict)
    """Room to this device's mailbox in it."""

    @property
    def account(self) -> str:
        """The account's public key."""
        return b64(bytes(SigningKey(self.seed).verify_key))

    @property
    def new(self) -> JSON:
        """How it is introduced."""
        return {"id": self.id, "token_hash": b64(sha256(self.token).digest())}

    async def ask(self, method: str, path: str, said: Any = None, *, token: str | None = None, **more: Any) -> Answer:
        """One request with this device's token (``token``: another one; empty: none)."""
        headers = dict(more.pop("headers", {}))
        shown = b64(self.token) if token is None else token
        if shown:
            headers["Authorization"] = f"Bearer {shown}"
        if said is not None:
            more["data"] = json.dumps(said).encode()
            headers.setdefault("Content-Type", "application/json")
        if isinstance(more.get("data"), bytes):
            more["data"] = BytesIO(more["data"])  # aiohttp's client warns of large bytes
        async with self.http.request(method, self.api + path, headers=headers, **more) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return Answer(response.status, json.loads(raw) if is_json else raw, response.headers)

    async def fine(self, method: str, path: str, said: Any = None, **more: Any) -> Any:
        """The same; it must work."""
        answer = await self.ask(method, path, said, **more)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.body)
        return answer.body

    async def register(self, link: str) -> JSON:
        """Make an account with an invitation link."""
        invitation = Invitation(unb64(link.rpartition("#")[2].partition(".")[0]))
        said = {
            "invite": {"id": b64(invitation.id), "proof": b64(invitation.proof)},
            "account_key": self.account,
            "device": self.new,
        }
        answer: JSON = await self.fine("POST", "/accounts", said, token="")
        self.node_id = answer["node_id"]
        return answer

    async def recover(self) -> Answer:
        """Come back to the account with this device, by the account key."""
        challenge = (await self.fine("GET", "/accounts/challenge", token=""))["challenge"]
        message = labelled(
            b"hedgerow account recovery v1", unb64(challenge), unb64(self.id), sha256(self.token).digest()
        )
        said = {
            "account_key": self.account,
            "challenge": challenge,
            "signature": b64(SigningKey(self.seed).sign(message).signature),
            "device": self.new,
        }
        return await self.ask("POST", "/accounts/recover", said, token="")

    async def invite(self, *, now: int, uses: int = 1, room: str | None = None) -> Invitation:
        """Make an invitation."""
        invitation = Invitation(os.urandom(16))
        said = {
            "id": b64(invitation.id),
            "proof_hash": b64(invitation.proof_hash),
            "expires": now + 86_400,
            "uses": uses,
            "note": b64(b"sealed words"),
        } | ({"room": room} if room else {})
        await self.fine("POST", "/invites", said)
        return invitation

    async def found(self) -> str:
        """A new room."""
        room, mailbox = b64(os.urandom(32)), new_id()
        await self.fine("POST", "/rooms", {"room": room, "mailbox": mailbox})
        self.rooms[room] = mailbox
        return room

    def message(self, room: str, *, epoch: int = 0, size: int = 300, id: str | None = None) -> dict[str, Any]:
        """What is submitted to write a message."""
        payload = mls_bytes.application(unb64(room), epoch, size=size)
        return self._submission(room, "message", payload, epoch, 0, id)

    def commit(self, room: str, *, epoch: int, seen: int, **more: Any) -> dict[str, Any]:
        """What is submitted to change the room."""
        size = more.pop("size", 500)
        said = self._submission(room, "commit", mls_bytes.commit(unb64(room), epoch, size=size), epoch, seen, None)
        return said | more

    def _submission(
        self, room: str, kind: str, payload: bytes, epoch: int, seen: int, id: str | None
    ) -> dict[str, Any]:
        return {
            "mailbox": self.rooms[room],
            "id": id or new_id(),
            "kind": kind,
            "epoch": epoch,
            "seen": seen,
            "payload": b64(payload),
        }

    async def write(self, room: str, **more: Any) -> JSON:
        """Write a message."""
        answer: JSON = await self.fine("POST", f"/rooms/{room}/log", self.message(room, **more))
        return answer

    async def offer(self, *, now: int, room: str | None = None) -> tuple[str, str, str]:
        """Offer a KeyPackage; its reference, the consent token, and the mailbox it brings."""
        mailbox, consent, until = os.urandom(16), os.urandom(32), now + 86_400
        identity = b"\x01" + os.urandom(32) + mailbox + os.urandom(64)
        package = mls_bytes.key_package(until=until, since=now - 60, identity=identity)
        said = {
            "ref": b64(package.ref),
            "key_package": b64(package.data),
            "mailbox": b64(mailbox),
            "consent_hash": b64(sha256(consent).digest()),
            "expires": until,
        } | ({"room": room} if room else {})
        await self.fine("POST", "/key-packages", [said])
        return b64(package.ref), b64(consent), b64(mailbox)

    async def let_in(self, room: str, newcomer: "Device", *, now: int, epoch: int, seen: int) -> JSON:
        """Add another device to a room of this one: KeyPackage, commit, Welcome."""
        ref, consent, mailbox = await newcomer.offer(now=now, room=room)
        claimed = await self.fine("POST", "/key-packages/claim", {"ref": ref, "consent": consent})
        assert claimed["mailbox"] == mailbox
        welcome = {"ref": ref, "payload": b64(mls_bytes.welcome([unb64(ref)]))}
        said = self.commit(room, epoch=epoch, seen=seen, welcomes=[welcome])
        answer: JSON = await self.fine("POST", f"/rooms/{room}/log", said)
        newcomer.rooms[room] = mailbox
        return answer

    async def log(self, room: str, after: int = 0, limit: int = 500) -> list[JSON]:
        """The room's log, to its end."""
        entries: list[JSON] = []
        while True:
            page = await self.fine("GET", f"/rooms/{room}/log?after={after}&limit={limit}")
            entries += page["entries"]
            if not page["entries"]:
                return entries
            after = entries[-1]["seq"]

    async def listen(self, *, token: str | None = None) -> "Ear":
        """Open the live socket and wait for the hello."""
        socket = await self.http.ws_connect(f"{self.api}/live", autoping=True)
        await socket.send_json({"token": token or b64(self.token)})
        ear = Ear(socket)
        ear.hello = (await ear.frame())["hello"]
        return ear


@dataclass
class Ear:
    """The client's end of a live socket."""

    socket: aiohttp.ClientWebSocketResponse
    hello: JSON = field(default_factory=dict)

    async def frame(self, seconds: float = 20.0) -> JSON:
        """The next frame."""
        message = await self.socket.receive(timeout=seconds)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        frame: JSON = json.loads(message.data)
        return frame

    async def entries(self, many: int) -> list[JSON]:
        """Wait for so many entries, in the order in which they came."""
        found: list[JSON] = []
        while len(found) < many:
            found += (await self.frame()).get("entries", [])
        return found

    async def submit(self, room: str, said: JSON, number: int = 1) -> None:
        """Put something into a room's log over the socket."""
        await self.socket.send_json({"submit": {"room": room, **said}, "n": number})

    async def answer(self, number: int = 1) -> JSON:
        """Wait for the answer to a submission, passing over what else comes."""
        while True:
            frame = await self.frame()
            if number in (frame.get("submitted"), frame.get("refused")):
                return frame

    async def closed(self, seconds: float = 20.0) -> int | None:
        """Wait for the end; the close code."""
        while True:
            message = await self.socket.receive(timeout=seconds)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.socket.close_code

    async def ping(self) -> None:
        """Ask for a sign of life and wait for it, passing over what else comes."""
        await self.socket.send_json({"ping": 7})
        while (await self.frame()).get("pong") != 7:
            pass
