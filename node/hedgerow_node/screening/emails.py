"""E-mail addresses, also those written so that machines miss them ("name [at] example dot org").

Every search starts from a sign that is rare ("@", "at" in brackets, "%40") and looks a bounded number of characters to
both sides, so the work grows with the length of the text and nothing else.
"""

import re
from typing import Final

from hedgerow_node.screening.spans import EMAIL, WITHHELD, Span

_SIGN = re.compile(
    r"[@＠﹫]{1,3}|&#0{0,4}64;|&#x0{0,4}40;|&commat;|%40"
    r"|[\[({<]\s{0,2}(?:at|@|arroba|arobase|ät|bei|kukac|małpa|zavináč|собака)\s{0,2}[\])}>]"
    r"|(?<=[\s_*-])(?:at|AT|At|arroba)(?=[\s_*-])",
    re.IGNORECASE,
)
_PLAIN_AT = frozenset({"at", "arroba"})
_LOCAL_MARKS = frozenset("._%+-'’!#$&*=?^`{|}~/\u200b\u200c\u200d\u2060\ufeff\u00ad")
_LOCAL_MAX = 64
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"

_LABEL = rf"[^\W_][\w{_INVISIBLE}-]{{0,62}}"
_TOP = r"(?:xn--[a-z0-9-]{2,40}|[^\W\d_]{2,24})(?![\w])"
_DOT_HIDDEN = (
    r"(?:\s{0,2}[\[({<]\s{0,2}(?:dot|\.|punkt|punto|point|ponto|kropka|точка)\s{0,2}[\])}>]\s{0,2}|\s{1,2}dot\s{1,2})"
)
_SLIPPED = r"(?:\s[.]|[,．。]|[.]\s)(?:com|org|net|edu|info)(?![\w])"
"""A dot that became a comma, or has a space beside it."""
_DOMAIN = re.compile(rf"{_LABEL}(?:(?:[.．。]{_LABEL}){{0,7}}?[.．。]{_TOP}|{_SLIPPED})", re.IGNORECASE)
_HIDDEN_DOMAIN = re.compile(rf"{_LABEL}(?:(?:\.|{_DOT_HIDDEN}){_LABEL}){{0,6}}?{_DOT_HIDDEN}{_TOP}", re.IGNORECASE)
_FREE_MAIL = re.compile(
    r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|live|msn|icloud|aol|gmx|web|proton|protonmail|mail|comcast|"
    r"verizon|sbcglobal|att|me|mac|t-online|orange|free|laposte|libero|wp|o2|seznam)\.",
    re.IGNORECASE,
)
_MAIL_CUE = re.compile(
    r"(?:e-?mails?|mailto|mail|courriel|correo|poczt|write|schreib|contact|kontakt|contacto|reach)\W{0,3}"
    r"(?:(?:to|us|me|an|a|at|is|for|the|group|info|address|den|die|him|her)\W{1,2}){0,3}$",
    re.IGNORECASE,
)
_CUE_WINDOW: Final = 40
_OF_A_PERSON = re.compile(r"[^\W\d_]{2,30}(?:[._][^\W\d_]{1,30}|\d{1,6})")
"""What stands before the "@" of a mailbox and hardly ever before the "@" of a sentence: "jane.roe", "jane77"."""
_MAILTO = re.compile(r"mailto:(?://)?$", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s<>\"]{1,300}")


def find_emails(text: str) -> list[Span]:
    """Every e-mail address in a text, in order, without overlaps."""
    spans: list[Span] = []
    behind = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < behind:
            continue
        found = _around(text, sign, behind)
        if found is not None:
            start, end = found
            prefix = _MAILTO.search(text, max(behind, start - 9), start)
            if prefix is not None:
                start = prefix.start()
                query = _QUERY.match(text, end)
                end = query.end() if query is not None else end
            spans.append(Span(start, end, (EMAIL,), WITHHELD[EMAIL]))
            behind = end
    return spans


def _around(text: str, sign: re.Match[str], behind: int) -> tuple[int, int] | None:
    at, after = sign.start(), sign.end()
    word = sign.group().casefold()
    spaced_right = text[after : after + 1].isspace()
    spaced_left = at > 0 and text[at - 1].isspace()
    after += 1 if spaced_right else 0
    while text[after : after + 1] in _INVISIBLE and after < len(text):
        after += 1
    start, edge = _local(text, at - (1 if spaced_left else 0), behind)
    if start == edge:
        return None
    domain = _HIDDEN_DOMAIN.match(text, after)
    if domain is not None and (word in _PLAIN_AT or not _plain_is_longer(text, after, domain.end())):
        return start, domain.end()
    domain = _DOMAIN.match(text, after)
    if domain is None:
        return None
    if (word in _PLAIN_AT or spaced_left or spaced_right) and not word.startswith(("[", "(", "{", "<", "&", "%")):
        # "Join us @ example.org" and "meet at example.org" are sentences unless something speaks of mail.
        cued = _MAIL_CUE.search(text[max(behind, start - _CUE_WINDOW) : start]) is not None
        mailbox = word not in _PLAIN_AT and _OF_A_PERSON.fullmatch(text, start, edge) is not None
        if not cued and not mailbox and _FREE_MAIL.match(domain.group()) is None:
            return None
        if domain.group().casefold().startswith("www."):
            return None
    return start, domain.end()


def _plain_is_longer(text: str, after: int, end: int) -> bool:
    plain = _DOMAIN.match(text, after)
    return plain is not None and plain.end() >= end


def _local(text: str, edge: int, behind: int) -> tuple[int, int]:
    """Where the part before the "@" begins, walking left from ``edge``; equal to ``edge`` when there is none."""
    start = edge
    lowest = max(behind, edge - _LOCAL_MAX)
    while start > lowest and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_MARKS):
        start -= 1
    # An address begins with a letter or a digit: quotes, slashes and stars before it belong to the sentence. A slash
    # inside belongs to a path.
    slash = text.rfind("/", start, edge)
    start = max(start, slash + 1)
    while start < edge and not text[start].isalnum():
        start += 1
    return start, edge
