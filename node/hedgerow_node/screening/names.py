"""Surnames of contacts: "Jane Doe" becomes "Jane D." where a text presents somebody to speak to."""

import re
from collections.abc import Iterable

from hedgerow_node.screening.spans import SURNAME, Span
from hedgerow_node.screening.words import NOT_A_NAME, words_of

_CUE = re.compile(
    r"(?<![^\W_])(?:contact(?:\sperson)?s?|call|text|phone|e-?mail|message|reach(?:\sout\sto)?|ask\sfor|"
    r"speak\s(?:to|with)|"
    r"talk\sto|write\sto|see|rsvp\s(?:to|with)|c/o|(?:led|hosted|facilitated|chaired|run|moderated|organi[sz]ed|"
    r"guided|taught)\sby|"
    r"facilitators?|leaders?|secretary|treasurer|chair(?:person|man|woman)?|co-?chair|gsr|dcm|hosts?|co-?hosts?|"
    r"coordinators?|"
    r"organi[sz]er|moderator|convenor|convener|instructor|teacher|volunteer|sponsor|questions\?|"
    r"info(?:rmation)?|(?:home|house)\sof|"
    r"kontakt(?:person)?|ansprechpartner(?:in)?|ansprechperson|leitung|bei|contacto|contactar(?:\scon|\sa)?|llamar\sa|"
    r"preguntar\spor|coordinador[a]?|contattare|referente|contacter|appeler|animée?\spar|responsable|"
    r"contactpersoon|kontaktperson|"
    r"osoba\skontaktowa|prowadz[aą]c[ya]|yhteyshenkil[oö]|kapcsolattart[oó])(?![^\W_])"
    r"[ \t]{0,2}(?:(?:the|our|is|are|at|or|and|to|with|for|us|person|name|leader|host|secretary|text|call|email|"
    r"facilitator)\s){0,3}"
    r"[ \t]{0,2}(?P<sign>[:=–-]?)[ \t]{0,3}",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[ \t]{0,2}([^\W\d_][\w’'‑-]{0,30}\.?)")
_AND = re.compile(r"[ \t]{0,2}(?:,|&|/|and\b|und\b|y\b|et\b|or\b|\+)[ \t]{0,2}", re.IGNORECASE)
_TITLES = words_of(
    "dr dr. mr mr. mrs mrs. ms ms. miss rev rev. reverend pastor sister brother father fr. herr frau sr. sra. mme "
)
_FORMAL = words_of("dr mr mrs ms miss herr frau sr sra mme")
_PARTICLES = words_of("van von der den de del della di da dos du la le los y zu ter ten bin ibn al el af av of")
_ROLE = re.compile(
    r"(?i)\b(?:office|group|helpline|hotline|line|intergroup|team|secretary|treasurer|chair|coordinator|"
    r"committee|webmaster|"
    r"admin|info|service|services|meeting|member|contact|host|facilitator|church|cent(?:er|re)|association|"
    r"society|foundation|"
    r"hospice|hospital|clinic|library|gsr|district|area|region|council|desk|reception|support|staff|volunteers?|"
    r"phone|zoom|b[uü]ro|"
    r"gruppe|selbsthilfe\w*|kontaktstelle|verein|oficina|grupo|bureau|groupe|association|secretariat|"
    r"secr[ée]tariat|anon\w*|aa|na|"
    r"recovery|community|charity|trust|network|project|online|general|main|public|e\.?v\.?|inc|ltd|llc|gmbh)\b"
)


_HOME = r"(?:home|house|apartment|apt|flat|condo|residence|garage|backyard|living room)"
_OF_A_HOME = re.compile(
    rf"(?<![^\W_])(?P<first>[A-ZÀ-Þ][\w’'-]{{1,20}})\s(?P<last>[A-ZÀ-Þ][\w-]{{1,20}}?)(?:['’]s|(?<=s)['’])\s"
    rf"(?i:(?:private|family)\s)?(?i:{_HOME})(?![^\W_])(?!\s(?i:church|hall|of|caf[eé]|restaurant|bar))"
    rf"|(?<![^\W_])(?i:{_HOME}\sof)\s(?P<first_of>[A-ZÀ-Þ][\w’'-]{{1,20}})\s(?P<last_of>[A-ZÀ-Þ][\w’-]{{1,20}})(?!\w)"
)
"""Two words that say whose home it is: a surname even where venues bear surnames."""


def find_surnames_of_homes(text: str) -> list[Span]:
    """Surnames of those in whose home people meet: "Jane Doe's house", "the home of Jane Doe"."""
    spans: list[Span] = []
    for match in _OF_A_HOME.finditer(text):
        first, last = ("first", "last") if match["first"] else ("first_of", "last_of")
        if _plain(match[first]) in NOT_A_NAME or _plain(match[last]) in NOT_A_NAME:
            continue
        spans.append(Span(match.start(last), match.end(last), (SURNAME,), f"{match[last][0]}."))
    return spans


def surname_withheld(name: str) -> str:
    """A contact's name without the surname: "Doe, Jane" and "Jane Doe" give "Jane D."; a role or office stays "
    "as it is."""
    if _ROLE.search(name) is not None:
        return name
    if name.count(",") == 1:
        last, _, first = name.partition(",")
        if len(last.split()) <= 2 and first.strip() and len(first.split()) <= 2 and not _is_initial(first.strip()):
            name = f"{first.strip()} {last.strip()}"
    people = re.split(r"(\s*(?:&|/|;|,|\band\b|\bund\b|\by\b|\bet\b)\s*)", name)
    return "".join(part if index % 2 else _short(part) for index, part in enumerate(people))


def _short(person: str) -> str:
    spare = person.split("(")[0]
    parts = spare.split()
    head = parts[:1]
    while len(head) < len(parts) and head[-1].casefold() in _TITLES:
        head = parts[: len(head) + 1]
    rest = parts[len(head) :]
    names = [part for part in rest if part.casefold() not in _PARTICLES] or rest
    if not rest and len(head) == 2 and head[0].strip(".").casefold() in _FORMAL and not _is_initial(head[1]):
        head, names = head[:1], head[1:]
    if not names or all(_is_initial(part) for part in names):
        return person
    last = names[-1] if not _is_initial(names[-1]) else next(part for part in names if not _is_initial(part))
    first_letter = next((character for character in last if character.isalpha()), "")
    if not first_letter:
        return person
    return " ".join([*head, f"{first_letter}."]) + (" " + person[len(spare) :] if len(spare) < len(person) else "")


def _is_initial(part: str) -> bool:
    return len(part.strip(".,")) <= 1


def find_surnames(text: str, beside: Iterable[int] = ()) -> list[Span]:
    """Surnames behind a cue ("contact", "led by") or straight before one of the places ``beside`` (a phone, an "
    "e-mail)."""
    spans: list[Span] = []
    behind = 0
    for cue in _CUE.finditer(text):
        at = max(cue.end(), behind)
        signed = bool(cue.group("sign"))
        for _ in range(4):
            span, end = _name_at(text, at, signed)
            if span is not None:
                spans.append(span)
                behind = end
            if end == at:
                break
            again = _AND.match(text, end)
            if again is None:
                break
            at = again.end()
    for place in beside:
        span = _name_before(text, place)
        if span is not None and not any(span.start < other.end and other.start < span.end for other in spans):
            spans.append(span)
    spans.sort(key=lambda each: each.start)
    return spans


def _name_at(text: str, at: int, signed: bool) -> tuple[Span | None, int]:
    """The surname of a name that begins here, if one does; and where the name ends (``at`` when there is none)."""
    tokens: list[tuple[int, int, str]] = []
    end = at
    while len(tokens) < 6:
        match = _TOKEN.match(text, end)
        if match is None:
            break
        word = match.group(1)
        particle = bool(tokens) and word in _PARTICLES
        if not word[0].isupper() and not particle:
            break
        if word.endswith(".") and len(word) > 3 and word.casefold() not in _TITLES:
            tokens.append((match.start(1), match.end(1) - 1, word[:-1]))
            end = match.end(1) - 1
            break
        tokens.append((match.start(1), match.end(1), word))
        end = match.end(1)
    while tokens and tokens[0][2].casefold() in _TITLES:
        tokens = tokens[1:]
    while tokens and tokens[-1][2] in _PARTICLES:
        tokens.pop()
    if not tokens:
        return None, at
    end = tokens[-1][1]
    return _surname_span(tokens, signed), end


def _surname_span(tokens: list[tuple[int, int, str]], signed: bool) -> Span | None:
    """``Jane van Doe``: from the second word to the last becomes one initial."""
    names = [token for token in tokens if token[2] not in _PARTICLES]
    if not 2 <= len(names) <= 4 or _is_initial(names[0][2]):
        return None
    if any(_plain(word) in NOT_A_NAME for _, _, word in names):
        return None
    if all(word.isupper() and len(word) > 1 for _, _, word in names) and not signed:
        return None  # a shouted sentence, more likely than a name
    last = names[-1]
    if _is_initial(last[2]):
        return None
    return Span(tokens[1][0], last[1], (SURNAME,), f"{last[2][0]}.")


def _plain(word: str) -> str:
    return word.strip(".").casefold().replace("’", "'")


_WORDS_BEFORE = re.compile(
    r"((?:[^\W\d_][\w’'-]{0,30}\.?[ \t]{1,2}){1,3}[^\W\d_][\w’'-]{0,30}|"
    r"[^\W\d_][\w’'-]{0,30}[ \t]{1,2}[^\W\d_][\w’'-]{0,30})[\s:,(–-]{1,4}$"
)


def _name_before(text: str, place: int) -> Span | None:
    """A name that stands straight before a number or an address."""
    window_start = max(0, place - 70)
    match = _WORDS_BEFORE.search(text[window_start:place])
    if match is None:
        return None
    shift = window_start + match.start(1)
    found = re.finditer(r"[^\W\d_][\w’'-]*\.?", match.group(1))
    tokens = [(shift + each.start(), shift + each.end(), each.group()) for each in found]
    named: list[tuple[int, int, str]] = []
    for token in reversed(tokens):
        word = token[2]
        if not (word[0].isupper() or (named and word in _PARTICLES)) or _plain(word) in NOT_A_NAME:
            break
        named.insert(0, token)
    while named and named[0][2] in _PARTICLES:
        named.pop(0)
    return _surname_span(named, True) if len(named) >= 2 else None
