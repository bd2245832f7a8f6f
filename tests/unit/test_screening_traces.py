"""What was withheld does not come back by another way: identifiers, links, names, the other meetings of a home."""

import pytest

from hedgerow_node.directory.importing import clean_source, source_of
from hedgerow_node.formats.feed import parse_feed
from hedgerow_node.formats.report import FormatError
from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.passwords import find_passwords
from hedgerow_node.screening.screen import screen
from hedgerow_node.screening.traces import secret_in
from hedgerow_protocol.content import ListingContent, Meeting, Place

HOME = Place(
    name="Jane Doe's House",
    formatted="12 Larkspur St, Exampleton, NY 10001, USA",
    regions=("Exampleton",),
    latitude_e7=407_123_456,
    longitude_e7=-740_123_456,
)


def said(content: ListingContent) -> str:
    return repr(screen(content).content).casefold()


def test_a_home_does_not_stay_in_identifiers_and_links() -> None:
    page = "https://example.org/meetings/jane-does-house-12-larkspur-st"
    meeting = Meeting(slug="jane-does-house-12-larkspur-st", place=HOME, url=page, notes="At Jane Doe's house.")
    content = ListingContent(name="Jane Doe's House Group", meetings=(meeting,), url=page, links=(page,))
    text = said(content)
    for word in ("larkspur", "doe'", "doe-", "does"):
        assert word not in text
    screened = screen(content).content
    assert screened.name == "Jane D.'s House Group"
    assert screened.url == screened.links[0] == screened.meetings[0].url == "https://example.org/"
    assert screened.meetings[0].slug == screen(content).content.meetings[0].slug != meeting.slug
    assert screen(screened).withheld == {}


def test_identifiers_that_say_nothing_of_a_home_stay() -> None:
    page = "https://example.org/meetings/quiet-hour"
    meeting = Meeting(slug="quiet-hour-12-steps", place=HOME, url=page)
    screened = screen(ListingContent(name="Quiet Hour", meetings=(meeting,), url=page)).content
    assert (screened.meetings[0].slug, screened.meetings[0].url, screened.url) == (meeting.slug, page, page)
    kept = screen(ListingContent(name="Q", meetings=(Meeting(slug="larkspur", place=HOME),)), frozenset({"address"}))
    assert kept.content.meetings[0].slug == "larkspur"


def test_the_other_meetings_at_the_same_door() -> None:
    bare = Place(formatted=HOME.formatted, regions=HOME.regions, latitude_e7=HOME.latitude_e7, longitude_e7=0)
    hall = Place(name="Example Hall", formatted="3 Church Rd, Exampleton, NY 10001, USA", regions=HOME.regions)
    meetings = (Meeting(slug="a", place=HOME), Meeting(slug="b", place=bare), Meeting(slug="c", place=hall))
    content = ListingContent(name="Quiet Hour", meetings=meetings)
    assert "larkspur" not in said(content)
    screened = screen(content).content
    assert screened.meetings[1].place is not None
    assert screened.meetings[1].place.latitude_e7 == 407_100_000
    assert screened.meetings[2].place == hall
    assert screen(screened).withheld == {}


def test_a_listing_named_after_a_home() -> None:
    nameless = Place(street="12 Larkspur St", city="Exampleton")
    content = ListingContent(name="Home of Jane Doe", meetings=(Meeting(slug="a", place=nameless),))
    assert "larkspur" not in said(content)
    assert screen(content).content.name == "Home of Jane D."
    venue = Place(name="Dry Dock", street="12 Larkspur St", city="Exampleton")
    named = ListingContent(name="Home of Hope", meetings=(Meeting(slug="a", place=venue),))
    assert screen(named).content == named


@pytest.mark.parametrize(
    "name", ["St. Mary's House", "Women's House", "Bill Wilson House", "Jane D.'s house", "Group Home of Jane D."]
)
def test_houses_that_are_no_persons(name: str) -> None:
    assert screen(ListingContent(name=name)).content.name == name


@pytest.mark.parametrize(
    ("slug", "kind"),
    [
        ("quiet-hour-password-Xy7secret", "password"),
        ("zoom-pwd-778899", "password"),
        ("call-jane-at-212-555-0147", "phone"),
        ("jane.roe@example.org", "email"),
        ("zoom-842-555-0147", ""),
        ("no-password-needed", ""),
        ("step-12", ""),
    ],
)
def test_secrets_in_an_identifier(slug: str, kind: str) -> None:
    assert secret_in(slug) == kind
    screened = screen(ListingContent(name="Q", meetings=(Meeting(slug=slug),))).content
    assert (screened.meetings[0].slug == slug) == (not kind)


def test_a_feeds_slug_that_is_an_address_is_still_known_as_one() -> None:
    feed = b'[{"name": "Quiet Hour", "slug": "jane.roe@example.org", "day": 1, "time": "19:00"}]'
    (draft,) = parse_feed([("feed.json", feed)], program="aa").drafts
    assert "roe" not in said(draft.content)


def test_a_number_to_call_in_the_place_of_an_address() -> None:
    place = Place(street="Call Susan 415-555-0123 for the place", postal_code="94110-1234", name="Example Church")
    screened = screen(ListingContent(name="Q", meetings=(Meeting(slug="m", place=place),))).content.meetings[0].place
    assert screened is not None
    assert "0123" not in screened.street
    assert screened.postal_code == "94110-1234"


@pytest.mark.parametrize(
    "text",
    [
        "jane.roe @ example.org",
        "jane.roe@@example.org",
        "jane.roe\u200b@\u200bexample.org",
        "JANE.ROE＠EXAMPLE．ORG",
        "jane.roe@example,org",
        "jane.roe@example .org",
    ],
)
def test_slips_in_an_e_mail_address(text: str) -> None:
    (span,) = find_emails(f"Write {text} soon")
    assert "roe" not in f"Write {text} soon"[span.end :].casefold()
    assert (span.start, span.end) == (6, 6 + len(text))


@pytest.mark.parametrize("text", ["Join us 7.30 @ example.org", "We meet @ St.Hall, org"])
def test_sentences_with_an_at_sign_stay(text: str) -> None:
    assert find_emails(text) == []


@pytest.mark.parametrize("text", ["Password\n445566", "p.w. 445566", "Passwort lautet 'Hoffnung7'"])
def test_more_ways_to_say_a_password(text: str) -> None:
    assert find_passwords(text)


@pytest.mark.parametrize("source", ["jane.roe@example.org", "pw: Xy7secret"])
def test_a_source_is_published_so_it_may_not_be_private(source: str) -> None:
    with pytest.raises(FormatError, match="--source"):
        clean_source(source)
    with pytest.raises(FormatError, match="--source"):
        source_of("aa", ["jane.roe@example.org.json"])
    assert source_of("aa", ["meetings 2026.json"]) == "aa/meetings-2026"
