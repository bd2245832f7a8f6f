"""Between the codes of the formats and our own words.

``types_of`` and ``code_of`` turn a program's codes into facet tags and back; the tables lie beside this file.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hedgerow_node.formats.vocabulary_codes import (
    COMMON_TYPE_CODES,
    DERIVED_TYPE_CODES,
    PROGRAM_TYPE_CODES,
)
from hedgerow_node.formats.vocabulary_languages import (
    LANGUAGE_CODES,
    LANGUAGE_NAME_ALIASES,
    LANGUAGE_NAMES,
    PROGRAM_LANGUAGE_CODES,
    SIGN_LANGUAGES,
)
from hedgerow_node.formats.vocabulary_names import TYPE_NAMES
from hedgerow_node.formats.vocabulary_programs import EXPERIENCES, PROGRAMS, Program
from hedgerow_node.formats.vocabulary_tags import ACCESS_NEEDS, COMMUNITIES, FEATURES, FORMATS, OPENNESS

__all__ = [
    "ACCESS_NEEDS",
    "COMMUNITIES",
    "DERIVED_TYPE_CODES",
    "EXPERIENCES",
    "FEATURES",
    "FORMATS",
    "LANGUAGE_NAMES",
    "PROGRAMS",
    "SIGN_LANGUAGES",
    "Program",
    "TypeTag",
    "code_of",
    "facet_of",
    "find_program",
    "label_of_tag",
    "program_codes",
    "tag_of_code",
    "tag_of_type",
]


@dataclass(frozen=True, slots=True)
class TypeTag:
    """What one type code says: a tag in one facet."""

    facet: str
    """``openness``, ``formats``, ``features``, ``communities`` or ``languages``."""
    tag: str


_FACETS: Final[dict[str, str]] = {
    tag: facet
    for facet, tags in (
        ("openness", OPENNESS),
        ("formats", FORMATS),
        ("features", FEATURES),
        ("communities", COMMUNITIES),
    )
    for tag in tags
}


def program_codes() -> tuple[str, ...]:
    """The codes that ``--program`` accepts, sorted."""
    return tuple(sorted(PROGRAMS))


def find_program(code: str) -> Program | None:
    """The program of a code, whatever its case; ``None`` when nobody knows it."""
    return PROGRAMS.get(code.strip().lower())


def label_of_tag(tag: str) -> str:
    """English words for a tag of any facet or experience; a tag nobody knows is shown as it is written."""
    for labels in (OPENNESS, FORMATS, FEATURES, COMMUNITIES, EXPERIENCES, LANGUAGE_NAMES):
        if tag in labels:
            return labels[tag]
    words = tag.replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def facet_of(tag: str) -> str | None:
    """The facet a known tag belongs to."""
    return _FACETS.get(tag)


@lru_cache(maxsize=64)
def _codes(program: str) -> dict[str, tuple[str, TypeTag]]:
    """Folded code → (the code as it is written, what it says), the program's own meaning first."""
    codes: dict[str, tuple[str, TypeTag]] = {}
    for code, tag in PROGRAM_TYPE_CODES.get(program, {}).items():
        codes[code.casefold()] = (code, TypeTag(_FACETS[tag], tag))
    for code, language in (PROGRAM_LANGUAGE_CODES.get(program, {}) | LANGUAGE_CODES).items():
        codes.setdefault(code.casefold(), (code, TypeTag("languages", language)))
    for code, tag in COMMON_TYPE_CODES.items():
        codes.setdefault(code.casefold(), (code, TypeTag(_FACETS[tag], tag)))
    return codes


@lru_cache(maxsize=64)
def _written(program: str) -> dict[TypeTag, str]:
    """What it says → the code to write: the first that says it, so a program's own code goes before a common one."""
    written: dict[TypeTag, str] = {}
    for code, says in _codes(program).values():
        written.setdefault(says, code)
    return written


@lru_cache(maxsize=1)
def _names() -> dict[str, tuple[TypeTag, ...]]:
    names: dict[str, tuple[TypeTag, ...]] = {}
    for name, tags in TYPE_NAMES.items():
        names[name] = tuple(TypeTag(_FACETS.get(tag, "languages"), tag) for tag in tags.split())
    for tag, facet in _FACETS.items():
        for name in (tag, label_of_tag(tag)):
            names.setdefault(_squash(name), (TypeTag(facet, tag),))
    for language, name in LANGUAGE_NAMES.items():
        names.setdefault(_squash(name), (TypeTag("languages", language),))
    for name, language in LANGUAGE_NAME_ALIASES.items():
        names.setdefault(name, (TypeTag("languages", language),))
    return names


def _squash(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def tag_of_code(program: str, code: str) -> TypeTag | None:
    """What a type code says in a program (its code, or empty for none), whatever the code's case."""
    found = _codes(program).get(code.strip().casefold())
    return found[1] if found else None


def tag_of_type(program: str, text: str) -> TypeTag | None:
    """The same for a type that is a code or a name spelled out in English."""
    says = tag_of_code(program, text)
    if says is not None:
        return says
    meanings = _names().get(_squash(text), ())
    own = PROGRAM_TYPE_CODES.get(program, {}).values()
    for meaning in meanings:
        if meaning.tag in own:
            return meaning
    return meanings[0] if meanings else None


def code_of(program: str, facet: str, tag: str) -> str | None:
    """The code that says this in a program; ``None`` where it has none."""
    return _written(program).get(TypeTag(facet, tag))
