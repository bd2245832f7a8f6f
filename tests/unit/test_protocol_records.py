"""Keys, envelopes and records: who may sign what, and what is refused with which reason."""

from dataclasses import replace

import pytest

from hedgerow_protocol import limits, rules, wire
from hedgerow_protocol.content import Facets, ListingContent, Meeting, Place
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from hedgerow_protocol.envelope import Kind, merge, parse_envelope, sign, verify_envelope
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.keys import SigningKey, Usage, verify
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot, read_record
from hedgerow_protocol.state import RecordSet

NOW = Timestamp(1_800_000_000)
STEWARDS = [SigningKey.from_seed(Usage.STEWARD, bytes([number]) * 32) for number in range(1, 6)]
NODE = SigningKey.from_seed(Usage.NODE, bytes([1]) * 32)


def charter(keys: list[SigningKey], threshold: int, nonce: int = 0) -> Charter:
    stewards = tuple(sorted(key.public for key in keys))
    return Charter(previous=None, position=0, stewards=stewards, threshold=threshold, nonce=bytes([nonce]) * 16)


def listing(rid: bytes, seq: int = 1, name: str = "Example", days: int = 90) -> Listing:
    slot = Slot(charter=rid, entry=b"", seq=seq, issued=NOW, expires=Timestamp(NOW + days * 86_400))  # type: ignore[arg-type]
    return Listing(slot=slot, content=ListingContent(name=name))


def refusal(records: RecordSet, kind: Kind, body: bytes, keys: list[SigningKey]) -> Code:
    with pytest.raises(RemoteError) as refused:
        records.add(sign(kind, body, keys), NOW)
    return refused.value.code


def test_a_seed_gives_unrelated_keys_for_node_and_steward() -> None:
    assert NODE.public[1:] != STEWARDS[0].public[1:]


def test_a_signature_of_one_purpose_is_none_of_another() -> None:
    body = charter(STEWARDS[:1], 1).to_body()
    envelope = sign(Kind.CHARTER, body, STEWARDS[:1]).envelope
    assert not verify(STEWARDS[0].public, body, envelope.signatures[0].signature)
    moved = replace(envelope, kind=Kind.LISTING)
    with pytest.raises(RemoteError) as refused:
        verify_envelope(parse_envelope(moved.to_bytes()))
    assert refused.value.code is Code.BAD_SIGNATURE


def test_a_minority_changes_nothing() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:3], 2).to_body(), STEWARDS[:2])
    records.add(founding, NOW)
    body = listing(founding.envelope.rid).to_body()
    assert refusal(records, Kind.LISTING, body, STEWARDS[:1]) is Code.TOO_FEW_SIGNATURES
    assert refusal(records, Kind.LISTING, body, STEWARDS[3:5]) is Code.WRONG_SIGNER
    assert refusal(records, Kind.LISTING, body, [STEWARDS[0], NODE]) is Code.WRONG_SIGNER
    records.add(sign(Kind.LISTING, body, STEWARDS[1:3]), NOW)
    assert [shown.name for shown in records.shown(NOW).values()] == ["Example"]


def test_a_node_key_cannot_be_a_steward() -> None:
    with pytest.raises(RemoteError) as refused:
        charter([*STEWARDS[:2], NODE], 2).to_body()
    assert refused.value.code is Code.BAD_KEY


@pytest.mark.parametrize(("stewards", "threshold"), [(2, 1), (3, 1), (4, 2), (3, 4), (5, 2)])
def test_a_threshold_is_a_majority(stewards: int, threshold: int) -> None:
    with pytest.raises(RemoteError):
        charter(STEWARDS[:stewards], threshold).to_body()


def test_new_stewards_need_the_old_and_the_new() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:3], 2).to_body(), STEWARDS[:2])
    records.add(founding, NOW)
    change = replace(charter(STEWARDS[2:5], 2, nonce=1), previous=founding.envelope.rid, position=1).to_body()
    assert refusal(records, Kind.CHARTER, change, STEWARDS[2:4]) is Code.TOO_FEW_SIGNATURES
    assert refusal(records, Kind.CHARTER, change, STEWARDS[0:2]) is Code.TOO_FEW_SIGNATURES
    records.add(sign(Kind.CHARTER, change, STEWARDS[1:4]), NOW)
    assert len(records.charters) == 2


def test_a_fork_is_shown_as_a_dispute_with_no_text() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:3], 2).to_body(), STEWARDS[:2])
    records.add(founding, NOW)
    records.add(sign(Kind.LISTING, listing(founding.envelope.rid).to_body(), STEWARDS[:2]), NOW)
    for nonce in (1, 2):
        change = replace(charter(STEWARDS[:3], 2, nonce), previous=founding.envelope.rid, position=1)
        records.add(sign(Kind.CHARTER, change.to_body(), STEWARDS[:2]), NOW)
    (shown,) = records.shown(NOW).values()
    assert shown.contested
    assert shown.in_dispute
    assert shown.content is None
    assert shown.name == "Example"


def test_two_texts_with_one_number_are_marked_until_the_next() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:1], 1).to_body(), STEWARDS[:1])
    records.add(founding, NOW)
    for name in ("One", "Two"):
        records.add(sign(Kind.LISTING, listing(founding.envelope.rid, name=name).to_body(), STEWARDS[:1]), NOW)
    (shown,) = records.shown(NOW).values()
    assert shown.two_versions
    assert not shown.contested
    records.add(sign(Kind.LISTING, listing(founding.envelope.rid, 2, "Three").to_body(), STEWARDS[:1]), NOW)
    (shown,) = records.shown(NOW).values()
    assert (shown.name, shown.two_versions) == ("Three", False)


def test_an_older_version_never_comes_back() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:1], 1).to_body(), STEWARDS[:1])
    records.add(founding, NOW)
    for seq, name, days in ((1, "long", 300), (2, "short", 10)):
        records.add(sign(Kind.LISTING, listing(founding.envelope.rid, seq, name, days).to_body(), STEWARDS[:1]), NOW)
    for later in (0, 20, 299):
        names = [shown.name for shown in records.shown(Timestamp(NOW + later * 86_400)).values()]
        assert names == ["long"]
    assert records.shown(Timestamp(NOW + 301 * 86_400)) == {}


def test_what_has_expired_or_lies_in_the_future_is_refused() -> None:
    records = RecordSet()
    founding = sign(Kind.CHARTER, charter(STEWARDS[:1], 1).to_body(), STEWARDS[:1])
    verified = sign(Kind.LISTING, listing(founding.envelope.rid).to_body(), STEWARDS[:1])
    early = NOW - limits.CLOCK_SKEW_SECONDS_MAX - 1
    for now, code in ((NOW + 100 * 86_400, Code.EXPIRED), (early, Code.FROM_THE_FUTURE)):
        with pytest.raises(RemoteError) as refused:
            records.add(verified, Timestamp(now))
        assert refused.value.code is code


def test_stewards_join_their_signatures() -> None:
    founding = charter(STEWARDS[:3], 2).to_body()
    one, two = (sign(Kind.CHARTER, founding, [key]).envelope for key in STEWARDS[:2])
    both = verify_envelope(parse_envelope(merge(one, two).to_bytes()))
    RecordSet().add(both, NOW)
    with pytest.raises(LocalError):
        merge(one, sign(Kind.CHARTER, charter(STEWARDS[:3], 3).to_body(), STEWARDS[:1]).envelope)


def test_later_fields_of_a_newer_version_are_passed_over() -> None:
    content = ListingContent(name="Example", meetings=(Meeting(slug="a"),))
    row = content_to_value(content)
    assert content_from_value((*row, None, "a field of tomorrow", (1, (2,)))) == content


@pytest.mark.parametrize(
    "content",
    [
        ListingContent(name=" "),
        ListingContent(name="a\x00b"),
        ListingContent(name="a\u202eb"),
        ListingContent(name="a" * 256),
        ListingContent(name="a", url="javascript:alert(1)"),
        ListingContent(name="a", url="https://exa mple.org"),
        ListingContent(name="a", url="https://example.org/\u200b"),
        ListingContent(name="a", experiences=("a\u00adb",)),
        ListingContent(name="a", confirmed="2026-W05-1"),  # a date to Python, and to nobody else
        ListingContent(name="a", confirmed="２０２６-01-01"),
        ListingContent(name="a", experiences=("b", "a")),
        ListingContent(name="a", experiences=("Upper",)),
        ListingContent(name="a", facets=Facets(languages=("english language",))),
        ListingContent(name="a", meetings=(Meeting(slug=""),)),
        ListingContent(name="a", meetings=(Meeting(slug="a"), Meeting(slug="a"))),
        ListingContent(name="a", meetings=(Meeting(slug="a", weekday=7),)),
        ListingContent(name="a", meetings=(Meeting(slug="a", start=1440),)),
        ListingContent(name="a", meetings=(Meeting(slug="a", first="2026-02-30"),)),
        ListingContent(name="a", meetings=(Meeting(slug="a", rrule="FREQ=WEEKLY"),)),
        ListingContent(name="a", meetings=(Meeting(slug="a", tz="../etc/passwd"),)),
        ListingContent(name="a", meetings=(Meeting(slug="a", place=Place(latitude_e7=1)),)),
    ],
    ids=lambda content: ascii(content.name) + str(len(content.meetings)),
)
def test_bad_content_is_refused(content: ListingContent) -> None:
    with pytest.raises(RemoteError) as refused:
        content_from_value(wire.decode(wire.encode(content_to_value(content)), size_max=limits.BODY_BYTES_MAX))
    assert refused.value.code is Code.BAD_FIELD


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("BYDAY=2TH;FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=2TH"),
        ("FREQ=WEEKLY;INTERVAL=1;WKST=MO;BYDAY=WE,MO", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("FREQ=YEARLY;BYMONTH=3,1;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=1,3;BYDAY=-1SU"),
        ("FREQ=DAILY;COUNT=10", "FREQ=DAILY;COUNT=10"),
        ("FREQ=MONTHLY;UNTIL=20271231;BYDAY=MO,TU;BYSETPOS=-1", "FREQ=MONTHLY;UNTIL=20271231;BYDAY=MO,TU;BYSETPOS=-1"),
    ],
)
def test_rules_have_one_spelling(text: str, canonical: str) -> None:
    assert rules.spell(rules.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "FREQ=HOURLY", "FREQ=WEEKLY;BYDAY=2MO", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=2;UNTIL=20270101",
     "FREQ=MONTHLY;BYDAY=6MO", "FREQ=DAILY;UNTIL=20270230", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;FREQ=DAILY",
     "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;INTERVAL=²"],
)  # fmt: skip
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(RemoteError):
        rules.parse(text)


@pytest.mark.parametrize("character", ["\U000105c0", "\U0001faef", "\ue000", "É", "\u0378"])
def test_what_is_accepted_does_not_depend_on_the_version_of_unicode(character: str) -> None:
    # Some of these are printable, or cased, only in later versions than this Python's; nodes must not differ.
    content = ListingContent(name="a", url=f"https://example.org/{character}", experiences=(character,))
    assert content_from_value(content_to_value(content)) == content


def test_every_record_reads_back() -> None:
    body = listing(b"c" * 32).to_body()
    verified = sign(Kind.LISTING, body, STEWARDS[:1])
    assert read_record(verified).to_body() == body
