"""Web addresses: a link stays, without the password or the e-mail address inside it."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_plus

from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.spans import EMAIL, PASSWORD, PHONE, Span
from hedgerow_node.screening.words import words_of

_LINK = re.compile(
    r"(?:https?:/{1,3}|(?<![\w@.-])www\.|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{0,62}\.){0,4}"
    r"(?:zoom\.us|zoom\.com|zoomgov\.com|wa\.me|meet\.google\.com|teams\.microsoft\.com|teams\.live\.com|webex\.com)/)"
    r"[^\s<>\"“”\x00]{1,2000}",
    re.IGNORECASE,
)
_SECRET_FOLLOWS = re.compile(r"[,;|(]{0,2}(?:password|passcode|pass|pwd|pw|pin)\s{0,2}:", re.IGNORECASE)
_TRAILING = ".,;:!?'’)]}*»"

_SECRET_NAMES: Final = words_of(
    "pwd passwd password passcode pass_code pass pw pin tk token access_token accesstoken secret jwt zak roomkey "
    "mtpwd meetingpassword meeting_password meetingpasscode contraseña contrasena clave passwort mdp senha haslo "
)
_MEETING_SECRET_NAMES: Final = words_of("p k key auth code hash h psw pcode")
_MAIL_NAMES: Final = words_of("email e-mail mail mailto emailaddress email_address author user_email")
_ZOOM_HARMLESS: Final = words_of(
    "omn from confno meeting_id meetingid wd zc action stype sn occurrence_id timezone lang mn no status "
)
_MEETING_HOSTS: Final = (
    "zoom.us", "zoom.com", "zoomgov.com", "zoom.com.cn", "teams.microsoft.com", "teams.live.com", "webex.com",
    "meet.google.com", "meet.jit.si", "8x8.vc", "gotomeeting.com", "goto.com", "gotomeet.me", "bluejeans.com",
    "ringcentral.com", "whereby.com", "dialpad.com", "lifesize.com", "chime.aws", "zoho.com", "livestorm.co",
    "freeconferencecall.com", "bigbluebutton.org",
)  # fmt: skip
_ZOOM_HOSTS: Final = ("zoom.us", "zoom.com", "zoomgov.com", "zoom.com.cn")
_STRAY_SECRET = re.compile(
    r"(?:[?&;#/]|&amp;|%3f|%26|%23|(?<![a-z]))(?:pwd|passwd|password|passcode|meetingpassword)(?:[=:]|%3d|%3a|"
    r"%253d)[^&#\s]{0,400}",
    re.IGNORECASE,
)
_PHONE_LINK = re.compile(r"(?:https?://)?(?:wa\.me|t\.me)/\+?\d{7,15}(?![\w])", re.IGNORECASE)
_PHONE_PATH = re.compile(r"(?:https?://)?(?:api\.|web\.)?whatsapp\.com/send/?\?", re.IGNORECASE)

_ROUNDS_MAX: Final = 4
_ONLY_MAIL = re.compile(r"https?://(?:mailto:)?[^/@:?#]{1,64}@[^/@:?#]{1,255}/?", re.IGNORECASE)
"""An e-mail address that somebody put into the field for a web address."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A link without its secrets, and what was taken out."""

    url: str
    kinds: tuple[str, ...]


def clean_link(url: str, keep: frozenset[str] = frozenset()) -> Cleaned:
    """Take passwords and e-mail addresses out of a link; a link that is a private phone number goes altogether."""
    kinds: list[str] = []
    for _ in range(_ROUNDS_MAX):
        cleaned = _cleaned_once(url, keep)
        if not cleaned.kinds:
            return Cleaned(url, tuple(kinds))
        kinds += cleaned.kinds
        url = cleaned.url
    return Cleaned("", tuple(kinds))  # one secret under another: no link that somebody made to be followed


def _cleaned_once(url: str, keep: frozenset[str]) -> Cleaned:
    if PHONE not in keep and (_PHONE_LINK.match(url) or _PHONE_PATH.match(url)):
        return Cleaned("", (PHONE,))
    if EMAIL not in keep and _ONLY_MAIL.fullmatch(url):
        return Cleaned("", (EMAIL,))
    kinds: list[str] = []
    bare, mark, fragment = url.partition("#")
    bare, asked, query = bare.partition("?")
    bare = _without_login(bare, keep, kinds)
    host = _host(bare)
    if query:
        query = _clean_query(query, host, keep, kinds)
    if fragment:
        fragment = _clean_query(fragment, host, keep, kinds)
    result = bare + (asked + query if query or not kinds else "") + (mark + fragment if fragment or not kinds else "")
    if PASSWORD not in keep:
        result, found = _STRAY_SECRET.subn("", result)
        kinds += [PASSWORD] * found
    if EMAIL not in keep:
        result = _without_mail_in_path(result, kinds)
    return Cleaned(result if kinds else url, tuple(kinds))


def _host(bare: str) -> str:
    after_scheme = bare.partition("://")[2] or bare
    return after_scheme.partition("/")[0].partition(":")[0].casefold()


def _is_at(host: str, hosts: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith("." + name) for name in hosts)


def _without_login(bare: str, keep: frozenset[str], kinds: list[str]) -> str:
    """``https://name:secret@host/`` without the name and the secret."""
    scheme, mark, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    if not mark or "@" not in authority or PASSWORD in keep:
        return bare
    kinds.append(PASSWORD)
    return scheme + mark + authority.rpartition("@")[2] + slash + path


def _clean_query(query: str, host: str, keep: frozenset[str], kinds: list[str]) -> str:
    separator = "&amp;" if "&amp;" in query else "&"
    kept: list[str] = []
    for part in query.split(separator):
        kind = _kind_of_parameter(part, host)
        if kind and kind not in keep:
            kinds.append(kind)
        else:
            kept.append(part)
    return separator.join(kept)


def _kind_of_parameter(part: str, host: str) -> str:
    """What is private in one ``name=value``; empty when nothing is."""
    name, _, value = part.partition("=")
    name = unquote(name).strip().casefold()
    if not value:
        return EMAIL if "@" in unquote(name) and find_emails(unquote(name)) else ""
    if name in _SECRET_NAMES:
        return PASSWORD
    if _is_at(host, _MEETING_HOSTS) and name in _MEETING_SECRET_NAMES:
        return PASSWORD
    if _is_at(host, _ZOOM_HOSTS) and name not in _ZOOM_HARMLESS and not name.startswith("utm_"):
        return PASSWORD  # misspelt "pwd", or a ticket: a Zoom link works without any of them
    plain = unquote_plus(value)
    if name in _MAIL_NAMES and "@" in plain:
        return EMAIL
    if ("@" in plain or "%40" in plain) and find_emails(plain):
        return EMAIL
    return ""


def _without_mail_in_path(url: str, kinds: list[str]) -> str:
    """Cut the link before the first part of its path that holds an e-mail address."""
    if "@" not in url and "%" not in url:
        return url
    parts = url.split("/")
    for index, part in enumerate(parts):
        plain = unquote(unquote(part))
        if "@" in plain and find_emails(plain):
            kinds.append(EMAIL)
            # Before the third part there is only the scheme: an address in the place of a host leaves no link.
            return "/".join(parts[:index]) + "/" if index > 2 else ""
    return url


def find_links(text: str, keep: frozenset[str]) -> tuple[list[Span], list[tuple[int, int]]]:
    """Links in a text: those that change, as spans, and where every link stands (other detectors leave them alone)."""
    spans: list[Span] = []
    places: list[tuple[int, int]] = []
    if "/" not in text and "www." not in text:
        return spans, places
    for match in _LINK.finditer(text):
        link = match.group()
        follows = _SECRET_FOLLOWS.search(link)
        if follows is not None:
            link = link[: follows.start()]
        link = link.rstrip(_TRAILING)
        start, end = match.start(), match.start() + len(link)
        places.append((start, end))
        cleaned = clean_link(link, keep)
        if cleaned.kinds:
            spans.append(Span(start, end, cleaned.kinds, cleaned.url))
    return spans, places
