"""Counting records in what is sent."""

import pytest

from hedgerow_node.net.traffic import is_letter, records_of
from hedgerow_protocol import messages


@pytest.mark.parametrize("number", [0, 1, 200, 70_000, 2**40])
@pytest.mark.parametrize("many", [0, 1, 15, 16, 200])
def test_records_are_counted_as_they_are_written(number: int, many: int) -> None:
    assert records_of(messages.encode(messages.Records(number, (b"envelope",) * many))) == many


def test_other_messages_carry_none() -> None:
    assert records_of(messages.encode(messages.Graft())) == 0
    assert records_of(messages.encode(messages.Peers((b"a", b"b")))) == 0
    assert records_of(messages.encode(messages.Got(4))) == 0
    assert records_of(b"") == 0


def test_a_letter_is_known_by_its_frame() -> None:
    assert is_letter(messages.encode(messages.Letter(b"x")))
    assert is_letter(messages.encode(messages.Letter(bytes(60_000))))
    for other in (messages.Graft(), messages.Records(0, (b"envelope",)), messages.CircuitClosed(22, 0)):
        assert not is_letter(messages.encode(other))
    assert not is_letter(b"")
