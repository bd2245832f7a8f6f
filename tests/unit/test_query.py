"""Parameters of a search, and the sentences for those that cannot be understood."""

import pytest

from hedgerow_node.directory.query import Query, QueryError, query_from_params
from hedgerow_protocol.content import Attendance


def test_everything_at_once() -> None:
    query = query_from_params(
        [
            ("q", " quiet room "), ("experience", "Bereavement"), ("program", "AA"), ("weekday", "3"), ("weekday", "0"),
            ("weekday", "3"), ("from", "18:00"), ("until", "9:30"), ("tz", "Europe/Berlin"),
            ("attendance", "in_person"),
            ("near", "52.5, 13.4, 10"), ("language", "de_AT"), ("access", "wheelchair,hearing-loop"), ("limit", "200"),
        ]
    )  # fmt: skip
    assert query == Query(
        q="quiet room",
        experience="bereavement",
        program="aa",
        weekdays=(0, 3),
        from_min=18 * 60,
        until_min=9 * 60 + 30,
        tz="Europe/Berlin",
        attendance=Attendance.IN_PERSON,
        near=(52.5, 13.4, 10.0),
        language="de-at",
        access=("hearing-loop", "wheelchair"),
        limit=200,
    )


def test_empty_fields_are_not_given() -> None:
    assert query_from_params([("q", ""), ("weekday", " "), ("near", ""), ("limit", "")]) == Query()
    assert not Query().filtered
    assert Query(q="x").filtered


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("q", "x" * 201),
        ("weekday", "7"),
        ("weekday", "monday"),
        ("weekday", "٣"),
        ("from", "24:00"),
        ("from", "1830"),
        ("until", "18:60"),
        ("until", "-1:30"),
        ("tz", "Europe/Atlantis"),
        ("tz", "../etc/passwd"),
        ("attendance", "telepathy"),
        ("near", "1,2"),
        ("near", "91,0,1"),
        ("near", "0,181,1"),
        ("near", "0,0,0"),
        ("near", "0,0,99999"),
        ("near", "nan,0,1"),
        ("near", "a,b,c"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("limit", "²"),
        ("access", ",".join("abcdefghi")),
        ("cursor", "x" * 121),
        ("sort", "popular"),
    ],
)
def test_what_cannot_be_understood(name: str, value: str) -> None:
    with pytest.raises(QueryError) as raised:
        query_from_params([(name, value)])
    assert raised.value.field == name
    assert str(raised.value).endswith(".")


def test_a_filter_given_twice() -> None:
    with pytest.raises(QueryError, match="more than once"):
        query_from_params([("q", "a"), ("q", "b")])
