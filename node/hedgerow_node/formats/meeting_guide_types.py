"""Meeting Guide's ``types``: lists or texts, codes or names, into facets."""

import json
import re
from collections.abc import Iterable
from typing import Final

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.text_repair import line
from hedgerow_protocol import limits
from hedgerow_protocol.content import Facets, Openness

_SEPARATORS: Final = re.compile(r"[,;|\n]")


def read_types(value: object, program: str, tally: Tally) -> tuple[Facets, tuple[str, ...]]:
    """The facets that a row's types say, and the codes that the program does not know, sorted."""
    says: set[vocabulary.TypeTag] = set()
    unknown: set[str] = set()
    for text in _items(value, program, tally):
        if not text or text.upper() in vocabulary.DERIVED_TYPE_CODES:
            continue
        meaning = vocabulary.tag_of_code(program, text)
        if meaning is None:
            meaning = vocabulary.tag_of_type(program, text)
            if meaning is not None:
                tally.repair("type_as_name")
        if meaning is None:
            tally.repair("type_unknown")
            unknown.add(text)
        else:
            says.add(meaning)
    return facets_of(says), tuple(sorted(unknown))


def facets_of(says: Iterable[vocabulary.TypeTag]) -> Facets:
    """Facets from single statements; closed wins over open, and a signed language offers the access need."""
    tags: dict[str, set[str]] = {"openness": set(), "formats": set(), "features": set(), "communities": set()}
    languages: set[str] = set()
    for meaning in says:
        if meaning.facet == "languages":
            languages.add(meaning.tag)
        else:
            tags[meaning.facet].add(meaning.tag)
    if languages & vocabulary.SIGN_LANGUAGES:
        tags["features"].add("sign-language")
    openness = Openness.UNKNOWN
    if tags["openness"]:
        openness = Openness.CLOSED if "closed" in tags["openness"] else Openness.OPEN
    return Facets(
        openness=openness,
        formats=_few(tags["formats"]),
        features=_few(tags["features"]),
        communities=_few(tags["communities"]),
        languages=_few(languages),
    )


def _few(tags: set[str]) -> tuple[str, ...]:
    return tuple(sorted(tags)[: limits.TAGS_MAX])


def _items(value: object, program: str, tally: Tally) -> list[str]:
    if isinstance(value, dict):
        # {"O": true} and {"0": "O"}: what is switched on, or what is listed.
        value = [key if held is True else held for key, held in value.items() if held]
    if isinstance(value, str):
        value = _in_text(value.strip(), program, tally)
    if not isinstance(value, list):
        return []
    items: list[str] = []
    for item in value[:200]:
        if isinstance(item, dict):
            item = item.get("code") or item.get("key") or item.get("name")
        if isinstance(item, int) and not isinstance(item, bool):
            item = str(item)  # the code 11 without its quotes
        if isinstance(item, str):
            items.append(line(item, tally, limits.TAG_CHARACTERS_MAX))
    return items


def _in_text(text: str, program: str, tally: Tally) -> list[object]:
    if not text:
        return []
    tally.repair("types_as_text")
    if text.startswith("["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            text = text.strip("[]")
        else:
            return value if isinstance(value, list) else []
    if vocabulary.tag_of_type(program, text):
        return [text]
    parts: list[object] = [part.strip(" \"'") for part in _SEPARATORS.split(text)]
    if len(parts) == 1:
        words: list[object] = list(text.split())
        if all(vocabulary.tag_of_code(program, str(word)) for word in words):
            return words
    return parts
