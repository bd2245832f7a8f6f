"""BMLT's formats: each server has keys of its own, and only ``world_id`` means the same everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import as_text
from hedgerow_node.formats.text_repair import line
from hedgerow_protocol import limits

_CODE_OF_WORLD: Final = {"CLOSED": "C", "OPEN": "O", "WCHR": "X"}
"""Where Narcotics Anonymous' world-wide format ids differ from Meeting Guide's codes for its program."""

_STOCK_WORLD_IDS: Final = dict(
    pair.split(":")
    for pair in [
        "B:BEG",
        "BK:LIT",
        "BT:BT",
        "C:CLOSED",
        "CL:CAN",
        "CP:CPT",
        "CW:CW",
        "D:DISC",
        "ENG:LANG",
        "ES:LANG",
        "GL:GL",
        "IP:IP",
        "IW:IW",
        "JFT:JFT",
        "JT:JFT",
        "LC:LC",
        "LIT:LIT",
        "M:M",
        "ME:MED",
        "NS:NS",
        "O:OPEN",
        "QA:QA",
        "RA:RA",
        "RF:VAR",
        "SD:SPK",
        "SG:SWG",
        "So:SPK",
        "St:STEP",
        "To:TOP",
        "Tr:TRAD",
        "VM:VM",
        "W:W",
        "WC:WCHR",
        "YP:Y",
        "TC:TC",
        "HY:HYBR",
    ]
)
"""Keys that a fresh BMLT server comes with: used only when the formats themselves were not given."""

_STOCK_LANGUAGES: Final = {"ENG": "en", "ES": "es"}


@dataclass(frozen=True, slots=True)
class BmltFormat:
    """One format in one language."""

    key: str
    name: str
    world_id: str
    kind: str
    """FC1 meeting format, FC2 location, FC3 need or restriction, O open or closed, LANG language."""
    language: str


@dataclass(frozen=True, slots=True)
class FormatMeaning:
    """What one format of one meeting says."""

    tags: tuple[vocabulary.TypeTag, ...] = ()
    world_id: str = ""


class BmltFormatTable:
    """The formats of a server, by id and by key."""

    def __init__(self) -> None:
        self._by_id: dict[str, BmltFormat] = {}
        self._by_key: dict[str, BmltFormat] = {}

    def add(self, rows: Sequence[object]) -> None:
        """Take in the rows of GetFormats; of several languages the English one names the format."""
        for row in rows:
            if not isinstance(row, dict):
                continue
            read = BmltFormat(
                key=as_text(row.get("key_string")).strip(),
                name=line(as_text(row.get("name_string")), Tally()),
                world_id=as_text(row.get("world_id")).strip().upper(),
                kind=as_text(row.get("format_type_enum")).strip().upper(),
                language=as_text(row.get("lang")).strip().lower(),
            )
            server = as_text(row.get("root_server_id"))
            for table, name in ((self._by_id, as_text(row.get("id"))), (self._by_key, read.key)):
                held = table.get(f"{server}/{name}")
                if name and (held is None or (read.language == "en" and held.language != "en")):
                    table[f"{server}/{name}"] = read

    def meaning(self, server: str, format_id: str, key: str, tally: Tally) -> FormatMeaning | None:
        """What a meeting's format says; ``None`` when nobody knows it."""
        found = self._by_id.get(f"{server}/{format_id}") or self._by_key.get(f"{server}/{key}")
        if found is not None:
            return _of_format(found)
        world_id = _STOCK_WORLD_IDS.get(key) if not self._by_key else None
        if world_id is None:
            return None
        tally.repair("format_by_usual_key")
        name = vocabulary.LANGUAGE_NAMES.get(_STOCK_LANGUAGES.get(key, ""), "")
        return _of_format(BmltFormat(key, name, world_id, "", "en"))


def _of_format(found: BmltFormat) -> FormatMeaning:
    if found.world_id == "LANG" or found.kind == "LANG":
        return FormatMeaning(_languages(found.name), found.world_id)
    if found.world_id in ("VM", "HYBR", "HYBRID"):
        return FormatMeaning((), found.world_id)
    code = _CODE_OF_WORLD.get(found.world_id, found.world_id)
    says = vocabulary.tag_of_code("na", code) if code else None
    if says is None:
        says = vocabulary.tag_of_type("", found.name) or _own_tag(found)
    return FormatMeaning((says,) if says else (), found.world_id)


def _own_tag(found: BmltFormat) -> vocabulary.TypeTag | None:
    """A tag of the server's own, made from the format's name, so that nothing is lost."""
    words = "".join(character if character.isalnum() else " " for character in found.name.lower()).split()
    tag = normalize("NFC", "-".join(words))[: limits.TAG_CHARACTERS_MAX].strip("-")
    if not tag or tag != tag.lower() or vocabulary.facet_of(tag):
        return None
    return vocabulary.TypeTag("formats" if found.kind == "FC1" else "features", tag)


def _languages(name: str) -> tuple[vocabulary.TypeTag, ...]:
    """Languages named by a format: "Espanol", "English speaking", "Lithuanian/Russian"."""
    tags: list[vocabulary.TypeTag] = []
    for part in name.replace(",", "/").replace("&", "/").split("/"):
        for words in (part, part.split(" ")[0]):
            says = vocabulary.tag_of_type("", words) if len(words.strip()) > 3 else None
            if says is not None and says.facet == "languages":
                tags.append(says)
                break
    return tuple(dict.fromkeys(tags))
