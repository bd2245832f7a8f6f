"""Passwords, PINs and meeting codes, by the word before them, in many languages; and codes behind dial-in numbers."""

import re
from typing import Final

from hedgerow_node.screening import words
from hedgerow_node.screening.spans import PASSWORD, TAKEN, WITHHELD, Span
from hedgerow_node.screening.words import words_of

_LABEL = re.compile(
    rf"(?:(?<![^\W\d_])(?:(?P<strong>{words.SECRET_LABELS})|(?P<weak>{words.WEAK_LABELS}))(?![^\W\d_]))"
    rf"|(?P<unspaced>{words.LABELS_UNSPACED})",
    re.IGNORECASE,
)
_STEM = re.compile("|".join(re.escape(stem) for stem in words.SECRET_STEMS))
_ASIDE = re.compile(r"\s{0,2}\([^()\n\x00\d]{0,40}\)")
_PURPOSE = re.compile(
    r"\s(?:to|for|de|del|der|zum|zur|für|pour|para|per|do|till|voor)\s[^\n:=.,;#\x00]{0,30}?(?=\s?[:=]|\s(?:is|"
    r"es|est|ist|è)\s)",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\s(?:is|es|est|ist|è|é|jest|är|er|on|są|lautet|hei(?:ß|ss)t|will be|=)(?:\s?:|(?=\s))", re.IGNORECASE
)
_SIGN = re.compile(r"[ \t\xa0\"'*]{0,4}(?::=|[:=：＝#→>~]|(?:[-–—]{1,2}(?=[ \t\w\"'“])))[ \t\xa0:=#]{0,3}")
_NEXT_LINE = re.compile(r"[ \t]{0,4}\n{1,2}[ \t]{0,4}(?=(?=[^\n]{0,20}\d)[^\s:]{3,20}[ \t]{0,4}(?:\n|$))")
_GAP = re.compile(r"[ \t\xa0]{0,4}")
_OPEN_QUOTES = "\"'“”‘’«»‹›„*_`<(["
_CLOSE_QUOTES = "\"'“”‘’«»‹›*`>)].,;!?"
_TOKEN = re.compile(r"(?:[^\s,;|\x00]|[,;|](?!\s|$|[A-Za-z][A-Za-z -]{0,14}[:=])){1,64}")
_MORE_DIGITS = re.compile(r"(?:[ -]\d{2,4}(?![\w:-])){1,4}#?")
_OR_ANOTHER = re.compile(r"\s(?:or|/|and|oder|ou|o)\s(?=[^\s]{0,20}\d)[^\s,;]{3,20}", re.IGNORECASE)
_PHRASE = re.compile(r"(?: [^\W\d_][\w'’]{0,15}){1,4}(?=[ \t]{0,3}(?:[.,;)|\"”\n]|$))")
_TITLED = re.compile(r"(?: [A-Z][\w'’]{0,15}){1,2}(?=[ \t]{0,3}(?:[.,;)|\"”\n]|$))")
_ASIDE_OF_VALUE = re.compile(
    r"\s{0,2}\([^()\n\x00]{0,24}(?:case|lower|upper|caps|zero|letter|required|all one|no space|"
    r"capital)[^()\n\x00]{0,24}\)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:\d{1,2}[:.]?\d{0,2}\s?(?:am|pm|a\.m|p\.m|uhr|h)|\d{1,2}:\d{2}|\d{1,2}(?:st|nd|rd|th))$", re.IGNORECASE
)
_TELEPHONE = re.compile(
    r"(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}(?!\d)|\+\d{1,3}[ .-]?\d|0\d{2,4}[ /-]\d{4}"
)
_COUNTED = re.compile(
    r"\s(?:hours?|hrs?|minutes?|mins?|days?|weeks?|people|digits?|characters?|letters?|years?|times?|am|pm|or more)\b",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"([^\W\d_][\w'’-]{0,20})[\s-]{0,2}$")
_LEAD_IN = re.compile(
    r"(?<![^\W_])(?:(?:please\s|and\s|then\s)?(?:enter|use|with|zoom|meeting|webinar|dial[\s-]?in|call[\s-]?in|"
    r"phone|web|online|"
    r"conference|numeric|new|your|the|our|la|el|das|le|der|die)[\s-]{1,2})+$",
    re.IGNORECASE,
)
_NEGATION = words_of(
    "no not without sin kein keine ohne pas aucun geen nessuna bez brak ingen inget ikke não sem nu не без "
)
_ASKING = words_of(
    "for the a an no need needs get request send email ask asking require requires required have has know new "
    "without your para por pour für um voor o "
)
_EDGES = "\n,;/|(.:!?•·–—-"

_DIAL = re.compile(
    r"(?P<number>\+?\(?\d[\d(). -]{5,20}\d)(?P<codes>[ ]?(?:[,;]{1,8}[ ]?[*#]{0,2}\d{0,14}[*#]{0,3}){1,6})"
)
_CODE = re.compile(r"\d{1,14}")
_SHORT_CODE = re.compile(
    r"(?<![^\W\d_])(?:id|conference|conf|group|extension|ext|"
    r"x)\b[\s:#.]{0,4}(?:is\s)?\d{3,8}#(?:[\s,]{0,3}\d{4,10}(?:#|\b)(?![-.]))?",
    re.IGNORECASE,
)
_HASH_CODE = re.compile(r"(?<=[\s,;])\*?\d{3,8}#")

MEETING_ID_DIGITS: Final = 9
"""A first code of at least this many digits is a public meeting number (9 to 11); a shorter one lets people in."""


def find_passwords(text: str) -> list[Span]:
    """Every password, PIN and code in a text, in order, without overlaps."""
    spans = _dial_codes(text)
    if _STEM.search(text.lower()) is None:
        return spans
    behind = 0
    for label in _LABEL.finditer(text):
        if label.start() < behind:
            continue
        end, marked = _secret_after(text, label)
        if end:
            span = _with_its_label(text, label.start(), end, marked)
            if not any(span.start < other.end and other.start < span.end for other in spans):
                spans.append(span)
            behind = end
    spans.sort(key=lambda each: each.start)
    return spans


def find_dial_in_codes(text: str) -> list[Span]:
    """What else is a code in a field that holds nothing but a dial-in number: ``123456#``."""
    return [
        Span(m.start(), m.end(), (PASSWORD,), "")
        for m in _HASH_CODE.finditer(text)
        if sum(c.isdigit() for c in m.group()) < 9
    ]


def _dial_codes(text: str) -> list[Span]:
    """``+1…,,meeting#,,passcode#``: the number and a public meeting number stay, what follows them goes."""
    spans: list[Span] = []
    if "#" not in text and ",," not in text and ";" not in text:
        return spans
    for match in _DIAL.finditer(text):
        codes = match.group("codes")
        if ",," not in codes and "#" not in codes:
            continue  # a comma in a sentence
        first = True
        for code in _CODE.finditer(codes):
            public = first and len(code.group()) >= MEETING_ID_DIGITS
            first = False
            if not public:
                cut = len(codes[: code.start()].rstrip(",;* #")) if code.start() else 0
                cut = _end_of_hash(codes, cut)
                count = len(_CODE.findall(codes, cut))
                start = match.start("codes") + cut
                spans.append(Span(start, match.end("codes"), (PASSWORD,) * count, ""))
                break
    for match in _SHORT_CODE.finditer(text):
        if not any(match.start() < span.end and span.start < match.end() for span in spans):
            spans.append(Span(match.start(), match.end(), (PASSWORD,), ""))
    return spans


def _end_of_hash(codes: str, cut: int) -> int:
    return cut + 1 if codes[cut : cut + 1] == "#" else cut


def _secret_after(text: str, label: re.Match[str]) -> tuple[int, bool]:
    """Where the secret after this label ends (0: there is none), and whether a sign led to it (``:`` rather "
    "than words)."""
    weak = label.group("weak") is not None
    before = _WORD_BEFORE.search(text[max(0, label.start() - 24) : label.start()])
    word_before = before.group(1).casefold() if before is not None else ""
    if weak and word_before in words.NOT_A_CODE_BEFORE:
        return 0, False
    at = label.end()
    aside = _ASIDE.match(text, at)
    at = aside.end() if aside is not None else at
    purpose = _PURPOSE.match(text, at)
    at = purpose.end() if purpose is not None else at
    verb = _VERB.match(text, at)
    at = verb.end() if verb is not None else at
    sign = _SIGN.match(text, at)
    at = sign.end() if sign is not None else at
    next_line = _NEXT_LINE.match(text, at) if sign is not None or not weak else None
    at = next_line.end() if next_line is not None else _end(_GAP, text, at)
    quoted = False
    while at < len(text) and text[at] in _OPEN_QUOTES:
        if text[at] == "[":
            return 0, False  # our own words, or a form's empty place
        quoted = quoted or text[at] not in "(<["
        at += 1
    token = _TOKEN.match(text, at)
    if token is None:
        return 0, False
    value = token.group().rstrip(_CLOSE_QUOTES)
    value_end = at + len(value)
    by_sign = sign is not None and (sign.group().strip(" \"'*") not in ("-", "–", "—") or " " in sign.group())
    signed = by_sign or next_line is not None
    lead = _Lead(weak, signed, verb is not None, quoted, word_before)
    if not _is_secret(text, label.start(), value, value_end, lead):
        return 0, False
    return _whole_secret(text, at, value, value_end, signed or verb is not None), signed


class _Lead:
    """What stands between a label and what may be its secret."""

    __slots__ = ("quoted", "signed", "verb", "weak", "word_before")

    def __init__(self, weak: bool, signed: bool, verb: bool, quoted: bool, word_before: str) -> None:
        self.weak = weak
        self.signed = signed
        self.verb = verb
        self.quoted = quoted
        self.word_before = word_before


def _is_secret(text: str, label_start: int, value: str, value_end: int, lead: _Lead) -> bool:
    bare = value.strip(".,;:!?-–—_*#")
    if not bare or not any(character.isalnum() for character in bare):
        return False
    if bare.casefold() in words.NOT_A_SECRET or bare.casefold().split("'")[0] in words.NOT_A_SECRET:
        return False
    digits = sum(character.isdigit() for character in bare)
    if digits:
        if lead.word_before in _ASKING and _TELEPHONE.match(text, value_end - len(value)):
            return False  # "for the password: 555-010-0100" tells whom to ask
        if _CLOCK.match(bare) or (digits <= 3 and _COUNTED.match(text, value_end)):
            return False
        if lead.signed or lead.verb:
            return True
        return digits >= 3 or (not lead.weak and len(bare) >= 4)
    if value.endswith(":") or _LABEL.fullmatch(bare) is not None:
        return False  # the next label
    mixed = bare[1:] != bare[1:].lower() and bare != bare.upper()
    if lead.weak:
        return lead.signed and mixed
    if lead.word_before in _NEGATION:
        return False
    ends = _ends_here(text, value_end)
    if lead.verb and not lead.signed:
        return lead.quoted or mixed or ends
    if lead.signed:
        return True
    if lead.quoted or mixed:
        return lead.word_before not in _ASKING or mixed
    starts = _starts_here(text, label_start)
    return starts and lead.word_before not in _ASKING and (ends or _PHRASE.match(text, value_end) is not None)


def _whole_secret(text: str, at: int, value: str, end: int, led: bool) -> int:
    """A secret may go on after its first word: "one day at a time", "784 130 219"."""
    if value.rstrip("#").isdigit():
        end = _end(_MORE_DIGITS, text, end)
        end = _end(_OR_ANOTHER, text, end)
    elif value.isalpha() and value == value.lower():
        end = _end(_PHRASE, text, end)
    elif value.isalpha() and led:
        end = _end(_TITLED, text, end)
    elif any(character.isdigit() for character in value):
        end = _end(_OR_ANOTHER, text, end)
    while end < len(text) and text[end] in "#\"'“”’»*`>!":
        end += 1
    if text[at - 1 : at] == "(" and text[end : end + 1] == ")":
        end += 1
    return _end(_ASIDE_OF_VALUE, text, end)


def _with_its_label(text: str, start: int, end: int, signed: bool) -> Span:
    """Take the label away with its secret where nothing else leans on it; else say what is missing."""
    lead_in = _LEAD_IN.search(text[max(0, start - 40) : start])
    if lead_in is not None:
        whole_start = start - len(lead_in.group())
        if signed or (_starts_here(text, whole_start) and _ends_here(text, end)):
            start = whole_start
    if signed or (_starts_here(text, start) and _ends_here(text, end)):
        return Span(start, end, (PASSWORD,), "")
    return Span(start, end, (PASSWORD,), WITHHELD[PASSWORD])


def _starts_here(text: str, at: int) -> bool:
    before = text[max(0, at - 6) : at].rstrip(" \t")
    return not before or before[-1] in _EDGES or before[-1].isdigit() or before[-1] == TAKEN


def _ends_here(text: str, at: int) -> bool:
    after = text[at : at + 4].lstrip(" \t")
    return not after or after[0] in _EDGES or after[0] == ")"


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match is not None else at
