"""The simulator's lean store says what the plain state function says, for any order of any records."""

import contextlib
import random

import pytest

from hedgerow_node.bench.simulation.archive import Archive
from hedgerow_node.bench.simulation.making import Scribe, forged
from hedgerow_node.bench.simulation.store import SimStore
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.gossip.events import Standing
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import RecordSet, hour_start
from record_worlds import DAY, NOW, make_world


def plain(records: list, now: Timestamp) -> RecordSet:
    state = RecordSet()
    for record in records:
        with contextlib.suppress(RemoteError):
            state.add(record, now)
    return state


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_any_world(seed: int) -> None:
    records = make_world(seed, size=30 + 2 * seed)
    shuffle = random.Random(seed)
    archive = Archive()
    for _ in range(8):
        shuffle.shuffle(records)
        expected = plain(records, NOW)
        store = SimStore(archive)
        mirror: dict[bytes, int] = {}
        for record in records:
            _verdicts, changes = store.judge([record.envelope.to_bytes()], NOW)
            follow(mirror, changes)
        twin = store.copy()
        for later in (0, 3_600, 6_000, 4 * DAY, 41 * DAY, 100 * DAY):
            now = Timestamp(NOW + later)
            follow(mirror, store.turn_hour(now))
            assert store.live.keys() == expected.live(hour_start(now))
            assert store.state_hash() == expected.state_hash(now)
            assert mirror == store.live
        assert twin.state_hash() == expected.state_hash(NOW)  # and the copy stands on its own feet


def follow(mirror: dict[bytes, int], changes: object) -> None:
    """Keep a picture of the live set from the differences alone."""
    added, removed = changes.sides()  # type: ignore[attr-defined]
    for seconds, rid in removed:
        assert mirror.pop(rid) == seconds
    for seconds, rid in added:
        assert rid not in mirror
        mirror[rid] = seconds


def test_verdicts() -> None:
    archive = Archive()
    scribe = Scribe(7, archive)
    community, founding = scribe.found(3)
    listing = scribe.list_group(community, NOW, entry=b"a")
    later = scribe.list_group(community, NOW, entry=b"a", seq=2)
    alone = scribe.list_group(community, NOW, signers=community.keys[:1])
    future = scribe.list_group(community, Timestamp(NOW + 3 * DAY))
    store = SimStore(archive)

    def judge(*datas: bytes) -> list[tuple[Standing, Code | None]]:
        return [(each.standing, each.code) for each in store.judge(datas, NOW)[0]]

    waiting = store.judge([listing.data], NOW)[0][0]
    assert (waiting.standing, waiting.needs) == (Standing.WAITING, founding.rid)
    assert judge(later.data, founding.data) == [(Standing.STORED, None), (Standing.STORED, None)]
    assert store.judge([founding.data], NOW)[0][0].standing is Standing.KNOWN
    assert judge(listing.data, forged(later)) == [(Standing.SUPERSEDED, None), (Standing.KNOWN, None)]
    assert judge(alone.data, future.data) == [
        (Standing.REFUSED, Code.TOO_FEW_SIGNATURES),
        (Standing.REFUSED, Code.FROM_THE_FUTURE),
    ]
    other = scribe.list_group(community, NOW)
    assert judge(forged(other), other.data[:-1], b"") == [
        (Standing.REFUSED, Code.BAD_SIGNATURE),
        (Standing.REFUSED, Code.MALFORMED),
        (Standing.REFUSED, Code.MALFORMED),
    ]
    store.turn_hour(Timestamp(NOW + 91 * DAY))
    assert not store.live
    refused = store.judge([other.data], Timestamp(NOW + 91 * DAY))[0][0]
    assert refused.code is Code.EXPIRED


def test_a_store_has_an_end() -> None:
    archive = Archive()
    scribe = Scribe(8, archive)
    community, founding = scribe.found()
    store = SimStore(archive, records_max=3)
    made = [founding, *(scribe.list_group(community, NOW) for _ in range(4))]
    verdicts, _changes = store.judge([each.data for each in made], NOW)
    assert [each.code for each in verdicts] == [None, None, None, Code.LIMIT, Code.LIMIT]
    assert len(store) == 3


def test_charters_come_before_what_they_charter() -> None:
    archive = Archive()
    scribe = Scribe(9, archive)
    community, founding = scribe.found(2)
    second, change = scribe.succeed(community)
    listing = scribe.list_group(second, NOW)
    store = SimStore(archive)
    store.judge([listing.data, change.data, founding.data], NOW)
    assert store.fetch([listing.rid], True) == [founding.data, change.data, listing.data]
    assert store.fetch([listing.rid], False) == [listing.data]
    assert store.fetch([change.rid, founding.rid], False) == [founding.data, change.data]
