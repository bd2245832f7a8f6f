"""The keeper's forms that publish, change, renew and withdraw a listing, signed by this node's directory key."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from aiohttp import web

from hedgerow_node.directory.drafts import DraftFile, unsigned
from hedgerow_node.directory.publishing import (
    PublishError,
    change_with_directory_key,
    publish_with_directory_key,
    renew_with_directory_key,
    withdraw_with_directory_key,
)
from hedgerow_node.directory.publishing_form import FieldErrors
from hedgerow_node.directory.versions import ClockError, next_slot, withdrawal_slot
from hedgerow_node.http.cards import Beholder, card
from hedgerow_node.http.keeper import form as forms
from hedgerow_node.http.keeper import guard, own
from hedgerow_node.http.keeper.form import FormState
from hedgerow_node.http.keeper.links import Session
from hedgerow_node.http.keeper.pages import DRAFTS, wording_now
from hedgerow_node.http.pages_public import find_listing
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import SITE, Site
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing, Withdrawal
from hedgerow_protocol.state import ShownListing

if TYPE_CHECKING:
    from hedgerow_node.screening.find import Finding

DAY = 86_400


async def new_form(request: web.Request) -> web.Response:
    """``GET /keeper/listings/new``."""
    session = guard.require_session(request)
    return await _page(request, session, await _empty(request), None)


async def new(request: web.Request) -> web.Response:
    """``POST /keeper/listings/new``."""
    return await _posted(request, None)


async def edit_form(request: web.Request) -> web.Response:
    """``GET /keeper/listings/{id}/edit``."""
    session = guard.require_session(request)
    shown, content = await _editable(request)
    return await _page(request, session, forms.filled_form(content), shown)


async def edit(request: web.Request) -> web.Response:
    """``POST /keeper/listings/{id}/edit``."""
    shown, _ = await _editable(request)
    return await _posted(request, shown)


async def renew(request: web.Request) -> web.Response:
    """``POST /keeper/listings/{id}/renew``: it is still right."""
    await guard.require_form(request)
    site = request.app[SITE]
    shown = await find_listing(request)
    now = site.now()
    if shown.content is not None and not await _own(site, shown):
        return await _as_draft(request, shown, shown.content)
    try:
        await renew_with_directory_key(site.directory, site.config, shown, now)
    except (PublishError, ClockError) as error:
        raise Problem(409, str(error), own_words=True) from error
    renewed = await site.directory.listing(shown.id, now=now)
    until = datetime.fromtimestamp((renewed or shown).slot.expires, UTC).date().isoformat()
    return guard.see_other(request, "/keeper/listings", done="renewed", until=until)


async def withdraw_form(request: web.Request) -> web.Response:
    """``GET /keeper/listings/{id}/withdraw``: one question before something that cannot be taken back."""
    session = guard.require_session(request)
    shown = await find_listing(request)
    view = guard.keeper_view(request)
    values = {
        "heading": view.t("keeper.withdraw_heading", name=shown.name),
        "text": [view.t("keeper.withdraw_text")],
        "action": view.url(f"/keeper/listings/{to_text(shown.id)}/withdraw"),
        "button": view.t("keeper.withdraw"),
        "danger": True,
        "back_url": view.url("/keeper/listings"),
    }
    return await guard.keeper_page(request, view, session, "keeper_confirm.html", values)


async def withdraw(request: web.Request) -> web.Response:
    """``POST /keeper/listings/{id}/withdraw``."""
    await guard.require_form(request)
    site = request.app[SITE]
    shown = await find_listing(request)
    if not await _own(site, shown):
        return await _as_draft(request, shown, None)
    try:
        await withdraw_with_directory_key(site.directory, site.config, shown, site.now())
    except (PublishError, ClockError) as error:
        raise Problem(409, str(error), own_words=True) from error
    return guard.see_other(request, "/keeper/listings", done="withdrawn")


async def _posted(request: web.Request, before: ShownListing | None) -> web.Response:
    session, fields = await guard.require_form(request)
    site = request.app[SITE]
    state, what = forms.posted_form(fields), fields.get("do", "check")
    if what == "add_meeting":
        overview = await site.snapshots.overview()
        return await _page(request, session, forms.with_meeting(state, overview.zone, ""), before)
    if what == "remove_meeting":
        return await _page(request, session, forms.without_meeting(state), before)
    today = datetime.fromtimestamp(site.now(), UTC).date()
    try:
        content = forms.content_of(state, today, before.content if before is not None else None)
    except FieldErrors as errors:
        return await _page(request, session, state, before, errors=forms.our_errors(errors), status=400)
    if what != "publish":
        return await _page(request, session, state, before, content=content)
    if _found(content, frozenset(state.values["keep"])):
        view = guard.keeper_view(request)
        error = {"field": "keep", "text": view.t("keeper.findings_first")}
        return await _page(request, session, state, before, content=content, errors=[error], status=400)
    return await _publish(request, session, state, before, content)


async def _publish(
    request: web.Request, session: Session, state: FormState, before: ShownListing | None, content: ListingContent
) -> web.Response:
    site = request.app[SITE]
    now = site.now()
    lease = int(state.values["lease_days"]) * DAY
    if before is not None and not await _own(site, before):
        return await _as_draft(request, before, content, lease)
    try:
        if before is None:
            await publish_with_directory_key(
                site.directory, site.config, content, now, entropy=site.entropy, lease_seconds=lease
            )
        else:
            await change_with_directory_key(site.directory, site.config, before, content, now, lease_seconds=lease)
    except (PublishError, ClockError) as error:
        problem = {"field": "name", "text": str(error)}
        return await _page(request, session, state, before, content=content, errors=[problem], status=409)
    return guard.see_other(request, "/keeper/listings", done="published" if before is None else "changed")


async def _as_draft(
    request: web.Request, shown: ShownListing, content: ListingContent | None, lease: int | None = None
) -> web.Response:
    """A change of a listing that others speak for: a file for its stewards instead of a signature."""
    site = request.app[SITE]
    chain = await site.directory.charter_of(shown.id)
    if chain is None:
        raise Problem(409, "This listing's charter is not here, so nothing can be prepared for it.", own_words=True)
    charters = tuple(parse_envelope(each) for each in chain.envelopes)
    charter, now = charters[-1].rid, site.now()
    try:
        if content is None:
            record: Listing | Withdrawal = Withdrawal(slot=withdrawal_slot(charter, now, previous=shown.slot))
        else:
            slot = (
                next_slot(charter, shown.slot.entry, now, previous=shown.slot)
                if lease is None
                else next_slot(charter, shown.slot.entry, now, previous=shown.slot, lease_seconds=lease)
            )
            record = Listing(slot=slot, content=content, hosts=shown.hosts)
        request.app[DRAFTS].hold(DraftFile((unsigned(record),), charters))
    except ClockError as error:
        raise Problem(409, str(error), own_words=True) from error
    return guard.see_other(request, "/keeper/cosign", done="added")


async def _own(site: Site, shown: ShownListing) -> bool:
    return shown.slot.charter == await own.own_root(site)


async def _editable(request: web.Request) -> tuple[ShownListing, ListingContent]:
    guard.require_session(request)
    shown = await find_listing(request)
    if shown.content is None:
        raise Problem(409, "This listing is in dispute, so it cannot be changed here.", own_words=True)
    return shown, shown.content


async def _empty(request: web.Request) -> FormState:
    site = request.app[SITE]
    overview = await site.snapshots.overview()
    return forms.empty_form(overview.zone, guard.keeper_view(request).language.code, site.config.country)


async def _page(
    request: web.Request,
    session: Session,
    state: FormState,
    before: ShownListing | None,
    *,
    content: ListingContent | None = None,
    errors: list[dict[str, str]] | None = None,
    status: int = 200,
) -> web.Response:
    site = request.app[SITE]
    view = guard.keeper_view(request)
    wording = wording_now(site, view)
    path = "/keeper/listings/new" if before is None else f"/keeper/listings/{to_text(before.id)}/edit"
    zones = await asyncio.to_thread(_zones)
    values = {
        "action": view.url(path),
        "errors": errors or [],
        "new": before is None,
        "findings": [] if content is None else _findings(view, content),
        "meeting_count": state.meeting_count,
        "values": state.values,
        "options": forms.form_options(zones, wording),
        "preview": None if content is None or errors else _preview(site, view, content, before),
    }
    return await guard.keeper_page(request, view, session, "keeper_form.html", values, status=status)


def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))


def _preview(site: Site, view: View, content: ListingContent, before: ShownListing | None) -> dict[str, Any]:
    from hedgerow_protocol.ids import ListingId, RecordId
    from hedgerow_protocol.records import Slot

    now = site.now()
    slot = Slot(charter=RecordId(bytes(32)), entry=b"", seq=0, issued=now, expires=Timestamp(now + 90 * DAY))
    shown = ShownListing(
        id=before.id if before is not None else ListingId(bytes(20)), name=content.name, content=content, slot=slot
    )
    by = Beholder(view, wording_now(site, view), now)
    return card(by, shown) | {"url": "#main" if before is None else view.url(f"/listings/{to_text(before.id)}")}


def _found(content: ListingContent, keep: frozenset[str] = frozenset()) -> tuple["Finding", ...]:
    # Screening brings many word lists along: they are loaded when a keeper first writes a listing, not at the start.
    from hedgerow_node.screening.find import findings

    return findings(content, keep)


def _findings(view: View, content: ListingContent) -> list[dict[str, str]]:
    """What screening would withhold, with the field of the form where it stands."""
    return [
        {
            "kind": each.kind,
            "field": _field(each.where, each.kind, content),
            "text": view.t(f"findings.kind.{each.kind}"),
            "excerpt": each.excerpt,
        }
        for each in _found(content)
    ]


def _field(where: str, kind: str, content: ListingContent) -> str:
    plain = {
        "the name": "name",
        "the summary": "summary",
        "how to join": "how_to_join",
        "whom it is for": "eligibility",
        "the web page": "url",
    }
    if where in plain:
        return plain[where]
    if where.startswith(("the contact", "contact ")):
        return {"email": "contact_email", "phone": "contact_phone"}.get(kind, "contact_name")
    number = next((number for number, each in enumerate(content.meetings) if f"“{each.name or each.slug}”" in where), 0)
    for words, name in (
        ("the notes of", "notes"),
        ("the name of", "name"),
        ("the place of", "place"),
        ("the notes on the place", "notes"),
        ("the link of", "online_url"),
        ("the dial-in number", "online_phone"),
    ):
        if where.startswith(words):
            return f"m{number}_{name}"
    return "name" if where.startswith("the") and not content.meetings else f"m{number}_notes"
