"""Accounts over a real store: invitations, devices, recovery, asks, sealed records, linking; and what is not stored."""

import os
import stat
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey as AccountSigner

from hedgerow_node.accounts.rendezvous import MeetingPlaces
from hedgerow_node.accounts.service import vault_of
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.recovery import recovery_message
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AccountKey, AskId, DeviceId, InviteId, RoomId
from hedgerow_protocol.ports import Timestamp
from private_worlds import DAY, NOW, World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def invitation(
    uses: int = 1, expires: int = NOW + DAY, room: RoomId | None = None, note: bytes = b""
) -> tuple[NewInvite, bytes]:
    proof = os.urandom(32)
    return NewInvite(InviteId(os.urandom(16)), sha256(proof).digest(), expires, uses, note, room), proof


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def register(here: World, invite: NewInvite, proof: bytes, now: Timestamp = NOW) -> bytes:
    """A new account; its token."""
    token = os.urandom(32)
    await here.accounts.register(
        invite=invite.invite,
        proof=proof,
        account=AccountKey(bytes(AccountSigner.generate().verify_key)),
        device=DeviceId(os.urandom(16)),
        token_hash=sha256(token).digest(),
        now=now,
    )
    return token


async def refusal(awaitable: object) -> Refusal:
    with pytest.raises(Refused) as refused:
        await awaitable  # type: ignore[misc]
    assert str(refused.value).endswith(".")
    return refused.value.code


async def test_an_invitation_makes_as_many_accounts_as_it_says(here: World) -> None:
    invite, proof = invitation(uses=2, note=b"sealed words")
    await here.accounts.add_invite(None, invite, now=NOW)
    await here.accounts.add_invite(None, invite, now=NOW)
    view = await here.accounts.read_invite(invite.invite, proof, now=NOW)
    assert (view.uses_left, view.accounts, view.note) == (2, True, b"sealed words")
    first = await register(here, invite, proof)
    assert await refusal(register(here, invite, bytes(32))) is Refusal.UNKNOWN
    assert await refusal(register(here, invite, proof, Timestamp(NOW + DAY))) is Refusal.ENDED
    second = await register(here, invite, proof)
    assert await refusal(register(here, invite, proof)) is Refusal.ENDED
    assert not (await here.accounts.read_invite(invite.invite, proof, now=NOW)).accounts
    sessions = [await here.accounts.authenticate(token) for token in (first, second, os.urandom(32))]
    assert sessions[2] is None
    assert sessions[0] is not None
    assert sessions[1] is not None
    assert sessions[0].account != sessions[1].account
    assert await refusal(here.accounts.read_invite(invite.invite, bytes(32), now=NOW)) is Refusal.UNKNOWN
    (row,) = await here.accounts.invites(None, now=NOW)
    assert (row.invite, row.uses, row.uses_left) == (invite.invite, 2, 0)


async def test_registering_again_after_a_lost_answer_uses_nothing_up(here: World) -> None:
    invite, proof = invitation()
    await here.accounts.add_invite(None, invite, now=NOW)
    asked = {
        "invite": invite.invite,
        "proof": proof,
        "account": AccountKey(bytes(AccountSigner.generate().verify_key)),
        "device": DeviceId(os.urandom(16)),
        "token_hash": bytes(32),
        "now": NOW,
    }
    first = await here.accounts.register(**asked)  # type: ignore[arg-type]
    assert await here.accounts.register(**asked) == first  # type: ignore[arg-type]
    asked["device"] = DeviceId(os.urandom(16))
    assert await refusal(here.accounts.register(**asked)) is Refusal.TAKEN  # type: ignore[arg-type]


async def test_what_members_may_invite_to(tmp_path: Path) -> None:
    async with world(tmp_path, members_invite=False) as here:
        ash, birch = await here.member(), await here.member()
        room = await here.room(ash)
        assert not await here.accounts.may_invite(ash.session)
        assert await refusal(here.accounts.add_invite(ash.session, invitation()[0], now=NOW)) is Refusal.NOT_ALLOWED
        await here.accounts.add_invite(ash.session, invitation(uses=0, room=room)[0], now=NOW)
        strange = invitation(uses=0, room=room)[0]
        assert await refusal(here.accounts.add_invite(birch.session, strange, now=NOW)) is Refusal.NOT_ALLOWED


@pytest.mark.parametrize(
    ("invite", "code"),
    [
        (invitation(uses=limits.INVITE_USES_OF_MEMBER_MAX + 1)[0], Refusal.BAD),
        (invitation(uses=-1)[0], Refusal.BAD),
        (invitation(expires=NOW)[0], Refusal.BAD),
        (invitation(expires=NOW + 91 * DAY)[0], Refusal.BAD),
        (invitation(note=bytes(limits.INVITE_NOTE_BYTES_MAX + 1))[0], Refusal.TOO_LARGE),
    ],
)
async def test_invitations_have_bounds(here: World, invite: NewInvite, code: Refusal) -> None:
    ash = await here.member()
    assert await refusal(here.accounts.add_invite(ash.session, invite, now=NOW)) is code


async def test_invitations_are_ones_own(here: World) -> None:
    ash, birch = await here.member(), await here.member()
    invite, proof = invitation()
    await here.accounts.add_invite(ash.session, invite, now=NOW)
    assert await refusal(here.accounts.add_invite(birch.session, invite, now=NOW)) is Refusal.TAKEN
    assert await here.accounts.invites(birch.session, now=NOW) == []
    assert await refusal(here.accounts.remove_invite(birch.session, invite.invite)) is Refusal.UNKNOWN
    assert [each.invite for each in await here.accounts.invites(ash.session, now=NOW)] == [invite.invite]
    assert await here.accounts.invites(ash.session, now=Timestamp(invite.expires)) == []
    await here.accounts.remove_invite(ash.session, invite.invite)
    assert await refusal(register(here, invite, proof)) is Refusal.UNKNOWN
    await here.accounts.add_invite(ash.session, invite, now=NOW)
    await here.accounts.remove_invite(None, invite.invite)
    for _ in range(limits.INVITES_OF_ACCOUNT_MAX):
        await here.accounts.add_invite(ash.session, invitation()[0], now=NOW)
    assert await refusal(here.accounts.add_invite(ash.session, invitation()[0], now=NOW)) is Refusal.TOO_MANY
    await here.accounts.prune(Timestamp(NOW + 2 * DAY))
    await here.accounts.add_invite(ash.session, invitation(expires=NOW + 3 * DAY)[0], now=Timestamp(NOW + 2 * DAY))


async def test_devices_come_and_go(here: World) -> None:
    ash, birch = await here.member(), await here.member()
    second = await here.device_of(ash)
    rows = await here.accounts.devices(second.session)
    assert [(row.device, row.this) for row in rows] == [
        (ash.session.device, False),
        (second.session.device, True),
    ]
    assert rows[0].created_day % DAY == 0
    assert await refusal(here.accounts.remove_device(birch.session, ash.session.device)) is Refusal.UNKNOWN
    taken = here.accounts.add_device(birch.session, ash.session.device, os.urandom(32), now=NOW)
    assert await refusal(taken) is Refusal.TAKEN
    assert await here.accounts.authenticate(ash.token) == ash.session
    here.told.clear()
    await here.accounts.remove_device(second.session, ash.session.device)
    assert [each.revoked for each in here.told] == [[ash.session.device]]
    assert await here.accounts.authenticate(ash.token) is None
    assert await here.accounts.authenticate(second.token) == second.session
    for _ in range(limits.DEVICES_OF_ACCOUNT_MAX - 1):
        await here.device_of(second)
    more = here.accounts.add_device(second.session, DeviceId(os.urandom(16)), os.urandom(32), now=NOW)
    assert await refusal(more) is Refusal.TOO_MANY


async def recover(here: World, signer: AccountSigner, challenge: bytes, now: Timestamp = NOW) -> bytes:
    token, device = os.urandom(32), DeviceId(os.urandom(16))
    hash = sha256(token).digest()
    await here.accounts.recover(
        account=AccountKey(bytes(signer.verify_key)),
        challenge=challenge,
        signature=signer.sign(recovery_message(challenge, device, hash)).signature,
        device=device,
        token_hash=hash,
        now=now,
    )
    return token


async def test_an_account_is_recovered_by_its_key_only(here: World) -> None:
    ash = await here.member()
    challenge = here.accounts.challenge(NOW)
    token = await recover(here, ash.signer, challenge)
    session = await here.accounts.authenticate(token)
    assert session is not None
    assert (session.account, session.account_row) == (ash.session.account, ash.session.account_row)
    assert await refusal(recover(here, ash.signer, challenge)) is Refusal.ENDED
    late = recover(here, ash.signer, here.accounts.challenge(NOW), Timestamp(NOW + 121))
    assert await refusal(late) is Refusal.ENDED
    strange = recover(here, AccountSigner.generate(), here.accounts.challenge(NOW))
    assert await refusal(strange) is Refusal.NO_ACCOUNT
    fresh, device = here.accounts.challenge(NOW), DeviceId(os.urandom(16))
    forged = here.accounts.recover(
        account=ash.session.account,
        challenge=fresh,
        signature=AccountSigner.generate().sign(recovery_message(fresh, device, bytes(32))).signature,
        device=device,
        token_hash=bytes(32),
        now=NOW,
    )
    assert await refusal(forged) is Refusal.NO_ACCOUNT


async def test_recovering_again_after_a_lost_answer(here: World) -> None:
    ash = await here.member()
    challenge, device = here.accounts.challenge(NOW), DeviceId(os.urandom(16))
    asked = {
        "account": ash.session.account,
        "challenge": challenge,
        "signature": ash.signer.sign(recovery_message(challenge, device, bytes(32))).signature,
        "device": device,
        "token_hash": bytes(32),
        "now": NOW,
    }
    first = await here.accounts.recover(**asked)  # type: ignore[arg-type]
    assert await here.accounts.recover(**asked) == first  # type: ignore[arg-type]
    assert len(await here.accounts.devices(first)) == 2


async def test_asks_reach_those_who_can_answer_and_nobody_else(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    newcomer, stranger = await here.member(), await here.member()
    invite, proof = invitation(uses=0, room=room)
    await here.accounts.add_invite(ash.session, invite, now=NOW)
    here.told.clear()
    ask = await here.accounts.add_ask(newcomer.session, invite.invite, proof, b"sealed", now=NOW)
    assert await here.accounts.add_ask(newcomer.session, invite.invite, proof, b"sealed", now=NOW) == ask
    (happened,) = here.told
    assert set(happened.asks) == {ash.session.device, birch.session.device}
    for member in (ash, birch):
        (row,) = await here.accounts.asks(member.session)
        assert (row.ask, row.invite, row.room, row.body) == (ask, invite.invite, room, b"sealed")
        assert row.time % DAY == 0
        assert (await here.delivery.overview(member.session)).asks == 1
    for member in (newcomer, stranger):
        assert await here.accounts.asks(member.session) == []
    wrong = here.accounts.add_ask(newcomer.session, invite.invite, bytes(32), b"sealed", now=NOW)
    assert await refusal(wrong) is Refusal.UNKNOWN
    large = here.accounts.add_ask(newcomer.session, invite.invite, proof, bytes(limits.ASK_BYTES_MAX + 1), now=NOW)
    assert await refusal(large) is Refusal.TOO_LARGE
    assert await refusal(here.accounts.remove_ask(stranger.session, ask)) is Refusal.UNKNOWN
    await here.accounts.remove_ask(birch.session, ask)
    assert await here.accounts.asks(ash.session) == []
    own = await here.accounts.add_ask(newcomer.session, invite.invite, proof, b"again", now=NOW)
    await here.accounts.remove_ask(newcomer.session, own)
    assert await refusal(here.accounts.remove_ask(newcomer.session, AskId(own))) is Refusal.UNKNOWN
    await here.accounts.add_ask(newcomer.session, invite.invite, proof, b"late", now=NOW)
    await here.accounts.prune(Timestamp(NOW + 32 * DAY))
    assert await here.accounts.asks(ash.session) == []


async def test_another_device_of_a_member_asks_to_come_in(here: World) -> None:
    room, (ash, birch) = await here.full_room(2)
    second = await here.device_of(birch)
    lost_its_state = await here.accounts.add_room_ask(birch.session, room, b"{}", now=NOW)
    assert [each.ask for each in await here.accounts.asks(ash.session)] == [lost_its_state]
    await here.accounts.remove_ask(birch.session, lost_its_state)
    here.told.clear()
    first = await here.accounts.add_room_ask(second.session, room, b"{}", now=NOW)
    assert set(here.told[0].asks) == {ash.session.device, birch.session.device}
    newer = await here.accounts.add_room_ask(second.session, room, b'{"a":1}', now=NOW)
    assert newer != first
    (row,) = await here.accounts.asks(ash.session)
    assert (row.ask, row.invite, row.room) == (newer, None, room)
    assert await here.accounts.asks(second.session) == []
    # The first device is lost and revoked; the recovered one may still ask.
    await here.accounts.remove_device(second.session, birch.session.device)
    assert await here.accounts.add_room_ask(second.session, room, b'{"a":2}', now=NOW)
    # Who was taken out by the room asks by an invitation, as everybody else does.
    from private_worlds import commit

    cherry = await here.member()
    await here.let_in(room, ash, [cherry], epoch=1, seen=1)
    out = commit(room, ash, epoch=2, seen=2, removes=[cherry.mailbox])
    await here.delivery.submit(ash.session, out, now=NOW)
    other = await here.device_of(cherry)
    assert await refusal(here.accounts.add_room_ask(other.session, room, b"{}", now=NOW)) is Refusal.UNKNOWN


async def test_sealed_records_are_swapped_whole_and_in_order(here: World, tmp_path: Path) -> None:
    ash, birch = await here.member(), await here.member()
    assert await refusal(here.accounts.sealed(ash.session, "index")) is Refusal.UNKNOWN
    await here.accounts.put_sealed(ash.session, "index", 1, b"first")
    await here.accounts.put_sealed(ash.session, "index", 1, b"first")
    with pytest.raises(Refused) as stale:
        await here.accounts.put_sealed(ash.session, "index", 1, b"other")
    assert (stale.value.code, stale.value.version) == (Refusal.STALE, 1)
    assert await refusal(here.accounts.put_sealed(ash.session, "index", 3, b"third")) is Refusal.STALE
    await here.accounts.put_sealed(ash.session, "index", 2, b"second")
    row = await here.accounts.sealed(ash.session, "index")
    assert (row.version, row.body) == (2, b"second")
    assert await refusal(here.accounts.sealed(birch.session, "index")) is Refusal.UNKNOWN
    own, other = vault_of(ash.session.device), vault_of(birch.session.device)
    for name in (other, "vault-", "../private.db", ""):
        assert await refusal(here.accounts.put_sealed(ash.session, name, 1, b"x")) is Refusal.BAD
    too_large = bytes(limits.SEALED_INDEX_BYTES_MAX + 1)
    assert await refusal(here.accounts.put_sealed(ash.session, "index", 3, too_large)) is Refusal.TOO_LARGE
    await here.accounts.put_sealed(ash.session, own, 1, too_large)
    files = files_in(tmp_path / "sealed")
    assert len(files) == 2
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    # Another device of the account reads the vault; when the first one is revoked, its vault goes.
    second = await here.device_of(ash)
    assert (await here.accounts.sealed(second.session, own)).body == too_large
    await here.accounts.remove_device(second.session, ash.session.device)
    assert await refusal(here.accounts.sealed(second.session, own)) is Refusal.UNKNOWN
    await here.accounts.remove_sealed(second.session, "index")
    await here.accounts.remove_sealed(second.session, "index")
    assert not files_in(tmp_path / "sealed")


async def test_an_account_goes_with_all_it_had(here: World, tmp_path: Path) -> None:
    room, (ash, birch) = await here.full_room(2)
    second = await here.device_of(ash)
    invite, proof = invitation(uses=1, room=room)
    await here.accounts.add_invite(ash.session, invite, now=NOW)
    await here.accounts.add_ask(birch.session, invite.invite, proof, b"sealed", now=NOW)
    await here.accounts.put_sealed(ash.session, "index", 1, b"sealed")
    await here.offer(second)
    here.told.clear()
    await here.accounts.remove_account(ash.session)
    (happened,) = here.told
    assert set(happened.revoked) == {ash.session.device, second.session.device}
    assert happened.parted == [(ash.session.device, room)]
    for token in (ash.token, second.token):
        assert await here.accounts.authenticate(token) is None
    assert not files_in(tmp_path / "sealed")
    assert await refusal(here.accounts.read_invite(invite.invite, proof, now=NOW)) is Refusal.UNKNOWN
    again = recover(here, ash.signer, here.accounts.challenge(NOW))
    assert await refusal(again) is Refusal.NO_ACCOUNT
    assert len((await here.delivery.overview(birch.session)).rooms) == 1


async def test_nobody_else_can_read_the_files(here: World, tmp_path: Path) -> None:
    await here.member()
    files = files_in(tmp_path)
    assert {path.name for path in files} >= {"private.db", "private.db-wal"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


async def test_tokens_and_proofs_are_kept_as_hashes_only(here: World, tmp_path: Path) -> None:
    ash = await here.member()
    invite, proof = invitation()
    await here.accounts.add_invite(ash.session, invite, now=NOW)
    ref, consent = await here.offer(ash)
    await here.store.close()
    written = b"".join(path.read_bytes() for path in files_in(tmp_path))
    assert bytes(ref) in written
    for secret in (ash.token, proof, consent):
        assert secret not in written


def test_a_meeting_place_holds_one_thing_for_each_side() -> None:
    places = MeetingPlaces(places_max=2)
    places.leave(b"one", "a", b"hello", now=0.0)
    places.leave(b"one", "a", b"hello", now=1.0)
    places.leave(b"one", "b", b"answer", now=2.0)
    assert places.found(b"one", "a", now=599.0) == b"hello"
    assert places.found(b"one", "b", now=599.0) == b"answer"
    assert places.found(b"two", "a", now=3.0) is None
    with pytest.raises(Refused) as taken:
        places.leave(b"one", "a", b"other", now=3.0)
    assert taken.value.code is Refusal.TAKEN
    with pytest.raises(Refused) as large:
        places.leave(b"two", "a", bytes(limits.RENDEZVOUS_BYTES_MAX + 1), now=3.0)
    assert large.value.code is Refusal.TOO_LARGE
    places.leave(b"two", "a", b"x", now=100.0)
    with pytest.raises(Refused) as full:
        places.leave(b"three", "a", b"x", now=100.0)
    assert full.value.retry_after == 500.0
    places.leave(b"three", "a", b"x", now=600.0)
    assert places.found(b"one", "a", now=600.0) is None
