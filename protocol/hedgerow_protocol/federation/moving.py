"""The move of a room to another hub: signed by more than half of its members, so that neither hub decides it.

A statement is signed by a member's room identity over the log's last agreed entry, the new hub, and the number of the
move, which counts 1, 2, 3 … in a room: so an old statement never moves it back. Spec: docs/protocol/federation.md.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from hedgerow_protocol import keys, limits
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
    """Of the last entry of the old hub that counts; what is after it does not."""
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


def decided(
    room: RoomId, statements: Iterable[MoveStatement], members: Collection[bytes], *, moved: int = 0
) -> Move | None:
    """The move that more than half of the members signed, or ``None``.

    ``moved``: the number of the room's last move; only the next one counts. Statements of others and those that do not
    hold are passed over. Who signed two different moves has signed none.
    """
    inside = frozenset(members)
    said: defaultdict[bytes, set[Move]] = defaultdict(set)
    for each in statements:
        known = each.by in inside and each.move.number == moved + 1
        if known and each.move not in said[each.by] and statement_holds(room, each):
            said[each.by].add(each.move)
    votes: defaultdict[Move, int] = defaultdict(int)
    for moves in said.values():
        if len(moves) == 1:
            votes[next(iter(moves))] += 1
    return next((move for move, count in votes.items() if 2 * count > len(inside)), None)


def encode_statement(said: MoveStatement) -> bytes:
    """Canonical JSON: ``{by, hash, hub, number, seq, signature}``, bytes as base64url without padding."""
    move = said.move
    return _canonical(
        {
            "by": _b64(said.by),
            "hash": _b64(move.hash),
            "hub": _b64(move.hub),
            "number": move.number,
            "seq": move.seq,
            "signature": _b64(said.signature),
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


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(size: int) -> Callable[[Any], bytes]:
    def read(value: Any) -> bytes:
        if type(value) is str and value.isascii():
            try:
                found = urlsafe_b64decode(value + "=" * (-len(value) % 4))
            except ValueError:
                found = b""
            if len(found) == size and _b64(found) == value:
                return found
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
