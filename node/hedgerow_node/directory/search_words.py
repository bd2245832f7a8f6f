"""What counts as a word: one folding for what is indexed and for what is typed."""

from typing import Final
from unicodedata import category, combining, normalize

WORD_CHARACTERS_MAX: Final = 40
"""Characters. Longer words are cut, in the index and in a search alike."""

TERMS_MAX: Final = 8
"""Words of one search; further ones are ignored, because eight already find next to nothing."""

_FOLDINGS_MAX = 20_000


class _Foldings(dict[int, str]):
    """Code point → what it becomes: letters and digits without case and accents, everything else a space."""

    def __missing__(self, point: int) -> str:
        folded = "".join(
            each if category(each)[0] in "LNM" else " "
            for each in normalize("NFKD", chr(point).casefold())
            if not combining(each)
        )
        if len(self) < _FOLDINGS_MAX:
            self[point] = folded
        return folded


_FOLDINGS = _Foldings()


def fold(text: str) -> list[str]:
    """The words of a text, without case and accents, in their order."""
    words = text.translate(_FOLDINGS).split()
    return [word[:WORD_CHARACTERS_MAX] for word in words] if len(text) > WORD_CHARACTERS_MAX else words


def distinct(words: list[str], but: set[str]) -> list[str]:
    """Each word once, without those in ``but``."""
    return [word for word in dict.fromkeys(words) if word not in but]
