"""What the street door may ask of accounts. :class:`hedgerow_node.accounts.service.AccountService` answers it.

Everything may raise :class:`Refused` (a code and a sentence) and :class:`hedgerow_node.store.errors.StoreError`.
What is returned is on the disk. Sizes of ids and hashes are the caller's to check
(``hedgerow_protocol.delivery.values`` has them); everything else is checked here.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from hedgerow_node.store.private.values import (
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
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import AccountKey, AskId, DeviceId, InviteId, RoomId
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

__all__ = ["Accounts", "Happened", "Refusal", "Refused", "Session", "Side", "Waiting"]

Side: TypeAlias = Literal["a", "b"]
"""Of a meeting place: the two devices that link."""


class Accounts(Protocol):
    """Accounts, devices, invitations, asks, sealed records and the meeting place for linking."""

    tell: Callable[[Happened], None]
    """Called on the event loop after each change that somebody may be waiting for. Set once; must not raise."""

    # --- accounts and devices

    async def authenticate(self, token: bytes) -> Session | None:
        """Whose bearer token this is. Answers known tokens from memory."""
        ...

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
        """Make an account with its first device. The same again (answer lost) is fine and uses nothing up.

        Refusals: UNKNOWN (invitation, proof), ENDED, TAKEN (account key or device id), BAD (key), TOO_MANY.
        """
        ...

    async def may_invite(self, session: Session) -> bool:
        """Whether this account may make invitations that make accounts."""
        ...

    async def remove_account(self, session: Session) -> None:
        """Remove the account with everything of it: devices, mailboxes, invitations, asks, records."""
        ...

    def challenge(self, now: Timestamp) -> bytes:
        """32 bytes to sign when recovering; good for 120 seconds and one time."""
        ...

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
        """A new device for an account, proven by its key: see ``hedgerow_protocol.delivery.recovery``.

        Refusals: ENDED (challenge), NO_ACCOUNT, TAKEN, TOO_MANY (devices).
        """
        ...

    async def devices(self, session: Session) -> Sequence[DeviceRow]:
        """All devices of the account."""
        ...

    async def add_device(self, session: Session, device: DeviceId, token_hash: bytes, *, now: Timestamp) -> None:
        """A linked device. The same again is fine. Refusals: TAKEN, TOO_MANY."""
        ...

    async def remove_device(self, session: Session, device: DeviceId) -> None:
        """Revoke a device of the account, also this one: token, mailboxes, KeyPackages, Welcomes. Refusal: UNKNOWN."""
        ...

    # --- invitations and asks

    async def add_invite(self, session: Session | None, invite: NewInvite, *, now: Timestamp) -> None:
        """Keep an invitation. ``None``: the keeper makes it. The same again is fine.

        One without uses and note that leads into a room is its intake: any member may renew it by the same again.

        Refusals: NOT_ALLOWED (members may not make accounts; not in that room), TAKEN, TOO_MANY, BAD (expiry, uses).
        """
        ...

    async def invites(self, session: Session | None, *, now: Timestamp) -> Sequence[InviteRow]:
        """The account's own, or the keeper's; those that ended are left out."""
        ...

    async def remove_invite(self, session: Session | None, invite: InviteId) -> None:
        """Withdraw one's own invitation or a room's intake; the keeper may withdraw any. Refusal: UNKNOWN."""
        ...

    async def read_invite(self, invite: InviteId, proof: bytes, *, now: Timestamp) -> InviteView:
        """What somebody with the link may know. Refusals: UNKNOWN (also for a wrong proof), ENDED."""
        ...

    async def add_ask(self, session: Session, invite: InviteId, proof: bytes, body: bytes, *, now: Timestamp) -> AskId:
        """Ask by an invitation. The same again gives the same id. Refusals: UNKNOWN, ENDED, TOO_MANY, TOO_LARGE."""
        ...

    async def read_far_invite(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, *, now: Timestamp
    ) -> FarInviteView:
        """The same of an invitation that another node keeps: it is asked.

        Refusals: UNKNOWN, ENDED, TOO_FAST; :class:`Waiting` while it has not answered (after 10 seconds at most).
        """
        ...

    async def add_far_ask(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, body: bytes, *, now: Timestamp
    ) -> AskId:
        """Ask by an invitation that another node keeps. The same again is the same ask.

        Refusals: as :meth:`add_ask`; :class:`Waiting` (after 10 seconds at most): the ask is on its way.
        """
        ...

    async def add_room_ask(self, session: Session, room: RoomId, body: bytes, *, now: Timestamp) -> AskId:
        """Ask for this device, where the account is in the room, with another device or with a lost state of this one.

        Refusals: UNKNOWN (room), TOO_MANY, TOO_LARGE. In a room of another hub also :class:`Waiting`.
        """
        ...

    async def asks(self, session: Session) -> Sequence[AskRow]:
        """Asks by one's own invitations and for one's own rooms, except one's own."""
        ...

    async def remove_ask(self, session: Session, ask: AskId) -> None:
        """It was handled, or whoever asked takes it back. Refusal: UNKNOWN."""
        ...

    # --- sealed records

    async def sealed(self, session: Session, name: str) -> SealedRow:
        """One's own record: ``index``, or ``vault-`` and the id (base64url) of a device. Refusal: UNKNOWN."""
        ...

    async def put_sealed(self, session: Session, name: str, version: int, body: bytes) -> None:
        """Compare and swap. ``version`` is the new version's number: one more than the one it replaces, 1 at first.

        The same version with the same body again is fine. A device writes ``index`` and its own vault only.
        Refusals: STALE (with ``version``: the one that is here), BAD (name), TOO_LARGE.
        """
        ...

    async def remove_sealed(self, session: Session, name: str) -> None:
        """Forget a record, if there is one."""
        ...

    # --- the meeting place for linking

    def leave_at(self, place: bytes, side: Side, body: bytes, *, now: float) -> None:
        """Leave something for the other side; ``now`` is monotonic seconds. Held in memory for ten minutes.

        The same again is fine. Refusals: TAKEN (something else is there), TOO_LARGE, TOO_FAST (all places are taken).
        """
        ...

    def found_at(self, place: bytes, side: Side, *, now: float) -> bytes | None:
        """What that side has left, or ``None`` (yet)."""
        ...

    # --- chores

    async def prune(self, now: Timestamp) -> None:
        """Remove what has expired; once an hour."""
        ...
