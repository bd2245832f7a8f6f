"""The labelled sample: what must be withheld is withheld, and what may stay stays.

Each line of ``labelled.jsonl`` was written by hand for this project: a text in a field, what must be ``gone`` (by
kind) and what must ``stay``. No person, address or number in it is real.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.screening.screen import screen
from hedgerow_node.screening.spans import KINDS
from hedgerow_protocol.content import Attendance, Contact, ListingContent, Meeting, Online, Place

SAMPLE = Path(__file__).parent.parent / "samples" / "screening" / "labelled.jsonl"


@dataclass(frozen=True)
class Labelled:
    field: str
    text: Any
    gone: dict[str, list[str]]
    stay: list[str]

    def content(self) -> ListingContent:
        return listing_with(self.field, self.text)


def listing_with(field: str, text: Any) -> ListingContent:
    """A listing that says this in this field, and nothing else."""
    meeting = Meeting(slug="m", attendance=Attendance.ONLINE)
    listing = {"name": "Quiet Harbour"}
    owner, _, attribute = field.partition(".")
    match owner:
        case "place" if not attribute:
            place = {key: value for key, value in text.items() if key != "meeting_notes"}
            point = {"latitude_e7": 451_234_567, "longitude_e7": -1_226_543_210}
            meeting = Meeting(slug="m", place=Place(**place, **point), notes=text.get("meeting_notes", ""))
        case "place":
            meeting = Meeting(slug="m", place=Place(**{attribute: text}))
        case "online":
            meeting = Meeting(slug="m", online=Online(**{attribute: text}))
        case "url_notes" | "phone_notes":
            meeting = Meeting(slug="m", online=Online(**{owner: text}))
        case "notes":
            meeting = Meeting(slug="m", notes=text)
        case "extras":
            meeting = Meeting(slug="m", extras=((attribute, text),))
        case "contact":
            return ListingContent(**listing, contacts=(Contact(**{attribute: text}),))
        case _:
            listing[owner] = text
    return ListingContent(**listing, meetings=(meeting,))


def texts_of(value: Any) -> list[str]:
    """Every text inside a value, at any depth."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple | list):
        return [text for item in value for text in texts_of(item)]
    if hasattr(value, "__dataclass_fields__"):
        return [text for name in value.__dataclass_fields__ for text in texts_of(getattr(value, name))]
    return []


def sample() -> list[Labelled]:
    return [Labelled(**json.loads(line)) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def test_the_sample_is_large_and_mixed() -> None:
    lines = sample()
    assert len(lines) >= 200
    for kind in KINDS:
        assert sum(kind in each.gone for each in lines) >= 20, kind
    assert sum(not each.gone for each in lines) >= 100


def missed_and_false() -> tuple[dict[str, list[Labelled]], list[Labelled], list[Labelled]]:
    missed: dict[str, list[Labelled]] = defaultdict(list)
    false: list[Labelled] = []
    harmed: list[Labelled] = []
    for each in sample():
        screened = screen(each.content())
        left = "\n".join(texts_of(screened.content))
        for kind, secrets in each.gone.items():
            if any(secret in left for secret in secrets) or not screened.withheld.get(kind):
                missed[kind].append(each)
        if set(screened.withheld) - set(each.gone):
            false.append(each)
        if any(word not in left for word in each.stay):
            harmed.append(each)
    return missed, false, harmed


def test_at_least_95_percent_of_each_kind_is_withheld() -> None:
    missed, _, _ = missed_and_false()
    labelled = Counter(kind for each in sample() for kind in each.gone)
    for kind in KINDS:
        texts = [each.text for each in missed[kind]]
        assert len(texts) <= 0.05 * labelled[kind], f"{kind}: {texts}"


def test_at_most_5_percent_false_alarms() -> None:
    _, false, _ = missed_and_false()
    harmless = [each for each in sample() if not each.gone]
    alarms = sum(bool(screen(each.content()).withheld) for each in sample())
    texts = [each.text for each in false]
    assert len(texts) <= 0.05 * alarms, texts
    assert sum(not each.gone for each in false) <= 0.05 * len(harmless), texts


def test_what_may_stay_stays() -> None:
    _, _, harmed = missed_and_false()
    texts = [each.text for each in harmed]
    assert len(texts) <= 0.05 * len(sample()), texts


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_to_be_kept_is_kept(kind: str) -> None:
    for each in sample():
        withheld = screen(each.content(), frozenset({kind})).withheld
        assert kind not in withheld, each.text


def test_everything_kept_changes_nothing() -> None:
    for each in sample():
        content = each.content()
        assert screen(content, frozenset(KINDS)).content == content
