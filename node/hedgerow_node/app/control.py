"""The server's end of ``DIR/control.sock``: commands on this data folder speak to the node that runs on it.

Whoever can open the socket owns the data folder (the folder is 0700 and the socket 0600), so nobody is asked who he is.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.app.control_network import network_routes
from hedgerow_node.app.peering import NodePeering
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.directory.service import Directory
from hedgerow_node.store.errors import StoreError
from hedgerow_protocol import ids
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import NodeId

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_control(
    directory: Directory,
    peering: NodePeering,
    *,
    node_id: NodeId,
    version: str,
    keeper_link: Callable[[], str],
    more: Sequence[web.RouteDef] = (),
) -> web.Application:
    """The application behind the socket; ``more`` are routes of other parts of the node."""

    async def accept(request: web.Request) -> web.Response:
        try:
            envelopes = door_control.decode_batch(await request.read())
        except RemoteError as error:
            return web.json_response({"detail": str(error)}, status=400)
        outcomes = await directory.accept(envelopes, now=clock.now())
        return web.json_response({"outcomes": [door_control.outcome_to_json(each) for each in outcomes]})

    async def link(request: web.Request) -> web.Response:
        return web.json_response({"url": keeper_link()})

    async def status(request: web.Request) -> web.Response:
        counts = await directory.status(now=clock.now())
        return web.json_response(
            {
                "node_id": ids.to_text(node_id),
                "listings": counts.listings,
                "meetings": counts.meetings,
                "records": counts.records,
                "state_hash": counts.state_hash,
                "peers": peering.network.open_links,
                "version": version,
            }
        )

    app = web.Application(client_max_size=door_control.BATCH_BYTES_MAX, middlewares=[_tell_errors])
    app.add_routes(
        [
            web.post("/accept", accept),
            web.post("/keeper-link", link),
            web.get("/status", status),
            *network_routes(peering),
            *more,
        ]
    )
    return app


@web.middleware
async def _tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StoreError as error:
        return web.json_response({"detail": str(error)}, status=503)


@contextlib.asynccontextmanager
async def open_control(
    config: Config,
    directory: Directory,
    peering: NodePeering,
    *,
    node_id: NodeId,
    version: str,
    keeper_link: Callable[[], str],
    more: Sequence[web.RouteDef] = (),
) -> AsyncIterator[None]:
    """Listen on the control socket until the block ends."""
    application = build_control(
        directory, peering, node_id=node_id, version=version, keeper_link=keeper_link, more=more
    )
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    path = config.control_socket
    try:
        # The lock of the data folder is held, so a socket that is still there belongs to nobody.
        path.unlink(missing_ok=True)
        with door_control.short_path(path) as short:
            await web.UnixSite(runner, short).start()
        path.chmod(0o600)
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)
