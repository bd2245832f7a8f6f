"""Search: every filter against a plain loop over the listings, paging, distance, and words that try to be commands."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory_fixtures import NOW, STEWARDS, charter, listing, open_directory, slot
from hedgerow_node.bench.listings import NOW as BENCH_NOW
from hedgerow_node.bench.listings import Maker, word
from hedgerow_node.directory.query import Query, QueryError
from hedgerow_node.directory.search_match import distance_km
from hedgerow_node.directory.search_words import fold
from hedgerow_node.directory.service import Directory
from hedgerow_protocol.content import Attendance, Facets, ListingContent, Meeting, Place
from hedgerow_protocol.state import ShownListing

COUNT = 400


@pytest.fixture(scope="module")
async def many(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Directory]:
    directory = open_directory(tmp_path_factory.mktemp("many"))
    await directory.accept(list(Maker(7).envelopes(COUNT)), now=BENCH_NOW)
    yield directory
    await directory.close()


async def everything(directory: Directory, query: Query, now: int = BENCH_NOW) -> list[ShownListing]:
    """All pages of an answer."""
    found: list[ShownListing] = []
    for _ in range(COUNT + 10):
        page = await directory.search(query, now=BENCH_NOW if now == BENCH_NOW else NOW)
        assert len(page.listings) <= query.limit
        found += page.listings
        if page.next is None:
            return found
        query = replace(query, cursor=page.next)
    raise AssertionError("the pages never end")


def naive_meeting(query: Query, content: ListingContent, meeting: Meeting) -> bool:
    """Whether one meeting satisfies all that is asked about a meeting, the slow way."""
    day, start = meeting.weekday, meeting.start
    if query.tz and day is not None and start is not None:
        zone = ZoneInfo(meeting.tz)
        here = datetime.fromtimestamp(BENCH_NOW, UTC).astimezone(zone)
        moment = here.replace(hour=start // 60, minute=start % 60, second=0, microsecond=0)
        while moment.isoweekday() % 7 != day or moment < here.replace(second=0):
            moment += timedelta(days=1)
        seen = moment.astimezone(ZoneInfo(query.tz))
        day, start = seen.isoweekday() % 7, seen.hour * 60 + seen.minute
    if query.weekdays and day not in query.weekdays:
        return False
    low = 0 if query.from_min is None else query.from_min
    high = 1439 if query.until_min is None else query.until_min
    if start is None or not (low <= start <= high if low <= high else start >= low or start <= high):
        return False
    wanted = {
        None: set(Attendance),
        Attendance.ONLINE: {Attendance.ONLINE, Attendance.HYBRID},
        Attendance.IN_PERSON: {Attendance.IN_PERSON, Attendance.HYBRID},
        Attendance.HYBRID: {Attendance.HYBRID},
    }[query.attendance]
    if meeting.attendance not in wanted or not set(query.access) <= set(content.facets.features):
        return False
    languages = {language.lower() for language in content.facets.languages}
    if query.language and not any(f"{each}-".startswith(f"{query.language}-") for each in languages):
        return False
    if query.near is not None:
        place = meeting.place
        if place is None or place.latitude_e7 is None or place.longitude_e7 is None:
            return False
        where = (place.latitude_e7 / 1e7, place.longitude_e7 / 1e7)
        return distance_km(query.near[0], query.near[1], *where) <= query.near[2]
    return True


def naive(query: Query, shown: ShownListing) -> bool:
    """Whether a listing is an answer, the slow way."""
    content = shown.content
    assert content is not None
    if query.experience and query.experience not in content.experiences:
        return False
    if query.program and query.program != content.program:
        return False
    words = fold(
        " ".join(
            [content.name, content.summary, *(meeting.notes for meeting in content.meetings)]
            + [f"{m.place.name} {m.place.formatted} {m.place.city}" for m in content.meetings if m.place]
            + [content.program, *content.experiences, *content.facets.features]
        )
    )
    *whole, last = fold(query.q) or [""]
    if not set(whole) <= set(words) or (last and not any(each.startswith(last) for each in words)):
        return False
    return any(naive_meeting(query, content, meeting) for meeting in content.meetings)


queries = st.builds(
    Query,
    q=st.sampled_from(["", "", word(0), f"{word(1)} {word(3)}", word(2)[:3], f"{word(0)} {word(9)[:2]}", word(40)]),
    experience=st.sampled_from(["", "", "alcohol", "bereavement"]),
    program=st.sampled_from(["", "", "aa", "oa"]),
    weekdays=st.sampled_from([(), (0,), (2, 3), (6,)]),
    from_min=st.sampled_from([None, 0, 18 * 60, 23 * 60]),
    until_min=st.sampled_from([None, 60, 20 * 60]),
    tz=st.sampled_from(["", "Pacific/Kiritimati", "America/New_York", "Europe/Berlin"]),
    attendance=st.sampled_from([None, Attendance.ONLINE, Attendance.IN_PERSON, Attendance.HYBRID]),
    near=st.one_of(
        st.none(),
        st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([50.0, 2_000.0, 12_000.0, 20_040.0])),
    ),
    language=st.sampled_from(["", "", "en", "de", "de-at"]),
    access=st.sampled_from([(), (), ("wheelchair",), ("hearing-loop", "wheelchair")]),
    limit=st.sampled_from([7, 50, 200]),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries)
async def test_every_search_finds_what_a_plain_loop_finds(many: Directory, query: Query) -> None:
    listings = [each async for each in many.all_listings(now=BENCH_NOW)]
    expected = {each.id for each in listings if naive(query, each)}
    found = await everything(many, query)
    assert len({each.id for each in found}) == len(found), "nothing comes twice"
    assert {each.id for each in found} == expected
    if query.near is not None:
        distances = [nearest(query, each) for each in found]
        assert distances == sorted(distances)


def nearest(query: Query, shown: ShownListing) -> int:
    """Millimetres to the nearest meeting that is an answer."""
    assert shown.content is not None
    assert query.near is not None
    content, point = shown.content, query.near
    return min(
        math.floor(distance_km(point[0], point[1], m.place.latitude_e7 / 1e7, m.place.longitude_e7 / 1e7) * 1e6)
        for m in content.meetings
        if naive_meeting(query, content, m) and m.place and m.place.latitude_e7 is not None and m.place.longitude_e7
    )


async def test_pages_do_not_shift_when_something_new_comes(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    datas = list(Maker(9).envelopes(60))
    await directory.accept(datas[:50], now=BENCH_NOW)
    first = await directory.search(Query(limit=20), now=BENCH_NOW)
    await directory.accept(datas[50:], now=BENCH_NOW)
    rest = await everything(directory, Query(limit=20, cursor=first.next or ""))
    seen = [each.id for each in (*first.listings, *rest)]
    assert len(seen) == len(set(seen)) == 49
    await directory.close()


@pytest.mark.parametrize(
    "words",
    [
        '"', "'", "*", "a*", "NEAR(a b)", "a AND", "OR", "NOT a", "words:a", "{words}: a", "^a", "(", ")", "a + b",
        'x" OR "y', "-a", "a;DROP TABLE text", "%", "_w0", "\\",
        "\u0000", "｢a｣", "🙂", "中文",
        "\u200fעברית", "_d3", "|",
    ],
)  # fmt: skip
async def test_words_are_never_commands(many: Directory, words: str) -> None:
    page = await many.search(Query(q=words), now=BENCH_NOW)
    listings = [each async for each in many.all_listings(now=BENCH_NOW)]
    if not fold(words):
        assert page.listings == ()
    else:
        assert len(page.listings) < len(listings)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "=", "%%%", "A" * 40, "é", "A" * 29])
async def test_a_cursor_of_somebody_else(many: Directory, cursor: str) -> None:
    with pytest.raises(QueryError) as raised:
        await many.search(Query(cursor=cursor), now=BENCH_NOW)
    assert raised.value.field == "cursor"


async def test_a_cursor_belongs_to_its_search(many: Directory) -> None:
    page = await many.search(Query(limit=5), now=BENCH_NOW)
    assert page.next is not None
    with pytest.raises(QueryError):
        await many.search(Query(limit=5, q=word(0), cursor=page.next), now=BENCH_NOW)
    assert (await many.search(Query(limit=9, cursor=page.next), now=BENCH_NOW)).listings


async def say(directory: Directory, *contents: ListingContent) -> None:
    founding = charter()
    said = [listing(slot(founding.rid, bytes([n])), content) for n, content in enumerate(contents)]
    outcomes = await directory.accept([founding.to_bytes(), *(each.to_bytes() for each in said)], now=NOW)
    assert len(outcomes) == len(said) + 1


async def names(directory: Directory, query: Query) -> list[str]:
    return [each.name for each in (await directory.search(query, now=NOW)).listings]


async def test_accents_case_and_the_beginning_of_the_last_word(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    await say(
        directory,
        ListingContent(name="Café Élan", summary="Trauernde in Köln"),
        ListingContent(name="STRAẞE", summary="Ångström"),
        ListingContent(name="Тихий круг", experiences=("mental-health",)),
    )
    assert await names(directory, Query(q="CAFE elan")) == ["Café Élan"]
    assert await names(directory, Query(q="koln")) == ["Café Élan"]
    assert await names(directory, Query(q="trau")) == ["Café Élan"]
    assert await names(directory, Query(q="trau koln")) == [], "only the last word may be a beginning"
    assert await names(directory, Query(q="strasse")) == ["STRAẞE"]
    assert await names(directory, Query(q="angstrom")) == ["STRAẞE"]
    assert await names(directory, Query(q="тихий кру")) == ["Тихий круг"]
    assert await names(directory, Query(q="mental")) == ["Тихий круг"]
    await directory.close()


async def test_names_come_first(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    await say(
        directory,
        ListingContent(name="Lantern"),
        ListingContent(name="Evening", summary="We meet by the lantern."),
        ListingContent(name="Morning", summary="lantern lantern lantern"),
    )
    assert (await names(directory, Query(q="lantern")))[0] == "Lantern"
    await directory.close()


async def test_one_meeting_must_satisfy_everything(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    online = Meeting(slug="a", weekday=1, start=600, attendance=Attendance.ONLINE)
    here = Meeting(
        slug="b", weekday=2, start=1200, attendance=Attendance.IN_PERSON, place=Place(latitude_e7=0, longitude_e7=0)
    )
    spanish = Meeting(slug="c", weekday=3, start=1200, facets=Facets(languages=("es",), features=("wheelchair",)))
    await say(directory, ListingContent(name="Three", meetings=(online, here, spanish)))
    assert await names(directory, Query(weekdays=(1,), from_min=540)) == ["Three"]
    assert await names(directory, Query(weekdays=(1,), from_min=660)) == []
    assert await names(directory, Query(weekdays=(2,), attendance=Attendance.ONLINE)) == []
    assert await names(directory, Query(weekdays=(3,), language="es", access=("wheelchair",))) == ["Three"]
    assert await names(directory, Query(weekdays=(2,), language="es")) == []
    assert await names(directory, Query(near=(0, 0, 1), weekdays=(2,))) == ["Three"]
    assert await names(directory, Query(near=(0, 0, 1), weekdays=(1,))) == []
    await directory.close()


async def test_the_asker_s_weekday_and_daylight_saving(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    late = Meeting(slug="late", weekday=0, start=23 * 60 + 30, tz="America/New_York")
    unknown = Meeting(slug="u", weekday=0, start=23 * 60 + 30)
    rule = Meeting(slug="r", rrule="FREQ=MONTHLY;BYDAY=2TH", first="2026-01-08", start=1140, tz="Europe/Berlin")
    await say(
        directory,
        ListingContent(name="Late", meetings=(late,)),
        ListingContent(name="Unknown", meetings=(unknown,)),
        ListingContent(name="Second Thursday", meetings=(rule,)),
    )
    assert set(await names(directory, Query(weekdays=(0,)))) == {"Late", "Unknown"}
    assert await names(directory, Query(weekdays=(1,), tz="Europe/Berlin")) == ["Late"]
    assert await names(directory, Query(weekdays=(0,), tz="Europe/Berlin")) == ["Unknown"]
    # September: New York is 6 hours behind Berlin. Late March, when only New York has changed: 5.
    assert await names(directory, Query(weekdays=(1,), tz="Europe/Berlin", from_min=330, until_min=330)) == ["Late"]
    march = int(datetime(2027, 3, 20, tzinfo=UTC).timestamp())
    founding = charter(nonce=b"m" * 16)
    again = listing(slot(founding.rid, b"x", issued=march), ListingContent(name="March", meetings=(late,)))
    await directory.accept([founding.to_bytes(), again.to_bytes()], now=march)  # type: ignore[arg-type]
    query = Query(weekdays=(1,), tz="Europe/Berlin", from_min=270, until_min=270)
    page = await directory.search(query, now=march)  # type: ignore[arg-type]
    assert [each.name for each in page.listings] == ["March"]
    assert await names(directory, Query(weekdays=(4,), from_min=1140, until_min=1140)) == ["Second Thursday"]
    await directory.close()


async def test_in_dispute_only_the_name_is_found(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)
    founding = charter(STEWARDS[:1])
    meeting = Meeting(slug="m", weekday=1, start=600, place=Place(latitude_e7=0, longitude_e7=0))
    said = listing(
        slot(founding.rid),
        ListingContent(name="Lantern circle", summary="Upstairs", experiences=("caring",), meetings=(meeting,)),
    )
    forks = [
        charter([STEWARDS[n]], 1, previous=founding, position=1, signers=[STEWARDS[0], STEWARDS[n]]) for n in (1, 2)
    ]
    await directory.accept([each.to_bytes() for each in (founding, said, *forks)], now=NOW)
    for query in (Query(), Query(q="lantern"), Query(q="circ")):
        (shown,) = (await directory.search(query, now=NOW)).listings
        assert shown.in_dispute
        assert shown.content is None
    for query in (
        Query(q="upstairs"), Query(experience="caring"), Query(weekdays=(1,)), Query(near=(0, 0, 10)),
        Query(q="lantern upstairs"),
    ):  # fmt: skip
        assert await names(directory, query) == []
    await directory.close()


async def test_around_the_date_line_and_the_poles(tmp_path: Path) -> None:
    directory = open_directory(tmp_path)

    def at(name: str, latitude: float, longitude: float) -> ListingContent:
        place = Place(latitude_e7=round(latitude * 1e7), longitude_e7=round(longitude * 1e7))
        return ListingContent(name=name, meetings=(Meeting(slug="m", place=place),))

    await say(
        directory,
        at("West of the line", -17, 179.9),
        at("East of it", -17, -179.9),
        at("North", 89.9, 10),
        at("Beyond the pole", 89.9, -170),
        at("Greenwich", 51.5, 0),
    )
    assert await names(directory, Query(near=(-17, 180, 50))) == ["West of the line", "East of it"]
    assert await names(directory, Query(near=(-17, -179.95, 50))) == ["East of it", "West of the line"]
    assert await names(directory, Query(near=(89.95, 10, 100))) == ["North", "Beyond the pole"]
    assert (await names(directory, Query(near=(51.5, 0, 20_040))))[0] == "Greenwich"
    assert len(await names(directory, Query(near=(51.5, 0, 20_040)))) == 5
    await directory.close()
