"""The https side of a running node: its own certificate, made anew in time without a pause."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from hedgerow_node import clock
from hedgerow_node.config import Config
from hedgerow_node.http.certificate import OwnCertificate
from hedgerow_node.tls.files import LocalTls, load_chain, load_fresh
from hedgerow_node.tls.names import TlsError
from hedgerow_protocol.ports import Timestamp

LOG = logging.getLogger(__name__)

LOOK_SECONDS = 21_600.0
"""Seconds. Between two looks at the certificate's time: it is made anew weeks before it ends."""


@dataclass(slots=True)
class Certificates:
    """A node's own certificate, as the street door uses it."""

    local: LocalTls
    context: ssl.SSLContext

    def shown(self) -> OwnCertificate:
        """What pages say of it."""
        local = self.local
        return OwnCertificate(hosts=local.names.hosts, fingerprint=local.fingerprint, download=local.download)

    def renew(self, now: Timestamp) -> bool:
        """Make the server certificate anew if it is time; whether it was. Raises :class:`TlsError`."""
        self.local, renewed = load_fresh(self.local.folder, now)
        if renewed:
            load_chain(self.context, self.local.folder)
        return renewed

    async def watch(self, now: Callable[[], Timestamp] = clock.now) -> None:
        """Look every few hours, for a node that runs for years."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if await asyncio.to_thread(self.renew, now()):
                    LOG.info("The certificate was made anew")
            except (OSError, TlsError) as error:
                LOG.error("The certificate could not be made anew: %s", error)


def open_certificates(config: Config, now: Timestamp) -> Certificates:
    """The node's own certificate, made anew if its time is nearly over. Raises :class:`TlsError`."""
    local, renewed = load_fresh(config.data, now)
    if renewed:
        LOG.info("The certificate was made anew")
    return Certificates(local, local.context())
