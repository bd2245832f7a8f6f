"""What set-up asks about other nodes, and what it says before somebody announces an address.

The keeper's guide says the same in the same words; a test compares them.
"""

from collections.abc import Callable
from textwrap import fill
from typing import Any, Final

from hedgerow_node.config import Config, ConfigError, check_setting
from hedgerow_node.net.announcing import LIFE_SECONDS

Ask = Callable[[str], str]

DAYS: Final = LIFE_SECONDS // 86_400

WITHOUT_ANNOUNCING: Final = (
    "Your node can call others without telling anybody where it stands; listings then go both ways. Others can "
    "reach it through relays (nodes that pass calls on), which it finds by itself, or at an onion address (Tor)."
)

ANNOUNCING: Final = (
    "An announced web address goes to every node in the network and stays there for up to "
    f"{DAYS} days; it cannot be taken back sooner. Whoever runs a node, and whoever asks one, can look up at which "
    "provider or in which house this community's node stands. Do not announce the address of somebody's home, if "
    "that could harm anybody there."
)

LAN: Final = (
    "On the local network a node finds others without any address. But everybody in the household or office can see "
    "then that a node is there. So it is off until you choose it."
)


def shown(text: str) -> str:
    """A paragraph for a terminal."""
    return fill(text, 80)


def ask_network(config: Config, ask: Ask) -> dict[str, Any]:
    """Ask how others may reach this node, and about the local network; what flags or the file said is not asked."""
    said: dict[str, Any] = {}
    asks = [name for name in ("announce", "lan") if config.origins.get(name) == "default"]
    if asks:
        print("\nOther nodes\n")
    if "announce" in asks:
        print(f"{shown(WITHOUT_ANNOUNCING)}\n\n{shown(ANNOUNCING)}\n")
        said |= _ask_announce(ask)
    if "lan" in asks:
        print(f"\n{shown(LAN)}\n")
        if _yes(ask("Look for nodes on the local network? [y/N] ")):
            said["lan"] = True
    return said


def _ask_announce(ask: Ask) -> dict[str, Any]:
    while True:
        answer = ask("Web address to announce (Enter: none; relays or onion only): ").strip()
        if not answer:
            return {}
        try:
            address = check_setting("announce", answer)
        except ConfigError as error:
            print(error)
            continue
        if _yes(ask(f"Announce {address} to everybody? [y/N] ")):
            return {"announce": address}
        print("Nothing is announced.")
        return {}


def _yes(answer: str) -> bool:
    return answer.strip().lower() in ("y", "yes")
