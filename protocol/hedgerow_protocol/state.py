"""What a set of records means: a pure function of the set, never of the order in which its members arrived.

* Charters form trees. From a founding charter, follow the only valid child; two valid children of one charter put
  everything below that founding charter in dispute (*contested*).
* A charter's child is valid when enough stewards of both the old and the new charter signed it (TUF's rule).
* A listing or withdrawal fills a slot (charter, entry). In one slot the later wins by (expires, seq, smaller id): so a
  version that would let an older one come back after its own expiry never wins. A second body with the same
  (expires, seq) is kept as a mark that somebody signed two versions.
* Across the charters of one chain the winner is the greatest by (position, expires, seq, smaller id): what the present
  stewards sign overrules everything that former stewards can still sign.
* Of a node's announcements the latest counts, and so of its hosting claims. A listing may name any node as its host;
  it is confirmed when that node's claim names the listing's founding charter.
* *Live* at a time: unexpired slots, and every charter of their trees; the unexpired announcement and hosting claim of
  each node.

Because each step takes the greatest under a total order, records may arrive in any order, and those that lose may be
forgotten at once. :class:`RecordSet` is this function in its plainest form, kept in memory; the node's store does the
same with an index and is tested against it. Spec: docs/protocol/records.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from hedgerow_protocol import limits
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, VerifiedEnvelope
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import ListingId, NodeId, RecordId, listing_id
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Slot, Withdrawal, read_record


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownListing:
    """What a page may show of one listing at one time."""

    id: ListingId
    name: str
    content: ListingContent | None
    """``None`` while the listing is contested: then only the name is shown, and that there are two versions."""
    slot: Slot
    hosts: tuple[NodeId, ...] = ()
    """As the listing names them; nobody asked these nodes."""
    hosts_confirmed: tuple[NodeId, ...] = ()
    """Those of them that claim to host the group."""
    contested: bool = False
    two_versions: bool = False
    """The same version number was signed with two different texts; cleared by the next version."""
    threshold: int = 1
    stewards: int = 1

    @property
    def one_signer(self) -> bool:
        """One key alone speaks for this listing: a directory, or a group that is just beginning."""
        return self.stewards == 1

    @property
    def in_dispute(self) -> bool:
        return self.contested or self.two_versions


def hour_start(now: Timestamp) -> Timestamp:
    """The start of the UTC hour: liveness is judged there, so that small clock differences agree."""
    return Timestamp(now - now % 3600)


def state_hash(rids: Iterable[RecordId]) -> str:
    """BLAKE2b-256 over the sorted ids of the live set, in hex."""
    return hash_of_sorted(sorted(rids))


def hash_of_sorted(rids: Iterable[RecordId]) -> str:
    """The same for ids that come in ascending order already, each once."""
    digest = blake2b(digest_size=32, person=b"hedgerow/state")
    for rid in rids:
        digest.update(rid)
    return digest.hexdigest()


def check_times(issued: Timestamp, expires: Timestamp, now: Timestamp) -> None:
    """Refuse what has expired or is not yet issued. Raises :class:`RemoteError`."""
    if expires <= hour_start(now):
        raise RemoteError(Code.EXPIRED, "This record has expired.")
    if issued > now + limits.CLOCK_SKEW_SECONDS_MAX:
        raise RemoteError(Code.FROM_THE_FUTURE, "This record was issued in the future: a clock is wrong.")


def check_founding(envelope: Envelope, charter: Charter) -> None:
    """Whether the signers of a founding charter suffice. Raises :class:`RemoteError`."""
    _check_signers(envelope, charter.stewards, charter.threshold, exact=True)


def check_succession(envelope: Envelope, charter: Charter, previous: Charter) -> None:
    """Whether enough old and new stewards signed a change of charter. Raises :class:`RemoteError`."""
    if charter.position != previous.position + 1:
        raise RemoteError(Code.BAD_FIELD, "A charter's position is one more than its predecessor's.")
    _check_signers(envelope, (*previous.stewards, *charter.stewards), 1, exact=True)
    _check_signers(envelope, previous.stewards, previous.threshold, exact=False)
    _check_signers(envelope, charter.stewards, charter.threshold, exact=False)


def check_signers(envelope: Envelope, charter: Charter) -> None:
    """Whether the signers of a listing or withdrawal may speak under this charter. Raises :class:`RemoteError`."""
    _check_signers(envelope, charter.stewards, charter.threshold, exact=True)


def _check_signers(envelope: Envelope, stewards: tuple[bytes, ...], threshold: int, *, exact: bool) -> None:
    signed = [author for author in envelope.authors if author in stewards]
    if exact and len(signed) != len(envelope.signatures):
        raise RemoteError(Code.WRONG_SIGNER, "Signed by a key that is not one of the group's stewards.")
    if len(signed) < threshold:
        raise RemoteError(
            Code.TOO_FEW_SIGNATURES,
            f"Signed by {len(signed)} of the group's stewards; {threshold} are needed.",
        )


@dataclass(frozen=True, slots=True)
class _Filled:
    record: Listing | Withdrawal
    rid: RecordId

    @property
    def order(self) -> tuple[int, int, bytes]:
        """Greater wins; the id counts downwards, so it is turned over."""
        return (self.record.slot.expires, self.record.slot.seq, _turned(self.rid))

    def across(self, position: int) -> tuple[int, int, int, bytes]:
        return (position, self.record.slot.expires, self.record.slot.seq, _turned(self.rid))


def _turned(rid: bytes) -> bytes:
    return bytes(255 - byte for byte in rid)


_ByNode = TypeVar("_ByNode", Announcement, HostingClaim)


@dataclass(slots=True)
class RecordSet:
    """The state function over records held in memory. Feed it verified envelopes in any order."""

    charters: dict[RecordId, tuple[Charter, Envelope]] = field(default_factory=dict)
    slots: dict[tuple[RecordId, bytes], list[_Filled]] = field(default_factory=dict)
    announcements: dict[NodeId, tuple[Announcement, RecordId]] = field(default_factory=dict)
    claims: dict[NodeId, tuple[HostingClaim, RecordId]] = field(default_factory=dict)
    waiting: list[VerifiedEnvelope] = field(default_factory=list)

    def add(self, verified: VerifiedEnvelope, now: Timestamp) -> None:
        """Take one record in. Raises :class:`RemoteError` when it is refused; waits when its charter is unknown."""
        if self._take(verified, now):
            self._retry(now)
        else:
            self.waiting.append(verified)
            del self.waiting[: -limits.WAITING_ENVELOPES_MAX]

    def _retry(self, now: Timestamp) -> None:
        progress = True
        while progress:
            progress = False
            for waiting in list(self.waiting):
                try:
                    taken = self._take(waiting, now)
                except RemoteError:
                    taken = True  # its charter came, and it is wrong: nobody waits for it any more
                if taken:
                    self.waiting.remove(waiting)
                    progress = True

    def _take(self, verified: VerifiedEnvelope, now: Timestamp) -> bool:
        record = read_record(verified)
        envelope = verified.envelope
        match record:
            case Charter():
                return self._take_charter(record, envelope)
            case Announcement():
                check_times(record.issued, record.expires, now)
                self._take_latest(self.announcements, record, envelope.rid)
                return True
            case HostingClaim():
                check_times(record.issued, record.expires, now)
                self._take_latest(self.claims, record, envelope.rid)
                return True
            case Listing() | Withdrawal():
                check_times(record.slot.issued, record.slot.expires, now)
                known = self.charters.get(record.slot.charter)
                if known is None:
                    return False
                check_signers(envelope, known[0])
                self._fill(_Filled(record, envelope.rid))
                return True

    def _take_charter(self, charter: Charter, envelope: Envelope) -> bool:
        if charter.previous is None:
            check_founding(envelope, charter)
        else:
            previous = self.charters.get(charter.previous)
            if previous is None:
                return False
            check_succession(envelope, charter, previous[0])
        self.charters[envelope.rid] = (charter, envelope)
        self._trim_forks(charter.previous)
        return True

    def _trim_forks(self, previous: RecordId | None) -> None:
        if previous is None:
            return
        for rid in self._children(previous)[limits.CHARTER_FORKS_MAX :]:
            self._forget(rid)

    def _forget(self, rid: RecordId) -> None:
        for child in self._children(rid):
            self._forget(child)
        del self.charters[rid]
        for key in [key for key in self.slots if key[0] == rid]:
            del self.slots[key]

    def _take_latest(self, kept: dict[NodeId, tuple[_ByNode, RecordId]], record: _ByNode, rid: RecordId) -> None:
        held = kept.get(record.node_id)
        new = (record.expires, record.seq, _turned(rid))
        if held is None or new > (held[0].expires, held[0].seq, _turned(held[1])):
            kept[record.node_id] = (record, rid)

    def _fill(self, filled: _Filled) -> None:
        key = (filled.record.slot.charter, filled.record.slot.entry)
        candidates = {each.rid: each for each in self.slots.get(key, [])}
        candidates[filled.rid] = filled
        ordered = sorted(candidates.values(), key=lambda each: each.order, reverse=True)
        best = ordered[0]
        self.slots[key] = [each for each in ordered[:2] if each.order[:2] == best.order[:2]]

    def _children(self, rid: RecordId) -> list[RecordId]:
        return sorted(child for child, (charter, _) in self.charters.items() if charter.previous == rid)

    def _root(self, rid: RecordId) -> RecordId:
        previous = self.charters[rid][0].previous
        while previous is not None:
            rid = previous
            previous = self.charters[rid][0].previous
        return rid

    def _path(self, root: RecordId) -> tuple[list[RecordId], bool]:
        """The selected charters from the founding one on, and whether a fork ends them."""
        path = [root]
        while True:
            children = self._children(path[-1])
            if len(children) != 1:
                return path, len(children) > 1
            path.append(children[0])

    def live(self, at: Timestamp) -> set[RecordId]:
        """The ids of the live set at a time (give it :func:`hour_start`)."""
        rids: set[RecordId] = set()
        roots: set[RecordId] = set()
        for (charter, _entry), filled in self.slots.items():
            alive = [each.rid for each in filled if each.record.slot.expires > at]
            if alive:
                rids.update(alive)
                roots.add(self._root(charter))
        rids.update(rid for rid in self.charters if self._root(rid) in roots)
        rids.update(rid for announcement, rid in self.announcements.values() if announcement.expires > at)
        rids.update(rid for claim, rid in self.claims.values() if claim.expires > at)
        return rids

    def state_hash(self, now: Timestamp) -> str:
        """The hash two nodes compare."""
        return state_hash(self.live(hour_start(now)))

    def shown(self, now: Timestamp) -> dict[ListingId, ShownListing]:
        """Every listing a page may show now."""
        by_listing: dict[ListingId, list[tuple[RecordId, list[_Filled]]]] = {}
        for (charter, entry), filled in self.slots.items():
            alive = [each for each in filled if each.record.slot.expires > now]
            if alive:
                by_listing.setdefault(listing_id(self._root(charter), entry), []).append((charter, alive))
        shown = (self._show(lid, candidates, now) for lid, candidates in sorted(by_listing.items()))
        return {each.id: each for each in shown if each is not None}

    def _show(
        self, lid: ListingId, candidates: list[tuple[RecordId, list[_Filled]]], now: Timestamp
    ) -> ShownListing | None:
        root = self._root(candidates[0][0])
        path, contested = self._path(root)
        on_path = [each for each in candidates if each[0] in path]
        if not on_path and not contested:
            return None
        charter_rid, filled = max(
            on_path or candidates, key=lambda each: each[1][0].across(self.charters[each[0]][0].position)
        )
        record = filled[0].record
        if isinstance(record, Withdrawal):
            return None
        charter = self.charters[charter_rid][0]
        hosts = () if contested else record.hosts
        return ShownListing(
            id=lid,
            name=record.content.name,
            content=None if contested else record.content,
            slot=record.slot,
            hosts=hosts,
            hosts_confirmed=tuple(host for host in hosts if self._hosts(host, root, now)),
            contested=contested,
            two_versions=len(filled) > 1,
            threshold=charter.threshold,
            stewards=len(charter.stewards),
        )

    def _hosts(self, node: NodeId, root: RecordId, now: Timestamp) -> bool:
        held = self.claims.get(node)
        return held is not None and held[0].expires > now and root in held[0].roots
