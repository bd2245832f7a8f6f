"""Towns that listings name, so that "near" needs no map service: nobody outside learns where somebody looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from hedgerow_node.directory import search_words
from hedgerow_node.http import bounds
from hedgerow_protocol.content import Place


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the middle of its meeting places, in degrees."""

    name: str
    latitude: float
    longitude: float
    listings: int


def fold(text: str) -> str:
    """Words without accents and case, as the search folds them, for comparing what people type."""
    return " ".join(search_words.fold(text))


class TownCounter:
    """Collects the towns of listings as they stream by."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, places: Iterable[Place]) -> None:
        """Count one listing's places: each town once."""
        seen: set[tuple[str, str]] = set()
        for place in places:
            city = town_of(place)
            if not city or place.latitude_e7 is None or place.longitude_e7 is None:
                continue
            key = (city, place.state or place.country)
            points = self._points.setdefault(key, [])
            if len(points) < 64:  # enough for a middle
                points.append((place.latitude_e7 / 1e7, place.longitude_e7 / 1e7))
            seen.add(key)
        for key in seen:
            self._counts[key] = self._counts.get(key, 0) + 1

    def towns(self) -> tuple[Town, ...]:
        """The towns, those with most listings first; two of one name are told apart by their state or country."""
        names: dict[str, int] = {}
        for city, _ in self._points:
            names[fold(city)] = names.get(fold(city), 0) + 1
        ranked = sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))[: bounds.TOWNS_MAX]
        return tuple(
            Town(
                name=f"{city}, {area}" if names[fold(city)] > 1 and area else city,
                latitude=median(latitude for latitude, _ in self._points[city, area]),
                longitude=median(longitude for _, longitude in self._points[city, area]),
                listings=count,
            )
            for (city, area), count in ranked
        )


def town_of(place: Place) -> str:
    """The town a place is in; where only a whole address is known, the part before state, postal code and country."""
    if place.city or not place.formatted:
        return place.city
    parts = [part.strip() for part in place.formatted.split(",")]
    if len(parts) >= 3 and not any(character.isdigit() for character in parts[-1]):
        parts = parts[:-1]  # the country
    while len(parts) >= 2:
        words = [
            word
            for word in parts.pop().split()
            if not any(character.isdigit() for character in word) and not (len(word) <= 3 and word.isupper())
        ]
        if words:
            return " ".join(words)
    return ""


def find_town(towns: Iterable[Town], said: str) -> Town | None:
    """The town somebody typed: its whole name, its name without the state, or the beginning of one."""
    wanted = fold(said)
    if not wanted:
        return None
    begins: Town | None = None
    for town in towns:  # the largest first
        name = fold(town.name)
        if name == wanted or fold(town.name.partition(",")[0]) == wanted:
            return town
        if begins is None and len(wanted) >= 3 and name.startswith(wanted):
            begins = town
    return begins
