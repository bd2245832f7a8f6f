"""A data folder with accounts, devices and rooms in it, made with the node's own services before it is started."""

import asyncio
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey as Signer

from hedgerow_node import clock
from hedgerow_node.accounts.service import AccountService
from hedgerow_node.config import Config
from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.directory.door_folder import load_keys, make_folder
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.values import KeyPackageOffer, NewInvite, Session
from hedgerow_protocol import limits
from hedgerow_protocol.base64url import encode as b64
from hedgerow_protocol.delivery.key_package import ref_of
from hedgerow_protocol.delivery.mls_bytes import vector
from hedgerow_protocol.delivery.values import (
    Accepted,
    AccountKey,
    DeviceId,
    EntryId,
    EntryKind,
    InviteId,
    MailboxId,
    RoomId,
    Submission,
    WelcomeOut,
)

DAY_SECONDS: Final = 86_400

APPLICATION: Final = 1
COMMIT: Final = 3

TOGETHER: Final = 200
"""Things asked of the services at once while a folder is filled."""


def private_message(room: bytes, epoch: int, content: int, *, size: int) -> bytes:
    """An MLS PrivateMessage (RFC 9420, 6.3) of about ``size`` bytes: its outside is genuine, its inside noise."""
    head = struct.pack("!HH", 1, 2) + vector(room) + struct.pack("!QB", epoch, content)
    return head + vector(b"") + vector(os.urandom(28)) + vector(os.urandom(max(16, size - 90)))


def welcome(ref: bytes) -> bytes:
    """A Welcome for one KeyPackage: noise inside."""
    secret = vector(vector(ref) + vector(os.urandom(32)) + vector(os.urandom(120)))
    return struct.pack("!HHH", 1, 3, 1) + secret + vector(os.urandom(400))


def key_package(mailbox: bytes, until: int) -> tuple[bytes, bytes]:
    """One in its MLSMessage, and its body alone; the leaf's signatures are true (RFC 9420, 7.2 and 10)."""
    key = Signer.generate()
    identity = b"\x01" + os.urandom(32) + mailbox + os.urandom(64)
    leaf = vector(os.urandom(32)) + vector(bytes(key.verify_key)) + struct.pack("!H", 1) + vector(identity)
    leaf += vector(b"\0\1") + vector(b"\0\1") + vector(b"") + vector(b"") + vector(b"\0\1")
    leaf += b"\x01" + struct.pack("!QQ", 0, until) + vector(b"")
    leaf += vector(_signed(key, b"LeafNodeTBS", leaf))
    body = struct.pack("!HH", 1, 1) + vector(os.urandom(32)) + leaf + vector(b"")
    body += vector(_signed(key, b"KeyPackageTBS", body))
    return struct.pack("!HH", 1, 5) + body, body


def _signed(key: Signer, label: bytes, content: bytes) -> bytes:
    return key.sign(vector(b"MLS 1.0 " + label) + vector(content)).signature


@dataclass(frozen=True, slots=True)
class Member:
    """A device of its own account."""

    session: Session
    token: bytes


@dataclass(frozen=True, slots=True)
class Room:
    """A room, and the mailbox of each of its devices in it."""

    room: RoomId
    epoch: int
    places: Sequence[tuple[Member, MailboxId]]

    def as_json(self) -> dict[str, Any]:
        """For the processes that speak to the node."""
        return {
            "room": b64(self.room),
            "epoch": self.epoch,
            "devices": [[b64(member.token), b64(mailbox)] for member, mailbox in self.places],
        }


class World:
    """Both services over the private store of a folder."""

    def __init__(self, folder: Path) -> None:
        config = Config(data=folder)
        make_folder(folder)
        key = load_keys(config, clock.entropy).node
        self.store = PrivateStore.open(folder)
        self.accounts = AccountService(self.store, entropy=clock.entropy)
        self.delivery = DeliveryService(self.store, key, entropy=clock.entropy)

    async def close(self) -> None:
        """Write what waits, so that a node can be started over the folder."""
        await self.delivery.close()
        await self.store.close()

    async def members(self, many: int) -> list[Member]:
        """New accounts with one device each."""
        now, proof = clock.now(), os.urandom(32)
        found: list[Member] = []
        while len(found) < many:
            part = min(many - len(found), TOGETHER)
            invite = InviteId(os.urandom(16))
            made = NewInvite(invite, sha256(proof).digest(), now + DAY_SECONDS, uses=part)
            await self.accounts.add_invite(None, made, now=now)
            found += await asyncio.gather(*(self._member(invite, proof) for _ in range(part)))
        return found

    async def _member(self, invite: InviteId, proof: bytes) -> Member:
        token = os.urandom(32)
        session = await self.accounts.register(
            invite=invite,
            proof=proof,
            account=AccountKey(bytes(Signer.generate().verify_key)),
            device=DeviceId(os.urandom(16)),
            token_hash=sha256(token).digest(),
            now=clock.now(),
        )
        return Member(session, token)

    async def room(self, members: Sequence[Member]) -> Room:
        """A room in which these take part, let in by the first of them."""
        founder, room = members[0], RoomId(os.urandom(32))
        own = MailboxId(os.urandom(16))
        await self.delivery.create_room(founder.session, room, own, now=clock.now())
        places = [(founder, own)]
        seq = epoch = 0
        others = members[1:]
        for start in range(0, len(others), limits.WELCOMES_MAX):
            part = others[start : start + limits.WELCOMES_MAX]
            offered = await asyncio.gather(*(self._offer(founder, each) for each in part))
            said = Submission(
                room=room,
                mailbox=own,
                id=EntryId(os.urandom(16)),
                kind=EntryKind.COMMIT,
                epoch=epoch,
                seen=seq,
                payload=private_message(room, epoch, COMMIT, size=1_000),
                welcomes=[said for said, _ in offered],
            )
            done = await self.delivery.submit(founder.session, said, now=clock.now())
            if not isinstance(done, Accepted):
                raise RuntimeError("a room of the bench could not be made")
            seq, epoch = done.seq, epoch + 1
            places += [(member, mailbox) for member, (_, mailbox) in zip(part, offered, strict=True)]
        return Room(room, epoch, places)

    async def _offer(self, founder: Member, newcomer: Member) -> tuple[WelcomeOut, MailboxId]:
        now, mailbox, consent = clock.now(), MailboxId(os.urandom(16)), os.urandom(32)
        message, body = key_package(mailbox, now + 2 * DAY_SECONDS)
        ref = ref_of(body)
        offer = KeyPackageOffer(ref, message, mailbox, sha256(consent).digest(), now + DAY_SECONDS)
        await self.delivery.add_key_packages(newcomer.session, [offer], now=now)
        await self.delivery.claim_key_package(founder.session, ref, consent, now=now)
        return WelcomeOut(ref, welcome(ref)), mailbox

    def message(self, room: Room, index: int = 0, *, size: int = 300) -> tuple[Session, Submission]:
        """A message of one of its devices, and who sends it."""
        member, mailbox = room.places[index]
        payload = private_message(room.room, room.epoch, APPLICATION, size=size)
        id = EntryId(os.urandom(16))
        return member.session, Submission(room.room, mailbox, id, EntryKind.MESSAGE, room.epoch, 0, payload)

    async def write(self, room: Room, many: int, *, index: int = 0, now: int | None = None) -> None:
        """So many messages into a room's log."""
        for start in range(0, many, TOGETHER):
            said = [self.message(room, index) for _ in range(min(TOGETHER, many - start))]
            when = clock.now() if now is None else now
            await asyncio.gather(*(self.delivery.submit(session, each, now=when) for session, each in said))  # type: ignore[arg-type]

    async def fill(self, rooms: int, *, messages: int = 5) -> None:
        """Rooms that nobody asks about: they are only there."""
        each = limits.ROOMS_OF_DEVICE_MAX
        for owner in await self.members(-(-rooms // each)):
            part = min(rooms, each)
            rooms -= part
            for start in range(0, part, TOGETHER):
                made = await asyncio.gather(*(self.room([owner]) for _ in range(min(TOGETHER, part - start))))
                await asyncio.gather(*(self.write(room, messages) for room in made))
