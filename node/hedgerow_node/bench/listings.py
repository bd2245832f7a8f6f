"""Made-up listings from a seed: words as unevenly common as in a language (Zipf), places in clusters, some directories.

No real group, person or place is in them.
"""

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - sample data from a seed is the point
from typing import Final

from hedgerow_protocol.content import (
    Attendance,
    Contact,
    Facets,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
)
from hedgerow_protocol.envelope import Kind, sign
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.limits import CHARTER_ENTRIES_MAX
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Charter, Listing, Slot

NOW: Final = Timestamp(1_790_000_000)
"""The time at which all of it happens."""

LEASE_SECONDS: Final = 90 * 86_400

WORDS_MAX: Final = 30_000
"""Words. The size of the made-up language."""

TOWNS: Final = 400
"""Places around which meetings cluster."""

_SYLLABLES = (
    "ba", "be", "bi", "bo", "da", "de", "di", "do", "fa", "fe", "ga", "ge", "ha", "hi", "ka", "ke", "ki", "ko", "la",
    "le", "li", "lo", "ma", "me", "mi", "mo", "na", "ne", "ni", "no", "pa", "pe", "ra", "re", "ri", "ro", "sa", "se",
)  # fmt: skip
_ZONES = ("America/Chicago", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "Europe/Berlin", "Europe/London")
_EXPERIENCES = ("alcohol", "bereavement", "caring", "eating", "gambling", "hearing-voices", "illness", "parenting")
_PROGRAMS = ("", "", "", "aa", "al-anon", "na", "oa")
_LANGUAGES = ("en", "en", "en", "es", "de", "fr", "de-AT", "pl")
_FEATURES = ("child-friendly", "hearing-loop", "wheelchair", "wheelchair-bathroom")
_FORMATS = ("discussion", "newcomer", "speaker", "step", "writing")


def word(rank: int) -> str:
    """The word of this rank; 0 is the commonest."""
    parts = []
    number = rank + len(_SYLLABLES)
    while number:
        number, part = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[part])
    return "".join(parts)


@dataclass(slots=True)
class Maker:
    """Makes signed listings one after another; the same ones for the same seed."""

    seed: int
    now: Timestamp = NOW
    """When they are signed: a running node goes by its own clock."""
    random: Random = field(init=False)
    _steps: list[float] = field(init=False)
    towns: list[tuple[str, int, int]] = field(init=False)
    _key: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        weights = itertools.accumulate(1 / (rank + 2.7) for rank in range(WORDS_MAX))
        self._steps = list(weights)
        self.towns = [(word(5_000 + number).title(), *self._point()) for number in range(TOWNS)]
        self._key = SigningKey.from_seed(Usage.STEWARD, self.seed.to_bytes(32, "big"))

    def _point(self) -> tuple[int, int]:
        """Somewhere on land, or not: latitude and longitude in 1e-7 degrees."""
        random = self.random
        return random.randrange(-600_000_000, 700_000_000), random.randrange(-1_790_000_000, 1_790_000_000)

    def words(self, count: int) -> str:
        """So many words, common ones often."""
        total = self._steps[-1]
        return " ".join(word(bisect.bisect(self._steps, self.random.random() * total)) for _ in range(count))

    def content(self, number: int) -> ListingContent:
        """One listing's text, about 45 words."""
        random = self.random
        town, latitude, longitude = self.towns[min(int(random.expovariate(0.02)), TOWNS - 1)]
        attendance = random.choice((Attendance.IN_PERSON, Attendance.IN_PERSON, Attendance.ONLINE, Attendance.HYBRID))
        here = attendance is not Attendance.ONLINE
        place = Place(
            name=self.words(2).title(),
            formatted=f"{number % 200} {self.words(1).title()} Street, {town}",
            city=town,
            latitude_e7=latitude + random.randrange(-2_000_000, 2_000_000),
            longitude_e7=longitude + random.randrange(-2_000_000, 2_000_000),
        )
        meeting = Meeting(
            slug=f"m{number}",
            weekday=random.randrange(7),
            start=random.randrange(24, 92) * 15,
            duration_min=60,
            tz=random.choice(_ZONES),
            attendance=attendance,
            place=place if here else None,
            online=Online(url=f"https://example.org/room/{number}") if attendance is not Attendance.IN_PERSON else None,
            notes=self.words(8),
            facets=Facets(formats=(random.choice(_FORMATS),)),
            updated=self.now - 1_000,
        )
        return ListingContent(
            name=self.words(4).capitalize(),
            summary=self.words(26),
            experiences=(random.choice(_EXPERIENCES),),
            program=random.choice(_PROGRAMS),
            facets=Facets(
                openness=random.choice(list(Openness)),
                features=tuple(sorted(random.sample(_FEATURES, random.randrange(3)))),
                languages=(random.choice(_LANGUAGES),),
            ),
            meetings=(meeting,),
            url=f"https://example.org/listings/{number}",
            contacts=(Contact(name="Help desk", phone="555-0100"),),
            source="bench",
        )

    def envelopes(self, count: int) -> Iterator[bytes]:
        """``count`` signed listings, with a new directory's charter before each 20,000."""
        for number in range(count):
            if number % CHARTER_ENTRIES_MAX == 0:
                charter = Charter(
                    previous=None,
                    position=0,
                    stewards=(self._key.public,),
                    threshold=1,
                    nonce=(self.seed * 1_000_003 + number).to_bytes(16, "big"),
                )
                founding = sign(Kind.CHARTER, charter.to_body(), [self._key]).envelope
                yield founding.to_bytes()
            slot = Slot(
                charter=founding.rid,
                entry=number.to_bytes(8, "big"),
                seq=1,
                issued=self.now,
                expires=Timestamp(self.now + LEASE_SECONDS),
            )
            body = Listing(slot=slot, content=self.content(number)).to_body()
            yield sign(Kind.LISTING, body, [self._key]).envelope.to_bytes()
