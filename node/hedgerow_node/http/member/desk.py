"""What the member API's handlers share: the services below, and what is counted here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from hedgerow_node.accounts.doors import Accounts
from hedgerow_node.delivery.doors import Delivery
from hedgerow_node.http.member.acknowledging import Acknowledgements
from hedgerow_node.http.member.pace import Pace
from hedgerow_node.http.member.receivers import Receivers
from hedgerow_node.store.private.counting import Counts
from hedgerow_protocol.ports import Instant


@dataclass(slots=True)
class Desk:
    """One node's members' side."""

    accounts: Accounts
    delivery: Delivery
    pace: Pace
    receivers: Receivers
    acknowledgements: Acknowledgements
    counts: Callable[[], Awaitable[Counts]]
    """How much there is of everything, for the keeper."""

    async def close(self) -> None:
        """Send everybody away, then write down what they acknowledged."""
        await self.receivers.close()
        await self.acknowledgements.close()


DESK = web.AppKey("desk", Desk)


def open_desk(
    accounts: Accounts,
    delivery: Delivery,
    counts: Callable[[], Awaitable[Counts]],
    monotonic: Callable[[], Instant],
) -> Desk:
    """Put the parts together; from now on the live sockets hear what happens."""
    receivers = Receivers(delivery.heads)
    acknowledgements = Acknowledgements(delivery.acknowledge)
    desk = Desk(accounts, delivery, Pace(monotonic), receivers, acknowledgements, counts)
    accounts.tell = receivers.happened
    delivery.tell = receivers.happened
    return desk
