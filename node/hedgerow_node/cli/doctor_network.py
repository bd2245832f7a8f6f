"""What ``hedgerow doctor`` says about other nodes, from what the running node knows of them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hedgerow_node.cli.peers_table import span


class Finding(NamedTuple):
    """One thing that was looked at, as :class:`hedgerow_node.cli.doctor.Check` has it."""

    name: str
    fine: bool
    sentence: str
    advice: bool = False


def network_checks(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Chosen peers, the clock, whether others get through, the local network."""
    yield _peers(status)
    if status["eclipse_suspected"]:
        sentence = "neighbours kept older listings back: add a peer whose keeper you know (hedgerow peers add URL)"
        yield Finding("neighbours", True, sentence, True)
    if status["bundle_differs"]:
        sentence = f"{status['bundle_differs']} peers of the same version serve another one: compare /about with them"
        yield Finding("web UI of others", True, sentence, True)
    off = abs(status["clock_off_seconds"])
    yield Finding(
        "clock of others",
        not off,
        f"this machine's and those of peers differ by {span(off)}: set the wrong one right" if off else "no difference",
    )
    yield _reach(status)
    lan = status["lan"]
    fine = lan in ("on", "off")
    found = f"on, {status['lan_nodes']} nodes found" if lan == "on" else lan
    yield Finding("local network", True, found, not fine)


def _peers(status: Mapping[str, Any]) -> Finding:
    away = [peer for peer in status["peers"] if not peer["connected"]]
    if away:
        named = "; ".join(f"{peer['url']} ({peer['problem'] or 'not connected yet'})" for peer in away)
        return Finding("peers", True, f"{status['connected']} connected; not reached: {named}", True)
    if not status["connected"]:
        return Finding("peers", True, "none; listings stay on this node. Choose one: hedgerow peers add URL", True)
    return Finding("peers", True, f"{status['connected']} connected, {len(status['peers'])} of them chosen")


def _reach(status: Mapping[str, Any]) -> Finding:
    tried, relays = status["tried"], len(status["relays"])
    through = [address for address, reached in tried.items() if reached]
    if through:
        return Finding("reached by others", True, f"yes, at {', '.join(through)}")
    if relays:
        return Finding("reached by others", True, f"yes, through {relays} relaying nodes")
    if tried:
        advice = "does the reverse proxy pass WebSocket upgrades on, and the router its port?"
        return Finding("reached by others", True, f"no: nobody got through to {', '.join(tried)}; {advice}", True)
    if status["announced"]:
        return Finding("reached by others", True, "nobody has tried yet")
    return Finding("reached by others", True, "no, and nothing is announced; this node calls others")
