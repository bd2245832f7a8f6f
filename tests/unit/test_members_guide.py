"""The members' guide: each of its pictures is there, is taken by a test, and is described for who can't see it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "members.md"
PICTURES = ROOT / "docs" / "pictures"
PICTURE_BYTES_MAX = 60_000


def test_every_picture_is_there_and_has_words() -> None:
    images = re.findall(r'<img src="pictures/([\w-]+)\.webp" width="\d+" alt="([^"]{20,})">', GUIDE.read_text())
    assert len(images) == GUIDE.read_text().count("<img") > 15
    for name, _ in images:
        path = PICTURES / f"{name}.webp"
        assert path.read_bytes()[8:12] == b"WEBP"
        assert path.stat().st_size <= PICTURE_BYTES_MAX


def test_every_picture_is_taken_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "browser").glob("test_app_*.py"))
    taken = set(re.findall(r'(?:photo\(|step=)"([\w-]+)"', tests))
    assert {path.stem for path in PICTURES.glob("*.webp")} == taken
