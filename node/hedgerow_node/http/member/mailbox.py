"""``/api/v1/mailbox``, ``/welcomes`` and ``/key-packages``: what waits for a device, and how it is let into rooms."""

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import answer, done
from hedgerow_node.http.member.body import read_all_fields, read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import Fields
from hedgerow_node.http.member.live import overview_json
from hedgerow_node.http.member.paths import id_in
from hedgerow_node.http.site import SITE
from hedgerow_node.store.private.values import KeyPackageOffer
from hedgerow_protocol import base64url, limits
from hedgerow_protocol.delivery.values import (
    HASH_BYTES,
    KEY_PACKAGE_REF_BYTES,
    MAILBOX_ID_BYTES,
    ROOM_ID_BYTES,
    WELCOME_ID_BYTES,
    KeyPackageRef,
    MailboxId,
    RoomId,
    WelcomeId,
)


async def mailbox(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /mailbox``: where every room of this device stands, and what else waits."""
    return answer(overview_json(await desk.delivery.overview(session)))


async def acknowledge(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /mailbox/acknowledge``: what was processed need not be kept for this device."""
    said = (await read_fields(request)).objects("acknowledged", limits.ROOMS_OF_DEVICE_MAX)
    pairs = [
        (session, RoomId(each.fixed("room", ROOM_ID_BYTES)), each.whole("seq", 0, limits.SEQUENCE_MAX)) for each in said
    ]
    await desk.delivery.acknowledge(pairs)
    return done()


async def welcomes(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /welcomes``."""
    rows = await desk.delivery.welcomes(session)
    return answer(
        [
            {
                "id": base64url.encode(each.id),
                "ref": base64url.encode(each.ref),
                "room": base64url.encode(each.room),
                "seq": each.seq,
                "payload": base64url.encode(each.payload),
            }
            for each in rows
        ]
    )


async def remove_welcome(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /welcomes/{id}``: it was processed."""
    await desk.delivery.remove_welcome(session, WelcomeId(id_in(request, "id", WELCOME_ID_BYTES)))
    return done()


async def add_key_packages(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /key-packages``: all of them, or none."""
    said = await read_all_fields(request, limits.KEY_PACKAGES_AT_ONCE_MAX, bounds.MEMBER_JSON_BYTES_MAX)
    await desk.delivery.add_key_packages(session, [_offer(each) for each in said], now=request.app[SITE].now())
    return done()


def _offer(said: Fields) -> KeyPackageOffer:
    return KeyPackageOffer(
        ref=KeyPackageRef(said.fixed("ref", KEY_PACKAGE_REF_BYTES)),
        key_package=said.sized("key_package", limits.KEY_PACKAGE_BYTES_MAX, size_min=1),
        mailbox=MailboxId(said.fixed("mailbox", MAILBOX_ID_BYTES)),
        consent_hash=said.fixed("consent_hash", HASH_BYTES),
        expires=said.whole("expires", 0, limits.TIMESTAMP_MAX),
        room=RoomId(said.fixed("room", ROOM_ID_BYTES)) if said.has("room") else None,
    )


async def claim(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /key-packages/claim``: take one, with the consent of whoever made it.

    ``home`` is the node that keeps it, where that is another one.
    """
    said = await read_fields(request)
    ref = KeyPackageRef(said.fixed("ref", KEY_PACKAGE_REF_BYTES))
    consent = said.sized("consent", limits.CONSENT_BYTES_MAX, size_min=1)
    home = said.node("home")
    site = request.app[SITE]
    far = home if home != site.node_id else None
    claimed = await desk.delivery.claim_key_package(session, ref, consent, home=far, now=site.now())
    return answer({"key_package": base64url.encode(claimed.key_package), "mailbox": base64url.encode(claimed.mailbox)})


async def remove_key_package(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /key-packages/{ref}``: take back one's own."""
    await desk.delivery.remove_key_package(session, KeyPackageRef(id_in(request, "ref", KEY_PACKAGE_REF_BYTES)))
    return done()
