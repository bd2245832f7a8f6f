"""Links are greeted, kept awake, given a place in the mesh or taken out of it, and closed when they are dead."""

from statistics import median

from hedgerow_protocol.dial_rules import may_enter_mesh
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Notice, Reason, Tell, Why
from hedgerow_protocol.gossip.linked import NEVER, Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.messages import PING_NONCE_BYTES, VERSION, Graft, Hello, Ping, Pong, Prune
from hedgerow_protocol.ports import Instant, Now, Timestamp

PRUNE_SECONDS = 60
"""Seconds. Who was refused a place in the mesh asks again no earlier."""

MESH_OUTBOUND_MIN = 2
"""Links of the mesh that this node dialled: strangers that dial in can never fill it."""

_PING_REST_SECONDS = times.PING_SECONDS - times.PING_WAIT_SECONDS


class Tending:
    """Hello, ping, mesh."""

    def __init__(self, state: MachineState, now: Now) -> None:
        self._state = state
        self._ripple_until = NEVER
        self._next_ripple = now.instant
        self._next_rotation = state.soon(now.instant, times.ROTATE_SECONDS)
        self._clocks: dict[bytes, int] = {}
        self._clock_told = False

    # --- hello

    def greet(self, linked: Linked, now: Now) -> None:
        """Say the first words on a new link."""
        features = self._state.settings.features
        count, digest = self._own_set(linked)
        self._state.send(linked, Hello(VERSION, features, (), now.timestamp, count, digest))

    def hello(self, linked: Linked, hello: Hello, now: Now) -> None:
        """Hear the first words. Closes the link when the two cannot talk."""
        if linked.greeted:
            raise RemoteError(Code.MALFORMED, "A node says hello once.")
        if hello.version != VERSION:
            words = f"this node speaks version {VERSION}, yours {hello.version}"
            self._state.close(linked, Reason.VERSION, seconds=3_600, words=words)
            return
        missing = [each for each in hello.required if each not in self._state.settings.features]
        if missing:
            self._state.close(linked, Reason.FEATURE, seconds=3_600, words=f"this node cannot do {missing[0]}")
            return
        linked.hello = hello
        linked.features = frozenset(hello.features)
        linked.count = hello.count
        self._compare_clock(linked, hello.clock, now)

    def _own_set(self, linked: Linked) -> tuple[int, bytes]:
        return len(self._state.live), self._state.live.digest(linked.binding)

    def same(self, linked: Linked, digest: bytes) -> bool:
        """Whether the peer's digest says that both hold the same."""
        return self._state.live.digest(linked.binding) == digest

    def _compare_clock(self, linked: Linked, clock: Timestamp, now: Now) -> None:
        if not linked.chosen:
            return
        self._clocks[linked.peer] = clock - now.timestamp
        while len(self._clocks) > 64:
            del self._clocks[next(iter(self._clocks))]
        if len(self._clocks) < times.CLOCK_PEERS_MIN:
            return
        off = int(median(self._clocks.values()))
        wrong = abs(off) > times.CLOCK_WRONG_SECONDS
        if wrong != self._clock_told:
            self._clock_told = wrong
            self._state.out.append(Tell(Notice.CLOCK_WRONG, off if wrong else 0))

    # --- ping

    def ping(self, linked: Linked) -> None:
        """Ask whether the peer is there and holds the same."""
        linked.pinged = self._state.entropy(PING_NONCE_BYTES)
        self._state.send(linked, Ping(linked.pinged, *self._own_set(linked)))

    def pong(self, linked: Linked, ping: Ping) -> None:
        """Answer."""
        self._state.send(linked, Pong(ping.nonce, *self._own_set(linked)))

    def changed(self, now: Now) -> None:
        """This node's set has changed: ask around for a while whether the others know."""
        if self._ripple_until < now.instant:
            self._next_ripple = self._state.soon(now.instant, times.RIPPLE_SECONDS)
        self._ripple_until = Instant(now.instant + times.RIPPLE_LASTS_SECONDS)

    def ask_all(self) -> None:
        """Much has changed: let every peer compare."""
        for linked in self._state.greeted():
            self.ping(linked)

    # --- heartbeat

    def heartbeat(self, now: Now, came: int) -> bool:
        """Close what is dead, wake what sleeps, mend the mesh. Whether the count of new records begins anew."""
        for linked in list(self._state.links.values()):
            self._tend(linked, now)
        if now.instant < self._ripple_until and now.instant >= self._next_ripple:
            self._next_ripple = self._state.soon(now.instant, times.RIPPLE_SECONDS)
            for linked in self._state.choose(self._state.greeted(), 1):
                self.ping(linked)
        rotate = now.instant >= self._next_rotation
        if rotate:
            self._next_rotation = self._state.soon(now.instant, times.ROTATE_SECONDS)
            self._rotate(came, now)
        self._mend_mesh(now)
        return rotate

    @staticmethod
    def _dead_at(linked: Linked) -> Instant:
        return Instant(linked.last_heard + times.SILENT_SECONDS_MAX)

    def _tend(self, linked: Linked, now: Now) -> None:
        state = self._state
        if not linked.greeted:
            if now.instant >= linked.since + times.HELLO_SECONDS_MAX:
                state.close(linked, Reason.SILENT)
            return
        if now.instant >= self._dead_at(linked):
            state.close(linked, Reason.SILENT)
            return
        unanswered = linked.pinged is not None and now.instant >= linked.next_ping - _PING_REST_SECONDS
        if linked.outbound and (unanswered or now.instant >= linked.next_ping):
            linked.next_ping = state.soon(now.instant, times.PING_SECONDS)
            self.ping(linked)
        until = state.scores.banned_until(linked.peer, now)
        if until is not None:
            state.close(linked, Reason.MISBEHAVED, seconds=until - now.timestamp)

    # --- mesh

    def graft(self, linked: Linked, now: Now) -> None:
        """A peer wants a place in the mesh."""
        if linked.in_mesh:
            return
        full = len(self._state.mesh()) >= self._state.settings.mesh_high
        if full or now.instant < linked.graft_not_before or not self._fit(linked, now):
            self._state.send(linked, Prune(PRUNE_SECONDS))
        else:
            self._take_in(linked, now)

    def prune(self, linked: Linked, prune: Prune, now: Now) -> None:
        """A peer has taken us out of its mesh."""
        linked.in_mesh = False
        linked.graft_not_before = Instant(now.instant + max(1, prune.seconds))

    def _fit(self, linked: Linked, now: Now) -> bool:
        return linked.greeted and linked.why in (Why.KEEP, Why.ROOMS) and self._state.scores.may_mesh(linked.peer, now)

    def _take_in(self, linked: Linked, now: Now) -> None:
        linked.in_mesh = True
        linked.grafted = now.instant
        linked.brought = 0

    def _put_out(self, linked: Linked, now: Now) -> None:
        linked.in_mesh = False
        linked.graft_not_before = Instant(now.instant + PRUNE_SECONDS)
        self._state.send(linked, Prune(PRUNE_SECONDS))

    def _mend_mesh(self, now: Now) -> None:
        state, settings = self._state, self._state.settings
        mesh = state.mesh()
        for linked in [each for each in mesh if not self._fit(each, now)]:
            self._put_out(linked, now)
            mesh.remove(linked)
        chosen = sum(each.chosen for each in mesh)
        if len(mesh) > settings.mesh_high:
            spare = [each for each in mesh if not each.chosen or chosen > MESH_OUTBOUND_MIN]
            for linked in state.choose(spare, len(mesh) - settings.mesh):
                self._put_out(linked, now)
        elif len(mesh) < settings.mesh_low:
            self._graft_some(settings.mesh - len(mesh), now)

    def _graft_some(self, many: int, now: Now) -> None:
        state = self._state
        candidates = [
            each
            for each in state.links.values()
            if not each.in_mesh and now.instant >= each.graft_not_before and self._fit(each, now)
        ]
        many_could = len(candidates) + len(state.mesh())
        proven = [
            each
            for each in candidates
            if may_enter_mesh(outbound=each.chosen, connected_for=now.instant - each.since, candidates=many_could)
        ]
        dialled = state.choose((each for each in proven if each.chosen), many)
        others = state.choose((each for each in proven if not each.chosen), many - len(dialled))
        for linked in dialled + others:
            self._take_in(linked, now)
            state.send(linked, Graft())

    def _rotate(self, came: int, now: Now) -> None:
        """A mesh peer that brought nothing, while others did, gives up its place: perhaps it swallows what it gets."""
        state = self._state
        if came >= times.ROTATE_RECORDS_MIN:
            mesh = state.mesh()
            idle = [each for each in mesh if not each.brought and now.instant - each.grafted >= times.ROTATE_SECONDS]
            waiting = any(not each.in_mesh and self._fit(each, now) for each in state.links.values())
            if waiting:
                for linked in state.choose(idle, 1):
                    state.scores.withheld(linked.peer, now)
                    self._put_out(linked, now)
        for linked in state.links.values():
            linked.brought = 0
