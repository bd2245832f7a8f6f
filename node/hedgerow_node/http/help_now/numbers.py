"""Emergency numbers by country, from the dated file beside this one."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("numbers.toml")


@dataclass(frozen=True, slots=True)
class EmergencyNumber:
    """A number and what answers it: ``all``, ``police``, ``ambulance`` or ``fire``."""

    number: str
    service: str


@dataclass(frozen=True, slots=True)
class CountryNumbers:
    """One country's numbers, by its ISO 3166-1 alpha-2 code."""

    country: str
    numbers: tuple[EmergencyNumber, ...]


@dataclass(frozen=True, slots=True)
class NumberList:
    """All of them, with where and when they come from."""

    countries: tuple[CountryNumbers, ...]
    source: str
    as_of: date


@cache
def emergency_numbers() -> NumberList:
    """Read the file (blocking; once)."""
    import tomllib

    value = tomllib.loads(FILE.read_text(encoding="utf-8"))
    countries = []
    for country, numbers in sorted(value["numbers"].items()):
        pairs = (numbers,) if isinstance(numbers, str) else None
        if pairs is not None:
            entries: tuple[EmergencyNumber, ...] = (EmergencyNumber(numbers, "all"),)
        else:
            entries = tuple(EmergencyNumber(number, service) for service, number in numbers.items())
        countries.append(CountryNumbers(country, entries))
    return NumberList(tuple(countries), value["source"], value["as_of"])
