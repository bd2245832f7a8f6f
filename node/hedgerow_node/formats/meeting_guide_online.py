"""Whether a meeting counts as online or in person, by the rules of the programs that read Meeting Guide feeds."""

from typing import Final
from urllib.parse import urlsplit

from hedgerow_protocol.content import Attendance, Online, Place

_PROVIDERS: Final = (
    "bluejeans.com",
    "dialpad.com",
    "discord.com",
    "discord.gg",
    "freeconference.com",
    "freeconferencecall.com",
    "goto.com",
    "goto.meeting",
    "gotomeet.me",
    "gotomeeting.com",
    "meet.google.com",
    "meet.jit.si",
    "meetings.dialpad.com",
    "signal.group",
    "skype.com",
    "teams.live.com",
    "teams.microsoft.com",
    "vrchat.com",
    "webex.com",
    "zoho.com",
    "zoho.eu",
    "zoom.com",
    "zoom.us",
    "zoomgov.com",
)

PHONE_CHARACTERS_MIN: Final = 10
"""Characters. A dial-in number that can be one, after everything but digits and signs is stripped."""


def is_known_provider(url: str) -> bool:
    """Whether an address leads to a service that carries meetings."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return False
    return any(host == provider or host.endswith("." + provider) for provider in _PROVIDERS)


def is_dialable(phone: str) -> bool:
    """Whether a number is long enough to be one."""
    return sum(character.isdigit() or character in "+,#*" for character in phone) >= PHONE_CHARACTERS_MIN


def derived_attendance(place: Place | None, online: Online | None, *, place_closed: bool) -> Attendance:
    """In person where there is an exact place that is not closed; online where there is a known service or number."""
    from_afar = online is not None and (is_known_provider(online.url) or is_dialable(online.phone))
    in_person = place is not None and not place.approximate and not place_closed
    if from_afar:
        return Attendance.HYBRID if in_person else Attendance.ONLINE
    return Attendance.IN_PERSON if in_person else Attendance.UNKNOWN
