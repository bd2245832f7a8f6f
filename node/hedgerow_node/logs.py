"""Logging that holds no names, bodies, addresses, tokens or search terms.

Messages are constant sentences with fields; a filter below is the last net for what slips in: e-mail and IP
addresses, long identifiers, the query of a web address. Uses the standard library, to standard error.
"""

import logging
import re
import sys

_REDACTIONS = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<e-mail>"),
    (re.compile(r"(?<=[?#])[^\s\"']+"), "<query>"),
    (re.compile(r"\b(?!127\.0\.0\.1\b)\d{1,3}(?:\.\d{1,3}){3}\b"), "<address>"),
    (
        re.compile(r"(?<![\w:])(?!::1\b)(?:(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}|[0-9a-fA-F:]*::[0-9a-fA-F:]*)"),
        "<address>",
    ),
    (re.compile(r"\b([a-z2-7]{6})[a-z2-7]{20,}\b"), r"\1…"),
    (re.compile(r"\b([0-9a-fA-F]{6})[0-9a-fA-F]{26,}\b"), r"\1…"),
)


def redact(text: str) -> str:
    """The text without e-mail addresses, IP addresses of others, queries, and with identifiers cut short."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        lines = [redact(record.getMessage())]
        if record.exc_info:
            # The text of an exception may quote what a stranger sent, so its last line is redacted like all others.
            lines += [redact(line) for line in self.formatException(record.exc_info).splitlines()]
        return f"{time} {record.levelname.lower()} {record.name}: " + "\n  ".join(lines)


def set_up(level: str) -> None:
    """Log to standard error from this level on (``debug``, ``info``, ``warning``, ``error``)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # aiohttp's access log holds visitors' addresses and what they asked for; it is never written.
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("asyncio").setLevel(logging.WARNING)
