"""Ids in addresses."""

from aiohttp import web

from hedgerow_node.http.member.fields import wrong
from hedgerow_node.http.problems import not_found
from hedgerow_protocol import base64url

_NOTHING = "There is nothing at this address for this device."


def id_in(request: web.Request, name: str, size: int) -> bytes:
    """The id of ``size`` bytes in the path. Raises Problem (404): what is no id names nothing."""
    return _id(request.match_info[name], size)


def id_of_query(request: web.Request, name: str, size: int) -> bytes:
    """The id of ``size`` bytes in the query. Raises Problem (404)."""
    return _id(request.query.get(name, ""), size)


def _id(text: str, size: int) -> bytes:
    if len(text) == base64url.length_of(size):
        try:
            return base64url.decode(text)
        except ValueError:
            pass
    raise not_found(_NOTHING)


def whole_of_query(request: web.Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number in the query, or the default. Raises Problem."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and low <= int(text) <= high):
        raise wrong(name, f"is a whole number from {low} to {high}")
    return int(text)
