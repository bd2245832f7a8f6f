"""``python -m hedgerow_node`` is the same as ``hedgerow``."""

import sys

from hedgerow_node.cli import main

if __name__ == "__main__":
    sys.exit(main())
