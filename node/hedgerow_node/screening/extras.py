"""Further fields of a source: their names often say what is private in them."""

import re

from hedgerow_node.screening.emails import find_emails
from hedgerow_node.screening.phones import is_public_line
from hedgerow_node.screening.sieve import Sieve, Sort
from hedgerow_node.screening.spans import EMAIL, PASSWORD, PHONE, SURNAME
from hedgerow_node.screening.words import NOT_A_SECRET
from hedgerow_protocol import limits

_WORDS = re.compile(r"[^a-z0-9]+")
_MAIL = frozenset({"email", "emails", "mail", "mailto"})
_TELEPHONE = frozenset({"phone", "phones", "telephone", "tel", "mobile", "cell", "sms", "whatsapp"})
_SECRET = frozenset({"password", "passwords", "passcode", "pwd", "pin", "passwort", "contrasena", "clave"})
_OF_EVERYBODY = frozenset(
    {"entity", "conference", "dial", "venue", "location", "organization", "organisation", "public"}
)
_AUTHORS = frozenset({"author", "authors", "editor", "submitter"})
_PLACES = frozenset(
    {"address", "street", "city", "state", "postal", "zip", "province", "latitude", "longitude", "coordinates"}
)
_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"[+\d\s().,#*/–-]{5,60}")
_MACHINE_ID = re.compile(r"(?=(?:[^@\s]{0,100}?[0-9]){4})([^@\s]{8,100})@[^@\s]{1,200}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Pairs = tuple[tuple[str, str], ...]


def screen_extras(extras: Pairs, which: str, sieve: Sieve) -> Pairs:
    """The pairs without what is private, sorted again; a pair with nothing left is dropped."""
    if not extras:
        return extras
    kept: set[tuple[str, str]] = set()
    for key, value in extras:
        if EMAIL not in sieve.keep and find_emails(key):
            sieve.found(EMAIL, f"a field of {which}", key)
            continue
        left = _value(key, value, f"“{key.rpartition(':')[2]}” of {which}", sieve)
        if left or left == value:
            kept.add((key, left))
    return tuple(sorted(kept))


def _value(key: str, value: str, where: str, sieve: Sieve) -> str:
    said = frozenset(_WORDS.split(key.casefold().rpartition(":")[2]))
    kind = _private_kind(said, key, value)
    if kind and kind not in sieve.keep:
        sieve.found(kind, where, value)
        return ""
    if "uid" in said:
        machine = _MACHINE_ID.fullmatch(value)
        if machine is not None and EMAIL not in sieve.keep:
            value = machine.group(1)  # a calendar's own number for an event, not a mailbox
    number = bool(said & _TELEPHONE) or (_NUMBER.fullmatch(value) is not None and is_public_line(key))
    sort = Sort.LINE if said & _PLACES else Sort.DIAL if number else Sort.PROSE
    left = sieve.text(value, where, sort, limits.TEXT_CHARACTERS_MAX)
    if left != value and _private_kind(said, key, left) not in ("", *sieve.keep):
        return ""
    return left


def _private_kind(said: frozenset[str], key: str, value: str) -> str:
    """Which kind the whole value is, by the name of its field; empty when only its words can tell."""
    if not value.strip():
        return ""
    if said & _AUTHORS:
        return EMAIL if find_emails(value) else SURNAME if any(map(str.isalpha, value)) else ""
    by_contact = ("contact" in said or "contacts" in said) and "last" not in said and _DATE.match(value) is None
    if said & _MAIL and (find_emails(value) or by_contact):
        return EMAIL
    if said & _TELEPHONE and len(_DIGITS.findall(value)) >= 6:
        return "" if said & _OF_EVERYBODY or is_public_line(key) else PHONE
    if said & _SECRET or {"pass", "code"} <= said or {"access", "code"} <= said:
        first = (value.split() or [""])[0].strip(".,:;!?()").casefold()
        return "" if first in NOT_A_SECRET or not any(map(str.isalnum, value)) or value.startswith("[") else PASSWORD
    if by_contact:
        if find_emails(value):
            return EMAIL
        if len(_DIGITS.findall(value)) >= 7:
            return PHONE
        return SURNAME if any(map(str.isalpha, value)) else ""
    return ""
