"""The intake of a group: where somebody who found its listing asks to join, and what follows from its key.

An intake is an invitation that everybody may know. Its key is public (X25519); the secret half is with the members, in
their room. From the key follow the name under which a node keeps the invitation and the proof that it wants to see, so
whoever reads a listing can ask, and only the members can read what was asked. Spec: docs/protocol/members.md.
"""

import hmac
from hashlib import sha256
from typing import Final

from hedgerow_protocol import base64url
from hedgerow_protocol.content import Intake
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.delivery.values import INVITE_ID_BYTES, ROOM_ID_BYTES
from hedgerow_protocol.errors import LocalError
from hedgerow_protocol.ids import NODE_ID_BYTES

KEY_BYTES: Final = 32
"""Bytes of an X25519 public key."""

CODE_PREFIX: Final = "hedgerow-intake:"
CHECK_BYTES: Final = 4
"""Bytes. Of the code's checksum: enough for what gets lost in copying; whoever changes a code on purpose can."""

_ROOM_AT: Final = NODE_ID_BYTES
_KEY_AT: Final = _ROOM_AT + ROOM_ID_BYTES
_CHECK_AT: Final = _KEY_AT + KEY_BYTES
CODE_CHARACTERS_MAX: Final = 400
"""Characters. A code has about 150; people copy it with spaces and line ends."""


def invite_id(key: bytes) -> bytes:
    """16 bytes: the name of the intake's invitation at the node that keeps it."""
    return sha256(labelled(b"hedgerow intake id v1", key)).digest()[:INVITE_ID_BYTES]


def proof(key: bytes) -> bytes:
    """32 bytes: what is shown to that node. It keeps the SHA-256."""
    return sha256(labelled(b"hedgerow intake proof v1", key)).digest()


def proof_hash(key: bytes) -> bytes:
    """SHA-256 of the proof."""
    return sha256(proof(key)).digest()


def to_code(intake: Intake) -> str:
    """One line of text that members' programs show and that publishing forms take."""
    said = intake.node + intake.room + intake.key
    return CODE_PREFIX + base64url.encode(said + _check(intake))


def from_code(text: str) -> Intake:
    """The intake of such a line; white space does not matter. Raises :class:`LocalError` with a sentence."""
    if len(text) > CODE_CHARACTERS_MAX:
        raise LocalError("This is too long for an intake code.")
    line = "".join(text.split())
    if not line.lower().startswith(CODE_PREFIX):
        raise LocalError(f"An intake code begins with “{CODE_PREFIX}”. The app shows it on a group's page.")
    said = _decoded(line[len(CODE_PREFIX) :])
    if said is None or len(said) != _CHECK_AT + CHECK_BYTES:
        raise LocalError("This intake code is not whole. Copy it again.")
    intake = Intake(node=said[:_ROOM_AT], room=said[_ROOM_AT:_KEY_AT], key=said[_KEY_AT:_CHECK_AT])
    if not hmac.compare_digest(_check(intake), said[_CHECK_AT:]):
        raise LocalError("A letter of this intake code is wrong. Copy it again.")
    return intake


def _check(intake: Intake) -> bytes:
    return sha256(labelled(b"hedgerow intake code v1", intake.node, intake.room, intake.key)).digest()[:CHECK_BYTES]


def _decoded(text: str) -> bytes | None:
    try:
        return base64url.decode(text)
    except ValueError:
        return None
