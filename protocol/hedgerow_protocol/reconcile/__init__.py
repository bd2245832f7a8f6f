"""Two nodes find out what each of them lacks, without sending what both have.

* :class:`Initiator` and :class:`Responder`: Negentropy version 1, byte for byte.
* :class:`LiveSet`: the live records in memory, in order, with a running digest.
* :mod:`~hedgerow_protocol.reconcile.session`: one reconciliation over one link, from the first word to the last.

Spec: docs/protocol/reconciliation.md.
"""

from hedgerow_protocol.reconcile.live_set import LiveSet
from hedgerow_protocol.reconcile.negentropy import Initiator, Responder

__all__ = ["Initiator", "LiveSet", "Responder"]
