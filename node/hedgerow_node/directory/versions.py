"""Numbering of versions: the sequence and the lease of the next thing said about a listing. Pure.

``expires`` never decreases from one version to the next, so an older version can never come back (see
:mod:`hedgerow_protocol.state`). The sequence is the time of issue, or one more than the last where that is greater:
so a key that was restored from an old backup does not sign a second text under a number it has used before.
"""

from hedgerow_protocol import limits
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Slot

DAY_SECONDS = 86_400

WITHDRAWAL_SECONDS_MIN = 30 * DAY_SECONDS
"""Seconds. A withdrawal stays at least this long, so that nodes that were away hear of it."""


class ClockError(Exception):
    """This machine's clock contradicts what was signed before; ``str()`` is a sentence."""


def next_slot(
    charter: RecordId,
    entry: bytes,
    now: Timestamp,
    *,
    previous: Slot | None,
    lease_seconds: int = limits.LEASE_SECONDS_DEFAULT,
) -> Slot:
    """The slot of the next version, which wins over ``previous``. Raises :class:`ClockError`."""
    seq, expires = int(now), now + lease_seconds
    if previous is not None:
        seq, expires = max(previous.seq + 1, seq), max(previous.expires, expires)
        if expires > now + limits.LEASE_SECONDS_MAX:
            raise ClockError(
                "The last version of this listing was signed with a later clock than this machine's. "
                "Set the date and time of this machine, then try again."
            )
    return Slot(charter=charter, entry=entry, seq=seq, issued=now, expires=Timestamp(expires))


def withdrawal_slot(charter: RecordId, now: Timestamp, *, previous: Slot) -> Slot:
    """The slot of a withdrawal of ``previous``: it lasts at least as long as what it withdraws."""
    return next_slot(charter, previous.entry, now, previous=previous, lease_seconds=WITHDRAWAL_SECONDS_MIN)


def is_worth_renewing(slot: Slot, now: Timestamp) -> bool:
    """Whether less than two thirds of the lease are left."""
    return 3 * (slot.expires - now) < 2 * (slot.expires - slot.issued)
