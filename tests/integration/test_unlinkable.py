"""One person of one home in rooms of two other hubs: whatever leaves the home, the two hubs find nobody in both.

Here the devices are the tests' own, so that the home node alone is looked at: all that it adds to what devices say, for
every kind of letter that it can send. What devices of the web app say is compared in ``test_nothing_readable_far``.
docs/threat-model.md ("When members of a room live on several nodes") says what this is worth.
"""

import os
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import pytest

from hedgerow_node.federation import far_delivery
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import AccountKey, BlobHash, InviteId, KeyPackageRef, MailboxId, RoomId
from hedgerow_protocol.federation import values
from hedgerow_protocol.federation.claims import claim_tag
from hedgerow_protocol.federation.letters import Letter, Part, decode
from letters_compared import Notes, alike_in_mls, shared, whole
from linked_worlds import Node, Wire, eventually, in_room, let_in_from, nodes, wait_asks, wait_log
from private_worlds import DAY, NOW, Member, commit, message

ONLY_HUBS = {"Notify", "WelcomeLetter", "MailboxTold", "AskTold", "Followers", "Following", "SubmitAccepted"}
ONLY_HUBS |= {"SubmitConflict", "BlobBytes", "InviteFound", "Asked"}
"""What only a node says that keeps the room or the invitation."""

OTHER_TIMES = {"MoveRead", "CopyFetch", "CopyPart", "Moved", "Heads", "Forked", "Busy", "RefusalAnswer"}
"""When a room moves, a hub is compared or something is refused: places in a room's log, and what stands there."""

NEVER_MET = {"DropLeft", "DropFetch", "DropsFound"}
"""When two nodes never meet: sealed for one of them, the same letters, and when they were sealed."""

NUMBERS = {
    "Acknowledge.seq": "a place in the room's log",
    "Fetch.after": "a place in the room's log",
    "Request.body.Follow.after": "a place in the room's log",
    "Request.body.Submit.submission.Submission.epoch": "the room's",
    "Request.body.Submit.submission.Submission.kind": "a commit or a message",
    "Request.body.Submit.submission.Submission.seen": "a place in the room's log",
    "Request.body.PutBack.seen": "a place in the room's log",
    "Request.body.BlobGet.offset": "a place in a file",
    "Request.body.BlobPut.offset": "a place in a file",
    "Request.body.BlobPut.size": "of a file",
}
"""Every number that a home tells a hub. There is no time among them, and nothing that counts over several rooms."""


@dataclass
class Place:
    """A room at its hub, and somebody there."""

    hub: Node
    room: RoomId
    ash: Member


async def founded(hub: Node) -> Place:
    """A room of one."""
    ash = await hub.member()
    return Place(hub, await hub.room(ash), ash)


async def come_in(at: Place, home: Node, me: Member) -> None:
    """Ask by an invitation, and be let in."""
    hub, invite, proof = at.hub, InviteId(os.urandom(16)), os.urandom(32)
    made = NewInvite(invite, sha256(proof).digest(), NOW + DAY, 5, b"sealed note", at.room)
    await hub.accounts.add_invite(at.ash.session, made, now=NOW)
    await home.accounts.read_far_invite(me.session, hub.id, invite, proof, now=NOW)
    await home.accounts.add_far_ask(me.session, hub.id, invite, proof, os.urandom(200), now=NOW)
    await let_in_from(at.room, (hub, at.ash), [(home, me)], epoch=0, seen=0)
    await in_room(home, me, at.room, 1)


async def take_part(at: Place, wire: Wire, home: Node, me: Member) -> None:
    """Everything that a device can do in a room of another hub, in both rooms alike."""
    hub, room = at.hub, at.room
    said = await home.delivery.submit(me.session, message(room, me, seen=1, size=70_000), now=NOW)
    assert said.seq == 2  # type: ignore[union-attr]
    await wait_log(home, me, room, 2)
    # Let somebody in, take them out by mistake, put them back.
    birch = await hub.member()
    assert await let_in_from(room, (home, me), [(hub, birch)], epoch=1, seen=2) == 3
    await wait_log(home, me, room, 3)
    await home.delivery.submit(me.session, commit(room, me, epoch=2, seen=3, removes=[birch.mailbox]), now=NOW)
    await home.delivery.put_back(me.session, room, birch.mailbox, seen=4)
    await wait_log(home, me, room, 4)
    await files(at, home, me)
    await home.delivery.add_note(me.session, room, os.urandom(100), now=NOW)

    # A second device asks, is let in, and stops; the ask is put away here.
    tablet = await home.device_of(me)
    await home.accounts.add_room_ask(tablet.session, room, os.urandom(200), now=NOW)
    for ask in await wait_asks(hub, at.ash, 2):
        if ask.invite is None:
            await home.accounts.remove_ask(me.session, ask.ask)
    await let_in_from(room, (hub, at.ash), [(home, tablet)], epoch=3, seen=4)
    await in_room(home, tablet, room, 5)
    await home.delivery.stop(tablet.session, room, tablet.mailbox)
    await wait_asks(hub, at.ash, 1)

    # Something is lost on the way, and fetched.
    lost: list[bytes] = []
    words = message(room, at.ash, epoch=4, seen=5, size=3_000)

    def once(sender: Any, to: Any, frame: bytes) -> bool:
        if sender == hub.id and not lost and words.payload[-64:] in frame:
            lost.append(frame)
            return True
        return False

    wire.lose = once
    await hub.delivery.submit(at.ash.session, words, now=NOW)
    await eventually(lambda: there(bool(lost)), "a letter is lost")
    wire.lose = lambda *_: False
    await hub.delivery.submit(at.ash.session, message(room, at.ash, epoch=4, seen=6), now=NOW)
    await wait_log(home, me, room, 7)


async def there(what: bool) -> bool:
    """For ``eventually``."""
    return what


async def files(at: Place, home: Node, me: Member) -> None:
    """One goes to the hub, in several pieces; one comes from it."""
    data, other = os.urandom(120_000), os.urandom(60_000)
    sent, kept = BlobHash(sha256(data).digest()), BlobHash(sha256(other).digest())
    await home.delivery.put_blob(me.session, at.room, sent, data, now=NOW)

    async def is_there() -> bool:
        try:
            return bool((await at.hub.delivery.blob(at.ash.session, at.room, sent)).size)
        except Refused:
            return False

    await eventually(is_there, "the file at the hub")
    await at.hub.delivery.put_blob(at.ash.session, at.room, kept, other, now=NOW)
    assert (await home.delivery.blob(me.session, at.room, kept)).size == len(other)


def told(wire: Wire, home: Node, hub: Node) -> Notes:
    """All that went from a home to a hub."""
    return Notes(whole([frame for sender, to, frame in wire.frames if (sender, to) == (home.id, hub.id)], home.id))


def another(me: Member) -> Member:
    """The same device with a mailbox for another room."""
    return replace(me, mailbox=MailboxId(os.urandom(16)))


async def test_two_hubs_that_compare_notes_find_nobody_in_both(tmp_path: Path) -> None:
    async with nodes(tmp_path, "home", "beech", "cedar") as (wire, home, beech, cedar):
        me = await home.member()
        places = [await founded(hub) for hub in (beech, cedar)]
        for at, as_member in zip(places, (me, another(me)), strict=True):
            await come_in(at, home, as_member)
            await take_part(at, wire, home, as_member)
        one, other = (told(wire, home, at.hub) for at in places)
        allowed = {"the home itself": [home.id], **alike_in_mls(one)}
        assert shared(one, other, allowed) == []

        spoken = {each.__name__ for each in get_args(Letter)} | {
            each.__name__ for kind in (values.RequestBody, values.AnswerBody) for each in get_args(kind)
        }
        never = {"Request", "Answer", "Unknown", "UnknownKind", "Part"}
        for notes, at in zip((one, other), places, strict=True):
            assert spoken - notes.kinds() - never <= ONLY_HUBS | OTHER_TIMES | NEVER_MET
            assert notes.numbers.keys() <= NUMBERS.keys()
            assert notes.texts == []
            parts = parts_sent(wire, home, at.hub)
            assert parts == list(range(1, len(parts) + 1)), "each link counts its parts from one"
            assert parts != []


def parts_sent(wire: Wire, home: Node, hub: Node) -> list[int]:
    """Numbers of the letters that went in parts."""
    frames = (decode(frame) for sender, to, frame in wire.frames if (sender, to) == (home.id, hub.id))
    return list(dict.fromkeys(each.id for each in frames if isinstance(each, Part)))


async def test_a_mailbox_that_is_used_twice_is_seen(tmp_path: Path) -> None:
    """By a client with a mistake in it: the same comparison finds it."""
    async with nodes(tmp_path, "home", "beech", "cedar") as (wire, home, beech, cedar):
        me = await home.member()
        places = [await founded(hub) for hub in (beech, cedar)]
        await come_in(places[0], home, me)
        await let_in_from(places[1].room, (cedar, places[1].ash), [(home, me)], epoch=0, seen=0)
        one, other = (told(wire, home, at.hub) for at in places)
        assert any(
            me.mailbox.hex() in line for line in shared(one, other, {"the home": [home.id], **alike_in_mls(one)})
        )


@pytest.mark.parametrize("tag", ["the same for all", "its own for each"])
async def test_a_tag_that_is_the_same_in_two_rooms_is_seen(
    tmp_path: Path, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home with a mistake in it."""
    same = tag == "the same for all"

    def tag_of(key: bytes, account: AccountKey, ref: KeyPackageRef) -> bytes:
        return claim_tag(key, account, KeyPackageRef(bytes(32)) if same else ref)

    monkeypatch.setattr(far_delivery, "claim_tag", tag_of)
    async with nodes(tmp_path, "home", "beech", "cedar") as (wire, home, beech, cedar):
        me = await home.member()
        for hub in (beech, cedar):
            ref, consent = await hub.offer(await hub.member())
            await home.delivery.claim_key_package(me.session, ref, consent, home=hub.id, now=NOW)
        one, other = (told(wire, home, hub) for hub in (beech, cedar))
        assert (shared(one, other, {}) != []) is same
