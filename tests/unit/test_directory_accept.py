"""The one door: what it lets in, and the reason when it does not."""

from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest

from directory_fixtures import DAY, NODE, NOW, STEWARDS, charter, listing, open_directory, slot, withdrawal
from hedgerow_node.directory import accept
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.directory.query import Query
from hedgerow_node.directory.service import EXPIRE_CHUNK, Directory
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope, Kind, Signature, sign
from hedgerow_protocol.errors import Code
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Announcement

A, B, C, D = STEWARDS[:4]
CIRCLE = ListingContent(name="Quiet circle")


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    opened = open_directory(tmp_path)
    yield opened
    await opened.close()


async def take(directory: Directory, *envelopes: Envelope | bytes, now: Timestamp = NOW) -> list[Outcome]:
    datas = [each if isinstance(each, bytes) else each.to_bytes() for each in envelopes]
    return await directory.accept(datas, now=now)


def refused(outcome: Outcome, code: Code) -> str:
    assert isinstance(outcome, Refused), outcome
    assert outcome.code is code, outcome
    assert outcome.reason.endswith(".")
    return outcome.reason


async def test_a_charter_and_its_listing_in_one_batch_in_the_wrong_order(directory: Directory) -> None:
    founding = charter()
    said = listing(slot(founding.rid), CIRCLE)
    assert await take(directory, said, founding) == [Stored(said.rid), Stored(founding.rid)]
    assert (await directory.search(Query(), now=NOW)).listings[0].name == "Quiet circle"


async def test_what_is_known_is_not_verified_again(directory: Directory) -> None:
    founding = charter()
    said = listing(slot(founding.rid), CIRCLE)
    await take(directory, founding, said)
    generation = directory.generation
    with patch.object(accept, "verify_envelope", side_effect=AssertionError("verified")):
        assert await take(directory, said, founding) == [Known(said.rid), Known(founding.rid)]
    assert directory.generation == generation, "nothing was written"


async def test_the_same_twice_in_one_batch(directory: Directory) -> None:
    founding = charter()
    said = listing(slot(founding.rid), CIRCLE)
    assert await take(directory, founding, founding, said, said) == [
        Stored(founding.rid), Known(founding.rid), Stored(said.rid), Known(said.rid),
    ]  # fmt: skip


async def test_too_few_signatures(directory: Directory) -> None:
    founding = charter([A, B, C], 2)
    said = listing(slot(founding.rid), CIRCLE, [A])
    outcomes = await take(directory, founding, said)
    assert refused(outcomes[1], Code.TOO_FEW_SIGNATURES) == "Signed by 1 of the group's stewards; 2 are needed."
    assert (await directory.status(now=NOW)).listings == 0


async def test_too_few_signatures_are_refused_before_verifying(directory: Directory) -> None:
    founding = charter([A, B, C], 2)
    await take(directory, founding)
    with patch.object(accept, "verify_envelope", side_effect=AssertionError("verified")):
        outcomes = await take(directory, listing(slot(founding.rid), CIRCLE, [A]))
    refused(outcomes[0], Code.TOO_FEW_SIGNATURES)


async def test_signed_by_a_stranger_or_a_node(directory: Directory) -> None:
    founding = charter()
    await take(directory, founding)
    outcomes = await take(
        directory,
        listing(slot(founding.rid), CIRCLE, [D]),
        listing(slot(founding.rid, seq=2), CIRCLE, [NODE]),
        listing(slot(founding.rid, seq=3), CIRCLE, [A, NODE]),
        withdrawal(slot(founding.rid, seq=4), [NODE]),
    )
    for outcome in outcomes:
        refused(outcome, Code.WRONG_SIGNER)


async def test_a_signature_that_does_not_hold(directory: Directory) -> None:
    founding = charter()
    said = listing(slot(founding.rid), CIRCLE)
    forged = Envelope(said.kind, said.body, (Signature(A.public, bytes(64)),), said.rid)
    outcomes = await take(directory, founding, forged)
    refused(outcomes[1], Code.BAD_SIGNATURE)
    assert (await directory.status(now=NOW)).held == 1


async def test_a_change_of_charter_needs_old_and_new_stewards(directory: Directory) -> None:
    founding = charter([A, B, C], 2)
    only_new = charter([C, D], 2, previous=founding, position=1, signers=[C, D])
    right = charter([C, D], 2, previous=founding, position=1, signers=[B, C, D])
    assert isinstance((await take(directory, founding))[0], Stored)
    refused((await take(directory, only_new))[0], Code.TOO_FEW_SIGNATURES)
    # It is one record whoever signed it: with enough signatures it is taken.
    assert await take(directory, right) == [Stored(right.rid)]
    wrong_place = charter([C], 1, previous=right, position=5, signers=[C, D])
    refused((await take(directory, wrong_place))[0], Code.BAD_FIELD)


async def test_old_and_future_records(directory: Directory) -> None:
    founding = charter()
    await take(directory, founding)
    refused((await take(directory, listing(slot(founding.rid, issued=NOW - 91 * DAY), CIRCLE)))[0], Code.EXPIRED)
    refused((await take(directory, listing(slot(founding.rid, issued=NOW + 90_000), CIRCLE)))[0], Code.FROM_THE_FUTURE)


async def test_anything_else(directory: Directory) -> None:
    outcomes = await take(directory, b"", b"\x00", b"x" * 50_000, bytes(range(256)))
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == [
        Code.MALFORMED, Code.MALFORMED, Code.TOO_LARGE, Code.MALFORMED,
    ]  # fmt: skip


async def test_waiting_for_a_charter_and_its_charter(directory: Directory) -> None:
    founding = charter([A, B, C], 2)
    second = charter([A, B], 2, previous=founding, position=1)
    second = charter([A, B], 2, previous=founding, position=1, signers=[A, B])
    said = listing(slot(second.rid), CIRCLE, [A, B])
    too_few = listing(slot(second.rid), CIRCLE, [A])
    assert await take(directory, said) == [Waiting(said.rid)]
    assert await take(directory, too_few) == [Waiting(said.rid)], "the same words with other signers wait beside them"
    assert await take(directory, second) == [Waiting(second.rid)]
    assert (await directory.status(now=NOW)).waiting == 3
    assert await take(directory, founding) == [Stored(founding.rid)]
    status = await directory.status(now=NOW)
    assert (status.waiting, status.listings, status.records) == (0, 1, 3)


async def test_nothing_unverified_waits(directory: Directory) -> None:
    said = listing(slot(charter().rid), CIRCLE)
    forged = Envelope(said.kind, said.body, (Signature(A.public, bytes(64)),), said.rid)
    refused((await take(directory, forged))[0], Code.BAD_SIGNATURE)
    assert (await directory.status(now=NOW)).waiting == 0


async def test_renewal_update_and_withdrawal(directory: Directory) -> None:
    founding = charter()
    first = listing(slot(founding.rid), CIRCLE)
    renewed = listing(slot(founding.rid, seq=2, days=91), CIRCLE)
    changed = listing(slot(founding.rid, seq=3, days=91), ListingContent(name="Loud circle"))
    await take(directory, founding, first)
    assert await take(directory, changed, renewed) == [Stored(changed.rid), Superseded(renewed.rid)]
    page = await directory.search(Query(q="loud"), now=NOW)
    assert [each.name for each in page.listings] == ["Loud circle"]
    assert not (await directory.search(Query(q="quiet"), now=NOW)).listings
    gone = withdrawal(slot(founding.rid, seq=4, days=92))
    assert await take(directory, gone, first) == [Stored(gone.rid), Superseded(first.rid)]
    assert not (await directory.search(Query(), now=NOW)).listings
    held = await directory.slots(founding.rid)
    assert held[b""].content is None
    assert held[b""].slot.seq == 4


async def test_a_full_store_and_a_full_charter(tmp_path: Path) -> None:
    directory = open_directory(tmp_path, records_max=3)
    try:
        founding = charter()
        datas = [founding, *(listing(slot(founding.rid, bytes([n])), CIRCLE) for n in range(3))]
        outcomes = await take(directory, *datas)
        assert "full" in refused(outcomes[3], Code.LIMIT)
        newer = listing(slot(founding.rid, bytes([1]), seq=2), CIRCLE)
        assert await take(directory, newer) == [Stored(newer.rid)], "a new version takes the place of the old one"
    finally:
        await directory.close()


async def test_node_announcements(directory: Directory) -> None:
    def said(seq: int, signer: object = NODE) -> Envelope:
        record = Announcement(
            node=NODE.public, channel=bytes(32), addresses=("wss://node.example.org/peer",), features=(), seq=seq,
            issued=NOW, expires=Timestamp(NOW + DAY),
        )  # fmt: skip
        return sign(Kind.ANNOUNCEMENT, record.to_body(), [NODE if signer is NODE else A]).envelope

    first, second = said(1), said(2)
    assert await take(directory, second, first) == [Stored(second.rid), Superseded(first.rid)]
    refused((await take(directory, said(3, A)))[0], Code.WRONG_SIGNER)
    assert (await directory.status(now=NOW)).records == 1
    await directory.prune(now=Timestamp(NOW + 2 * DAY))
    assert (await directory.status(now=Timestamp(NOW + 2 * DAY))).held == 0


async def test_charters_outlive_a_lapse_but_not_for_ever(directory: Directory) -> None:
    founding = charter()
    await take(directory, founding, listing(slot(founding.rid), CIRCLE))
    lapsed = Timestamp(NOW + 100 * DAY)
    await directory.prune(now=lapsed)
    status = await directory.status(now=lapsed)
    assert (status.listings, status.records, status.held) == (0, 0, 1)
    chain = await directory.chain(founding.rid)
    assert chain is not None
    assert chain.envelopes == (founding.to_bytes(),)
    await directory.prune(now=Timestamp(NOW + 400 * DAY))
    assert await directory.chain(founding.rid) is None


async def test_a_node_that_slept_longer_than_charters_are_kept(directory: Directory) -> None:
    founding = charter()
    many = [listing(slot(founding.rid, bytes(divmod(each, 256))), CIRCLE) for each in range(EXPIRE_CHUNK + 1)]
    await take(directory, founding, *many)
    awake = Timestamp(NOW + 300 * DAY)  # more has expired than one write drops, and the charter is due as well
    await directory.prune(now=awake)
    status = await directory.status(now=awake)
    assert (status.listings, status.records, status.held) == (0, 0, 0)
    assert await directory.chain(founding.rid) is None


async def test_a_signed_body_that_is_not_canonical(directory: Directory) -> None:
    founding = charter()
    said = listing(slot(founding.rid), CIRCLE)
    assert said.body[1] == 1
    longer = said.body[:1] + b"\xcc\x01" + said.body[2:]  # the version in two bytes instead of one
    forged = sign(Kind.LISTING, longer, [A]).envelope
    outcomes = await take(directory, founding, forged)
    refused(outcomes[1], Code.NOT_CANONICAL)
    assert (await directory.status(now=NOW)).listings == 0
