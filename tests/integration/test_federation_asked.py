"""Asks by invitations of other nodes: whoever asked learns what became of it, once and however late."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.federation import far_accounts
from hedgerow_node.store.private.values import NewInvite
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import AskId, InviteId
from hedgerow_protocol.federation import asks
from linked_worlds import Node, nodes, wait_asks
from private_worlds import DAY, NOW, Member

BODY = b"sealed"


async def _link(hub: Node, maker: Member) -> tuple[InviteId, bytes]:
    invite, proof = InviteId(os.urandom(16)), os.urandom(32)
    await hub.accounts.add_invite(maker.session, NewInvite(invite, sha256(proof).digest(), NOW + DAY, 0), now=NOW)
    return invite, proof


async def _ask(home: Node, who: Member, hub: Node, link: tuple[InviteId, bytes], body: bytes = BODY) -> AskId:
    return await home.accounts.add_far_ask(who.session, hub.id, *link, body, now=NOW)


async def _sent(home: Node) -> list[Any]:
    return await home.store.database.read(
        lambda c: c.execute("SELECT request FROM outgoing WHERE kind = 'ask'").fetchall()
    )


async def test_an_ask_that_was_refused_while_nobody_listened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with nodes(tmp_path, "hub", "home") as (wire, hub, home):
        ash, birch = await hub.member(), await home.member()
        link = await _link(hub, ash)
        wire.cut(hub, home)
        monkeypatch.setattr(far_accounts, "ANSWER_SECONDS", 0.1)
        with pytest.raises(Waiting):
            await _ask(home, birch, hub, link)
        await hub.accounts.remove_invite(ash.session, link[0])
        wire.link(hub, home)
        monkeypatch.setattr(far_accounts, "ANSWER_SECONDS", 30.0)
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                await _ask(home, birch, hub, link)
            assert refused.value.code is Refusal.UNKNOWN
        assert len(await _sent(home)) == 1, "asked once, and told as often as one likes"
        # Another ask by the same link is another ask.
        with pytest.raises(Refused):
            await _ask(home, birch, hub, link, b"other")
        assert len(await _sent(home)) == 2


async def test_an_ask_that_was_taken_and_handled_is_not_asked_again(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        ash, birch = await hub.member(), await home.member()
        link = await _link(hub, ash)
        name = await _ask(home, birch, hub, link)
        (seen,) = await wait_asks(hub, ash, 1)
        await hub.accounts.remove_ask(ash.session, seen.ask)
        await home.accounts.remove_ask(birch.session, name)
        assert await _ask(home, birch, hub, link) == name
        assert await hub.accounts.asks(ash.session) == []
        assert len(await _sent(home)) == 1


async def test_an_ask_over_pace_may_be_asked_again(tmp_path: Path) -> None:
    async with nodes(tmp_path, "hub", "home") as (_, hub, home):
        rates = hub.federation._answering._rates
        rates._invites = asks.Buckets(0.001, 1)
        ash, birch = await hub.member(), await home.member()
        link = await _link(hub, ash)
        await _ask(home, birch, hub, link, b"first")
        with pytest.raises(Refused) as refused:
            await _ask(home, birch, hub, link)
        assert refused.value.code is Refusal.TOO_FAST
        rates._invites = asks.Buckets(0.001, 1)  # an hour later
        await _ask(home, birch, hub, link)
        assert len(await hub.accounts.asks(ash.session)) == 2
