"""What the relay's machines put out, and what they keep of one link."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import CircuitClosed, Message
from hedgerow_protocol.neighbourhood import Neighbourhood

CIRCUIT_NUMBER_MAX: Final = 2**32 - 1


class Ended(IntEnum):
    """Why a circuit ended or could not be opened; numbers this version does not know mean ``ENDED``."""

    ENDED = 0
    NOT_HERE = 1
    """The relay holds no place for that node."""
    REFUSED = 2
    """Refused or full."""
    LIMIT = 3


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Say this over a link."""

    link: int
    message: Message


@dataclass(frozen=True, slots=True)
class CircuitUp:
    """Run a channel through this circuit. ``inbound``: somebody came to us; ``peer`` is only what the relay says."""

    circuit: int
    relay: NodeId
    peer: NodeId
    inbound: bool


@dataclass(frozen=True, slots=True)
class CircuitIn:
    """Bytes that came through a circuit."""

    circuit: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class CircuitDown:
    """A circuit that was up has ended; ``reason`` is an :class:`Ended`."""

    circuit: int
    reason: int


@dataclass(frozen=True, slots=True)
class CircuitFailed:
    """No circuit was opened at all: there is no such relay among the peers, or no number is free there."""

    target: NodeId
    relay: NodeId | None
    reason: int


@dataclass(frozen=True, slots=True)
class RelaysChanged:
    """The nodes that hold a place for circuits to us, ascending."""

    relays: tuple[NodeId, ...]


RelayOutput: TypeAlias = SendMessage | CircuitUp | CircuitIn | CircuitDown | CircuitFailed | RelaysChanged


@dataclass(frozen=True, slots=True)
class RelayTally:
    """For the keeper's page: what this node does for others, and who does it for this node."""

    guests: int
    """Peers that hold a place here."""
    carried_circuits: int
    """Circuits between others that run through here."""
    carried_bytes: int
    """Since the start, as they are counted against the limits."""
    refused: int
    """Places and circuits that were not given."""
    ignored: int
    """Messages for circuits that had ended."""
    own_circuits: int
    """Circuits from and to this node through others."""
    relays: tuple[NodeId, ...]


@dataclass(slots=True, kw_only=True)
class RelayLink:
    """One link: who is at its other end, and the numbers of the circuits over it.

    Whoever opens a circuit (with Connect or Incoming) chooses its number: the end that dialled the link takes odd
    ones, the other even ones, each ascending and never twice. So one look at a number tells whether it was ever in use.
    """

    link: int
    peer: NodeId
    outbound: bool
    relayed: bool
    can_relay: bool
    neighbourhood: Neighbourhood
    known: bool
    """This peer has exchanged records with us."""
    own_last: int = 0
    peer_last: int = 0

    def next_number(self) -> int | None:
        """A number for a circuit that we open; ``None`` when all are used up."""
        number = self.own_last + 2 if self.own_last else (1 if self.outbound else 2)
        if number > CIRCUIT_NUMBER_MAX:
            return None
        self.own_last = number
        return number

    def check_new(self, number: int) -> None:
        """Raises :class:`RemoteError` unless the peer may open a circuit with this number."""
        if number < 1 or self._is_own(number):
            raise RemoteError(Code.BAD_FIELD, "A circuit was opened with a number that the other end gives out.")
        if number <= self.peer_last:
            raise RemoteError(Code.BAD_FIELD, "A circuit was opened with a number that was used before.")

    def check_used(self, number: int) -> None:
        """Raises :class:`RemoteError` unless a circuit of this number was opened over this link at some time."""
        if number < 1 or number > (self.own_last if self._is_own(number) else self.peer_last):
            raise RemoteError(Code.BAD_FIELD, "A message names a circuit that was never opened.")

    def _is_own(self, number: int) -> bool:
        return (number % 2 == 1) == self.outbound


def reason_read(number: int) -> Ended:
    """A reason as a stranger gave it."""
    try:
        return Ended(number)
    except ValueError:
        return Ended.ENDED


def say_closed(link: int, number: int, reason: Ended) -> SendMessage:
    """Tell the other end of a link that a circuit has ended."""
    return SendMessage(link, CircuitClosed(number, int(reason)))
