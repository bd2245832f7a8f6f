"""Importing a feed: read, screen, compare with what this source said before, sign what changed, hand it to the door.

Nothing is signed or stored before the whole feed was read, screened and planned, so a broken file leaves no trace.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, assert_never

from hedgerow_node.directory.import_plan import Held, ImportRefusedError, Plan, entry_of, make_plan
from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_node.directory.publishing import Accepts, DirectorySigner, check_outcomes
from hedgerow_node.formats import bounds
from hedgerow_node.formats.report import Draft, Dropped, FormatError, Parsed
from hedgerow_node.formats.vocabulary import PROGRAMS, find_program, program_codes
from hedgerow_protocol import limits, wire
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.content_codec import content_from_value, content_to_value
from hedgerow_protocol.errors import LocalError, RemoteError
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.records import Listing, Withdrawal

BATCH_ENVELOPES = 100
"""Envelopes. Handed over at once: one transaction."""

SOURCE_CHARACTERS_MAX = 120
"""Characters. The id of a source."""

SLOT_BYTES = 128
"""Bytes. What a listing's body holds beside its content: charter, entry, sequence, times."""

REFUSALS_SHOWN_MAX = 20
"""Reasons. Of listings the directory did not take, in the report."""

Progress = Callable[[str, int, int], None]
"""Told the stage, what is done and how much there is."""


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did; :meth:`to_json` gives the names others rely on."""

    source: str
    program: str
    dry_run: bool = False
    read: int = 0
    kept: int = 0
    listings: int = 0
    meetings: int = 0
    repaired: dict[str, int] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    withheld: dict[str, int] = field(default_factory=dict)
    new: int = 0
    updated: int = 0
    renewed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    refused: list[str] = field(default_factory=list)
    """Reasons for which the directory did not take a listing, without repetition."""
    not_taken: int = 0

    def to_json(self) -> dict[str, Any]:
        """One JSON object for ``--json``."""
        return {
            "source": self.source,
            "program": self.program,
            "dry_run": self.dry_run,
            "read": self.read,
            "kept": self.kept,
            "listings": self.listings,
            "meetings": self.meetings,
            "repaired": self.repaired,
            "dropped": [{"row": each.row, "reason": each.reason} for each in self.dropped],
            "withheld": self.withheld,
            "new": self.new,
            "updated": self.updated,
            "renewed": self.renewed,
            "unchanged": self.unchanged,
            "withdrawn": self.withdrawn,
            "not_taken": self.not_taken,
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What to import, and how to read it."""

    files: tuple[tuple[str, bytes], ...]
    program: str
    source: str
    tz: str = ""
    keep: frozenset[str] = frozenset()


def check_program(code: str) -> str:
    """The program's code in lower case. Raises :class:`FormatError` with the nearest ones and the list."""
    program = code.strip().lower()
    if find_program(program) is not None:
        return program
    names = {each.name.lower(): known for known, each in PROGRAMS.items()}
    near = get_close_matches(program, [*program_codes(), *names], n=2, cutoff=0.6)
    near_codes = list(dict.fromkeys(names.get(each, each) for each in near))
    hint = f" Did you mean {' or '.join(near_codes)}?" if near_codes else ""
    raise FormatError(f"There is no program {code[:40]!r}.{hint} Known are: {', '.join(program_codes())}.")


def read_files(paths: Sequence[Path]) -> tuple[tuple[str, bytes], ...]:
    """Read the files of one feed, within bounds. Raises :class:`FormatError`."""
    if len(paths) > bounds.FILES_MAX:
        raise FormatError(f"At most {bounds.FILES_MAX} files can be imported at once.")
    files: list[tuple[str, bytes]] = []
    total = 0
    for path in paths:
        try:
            with path.open("rb") as file:
                raw = file.read(bounds.FILE_BYTES_MAX + 1)
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error
        total += len(raw)
        if len(raw) > bounds.FILE_BYTES_MAX or total > bounds.FILES_BYTES_MAX:
            raise FormatError(
                f"{path} is too large: a file has at most {bounds.FILE_BYTES_MAX >> 20} MiB, and all files of one "
                f"import together {bounds.FILES_BYTES_MAX >> 20} MiB."
            )
        files.append((path.name, raw))
    return tuple(files)


def source_of(program: str, names: Iterable[str]) -> str:
    """The id of a source for which none was said: the program and the files' names."""
    stems = sorted({Path(name).stem for name in names})
    return clean_source(f"{program}/{'+'.join(stems)}")


def clean_source(text: str) -> str:
    """A source's id as it is kept: one line of printable text that may be published.

    Raises :class:`FormatError` when nothing is left, or when screening would take something out of it: two sources
    could then become one, and the next import would not find what this one made.
    """
    from unicodedata import normalize

    from hedgerow_node.screening.find import findings

    cleaned = re.sub(r"\s+", "-", normalize("NFC", text).strip())
    cleaned = "".join(c for c in cleaned if c.isprintable())[:SOURCE_CHARACTERS_MAX]
    if not cleaned:
        raise FormatError("The id of a source is a short text, such as the intergroup's name.")
    if findings(ListingContent(name="source", source=cleaned)):
        raise FormatError(
            "The id of a source is published with every listing, and this one (made from the file's name if none was "
            "given) reads like an e-mail address or a password. Choose another with --source, such as the "
            "intergroup's name."
        )
    return cleaned


@dataclass(frozen=True, slots=True)
class Prepared:
    """A feed that was read and screened: what it wants to say, by entry, and the report so far."""

    wanted: dict[bytes, ListingContent]
    report: ImportReport


def prepare(feed: Feed, progress: Progress = lambda stage, done, total: None) -> Prepared:
    """Read and screen a feed; nothing is signed or stored. Raises :class:`FormatError`."""
    from hedgerow_node.formats.feed import parse_feed

    progress("Reading", 0, 1)
    parsed = parse_feed(feed.files, program=feed.program, tz=feed.tz)
    if parsed.dropped and not parsed.drafts:
        names = ", ".join(name for name, _ in feed.files)[:200]
        first = parsed.dropped[0]
        raise FormatError(f"Nothing in {names} can be used. Row {first.row}: {first.reason}")
    report = ImportReport(source=feed.source, program=feed.program)
    return Prepared(screen_drafts(parsed, feed, report, progress), report)


async def import_feed(
    door: Accepts,
    signer: DirectorySigner,
    prepared: Prepared,
    held: dict[bytes, Held],
    *,
    now: Timestamp,
    allow_withdraw: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> ImportReport:
    """Import a feed whose source fills ``held`` now.

    Raises :class:`ImportRefusedError` (too much would vanish) or
    :class:`~hedgerow_node.directory.versions.ClockError`, each before anything is stored.
    """
    report = prepared.report
    report.dry_run = dry_run
    plan = make_plan(prepared.wanted, held, charter=signer.root, now=now, allow_withdraw=allow_withdraw)
    report.new, report.updated, report.renewed = len(plan.new), len(plan.updated), len(plan.renewed)
    report.unchanged, report.withdrawn = plan.unchanged, len(plan.withdrawn)
    if not dry_run:
        await _carry_out(door, signer, plan, report, now, progress)
    return report


def screen_drafts(parsed: Parsed, feed: Feed, report: ImportReport, progress: Progress) -> dict[bytes, ListingContent]:
    """Screen every draft and fill the report's counts. Drafts that no record can hold are dropped with a reason."""
    from hedgerow_node.screening.screen import screen

    report.read, report.kept = parsed.read, parsed.kept
    report.repaired, report.dropped = dict(parsed.repaired), list(parsed.dropped)
    withheld: Counter[str] = Counter()
    wanted: dict[bytes, ListingContent] = {}
    for number, draft in enumerate(parsed.drafts):
        progress("Screening", number, len(parsed.drafts))
        screened = screen(replace(draft.content, source=feed.source), feed.keep)
        withheld.update(screened.withheld)
        reason = _unfit(screened.content)
        if reason:
            report.kept -= len(draft.content.meetings)
            report.dropped.append(Dropped(0, f"The listing “{_short(draft)}” cannot be kept: {reason}"))
            continue
        wanted[entry_of(feed.source, draft.key)] = screened.content
    report.kept = max(report.kept, 0)
    report.withheld = {kind: count for kind, count in sorted(withheld.items()) if count}
    report.listings = len(wanted)
    report.meetings = sum(len(content.meetings) for content in wanted.values())
    return wanted


def _short(draft: Draft) -> str:
    return draft.content.name[:60] or draft.key[:60]


def _unfit(content: ListingContent) -> str:
    # The readers keep to the limits; this is the net below them, so that one odd listing never stops a whole feed.
    try:
        value = content_to_value(content)
        content_from_value(value)
        size = len(wire.encode(value))
    except (RemoteError, LocalError) as error:
        return str(error)
    if size + SLOT_BYTES > limits.BODY_BYTES_MAX:
        return f"It is {size} bytes; a listing has at most {limits.BODY_BYTES_MAX - SLOT_BYTES}."
    return ""


async def _carry_out(
    door: Accepts, signer: DirectorySigner, plan: Plan, report: ImportReport, now: Timestamp, progress: Progress
) -> None:
    records = plan.records
    if not records:
        return
    check_outcomes(await door.accept([signer.charter.to_bytes()], now=now))
    reasons: Counter[str] = Counter()
    for start in range(0, len(records), BATCH_ENVELOPES):
        progress("Storing", start, len(records))
        signed: list[tuple[Listing | Withdrawal, bytes]] = []
        for record in records[start : start + BATCH_ENVELOPES]:
            try:
                signed.append((record, signer.sign(record).envelope.to_bytes()))
            except (RemoteError, LocalError) as error:
                _count_out(plan, record, report)
                reasons[str(error)] += 1
        outcomes = await door.accept([data for _, data in signed], now=now)
        for (record, _), outcome in zip(signed, outcomes, strict=True):
            reason = _reason(outcome)
            if reason:
                _count_out(plan, record, report)
                reasons[reason] += 1
    progress("Storing", len(records), len(records))
    report.refused = [reason for reason, _ in reasons.most_common(REFUSALS_SHOWN_MAX)]


def _reason(outcome: Outcome) -> str:
    match outcome:
        case Stored() | Known():
            return ""
        case Superseded():
            return "This node already holds a later version of it."
        case Waiting():
            return "Its charter has not arrived."
        case Refused(reason=reason):
            return reason
        case _:
            assert_never(outcome)


def _count_out(plan: Plan, record: Listing | Withdrawal, report: ImportReport) -> None:
    report.not_taken += 1
    if isinstance(record, Withdrawal):
        report.withdrawn -= 1
        return
    if any(each is record for each in plan.new):
        report.new -= 1
    elif any(each is record for each in plan.updated):
        report.updated -= 1
    else:
        report.renewed -= 1
    meetings = len(record.content.meetings)
    report.listings, report.meetings = report.listings - 1, report.meetings - meetings
    report.kept = max(report.kept - meetings, 0)


__all__ = [
    "Feed",
    "ImportRefusedError",
    "ImportReport",
    "Prepared",
    "check_program",
    "clean_source",
    "import_feed",
    "prepare",
    "read_files",
    "source_of",
]
