"""The keeper's page: the way in, what is due, and signing together."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hedgerow_node.directory.drafts import DraftError
from hedgerow_node.directory.publishing import PublishError
from hedgerow_node.http.forms import read_form, read_upload
from hedgerow_node.http.keeper import guard, own
from hedgerow_node.http.keeper.cosigning import CosignDrafts
from hedgerow_node.http.keeper.links import Session
from hedgerow_node.http.member.desk import DESK
from hedgerow_node.http.pages_public import bundle_differs, read_lines, shown_facts
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import SITE, Site
from hedgerow_node.http.wording import Wording

DRAFTS = web.AppKey("drafts", CosignDrafts)

DONE = ("published", "changed", "withdrawn", "cosigned", "added")
"""What an address may say was just done; each has a text."""


async def enter_form(request: web.Request) -> web.Response:
    """``GET /keeper/enter``: the link. Looking at it uses nothing up, so a preview of the link does no harm."""
    guard.require_safe_connection(request)
    token = request.match_info.get("token", "")[:64]
    return await _enter_page(request, token, [])


async def enter(request: web.Request) -> web.Response:
    """``POST /keeper/enter``: use the link up."""
    guard.require_safe_connection(request)
    site = request.app[SITE]
    form = await read_form(request)
    secret = site.keeper.redeem(form.get("token", "")[:64])
    if secret is None:
        view = site.pages.view(request)
        error = {"field": "token", "text": view.t("keeper.enter.wrong")}
        return await _enter_page(request, "", [error], status=403)
    response = guard.see_other(request, "/keeper")
    guard.set_cookie(request, response, secret)
    return response


async def _enter_page(
    request: web.Request, token: str, errors: list[dict[str, str]], *, status: int = 200
) -> web.Response:
    view = request.app[SITE].pages.view(request)
    values = {"token": token, "values": {"token": token}, "errors": errors}
    return await guard.keeper_page(request, view, None, "keeper_enter.html", values, status=status)


async def leave(request: web.Request) -> web.Response:
    """``POST /keeper/leave``: end the session."""
    await guard.require_form(request)
    site = request.app[SITE]
    site.keeper.close(request.cookies.get(guard.COOKIE, "")[:64])
    response = guard.see_other(request, "/")
    guard.drop_cookie(request, response)
    return response


async def home(request: web.Request) -> web.Response:
    """``GET /keeper``."""
    session = guard.require_session(request)
    site = request.app[SITE]
    view = guard.keeper_view(request)
    wording = wording_now(site, view)
    root = await own.own_root(site)
    rows = [own.own_row(site, view, wording, each, root) for each in await own.own_listings(site)]
    values = {
        "stats": await shown_facts(site, view),
        "notices": [
            *done_notices(request, view),
            *_bundle_notices(site, view),
            *await _crisis_notices(site, view, wording),
        ],
        "due": [row for row in rows if row["days_left"] <= own.DUE_DAYS],
        "network": site.peering is not None,
        "rooms": await _rooms(request, view),
    }
    return await guard.keeper_page(request, view, session, "keeper.html", values)


def _bundle_notices(site: Site, view: View) -> list[dict[str, str]]:
    """Other nodes of the same version serve another program: one of the two was changed."""
    differing = bundle_differs(site)
    return [{"kind": "warn", "text": view.t("secure.differs", count=differing)}] if differing else []


async def _rooms(request: web.Request, view: View) -> dict[str, str] | None:
    """How much there is on the members' side, as numbers; ``None`` where there is none."""
    desk = request.app.get(DESK)
    if desk is None:
        return None
    counts = await desk.counts()
    number = view.language.number
    return {
        "accounts": number(counts.accounts),
        "devices": number(counts.devices),
        "rooms": number(counts.rooms),
        "invites": number(counts.invites),
    }


async def listings(request: web.Request) -> web.Response:
    """``GET /keeper/listings``."""
    session = guard.require_session(request)
    site = request.app[SITE]
    view = guard.keeper_view(request)
    root = await own.own_root(site)
    wording = wording_now(site, view)
    values = {
        "listings": [own.own_row(site, view, wording, each, root) for each in await own.own_listings(site)],
        "notices": done_notices(request, view),
    }
    return await guard.keeper_page(request, view, session, "keeper_listings.html", values)


async def cosign_form(request: web.Request) -> web.Response:
    """``GET /keeper/cosign``."""
    session = guard.require_session(request)
    return await _cosign_page(request, session, [])


async def cosign(request: web.Request) -> web.Response:
    """``POST /keeper/cosign``: a file that somebody signed comes back."""
    session = guard.require_session(request)
    site = request.app[SITE]
    form, data = await read_upload(request, "file")
    guard.check_csrf(request, session, form)
    try:
        published = await request.app[DRAFTS].add(site, data)
    except (DraftError, PublishError) as error:
        return await _cosign_page(request, session, [{"field": "file", "text": str(error)}], status=400)
    return guard.see_other(request, "/keeper/cosign", done="cosigned" if published else "added")


async def cosign_download(request: web.Request) -> web.Response:
    """``GET /keeper/cosign/{draft}``: the file to pass on."""
    guard.require_session(request)
    text = request.app[DRAFTS].text(request.match_info["draft"])
    if text is None:
        raise not_found("This file is not waiting here any more.")
    headers = {"Content-Disposition": f'attachment; filename="{request.match_info["draft"]}.hedgerow.txt"'}
    return web.Response(text=text, headers=headers)


async def cosign_sign(request: web.Request) -> web.Response:
    """``POST /keeper/cosign/{draft}/sign``: the directory key is one of the stewards, and its keeper agrees."""
    session, _ = await guard.require_form(request)
    try:
        published = await request.app[DRAFTS].sign(request.app[SITE], request.match_info["draft"])
    except (DraftError, PublishError) as error:
        return await _cosign_page(request, session, [{"field": "file", "text": str(error)}], status=400)
    return guard.see_other(request, "/keeper/cosign", done="cosigned" if published else "added")


async def _cosign_page(
    request: web.Request, session: Session, errors: list[dict[str, str]], *, status: int = 200
) -> web.Response:
    view = guard.keeper_view(request)
    values = {
        "action": view.url("/keeper/cosign"),
        "drafts": request.app[DRAFTS].rows(view, (await own.own_signer(request.app[SITE])).key.public),
        "errors": errors,
        "notices": done_notices(request, view),
    }
    return await guard.keeper_page(request, view, session, "keeper_cosign.html", values, status=status)


def wording_now(site: Site, view: View) -> Wording:
    """Words of this moment in this view's language."""
    return Wording(view.language, datetime.fromtimestamp(site.now(), UTC).date())


def done_notices(request: web.Request, view: View) -> list[dict[str, str]]:
    """What the page before this one did, from a fixed list of words in the address."""
    done = request.query.get("done", "")
    if done == "renewed":
        until = request.query.get("until", "")[:10]
        site = request.app[SITE]
        text = view.t("keeper.done.renewed", date=wording_now(site, view).iso_date(until if _is_date(until) else ""))
        return [{"kind": "done", "text": text}]
    if done not in DONE:
        return []
    key = {"cosigned": "cosign.done", "added": "cosign.added"}.get(done, f"keeper.done.{done}")
    return [{"kind": "done", "text": view.t(key)}]


def _is_date(text: str) -> bool:
    return len(text) == 10 and text.replace("-", "").isdigit()


async def _crisis_notices(site: Site, view: View, wording: Wording) -> list[dict[str, Any]]:
    lines = await read_lines(site)
    notices = [{"kind": "warn", "text": view.t("keeper.crisis_problem", problem=each)} for each in lines.problems[:5]]
    if not lines.lines:
        text = view.t("keeper.crisis_none", file=site.config.crisis)
        return [*notices, {"kind": "warn", "text": text}]
    old = sum(each.is_old(wording.today) for each in lines.lines)
    if old:
        notices.append({"kind": "warn", "text": view.t("keeper.crisis_old", count=old)})
    return notices
