"""The move of a room to another hub: signed by more than half of its members, so that neither hub decides it.

A statement is signed by a member's room identity over the newest entry that its device has, the new hub, and the number
of the move, which counts 1, 2, 3 … in a room: so an old statement never moves it back. The new hub goes on after the
newest entry that anybody has, and never before one that is named. Spec: docs/protocol/federation.md.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from hedgerow_protocol import base64url, keys, limits
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.delivery.values import HASH_BYTES, RoomId
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NODE_ID_BYTES, NodeId

MOVE_LABEL: Final = b"hedgerow move v1"
IDENTITY_BYTES: Final = 32

MOVE_BYTES_MAX: Final = 1_024
"""Bytes. The JSON of one statement has about 350."""

MOVE_NUMBER_MAX: Final = 1_000_000
"""Moves. Of one room."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a room goes, and from where in its log."""

    seq: int
    """Of an entry of the old hub that counts, with all before it: the newest that whoever signs has."""
    hash: bytes
    hub: NodeId
    """The new one."""
    number: int
    """1 for a room's first move."""


@dataclass(frozen=True, slots=True)
class MoveStatement:
    """One member's word for a move."""

    by: bytes
    """32 bytes: the member's room identity (Ed25519)."""
    move: Move
    signature: bytes


def move_message(room: RoomId, move: Move) -> bytes:
    """What a member signs."""
    return labelled(MOVE_LABEL, room, move.seq, move.hash, move.hub, move.number)


def statement_holds(room: RoomId, said: MoveStatement) -> bool:
    """Whether this member signed this."""
    return keys.verify(b"\0" + said.by, move_message(room, said.move), said.signature)


@dataclass(frozen=True, slots=True)
class Decision:
    """What more than half of the members said."""

    hub: NodeId
    number: int
    least: int
    """The highest seq that one of them named: the new hub begins there or later."""


def decided(
    room: RoomId, statements: Iterable[MoveStatement], members: Collection[bytes], *, moved: int = 0
) -> Decision | None:
    """What more than half of the members signed, or ``None``; of several moves the one with the highest number.

    ``moved``: the number of the room's last move; only later ones count. Statements of others and those that do not
    hold are passed over. Who signed two hubs for one number has signed none; who signed one hub twice has signed once.
    """
    inside = frozenset(members)
    said: defaultdict[tuple[int, bytes], dict[NodeId, int]] = defaultdict(dict)
    for each in statements:
        move = each.move
        if each.by in inside and move.number > moved and statement_holds(room, each):
            hubs = said[move.number, each.by]
            hubs[move.hub] = max(move.seq, hubs.get(move.hub, 0))
    votes: defaultdict[tuple[int, NodeId], list[int]] = defaultdict(list)
    for (number, _), hubs in said.items():
        if len(hubs) == 1:
            ((hub, seq),) = hubs.items()
            votes[number, hub].append(seq)
    enough = [Decision(hub, number, max(seqs)) for (number, hub), seqs in votes.items() if 2 * len(seqs) > len(inside)]
    return max(enough, key=lambda each: each.number, default=None)


def encode_statement(said: MoveStatement) -> bytes:
    """Canonical JSON: ``{by, hash, hub, number, seq, signature}``, bytes as base64url without padding."""
    move = said.move
    return _canonical(
        {
            "by": base64url.encode(said.by),
            "hash": base64url.encode(move.hash),
            "hub": base64url.encode(move.hub),
            "number": move.number,
            "seq": move.seq,
            "signature": base64url.encode(said.signature),
        }
    )


def decode_statement(text: bytes) -> MoveStatement:
    """The inverse. Raises only :class:`RemoteError`."""
    if len(text) > MOVE_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A statement about a move has at most {MOVE_BYTES_MAX} bytes.")
    try:
        found: Any = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RemoteError(Code.MALFORMED, "This is no statement about a move.") from error
    if type(found) is not dict or found.keys() != _FIELDS.keys():
        raise RemoteError(Code.MALFORMED, "This statement about a move has other fields than it should.")
    values = {name: read(found[name]) for name, read in _FIELDS.items()}
    if _canonical(found) != text:
        raise RemoteError(Code.NOT_CANONICAL, "This statement about a move is not in its one form.")
    move = Move(values["seq"], values["hash"], NodeId(values["hub"]), values["number"])
    return MoveStatement(values["by"], move, values["signature"])


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _bytes(size: int) -> Callable[[Any], bytes]:
    def read(value: Any) -> bytes:
        if type(value) is str and len(value) == base64url.length_of(size):
            try:
                return base64url.decode(value)
            except ValueError:
                pass
        raise RemoteError(Code.BAD_FIELD, f"A field of this statement is not {size} bytes in base64url.")

    return read


def _number(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise RemoteError(Code.BAD_FIELD, f"A number of this statement is not between {low} and {high}.")
        return value

    return read


_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "by": _bytes(IDENTITY_BYTES),
    "hash": _bytes(HASH_BYTES),
    "hub": _bytes(NODE_ID_BYTES),
    "number": _number(1, MOVE_NUMBER_MAX),
    "seq": _number(0, limits.SEQUENCE_MAX),
    "signature": _bytes(keys.SIGNATURE_BYTES),
}
