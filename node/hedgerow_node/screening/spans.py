"""What a detector says: from here to there stands something private, and what is put in its place."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

EMAIL: Final = "email"
PHONE: Final = "phone"
SURNAME: Final = "surname"
PASSWORD: Final = "password"  # noqa: S105 - the name of a kind
ADDRESS: Final = "address"

KINDS: Final = (EMAIL, PHONE, SURNAME, PASSWORD, ADDRESS)
"""All kinds, in the order in which people are told of them; also the words of ``--keep``."""

WITHHELD: Final = {
    EMAIL: "[e-mail withheld]",
    PHONE: "[phone withheld]",
    PASSWORD: "[password withheld]",
    ADDRESS: "[address withheld]",
}
"""What stands in running text where something was withheld, so that the sentence still reads."""

TAKEN: Final = "\x00"
"""Covers what one detector has claimed, so that the next does not see it. No valid text holds it."""


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` is private: ``put`` stands there instead; empty means the words around it close up."""

    start: int
    end: int
    kinds: tuple[str, ...]
    """Once for each thing withheld: a link may hold a password and an e-mail address."""
    put: str


def cover(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with these stretches covered, every other character at its place."""
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start < at:
            start = at
        if end > start:
            pieces.append(text[at:start])
            pieces.append(TAKEN * (end - start))
            at = end
    pieces.append(text[at:])
    return "".join(pieces)


_MARKS = " \t,;/|·•–—-&"
_AFTER_MARKS = " \t,;/|·•."
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_BLANK_LINES = re.compile(r"\n{3,}")


def replace(text: str, spans: Iterable[Span]) -> str:
    """The text after all these (non-overlapping) spans were taken out, with no stray marks or empty lines left."""
    done = ""
    at = 0
    for span in sorted(spans, key=lambda each: each.start):
        done += text[at : span.start]
        at = span.end
        if span.put:
            done += span.put
        else:
            done, at = _close_up(done, text, at)
    rest = text[at:]
    if not rest.strip():
        done, rest = done.rstrip(), ""
    return _BLANK_LINES.sub("\n\n", done + rest)


def _close_up(left: str, text: str, at: int) -> tuple[str, int]:
    """Take away the marks that led to what is gone. Returns the left part and where the right part begins."""
    while True:
        bare = left.rstrip(_MARKS)
        closer = _CLOSERS.get(bare[-1:], "")
        if closer and text[at : at + 1] == closer:  # "(password: x)" leaves no empty brackets
            left, at = bare[:-1], at + 1
            continue
        break
    at_line_start = not bare or bare[-1] == "\n"
    end = at
    while end < len(text) and text[end] in (_AFTER_MARKS if at_line_start or bare[-1] in ".!?:" else " \t"):
        end += 1
    rest = text[end : end + 1]
    if at_line_start:
        if rest == "\n":
            end += 1  # the whole line is gone
        return bare, end
    if not rest or rest in "\n,;.:!?)]}/|":
        return bare, end
    # A word follows on the same line: one separator of the two stays.
    return left.rstrip(" \t") + " " if left[-1:] in _MARKS else left + " ", end
