"""Intakes over a real store: a room's invitation that everybody may know. Who renews, withdraws and sees asks by it."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol import intake, limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import InviteId, RoomId
from hedgerow_protocol.ports import Timestamp
from private_worlds import DAY, NOW, World, commit, world

YEAR = 365 * DAY
LATER = Timestamp(NOW + 500 * DAY)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def an_intake(room: RoomId, expires: int = NOW + YEAR) -> tuple[NewInvite, bytes]:
    key = os.urandom(32)
    name = InviteId(intake.invite_id(key))
    return NewInvite(name, intake.proof_hash(key), expires, 0, room=room), intake.proof(key)


async def refusal(awaitable: object) -> Refusal:
    with pytest.raises(Refused) as refused:
        await awaitable  # type: ignore[misc]
    assert str(refused.value).endswith(".")
    return refused.value.code


async def test_it_lasts_as_long_as_a_listing_and_other_invitations_do_not(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    made, proof = an_intake(room, NOW + limits.INTAKE_SECONDS_MAX)
    await here.accounts.add_invite(ash.session, made, now=NOW)
    view = await here.accounts.read_invite(made.invite, proof, now=NOW)
    assert (view.accounts, view.note) == (False, b"")
    for each in (
        replace(an_intake(room)[0], expires=NOW + limits.INTAKE_SECONDS_MAX + 1),
        replace(an_intake(room)[0], note=b"sealed"),
        replace(an_intake(room)[0], uses=1),
        replace(an_intake(room)[0], room=None),
    ):
        assert await refusal(here.accounts.add_invite(ash.session, each, now=NOW)) is Refusal.BAD


async def test_any_member_renews_and_withdraws_it_and_nobody_else(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    stranger = await here.member()
    elsewhere, (fir,) = await here.full_room(1)
    made, proof = an_intake(room, NOW + DAY)
    await here.accounts.add_invite(ash.session, made, now=NOW)
    longer = replace(made, expires=NOW + YEAR)
    add = here.accounts.add_invite
    assert await refusal(add(stranger.session, longer, now=NOW)) is Refusal.NOT_ALLOWED
    assert await refusal(add(fir.session, replace(longer, room=elsewhere), now=NOW)) is Refusal.TAKEN
    assert await refusal(add(birch.session, replace(longer, proof_hash=bytes(32)), now=NOW)) is Refusal.TAKEN
    assert await refusal(add(birch.session, replace(longer, expires=NOW + DAY, note=b"x"), now=NOW)) is Refusal.TAKEN
    await add(birch.session, longer, now=NOW)
    assert (await here.accounts.read_invite(made.invite, proof, now=Timestamp(NOW + DAY))).expires == NOW + YEAR
    # An older word does not make it shorter.
    await add(ash.session, made, now=NOW)
    assert (await here.accounts.read_invite(made.invite, proof, now=Timestamp(NOW + DAY))).expires == NOW + YEAR
    for each in (stranger, fir):
        assert await refusal(here.accounts.remove_invite(each.session, made.invite)) is Refusal.UNKNOWN
    await here.accounts.remove_invite(birch.session, made.invite)
    assert await refusal(here.accounts.remove_invite(ash.session, made.invite)) is Refusal.UNKNOWN


async def test_it_stays_when_its_maker_goes(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    made, proof = an_intake(room)
    await here.accounts.add_invite(ash.session, made, now=NOW)
    await here.accounts.add_invite(birch.session, made, now=NOW)
    await here.accounts.remove_account(ash.session)
    assert (await here.accounts.read_invite(made.invite, proof, now=NOW)).uses_left == 0


async def test_one_that_is_over_was_never_there(here: World) -> None:
    room, (ash, _) = await here.full_room(2)
    stranger = await here.member()
    over, closed, other = an_intake(room), an_intake(room), an_intake(room)
    link = os.urandom(32)
    ordinary = NewInvite(InviteId(os.urandom(16)), sha256(link).digest(), NOW + DAY, 0, b"sealed", room)
    for each in (over[0], closed[0], ordinary):
        await here.accounts.add_invite(ash.session, each, now=NOW)
    await here.accounts.remove_invite(ash.session, closed[0].invite)

    async def answers(invite: NewInvite, proof: bytes) -> set[tuple[Refusal, str]]:
        said = set()
        for asking in (
            here.accounts.read_invite(invite.invite, proof, now=LATER),
            here.accounts.add_ask(stranger.session, invite.invite, proof, b"sealed", now=LATER),
        ):
            with pytest.raises(Refused) as refused:
                await asking
            said.add((refused.value.code, str(refused.value)))
        return said

    never = await answers(*other)
    assert len(never) == 1
    assert await answers(*over) == await answers(*closed) == never
    assert await answers(ordinary, link) != never


async def test_asks_are_for_those_who_take_part_now(here: World) -> None:
    room, (ash, birch, cedar) = await here.full_room(3)
    dora = await here.member()
    made, proof = an_intake(room)
    await here.accounts.add_invite(cedar.session, made, now=NOW)
    here.told.clear()
    await here.accounts.add_ask(dora.session, made.invite, proof, b"first", now=NOW)
    devices = {each.session.device for each in (ash, birch, cedar)}
    assert set(here.told[-1].asks) == devices
    for each in (ash, birch, cedar):
        (row,) = await here.accounts.asks(each.session)
        assert (row.invite, row.room, row.body) == (made.invite, room, b"first")
    # Its maker is taken out: what is asked from now on is none of theirs, though the intake was.
    out = commit(room, ash, epoch=1, seen=1, removes=[cedar.mailbox])
    await here.delivery.submit(ash.session, out, now=NOW)
    here.told.clear()
    await here.accounts.add_ask(dora.session, made.invite, proof, b"second", now=NOW)
    assert cedar.session.device not in here.told[-1].asks
    assert await here.accounts.asks(cedar.session) == []
    assert {row.body for row in await here.accounts.asks(birch.session)} == {b"first", b"second"}
    assert await refusal(here.accounts.remove_invite(cedar.session, made.invite)) is Refusal.UNKNOWN
    assert await refusal(here.accounts.add_invite(cedar.session, made, now=NOW)) is Refusal.NOT_ALLOWED


async def test_asks_by_one_intake_are_bounded(here: World) -> None:
    room, (ash,) = await here.full_room(1)
    made, proof = an_intake(room)
    await here.accounts.add_invite(ash.session, made, now=NOW)
    many = 0
    while many < limits.ASKS_OF_INVITE_MAX:
        stranger = await here.member()
        for _ in range(min(limits.ASKS_OF_ACCOUNT_MAX, limits.ASKS_OF_INVITE_MAX - many)):
            await here.accounts.add_ask(stranger.session, made.invite, proof, os.urandom(8), now=NOW)
            many += 1
    last = await here.member()
    full = here.accounts.add_ask(last.session, made.invite, proof, b"one more", now=NOW)
    assert await refusal(full) is Refusal.TOO_MANY
    (first, *_) = await here.accounts.asks(ash.session)
    await here.accounts.remove_ask(ash.session, first.ask)
    await here.accounts.add_ask(last.session, made.invite, proof, b"one more", now=NOW)
