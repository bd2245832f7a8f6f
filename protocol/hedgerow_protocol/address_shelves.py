"""Who stands where in an address book: places in the two tables, taken, given up and fought for."""

from typing import Final

from hedgerow_protocol.address_entry import SILENT_SECONDS_MAX, SOURCES_MAX, Entry
from hedgerow_protocol.address_table import Places, Table
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.neighbourhood import Neighbourhood
from hedgerow_protocol.ports import Timestamp

FRESH_SECONDS: Final = 4 * 3_600
"""Seconds. Who was reached within this time does not give up its place in the tried table, and is not tested for it."""

TESTS_MAX: Final = 16
"""Nodes. Waiting for a place in the tried table until who stands there was tested."""


class Shelves:
    """The entries of a book by node, and the two tables. An entry stands in at least one place, or is forgotten."""

    def __init__(self, places: Places, chance: Chance) -> None:
        self._places = places
        self._chance = chance
        self.entries: dict[NodeId, Entry] = {}
        self.new = Table()
        self.tried = Table()
        self._tests: dict[NodeId, NodeId] = {}
        """Who stands in a place of the tried table, and who waits for it."""

    def tell(self, entry: Entry, source: Neighbourhood, time: Timestamp) -> bool:
        """Note who told of a node, and give it a place for that; ``False`` when there was none or no need.

        An entry that is not in the book yet comes into it.
        """
        if source in entry.sources:
            return False
        full = len(entry.sources) >= SOURCES_MAX
        if full and self._chance.below(4):
            return False
        place = None if entry.tried else self._free_new(entry, source, time)
        if place is None and not entry.tried:
            return False
        if full:
            # Otherwise who tells first of all nodes would be everybody's source for ever.
            index = self._chance.below(SOURCES_MAX)
            del entry.sources[index]
            if not entry.tried:
                self.new.clear(entry.places.pop(index))
        if place is not None:
            self.new.put(place, entry.node)
            entry.places.append(place)
        entry.sources.append(source)
        self.entries[entry.node] = entry
        return True

    def promote(self, entry: Entry, time: Timestamp) -> None:
        """From hearsay to experience, if there is a place; else the one who stands there is to be tested first."""
        places = self._places.tried(entry.node, entry.neighbourhood)
        place = next((each for each in places if self.tried.at(each) is None), None)
        if place is not None:
            for each in entry.places:
                self.new.clear(each)
            self.tried.put(place, entry.node)
            entry.places = [place]
            entry.tried = True
            return
        occupants = [self.entries[node] for each in places if (node := self.tried.at(each)) is not None]
        oldest = min(occupants, key=lambda each: each.reached)
        if oldest.reached + FRESH_SECONDS <= time and len(self._tests) < TESTS_MAX:
            self._tests.setdefault(oldest.node, entry.node)

    def tested(self, entry: Entry, ok: bool, time: Timestamp) -> None:
        """A node was dialled: if another one waits for its place, that is decided now."""
        challenger = self._tests.pop(entry.node, None)
        if ok or challenger is None or not entry.tried:
            return
        self.replace(entry, time)
        waiting = self.entries.get(challenger)
        if waiting is not None and not waiting.tried and waiting.reached:
            self.promote(waiting, time)

    def to_test(self, time: Timestamp) -> Entry | None:
        """A node of the tried table for whose place another one waits."""
        for node, challenger in tuple(self._tests.items()):
            entry = self.entries.get(node)
            if entry is None or not entry.tried or challenger not in self.entries:
                del self._tests[node]
            elif entry.rests_until(time) <= time:
                return entry
        return None

    def replace(self, entry: Entry, time: Timestamp) -> bool:
        """Take a node from where it stands and find it places in the new table; ``False`` and forgotten without one."""
        self._clear(entry)
        sources, entry.sources = entry.sources or [entry.neighbourhood], []
        entry.tried = False
        for source in sources:
            place = self._free_new(entry, source, time)
            if place is not None:
                self.new.put(place, entry.node)
                entry.places.append(place)
                entry.sources.append(source)
        if not entry.places:
            self.forget(entry)
        return bool(entry.places)

    def restore(self, entry: Entry) -> bool:
        """Stand a node that was kept on disk where it stood, or where it may; ``False`` when that is taken."""
        wanted, entry.places = entry.places, []
        if entry.tried:
            allowed = self._places.tried(entry.node, entry.neighbourhood)
            free = [each for each in (*wanted, *allowed) if each in allowed and self.tried.at(each) is None]
            if free:
                self.tried.put(free[0], entry.node)
                entry.places.append(free[0])
                self.entries[entry.node] = entry
                return True
            entry.tried = False
        sources, entry.sources = entry.sources, []
        for source in sources:
            allowed = self._places.new(entry.node, entry.neighbourhood, source)
            free = [each for each in (*wanted, *allowed) if each in allowed and self.new.at(each) is None]
            if free:
                self.new.put(free[0], entry.node)
                entry.places.append(free[0])
                entry.sources.append(source)
                self.entries[entry.node] = entry
        return bool(entry.places)

    def forget(self, entry: Entry) -> None:
        """Nothing is known of this node any more."""
        self._clear(entry)
        self.entries.pop(entry.node, None)
        self._tests.pop(entry.node, None)

    def _clear(self, entry: Entry) -> None:
        table = self.tried if entry.tried else self.new
        for place in entry.places:
            table.clear(place)
        entry.places = []

    def _free_new(self, entry: Entry, source: Neighbourhood, time: Timestamp) -> int | None:
        """A free place for what this source told, made free if need be by who least deserves it."""
        places = self._places.new(entry.node, entry.neighbourhood, source)
        occupants = {place: self.new.at(place) for place in places}
        if entry.node in occupants.values():
            return None
        free = next((place for place, node in occupants.items() if node is None), None)
        if free is not None or entry.places:
            return free  # a second place is never worth pushing somebody out
        for place, node in occupants.items():
            if node is not None and self._yields(self.entries[node], place, time):
                return place
        return None

    def _yields(self, occupant: Entry, place: int, time: Timestamp) -> bool:
        if len(occupant.places) > 1:
            index = occupant.places.index(place)
            del occupant.places[index], occupant.sources[index]
            self.new.clear(place)
            return True
        poor = occupant.failures > 0 or occupant.heard + SILENT_SECONDS_MAX // 2 <= time or occupant.expires <= time
        if poor:
            self.forget(occupant)
        return poor
