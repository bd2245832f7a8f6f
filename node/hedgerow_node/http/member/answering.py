"""Answers of the member API: JSON put together from parts that are JSON already."""

from typing import Any

from aiohttp import web

from hedgerow_node.http.answers import dump
from hedgerow_node.http.problems import PROBLEM_TYPE, Problem, problem_document
from hedgerow_node.store.private.values import LogPage
from hedgerow_protocol import base64url
from hedgerow_protocol.delivery.values import Accepted, Head
from hedgerow_protocol.ids import NodeId

_JSON = {"Content-Type": "application/json"}


def answer(value: Any, status: int = 200) -> web.Response:
    """A JSON value."""
    return web.Response(status=status, body=dump(value), headers=_JSON)


def done() -> web.Response:
    """It is done, and there is nothing to say about it."""
    return web.Response(status=204)


def head_json(head: Head) -> dict[str, Any]:
    """A signed head."""
    position = head.position
    return {
        "seq": position.seq,
        "hash": base64url.encode(position.hash),
        "time": position.time,
        "signature": base64url.encode(head.signature),
    }


def hub_json(hub: NodeId | None) -> dict[str, str]:
    """The node that orders a room, where it is another one; nothing where it is this one."""
    return {"hub": base64url.encode(hub)} if hub is not None else {}


def accepted_members(accepted: Accepted) -> bytes:
    """Where an entry stands. The answer to every word that is written, so it is put together by hand."""
    return b'"seq":%d,"time":%d,"hash":"%b"}' % (accepted.seq, accepted.time, base64url.letters(accepted.hash))


def answer_accepted(accepted: Accepted) -> web.Response:
    """The same as an answer."""
    return web.Response(body=b"{" + accepted_members(accepted), headers=_JSON)


def _page_members(page: LogPage) -> bytes:
    rest = {"head": head_json(page.head), **hub_json(page.hub)}
    return b'"entries":[' + b",".join(page.entries) + b"]," + dump(rest)[1:]


def answer_page(page: LogPage) -> web.Response:
    """A part of a log."""
    return web.Response(body=b"{" + _page_members(page), headers=_JSON)


def conflict_members(page: LogPage) -> bytes:
    """Another commit was first: the members of a problem document (409), with what its author has not seen yet."""
    problem = Problem(409, "Another change of this room came first. Look at it, then try again.", type="conflict")
    return dump(problem_document(problem))[1:-1] + b"," + _page_members(page)


def answer_conflict(page: LogPage) -> web.Response:
    """The same as an answer."""
    return web.Response(status=409, body=b"{" + conflict_members(page), headers={"Content-Type": PROBLEM_TYPE})
