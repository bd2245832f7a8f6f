"""A private store with accounts, devices and rooms in it, for tests of accounts and delivery."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from nacl.signing import SigningKey as AccountSigner

import mls_bytes
from hedgerow_node.accounts.service import AccountService
from hedgerow_node.delivery.service import DeliveryService
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.values import Happened, KeyPackageOffer, NewInvite, Session
from hedgerow_protocol.delivery.values import (
    AccountKey,
    DeviceId,
    EntryId,
    EntryKind,
    InviteId,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp

NOW = Timestamp(1_800_000_000)
DAY = 86_400
NODE = SigningKey.from_seed(Usage.NODE, b"hedgerow test seed node".ljust(32, b"."))


@dataclass
class Member:
    """One device with a mailbox."""

    session: Session
    token: bytes
    mailbox: MailboxId
    signer: AccountSigner


@dataclass
class World:
    """Both services over one store, and all that was told."""

    store: PrivateStore
    accounts: AccountService
    delivery: DeliveryService
    told: list[Happened] = field(default_factory=list)

    async def member(self) -> Member:
        """A new account with one device."""
        invite, proof = InviteId(os.urandom(16)), os.urandom(32)
        made = NewInvite(invite, sha256(proof).digest(), NOW + DAY, uses=1)
        await self.accounts.add_invite(None, made, now=NOW)
        signer, token = AccountSigner.generate(), os.urandom(32)
        session = await self.accounts.register(
            invite=invite,
            proof=proof,
            account=AccountKey(bytes(signer.verify_key)),
            device=DeviceId(os.urandom(16)),
            token_hash=sha256(token).digest(),
            now=NOW,
        )
        return Member(session, token, MailboxId(os.urandom(16)), signer)

    async def device_of(self, member: Member) -> Member:
        """Another device of the same account."""
        device, token = DeviceId(os.urandom(16)), os.urandom(32)
        await self.accounts.add_device(member.session, device, sha256(token).digest(), now=NOW)
        session = await self.accounts.authenticate(token)
        assert session is not None
        return Member(session, token, MailboxId(os.urandom(16)), member.signer)

    async def room(self, founder: Member) -> RoomId:
        """A new room of one."""
        room = RoomId(os.urandom(32))
        await self.delivery.create_room(founder.session, room, founder.mailbox, now=NOW)
        return room

    async def offer(self, member: Member, room: RoomId | None = None) -> tuple[KeyPackageRef, bytes]:
        """A KeyPackage of this member's mailbox, kept by the node; its reference and consent token."""
        package = mls_bytes.key_package(until=NOW + 60 * DAY, mailbox=member.mailbox)
        consent = os.urandom(32)
        ref = KeyPackageRef(package.ref)
        offered = KeyPackageOffer(ref, package.data, member.mailbox, sha256(consent).digest(), NOW + 30 * DAY, room)
        await self.delivery.add_key_packages(member.session, [offered], now=NOW)
        return ref, consent

    async def let_in(self, room: RoomId, by: Member, newcomers: Sequence[Member], *, epoch: int, seen: int) -> int:
        """One commit that lets these in; its seq."""
        welcomes = []
        for newcomer in newcomers:
            ref, consent = await self.offer(newcomer)
            await self.delivery.claim_key_package(by.session, ref, consent, now=NOW)
            welcomes.append(WelcomeOut(ref, mls_bytes.welcome([ref])))
        done = await self.delivery.submit(
            by.session, commit(room, by, epoch=epoch, seen=seen, welcomes=welcomes), now=NOW
        )
        return done.seq  # type: ignore[union-attr]

    async def full_room(self, many: int) -> tuple[RoomId, list[Member]]:
        """A room in which so many devices take part; the log holds one commit at seq 1 (none for a room of one)."""
        members = [await self.member() for _ in range(many)]
        room = await self.room(members[0])
        if many > 1:
            await self.let_in(room, members[0], members[1:], epoch=0, seen=0)
        return room, members


def message(room: RoomId, by: Member, *, epoch: int = 1, seen: int = 0, id: bytes = b"", size: int = 280) -> Submission:
    """An application message."""
    payload = mls_bytes.application(room, epoch, size=size)
    return Submission(room, by.mailbox, EntryId(id or os.urandom(16)), EntryKind.MESSAGE, epoch, seen, payload)


def commit(
    room: RoomId,
    by: Member,
    *,
    epoch: int,
    seen: int,
    welcomes: Sequence[WelcomeOut] = (),
    removes: Sequence[MailboxId] = (),
    id: bytes = b"",
) -> Submission:
    """A commit that ends ``epoch``."""
    payload = mls_bytes.commit(room, epoch)
    return Submission(
        room, by.mailbox, EntryId(id or os.urandom(16)), EntryKind.COMMIT, epoch, seen, payload, welcomes, removes
    )


@asynccontextmanager
async def world(folder: Path, **settings: bool | int) -> AsyncIterator[World]:
    """Open both services over a folder. ``settings``: members_invite, room_bytes_max."""
    store = PrivateStore.open(folder)
    members_invite = bool(settings.pop("members_invite", True))
    made = World(
        store,
        AccountService(store, entropy=os.urandom, members_invite=members_invite),
        DeliveryService(store, NODE, entropy=os.urandom, **settings),
    )
    made.accounts.tell = made.delivery.tell = made.told.append
    try:
        yield made
    finally:
        await made.delivery.close()
        await store.close()
