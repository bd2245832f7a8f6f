"""Withholds, before anything is signed, what would break somebody's anonymity or let strangers into a room."""

from collections import Counter
from dataclasses import dataclass

from hedgerow_node.screening.sieve import Sieve
from hedgerow_node.screening.spans import KINDS
from hedgerow_node.screening.walk import walk
from hedgerow_protocol.content import ListingContent


@dataclass(frozen=True, slots=True)
class Screened:
    """A listing that may be signed, and how much of each kind was withheld from it."""

    content: ListingContent
    withheld: dict[str, int]
    """Kind to count; only kinds that occurred, in the order of :data:`~hedgerow_node.screening.spans.KINDS`."""


def screen(content: ListingContent, keep: frozenset[str] = frozenset()) -> Screened:
    """Withhold e-mail addresses, private phones, surnames, passwords and private homes; ``keep`` names kinds to leave.

    Pure; raises nothing for any valid content; screening twice withholds nothing more. Of a link the link stays.
    """
    sieve = Sieve(keep)
    screened = walk(content, sieve)
    counts = Counter(finding.kind for finding in sieve.findings)
    return Screened(screened, {kind: counts[kind] for kind in KINDS if counts[kind]})
