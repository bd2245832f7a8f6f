"""What the network's state means, in the keeper's language: from the JSON of ``hedgerow peers list`` to sentences.

The network's own words (why a peer could not be reached) are English and are shown as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from hedgerow_node.http.keeper.drawing import FLOWER, LEAF_PATH, Leaf, drawing
from hedgerow_node.http.rendering import View

GOOD_SCORE: Final = 5.0
"""Points. From here on a peer's announcements of others are believed: it has earned something."""

ID_CHARACTERS: Final = 8
"""Characters. Of a site's id: enough to tell a neighbourhood apart."""

RELAY: Final = "relay:"


@dataclass(frozen=True, slots=True)
class NetworkWords:
    """Words of one status for one view."""

    view: View
    status: Mapping[str, Any]

    def values(self) -> dict[str, Any]:
        """What the template shows."""
        peers = self._peers()
        return {
            "warnings": self._warnings(),
            "peers": peers,
            "drawing": self._drawing(peers),
            "reach": self._reach(),
            "lan": self._lan(),
            "chosen": [self._chosen(each) for each in self.status["peers"]],
            "refused": self._counted("refused"),
            "turned_away": self._counted("turned_away"),
            "ended": self._counted("ended"),
            "summary": self._summary(),
        }

    # --- what a keeper should do something about

    def _warnings(self) -> list[dict[str, str]]:
        t, found = self.view.t, []
        if self.status.get("left"):
            found.append(t("network.left"))
        elif not self.status["links"]:
            found.append(t("network.alone"))
        if self.status["eclipse_suspected"]:
            found.append(t("network.dark"))
        if self.status["bundle_differs"]:
            found.append(t("secure.differs", count=self.status["bundle_differs"]))
        if self.status["clock_off_seconds"]:
            found.append(t("network.clock", time=self.duration(abs(self.status["clock_off_seconds"]))))
        return [{"kind": "warn", "text": text} for text in found]

    # --- who we are connected to

    def _peers(self) -> list[dict[str, Any]]:
        links = sorted(self.status["links"], key=lambda link: (not link["chosen"], not link["in_mesh"], link["since"]))
        return [self._peer(number, link) for number, link in enumerate(links, 1)]

    def _peer(self, number: int, link: Mapping[str, Any]) -> dict[str, Any]:
        t = self.view.t
        outbound = link["direction"] == "outbound"
        said = [
            t("network.called" if outbound else "network.calls"),
            t("network.by_you") if link["chosen"] else t("network.by_itself") if outbound else "",
            t("network.relayed") if link["relayed"] else "",
            t("network.near") if link["in_mesh"] else "",
        ]
        ways = [way for way in said if way]
        name = self.name(link["address"]) or link["peer"][:ID_CHARACTERS]
        return {
            "number": number,
            "name": name,
            "address": "" if link["address"].startswith(RELAY) else link["address"],
            "id": link["peer"][:ID_CHARACTERS],
            "block_url": self.view.url("/keeper/network", block=link["peer"]) + "#block",
            "ways": ways,
            "since": self.duration(max(0, self.now - link["since"])),
            "heard": self.duration(link["heard_seconds_ago"]),
            "exchanged": t(
                "network.exchange", came=link["records_in"], fresh=link["records_new"], went=link["records_out"]
            ),
            "bytes": t("network.bytes", came=self.size(link["bytes_in"]), went=self.size(link["bytes_out"])),
            "holds": t("network.holds", number=link["holds"]) if link["holds"] else "",
            "score": t("network.score", word=t(f"network.score.{_standing(link['score'])}"), number=self.points(link)),
            "leaf": Leaf(
                number,
                name,
                f"{number}. {name}: {' '.join(ways)}",
                link["chosen"],
                link["in_mesh"],
                outbound,
                link["relayed"],
            ),
        }

    def _summary(self) -> str:
        t, links, known = self.view.t, len(self.status["links"]), self.status["known_nodes"]
        said = [t("network.connected", count=links)] if links else []
        return " ".join([*said, t("network.known", count=known)] if known else said)

    def _drawing(self, peers: list[dict[str, Any]]) -> dict[str, Any]:
        t, links = self.view.t, self.status["links"]
        drawn = drawing([each["leaf"] for each in peers])
        return drawn | {
            "flower": FLOWER,
            "leaf": LEAF_PATH,
            "text": t("network.connected", count=len(links)),
            "description": t(
                "network.drawing_text",
                chosen=sum(link["chosen"] for link in links),
                near=sum(link["in_mesh"] for link in links),
                relayed=sum(link["relayed"] for link in links),
            ),
        }

    def name(self, address: str) -> str:
        """How a place in the network is called in short: its host name or IP address; empty where there is none."""
        try:
            return str(ip_address(address))
        except ValueError:
            pass
        if address.startswith(RELAY):
            return ""  # whose id that is does not matter here: it is the one in between
        try:
            return (urlsplit(address if "://" in address else f"//{address}").hostname or "") if address else ""
        except ValueError:
            return ""

    # --- whether others reach us

    def _reach(self) -> dict[str, Any]:
        t, status = self.view.t, self.status
        tried, relays = status["tried"], status["relays"]
        lines = [
            t("network.reach_yes" if reached else "network.reach_failed", address=address)
            for address, reached in tried.items()
        ]
        lines += [
            t("network.reach_waiting", address=address)
            for address in status["announced"]
            if address not in tried and not address.startswith(RELAY)
        ]
        if relays:
            lines.append(t("network.reach_relays", count=len(relays)))
        return {"lines": lines or [t("network.reach_none")], "ways": not any(tried.values())}

    def _lan(self) -> dict[str, str]:
        t, lan = self.view.t, self.status["lan"]
        if lan == "off":
            return {"text": t("network.lan_off"), "problem": ""}
        if lan == "on":
            return {"text": t("network.lan_on", number=self.status["lan_nodes"]), "problem": ""}
        return {"text": t("network.lan_problem"), "problem": lan}

    # --- what the keeper chose, and what was counted

    def _chosen(self, peer: Mapping[str, Any]) -> dict[str, str]:
        state = "on" if peer["connected"] else "failed" if peer["problem"] else "off"
        return {
            "url": peer["url"],
            "text": self.view.t(f"network.chosen_{state}"),
            "state": state,
            "problem": "" if peer["connected"] else peer["problem"],
        }

    def _counted(self, what: str) -> list[dict[str, str]]:
        t, has = self.view.t, self.view.language.has
        rows = []
        for reason, count in sorted(self.status[what].items(), key=lambda each: (-each[1], each[0])):
            key = f"network.{what}.{reason.replace(' ', '_')}"
            text = t(key) if has(key) else t("network.other_reason")
            rows.append({"text": text, "count": self.view.language.number(count)})
        return rows

    # --- numbers

    @property
    def now(self) -> int:
        """The moment of the status, Unix seconds."""
        return int(self.status["now"])

    def duration(self, seconds: float) -> str:
        """About how long: 3 hours."""
        from babel.dates import format_timedelta

        return str(format_timedelta(int(seconds), locale=self.view.language.babel))

    def size(self, count: int) -> str:
        """An amount of data: 1.2 MB."""
        from babel.units import format_unit

        for unit, size in (("gigabyte", 10**9), ("megabyte", 10**6), ("kilobyte", 10**3)):
            if count >= size:
                value = round(count / size, 1)
                return str(format_unit(value, f"digital-{unit}", "short", locale=self.view.language.babel))
        return str(format_unit(count, "digital-byte", "short", locale=self.view.language.babel))

    def points(self, link: Mapping[str, Any]) -> str:
        """A score with one decimal."""
        from babel.numbers import format_decimal

        return str(format_decimal(round(link["score"], 1), locale=self.view.language.babel))


def _standing(score: float) -> str:
    return "low" if score < 0 else "good" if score >= GOOD_SCORE else "new"
