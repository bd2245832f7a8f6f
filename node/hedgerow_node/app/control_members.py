"""The part of the control socket that is about members: what ``hedgerow invite`` asks of a running node."""

import json

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.accounts.doors import Accounts, Refused
from hedgerow_node.accounts.invitations import DAYS_MAX, USES_MAX, make_invite
from hedgerow_protocol.ids import NodeId


def member_routes(accounts: Accounts, home: str, node: NodeId) -> list[web.RouteDef]:
    """``/invite``. ``home`` is the address a link to ``node`` begins with, without a final slash."""

    async def invite(request: web.Request) -> web.Response:
        try:
            said = await request.json()
            uses, days = said["uses"], said["days"]
        except (ValueError, KeyError, TypeError) as error:
            raise _refusal("An invitation is for so many uses and days.") from error
        if type(uses) is not int or type(days) is not int or not (1 <= uses <= USES_MAX and 1 <= days <= DAYS_MAX):
            raise _refusal(f"An invitation is for 1 to {USES_MAX} people and 1 to {DAYS_MAX} days.")
        try:
            made = await make_invite(accounts, home, node, uses=uses, days=days, now=clock.now(), entropy=clock.entropy)
        except Refused as refused:
            raise _refusal(refused.sentence) from refused
        return web.json_response(made.to_json())

    return [web.post("/invite", invite)]


def _refusal(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"detail": sentence}), content_type="application/json")
