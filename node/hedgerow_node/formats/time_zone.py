"""The zone of a meeting's time: said by the row, by the feed, by the caller, by the place, or not known."""

from hedgerow_node.formats.report import Tally
from hedgerow_node.schedule.zones import find_zone, zone_at
from hedgerow_protocol.content import Place


class ZoneFinder:
    """Finds zones for the rows of one feed, and counts where each came from when the row did not say it."""

    __slots__ = ("_argument", "_feed", "_points", "_tally")

    def __init__(self, *, feed: str, argument: str, tally: Tally) -> None:
        self._feed = feed if _known(feed) else ""
        self._argument = argument
        self._tally = tally
        self._points: dict[tuple[int, int], str] = {}

    def find(self, declared: str, place: Place | None) -> str:
        """The zone's name, or empty when nobody knows it: the time is then the place's own."""
        if declared:
            zone = _spelled(declared)
            if zone:
                if zone != declared:
                    self._tally.repair("time_zone_respelled")
                return zone
            self._tally.repair("time_zone_not_a_zone")
        if self._feed:
            self._tally.repair("time_zone_from_feed")
            return self._feed
        if self._argument:
            self._tally.repair("time_zone_from_argument")
            return self._argument
        if place is not None and place.latitude_e7 is not None and place.longitude_e7 is not None:
            zone = self._at(place.latitude_e7, place.longitude_e7)
            if zone:
                self._tally.repair("time_zone_from_place")
                return zone
        self._tally.repair("time_zone_unknown")
        return ""

    def _at(self, latitude_e7: int, longitude_e7: int) -> str:
        point = (latitude_e7, longitude_e7)
        if point not in self._points:
            self._points[point] = zone_at(latitude_e7, longitude_e7)
        return self._points[point]


def _known(name: str) -> bool:
    return bool(name) and find_zone(name) is not None


def _spelled(name: str) -> str:
    """The zone a text names: exactly, or with other capitals and spaces for underscores."""
    for candidate in (name, name.replace(" ", "_"), _titled(name)):
        if _known(candidate):
            return candidate
    return ""


def _titled(name: str) -> str:
    parts = name.strip().replace(" ", "_").split("/")
    return "/".join("_".join(word.capitalize() for word in part.split("_")) for part in parts)
