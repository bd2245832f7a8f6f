"""Every envelope of a simulated world, parsed and verified once for all of its nodes.

A thousand nodes judge the same thousand records: the answer depends on the bytes alone, so it is worked out once. What
depends on the judge (its clock, the charters it holds) is left to :mod:`hedgerow_node.bench.simulation.store`.
"""

from dataclasses import dataclass

from hedgerow_protocol.envelope import Envelope, Kind, VerifiedEnvelope, parse_envelope, verify_envelope
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import RecordId
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Record, Withdrawal, read_record


@dataclass(frozen=True, slots=True, eq=False)
class Archived:
    """One envelope whose signatures hold, with the record in it."""

    data: bytes
    envelope: Envelope
    record: Record

    @property
    def rid(self) -> RecordId:
        return self.envelope.rid

    @property
    def expires(self) -> Timestamp:
        """When it expires; 0 for charters, which do not."""
        match self.record:
            case Charter():
                return Timestamp(0)
            case Announcement() | HostingClaim():
                return self.record.expires
            case Listing() | Withdrawal():
                return self.record.slot.expires

    @property
    def issued(self) -> Timestamp:
        """When it was made; 0 for charters, which do not say."""
        match self.record:
            case Charter():
                return Timestamp(0)
            case Announcement() | HostingClaim():
                return self.record.issued
            case Listing() | Withdrawal():
                return self.record.slot.issued

    @property
    def seconds(self) -> int:
        """What orders it in reconciliation."""
        return int(self.expires)


class Archive:
    """Reads envelopes; remembers every answer."""

    def __init__(self) -> None:
        self._parsed: dict[bytes, Envelope | RemoteError] = {}
        self._read: dict[bytes, Archived | RemoteError] = {}
        self.verifications = 0
        """Envelopes whose signatures were really checked."""
        self.refused = 0
        """Those that did not hold."""

    def __len__(self) -> int:
        return len(self._parsed)

    def parse(self, data: bytes) -> Envelope:
        """The envelope in these bytes. Raises :class:`RemoteError`."""
        found = self._parsed.get(data)
        if found is None:
            try:
                found = parse_envelope(data)
            except RemoteError as error:
                found = error
            self._parsed[data] = found
        if isinstance(found, RemoteError):
            raise found
        return found

    def read(self, data: bytes) -> Archived:
        """The record in these bytes, its signatures checked. Raises :class:`RemoteError`."""
        found = self._read.get(data)
        if found is None:
            envelope = self.parse(data)
            try:
                self.verifications += 1
                verified = verify_envelope(envelope)
                found = Archived(data, envelope, read_record(verified))
            except RemoteError as error:
                self.refused += 1
                found = error
            self._read[data] = found
        if isinstance(found, RemoteError):
            raise found
        return found

    def add(self, verified: VerifiedEnvelope) -> Archived:
        """Something that was just signed here."""
        return self.read(verified.envelope.to_bytes())

    def kind(self, data: bytes) -> Kind:
        """What kind of record these bytes hold. Raises :class:`RemoteError`."""
        return self.parse(data).kind
