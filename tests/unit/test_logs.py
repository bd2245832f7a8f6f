"""What slips into a log message does not reach the log."""

import io
import logging

import pytest

from hedgerow_node import logs


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("mail from ann.example@mail.example.org came", "ann.example"),
        ("caller 203.0.113.9 is slow", "203.0.113.9"),
        ("caller 2001:db8::17:5 is slow", "2001:db8"),
        ("GET /search?q=grief&near=53.3,6.2 took long", "grief"),
        ("enter#BBMGFIE3Q5UPOQFAIRXCTUHQQL6D35DO", "BBMGFIE3"),
        ("listing if4tf4ziitdzouvp6ga6jvogtpbcjlz5 changed", "if4tf4ziitdzouvp6ga6jvogtpbcjlz5"),
        ("record " + "0f" * 32 + " came", "0f" * 32),
    ],
)
def test_private_details_are_cut(said: str, never: str) -> None:
    assert never not in logs.redact(said)


@pytest.mark.parametrize("said", ["Listening at http://127.0.0.1:8470/", "12:30:05 took 3.5 s", "version 1.2.3", "::1"])
def test_harmless_words_stay(said: str) -> None:
    assert logs.redact(said) == said


def test_an_exception_is_redacted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    try:
        logs.set_up("info")
        try:
            raise ValueError("no such person: bo@example.org")
        except ValueError:
            logging.getLogger("hedgerow_node.test").exception("It did not work for %s", "198.51.100.7")
        logging.getLogger("aiohttp.access").error("198.51.100.7 GET /")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("aiohttp.access").disabled = False
    assert "It did not work for <address>" in stream.getvalue()
    assert "bo@example.org" not in stream.getvalue()
    assert "198.51" not in stream.getvalue()
