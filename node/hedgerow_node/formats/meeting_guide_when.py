"""Days and times of day as feeds write them, read into our numbers.

Every reader returns ``None`` (or nothing) for what it does not understand, and tells the tally of what it had to
interpret.
"""

import re
from typing import Final

from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.text_repair import folded

_DAY_NAMES: Final = (
    "sunday sun su domingo dom dimanche dim sonntag so domenica zondag zon zo söndag sön søndag sunnuntai niedziela "
    "vasárnap воскресенье неділя 日曜日 κυριακή",
    "monday mon mo lunes lun lundi montag lunedì lunedi segunda segundafeira seg maandag maa ma måndag mån mandag "
    "maanantai poniedziałek hétfő понедельник понеділок 月曜日 δευτέρα",
    "tuesday tues tue tu martes mar mardi dienstag di martedì martedi terça terca terçafeira ter dinsdag din "
    "tisdag tis tirsdag tiistai wtorek kedd вторник вівторок 火曜日 τρίτη",
    "wednesday wednes weds wed we miércoles miercoles mié mie mercredi mer mercoledì mercoledi mittwoch mi quarta "
    "quartafeira qua woensdag woe wo onsdag ons keskiviikko środa szerda среда середа 水曜日 τετάρτη",
    "thursday thurs thur thu th jueves jue jeudi jeu giovedì giovedi donnerstag do quinta quintafeira qui donderdag "
    "don torsdag tors tor torstai czwartek csütörtök четверг четвер 木曜日 πέμπτη",
    "friday fri fr viernes vie vendredi ven venerdì venerdi freitag sexta sextafeira sex vrijdag vri vr fredag fre "
    "perjantai piątek péntek пятница п'ятниця 金曜日 παρασκευή",
    "saturday sat sa sábado sabado sáb sab samedi sam sabato samstag sonnabend zaterdag zat za lördag lör lørdag "
    "lauantai sobota szombat суббота субота 土曜日 σάββατο",
)
_DAYS: Final[dict[str, int]] = {
    folded(name): number for number, names in enumerate(_DAY_NAMES) for name in names.split()
}
_MANY_DAYS: Final[dict[str, tuple[int, ...]]] = {
    "daily": (0, 1, 2, 3, 4, 5, 6),
    "everyday": (0, 1, 2, 3, 4, 5, 6),
    "alldays": (0, 1, 2, 3, 4, 5, 6),
    "weekdays": (1, 2, 3, 4, 5),
    "weekends": (0, 6),
    "weekend": (0, 6),
}
_RANGE: Final = re.compile(r"^\s*([^\W\d_]+)\.?\s*(?:-|–|to|through|thru)\s*([^\W\d_]+)\.?\s*$", re.IGNORECASE)
DAY_SEPARATORS: Final = re.compile(r"[,;/|&+\n]|\band\b|\by\b|\bund\b|\bet\b|\s+")


def read_days(value: object, tally: Tally) -> tuple[int, ...] | None:
    """Weekdays with 0 = Sunday, sorted; empty for "none given"; ``None`` for what is not understood."""
    if value is None or value == "" or value == []:
        return ()
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = _day_number(value, tally)
        return None if number is None else (number,)
    if isinstance(value, list):
        tally.repair("day_as_list")
        days: set[int] = set()
        for item in value[:14]:
            read = read_days(item, Tally()) if not isinstance(item, list) else None
            if read is None:
                return None
            days.update(read)
        return tuple(sorted(days))
    if isinstance(value, str):
        return _days_in_text(value.strip(), tally)
    return None


def _day_number(value: float, tally: Tally) -> int | None:
    if not 0 <= value <= 7 or value != int(value):
        return None
    if value == 7:
        # ISO 8601 counts Monday as 1 and Sunday as 7, and agrees with Meeting Guide from 1 to 6.
        tally.repair("day_seven_is_sunday")
        return 0
    return int(value)


def _days_in_text(text: str, tally: Tally) -> tuple[int, ...] | None:
    text = text[:200]
    if not text:
        return ()
    if text.isdecimal() and len(text) == 1:
        tally.repair("day_as_text")
        number = _day_number(int(text), tally)
        return None if number is None else (number,)
    tally.repair("day_as_name")
    if folded(text) in _MANY_DAYS:
        return _MANY_DAYS[folded(text)]
    span = _RANGE.match(text)
    if span:
        first, last = (day_name(part) for part in span.groups())
        if first is not None and last is not None:
            return tuple(sorted({(first + step) % 7 for step in range((last - first) % 7 + 1)}))
    days: set[int] = set()
    for part in DAY_SEPARATORS.split(text.strip("[]()")[:200]):
        part = part.strip("\"' .")
        if not part:
            continue
        day = int(part) % 7 if part.isdecimal() and len(part) == 1 and int(part) <= 7 else day_name(part)
        if day is None:
            return None
        days.add(day)
    return tuple(sorted(days)) if days else None


def day_name(text: str) -> int | None:
    """The weekday of a name in one of many languages; ``None`` for no name of a day."""
    name = folded(text)
    day = _DAYS.get(name)
    return _DAYS.get(name.removesuffix("s")) if day is None else day


_CLOCK: Final = re.compile(
    r"^(\d{1,2})(?:\s*[:.hH]\s*(\d{2}))?(?::(\d{2})(?:\.\d+)?)?\s*(?:([aApP])\.?\s*[mM]?\.?|hrs?|h|uhr)?$"
)
_DIGITS: Final = re.compile(r"^(\d{1,2})(\d{2})\s*([aApP])?\.?[mM]?\.?$")
_NAMED_TIMES: Final = {"noon": 720, "12noon": 720, "midday": 720, "midnight": 0, "12midnight": 0}
_TIME_RANGE: Final = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b)\s*")


def read_times(value: object, tally: Tally) -> tuple[int | None, int | None]:
    """Start and, where one text holds a range ("7 pm - 8 pm"), the end; minutes after midnight."""
    start = read_time(value, tally)
    if start is None and isinstance(value, str):
        parts = _TIME_RANGE.split(value.strip()[:60])
        if len(parts) == 2:
            quiet = Tally()
            end = read_time(parts[1], quiet)
            begin = parts[0].strip()
            # "7 - 8 pm": the half of the day is said once.
            if begin.replace(":", "").isdecimal() and parts[1].strip()[-1:].lower() == "m" and end is not None:
                half = parts[1].strip().replace(".", "")[-2:]
                begun = read_time(begin + half, quiet)
                start = begun if begun is None or begun <= end else read_time(begin + "am", quiet)
            else:
                start = read_time(begin, quiet)
            if start is not None and end is not None:
                tally.repair("time_as_range")
                return start, end
            return None, None
    return start, None


def read_time(value: object, tally: Tally) -> int | None:
    """A time of day in minutes after midnight; ``None`` for none or for what is not understood."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _numeric_time(value, tally)
    if not isinstance(value, str):
        return None
    text = value.strip()[:40]
    if not text:
        return None
    if len(text) == 5 and text[2] == ":" and text[:2].isdecimal() and text[3:].isdecimal():
        hour, minute = int(text[:2]), int(text[3:])
        if hour < 24 and minute < 60:
            return hour * 60 + minute
    if "T" in text and text[:4].isdecimal():
        text = text.partition("T")[2][:5]
    named = _NAMED_TIMES.get(folded(text))
    if named is not None:
        tally.repair("time_as_word")
        return named
    match = _CLOCK.match(text)
    if match:
        return _clock(int(match[1]), int(match[2] or 0), match[4], tally)
    match = _DIGITS.match(text)
    if match:
        return _clock(int(match[1]), int(match[2]), match[3], tally)
    return None


def _clock(hour: int, minute: int, half: str | None, tally: Tally) -> int | None:
    if minute > 59:
        return None
    if half:
        if not 1 <= hour <= 12 and not (hour < 24 and half in "pP" and hour > 12):
            return None
        tally.repair("time_twelve_hour")
        if hour <= 12:
            hour = hour % 12 + (12 if half in "pP" else 0)
    elif hour == 24 and minute == 0:
        tally.repair("time_twenty_four")
        hour = 0
    else:
        tally.repair("time_other_form")
    return hour * 60 + minute if hour < 24 else None


def _numeric_time(value: float, tally: Tally) -> int | None:
    if not 0 <= value <= 2400:
        return None
    tally.repair("time_as_number")
    if isinstance(value, float) and value < 1:
        return round(value * 1440) % 1440  # a spreadsheet's part of a day
    if value != int(value):
        return None
    whole = int(value)
    hour, minute = (whole, 0) if whole <= 24 else divmod(whole, 100)
    return _clock(hour, minute, None, Tally())
