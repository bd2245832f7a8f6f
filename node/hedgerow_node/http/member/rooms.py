"""``/api/v1/rooms``: a room's log, and the mailboxes to which it goes."""

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import answer, answer_accepted, answer_conflict, answer_page, done, head_json
from hedgerow_node.http.member.body import read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import Fields
from hedgerow_node.http.member.paths import id_in, whole_of_query
from hedgerow_node.http.site import SITE
from hedgerow_node.store.private.values import Refetch
from hedgerow_protocol import base64url, limits
from hedgerow_protocol.delivery.values import (
    ENTRY_ID_BYTES,
    KEY_PACKAGE_REF_BYTES,
    MAILBOX_ID_BYTES,
    ROOM_ID_BYTES,
    EntryId,
    EntryKind,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
    WelcomeOut,
)

_KINDS = {kind.word: kind for kind in EntryKind}


async def create_room(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms``."""
    said = await read_fields(request)
    room = RoomId(said.fixed("room", ROOM_ID_BYTES))
    mailbox = MailboxId(said.fixed("mailbox", MAILBOX_ID_BYTES))
    head = await desk.delivery.create_room(session, room, mailbox, now=request.app[SITE].now())
    return answer({"head": head_json(head)}, 201)


async def log(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /rooms/{id}/log?after=&limit=``."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    after = whole_of_query(request, "after", 0, 0, limits.SEQUENCE_MAX)
    limit = whole_of_query(request, "limit", bounds.LOG_PAGE_ENTRIES_DEFAULT, 1, limits.LOG_PAGE_ENTRIES_MAX)
    return answer_page(await desk.delivery.log(session, room, after=after, limit=limit))


async def submit(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms/{id}/log``: accepted once it is on the disk, or a conflict with what the author has not seen."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    submission = submission_of(room, await read_fields(request, bounds.SUBMISSION_BODY_BYTES_MAX))
    decision = await desk.delivery.submit(session, submission, now=request.app[SITE].now())
    if isinstance(decision, Refetch):
        return answer_conflict(decision.page)
    await desk.receivers.ease(room)
    return answer_accepted(decision)


def submission_of(room: RoomId, said: Fields) -> Submission:
    """What somebody hands in for a room's log, over HTTP or the live socket. Raises Problem."""
    kind = _KINDS[said.choice("kind", *_KINDS)]
    size_max = limits.COMMIT_BYTES_MAX if kind is EntryKind.COMMIT else limits.MESSAGE_BYTES_MAX
    return Submission(
        room=room,
        mailbox=MailboxId(said.fixed("mailbox", MAILBOX_ID_BYTES)),
        id=EntryId(said.fixed("id", ENTRY_ID_BYTES)),
        kind=kind,
        epoch=said.whole("epoch", 0, limits.SEQUENCE_MAX),
        seen=said.whole("seen", 0, limits.SEQUENCE_MAX),
        payload=said.sized("payload", size_max, size_min=1),
        welcomes=[_welcome(each) for each in said.objects("welcomes", limits.WELCOMES_MAX)],
        removes=[MailboxId(each) for each in said.each_fixed("removes", MAILBOX_ID_BYTES, limits.REMOVES_MAX)],
    )


def _welcome(said: Fields) -> WelcomeOut:
    """For a newcomer whose home is the room's hub, or (with ``home`` and ``mailbox``) another node."""
    ref = KeyPackageRef(said.fixed("ref", KEY_PACKAGE_REF_BYTES))
    payload = said.sized("payload", limits.WELCOME_BYTES_MAX, size_min=1)
    home = said.node("home")
    if home is None:
        return WelcomeOut(ref, payload)
    return WelcomeOut(ref, payload, home, MailboxId(said.fixed("mailbox", MAILBOX_ID_BYTES)))


async def put_back(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms/{id}/mailboxes``: undo what invalid commits did."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    said = await read_fields(request)
    mailbox, seen = MailboxId(said.fixed("mailbox", MAILBOX_ID_BYTES)), said.whole("seen", 0, limits.SEQUENCE_MAX)
    await desk.delivery.put_back(session, room, mailbox, seen=seen)
    return done()


async def places(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /rooms/{id}/places``: which nodes keep the log, and the proof if the first of them told two stories."""
    found = await desk.delivery.places(session, RoomId(id_in(request, "id", ROOM_ID_BYTES)))
    proof = {"faulty": [head_json(each) for each in found.faulty]} if found.faulty is not None else {}
    followers = [base64url.encode(each) for each in found.followers]
    away = {"away_since": found.away_since} if found.away_since is not None else {}
    return answer({"hub": base64url.encode(found.hub), "followers": followers, **proof, **away})


async def stop(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /rooms/{id}/mailboxes/{mailbox}``: let one's own take part no longer."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    await desk.delivery.stop(session, room, MailboxId(id_in(request, "mailbox", MAILBOX_ID_BYTES)))
    return done()
