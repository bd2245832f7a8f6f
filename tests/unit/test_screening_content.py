"""What screening makes of whole listings: the sentence that is left, the hint, the coarse place, who is told what."""

import pytest

from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.find import findings, sentence
from hedgerow_node.screening.links import clean_link
from hedgerow_node.screening.names import surname_withheld
from hedgerow_node.screening.screen import screen
from hedgerow_protocol.content import Attendance, Contact, ListingContent, Meeting, Online, Place

CALM = "Tuesday Calm"


def listing(meeting: Meeting | None = None, **said: object) -> ListingContent:
    meetings = () if meeting is None else (meeting,)
    return ListingContent(name=CALM, meetings=meetings, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Write to fern@example.org, please.", "Write to [e-mail withheld], please."),
        ("Call Sam at 555-010-0144 first.", "Call Sam at [phone withheld] first."),
        ("ID: 611 2048 3319, Password: plum42", "ID: 611 2048 3319"),
        ("Zoom ID: 611\nPassword: plum42\n\nRamp at the side", "Zoom ID: 611\n\nRamp at the side"),
        ("Password: plum42. Ramp at the side", "Ramp at the side"),
        ("Join us (password: plum42) at seven", "Join us at seven"),
        ("Use the password plum42 to enter.", "Use the [password withheld] to enter."),
        ("Led by Wren Ashgrove since May", "Led by Wren A. since May"),
        ("E-mail: fern@example.org", ""),
        ("Contact: 555-010-0144", ""),
        ("https://zoom.us/j/8421004821?pwd=Zm9v opens at 6:50", "https://zoom.us/j/8421004821 opens at 6:50"),
        ("Nothing private here, come at 7.", "Nothing private here, come at 7."),
    ],
)
def test_the_sentence_that_is_left_reads_well(before: str, after: str) -> None:
    assert screen(listing(summary=before)).content.summary == after


@pytest.mark.parametrize(
    ("url", "left", "kinds"),
    [
        ("https://zoom.us/j/84210048213?pwd=abc&omn=12#success", "https://zoom.us/j/84210048213?omn=12#success", 1),
        ("https://zoom.us/j/84210048213#pwd=abc", "https://zoom.us/j/84210048213", 1),
        ("https://example.org/a?email=fern@example.org&b=2", "https://example.org/a?b=2", 1),
        ("https://example.org/lists/fern@example.org/info", "https://example.org/lists/", 1),
        ("https://name:hush@example.org/room", "https://example.org/room", 1),
        ("http://fern@example.org", "", 1),
        ("https://wa.me/15550100148", "", 1),
        ("https://example.org/p?p=4&key=value#part", "https://example.org/p?p=4&key=value#part", 0),
        ("https://meet.google.com/abc-defg-hij?authuser=0", "https://meet.google.com/abc-defg-hij?authuser=0", 0),
        (
            "https://www.google.com/maps/@41.1203344,-117.55,17z",
            "https://www.google.com/maps/@41.1203344,-117.55,17z",
            0,
        ),
    ],
)
def test_of_a_link_the_link_stays(url: str, left: str, kinds: int) -> None:
    cleaned = clean_link(url)
    assert cleaned.url == left
    assert len(cleaned.kinds) == kinds


def test_people_learn_that_a_password_is_needed_and_where_to_ask() -> None:
    online = Online(url="https://zoom.us/j/84210048213?pwd=abc")
    meeting = Meeting(slug="m", online=online, url="https://example.org/calm")
    screened = screen(listing(meeting)).content.meetings[0].online
    assert screened is not None
    assert screened.url == "https://zoom.us/j/84210048213"
    assert screened.password_hint == (
        "A password is needed to join. Ask the group for it. Its own page says how: https://example.org/calm"
    )


def test_the_listings_page_is_named_when_the_meeting_has_none() -> None:
    meeting = Meeting(slug="m", attendance=Attendance.ONLINE, notes="Passcode: 771204")
    screened = screen(listing(meeting, url="https://example.org/us")).content.meetings[0]
    assert screened.online is not None
    assert screened.online.password_hint.endswith("https://example.org/us")
    assert screened.notes == ""


def test_a_hint_in_the_groups_words_stays() -> None:
    online = Online(phone="+15550100516,,402117755#,,655207#", password_hint="Ask at the office.")
    screened = screen(listing(Meeting(slug="m", online=online))).content.meetings[0].online
    assert screened == Online(phone="+15550100516,,402117755#", password_hint="Ask at the office.")


def test_a_door_code_makes_no_online_meeting() -> None:
    meeting = Meeting(slug="m", attendance=Attendance.IN_PERSON, notes="Gate code: 4411")
    screened = screen(listing(meeting))
    assert screened.withheld == {"password": 1}
    assert screened.content.meetings[0].online is None


def test_a_private_home_keeps_its_town() -> None:
    place = Place(
        name="Private Home",
        formatted="12 Bramble Lane, Thornby, OR 97999, USA",
        street="12 Bramble Lane",
        city="Thornby",
        postal_code="97999-1234",
        latitude_e7=451_234_567,
        longitude_e7=-1_226_543_210,
        regions=("North County",),
    )
    meeting = Meeting(slug="m", place=place, extras=(("tsml:location_url", "https://example.org/l/jays-home"),))
    screened = screen(listing(meeting))
    assert screened.withheld == {"address": 1}
    assert screened.content.meetings[0].extras == ()
    assert screened.content.meetings[0].place == Place(
        formatted="Thornby, OR 97999, USA",
        city="Thornby",
        postal_code="97999",
        latitude_e7=451_200_000,
        longitude_e7=-1_226_500_000,
        regions=("North County",),
        approximate=True,
    )


def test_the_number_of_an_office_stays_and_a_persons_goes() -> None:
    contacts = (
        Contact(name="Thornby Helpline", phone="555-010-0300"),
        Contact(name="Thornby Intergroup", phone="555-010-0301", email="us@example.org"),
        Contact(name="Wren Ashgrove", phone="555-010-0302"),
        Contact(phone="555-010-0303"),
    )
    screened = screen(listing(contacts=contacts, body="Thornby Intergroup"))
    assert screened.content.contacts == (
        Contact(name="Thornby Helpline", phone="555-010-0300"),
        Contact(name="Thornby Intergroup", phone="555-010-0301"),
        Contact(name="Wren A."),
    )
    assert screened.withheld == {"email": 1, "phone": 2, "surname": 1}


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Wren Ashgrove", "Wren A."),
        ("Wren A.", "Wren A."),
        ("Wren", "Wren"),
        ("Ashgrove, Wren", "Wren A."),
        ("Mrs Ashgrove", "Mrs A."),
        ("Wren and Jay Ashgrove", "Wren and Jay A."),
        ("Group Secretary", "Group Secretary"),
        ("Wren Ashgrove (evenings)", "Wren A. (evenings)"),
        ("", ""),
    ],
)
def test_first_names_stay(name: str, left: str) -> None:
    assert surname_withheld(name) == left


@pytest.mark.parametrize(
    "harmless",
    [
        "meet @ the fountain",
        "@Third St.",
        "see you at example.org",
        "8pm@12.30",
        "https://example.org/@calm.days",
        "a@b",
    ],
)
def test_not_every_at_is_an_address(harmless: str) -> None:
    assert find_emails(harmless) == []


def test_findings_tell_a_person_what_and_where() -> None:
    meeting = Meeting(slug="tuesday", notes="Contact fern@example.org for the room")
    (finding,) = findings(listing(meeting))
    assert finding.kind == "email"
    assert finding.where == "the notes of the meeting"
    assert "fern@example.org" in finding.excerpt
    assert sentence(finding) == (
        "This looks like an e-mail address (the notes of the meeting): Contact fern@example.org for the room"
    )


def test_nothing_is_found_in_a_careful_listing() -> None:
    meeting = Meeting(
        slug="m",
        place=Place(name="St. Brigid's Hall", street="12 Chapel Road", city="Thornby"),
        online=Online(url="https://zoom.us/j/84210048213", phone="+15550100516,,402117755#"),
        notes="Side door. No password needed.",
    )
    content = listing(meeting, summary="For people who grieve. Come as you are.", contacts=(Contact(name="Jay T."),))
    assert findings(content) == ()
    assert screen(content).content == content
