"""The accounts service: who may speak to this node, with which devices, and who asks to be let in."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from hedgerow_node.accounts.doors import Accounts, Side
from hedgerow_node.accounts.rendezvous import MeetingPlaces
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import account_rows, ask_rows, invite_rows, pruning, sealed_rows
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import (
    DAY_SECONDS,
    AskRow,
    DeviceRow,
    FarInviteView,
    Happened,
    InviteRow,
    InviteView,
    NewInvite,
    SealedRow,
    Session,
)
from hedgerow_protocol import base64url, limits
from hedgerow_protocol.delivery.consent import hash_of
from hedgerow_protocol.delivery.recovery import Challenges, recovery_message, signature_holds
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import ASK_ID_BYTES, AccountKey, AskId, DeviceId, InviteId, RoomId
from hedgerow_protocol.federation.claims import SECRET_BYTES, room_tag
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Timestamp

SESSIONS_REMEMBERED_MAX: Final = 8_192
"""Devices. Whose tokens are looked up in memory; 3 MB."""

INDEX: Final = "index"
_RECORD_NAME_BYTES: Final = 16


class AccountService:
    """Answers :class:`hedgerow_node.accounts.doors.Accounts`.

    ``tags``: the secret from which other nodes are told tags instead of accounts; the same after each start.
    """

    def __init__(
        self, store: PrivateStore, *, entropy: Entropy, members_invite: bool = True, tags: bytes | None = None
    ) -> None:
        self.tell: Callable[[Happened], None] = lambda happened: None
        self._store = store
        self._database = store.database
        self._scribe = Scribe(store.database, lambda: self._told)
        self._entropy = entropy
        self._members_invite = members_invite
        self._tags = tags if tags is not None else entropy(SECRET_BYTES)
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._gone = 0
        self._challenges = Challenges(entropy(32))
        self._places = MeetingPlaces()

    # --- accounts and devices

    async def authenticate(self, token: bytes) -> Session | None:
        """See the door."""
        token_hash = hash_of(token)
        known = self._sessions.get(token_hash)
        if known is not None:
            self._sessions.move_to_end(token_hash)
            return known
        gone = self._gone
        found = await self._database.read(lambda c: account_rows.session_of(c, token_hash))
        if found is not None and gone == self._gone:
            self._remember(token_hash, found)
        return found

    def _remember(self, token_hash: bytes, session: Session) -> None:
        self._sessions[token_hash] = session
        if len(self._sessions) > SESSIONS_REMEMBERED_MAX:
            self._sessions.popitem(last=False)

    def _told(self, happened: Happened) -> None:
        if happened.revoked:
            self._forget(happened.revoked)
        self.tell(happened)

    def _forget(self, devices: Sequence[DeviceId]) -> None:
        # A read that began before the devices went must not bring one of them back: see authenticate.
        self._gone += 1
        gone = set(devices)
        for token_hash in [each for each, session in self._sessions.items() if session.device in gone]:
            del self._sessions[token_hash]

    async def register(
        self,
        *,
        invite: InviteId,
        proof: bytes,
        account: AccountKey,
        device: DeviceId,
        token_hash: bytes,
        now: Timestamp,
    ) -> Session:
        """See the door."""
        return await self._scribe.quietly(
            lambda c: account_rows.register(c, invite, proof, account, device, token_hash, now)
        )

    async def may_invite(self, session: Session) -> bool:
        """See the door."""
        return self._members_invite

    async def remove_account(self, session: Session) -> None:
        """See the door."""

        await self._remove_files(
            await self._scribe.write(lambda c: account_rows.remove_account(c, session, self._entropy))
        )

    def challenge(self, now: Timestamp) -> bytes:
        """See the door."""
        return self._challenges.make(now, self._entropy(8))

    async def recover(
        self,
        *,
        account: AccountKey,
        challenge: bytes,
        signature: bytes,
        device: DeviceId,
        token_hash: bytes,
        now: Timestamp,
    ) -> Session:
        """See the door."""
        if not signature_holds(account, recovery_message(challenge, device, token_hash), signature):
            raise Refused(Refusal.NO_ACCOUNT, "This node knows no account with this recovery sheet.")
        again = await self._database.read(lambda c: account_rows.session_of(c, token_hash))
        if again is not None and again.account == account and again.device == device:
            return again  # the answer to the same request was lost
        self._challenges.take(challenge, now)
        return await self._scribe.quietly(lambda c: account_rows.recover(c, account, device, token_hash, now))

    async def devices(self, session: Session) -> Sequence[DeviceRow]:
        """See the door."""
        return await self._database.read(lambda c: account_rows.devices_of(c, session))

    async def add_device(self, session: Session, device: DeviceId, token_hash: bytes, *, now: Timestamp) -> None:
        """See the door."""
        await self._scribe.quietly(
            lambda c: account_rows.add_device(c, session.account, session.account_row, device, token_hash, now)
        )

    async def remove_device(self, session: Session, device: DeviceId) -> None:
        """See the door."""
        files = await self._scribe.write(
            lambda c: account_rows.remove_device(c, session, device, vault_of(device), self._entropy)
        )
        await self._remove_files(files)

    # --- invitations and asks

    async def add_invite(self, session: Session | None, invite: NewInvite, *, now: Timestamp) -> None:
        """See the door."""
        if session is not None and invite.uses and not self._members_invite:
            raise Refused(Refusal.NOT_ALLOWED, "In this community only the keeper invites new people.")
        most = limits.INVITE_USES_OF_MEMBER_MAX if session is not None else limits.INVITE_USES_MAX
        if not 0 <= invite.uses <= most:
            raise Refused(Refusal.BAD, f"An invitation makes at most {most} accounts.")
        lasts = limits.INTAKE_SECONDS_MAX if invite.is_intake else limits.INVITE_SECONDS_MAX
        if not now < invite.expires <= now + lasts:
            raise Refused(Refusal.BAD, f"An invitation ends within {lasts // DAY_SECONDS} days.")
        if len(invite.note) > limits.INVITE_NOTE_BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE, f"An invitation's note has at most {limits.INVITE_NOTE_BYTES_MAX} bytes.")
        await self._scribe.quietly(lambda c: invite_rows.add_invite(c, session, invite))

    async def invites(self, session: Session | None, *, now: Timestamp) -> Sequence[InviteRow]:
        """See the door."""
        return await self._database.read(lambda c: invite_rows.invites_of(c, session, now))

    async def remove_invite(self, session: Session | None, invite: InviteId) -> None:
        """See the door."""
        await self._scribe.quietly(lambda c: invite_rows.remove_invite(c, session, invite))

    async def read_invite(self, invite: InviteId, proof: bytes, *, now: Timestamp) -> InviteView:
        """See the door."""
        kept = await self._database.read(lambda c: invite_rows.find_invite(c, invite, proof, now))
        return invite_rows.view_of(kept)

    async def add_ask(self, session: Session, invite: InviteId, proof: bytes, body: bytes, *, now: Timestamp) -> AskId:
        """See the door."""
        check_ask(body)
        name = AskId(self._entropy(ASK_ID_BYTES))

        def ask(connection: Connection) -> tuple[AskId, Happened | None]:
            kept = invite_rows.find_invite(connection, invite, proof, now)
            return ask_rows.add_ask(connection, session, kept, body, name, self._entropy, now)

        return await self._scribe.write(ask)

    async def read_far_invite(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, *, now: Timestamp
    ) -> FarInviteView:
        """See the door; this is for a node that asks no others. Else see
        :class:`hedgerow_node.federation.far_accounts.FarAccounts`.
        """
        raise _asks_none()

    async def add_far_ask(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, body: bytes, *, now: Timestamp
    ) -> AskId:
        """See :meth:`read_far_invite`."""
        raise _asks_none()

    async def add_room_ask(self, session: Session, room: RoomId, body: bytes, *, now: Timestamp) -> AskId:
        """See the door."""
        check_ask(body)
        name = AskId(self._entropy(ASK_ID_BYTES))
        tag = room_tag(self._tags, session.account, room)
        return await self._scribe.write(
            lambda c: ask_rows.add_room_ask(c, session, room, body, name, tag, self._entropy, now)
        )

    async def asks(self, session: Session) -> Sequence[AskRow]:
        """See the door."""
        return await self._database.read(lambda c: ask_rows.asks_for(c, session))

    async def remove_ask(self, session: Session, ask: AskId) -> None:
        """See the door."""
        await self._scribe.write(lambda c: (None, ask_rows.remove_ask(c, session, ask, self._entropy)))

    # --- sealed records

    async def sealed(self, session: Session, name: str) -> SealedRow:
        """See the door."""
        kept = await self._database.read(lambda c: sealed_rows.find_sealed(c, session, name))
        if kept is None:
            raise Refused(Refusal.UNKNOWN, "There is no such record.")
        try:
            body = await asyncio.to_thread(self._store.sealed.read, kept.file)
        except StoreError:
            newer = await self._database.read(lambda c: sealed_rows.find_sealed(c, session, name))
            if newer is None or newer == kept:
                raise
            kept = newer  # it was swapped between the two looks
            body = await asyncio.to_thread(self._store.sealed.read, kept.file)
        return SealedRow(kept.version, body)

    async def put_sealed(self, session: Session, name: str, version: int, body: bytes) -> None:
        """See the door."""
        if name not in (INDEX, vault_of(session.device)):
            raise Refused(Refusal.BAD, "A record is called “index”, or “vault-” and the id of this device.")
        most = limits.SEALED_INDEX_BYTES_MAX if name == INDEX else limits.SEALED_VAULT_BYTES_MAX
        if len(body) > most:
            raise Refused(Refusal.TOO_LARGE, f"This record has at most {most} bytes.")
        file = self._entropy(_RECORD_NAME_BYTES).hex()
        digest = await asyncio.to_thread(lambda: sha256(body).digest())
        await self._database.read(lambda c: sealed_rows.check_swap(c, session, name, version, digest))
        await asyncio.to_thread(self._store.sealed.write, file, body, now=0)
        try:
            spare = await self._scribe.quietly(
                lambda c: sealed_rows.swap_sealed(c, session, name, version, digest, file)
            )
        except (Refused, StoreError):
            await self._remove_files([file])
            raise
        if spare is not None:
            await self._remove_files([spare])

    async def remove_sealed(self, session: Session, name: str) -> None:
        """See the door."""
        file = await self._scribe.quietly(lambda c: sealed_rows.remove_sealed(c, session, name))
        if file is not None:
            await self._remove_files([file])

    async def _remove_files(self, files: Sequence[str]) -> None:
        for file in files:
            await asyncio.to_thread(self._store.sealed.remove, file)

    # --- the meeting place for linking

    def leave_at(self, place: bytes, side: Side, body: bytes, *, now: float) -> None:
        """See the door."""
        self._places.leave(place, side, body, now=now)

    def found_at(self, place: bytes, side: Side, *, now: float) -> bytes | None:
        """See the door."""
        return self._places.found(place, side, now=now)

    # --- chores

    async def prune(self, now: Timestamp) -> None:
        """See the door."""
        await self._scribe.quietly(lambda c: pruning.prune_accounts(c, now))


def _fits(service: AccountService) -> Accounts:
    return service


def vault_of(device: DeviceId) -> str:
    """The name of a device's sealed vault."""
    return f"vault-{base64url.encode(device)}"


def _asks_none() -> Refused:
    return Refused(Refusal.UNKNOWN, "This invitation is at another node, and this one asks none.")


def check_ask(body: bytes) -> None:
    """Size before anything else. Raises :class:`Refused`."""
    if len(body) > limits.ASK_BYTES_MAX:
        raise Refused(Refusal.TOO_LARGE, f"An ask has at most {limits.ASK_BYTES_MAX} bytes.")
