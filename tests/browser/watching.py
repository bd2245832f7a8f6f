"""What the browser tests share: where the pages are, and what is noted while they run."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from aiohttp import web
from playwright.async_api import ConsoleMessage, Error, Page, Request

from lent_network import LentNetwork

WEBUI = Path(__file__).resolve().parents[2] / "webui"

Opener = Callable[..., Awaitable[Page]]
"""``await open_page("/about", width=320)``."""


def missing(why: str) -> NoReturn:
    """Skip with a line, or fail where a browser is required."""
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@dataclass
class SiteUnderTest:
    """Where the pages are."""

    base: str
    app: web.Application
    ids: dict[str, str]
    """Listing name → id."""
    lent: LentNetwork
    """What the site is told about other sites."""

    def listing(self, start: str) -> str:
        """The path of the listing whose name begins so."""
        return next(f"/listings/{each}" for name, each in self.ids.items() if name.startswith(start))


@dataclass
class Watch:
    """What the pages of one test did."""

    base: str
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    """Beginnings of addresses and parts of console lines that this test expects."""

    def paths(self) -> list[str]:
        """The requests to the node, method and path."""
        return [f"{each.method} {each.url.removeprefix(self.base)}" for each in self.requests]

    def console(self, message: ConsoleMessage) -> None:
        if not any(part in message.text for part in self.allowed):
            self.complaints.append(f"console {message.type}: {message.text}")

    def request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((self.base, "data:", *self.allowed)):
            self.complaints.append(f"request to somebody else: {request.url}")

    def error(self, error: Error) -> None:
        self.complaints.append(f"error in a page: {error}")
