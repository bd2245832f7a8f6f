"""The one door: events in, outputs out. It reads no clock, draws no randomness, and never waits."""

from typing import assert_never

from hedgerow_protocol import messages
from hedgerow_protocol.address_book import AddressBook
from hedgerow_protocol.address_table import SECRET_BYTES
from hedgerow_protocol.envelope import parse_envelope
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.finding import Finding
from hedgerow_protocol.gossip import events
from hedgerow_protocol.gossip import settings as times
from hedgerow_protocol.gossip.events import Event, Output, Reason, Why
from hedgerow_protocol.gossip.linked import Linked
from hedgerow_protocol.gossip.machine_state import MachineState
from hedgerow_protocol.gossip.meeting import Meeting
from hedgerow_protocol.gossip.posting import Posting
from hedgerow_protocol.gossip.reaching import Reaching
from hedgerow_protocol.gossip.settings import Settings
from hedgerow_protocol.gossip.spreading import Spreading
from hedgerow_protocol.gossip.suspicion import Suspicion
from hedgerow_protocol.gossip.syncing import Syncing
from hedgerow_protocol.gossip.tending import Tending
from hedgerow_protocol.gossip.wanting import Wanting
from hedgerow_protocol.ids import NodeId, RecordId
from hedgerow_protocol.messages import Message
from hedgerow_protocol.ports import Entropy, Instant, Now
from hedgerow_protocol.records import read_announcement


class Gossip:
    """One node among nodes. Feed it every event through :meth:`handle` and do what it puts out, in order.

    ``secret`` is 16 bytes or more that the node keeps to itself and over restarts: it makes the places in the address
    book unpredictable to others.
    """

    def __init__(
        self,
        own: NodeId,
        *,
        entropy: Entropy,
        now: Now,
        secret: bytes,
        settings: Settings | None = None,
        book: AddressBook | None = None,
    ) -> None:
        self.state = MachineState(own, entropy, settings or Settings())
        self.book = book or AddressBook(secret[:SECRET_BYTES], entropy)
        self.finding = Finding(self.book, entropy, slots=self.state.settings.outbound, onion=self.state.settings.onion)
        self._tending = Tending(self.state, now)
        self._spreading = Spreading(self.state)
        self._syncing = Syncing(self.state, self._tending)
        self.reaching = Reaching(self.state)
        self._meeting = Meeting(self.state, self.reaching, self.book, self.finding)
        self._suspicion = Suspicion(self.state, self.finding)
        self._posting = Posting(self.state)
        self.wanting = Wanting(self.state, self.reaching, self._meeting)
        self._next_heartbeat = now.instant
        self._next_bulk = now.instant

    def handle(self, event: Event, now: Now) -> list[Output]:
        """Take one event in; what is to be done because of it, in order. Raises nothing, whatever peers say."""
        self._take(event, now)
        if now.instant >= self._next_heartbeat:
            self._heartbeat(now)
        self._spreading.flush()
        if self._spreading.bulk and now.instant >= self._next_bulk:
            self._spreading.bulk = False
            self._next_bulk = Instant(now.instant + times.BULK_PING_SECONDS)
            self._tending.ask_all()
        while self.state.gone:
            linked = self.state.gone.pop()
            self._syncing.link_down(linked)
            self._meeting.link_down(linked, now)
            self._posting.link_down(linked)
            self.wanting.link_down(linked, now)
        out, self.state.out = self.state.out, []
        return out

    def due(self) -> Instant:
        """When the next :class:`Tick` is due."""
        due = self._next_heartbeat
        if self._spreading.bulk:
            due = min(due, self._next_bulk)
        if self._syncing.next_slice is not None:
            due = min(due, self._syncing.next_slice)
        return due

    # --- events

    def _take(self, event: Event, now: Now) -> None:
        match event:
            case events.FrameIn(link, frame):
                linked = self.state.links.get(link)
                if linked is not None:
                    self._frame(linked, frame, now)
            case events.Judged():
                self._judged(event, now)
            case events.Fetched():
                if not self._spreading.fetched(event):
                    self._syncing.fetched(event, now)
            case events.LiveChanged(added, removed):
                self._live_changed(added, removed, now)
            case events.Published(envelopes):
                for rid, envelope in envelopes:
                    self._spreading.published(rid, envelope, now)
                self._wake(now)
            case events.Tick():
                self._syncing.slice(now)
            case events.LetterOut():
                self._posting.send(event, now)
            case _:
                self._take_rare(event, now)

    def _take_rare(self, event: Event, now: Now) -> None:
        match event:
            case events.LinkUp():
                self._link_up(event, now)
            case events.LinkDown(link):
                linked = self.state.links.get(link)
                if linked is not None:
                    self.state.forget(linked)
                self._next_heartbeat = now.instant
            case events.DialFailed():
                self._meeting.dial_failed(event, now)
                self.wanting.dial_failed(event, now)
                self._next_heartbeat = now.instant
            case events.Announced(_, envelope, _):
                announcement = read_announcement(parse_envelope(envelope).body)
                self.finding.set_self(self.state.own, announcement.addresses)
            case events.PeersChosen(addresses):
                self.finding.set_pinned(addresses)
                self._next_heartbeat = now.instant
            case events.PeerFound(address):
                self.finding.found(address)
                self._next_heartbeat = now.instant
            case events.NodesBlocked(nodes):
                self._meeting.block(nodes)
            case events.Leave():
                self._meeting.leave()
            case events.PeerWanted(peer):
                if self.wanting.want(peer, now):
                    self._next_heartbeat = now.instant
            case events.NodesKnown(nodes):
                self._meeting.known = nodes
            case events.AnnouncementFound(envelope):
                self.wanting.found(envelope, now)
                self._next_heartbeat = now.instant
            case _:
                self._take_reach(event, now)

    def _take_reach(self, event: Event, now: Now) -> None:
        match event:
            case events.Reachable(addresses):
                self.reaching.addresses(addresses, now)
            case events.RelaysWanted(wanted):
                self.reaching.want_relays(wanted, now)
            case events.CircuitWanted(target, relay):
                self.reaching.connect(target, relay, now)
            case events.CircuitOut(circuit, payload):
                self.reaching.send(circuit, payload, now)
            case events.CircuitEnded(circuit):
                self.reaching.close(circuit, now)
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this machine.")

    # --- links

    def _link_up(self, event: events.LinkUp, now: Now) -> None:
        linked = self._meeting.link_up(event, now)
        self.wanting.opened(event, linked, now)
        if linked is not None:
            self._tending.greet(linked, now)
        self._next_heartbeat = now.instant

    def _frame(self, linked: Linked, frame: bytes, now: Now) -> None:
        try:
            message = messages.decode(frame)
            linked.last_heard = now.instant
            self._message(linked, message, now)
        except RemoteError as error:
            self.state.offended(linked, error, now)
            until = self.state.scores.banned_until(linked.peer, now)
            if until is not None:
                self.state.close(linked, Reason.MISBEHAVED, seconds=until - now.timestamp, words=str(error)[:200])

    def _message(self, linked: Linked, message: Message, now: Now) -> None:
        if isinstance(message, messages.Hello):
            self._hello(linked, message, now)
            return
        if isinstance(message, messages.Bye):
            self._bye(linked, message, now)
            return
        if not linked.greeted:
            raise RemoteError(Code.MALFORMED, "The first message of a node is its hello.")
        match message:
            case messages.Ping(_, count, digest):
                self._tending.pong(linked, message)
                self._compare(linked, count, digest, now)
            case messages.Pong(nonce, count, digest):
                if nonce == linked.pinged:
                    linked.pinged = None
                    self._compare(linked, count, digest, now)
            case messages.Graft():
                self._tending.graft(linked, now)
            case messages.Prune():
                self._tending.prune(linked, message, now)
            case messages.PeersWanted():
                self._meeting.peers_wanted(linked, now)
            case messages.Peers():
                self._meeting.peers(linked, message, now)
            case messages.DialBack():
                self.reaching.dial_back(linked, message, now)
            case messages.DialedBack():
                self.reaching.dialed_back(linked, message, now)
            case messages.Letter():
                self._posting.came(linked, message, now)
            case messages.Unknown():
                pass
            case (
                messages.Reserve()
                | messages.Reserved()
                | messages.Connect()
                | messages.Incoming()
                | messages.CircuitData()
                | messages.CircuitClosed()
            ):
                self.reaching.relay(linked, message, now)
            case messages.Records() | messages.Got() | messages.Have() | messages.Want() | messages.Reconcile():
                if self.state.scores.may_gossip(linked.peer, now):
                    self._record_message(linked, message, now)
            case _:
                assert_never(message)

    def _record_message(
        self,
        linked: Linked,
        message: messages.Records | messages.Got | messages.Have | messages.Want | messages.Reconcile,
        now: Now,
    ) -> None:
        match message:
            case messages.Records():
                self._spreading.records(linked, message, now)
            case messages.Got():
                self._syncing.got(linked, message, now)
            case messages.Have():
                self._spreading.have(linked, message, now)
            case messages.Want():
                self._spreading.want(linked, message, now)
            case messages.Reconcile():
                self._syncing.reconcile(linked, message, now)
            case _:
                assert_never(message)
        self._wake(now)

    def _hello(self, linked: Linked, hello: messages.Hello, now: Now) -> None:
        self._tending.hello(linked, hello, now)
        if linked.link not in self.state.links:
            return
        self.reaching.greeted(linked, now)
        self._meeting.ask_for_peers(linked, now)
        self._posting.greeted(linked)
        if linked.why is Why.ROOMS:
            self._next_heartbeat = now.instant  # perhaps it is a relay that others wait for
        if linked.outbound:
            self._compare(linked, hello.count, hello.digest, now)
        self._wake(now)

    def _bye(self, linked: Linked, bye: messages.Bye, now: Now) -> None:
        self.finding.stay_away(linked.peer, bye.seconds, now)
        self.wanting.told_to_wait(linked.peer, bye.seconds, now)
        self.state.out.append(events.Close(linked.link, Reason.OTHER))
        self.state.forget(linked)

    def _compare(self, linked: Linked, count: int, digest: bytes, now: Now) -> None:
        self._syncing.compare(linked, count, digest, now)
        self._suspicion.compared(linked, now)

    # --- records

    def _judged(self, event: events.Judged, now: Now) -> None:
        link, new = self._spreading.judged(event, now)
        linked = None if link is None else self.state.links.get(link)
        for _, envelope in new:
            self._meeting.stored(envelope, linked, now)
        if linked is not None and new:
            self.reaching.exchanged(linked)
        self._wake(now)

    def _live_changed(
        self, added: tuple[tuple[int, RecordId], ...], removed: tuple[tuple[int, RecordId], ...], now: Now
    ) -> None:
        if changed := self.state.live.change(added, removed):
            self._spreading.arrived([rid for _, rid in added], now)
            self._syncing.changed(changed)
            self._tending.changed(now)
            self._wake(now)

    # --- time

    def _wake(self, now: Now) -> None:
        """Something is under way: look again within a heartbeat."""
        if self._next_heartbeat > now.instant + times.HEARTBEAT_SECONDS:
            self._next_heartbeat = self.state.soon(now.instant, times.HEARTBEAT_SECONDS)

    def _heartbeat(self, now: Now) -> None:
        self._spreading.heartbeat(now)
        self._suspicion.heartbeat(now)
        if self._tending.heartbeat(now, self._spreading.came):
            self._spreading.came = 0
        for linked in list(self.state.greeted()):
            self._meeting.ask_for_peers(linked, now)
        self._syncing.heartbeat(now)
        self.reaching.tick(now)
        self._meeting.expire(now)
        self._meeting.dial(now)
        if not self._meeting.leaving:
            self.wanting.heartbeat(now)
        busy = self._spreading.busy or self._syncing.busy
        wait = times.HEARTBEAT_SECONDS if busy else times.IDLE_SECONDS
        if self._spreading.asking:
            wait = times.ASKING_SECONDS
        moments = [
            self.state.soon(now.instant, wait),
            self._meeting.next_due(now),
            self.reaching.next_due(),
            self._syncing.next_look(),
            self.wanting.next_due(now),
        ]
        soonest = min(each for each in moments if each is not None)
        self._next_heartbeat = max(soonest, Instant(now.instant + times.HEARTBEAT_SECONDS_MIN))
