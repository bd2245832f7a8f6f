"""Where the shared study material lies, when it is there: tests that use it skip with a clear line when it is not."""

from pathlib import Path

import pytest


def _find() -> Path | None:
    for parent in Path(__file__).resolve().parents:
        candidate = parent / "shared"
        if (candidate / "data" / "SOURCES.md").is_file():
            return candidate
    return None


SHARED: Path | None = _find()

needs_shared = pytest.mark.skipif(SHARED is None, reason="the shared data folder is not beside this checkout")


def shared(path: str) -> Path:
    """A file of the shared folder. Use only in tests marked with ``needs_shared``."""
    assert SHARED is not None
    return SHARED / path
