"""Making listings by hand: with the node's directory key, or by stewards who sign one after the other.

A community that just begins writes a listing on the keeper's page and the directory key signs it at once (pages show
"one signer"). A group that wants to speak for itself founds a charter of its own stewards; from then on every change
needs the signatures of a majority of them, and no keeper can give those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.directory.drafts import DraftFile, unsigned
from hedgerow_node.directory.keyfiles import load_or_create_key
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.directory.publishing_form import FieldErrors, listing_from_fields
from hedgerow_node.directory.versions import next_slot, withdrawal_slot
from hedgerow_protocol import limits
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, VerifiedEnvelope, sign
from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.ids import ListingId, RecordId, listing_id
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Entropy, Timestamp
from hedgerow_protocol.records import NONCE_BYTES, Charter, Listing, Withdrawal
from hedgerow_protocol.state import ShownListing

__all__ = [
    "FieldErrors",
    "PublishError",
    "change_with_directory_key",
    "directory_signer",
    "listing_from_fields",
    "publish_with_directory_key",
    "renew_with_directory_key",
    "withdraw_with_directory_key",
]


class PublishError(Exception):
    """A record was not taken; ``str()`` is a sentence."""


class Accepts(Protocol):
    """Whoever takes records in: the node's directory itself, or a door to it from the command line."""

    async def accept(self, envelopes: Sequence[bytes], *, now: Timestamp) -> list[Outcome]:
        """One outcome for each envelope, durable when it returns."""
        ...


@dataclass(frozen=True, slots=True)
class DirectorySigner:
    """A key that alone speaks for a directory of listings, and the charter that says so."""

    key: SigningKey
    charter: Envelope

    @property
    def root(self) -> RecordId:
        return self.charter.rid

    def sign(self, record: Listing | Withdrawal) -> VerifiedEnvelope:
        """Sign a record below this charter. Raises :class:`RemoteError` when one of its fields breaks a limit."""
        kind = Kind.LISTING if isinstance(record, Listing) else Kind.WITHDRAWAL
        return sign(kind, record.to_body(), [self.key])


def directory_signer(key: SigningKey) -> DirectorySigner:
    """The directory of this key. The charter follows from the key alone, so a key that moves house keeps its ids."""
    if key.usage is not Usage.STEWARD:
        raise LocalError("A directory is signed by a steward's key, never by a node's.")
    nonce = blake2b(key.public, digest_size=NONCE_BYTES, person=b"hedgerow/dir").digest()
    charter = Charter(previous=None, position=0, stewards=(key.public,), threshold=1, nonce=nonce)
    return DirectorySigner(key, sign(Kind.CHARTER, charter.to_body(), [key]).envelope)


async def publish_with_directory_key(
    door: Accepts,
    config: Config,
    content: ListingContent,
    now: Timestamp,
    *,
    entropy: Entropy = clock.entropy,
    lease_seconds: int = limits.LEASE_SECONDS_DEFAULT,
) -> ListingId:
    """Publish a new listing, signed by the node's directory key. Raises :class:`PublishError`."""
    signer = _signer(config, entropy)
    entry = entropy(limits.ENTRY_BYTES_MAX)
    slot = next_slot(signer.root, entry, now, previous=None, lease_seconds=lease_seconds)
    await _accept(door, signer, Listing(slot=slot, content=content), now)
    return listing_id(signer.root, entry)


async def change_with_directory_key(
    door: Accepts,
    config: Config,
    shown: ShownListing,
    content: ListingContent,
    now: Timestamp,
    *,
    lease_seconds: int = limits.LEASE_SECONDS_DEFAULT,
) -> None:
    """Publish a new version of a listing of the node's own directory. Raises :class:`PublishError`."""
    signer = _own_signer(config, shown)
    slot = next_slot(signer.root, shown.slot.entry, now, previous=shown.slot, lease_seconds=lease_seconds)
    await _accept(door, signer, Listing(slot=slot, content=content, hosts=shown.hosts), now)


async def renew_with_directory_key(
    door: Accepts,
    config: Config,
    shown: ShownListing,
    now: Timestamp,
    *,
    lease_seconds: int = limits.LEASE_SECONDS_DEFAULT,
) -> None:
    """Confirm a listing of the node's own directory for another lease. Raises :class:`PublishError`."""
    if shown.content is None:
        raise PublishError("This listing is in dispute, so it cannot be renewed. The group can found itself anew.")
    await change_with_directory_key(door, config, shown, shown.content, now, lease_seconds=lease_seconds)


async def withdraw_with_directory_key(door: Accepts, config: Config, shown: ShownListing, now: Timestamp) -> None:
    """Take a listing of the node's own directory back. Raises :class:`PublishError`."""
    signer = _own_signer(config, shown)
    await _accept(door, signer, Withdrawal(slot=withdrawal_slot(signer.root, now, previous=shown.slot)), now)


def _signer(config: Config, entropy: Entropy) -> DirectorySigner:
    return directory_signer(load_or_create_key(config.directory_key_file, Usage.STEWARD, entropy))


def _own_signer(config: Config, shown: ShownListing) -> DirectorySigner:
    signer = _signer(config, clock.entropy)
    if shown.slot.charter != signer.root:
        raise PublishError(
            "This listing is not signed by this node's directory key. Its stewards change it in a file they pass "
            "around: hedgerow publish draft --change LISTING."
        )
    return signer


async def _accept(door: Accepts, signer: DirectorySigner, record: Listing | Withdrawal, now: Timestamp) -> None:
    try:
        envelope = signer.sign(record).envelope
    except RemoteError as error:
        raise PublishError(str(error)) from error
    check_outcomes(await door.accept([signer.charter.to_bytes(), envelope.to_bytes()], now=now))


def check_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Raise :class:`PublishError` for the first record that was not taken."""
    for outcome in outcomes:
        match outcome:
            case Stored() | Known():
                pass
            case Superseded():
                raise PublishError("There is already a later version of this, so nothing was changed.")
            case Waiting():
                raise PublishError("This node does not know the charter this stands on. Publish the charter first.")
            case Refused(reason=reason):
                raise PublishError(reason)


async def submit(door: Accepts, file: DraftFile, now: Timestamp) -> None:
    """Publish a complete file: its charters, then its records. Raises :class:`PublishError`."""
    check_outcomes(await door.accept([each.to_bytes() for each in (*file.charters, *file.records)], now=now))


def found_charter(stewards: Iterable[bytes], threshold: int | None, entropy: Entropy) -> Charter:
    """A founding charter of these public keys; the threshold is a plain majority when none is said."""
    keys = tuple(sorted(set(stewards)))
    return _checked(
        Charter(
            previous=None,
            position=0,
            stewards=keys,
            threshold=threshold or len(keys) // 2 + 1,
            nonce=entropy(NONCE_BYTES),
        )
    )


def change_charter(
    previous: Envelope, charter: Charter, stewards: Iterable[bytes], threshold: int | None, entropy: Entropy
) -> Charter:
    """The charter that follows ``charter`` (whose envelope is ``previous``)."""
    keys = tuple(sorted(set(stewards)))
    return _checked(
        Charter(
            previous=previous.rid,
            position=charter.position + 1,
            stewards=keys,
            threshold=threshold or len(keys) // 2 + 1,
            nonce=entropy(NONCE_BYTES),
        )
    )


def _checked(charter: Charter) -> Charter:
    unsigned(charter)
    return charter


def check_charter(charter: Charter) -> list[str]:
    """What a group should know about its choice of stewards: sentences, none when all is well."""
    count, threshold = len(charter.stewards), charter.threshold
    if count == 1:
        return ["One key alone speaks for this listing; pages will show “one signer”. Add stewards when you can."]
    if count == threshold:
        return [
            f"All {count} stewards must sign every change: if one of them is lost, nobody can change or renew the "
            "listing any more. One more steward, or a lower threshold, would be safer."
        ]
    if count - 1 == threshold:
        return [f"If two of the {count} stewards are lost, too few are left to sign. One may be."]
    return []
