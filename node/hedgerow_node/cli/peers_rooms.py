"""``hedgerow peers rooms`` and its proofs: how this node and others get on with the rooms they share.

Of each node, never of a room or a person. Only a proof names a room, by an id that says nothing of who is in it.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hedgerow_node import clock
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.peers import ask_node
from hedgerow_node.cli.peers_table import ID_CHARACTERS, span
from hedgerow_node.cli.sentences import CommandError
from hedgerow_protocol import base64url, ids, limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation import forks

NOT_RUNNING: Final = "The node is not running."

LINES_MAX: Final = 50
"""Proofs. Looked at in one file."""

FILE_BYTES_MAX: Final = LINES_MAX * (limits.FORK_PROOF_BYTES_MAX * 4 // 3 + 8)
"""Bytes. Of a file of proofs as text."""

REASONS: Final = {
    "asks_over_pace": "asked too often",
    "too_much_at_once": "too much at once",
    "not_there": "about what is not here or not its business",
    "not_theirs": "not theirs to say",
    "forged": "a signature, hash or order was wrong",
    "from_the_future": "dated too far ahead",
    "again": "told again (usual after a broken line)",
    "unasked": "answered what nobody asks any more",
    "malformed": "could not be read",
    "too_large": "too large",
    "unfinished": "begun and not ended",
    "no_room": "no room left for it",
    "later_version": "of a later version",
    "not_allowed": "against another rule",
}


def peers_rooms(options: argparse.Namespace) -> int:
    """Show how this node and others get on with the rooms they share."""
    said = _ask(options, "/peers/rooms")
    print(json.dumps(said) if options.json else "\n".join(lines_of(said, clock.now())))
    return 0


def peers_proofs(options: argparse.Namespace) -> int:
    """Print the proofs that hubs told two stories, one a line."""
    said = _ask(options, "/peers/proofs")
    if options.json:
        print(json.dumps(said))
    else:
        print("\n".join(said["proofs"]) or "No hub was found telling two stories.")
    return 0


def peers_check_proof(options: argparse.Namespace) -> int:
    """Check proofs; anybody can, without a node."""
    with options.file.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    lines = [line.strip() for line in data.split(b"\n") if line.strip()]
    if not lines or len(lines) > LINES_MAX or len(data) > FILE_BYTES_MAX:
        raise CommandError(f"{options.file} holds no proofs, one a line, 1 to {LINES_MAX} of them.")
    checked = [_checked(line) for line in lines]
    if options.json:
        print(json.dumps({"proofs": checked}))
    else:
        print("\n".join(map(_sentence, checked)))
    return 0 if all(each["holds"] for each in checked) else 1


def _checked(line: bytes) -> dict[str, Any]:
    try:
        proof = forks.decode(base64url.decode(line.decode("ascii")))
    except (RemoteError, ValueError):
        return {"holds": False, "node": None}
    positions = (proof.first.position, proof.second.position)
    return {
        "holds": forks.proves(proof),
        "node": ids.to_text(proof.hub),
        "room": base64url.encode(proof.room),
        "numbers": [each.seq for each in positions],
        "times": [each.time for each in positions],
    }


def _sentence(checked: Mapping[str, Any]) -> str:
    if checked["node"] is None:
        return "Does not hold: this is no proof."
    if not checked["holds"]:
        return f"Does not hold: it shows nothing about the node {checked['node']}."
    first, second = checked["numbers"]
    what = f"two different entries {first}" if first == second else f"entry {first}, and an entry {second} without it"
    return f"Holds: the node {checked['node']} signed, for one room, {what}."


def lines_of(said: Mapping[str, Any], now: int) -> Iterator[str]:
    """The lines that say what ``/peers/rooms`` answers."""
    nodes = said["nodes"]
    if not nodes:
        yield "No room is shared with another node."
        return
    lied = sum(each["two_stories"] for each in nodes)
    if lied:
        yield f"! In {lied} of your members' rooms the hub told two stories. Look: hedgerow peers proofs"
    for each in nodes:
        yield from _node(each, now)
    if said["more"]:
        yield f"and {said['more']} more nodes"


def _node(each: Mapping[str, Any], now: int) -> Iterator[str]:
    if each["node"] is None:
        yield "further nodes"
    else:
        link = "" if each["since"] is None else f" for {span(max(0, now - each['since']))}"
        rooms = "shares rooms" if each["shares_rooms"] else "shares no rooms"
        yield f"{each['node'][:ID_CHARACTERS]}  {rooms}, {'connected' if each['up'] else 'away'}{link}"
    if each["two_stories"]:
        yield f"  ! told two stories about {each['two_stories']} rooms; nothing more is taken from it there"
    if each["silent_since"] is not None:
        yield f"  ! connected, and silent about a room for {span(max(0, now - each['silent_since']))}"
    if each["waiting"]:
        oldest = each["waiting_since"]
        yield f"  {each['waiting']} requests wait for it" + (
            f", the oldest for {span(max(0, now - oldest))}" if oldest else ""
        )
    if each["behind_at_least"]:
        stalled = ", and says nothing" if each["stalled"] else ""
        yield f"  has not confirmed {each['behind_at_least']} or more entries{stalled}"
    if each["refused"]:
        counts = sorted(each["refused"].items(), key=lambda row: (-row[1], row[0]))
        yield "  refused in the last day: " + ", ".join(f"{REASONS.get(why, why)} {many}" for why, many in counts)


def _ask(options: argparse.Namespace, path: str) -> dict[str, Any]:
    said = ask_node(config_of(options), "GET", path)
    if said is None:
        raise CommandError(NOT_RUNNING)
    return said
