"""IANA time zones: by name, and by a point on the map."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,3}")

_NOT_PLACES = frozenset({"localtime", "posixrules", "Factory"})
_NOT_FOLDERS = ("posix/", "right/", "SystemV/", "leapseconds", "tzdata")


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of that exact IANA name, or ``None`` when the zone data here has no such zone.

    Names of the machine's own ("localtime") and of the zone data's other editions ("right/…", with leap seconds) are
    no zones: two nodes would read them differently.
    """
    if len(name) > 64 or name in _NOT_PLACES or name.startswith(_NOT_FOLDERS) or not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a file that is no zone; a folder of zones
        return None


def zone_at(latitude_e7: int, longitude_e7: int) -> str:
    """The IANA zone in force at a point (ten-millionths of a degree, WGS 84); empty when none is known there."""
    from tzfpy import get_tz

    name = str(get_tz(longitude_e7 / 1e7, latitude_e7 / 1e7))
    return name if find_zone(name) is not None else ""
