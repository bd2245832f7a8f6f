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

_ASCII = bytes(ord(_FOLDINGS[point]) if point < 128 else 0 for point in range(256))
"""The same for ASCII alone, where one byte becomes one byte: most texts, and ten times as fast."""


def fold(text: str) -> list[str]:
    """The words of a text, without case and accents, in their order."""
    folded = text.encode().translate(_ASCII).decode() if text.isascii() else text.translate(_FOLDINGS)
    words = folded.split()
    if words and max(map(len, words)) > WORD_CHARACTERS_MAX:
        return [word[:WORD_CHARACTERS_MAX] for word in words]
    return words
