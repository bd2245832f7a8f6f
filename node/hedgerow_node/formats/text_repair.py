"""Plain text out of whatever a feed holds: encodings, HTML, odd spaces, invisible characters, lengths.

Every function that changes what a person would see counts a repair.
"""

import html
import re
from typing import Final
from unicodedata import is_normalized, normalize

from hedgerow_node.formats.report import Tally
from hedgerow_protocol import limits

_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,2000}>")
_BREAK: Final = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31}\d{0,2});")
# What a page shows but nobody means: controls (without tab and new line), marks that turn the direction of writing,
# halves of surrogate pairs, and the byte order mark inside a text.
_UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
# UTF-8 that was read as Windows-1252: the first byte of a pair and a second one.
_MOJIBAKE: Final = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc]|â€"
)
# Quotes and dashes of Windows-1252 that were read as Latin-1 and became control characters.
_WINDOWS: Final = re.compile("[\x80-\x9f]")
_FROM_WINDOWS: Final = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def decode_file(data: bytes, tally: Tally) -> str:
    """The text of a file, whatever its encoding; every encoding but UTF-8 is counted. Never fails."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if encoding != "utf-8":
                tally.repair("encoding_" + encoding.replace("-", "_"))
            return _decode(data[len(mark) :], encoding, tally)
    head = data[:400]
    # Two-byte text without a mark: every other byte of Western text is zero.
    if len(head) >= 4 and head.count(0) * 3 > len(head):
        encoding = "utf-16-be" if head[0] == 0 else "utf-16-le"
        tally.repair("encoding_" + encoding.replace("-", "_"))
        return _decode(data, encoding, tally)
    return _decode(data, "utf-8", tally)


def _decode(data: bytes, encoding: str, tally: Tally) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            tally.repair("encoding_broken")
            return data.decode(encoding, "replace")
    try:
        text = data.decode("cp1252")
        tally.repair("encoding_windows_1252")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        tally.repair("encoding_latin_1")
    return text


def plain(value: str, tally: Tally) -> str:
    """Text without HTML, entities, invisible characters; in normal form C; new lines as ``\\n``; ends stripped."""
    if not value:  # most fields of most rows
        return ""
    text = value
    if "<" in text and _TAG.search(text):
        tally.repair("html_tags")
        text = _TAG.sub("", _BREAK.sub("\n", text))
    if "&" in text and _ENTITY.search(text):
        tally.repair("html_entities")
        text = _unescape(text)
    if not text.isascii():
        text = _repair_unicode(text, tally)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isprintable() and _UNWANTED.search(text):
        tally.repair("invisible_characters")
        text = _UNWANTED.sub("", text)
        if not is_normalized("NFC", text):
            text = normalize("NFC", text)
    return text.strip()


def _unescape(text: str) -> str:
    # Twice: feeds that pass through two programs hold "&amp;#8217;".
    for _ in range(2):
        text = html.unescape(text.replace("&nbsp;", " ").replace("&#160;", " "))
    return text


def _repair_unicode(text: str, tally: Tally) -> str:
    if _WINDOWS.search(text):
        tally.repair("text_windows_characters")
        text = text.translate(_FROM_WINDOWS)
    if _MOJIBAKE.search(text):
        try:
            text = text.encode("cp1252").decode("utf-8")
            tally.repair("text_decoded_twice")
        except UnicodeError:
            pass
    if not is_normalized("NFC", text):
        tally.repair("text_not_composed")
        text = normalize("NFC", text)
    return text


def paragraph(value: str, tally: Tally, characters_max: int = limits.TEXT_CHARACTERS_MAX) -> str:
    """Text of several lines, no longer than that."""
    return shorten(plain(value, tally), characters_max, tally) if value else ""


def line(value: str, tally: Tally, characters_max: int = limits.SHORT_CHARACTERS_MAX) -> str:
    """Text of one line: every run of spaces and new lines becomes one space."""
    if not value:
        return ""
    text = plain(value, tally)
    if text.isascii() and text.isprintable() and "  " not in text:
        return shorten(text, characters_max, tally)
    return shorten(" ".join(text.split()), characters_max, tally)


def shorten(text: str, characters_max: int, tally: Tally) -> str:
    """Text cut to a length, ending in an ellipsis where something is missing."""
    if len(text) <= characters_max:
        return text
    tally.repair("text_shortened")
    return text[: characters_max - 1].rstrip() + "…"


def web_address(value: str, tally: Tally) -> str:
    """An address that a link can hold, completed where only the scheme is missing; empty where it is none."""
    text = "".join(plain(value, tally).split())
    if not text:
        return ""
    lower = text.lower()
    if not lower.startswith(("http://", "https://")):
        if "://" in lower or not _HOST.match(lower):
            return ""
        tally.repair("web_address_completed")
        text = "https://" + text
    elif text != value.strip():
        tally.repair("web_address_cleaned")
    if len(text) > limits.URL_CHARACTERS_MAX or not text.isprintable():
        return ""
    return text


_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}(?:[:/?#]|$)")


def folded(text: str) -> str:
    """Letters and digits in one case: for comparing names that people spell in slightly different ways."""
    return "".join(character for character in text.casefold() if character.isalnum())
