"""Who may see the keeper's pages: whoever came by a one-time link, on a connection nobody else can read."""

from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from hedgerow_node.http import bounds
from hedgerow_node.http.forms import read_form
from hedgerow_node.http.keeper.links import Session, csrf_holds
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import CALLER, SITE

COOKIE = "hedgerow_keeper"


def require_safe_connection(request: web.Request) -> None:
    """Refuse plain http from elsewhere: the session could be read on its way. Raises Problem."""
    if not request[CALLER].secure:
        view = request.app[SITE].pages.view(request)
        raise Problem(403, view.t("keeper.insecure"), own_words=True)


def require_session(request: web.Request) -> Session:
    """The keeper's session. Raises Problem."""
    require_safe_connection(request)
    session = request.app[SITE].keeper.session(request.cookies.get(COOKIE, "")[:64])
    if session is None:
        raise Problem(403, "This page opens with a link that the command “hedgerow keeper-link” makes.")
    return session


async def require_form(request: web.Request) -> tuple[Session, MultiDictProxy[str]]:
    """The session and the form, which carries the session's own token. Raises Problem."""
    session = require_session(request)
    form = await read_form(request)
    check_csrf(request, session, form)
    return session, form


def check_csrf(request: web.Request, session: Session, form: MultiDictProxy[str]) -> None:
    """Refuse a form that was not made in this session. Raises Problem."""
    if not csrf_holds(session, str(form.get("csrf", ""))):
        view = request.app[SITE].pages.view(request)
        raise Problem(403, view.t("keeper.form_expired"), own_words=True)


def set_cookie(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """Give the browser the session: for ``/keeper`` only, unreadable by scripts, never sent by another site."""
    response.set_cookie(
        COOKIE,
        secret,
        path=f"{request.app[SITE].prefix}/keeper",
        httponly=True,
        samesite="Strict",
        secure=request[CALLER].scheme == "https",
        max_age=bounds.KEEPER_SESSION_SECONDS,
    )


def drop_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Take it back."""
    response.del_cookie(COOKIE, path=f"{request.app[SITE].prefix}/keeper")


def keeper_view(request: web.Request) -> View:
    """A view that shows the keeper's navigation."""
    return request.app[SITE].pages.view(request, keeper=True)


async def keeper_page(
    request: web.Request,
    view: View,
    session: Session | None,
    template: str,
    values: dict[str, Any],
    *,
    status: int = 200,
) -> web.Response:
    """Render one of the keeper's pages."""
    values = {"csrf_token": session.csrf if session is not None else "", **values}
    return await request.app[SITE].pages.page(request, view, template, values, status=status)


def see_other(request: web.Request, path: str, **parameters: str) -> web.Response:
    """After a form was done: show a page, so that loading it again does nothing twice (RFC 9110, 15.4.4)."""
    location = request.app[SITE].pages.view(request).url(path, **parameters)
    return web.Response(status=303, headers={"Location": location})
