"""Readers of single settings: text or a TOML value in, the value the node uses out.

Each raises :class:`ValueError` with the end of a sentence that begins with the setting's name.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from hedgerow_protocol import limits


def one_line(characters_max: int = limits.SHORT_CHARACTERS_MAX) -> Callable[[Any], str]:
    """One line of printable text."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > characters_max or not value.isprintable():
            raise ValueError(f"is one line of at most {characters_max} characters")
        return value.strip()

    return read


def whole_number(low: int, high: int) -> Callable[[Any], int]:
    """A whole number within bounds, also as text."""

    def read(value: Any) -> int:
        wrong = f"is a whole number from {low} to {high}"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(wrong)
        text = str(value).strip()
        if not text.isascii() or not text.isdecimal() or len(text) > 12 or not low <= int(text) <= high:
            raise ValueError(wrong)
        return int(text)

    return read


def yes_or_no(value: Any) -> bool:
    """True or false, also as a word."""
    if isinstance(value, bool):
        return value
    answers = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    if not isinstance(value, str) or value.strip().lower() not in answers:
        raise ValueError("is true or false")
    return answers[value.strip().lower()]


def choice(*allowed: str) -> Callable[[Any], str]:
    """One of these words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value.strip().lower() not in allowed:
            raise ValueError(f"is one of {', '.join(allowed)}")
        return value.strip().lower()

    return read


def host(value: Any) -> str:
    """A host name or an IP address to listen on."""
    text = one_line()(value)
    if not text or any(c.isspace() or c in "/?#@" for c in text) or (":" in text and not _is_network(text)):
        raise ValueError("is an address or a host name without a port, such as 127.0.0.1 or ::1")
    return text


def web_address(value: Any) -> str:
    """An http(s) address without a final slash. Raises :class:`ValueError`."""
    text = one_line(limits.URL_CHARACTERS_MAX)(value)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if (
        not port_is_fine
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
        or " " in text
    ):
        raise ValueError("is a web address such as https://hedgerow.example.org")
    return text.rstrip("/")


def onion(value: Any) -> str:
    """A version 3 onion service's address, as ``http://`` and 56 letters and digits. Raises :class:`ValueError`."""
    text = one_line()(value).lower()
    if not text:
        return ""
    address = web_address(text if "://" in text else f"http://{text}")
    name, _, ending = (urlsplit(address).hostname or "").rpartition(".")
    if ending != "onion" or len(name) != 56 or not set("abcdefghijklmnopqrstuvwxyz234567").issuperset(name):
        raise ValueError("is an onion address: 56 letters and digits and .onion")
    return address


def host_and_port(value: Any) -> str:
    """``host:port`` of a service on this machine or near it. Raises :class:`ValueError`."""
    text = one_line()(value)
    if not text:
        return ""
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        port = None
    if not port or not parts.hostname or parts.netloc != text or parts.username:
        raise ValueError("is a host and a port such as 127.0.0.1:9050")
    return text


def network(value: Any) -> str:
    """An IP address or network."""
    text = one_line()(value)
    if not _is_network(text):
        raise ValueError("is an IP address or a network such as 10.0.0.0/8")
    return text


def _is_network(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def country(value: Any) -> str:
    """An ISO 3166-1 alpha-2 code, or nothing."""
    text = one_line()(value).upper()
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError("is a country's two letters, such as IE or NZ")
    return text


def locale(value: Any) -> str:
    """A language tag."""
    text = one_line(35)(value)
    parts = text.split("-")
    if not 2 <= len(parts[0]) <= 3 or not all(part.isascii() and part.isalnum() for part in parts):
        raise ValueError("is a language tag such as en or pt-BR")
    return text


def file_name(value: Any) -> str:
    """The name of a file."""
    text = one_line(limits.URL_CHARACTERS_MAX)(value)
    if not text:
        raise ValueError("is the name of a file")
    return text
