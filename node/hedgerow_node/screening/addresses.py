"""Private homes: by cues a meeting place is somebody's home, and its address then stays at town level."""

import re
from dataclasses import replace
from typing import Final

from hedgerow_node.screening.spans import ADDRESS, WITHHELD, Span
from hedgerow_protocol.content import Place

_VENUE = re.compile(
    r"(?i)(?<![^\W_])(?:church|chapel|cathedral|temple|synagogue|mosque|parish|ministr(?:y|ies)|worship|baptist|"
    r"methodist|lutheran|"
    r"episcopal|catholic|presbyterian|unitarian|quaker|friends|saint|st\.?|hall|club\w*|alano|lodge|legion|vfw|"
    r"elks|ymca|ywca|cent(?:er|re)s?|"
    r"librar(?:y|ies)|hospitals?|clinic|hospice|school|college|university|campus|institute|museum|gym|hotel|inn|"
    r"motel|jail|prison|"
    r"correctional|shelter|society|association|foundation|mission|army|office|offices|plaza|mall|park|beach|"
    r"caf[eé]|coffee|restaurant|"
    r"diner|store|shop|pub|bar|room|suite|auditorium|theat(?:er|re)|community|fellowship|recovery|rehab|"
    r"treatment|sober|halfway|"
    r"veterans?|seniors?|senior|nursing|assisted|retirement|funeral|care|group|program|project|services?|"
    r"council|municipal|city|town|"
    r"village|pavilion|studio|station|fire|police|armory|barracks|dormitory|dorm|residence inn|residence hall|"
    r"students?|bishop|"
    r"clubhouse|conference|headquarters|warehouse|barn|farm|garden|gemeinde\w*|b[uü]rger\w*|rathaus|krankenhaus|"
    r"kirche\w*|pfarr\w*|"
    r"haus der|selbsthilfe\w*|iglesia|parroquia|centro|casa de (?:la )?(?:cultura|salud|juventud)|biblioteca|"
    r"escuela|sal[oó]n|"
    r"[eé]glise|paroisse|maison (?:des|de la|du)|salle|mairie|biblioth[eè]que|ko[sś]ci[oó][lł]|parafia|"
    r"dom kultury|kyrka\w*|"
    r"f[oö]rsamling\w*|kerk|buurthuis|wijkcentrum|chiesa|parrocchia|igreja)(?![^\W_])"
)
_NOT_A_PERSON: Final = (
    r"(?:women|woman|men|man|veteran|friend|children|people|lad(?:y|ies)|boy|girl|god|lord|mary|st|saint|king|"
    r"queen|prince|bishop|"
    r"today|tonight|sunday|monday|tuesday|wednesday|thursday|friday|saturday|world|nation|it|let|that|what|here|"
    r"there|who|senior|"
    r"student|father|mother|elder|master|governor|mayor|president|america|denny|wendy|mcdonald)"
)
_HOME_WORD: Final = (
    r"(?:home|house|apartment|apt|flat|condo|residence|garage|backyard|back yard|living room|porch|"
    r"kitchen|patio|townhouse|place)"
)
_PRIVATE_HOME = re.compile(
    r"(?i)(?<![^\W_])private\s(?:home|residence|house|dwelling|apartment|flat|address)s?(?![^\W_])"
    r"|(?<![^\W_])(?:at|in)\s(?:a|the)\s(?:home|house|residence|apartment)\sof\s(?!the\sbrave|god|worship|hope)"
    r"|(?<![^\W_])home\sof\s(?:the\s(?:host|leader|member|secretary|facilitator|chair)|a\smember|"
    r"(?:one\sof\s)?our\smembers?|members)"
    r"|(?<![^\W_])(?:host|member|leader|secretary|facilitator|someone|somebody|each other)['’]?s?['’]?\s(?:private\s)?"
    r"(?:homes?|houses?|apartments?|residences?|place)(?!\s?-?(?:group|page|work|meeting))(?![^\W_])"
    r"|(?<![^\W_])(?:in|at|rotat\w{1,4}|between|among)\s(?:(?:various|different|private|peoples?['’]?s?|"
    r"members['’]?)\s){1,2}homes(?![^\W_])"
    r"|(?<![^\W_])(?:in|at)\s(?:my|our|his|her|their)\s(?:own\s)?(?:home|house|apartment|flat|place|living room|"
    r"garage|residence)"
    r"(?!\s?-?(?:group|page|meeting|base|church|of worship))(?![^\W_])"
    r"|(?<![^\W_])(?:meets?|held|hosted|gather\w{0,3}|meeting)\s(?:at|in)\s(?:a|an|the)\s(?:residence|private|"
    r"home|house|apartment)(?![^\W_])"
    r"(?!\s(?:of worship|church|room|hall))"
    r"|(?<![^\W_])(?:casa|domicilio)\s(?:particular|privad[oa])|(?<![^\W_])en\s(?:la\s)?casa\sde\s(?!la\s|el\s|"
    r"salud|cultura|dios|oraci)"
    r"|(?<![^\W_])privat(?:wohnung|haus|adresse)|bei\s(?:\w{2,15}\s){1,2}zu\shause|in\sprivaten\sr[aä]umen"
    r"|(?<![^\W_])(?:domicile|appartement)\s(?:priv[ée]|de\s)|(?<![^\W_])chez\s(?=[A-ZÀ-Þ])|"
    r"(?<![^\W_])bij\s\w{2,15}\sthuis"
    r"|(?<![^\W_])prywatn\w{1,4}\s(?:dom|mieszkani)\w{0,3}|(?<![^\W_])casa\sprivata|(?<![^\W_])abitazione|"
    r"(?<![^\W_])priv[aá]t\s(?:bostad|hem)"
)
_HOME_OF_PERSON = re.compile(
    r"(?<![^\W_])(?i:home|house|residence|apartment)\s(?i:of)\s(?!(?i:the|our|god|worship|hope|good|st|saint|"
    r"mercy|prayer|refuge|peace|love|"
    r"grace|faith|healing|recovery|serenity|ruth|israel|david|joy|light|praise|compassion|new|"
    r"life)\b)[A-ZÀ-Þ][\w’'-]{1,20}"
)
_SOMEBODYS_HOME = re.compile(
    rf"(?<![^\W_])(?!(?i:{_NOT_A_PERSON})['’]?s?['’]?\s)(?i:(?:mr|mrs|ms|"
    rf"dr)\.?\s)?[A-ZÀ-Þ][\w-]{{1,20}}(?:\s[A-Z]\.?)?(?:['’]s|s['’])\s"
    rf"(?i:(?:private|family)\s)?(?i:{_HOME_WORD})(?![^\W_])(?!\s?-?(?i:of|for|group|church|recovery|meeting|"
    rf"hall|cafe|restaurant|bar|coffee))"
)
_NAMED_RESIDENCE = re.compile(
    r"^(?:the\s)?[A-ZÀ-Þ][\w’'.-]{1,20}(?:\s[A-ZÀ-Þ][\w’'.-]{0,20})?\s(?:family\s)?(?:residence|home|apartment)$",
    re.IGNORECASE,
)
_ONLY_A_HOME = re.compile(
    r"(?i)^\W{0,3}(?:(?:private|a|my|the|our|host)\s)?(?:home|residence|house|apartment|private)\W{0,3}$"
)
_APARTMENT = re.compile(
    r"(?i)(?<![^\W_])(?:apt|apartment|flat|condo|condominium|townhouse|wohnung|whg|appartement|departamento|"
    r"depto|dpto|lägenhet|lgh)"
    r"s?\.?\s?(?:#|no\.?|nr\.?|number)?\s?(?=[\w-]{0,5}\d|[a-z](?![\w]))[\w-]{1,6}(?![\w])"
)
_UNIT = re.compile(r"(?i)(?<![^\W_])(?:unit|#)\s?[\w-]{1,6}(?![\w])")
_DWELLING = re.compile(
    r"(?i)(?<![^\W_])(?:condo\w*|townho\w+|duplex|mobile home|trailer|buzz|buzzer|ring (?:the )?(?:bell|"
    r"doorbell)|gated|intercom)"
)

_STREET_WORD: Final = (
    r"(?:street|str|st|avenue|ave|av|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|circle|cir|place|pl|"
    r"terrace|ter|way|trail|trl|"
    r"parkway|pkwy|highway|hwy|close|crescent|cres|gardens|square|sq|row|mews|alley|loop)"
)
_STREET_ADDRESS = re.compile(
    rf"(?<![\w/.-])\d{{1,6}}[A-Za-z]?\s(?:(?:[NSEW]\.?|North|South|East|"
    rf"West)\s)?(?:[\w.'’-]{{2,20}}\s){{1,4}}?{_STREET_WORD}(?![^\W_])\.?"
    r"(?:,?\s?(?:apt|apartment|unit|flat|suite|ste|#|no)\.?\s?#?[\w-]{1,6}(?![\w]))?"
    r"|(?<![^\W_])(?:[A-ZÄÖÜ][\wäöüß-]{1,24}(?:straße|strasse|str\.|weg|gasse|platz|allee|gatan|vägen|straat|"
    r"laan|utca))\s\d{1,4}\s?[a-zA-Z]?(?![\w])"
    r"|(?<![^\W_])(?:calle|rue|via|avenida|av\.|ul\.|rua|carrer)\s(?:[\w.'’-]{1,20}\s){1,3}?,?\s?(?:n[.º°]?\s?)?\d{1,4}(?![\w])",
    re.IGNORECASE,
)
_MAP_LINK = re.compile(r"(?i)https?://[^\s<>\"]{0,80}(?:maps?|goo\.gl/maps|waze|openstreetmap)[^\s<>\"]{0,500}")
_BROAD_POSTCODE = re.compile(r"^\d{4,6}$")
_FINE_POSTCODE = re.compile(
    r"(?<![\w])(?:(?P<us>\d{5})-\d{4}|(?P<gb>[A-Z]{1,2}\d[A-Z\d]?)\s?\d[A-Z]{2}|"
    r"(?P<ca>[A-Z]\d[A-Z])\s?\d[A-Z]\d|(?P<nl>\d{4})\s?[A-Z]{2})(?![\w])"
)

COARSE_E7: Final = 100_000
"""Ten-millionths of a degree: two decimals, about a kilometre. A home is then one of hundreds."""


def speaks_of_a_home(text: str) -> bool:
    """Whether running text says that people meet in somebody's home."""
    if not text:
        return False
    return (
        _PRIVATE_HOME.search(text) is not None
        or _HOME_OF_PERSON.search(text) is not None
        or _SOMEBODYS_HOME.search(text) is not None
    )


def is_private_home(place: Place, *texts: str) -> bool:
    """Whether a place is somebody's home, by its own words or by these texts about the meeting."""
    name = place.name
    venue = _VENUE.search(name) is not None
    if name and not venue and (speaks_of_a_home(name) or _NAMED_RESIDENCE.match(name) or _ONLY_A_HOME.match(name)):
        return True
    if _PRIVATE_HOME.search(name) is not None:
        return True
    if venue:
        return False
    if speaks_of_a_home(place.notes) or any(speaks_of_a_home(text) for text in texts):
        return True
    where = f"{name}\n{place.street}\n{place.formatted}"
    if _VENUE.search(place.notes) is not None and not name:
        return False  # the notes name the venue
    if _APARTMENT.search(where) is not None or _APARTMENT.search(place.notes) is not None:
        return True
    return _UNIT.search(where) is not None and _DWELLING.search(f"{name}\n{place.notes}") is not None


def find_home_addresses(text: str) -> list[Span]:
    """Street addresses, flat numbers and map links in a text about a private home."""
    spans: list[Span] = []
    for pattern in (_MAP_LINK, _STREET_ADDRESS, _APARTMENT):
        for match in pattern.finditer(text):
            if not any(match.start() < span.end and span.start < match.end() for span in spans):
                spans.append(Span(match.start(), match.end(), (ADDRESS,), WITHHELD[ADDRESS]))
    spans.sort(key=lambda each: each.start)
    return spans


def coarse(place: Place) -> Place:
    """The place at town level: no name, no street, no door; coordinates to about a kilometre."""
    latitude, longitude = place.latitude_e7, place.longitude_e7
    hidden = {part.casefold() for part in (place.name, place.street) if part}
    return replace(
        place,
        name="",
        street="",
        formatted=_town_of(place),
        postal_code=_broad(place.postal_code),
        regions=tuple(region for region in place.regions if region.casefold() not in hidden),
        latitude_e7=None if latitude is None else _round(latitude),
        longitude_e7=None if longitude is None else _round(longitude),
        approximate=True,
    )


def _round(value: int) -> int:
    return (value + COARSE_E7 // 2) // COARSE_E7 * COARSE_E7


def _broad(postal_code: str) -> str:
    """A postcode as far as it names a town: the first half of those that name a street."""
    code = postal_code.strip()
    if not code or _BROAD_POSTCODE.match(code):
        return postal_code
    fine = _FINE_POSTCODE.fullmatch(code.upper())
    return next((part for part in fine.groups() if part), "") if fine is not None else ""


def _town_of(place: Place) -> str:
    """The one-line address without what comes before the town."""
    if not place.formatted:
        return ""
    parts = [part.strip() for part in place.formatted.split(",")]
    known = {part.casefold() for part in (place.city, *place.regions) if part}
    known -= {part.casefold() for part in (place.name, place.street) if part}
    first = next((index for index, part in enumerate(parts) if part.casefold() in known), -1)
    if first < 0:
        # No town is named apart: at most the last three parts ("Anytown, OK 12345, USA"), and no street among them.
        first = max(0, len(parts) - 3)
        streets = [index for index in range(first, len(parts)) if not _is_town(parts[index])]
        first = streets[-1] + 1 if streets else first
    text = ", ".join(parts[first:])
    return _FINE_POSTCODE.sub(lambda match: next(part for part in match.groups() if part), text)


def _is_street(part: str) -> bool:
    return _STREET_ADDRESS.search(part) is not None or _APARTMENT.search(part) is not None or bool(_UNIT.match(part))


def _is_town(part: str) -> bool:
    """No number but a postcode, no street word, no flat."""
    if not part or _is_street(part):
        return False
    without = re.sub(r"\b\d{4,6}(?:-\d{4})?\b", "", _FINE_POSTCODE.sub("", part))
    return not any(character.isdigit() for character in without) and any(character.isalpha() for character in part)
