"""Screening any valid content: it never raises, gives valid content, and finds nothing more the second time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_node.screening.find import findings, sentence
from hedgerow_node.screening.screen import screen
from hedgerow_node.screening.spans import KINDS
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Contact, ListingContent, Meeting, Online, Place
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from strategies import contents

PIECES = (
    "jane@example.org", " [at] ", " (at) ", " dot ", "example.org", "@", "mailto:", "%40", "Password", "Passcode: ",
    "pw", "PIN ", "1234", "abc", "Hope1", ": ", " is ", "\n", ", ", " ", "(", ")", "[", "]", "555-010-0123", "+1555",
    "call ", "Sam ", "Jane Doe", "contact ", "https://zoom.us/j/123456789", "?pwd=", "#", ",,", "123456789#",
    "https://", "www.", "/", "Home of ", "at Jane's home", " Apt 4", "12 Elm Street", "private home", "no ", "needed",
    "[e-mail withheld]", "é", "\u0301", "ß", "İ", "密码：", "“", "”", "&amp;", "wa.me/15550100123", "@example", ".org",
    "-", "–", "ID: ", "code ", "Meeting ID ", "dial-in ", "\t", "＠", "１２３", "Ω",
)  # fmt: skip

riddles = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
"""Texts made of what the detectors look for, in any order."""


def normal(text: str, most: int) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)[:most]


@st.composite
def riddled(draw: st.DrawFn) -> ListingContent:
    """A listing whose texts are riddles."""

    def short() -> str:
        return normal(draw(riddles), limits.SHORT_CHARACTERS_MAX)

    def long() -> str:
        return normal(draw(riddles), limits.TEXT_CHARACTERS_MAX)

    url = "https://example.org/" + re.sub(r"[^!-~]", "", draw(riddles))
    place = Place(
        name=short(), formatted=short(), street=short(), postal_code=short(), regions=(short(),), notes=long(),
        latitude_e7=draw(st.integers(-900_000_000, 900_000_000)), longitude_e7=draw(st.integers(-(10**9), 10**9)),
    )  # fmt: skip
    online = Online(url=url, url_notes=long(), phone=short(), phone_notes=long(), password_hint=long())
    extras = tuple(sorted({f"x:{key}": long() for key in draw(st.lists(st.sampled_from(KEYS), max_size=3))}.items()))
    meetings = tuple(
        Meeting(
            slug=slug, name=short(), notes=long(), url=url, extras=extras,
            place=draw(st.one_of(st.none(), st.just(place))), online=draw(st.one_of(st.none(), st.just(online))),
            attendance=draw(st.sampled_from(Attendance)),
        )
        for slug in draw(st.lists(st.sampled_from(SLUGS), unique=True, max_size=2))
    )  # fmt: skip
    return ListingContent(
        name=short() or "A", summary=long(), how_to_join=long(), group_notes=long(), url=url, links=(url,),
        body=short(), contacts=(Contact(name=short(), phone=short(), email=short()),),
        meetings=meetings, extras=extras,
    )  # fmt: skip


SLUGS = ("a", "b", "jane@example.org", "sam@example.org-2")
KEYS = ("author", "email", "contact_1_name", "phone", "zoom_password", "uid", "location_url", "remarks", "last_contact")


def check(content: ListingContent, keep: frozenset[str]) -> None:
    if not content.name.strip():
        return
    result = screen(content, keep)
    value = content_to_value(result.content)
    assert content_from_value(value) == result.content
    again = screen(result.content, keep)
    assert again.withheld == {}, findings(result.content, keep)
    assert again.content == result.content
    assert not keep & set(result.withheld)
    assert sum(result.withheld.values()) == len(findings(content, keep))


@settings(max_examples=60)
@given(contents(), st.frozensets(st.sampled_from(KINDS)))
def test_any_content(content: ListingContent, keep: frozenset[str]) -> None:
    check(content, keep)


@settings(max_examples=300)
@given(riddled(), st.frozensets(st.sampled_from(KINDS), max_size=2))
def test_riddles(content: ListingContent, keep: frozenset[str]) -> None:
    check(content, keep)


@settings(max_examples=200)
@given(riddled())
def test_no_plain_address_survives_any_riddle(content: ListingContent) -> None:
    left = repr(screen(content).content)
    assert not re.search(r"[A-Za-z0-9]@[A-Za-z0-9]+\.[A-Za-z]{2,}\b", left), left


@settings(max_examples=100)
@given(riddled())
def test_findings_are_short_sentences(content: ListingContent) -> None:
    for finding in findings(content):
        assert finding.kind in KINDS
        assert 0 < len(finding.where) <= 400
        assert len(finding.excerpt) <= 90
        assert sentence(finding).startswith("This looks like ")


ADVERSARIAL = (
    "a", "a.", "a@", "@", "a@a", "a.b@", "at ", " at a", "[at]", "a [at] ", " dot a", "a@b.", "%40", "0", "0 ", "0-",
    "(0", "+1 ", "1,,", "#,,", "1#", "password", "password ", "password:", "pass ", "pin is ", "code (", "p/w", "密码",
    "contact ", "contact Jane ", "call A", "call Jane & ", "Jane Doe ", "A ", "van ", "https://", "https://a.b/?",
    "&pwd=", "?a=%40&", "/a@", "www.", "zoom.us/", "x.", "1 Elm ", "1 Elm St ", "apt ", "home of ", "at the home of ",
    "private ", "'s ", "Jane's ", "in my ", "[e-mail withheld]", "\n", "\t", " ", "(", "((", "[", "<", "-", ".", ":",
    "é", "password is password ", "1234567 ", "a@b.cd ", "a@b.cd,", "12:30 ", "123-456-7890 ", "Unit 1 ",
)  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_no_text_is_slow(piece: str) -> None:
    """A page of the worst text stays within a small part of a second: the work grows with its length."""
    text = (piece * limits.TEXT_CHARACTERS_MAX)[: limits.TEXT_CHARACTERS_MAX]
    meeting = Meeting(slug="m", notes=text, place=Place(notes=text), online=Online(url_notes=text, phone_notes=text))
    content = ListingContent(name="A", summary=text, meetings=(meeting,))
    started = time.process_time()
    screen(content)
    spent = time.process_time() - started
    assert spent < 1.5, f"{spent:.2f} s for five texts of {piece!r}"
