"""Makes the golden vectors another implementation can be checked with: fixed keys, fixed times, exact bytes.

Run ``python tests/vectors/make_vectors.py`` only when the protocol changes on purpose; the diff shows what changed.
All binary values are lower-case hex.
"""

import json
from pathlib import Path

from hedgerow_protocol import wire
from hedgerow_protocol.content import (
    Attendance,
    Change,
    Contact,
    Facets,
    Joining,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
    Standing,
)
from hedgerow_protocol.envelope import Kind, VerifiedEnvelope, record_id, sign, signed_message
from hedgerow_protocol.ids import NodeId, listing_id, to_text
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement, Charter, HostingClaim, Listing, Slot, Withdrawal
from hedgerow_protocol.state import RecordSet

HERE = Path(__file__).parent
NOW = Timestamp(1_800_000_000)
DAY = 86_400


def seed(name: str) -> bytes:
    """32 bytes that say plainly that they are no secret."""
    return f"hedgerow test seed {name}".encode().ljust(32, b".")


STEWARDS = [SigningKey.from_seed(Usage.STEWARD, seed(name)) for name in ("ash", "birch", "cherry", "dogwood")]
NODE = SigningKey.from_seed(Usage.NODE, seed("node"))

CONTENT = ListingContent(
    name="Quiet Mornings — Ruhe für Eltern",
    summary="For parents who have lost a child.\nCome as you are; saying nothing is fine.",
    experiences=("bereavement", "parenting"),
    facets=Facets(openness=Openness.OPEN, features=("wheelchair",), languages=("de", "en")),
    meetings=(
        Meeting(
            slug="tuesday",
            weekday=2,
            start=19 * 60 + 30,
            duration_min=90,
            tz="Europe/Berlin",
            cancelled=("2027-12-28",),
            attendance=Attendance.HYBRID,
            place=Place(
                name="Example Library",
                street="1 Sample Street",
                city="Sampletown",
                postal_code="00000",
                country="DE",
                regions=("Sample County", "Sampletown"),
                notes="Second floor; the lift is on the left.",
                latitude_e7=525200000,
                longitude_e7=134050000,
            ),
            online=Online(url="https://example.org/meet", password_hint="Ask for the password by e-mail."),
            facets=Facets(formats=("listening",)),
            updated=1_799_000_000,
        ),
        Meeting(
            slug="second-saturday",
            name="Walk together",
            rrule="FREQ=MONTHLY;BYDAY=2SA",
            first="2027-01-09",
            until="2027-12-31",
            start=10 * 60,
            tz="Europe/Berlin",
            added=("2027-05-30",),
            changes=(Change(date="2027-06-12", to_date="2027-06-13", start=11 * 60, duration_min=60),),
            attendance=Attendance.IN_PERSON,
            standing=Standing.PAUSED,
            place=Place(city="Sampletown", approximate=True),
            extras=(("ics:TRANSP", "OPAQUE"),),
        ),
    ),
    joining=Joining.ASK,
    how_to_join="Write to us, or come ten minutes early.",
    eligibility="Adults",
    url="https://example.org/quiet-mornings",
    links=("https://example.org/agreement",),
    contacts=(Contact(name="Welcome team", phone="+49 30 555 0101"),),
    confirmed="2026-11-01",
)

WIRE_VALUES: list[tuple[str, wire.Value]] = [
    ("nil", None),
    ("true", True),
    ("zero", 0),
    ("fixint", 127),
    ("uint8", 128),
    ("uint16", 65_535),
    ("uint64", 2**53 - 1),
    ("negative", -33),
    ("empty text", ""),
    ("text", "Grüße, 你好"),
    ("long text", "a" * 40),
    ("bytes", b"\x00\xff"),
    ("array", (1, ("two", b"3"), None)),
]

REFUSED: list[tuple[str, str]] = [
    ("integer not in its shortest form", "cc05"),
    ("float", "cb3ff0000000000000"),
    ("map", "81a16101"),
    ("extension", "d4010a"),
    ("trailing byte", "0101"),
    ("text not in normal form C", "a365cc88"),
    ("text that is not UTF-8", "a1ff"),
    ("length longer than the input", "dcffff"),
    ("nothing", ""),
]


def vectors() -> dict[str, object]:
    """Everything in records.json."""
    founding = sign(
        Kind.CHARTER,
        Charter(
            previous=None,
            position=0,
            stewards=tuple(sorted(key.public for key in STEWARDS[:3])),
            threshold=2,
            nonce=bytes(range(16)),
        ).to_body(),
        STEWARDS[:2],
    )
    succession = sign(
        Kind.CHARTER,
        Charter(
            previous=founding.envelope.rid,
            position=1,
            stewards=tuple(sorted(key.public for key in STEWARDS[1:])),
            threshold=2,
            nonce=bytes(range(16, 32)),
        ).to_body(),
        STEWARDS[:3],
    )
    slot = Slot(charter=founding.envelope.rid, entry=b"", seq=1, issued=NOW, expires=Timestamp(NOW + 90 * DAY))
    listing = sign(
        Kind.LISTING,
        Listing(slot=slot, content=CONTENT, hosts=(NodeId(NODE.public[1:]),)).to_body(),
        STEWARDS[:2],
    )
    withdrawal = sign(
        Kind.WITHDRAWAL,
        Withdrawal(
            slot=Slot(charter=succession.envelope.rid, entry=b"", seq=2, issued=NOW, expires=Timestamp(NOW + 91 * DAY))
        ).to_body(),
        STEWARDS[2:4],
    )
    announcement = sign(
        Kind.ANNOUNCEMENT,
        Announcement(
            node=NODE.public,
            channel=bytes(32),
            addresses=("wss://node.example.org/peer",),
            features=("listings",),
            seq=7,
            issued=NOW,
            expires=Timestamp(NOW + 20 * DAY),
        ).to_body(),
        [NODE],
    )
    claim = sign(
        Kind.HOSTING,
        HostingClaim(
            node=NODE.public, roots=(founding.envelope.rid,), seq=3, issued=NOW, expires=Timestamp(NOW + 20 * DAY)
        ).to_body(),
        [NODE],
    )
    return {
        "about": "Hedgerow records, protocol version 1. See docs/protocol/.",
        "wire": [{"name": name, "bytes": wire.encode(value).hex()} for name, value in WIRE_VALUES],
        "refused": [{"name": name, "bytes": text} for name, text in REFUSED],
        "keys": [
            {"usage": key.usage.name.lower(), "seed": seed(name).hex(), "public": key.public.hex()}
            for name, key in zip(("ash", "birch", "cherry", "dogwood", "node"), [*STEWARDS, NODE], strict=True)
        ],
        "records": [
            _record(name, verified)
            for name, verified in (
                ("founding charter, 2 of 3", founding),
                ("change of stewards", succession),
                ("listing", listing),
                ("withdrawal", withdrawal),
                ("node announcement", announcement),
                ("hosting claim", claim),
            )
        ],
        "listing_id": {
            "charter": founding.envelope.rid.hex(),
            "entry": "",
            "id": to_text(listing_id(founding.envelope.rid, b"")),
        },
        "states": [
            _state("a listing under its founding charter", [founding, listing]),
            _state("the stewards changed", [founding, succession, listing]),
            _state("and withdrew it", [founding, succession, listing, withdrawal]),
            _state("a node beside it", [founding, listing, announcement]),
            _state("which hosts the group", [founding, listing, announcement, claim]),
        ],
    }


def _record(name: str, verified: VerifiedEnvelope) -> dict[str, object]:
    envelope = verified.envelope
    first = envelope.signatures[0]
    assert record_id(envelope.kind, envelope.body) == envelope.rid
    return {
        "name": name,
        "kind": int(envelope.kind),
        "body": envelope.body.hex(),
        "rid": envelope.rid.hex(),
        "signed_message": signed_message(Usage(first.author[0]), envelope.kind, envelope.rid).hex(),
        "envelope": envelope.to_bytes().hex(),
    }


def _state(name: str, envelopes: list[VerifiedEnvelope]) -> dict[str, object]:
    records = RecordSet()
    for verified in envelopes:
        records.add(verified, NOW)
    return {
        "name": name,
        "now": NOW,
        "rids": [verified.envelope.rid.hex() for verified in envelopes],
        "state_hash": records.state_hash(NOW),
        "shown": [to_text(lid) for lid in records.shown(NOW)],
    }


def text() -> str:
    """The file as it is kept."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "records.json").write_text(text(), encoding="utf-8")
