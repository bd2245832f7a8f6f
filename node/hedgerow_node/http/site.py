"""What every handler of the street door shares; made once in :func:`hedgerow_node.http.server.build_app`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from hedgerow_node.config import Config
from hedgerow_node.http.client import Caller, Callers, Hosts
from hedgerow_node.http.rate import RateLimit
from hedgerow_node.http.reads import Reads
from hedgerow_node.http.rendering import Pages
from hedgerow_node.http.webui import WebUi
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Instant, Timestamp

if TYPE_CHECKING:
    from hedgerow_node.http.certificate import OwnCertificate
    from hedgerow_node.http.keeper.links import KeeperLinks
    from hedgerow_node.http.peering import Peering
    from hedgerow_node.http.snapshots import Snapshots

CALLER = web.RequestKey("caller", Caller)


@dataclass(slots=True, kw_only=True)
class Site:
    """One node's street door."""

    config: Config
    directory: Reads
    node_id: NodeId
    version: str
    peers: Callable[[], int]
    now: Callable[[], Timestamp]
    monotonic: Callable[[], Instant]
    entropy: Entropy
    prefix: str
    callers: Callers
    hosts: Hosts
    rate: RateLimit
    webui: WebUi
    pages: Pages
    keeper: "KeeperLinks"
    snapshots: "Snapshots"
    source_url: str = ""
    """Where this program's source code is offered (AGPL, section 13)."""
    limit_loopback: bool = False
    certificate: "OwnCertificate | None" = None
    """With it, the same port speaks https, too."""
    peering: "Peering | None" = None
    """The network, in the keeper's hands; ``None`` where this node talks to no others."""


SITE = web.AppKey("site", Site)
