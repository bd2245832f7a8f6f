"""``hedgerow peers list`` for people: calm lines, no colours, readable in a narrow terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

NUMBERS = (4, 5, 6, 7)
"""Columns of the table that hold numbers."""

ID_CHARACTERS = 8
"""Characters. Of a node's id in the table; ``--json`` has all of it."""


def lines_of(status: Mapping[str, Any], now: int) -> Iterator[str]:
    """The lines that say what :meth:`~hedgerow_node.net.status.NetworkStatus.to_json` holds."""
    yield from _warnings(status)
    yield "Chosen peers" if status["peers"] else "No peers are chosen. Choose one: hedgerow peers add URL"
    for peer in status["peers"]:
        state = "connected" if peer["connected"] else f"not connected. {peer['problem']}".rstrip()
        yield f"  {peer['url']}  {state}"
    yield ""
    yield from _links(status, now)
    yield ""
    yield from _reach(status)
    yield from _counts("Records refused since the start", status["refused"])
    yield from _counts("Connections not let in since the start", status["turned_away"])


def _warnings(status: Mapping[str, Any]) -> Iterator[str]:
    if status["eclipse_suspected"]:
        yield "! Somebody may be keeping this node in the dark. Add a peer whose keeper you know."
    if status["bundle_differs"]:
        yield (
            f"! {status['bundle_differs']} of these nodes say that they serve another program of the same version. "
            "Compare /about with their keepers."
        )
    if status["clock_off_seconds"]:
        yield f"! This machine's clock and those of peers differ by {span(abs(status['clock_off_seconds']))}."


def _links(status: Mapping[str, Any], now: int) -> Iterator[str]:
    links = status["links"]
    if not links:
        yield "Not connected to any node."
        return
    yield f"Connected to {len(links)} node{'' if len(links) == 1 else 's'} (* chosen, + hears of new records at once)"
    rows = [("", "node", "how", "for", "in", "new", "out", "score", "address")]
    for link in sorted(links, key=lambda link: (not link["chosen"], not link["in_mesh"], link["since"])):
        how = "relayed" if link["relayed"] else "called" if link["direction"] == "outbound" else "calls us"
        how += ", rooms" if link["rooms"] else ""
        rows.append(
            (
                ("*" if link["chosen"] else " ") + ("+" if link["in_mesh"] else " "),
                link["peer"][:ID_CHARACTERS],
                how,
                span(max(0, now - link["since"])),
                str(link["records_in"]),
                str(link["records_new"]),
                str(link["records_out"]),
                f"{link['score']:.1f}",
                link["address"],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def _reach(status: Mapping[str, Any]) -> Iterator[str]:
    for address in dict.fromkeys((*status["tried"], *status["announced"])):
        if address.startswith("relay:"):
            continue
        reached = status["tried"].get(address)
        what = "others get through" if reached else "not tried yet" if reached is None else "others do not get through"
        yield f"Own address {address}: {what}"
    if status["relays"]:
        yield f"Reachable through {len(status['relays'])} relaying nodes"
    if not status["announced"] and not status["tried"]:
        yield "No address of this node is announced: it calls others, and nobody calls it."
    lan = status["lan"]
    yield f"Local network: {lan}" + (f", {status['lan_nodes']} nodes found" if lan == "on" else "")
    yield f"Address book: {status['known_nodes']} nodes"


def _counts(heading: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        said = ", ".join(f"{why.replace('_', ' ')} {count}" for why, count in sorted(counts.items()))
        yield f"{heading}: {said}"


def span(seconds: float) -> str:
    """A length of time in its largest unit: 40 s, 5 min, 3 h, 12 days."""
    for unit, size in (("days", 172_800), ("h", 7_200), ("min", 120)):
        if seconds >= size:
            return f"{int(seconds // (86_400 if unit == 'days' else size // 2))} {unit}"
    return f"{int(seconds)} s"
