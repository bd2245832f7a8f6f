"""What screening would withhold, told before somebody publishes."""

from hedgerow_node.screening.sieve import Finding, Sieve
from hedgerow_node.screening.spans import ADDRESS, EMAIL, PASSWORD, PHONE, SURNAME
from hedgerow_node.screening.walk import walk
from hedgerow_protocol.content import ListingContent

__all__ = ["Finding", "findings", "sentence"]

_WHAT = {
    EMAIL: "an e-mail address",
    PHONE: "a private phone number",
    SURNAME: "a surname",
    PASSWORD: "a password or a code",
    ADDRESS: "the address of a private home",
}


def findings(content: ListingContent, keep: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Everything that :func:`~hedgerow_node.screening.screen.screen` would withhold, in the order of the fields."""
    sieve = Sieve(keep)
    walk(content, sieve)
    return tuple(sieve.findings)


def sentence(finding: Finding) -> str:
    """One finding for a person: what it seems to be, where, and the words themselves."""
    return f"This looks like {_WHAT[finding.kind]} ({finding.where}): {finding.excerpt}"
