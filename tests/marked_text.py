"""Text that cannot be anywhere by chance, and looking for it wherever bytes lie, in every dress it could wear."""

import base64
import os
import secrets
import sqlite3
import string
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

MARK_LETTERS = 24
"""Letters from a to z: 112 bits, and nothing in them that any escaping would change."""

_CHUNK = 16 * 1024 * 1024
_OVERLAP = 4096
"""Bytes. Longer than any dress of what is looked for, so that nothing is missed between two chunks."""


def new_mark() -> str:
    """A word that nobody has ever written."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(MARK_LETTERS))


def dresses_of_bytes(plain: bytes) -> dict[str, bytes]:
    """Bytes as they are, and inside of base64 (either alphabet, wherever they begin) and hex."""
    found = {"as it is": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    for offset in range(3):
        # What stands before and after changes the first and the last character: those are left away.
        text = base64.b64encode(bytes(offset) + plain)
        text = text[-(-offset * 8 // 6) : (offset + len(plain)) * 8 // 6]
        found[f"base64 after {offset}"] = text
        found[f"base64url after {offset}"] = text.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def dresses_of_text(text: str) -> dict[str, bytes]:
    """ASCII text as its bytes above, as UTF-16 and UTF-32, and with every letter percent-encoded or escaped."""
    found = dresses_of_bytes(text.encode())
    for offset in range(5):
        dress = base64.b32encode(bytes(offset) + text.encode())[-(-offset * 8 // 5) : (offset + len(text)) * 8 // 5]
        found |= {f"base32 after {offset}": dress, f"small base32 after {offset}": dress.lower()}
    found |= {coding: text.encode(coding) for coding in ("utf-16-le", "utf-16-be", "utf-32-le")}
    hexes = [f"{byte:02x}" for byte in text.encode()]
    found["percent"] = "".join(f"%{each}" for each in hexes).encode()
    found["PERCENT"] = found["percent"].upper()
    found["JSON"] = "".join(f"\\u00{each}" for each in hexes).encode()
    found["JSON with capitals"] = "".join(f"\\u00{each.upper()}" for each in hexes).encode()
    return found


@dataclass
class Search:
    """What is looked for: each dress by a name for the report."""

    dresses: dict[str, bytes] = field(default_factory=dict)

    def text(self, name: str, text: str) -> None:
        """Look for ASCII text, too."""
        self._add(name, dresses_of_text(text))

    def bytes(self, name: str, plain: bytes) -> None:
        """Look for bytes, too."""
        self._add(name, dresses_of_bytes(plain))

    def _add(self, name: str, dresses: dict[str, bytes]) -> None:
        known = set(self.dresses.values())
        for dress, found in dresses.items():
            if found not in known:
                self.dresses[f"{name}, {dress}"] = found
                known.add(found)

    def inside(self, data: bytes, where: str) -> list[str]:
        """A line for each dress that is in there, with what stands around the first one."""
        found = []
        for name, dress in self.dresses.items():
            at = data.find(dress)
            if at >= 0:
                around = data[max(0, at - 60) : at + len(dress) + 60]
                found.append(f"{where}: {name} at {at}: {around!r}")
        return found


def parts_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder in pieces, and every value of every database once more: values lie across pages."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        yield f"the name {name}", name.encode()
        data = path.read_bytes()
        yield name, data
        if data.startswith(b"SQLite format 3\0"):
            yield f"{name}, value by value", b"\n".join(_values(path))


def _values(database: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)


def unpack(backup: Path, into: Path) -> None:
    """A backup and the archives in it, as files."""
    into.mkdir()
    with tarfile.open(backup) as tar:
        tar.extractall(into, filter="data")
    for inner in list(into.rglob("*.tar")):
        unpack(inner, inner.with_suffix(".unpacked"))


class MemoryForbidden(Exception):  # noqa: N818 - what this machine's kernel says, not what is wrong here
    """The kernel lets nobody look."""


def memory_of(process: int) -> Iterator[tuple[str, bytes]]:
    """All memory that a running process can write to, in overlapping pieces. Raises MemoryForbidden.

    What it cannot write to are the programs and libraries themselves, files that are the same on every machine.
    """
    try:
        maps = Path(f"/proc/{process}/maps").read_text().splitlines()
        memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
    except OSError as error:
        raise MemoryForbidden(str(error)) from error
    try:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            for at in range(start, end, _CHUNK):
                try:
                    yield f"memory at {at:x}", os.pread(memory, min(end, at + _CHUNK + _OVERLAP) - at, at)
                except OSError:  # a region that has gone, or belongs to a device
                    continue
    finally:
        os.close(memory)


def secret_of_words(words: list[str], listed: list[str]) -> bytes:
    """The bytes that words of a BIP 39 list stand for, without the checksum."""
    number = 0
    for word in words:
        number = number << 11 | listed.index(word)
    size = len(words) * 4 // 3
    return (number >> (len(words) * 11 - size * 8)).to_bytes(size, "big")


def raw(b64: str) -> bytes:
    """Base64url without padding, as the API has it."""
    return base64.urlsafe_b64decode(b64 + "=" * (-len(b64) % 4))
