"""Run the command that follows, a node's, with a peer door that lets nobody in, as a closed router does.

It goes before ``python -m hedgerow_node …`` in :func:`running_node.running_node`; the node itself dials as always.
"""

import runpy
import sys

from hedgerow_node.net.websocket import PeerDoor

if __name__ == "__main__":
    setattr(PeerDoor, "closed", property(lambda door: True, lambda door, closed: None))  # noqa: B010 - a slot
    _, _, _, module, *sys.argv[1:] = sys.argv
    runpy.run_module(module, run_name="__main__", alter_sys=True)
