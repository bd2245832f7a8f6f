"""One door is knocked at rarely, whoever is said to live behind it."""

from hedgerow_protocol.closed_doors import DOORS_MAX, REST_SECONDS_MAX, ClosedDoors, door_of
from hedgerow_protocol.ports import Instant


def test_a_door_rests_longer_each_time_and_not_for_ever() -> None:
    doors, now, knocks = ClosedDoors(), Instant(0.0), 0
    while now < 86_400:
        if not doors.rests("http://198.51.100.7:8470", now):
            knocks += 1
            doors.failed("http://198.51.100.7:8470", now)
        now = Instant(now + 1.0)
    assert 24 <= knocks <= 30
    assert doors.rests("http://198.51.100.7:8470", now)
    assert not doors.rests("http://198.51.100.7:8470", Instant(now + REST_SECONDS_MAX))


def test_an_answer_opens_it() -> None:
    doors = ClosedDoors()
    doors.failed("https://a.example.org/x", Instant(0.0))
    assert doors.rests("https://a.example.org:444/y", Instant(1.0))
    doors.opened("https://a.example.org")
    assert not doors.rests("https://a.example.org/x", Instant(1.0))


def test_a_door_is_a_host_and_at_home_also_a_port() -> None:
    assert door_of("http://198.51.100.7:8470/a") == door_of("https://198.51.100.7") == "198.51.100.7"
    assert door_of("http://[2001:db8::1]:80") == door_of("http://[2001:db8::1]:8470/b")
    assert door_of("http://127.0.0.1:1") != door_of("http://127.0.0.1:2")


def test_few_are_remembered() -> None:
    doors = ClosedDoors()
    for number in range(DOORS_MAX + 10):
        doors.failed(f"http://a{number}.example.org", Instant(0.0))
    assert not doors.rests("http://a0.example.org", Instant(1.0))
    assert doors.rests(f"http://a{DOORS_MAX}.example.org", Instant(1.0))
