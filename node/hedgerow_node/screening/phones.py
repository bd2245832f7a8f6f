"""Private telephone numbers. A number meant for everybody (dial-in, helpline, office, venue) stays."""

import re
from typing import Final

from hedgerow_node.screening import words
from hedgerow_node.screening.spans import PHONE, WITHHELD, Span

_NUMBER = re.compile(
    r"(?<![\w.,/$€£:=&#-])(?:\+|00|tel:|sms:|\()?\s?\(?\d[\d\s().\-–‑/\u202a\u202c\u200e]{4,22}\d(?![\w#]|[.,:]\d)"
)
_NORTH_AMERICA = re.compile(r"(?:\+?1[\s.-]{0,2})?(?:\(\d{3}\)|\d{3})[\s.\-–/]{0,3}\d{3}[\s.\-–]{1,2}\d{4}$")
_TOLL_FREE = re.compile(
    r"(?:\+?1[\s.-]{0,2})?\(?(?:800|833|844|855|866|877|888)\)?[\s.-]|0800|0808|00800|116[\s.-]?\d{3}$|0?3\d\d[\s.-]"
)
_GROUPED_NATIONAL = re.compile(r"\(?0\d{1,5}\)?[\s./\-–]{1,3}\d[\d\s./\-–]{3,14}\d$")
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}$|(?:19|20)\d\d[-./–]\d{1,2}[-./–]\d{1,2}$|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d$|(?:19|"
    r"20)\d\d\s?[-–/]\s?(?:19|20)\d\d$"
)
_POSTCODE = re.compile(r"\d{5}-\d{4}$")
_COORDINATES = re.compile(r"\d{1,3}\.\d{3,}$")
_NOT_A_PHONE = re.compile(
    r"(?:\b(?:id|id['’]?s|number id|zoom|conference id|meeting|meeting (?:id|number|no|#)|webinar|group(?: id)?|"
    r"district|wso|"
    r"reg(?:istration|istered)?|charity|isbn|iban|account|acct|konto|box|invoice|ref|case|suite|room|page|pages|"
    r"psalm|step|steps|"
    r"besprechungs-id|meeting-id|reuni[oó]n|r[ée]union|code|pin|no\.? de r[ée]union|kenn-?nummer|uhr|from|"
    r"between|items?|copyright|©)"
    r"|会议号|会议\s?id|会議\s?id)[\s:：.#*(=–-]{0,4}(?:is\s|es\s)?$",
    re.IGNORECASE,
)
_PUBLIC = re.compile(words.PUBLIC_PHONE, re.IGNORECASE)
_VENUE_LINE = re.compile(words.VENUE_PHONE, re.IGNORECASE)
_PRIVATE = re.compile(rf"(?<![^\W\d_])(?:{words.PRIVATE_PHONE})", re.IGNORECASE)
_FOLLOWS = re.compile(
    r"[\s,(–-]{0,3}(?:cell|mobile|text|home|whatsapp|handy|m[oó]vil|\(c\)|\(m\)|\(h\))", re.IGNORECASE
)
_PUBLIC_FOLLOWS = re.compile(
    rf"[\s,;(–-]{{0,4}}(?:(?:is|the|our|is our|is the)\s)?(?:{words.PUBLIC_PHONE}|{words.VENUE_PHONE})", re.IGNORECASE
)
_CODES_FOLLOW = re.compile(
    r"\s{0,2}(?:,,|[;,]\s{0,1}\d{6,}#|\(?(?:meeting id|conference id|id[:#]|pin\b|passcode|access code|code))",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?i:\b(?:call|contact|text|phone|ask for|email|reach|ring|kontakt|contacto?|llamar a|appeler|anrufen)\b)"
    r"(?i:\s(?:or|and|to|our|the|text|call|email)){0,3}[\s:]{1,2}"
    r"(?P<name>[A-ZÀ-ÞŁŚŻŽŠČ][a-zà-ÿłśżžšč]{1,15}(?:\s[A-ZÀ-ÞŁŚŻŽŠČ](?:\.|[a-zà-ÿłśżžšč]{1,15})?)?)[\s,:.(–-]{1,4}$"
)
_SENTENCE_END = re.compile(r"[!?\n•|]|\.\s(?=[A-ZÀ-Þ\"(]\w)|[^\s\d.]{3,}\.\s")
_WINDOW_BEFORE: Final = 90
_CUE_WINDOW: Final = 34
_DIGITS_MIN: Final = 7
_DIGITS_MAX: Final = 15


def find_phones(text: str, *, dial_in: bool = False) -> list[Span]:
    """Every private telephone number. ``dial_in``: the text speaks of joining by phone, so numbers in it are "
    "public."""
    spans: list[Span] = []
    if sum(map(str.isdigit, text)) < _DIGITS_MIN:
        return spans
    for match in _NUMBER.finditer(text):
        number = match.group().strip()
        if not _DIGITS_MIN <= sum(map(str.isdigit, number)) <= _DIGITS_MAX or "\n" in number:
            number = number.split("\n")[0].strip()
            if sum(map(str.isdigit, number)) < _DIGITS_MIN or sum(map(str.isdigit, number)) > _DIGITS_MAX:
                continue
        start = match.start() + (len(match.group()) - len(match.group().lstrip()))
        end = start + len(number)
        if _is_private(text, number, start, end, dial_in):
            if number.startswith("(") and ")" not in number:
                start += 1
            spans.append(Span(start, end, (PHONE,), WITHHELD[PHONE]))
    return spans


_TO_CALL = re.compile(
    r"(?i)(?<![^\W\d_])(?:call|text|contact|cell|mobile|whats\s?app|ask for)(?![^\W\d_])[^\n,;]{0,30}$"
)


def find_phones_to_call(text: str) -> list[Span]:
    """Private numbers in a part of an address: "call Susan 415-555-0123 for the place"."""
    return [each for each in find_phones(text) if _TO_CALL.search(text[max(0, each.start - 50) : each.start])]


def is_public_line(words_around: str) -> bool:
    """Whether a name or a field's name says that a number is for everybody: a helpline, an office."""
    return _PUBLIC.search(words_around) is not None or _VENUE_LINE.search(words_around) is not None


def _is_private(text: str, number: str, start: int, end: int, dial_in: bool) -> bool:
    bare = number.strip(" \u202a\u202c\u200e")
    if _DATE.match(bare) or _POSTCODE.match(bare) or _COORDINATES.match(bare):
        return False
    before = text[max(0, start - _WINDOW_BEFORE) : start]
    near = before[-_CUE_WINDOW:]
    if _NOT_A_PHONE.search(near):
        return False
    strong = bool(
        _NORTH_AMERICA.match(bare) or bare.startswith(("+", "tel:", "sms:")) or _GROUPED_NATIONAL.match(bare)
    ) and not bare.startswith("+0")
    sentence = _last_sentence(before)
    cued = _PRIVATE.search(sentence[-_CUE_WINDOW:]) is not None or _FOLLOWS.match(text, end) is not None
    if not strong and not cued:
        return False
    if _of_a_person(before):
        return True
    if _TOLL_FREE.match(bare) or _CODES_FOLLOW.match(text, end) or _PUBLIC_FOLLOWS.match(text, end):
        return False
    if _PUBLIC.search(sentence) or _VENUE_LINE.search(sentence[-_CUE_WINDOW:]):
        return False
    return not (dial_in and not cued)


def _of_a_person(before: str) -> bool:
    """Whether the words straight before a number tell whom one calls: "Call Sam", "contact Ana L."."""
    match = _PERSON.search(before)
    if match is None or is_public_line(match.group()):
        return False
    named = (word.strip(".").casefold() for word in match.group("name").split())
    return not any(word in words.NOT_A_NAME for word in named)


def _last_sentence(before: str) -> str:
    """What stands before the number in its own sentence or line."""
    at = 0
    for end in _SENTENCE_END.finditer(before):
        at = end.end()
    return before[at:]
