"""Invitations of the keeper: links that bring people into the community, made here and shown once."""

from dataclasses import dataclass
from typing import Any, Final

from hedgerow_node.accounts.doors import Accounts
from hedgerow_node.store.private.values import DAY_SECONDS, NewInvite
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import InviteId
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.invitation import SECRET_BYTES, Invitation
from hedgerow_protocol.ports import Entropy, Timestamp

DAYS_DEFAULT: Final = 7
"""Days. Long enough to reach somebody, too short for a forgotten link to matter."""

DAYS_MAX: Final = limits.INVITE_SECONDS_MAX // DAY_SECONDS
USES_MAX: Final = limits.INVITE_USES_MAX


@dataclass(frozen=True, slots=True)
class MadeInvite:
    """A link as it is shown once. Nothing that is kept can make it again."""

    url: str
    expires: int
    """Unix seconds."""
    uses: int
    """How many people can make an account with it."""

    def to_json(self) -> dict[str, Any]:
        """What ``hedgerow invite --json`` prints."""
        return {"url": self.url, "expires": self.expires, "uses": self.uses}


async def make_invite(
    accounts: Accounts, base: str, node: NodeId, *, uses: int, days: int, now: Timestamp, entropy: Entropy
) -> MadeInvite:
    """Make an invitation in the keeper's name. ``base`` is the web address of ``node`` without a final slash.

    Raises :class:`~hedgerow_protocol.delivery.refusal.Refused`, also for numbers out of bounds.
    """
    invitation = Invitation(entropy(SECRET_BYTES))
    expires = int(now) + days * DAY_SECONDS
    invite = NewInvite(InviteId(invitation.id), invitation.proof_hash, expires, uses)
    await accounts.add_invite(None, invite, now=now)
    return MadeInvite(invitation.link(base, node), expires, uses)
