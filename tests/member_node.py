"""A node on loopback for the tests of the member API, in this process, with devices that know it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hedgerow_node import clock
from hedgerow_node.accounts.invitations import make_invite
from hedgerow_node.app import Node, running_node
from hedgerow_node.config import Config
from hedgerow_node.http.member.desk import DESK, Desk
from hedgerow_node.http.site import SITE, Site
from member_devices import Device


@dataclass
class MemberNode:
    """A running node and a way to reach it."""

    node: Node
    http: aiohttp.ClientSession

    @property
    def api(self) -> str:
        return f"{self.node.address}api/v1"

    @property
    def desk(self) -> Desk:
        return self.node.street.runner.app[DESK]

    @property
    def site(self) -> Site:
        return self.node.street.runner.app[SITE]

    def now(self) -> int:
        return int(clock.now())

    async def link(self, *, uses: int = 1) -> str:
        """A new invitation link of the keeper's."""
        accounts, home, node = self.desk.accounts, self.node.home, self.node.node_id
        made = await make_invite(accounts, home, node, uses=uses, days=1, now=clock.now(), entropy=clock.entropy)
        return made.url

    def stranger(self, **more: Any) -> Device:
        """A device nobody knows."""
        return Device(self.http, self.api, **more)

    async def member(self) -> Device:
        """A device with an account."""
        device = self.stranger()
        await device.register(await self.link())
        return device

    async def second_device(self, first: Device) -> Device:
        """Another device of the same account."""
        second = self.stranger(seed=first.seed)
        await first.fine("POST", "/devices", second.new)
        second.node_id = first.node_id
        return second


@asynccontextmanager
async def member_node(data: Path, **settings: Any) -> AsyncIterator[MemberNode]:
    """Run a node on any free port."""
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        running_node(Config(data=data, port=0, **settings), version="test") as node,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        yield MemberNode(node, http)
