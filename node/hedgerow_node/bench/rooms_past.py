"""A node whose clock begins in the past and runs ahead until it has caught up with the present, and without paces.

So that a month of conversation can be had in a minute, with everything in it as it is in a month. The arguments: the
Unix second at which the clock began, what it said then, how fast it runs, and what follows ``hedgerow`` on a command
line.
"""

import runpy
import sys

from hedgerow_node import clock
from hedgerow_node.http import bounds
from hedgerow_protocol.ports import Timestamp


def main() -> None:
    """Change the clock before anybody has looked at it, then be a node."""
    start, begin, speed = map(float, sys.argv[1:4])
    present = clock.now

    def now() -> Timestamp:
        return Timestamp(int(min(present(), begin + (present() - start) * speed)))

    clock.now = now
    for name in ("REQUESTS_PER_SECOND", "REQUESTS_BURST", "BYTES_PER_SECOND", "BYTES_BURST"):
        setattr(bounds, f"DEVICE_{name}", 1e12)
    sys.argv[1:4] = []
    runpy.run_module("hedgerow_node", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
