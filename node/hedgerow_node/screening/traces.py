"""Where a private home or a secret leaves its words besides texts: in the names of meetings for machines, and in links.

Web sites make both from a meeting's name and place, so ``jane-does-house-12-maple-st`` says what was withheld.
"""

import hashlib
import re
from urllib.parse import unquote

from hedgerow_node.screening.addresses import coarse
from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.spans import EMAIL, PASSWORD, PHONE
from hedgerow_node.screening.words import words_of
from hedgerow_protocol.content import Place

_WORD = re.compile(r"[^\W_]+")
_ORDINARY = words_of(
    """
    the and for from with near our home homes house apartment apt flat condo residence private host hosts member
    members garage backyard living room porch kitchen patio place street avenue ave road drive lane boulevard blvd
    court circle terrace way trail parkway pkwy highway hwy close crescent gardens square row mews alley loop unit
    north south east west new old usa group groups meeting meetings
    """
)
_SECRET = re.compile(r"(?i)(?:passw(?:or)?d|passcode|passwort|kennwort|pwd|pw)[-_.=]+(?=[^-_.]*\d)[^-_.]{3,}")
_TELEPHONE = re.compile(r"(?<![0-9a-z])(?:1[-_.])?[2-9]\d{2}[-_.][2-9]\d{2}[-_.]\d{4}(?![0-9a-z])")
_SPEAKS_OF_CALLING = re.compile(r"(?i)(?<![a-z])(?:call|text|contact|cell|mobile|phone|tel|whatsapp)(?![a-z])")


def door_of(place: Place) -> str:
    """What names the door of a place, to tell that two meetings are held at the same one; empty at town level."""
    if place.street:
        return place.street.casefold()
    return place.formatted.casefold() if coarse(place).formatted != place.formatted else ""


def hidden_words(place: Place, *public: str) -> frozenset[str]:
    """The words of a place that are not said at town level, nor in the texts that stay ``public``."""
    hidden = coarse(place)
    town = (hidden.formatted, place.city, place.state, place.country, *hidden.regions, *public)
    said = {word for text in town for word in _words(text)}
    own = {word for text in (place.name, place.street, place.formatted) for word in _words(text)}
    return frozenset(word for word in own - said if len(word) > 2 and not word.isdigit() and word not in _ORDINARY)


def names_one_of(identifier: str, hidden: frozenset[str]) -> bool:
    """Whether an identifier or a link holds one of these words."""
    return bool(hidden) and not hidden.isdisjoint(_words(unquote(identifier)))


def without_path(url: str) -> str:
    """The site a link leads to, without the page."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{re.split('[/?#]', rest, maxsplit=1)[0]}/"


def secret_in(slug: str) -> str:
    """Which kind of private thing an identifier holds; empty when none."""
    if find_emails(slug):
        return EMAIL
    if _SECRET.search(slug) is not None:
        return PASSWORD
    if _TELEPHONE.search(slug.casefold()) is not None and _SPEAKS_OF_CALLING.search(slug) is not None:
        return PHONE
    return ""


def stable_name(slug: str) -> str:
    """Another identifier that is as stable and says nothing."""
    return "meeting-" + hashlib.blake2b(slug.encode(), digest_size=8).hexdigest()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("'", "").replace("’", ""))
