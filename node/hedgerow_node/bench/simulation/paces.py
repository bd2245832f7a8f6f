"""How long a simulated node takes for what it does: about a small board's times."""

from typing import Final

FRAME_SECONDS: Final = 0.0002
"""Seconds. A node opens and reads frames one after another, each in about this time."""

JUDGE_SECONDS: Final = 0.002
"""Seconds. One write to the disk."""

ENVELOPE_SECONDS: Final = 0.0004
"""Seconds. Verifying one envelope and keeping it, on top."""

FETCH_SECONDS: Final = 0.002
