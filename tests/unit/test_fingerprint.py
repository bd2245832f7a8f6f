"""Eight words for a SHA-256: the same here and in browsers, from the list that everybody has."""

import hashlib
import re
from pathlib import Path

import pytest

from hedgerow_node import fingerprint
from hedgerow_node.fingerprint import hex_of, words_of

LIST = Path(fingerprint.__file__).with_name("fingerprint_words.txt")
IN_NPM = (
    Path(__file__).resolve().parents[2] / "webui" / "node_modules" / "@scure" / "bip39" / "wordlists" / "english.js"
)


def test_the_words_are_those_of_browsers() -> None:
    """webui/tests/saved.test.ts has the same."""
    digest = hashlib.sha256(b"abc").digest()
    assert " ".join(words_of(digest)) == "risk scheme quiz bulk brother vivid agree chimney"
    assert set(words_of(bytes(32))) == {"abandon"}
    assert set(words_of(b"\xff" * 32)) == {"zoo"}


def test_each_of_the_first_88_bits_counts_and_no_other() -> None:
    digest = hashlib.sha256(b"abc").digest()
    for bit in range(256):
        flipped = (int.from_bytes(digest, "big") ^ (1 << (255 - bit))).to_bytes(32, "big")
        differing = [place for place, pair in enumerate(zip(words_of(digest), words_of(flipped), strict=True))
                     if pair[0] != pair[1]]  # fmt: skip
        assert differing == ([bit // 11] if bit < 88 else []), bit


def test_the_list_is_bip_39s() -> None:
    """Its hash is that of the file beside the standard (bitcoin/bips, bip-0039/english.txt)."""
    known = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert hashlib.sha256(LIST.read_bytes()).hexdigest() == known


@pytest.mark.skipif(not IN_NPM.is_file(), reason="webui/node_modules is not installed")
def test_the_list_is_the_one_that_browsers_get() -> None:
    found = re.search(r"`(.*?)`", IN_NPM.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert found[1].split() == LIST.read_text(encoding="ascii").split()


def test_hex_is_written_as_systems_show_it() -> None:
    assert hex_of(bytes([0, 171, 255])) == "00:AB:FF"
    with pytest.raises(ValueError, match="32 bytes"):
        words_of(b"short")
