"""What a (re-)import of one source changes: a pure comparison of what the feed says with what is held.

New listings are added, changed ones get a new version, those that are still there are renewed once less than two
thirds of their lease are left, and those that vanished are withdrawn. A feed that lost more than a fifth of its
listings (and at least five) is more likely broken than true, so it is refused until somebody says that it is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from hedgerow_node.directory.versions import is_worth_renewing, next_slot, withdrawal_slot
from hedgerow_protocol import limits
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing, Slot, Withdrawal

VANISHED_COUNT_MIN = 5
"""Listings. Fewer than this may vanish at any time."""

VANISHED_SHARE_MAX = 0.2
"""Share. Of the listings held; more than this must be said to be right."""


class ImportRefusedError(Exception):
    """Nothing was changed; ``str()`` is a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Held:
    """What fills one entry of the source now."""

    slot: Slot
    content: ListingContent | None
    """``None`` when it was withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The records to sign, by why they are needed."""

    new: tuple[Listing, ...]
    updated: tuple[Listing, ...]
    renewed: tuple[Listing, ...]
    withdrawn: tuple[Withdrawal, ...]
    unchanged: int

    @property
    def records(self) -> tuple[Listing | Withdrawal, ...]:
        return (*self.new, *self.updated, *self.renewed, *self.withdrawn)


def entry_of(source: str, key: str) -> bytes:
    """16 bytes that name one listing of one source: the same at every import."""
    digest = blake2b(digest_size=limits.ENTRY_BYTES_MAX, person=b"hedgerow/entry")
    raw = source.encode()
    digest.update(len(raw).to_bytes(4, "big") + raw + key.encode())
    return digest.digest()


def make_plan(
    wanted: Mapping[bytes, ListingContent],
    held: Mapping[bytes, Held],
    *,
    charter: RecordId,
    now: Timestamp,
    allow_withdraw: bool = False,
) -> Plan:
    """Compare, by entry. Raises :class:`ImportRefusedError` when suspiciously many listings would vanish."""
    vanished = [entry for entry, each in held.items() if each.content is not None and entry not in wanted]
    if not allow_withdraw:
        _check_vanished(len(vanished), sum(each.content is not None for each in held.values()), bool(wanted))
    new: list[Listing] = []
    updated: list[Listing] = []
    renewed: list[Listing] = []
    unchanged = 0
    for entry, content in wanted.items():
        before = held.get(entry)
        if before is not None and before.content is not None and _same(content, before.content):
            if not is_worth_renewing(before.slot, now):
                unchanged += 1
                continue
            target = renewed
        else:
            target = new if before is None or before.content is None else updated
        slot = next_slot(charter, entry, now, previous=before.slot if before else None)
        target.append(Listing(slot=slot, content=content))
    return Plan(
        new=tuple(new),
        updated=tuple(updated),
        renewed=tuple(renewed),
        withdrawn=tuple(
            Withdrawal(slot=withdrawal_slot(charter, now, previous=held[entry].slot)) for entry in vanished
        ),
        unchanged=unchanged,
    )


def _check_vanished(vanished: int, held: int, any_wanted: bool) -> None:
    if vanished and not any_wanted:
        raise ImportRefusedError(
            f"This feed holds nothing, but {held} of its listings are published. That is more likely a broken feed "
            "than the truth, so nothing was changed. If it is right, import again with --allow-withdraw."
        )
    if vanished >= VANISHED_COUNT_MIN and vanished > VANISHED_SHARE_MAX * held:
        raise ImportRefusedError(
            f"{vanished} of the {held} listings of this source would vanish. That is more likely a broken feed than "
            "the truth, so nothing was changed. If it is right, import again with --allow-withdraw."
        )


def _same(first: ListingContent, second: ListingContent) -> bool:
    # A reader may have built lists where the encoding gives tuples; the encoding decides.
    return first == second or content_from_value(content_to_value(first)) == second
