"""What must hold at every step of every simulated run, whatever the weather and whoever takes part.

Nothing unverified is passed on; nothing expired is held or passed on; what the machine believes to be live is what the
store says is live, so equal sets have equal hashes; every queue is bounded; no exception escapes.
"""

from collections import deque
from collections.abc import Iterator, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.gossip.machine import Gossip
from hedgerow_protocol.messages import Message, Peers, Records
from hedgerow_protocol.reconcile import LiveSet
from hedgerow_protocol.state import hour_start

if TYPE_CHECKING:
    from hedgerow_node.bench.simulation.node import Node

CONTAINER_MAX: Final = 16_384
"""Members. No list, set or table inside a machine may be longer, except those named here."""

CONTAINERS_LARGER: Final = {"introductions": 65_536}
"""Members. By a word in the path of what may be longer; the live set is as long as the store and not looked at."""

_DEPTH_MAX: Final = 8
_MEMBERS_MAX: Final = 8
"""Members of one table that are looked into: they are all alike."""

KEY: Final = bytes(32)
"""The binding under which digests are compared here."""


class SimulationError(AssertionError):
    """Something that must never happen has happened; the message says how to see it again."""


class Safety:
    """Looks at nodes while a world runs."""

    def __init__(self, repeat: str, every: int) -> None:
        self._repeat = repeat
        self.every = max(1, every)
        self._count = 0
        self.checks = 0

    def broken(self, node: "Node", what: str) -> SimulationError:
        """The error to raise."""
        return SimulationError(f"{what} (node {node.number} at {node.world.time:.3f} s; {self._repeat})")

    def never(self, what: str) -> SimulationError:
        """The error to raise when something that should have happened has not."""
        return SimulationError(f"{what} ({self._repeat})")

    def sent(self, node: "Node", message: Message) -> None:
        """A node has said this."""
        match message:
            case Records(envelopes=envelopes):
                for data in envelopes:
                    self._may_pass_on(node, data)
            case Peers(envelopes=envelopes):
                for data in envelopes:
                    self._holds(node, data, "sent a forged announcement")
            case _:
                pass

    def _may_pass_on(self, node: "Node", data: bytes) -> None:
        archived = self._holds(node, data, "passed on a record that does not verify")
        if archived.rid not in node.store.judged:
            raise self.broken(node, "passed on a record that it had not judged")
        if 0 < archived.seconds <= hour_start(node.now().timestamp):
            raise self.broken(node, "passed on a record that has expired")

    def _holds(self, node: "Node", data: bytes, what: str) -> Any:
        try:
            return node.world.archive.read(data)
        except RemoteError as error:
            raise self.broken(node, f"{what}: {error.reason}") from error

    def step(self, node: "Node") -> None:
        """A node has handled an event."""
        self._count += 1
        if self._count % self.every == 0:
            self.look(node)

    def look(self, node: "Node") -> None:
        """Look at everything inside one node."""
        self.checks += 1
        hour = hour_start(node.now().timestamp)
        for rid, archived in node.store.held.items():
            if 0 < archived.seconds <= hour:
                raise self.broken(node, f"holds {rid.hex()[:8]}, which has expired")
        self._mirror(node)
        for path, members in containers(node.machine):
            if members > next((most for word, most in CONTAINERS_LARGER.items() if word in path), CONTAINER_MAX):
                raise self.broken(node, f"{path} has grown to {members} members")

    def _mirror(self, node: "Node") -> None:
        live = live_set_of(node.machine)
        if live is not None and live.digest(KEY) != node.world.digest_of(node.store):
            raise self.broken(node, "the machine's live set is not the store's")


def live_set_of(machine: object) -> LiveSet | None:
    """The machine's own picture of its live set, where it has one."""
    return machine.state.live if isinstance(machine, Gossip) else None


def containers(machine: object) -> Iterator[tuple[str, int]]:
    """Every list, set and table inside a machine: where it is and how many members it has."""
    seen: set[int] = set()
    pile: deque[tuple[str, Any, int]] = deque([(type(machine).__name__, machine, 0)])
    while pile:
        path, value, depth = pile.popleft()
        if id(value) in seen or depth > _DEPTH_MAX or isinstance(value, LiveSet | bytes | str | type):
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set | frozenset | deque | tuple):
            if isinstance(value, Sized) and not isinstance(value, tuple):
                yield path, len(value)
            members = islice(value.values() if isinstance(value, dict) else value, _MEMBERS_MAX)
            pile.extend((f"{path}[]", each, depth + 1) for each in members if _is_worth_a_look(each))
        else:
            pile.extend((f"{path}.{name}", each, depth + 1) for name, each in _fields(value) if _is_worth_a_look(each))


def _is_worth_a_look(value: object) -> bool:
    return not isinstance(value, bytes | str | int | float | bool | None) and not callable(value)


def _fields(value: object) -> Iterator[tuple[str, Any]]:
    if not type(value).__module__.startswith("hedgerow_protocol"):
        return
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)
