"""``/keeper/invite``: a link for new members, and its code for a camera. Both are in one answer and nowhere else."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from hedgerow_node.accounts.doors import Refused
from hedgerow_node.accounts.invitations import DAYS_DEFAULT, DAYS_MAX, USES_MAX, MadeInvite, make_invite
from hedgerow_node.http.client import parse_address
from hedgerow_node.http.keeper import guard
from hedgerow_node.http.keeper.links import Session
from hedgerow_node.http.keeper.pages import wording_now
from hedgerow_node.http.member.bearer import desk_of
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import CALLER, SITE
from hedgerow_node.qr import qr_code

PATH = "/keeper/invite"
DEFAULTS = {"uses": "1", "days": str(DAYS_DEFAULT)}


async def invite_form(request: web.Request) -> web.Response:
    """``GET /keeper/invite``."""
    session = guard.require_session(request)
    desk_of(request)
    return await _page(request, session, DEFAULTS)


async def invite(request: web.Request) -> web.Response:
    """``POST /keeper/invite``: make one and show it, this one time."""
    session, form = await guard.require_form(request)
    view, site = guard.keeper_view(request), request.app[SITE]
    values = {name: form.get(name, "")[:20] for name in DEFAULTS}
    uses, days = _whole(values["uses"], USES_MAX), _whole(values["days"], DAYS_MAX)
    errors = [
        {"field": name, "text": view.t("keeper.invite.wrong", number=high)}
        for name, number, high in (("uses", uses, USES_MAX), ("days", days, DAYS_MAX))
        if number is None
    ]
    if uses is None or days is None:
        return await _page(request, session, values, errors)
    accounts, home = desk_of(request).accounts, home_of(request)
    try:
        made = await make_invite(
            accounts, home, site.node_id, uses=uses, days=days, now=site.now(), entropy=site.entropy
        )
    except Refused:
        return await _page(request, session, values, [{"field": "uses", "text": view.t("keeper.invite.full")}])
    return await _page(request, session, values, made=_shown(request, view, made))


def _whole(text: str, high: int) -> int | None:
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= high:
        return int(text)
    return None


def home_of(request: web.Request) -> str:
    """The address a link begins with: the public one, else one that the node's own certificate vouches for, else the
    one by which the keeper came."""
    site = request.app[SITE]
    if site.pages.base_url:
        return site.pages.base_url
    host = site.callers.host_of(request)
    if site.certificate is not None and site.certificate.hosts:
        port = urlsplit(f"//{host}").port
        return f"https://{site.certificate.hosts[0]}{f':{port}' if port else ''}{site.prefix}"
    return f"{request[CALLER].scheme}://{host}{site.prefix}"


def _shown(request: web.Request, view: View, made: MadeInvite) -> dict[str, Any]:
    code = qr_code(made.url)
    date = wording_now(request.app[SITE], view).timestamp(made.expires)
    return {
        "link": made.url,
        "works": view.t("keeper.invite.works", count=made.uses, date=date),
        "safe": _is_safe(made.url),
        "side": code.side,
        "path": code.svg_path(),
    }


def _is_safe(url: str) -> bool:
    """Whether browsers give keys to pages of this address (a secure context)."""
    parts = urlsplit(url)
    address = parse_address(parts.hostname or "")
    return parts.scheme == "https" or parts.hostname == "localhost" or (address is not None and address.is_loopback)


async def _page(
    request: web.Request,
    session: Session,
    values: dict[str, str],
    errors: list[dict[str, str]] | None = None,
    made: dict[str, Any] | None = None,
) -> web.Response:
    view = guard.keeper_view(request)
    context = {"action": view.url(PATH), "values": values, "errors": errors or [], "made": made}
    status = 400 if errors else 200
    return await guard.keeper_page(request, view, session, "keeper_invite.html", context, status=status)
