"""One text through all detectors: what comes out is clean, and what was taken out is told."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.links import clean_link, find_links
from hedgerow_node.screening.names import find_surnames, find_surnames_of_homes
from hedgerow_node.screening.passwords import find_dial_in_codes, find_passwords
from hedgerow_node.screening.phones import find_phones, find_phones_to_call
from hedgerow_node.screening.spans import EMAIL, PASSWORD, PHONE, SURNAME, WITHHELD, Span, cover, replace


class Sort(Enum):
    """What a field is for, which says what is looked for in it."""

    PROSE = "prose"
    """Running text: everything."""
    TITLE = "title"
    """A name of a listing, a venue, a region: halls bear surnames, so only those of homes are looked for."""
    LINE = "line"
    """A part of an address: its numbers are house numbers and postcodes, unless it says to call one."""
    DIAL_NOTES = "dial notes"
    """Text about joining by telephone: numbers are public unless they follow a person's name."""
    DIAL = "dial"
    """A dial-in number with its codes: the number is public."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is withheld."""

    kind: str
    """One of :data:`~hedgerow_node.screening.spans.KINDS`."""
    where: str
    """The field, in a person's words: ``the notes of "Tuesday circle"``."""
    excerpt: str
    """The thing itself with a few characters around it; at most about 90."""


_ROUNDS_MAX = 4
_LENGTH_MIN = 4
"""Characters. Nothing shorter holds a thing of any kind: "a@b.cd", "pw:1"."""

_AROUND = 22
_EXCERPT_MAX = 90
_SPACE = re.compile(r"\s+")
_PLACEHOLDER = re.compile("|".join(re.escape(words) for words in WITHHELD.values()))
_LABELS_ONLY = re.compile(
    r"(?i)(?<![^\W\d_])(?:e-?mails?|contacts?|phone|call|text|tel|or|and|please|group|info|at|to|me|us|cell|mobile|address|mailto|"
    r"for|more|further|information|questions)(?![^\W\d_])"
)
_LINK_START = ("http://", "https://")


class Sieve:
    """Collects findings while texts pass through it. ``keep`` holds the kinds that may stay."""

    def __init__(self, keep: frozenset[str]) -> None:
        self.keep = keep
        self.findings: list[Finding] = []

    def found(self, kind: str, where: str, excerpt: str) -> None:
        """Note one thing that is withheld."""
        plain = _SPACE.sub(" ", excerpt).strip()
        self.findings.append(
            Finding(kind, where, plain if len(plain) <= _EXCERPT_MAX else plain[: _EXCERPT_MAX - 1] + "…")
        )

    def text(self, text: str, where: str, sort: Sort, limit: int, *, required: str = "") -> str:
        """The text without what is private, at most ``limit`` characters; ``required`` stands in if nothing is left."""
        if not text:
            return text
        original = text
        for _ in range(_ROUNDS_MAX):
            spans = find(text, sort, self.keep)
            if not spans:
                break
            self._note(text, spans, where)
            text = _tidy(replace(text, spans), limit)
        else:
            # Taking one thing out keeps uncovering another: nobody writes so by accident. Nothing is the safe answer.
            text = ""
        if text is not original and not _says_something(text):
            text = ""
        return text or (required if original else text)

    def spans(self, text: str, spans: Sequence[Span], where: str, limit: int) -> str:
        """The text without these spans, which the caller found."""
        if not spans:
            return text
        self._note(text, spans, where)
        return _tidy(replace(text, spans), limit)

    def link(self, url: str, where: str) -> str:
        """A web address without its secrets; empty if nothing usable is left."""
        if not url:
            return url
        cleaned = clean_link(url, self.keep)
        if not cleaned.kinds:
            return url
        for kind in cleaned.kinds:
            self.found(kind, where, url)
        return cleaned.url if cleaned.url.casefold().startswith(_LINK_START) else ""

    def count(self, kind: str) -> int:
        """How many findings of a kind there are so far."""
        return sum(1 for finding in self.findings if finding.kind == kind)

    def _note(self, text: str, spans: Sequence[Span], where: str) -> None:
        for span in spans:
            start, end = max(0, span.start - _AROUND), min(len(text), span.end + _AROUND)
            before = "…" if start else ""
            after = "…" if end < len(text) else ""
            for kind in span.kinds:
                self.found(kind, where, f"{before}{text[start:end]}{after}")


def find(text: str, sort: Sort, keep: frozenset[str]) -> list[Span]:
    """Everything private in a text of this sort, without overlaps, in order."""
    if len(text) < _LENGTH_MIN:
        return []
    spans, links = find_links(text, keep)
    if links:
        if links[0] == (0, len(text)):
            return spans  # nothing but a link
        text = cover(text, links)
    emails = find_emails(text)
    if emails:
        spans += [] if EMAIL in keep else emails
        text = cover(text, [(span.start, span.end) for span in emails])
    passwords = find_passwords(text)
    if sort is Sort.DIAL:
        passwords = passwords or find_dial_in_codes(text)
    if passwords:
        spans += [] if PASSWORD in keep else passwords
        text = cover(text, [(span.start, span.end) for span in passwords])
    if sort is Sort.LINE:
        spans += [] if PHONE in keep else find_phones_to_call(text)
    if sort is Sort.LINE or sort is Sort.DIAL:
        return sorted(spans, key=lambda span: span.start)
    phones = find_phones(text, dial_in=sort is Sort.DIAL_NOTES)
    spans += [] if PHONE in keep else phones
    if SURNAME not in keep and " " in text:
        surnames = find_surnames_of_homes(text)
        if sort is not Sort.TITLE:
            found = find_surnames(text, [span.start for span in (*emails, *phones)])
            surnames += [each for each in found if not any(each.start < s.end and s.start < each.end for s in surnames)]
        spans += surnames
    return sorted(spans, key=lambda span: span.start)


def _tidy(text: str, limit: int) -> str:
    # Records hold composed text only, and taking words out may have brought a letter and an accent together.
    return unicodedata.normalize("NFC", text)[:limit].strip()


def _says_something(text: str) -> bool:
    """Whether more is left than our own words and labels that lead nowhere."""
    if "withheld]" not in text:
        return bool(text.strip())
    bare = _LABELS_ONLY.sub("", _PLACEHOLDER.sub("", text))
    return any(character.isalnum() for character in bare)
