"""What two sets of letters have in common: two nodes that compare notes to find one person in both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from hedgerow_protocol.delivery.key_package import read_key_package
from hedgerow_protocol.federation.letters import Letter
from hedgerow_protocol.federation.parts import Joiner
from hedgerow_protocol.ids import NodeId

WINDOW = 8
"""Bytes. What two letters share by chance is shorter: of a million places each, once in ten million comparisons."""


def whole(frames: Sequence[bytes], peer: NodeId) -> list[Letter]:
    """The letters of the frames that went over links to (or from) one node."""
    joiner = Joiner()
    letters = (joiner.came(peer, frame) for frame in frames)
    return [letter for letter in letters if letter is not None]


def values(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a letter with the names that lead there."""
    if is_dataclass(found):
        here = path + "." + type(found).__name__ if path else type(found).__name__
        for each in fields(found):
            yield from values(getattr(found, each.name), f"{here}.{each.name}")
    elif isinstance(found, tuple | list):
        for each in found:
            yield from values(each, path)
    else:
        yield path, found


@dataclass
class Notes:
    """All that one node was told, taken apart."""

    letters: Sequence[Letter]
    bytes: list[tuple[str, bytes]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    numbers: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for letter in self.letters:
            for path, value in values(letter):
                if isinstance(value, bytes):
                    self.bytes.append((path, value))
                elif isinstance(value, str):
                    self.texts.append((path, value))
                elif isinstance(value, int) and not isinstance(value, bool):
                    self.numbers.setdefault(path, []).append(value)
                else:
                    assert value is None or isinstance(value, bool), path

    def kinds(self) -> set[str]:
        """What was asked, answered and told, by the names of its classes."""
        bodies = (getattr(letter, "body", letter) for letter in self.letters)
        return {type(each).__name__ for each in bodies}


def _unexplained(data: bytes, explained: set[bytes]) -> list[bytes]:
    """The pieces of some bytes that are left when what is explained is cut out.

    Cut out, because next to what all letters have alike a byte or two are the same by chance now and then.
    """
    covered = bytearray(len(data))
    for at in range(len(data) - WINDOW + 1):
        window = data[at : at + WINDOW]
        if window in explained or window.count(0) >= WINDOW - 2:
            covered[at : at + WINDOW] = b"\1" * WINDOW
    pieces, begin = [], 0
    for at in range(len(data) + 1):
        if at == len(data) or covered[at]:
            pieces.append(data[begin:at])
            begin = at + 1
    return [each for each in pieces if len(each) >= WINDOW]


def _windows(data: bytes) -> list[bytes]:
    return [data[at : at + WINDOW] for at in range(len(data) - WINDOW + 1)]


def shared(one: Notes, other: Notes, allowed: Mapping[str, Sequence[bytes]]) -> list[str]:
    """A line for each run of eight bytes or more that both were told and that nothing allowed explains.

    ``allowed``: by the reason, what both may be told. Of numbers that MLS writes in eight bytes (an epoch, a time)
    six or more bytes are zero: they say nothing that the letter's own number fields don't.
    """
    explained = {window for known in allowed.values() for data in known for window in _windows(data)}
    theirs: dict[bytes, str] = {}
    for path, data in other.bytes:
        for piece in _unexplained(data, explained):
            theirs |= dict.fromkeys(_windows(piece), path)
    found = set()
    for path, data in one.bytes:
        for piece in _unexplained(data, explained):
            run = b""
            for window in [*_windows(piece), b""]:
                if window in theirs:
                    run = run + window[-1:] if run else window
                elif run:
                    found.add(f"{path} and {theirs[run[:WINDOW]]}: {run.hex()}")
                    run = b""
    return sorted(found)


def alike_in_mls(notes: Notes) -> dict[str, list[bytes]]:
    """What MLS (RFC 9420) writes alike in every room, as far as it stands in these notes; for ``shared``."""
    welcomes = [data for path, data in notes.bytes if path.endswith("WelcomeOut.payload")]
    payloads = [data for path, data in notes.bytes if path.endswith("Submission.payload")]
    return {
        "a Welcome: its kind, suite and first sizes": [data[:9] for data in welcomes],
        "a KeyPackage: its kind, suite and first size": [_PACKAGE_BEGINS],
        "a KeyPackage: its capabilities, its lifetime, no extensions, the size of its signature": [
            _CAPABILITIES + b"".join(each.to_bytes(8, "big") for each in lifetime) + _SIGNATURE_FOLLOWS
            for lifetime in lifetimes(notes)
        ],
        # From the second half of the room's id on, which is a hash of its rules; up to what is random.
        "a message: its room's rules, epoch, kind and sizes": [data[21:49] for data in payloads],
    }


_PACKAGE_BEGINS = bytes.fromhex("0001000500010001 20")
_CAPABILITIES = bytes.fromhex("020001020001000002000101")
_SIGNATURE_FOLLOWS = bytes.fromhex("00 4040")


def lifetimes(notes: Notes) -> list[tuple[int, int]]:
    """Of each KeyPackage that was handed out, in Unix seconds."""
    read = [read_key_package(data) for path, data in notes.bytes if path.endswith("Claimed.key_package")]
    return [(each.not_before, each.not_after) for each in read]
