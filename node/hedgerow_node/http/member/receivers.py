"""Whoever listens now: live sockets by room and by device, told what each commit of the store changed.

A commit group is written once to each receiver, as bytes that were made once for all of them.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from hedgerow_node.delivery.doors import Refused, Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import head_json
from hedgerow_node.http.member.frames import entries_frames, text_frame
from hedgerow_node.http.member.lines import GOING_AWAY, TOKEN_REFUSED, TOO_MUCH, TOO_SLOW, Lines, Receiver
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol import base64url
from hedgerow_protocol.delivery.values import Head, RoomId

LOG = logging.getLogger(__name__)

Heads = Callable[[Session, Sequence[RoomId]], Awaitable[Sequence[tuple[RoomId, Head]]]]

WELCOMES: Final = text_frame(b'{"welcomes":true}')
ASKS: Final = text_frame(b'{"asks":true}')

MISSED_MAX: Final = 4_096
"""Commits of the store that may come while one receiver is let in; beyond it the receiver starts anew."""


@dataclass(slots=True)
class Receivers:
    """All receivers of one node. Belongs to the event loop."""

    heads: Heads
    lines: Lines = field(default_factory=Lines)
    sockets_max: int = bounds.LIVE_SOCKETS_MAX
    per_device_max: int = bounds.LIVE_SOCKETS_PER_DEVICE_MAX
    per_account_max: int = bounds.LIVE_SOCKETS_PER_ACCOUNT_MAX
    rooms: dict[bytes, set[Receiver]] = field(default_factory=dict)
    devices: dict[bytes, list[Receiver]] = field(default_factory=dict)
    accounts: dict[bytes, int] = field(default_factory=dict)
    entering: set[Receiver] = field(default_factory=set)
    many: int = 0
    closed: bool = False
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _naming: "set[asyncio.Task[None]]" = field(default_factory=set)

    # --- coming and going

    def has_room_for(self, session: Session) -> bool:
        """Whether one more socket of this account is let in."""
        own = self.accounts.get(session.account, 0)
        return not self.closed and self.many < self.sockets_max and own < self.per_account_max

    def enter(self, receiver: Receiver) -> None:
        """Count it in. What happens from now on is kept for it until :meth:`begin`.

        A device's oldest socket makes room for a new one.
        """
        session = receiver.session
        own = self.devices.setdefault(session.device, [])
        own.append(receiver)
        self.accounts[session.account] = self.accounts.get(session.account, 0) + 1
        self.many += 1
        self.entering.add(receiver)
        for stale in own[: max(0, len(own) - self.per_device_max)]:
            self.lines.end(stale, TOO_MUCH)

    def begin(self, receiver: Receiver, rooms: Iterable[bytes], hello: bytes) -> None:
        """Write where everything stood, then what happened meanwhile; from now on it hears all of these rooms."""
        self.entering.discard(receiver)
        missed, receiver.missed = receiver.missed or [], None
        for room in rooms:
            self._listen(receiver, room)
        self.lines.write(receiver, hello)
        for happened in missed:
            self._replay(receiver, happened)

    def _replay(self, receiver: Receiver, happened: Happened) -> None:
        device = receiver.session.device
        joined = {room for each, room in happened.joined if each == device}
        for room, entries in happened.entries.items():
            if room in receiver.rooms and room not in joined:
                self.lines.write(receiver, entries_frames(entries))
        for each, room in happened.parted:
            if each == device:
                self._stop_listening(receiver, room)
        for room in joined:
            self._listen(receiver, room)
        if device in happened.welcomes:
            self.lines.write(receiver, WELCOMES)
        if device in happened.asks:
            self.lines.write(receiver, ASKS)

    def leave(self, receiver: Receiver) -> None:
        """Its socket has ended."""
        session = receiver.session
        own = self.devices.get(session.device, [])
        if receiver not in own:
            return
        own.remove(receiver)
        if not own:
            del self.devices[session.device]
        self.accounts[session.account] -= 1
        if not self.accounts[session.account]:
            del self.accounts[session.account]
        self.many -= 1
        self.entering.discard(receiver)
        for room in tuple(receiver.rooms):
            self._stop_listening(receiver, room)
        self.lines.forget(receiver)
        self._left.set()

    def _listen(self, receiver: Receiver, room: bytes) -> None:
        receiver.rooms.add(room)
        self.rooms.setdefault(room, set()).add(receiver)

    def _stop_listening(self, receiver: Receiver, room: bytes) -> None:
        receiver.rooms.discard(room)
        listening = self.rooms.get(room)
        if listening is not None:
            listening.discard(receiver)
            if not listening:
                del self.rooms[room]

    # --- telling

    def happened(self, happened: Happened) -> None:
        """Tell everybody whom it concerns. The services call it, after each commit of the store and in their order."""
        for receiver in tuple(self.entering):
            self._keep(receiver, happened)
        if happened.entries:
            self._spread(happened.entries)
        for device, room in happened.parted:
            for receiver in self.devices.get(device, ()):
                self._stop_listening(receiver, room)
        for device, room in happened.joined:
            for receiver in self.devices.get(device, ()):
                if receiver.missed is None:
                    self._listen(receiver, room)
        for devices, frame in ((happened.welcomes, WELCOMES), (happened.asks, ASKS)):
            for device in devices:
                listening = self.devices.get(device, ())
                self.lines.write_all((each for each in listening if each.missed is None), frame)
        for word, rooms in (("notes", happened.notes), ("moved", happened.moved)):
            for room in rooms:
                told = json.dumps({word: [base64url.encode(room)]}, separators=(",", ":")).encode()
                self.lines.write_all(self.rooms.get(room, ()), text_frame(told))
        for device in happened.revoked:
            for receiver in tuple(self.devices.get(device, ())):
                self.lines.end(receiver, TOKEN_REFUSED)
        self.lines.bound_queues()

    def _keep(self, receiver: Receiver, happened: Happened) -> None:
        if receiver.missed is None or receiver.ending is not None:
            return
        receiver.missed.append(happened)
        if len(receiver.missed) > MISSED_MAX:
            receiver.missed.clear()
            self.lines.end(receiver, TOO_SLOW)

    def _spread(self, entries: Mapping[RoomId, Sequence[bytes]]) -> None:
        heard: dict[RoomId, bytes] = {}
        for room, each in entries.items():
            if room not in self.rooms:
                continue
            if max(map(len, each)) > bounds.LIVE_ENTRY_BYTES_MAX:
                self._name(room)
            else:
                heard[room] = entries_frames(each)
        if len(heard) == 1:
            room, frames = heard.popitem()
            self.lines.write_all(self.rooms[room], frames)
        elif heard:
            self._spread_over(heard)

    def _spread_over(self, frames: Mapping[RoomId, bytes]) -> None:
        """Several rooms at once: whoever is in more than one of them gets one write all the same."""
        rooms_of: dict[Receiver, tuple[RoomId, ...]] = {}
        for room in frames:
            for receiver in self.rooms[room]:
                rooms_of[receiver] = (*rooms_of.get(receiver, ()), room)
        joined: dict[tuple[RoomId, ...], bytes] = {}
        for receiver, rooms in rooms_of.items():
            data = joined.get(rooms)
            if data is None:
                data = joined[rooms] = b"".join([frames[room] for room in rooms])
            self.lines.write(receiver, data)

    # --- naming what is too large to be sent at once

    def _name(self, room: RoomId) -> None:
        task = asyncio.get_running_loop().create_task(self._tell_head(room), name="live head")
        self._naming.add(task)
        task.add_done_callback(self._naming.discard)

    async def _tell_head(self, room: RoomId) -> None:
        listening = self.rooms.get(room)
        if not listening:
            return
        try:
            found = await self.heads(next(iter(listening)).session, [room])
        except (Refused, StoreError):
            LOG.warning("A head could not be read; the room's receivers hear of it with the next entry")
            return
        for _, head in found:
            told = {"heads": [{"room": base64url.encode(room), **head_json(head)}]}
            frame = text_frame(json.dumps(told, separators=(",", ":")).encode())
            self.lines.write_all(self.rooms.get(room, ()), frame)

    async def ease(self, room: RoomId) -> None:
        """See :meth:`Lines.ease`."""
        if self.lines.behind:
            await self.lines.ease(self.rooms.get(room, ()))

    async def close(self) -> None:
        """Let nobody in any more and send everybody away."""
        self.closed = True
        for receiver in [each for own in self.devices.values() for each in own]:
            self.lines.end(receiver, GOING_AWAY)
        with suppress(TimeoutError):
            async with asyncio.timeout(bounds.LIVE_GOODBYE_SECONDS + 1.0):
                while self.many:
                    self._left.clear()
                    await self._left.wait()
