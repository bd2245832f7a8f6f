"""How this site and others get on with the groups they share, in the keeper's language: of each site, never of a group.

From the JSON of ``hedgerow peers rooms`` to sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hedgerow_node.http.keeper.network_words import ID_CHARACTERS, NetworkWords

SHOWN_MAX: Final = 60
"""Sites. In the table, those that something is wrong with first; the command line has them all."""


@dataclass(frozen=True, slots=True)
class RoomsWords:
    """Words of one status for one view."""

    words: NetworkWords
    said: Mapping[str, Any]

    def values(self) -> dict[str, Any]:
        """What the template shows."""
        t, nodes = self.words.view.t, self.said["nodes"]
        shown = nodes[:SHOWN_MAX]
        more = len(nodes) - len(shown) + self.said["more"]
        lied = any(each["two_stories"] for each in nodes)
        return {
            "rows": [self._row(each) for each in shown],
            "more": t("network.rooms.more", number=self._number(more)) if more else "",
            "lied": t("network.rooms.lied_warning") if lied else "",
        }

    def _row(self, each: Mapping[str, Any]) -> dict[str, Any]:
        t = self.words.view.t
        named = each["node"] is not None
        id = each["node"][:ID_CHARACTERS] if named else ""
        return {
            "name": (self._names.get(each["node"]) or id) if named else t("network.rooms.others"),
            "id": id,
            "named": named,
            "line": self._line(each) if named else [],
            "troubles": self._troubles(each),
            "state": self._state(each) if named else [],
            "refused": self._refused(each["refused"]),
        }

    @property
    def _names(self) -> dict[str, str]:
        """Host names of those that are connected."""
        return {link["peer"]: self.words.name(link["address"]) for link in self.words.status["links"]}

    def _line(self, each: Mapping[str, Any]) -> list[str]:
        t, since = self.words.view.t, each["since"]
        state = "up" if each["up"] else "away"
        said = t(f"network.rooms.{state}_now") if since is None else t(f"network.rooms.{state}", time=self._for(since))
        return [said] if each["shares_rooms"] else [said, t("network.rooms.not_shared")]

    def _troubles(self, each: Mapping[str, Any]) -> list[str]:
        t, found = self.words.view.t, []
        if each["two_stories"]:
            found.append(t("network.rooms.lied", number=self._number(each["two_stories"])))
        if each["silent_since"] is not None:
            found.append(t("network.rooms.silent", time=self._for(each["silent_since"])))
        return found

    def _state(self, each: Mapping[str, Any]) -> list[str]:
        t, said = self.words.view.t, []
        if each["waiting"]:
            said.append(t("network.rooms.waiting", number=self._number(each["waiting"])))
            if each["waiting_since"] is not None:
                said.append(t("network.rooms.oldest", time=self._for(each["waiting_since"])))
        if each["behind_at_least"]:
            said.append(t("network.rooms.behind", number=self._number(each["behind_at_least"])))
        if each["stalled"]:
            said.append(t("network.rooms.stalled"))
        return said if said or self._troubles(each) else [t("network.rooms.fine")]

    def _refused(self, refused: Mapping[str, int]) -> list[dict[str, str]]:
        t, has = self.words.view.t, self.words.view.language.has
        rows = []
        for why, many in sorted(refused.items(), key=lambda row: (-row[1], row[0])):
            key = f"network.rooms.refused.{why}"
            rows.append({"text": t(key) if has(key) else t("network.other_reason"), "count": self._number(many)})
        return rows

    def _for(self, since: int) -> str:
        return self.words.duration(max(0, self.words.now - since))

    def _number(self, number: int) -> str:
        return self.words.view.language.number(number)
