"""The languages: every text is there, says the same places, has the plural forms its language needs, and is used."""

import json
import re
from pathlib import Path

import pytest
from babel import Locale

from hedgerow_node.formats.vocabulary import COMMUNITIES, EXPERIENCES, FEATURES, FORMATS

WEBUI = Path(__file__).resolve().parents[2] / "webui"
LOCALES = WEBUI / "locales"
CODES = sorted(path.stem for path in LOCALES.glob("*.json"))
SOURCE = "en"
_SUFFIX = re.compile(r"_(zero|one|two|few|many|other)$")
_PLACE = re.compile(r"\{\{(\w+)\}\}")
TAG = "tag."
"""Names of tags in other languages; their English is in the vocabulary."""
_NAMED_ONLY_HERE = {"meta.name", "meta.dir"}

HARD_WORDS = re.compile(r"\b(node|nodes|signature of|cryptograph\w*|gossip|utilize|please)\b", re.IGNORECASE)
"""Words that have no place on pages for everybody."""

FOR_THE_TECHNICAL = ("about.node_id", "about.technical", "about.state_hash")


def texts(code: str) -> dict[str, str]:
    found = json.loads((LOCALES / f"{code}.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return {key: text for key, text in found.items() if key not in _NAMED_ONLY_HERE and not key.startswith(TAG)}


def stem(key: str) -> str:
    return _SUFFIX.sub("", key)


def plural_stems(of: dict[str, str]) -> set[str]:
    return {stem(key) for key in of if key.endswith("_other")}


def forms(of: dict[str, str], plural: str) -> set[str]:
    return {key.removeprefix(f"{plural}_") for key in of if stem(key) == plural and key != plural}


@pytest.mark.parametrize("code", CODES)
def test_same_texts_as_in_english(code: str) -> None:
    assert {stem(key) for key in texts(code)} == {stem(key) for key in texts(SOURCE)}


@pytest.mark.parametrize("code", CODES)
def test_every_plural_form_of_the_language(code: str) -> None:
    needed = set(Locale.parse(code).plural_form.tags) | {"other"}
    own = texts(code)
    for plural in plural_stems(texts(SOURCE)):
        assert forms(own, plural) >= needed - {"zero", "many"} or forms(own, plural) >= needed, plural
        assert forms(own, plural) <= needed, plural


@pytest.mark.parametrize("code", CODES)
def test_same_places(code: str) -> None:
    english = texts(SOURCE)
    for key, text in texts(code).items():
        source = english.get(key) or english[f"{stem(key)}_other"]
        # A plural form may leave the number out where the word says it ("two groups" in Arabic).
        missing = set(_PLACE.findall(source)) ^ set(_PLACE.findall(text))
        assert missing <= ({"count"} if key != stem(key) else set()), key
        assert "<" not in text, f"{key}: texts hold no markup"
        assert text == text.strip(), key
        assert text, key


@pytest.mark.parametrize("code", [code for code in CODES if code != SOURCE])
def test_really_translated(code: str) -> None:
    english = texts(SOURCE)
    same = [key for key, text in texts(code).items() if text == english.get(key) and re.search(r"[a-z]{4}", text)]
    same = [key for key in same if _PLACE.sub("", english[key]).strip(" ,.:·") != ""]
    assert len(same) <= 12, same


@pytest.mark.parametrize("code", CODES)
def test_tags_that_are_named_exist(code: str) -> None:
    named = {key.removeprefix(TAG) for key in json.loads((LOCALES / f"{code}.json").read_text()) if key.startswith(TAG)}
    assert named <= {*EXPERIENCES, *FEATURES, *FORMATS, *COMMUNITIES}
    assert bool(named) == (code != SOURCE)


def test_plain_words() -> None:
    hard = {key: text for key, text in texts(SOURCE).items() if HARD_WORDS.search(text)}
    assert set(hard) <= set(FOR_THE_TECHNICAL), hard


def test_sentences_are_short() -> None:
    for key, text in texts(SOURCE).items():
        for sentence in re.split(r"(?<=[.?!:])\s", text):
            assert len(sentence.split()) <= 25, f"{key}: {sentence}"


def used_keys() -> tuple[set[str], set[str]]:
    """Keys written out in templates and sources, and beginnings of keys that are put together there."""
    whole: set[str] = set()
    starts: set[str] = set()
    root = WEBUI.parent
    files = [*(WEBUI / "templates").glob("*.html"), *(WEBUI / "src").rglob("*.ts*")]
    files += (root / "node" / "hedgerow_node" / "http").rglob("*.py")
    for path in files:
        text = path.read_text(encoding="utf-8")
        whole |= set(re.findall(r"""["'`]([a-z_]+(?:\.[\w-]+)+)["'`]""", text))
        starts |= set(re.findall(r"""f?["'`]([a-z_]+(?:\.[a-z_]+)*\.)["'`{$]""", text))
    return whole, starts


def test_no_text_is_left_over_and_none_is_missing() -> None:
    whole, starts = used_keys()
    stems = {stem(key) for key in texts(SOURCE)}
    unused = {key for key in stems if key not in whole and not key.startswith(tuple(starts))}
    assert unused == set()
    for path in (WEBUI / "templates").glob("*.html"):
        for key in re.findall(r"""\bt\("([\w.-]+)"[,)]""", path.read_text(encoding="utf-8")):
            assert key in stems, f"{path.name} asks for {key}"


def test_no_english_in_templates() -> None:
    """Every word people read comes from the languages."""
    for path in (WEBUI / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL)
        text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
        words = re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]*>| aria-[a-z]+=\"[^\"]*\"", " ", text))
        assert words == [], f"{path.name}: {words}"


def test_sorted_and_readable() -> None:
    for code in CODES:
        raw = (LOCALES / f"{code}.json").read_text(encoding="utf-8")
        keys = list(json.loads(raw))
        assert keys == sorted(keys), code
        assert raw == json.dumps(json.loads(raw), ensure_ascii=False, indent=2) + "\n", code
