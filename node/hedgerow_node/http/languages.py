"""Texts of pages in the visitor's language: the files the browser uses (i18next v4), read with CLDR's plural rules.

A language is chosen by ``?lang=`` in the address, else by ``Accept-Language``; nothing is kept about the visitor.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"
ACCEPT_LANGUAGE_PARTS_MAX = 16

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_RIGHT_TO_LEFT_LETTERS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_RIGHT_TO_LEFT_LANGUAGES = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_ISOLATE, _POP = "\u2068", "\u2069"
_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Language:
    """One language's texts, English below them."""

    def __init__(self, code: str, texts: dict[str, str], english: dict[str, str], region: str = "") -> None:
        self.code = code
        self.region = region or code
        """The tag for dates and numbers: en-GB writes them another way than en."""
        self.texts = texts
        self._english = english
        self.dir = texts.get("meta.dir") or ("rtl" if code.split("-")[0] in _RIGHT_TO_LEFT_LANGUAGES else "ltr")

    @cached_property
    def babel(self) -> "Locale":
        """Babel's data for this language (loaded when first needed: it takes some megabytes)."""
        from babel import Locale, UnknownLocaleError

        for code in (self.region, self.code, self.code.split("-")[0], FALLBACK):
            try:
                return Locale.parse(code, sep="-")
            except (UnknownLocaleError, ValueError):
                continue
        raise AssertionError("Babel always knows English.")

    @cached_property
    def name(self) -> str:
        """The language's own name."""
        return self.texts.get("meta.name") or self.babel.get_display_name(self.babel) or self.code

    def has(self, key: str) -> bool:
        """Whether there is a text under this key here or in English."""
        return key in self.texts or key in self._english

    def t(self, key: str, **places: object) -> str:
        """The text under a key with its places filled in; ``count`` chooses the plural form."""
        count = places.get("count")
        text = self._find(key, count if isinstance(count, int) else None)
        if "{{" not in text:
            return text
        return _PLACE.sub(lambda found: self._fill(places.get(found[1], "")), text)

    def messages(self, *prefixes: str) -> Markup:
        """A JSON object of the texts under these prefixes, for a script element."""
        chosen = {key: text for key, text in self._english.items() if key.startswith(prefixes)}
        chosen.update((key, text) for key, text in self.texts.items() if key.startswith(prefixes))
        return json_for_script(chosen)

    def number(self, value: int) -> str:
        """A whole number as this language writes it."""
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self.babel))

    def _find(self, key: str, count: int | None) -> str:
        if count is not None:
            form = self.babel.plural_form(count)
            for texts in (self.texts, self._english):
                for suffix in (form, "other"):
                    found = texts.get(f"{key}_{suffix}")
                    if found is not None:
                        return found
        return self.texts.get(key) or self._english.get(key) or key

    def _fill(self, value: object) -> str:
        if isinstance(value, int):
            return self.number(value)
        text = str(value)
        if self.dir == "rtl" or _RIGHT_TO_LEFT_LETTERS.search(text):
            return f"{_ISOLATE}{text}{_POP}"
        return text


def json_for_script(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704 - escaped just above


@dataclass(slots=True)
class Languages:
    """All languages this node speaks."""

    folder: Path
    default: str = FALLBACK
    _codes: tuple[str, ...] | None = None
    _loaded: dict[str, Language] = field(default_factory=dict)
    _english: dict[str, str] | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages with a file, sorted; pseudo-languages for tests are not offered but can be asked for."""
        if self._codes is None:
            found = sorted(path.stem for path in self.folder.glob("*.json")) if self.folder.is_dir() else []
            self._codes = tuple(code for code in found if _CODE.fullmatch(code)) or (FALLBACK,)
        return self._codes

    @property
    def offered(self) -> tuple[str, ...]:
        """The languages a page offers."""
        return tuple(code for code in self.codes if not code.lower().startswith(("qps", "en-x", "ar-x")))

    def get(self, code: str) -> Language:
        """A language by one of :attr:`codes`."""
        language = self._loaded.get(code)
        if language is None:
            if self._english is None:
                self._english = _read(self.folder / f"{FALLBACK}.json")
            texts = self._english if code == FALLBACK else _read(self.folder / f"{code}.json")
            language = self._loaded[code] = Language(code, texts, self._english)
        return language

    def choose(self, asked: str, accept_language: str) -> tuple[Language, str]:
        """The language for a request, and the one chosen by ``?lang=`` (empty when that named none we speak)."""
        chosen = self._match(asked, self.codes) if asked else ""
        if chosen:
            return self.get(chosen), chosen
        for wanted in by_preference(accept_language):
            found = self._match(wanted, self.offered)
            if found:
                return self._regional(found, wanted), ""
        return self.get(self._match(self.default, self.codes) or FALLBACK), ""

    def _regional(self, code: str, wanted: str) -> Language:
        """The language with a region's way of writing dates, if CLDR knows it (so there are not many)."""
        if wanted.count("-") != 1 or wanted.lower() == code.lower():
            return self.get(code)
        from babel import Locale, UnknownLocaleError

        try:
            region = str(Locale.parse(wanted, sep="-")).replace("_", "-")
        except (UnknownLocaleError, ValueError):
            return self.get(code)
        key = f"{code} {region}"
        language = self._loaded.get(key)
        if language is None:
            plain = self.get(code)
            language = self._loaded[key] = Language(code, plain.texts, self._english or {}, region)
        return language

    @staticmethod
    def _match(wanted: str, codes: tuple[str, ...]) -> str:
        wanted = wanted.lower()
        by_lower = {code.lower(): code for code in codes}
        return by_lower.get(wanted) or by_lower.get(wanted.split("-")[0]) or ""


def by_preference(header: str) -> list[str]:
    """The language tags of an Accept-Language header (RFC 9110, 12.5.4), the most wanted first."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:ACCEPT_LANGUAGE_PARTS_MAX]):
        tag, _, parameter = part.partition(";")
        tag = tag.strip()
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1) if parameter else 1.0
        except ValueError:
            weight = 0.0
        if _CODE.fullmatch(tag) and 0 < weight <= 1:
            wanted.append((-weight, place, tag))
    return [tag for _, _, tag in sorted(wanted)]


def _read(path: Path) -> dict[str, str]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
