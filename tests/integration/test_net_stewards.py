"""Stolen steward keys, over real nodes: a minority changes nothing; a majority makes a dispute that everybody sees."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from directory_fixtures import STEWARDS, charter, listing, slot, withdrawal
from hedgerow_node import app, clock
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import Envelope
from hedgerow_protocol.ids import ListingId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.messages import Records
from hedgerow_protocol.state import ShownListing
from hostile_peer import hostile
from net_ends import until
from networks import agreed, eventually, linked, names, node_in, shown, state_hash

GROUP, THIEF = STEWARDS[:3], STEWARDS[3]
ONE, TWO = GROUP[:1], GROUP[:2]
FOUNDING = charter(GROUP, 2)
CHANGED = charter([*GROUP[:2], STEWARDS[4]], 2, previous=FOUNDING, position=1, signers=[*GROUP, STEWARDS[4]])

AT = clock.now()
"""When everything is signed: two versions are of one slot only if they also end at the same second."""

Two = tuple[app.Node, app.Node]


def said(under: Envelope, words: str, signers: Sequence[SigningKey], seq: int = 1) -> Envelope:
    """A listing of the group."""
    where = slot(under.rid, b"", seq, issued=AT)
    return listing(where, ListingContent(name=words, summary=f"{words}, says the group."), signers)


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Two]:
    """Two nodes, linked; both show the group's listing."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(node_in(tmp_path / "a"))
        second = await stack.enter_async_context(node_in(tmp_path / "b", first.address))
        await linked(second, 1)
        async with hostile(first) as messenger:
            await messenger.say(Records(0, (FOUNDING.to_bytes(), said(FOUNDING, "Lantern", TWO).to_bytes())))
            for node in (first, second):
                await shown(node, "Lantern")
        yield first, second


async def the_listing(node: app.Node) -> ShownListing:
    """What a node shows of the group, which is all that it shows."""
    (only,) = [each async for each in node.directory.all_listings(now=clock.now())]
    return only


async def seen_by(nodes: Two, *records: Envelope) -> None:
    """Somebody sends these to the first node, and they are judged."""
    judged = nodes[0].network.judging.judged + len(records)
    async with hostile(nodes[0]) as messenger:
        await messenger.say(Records(0, tuple(each.to_bytes() for each in records)))
        await until(lambda: nodes[0].network.judging.judged >= judged, "judged")


async def test_a_minority_changes_nothing(nodes: Two) -> None:
    before = [await state_hash(each) for each in nodes]
    where = slot(FOUNDING.rid, b"", 2, issued=AT)
    takeover = charter([*ONE, THIEF], 2, previous=FOUNDING, position=1, signers=[*ONE, THIEF])
    await seen_by(
        nodes,
        said(FOUNDING, "Stolen", ONE, seq=2),
        withdrawal(where, ONE),
        takeover,
        said(takeover, "Stolen", [*ONE, THIEF], seq=3),
    )
    assert nodes[0].network.refused["too_few_signatures"] >= 3
    assert [await state_hash(each) for each in nodes] == before
    for node in nodes:
        assert (await the_listing(node)).name == "Lantern"
        assert not (await the_listing(node)).in_dispute


async def test_a_majority_makes_a_dispute_and_cannot_speak_unseen(nodes: Two) -> None:
    await seen_by(nodes, CHANGED, said(CHANGED, "Lantern", [*TWO, STEWARDS[4]], seq=2))
    await agreed(nodes)
    lid: ListingId = (await the_listing(nodes[0])).id
    fork = charter([*TWO, THIEF], 2, previous=FOUNDING, position=1, signers=[*TWO, THIEF])
    await seen_by(nodes, fork, said(fork, "Stolen", [TWO[0], THIEF], seq=9))

    async def disputed() -> bool:
        return all([(await the_listing(each)).contested for each in nodes])

    await eventually(disputed, "a dispute on both nodes")
    await agreed(nodes)
    for node in nodes:
        found = await the_listing(node)
        assert (found.id, found.name, found.content) == (lid, "Lantern", None)
    # Nothing that either side signs below the fork is shown any more.
    await seen_by(nodes, said(fork, "Stolen again", [TWO[0], THIEF], seq=10))
    await agreed(nodes)
    for node in nodes:
        assert await names(node) == {"Lantern"}


async def test_a_second_text_of_the_same_version_is_seen_by_all(nodes: Two) -> None:
    await seen_by(nodes, said(FOUNDING, "Another", [GROUP[1], GROUP[2]]))

    async def two_versions() -> bool:
        return all([(await the_listing(each)).two_versions for each in nodes])

    await eventually(two_versions, "two versions on both nodes")
    await agreed(nodes)
    await seen_by(nodes, said(FOUNDING, "Lantern", GROUP, seq=2))
    for node in nodes:
        await shown(node, "Lantern")
    await agreed(nodes)
    assert not (await the_listing(nodes[1])).in_dispute
