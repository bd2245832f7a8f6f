"""What a node does for others at most, when it relays for them or dials them back. Spec: docs/protocol/relaying.md."""

from typing import Final

from hedgerow_protocol.limits import FRAME_BYTES_MAX

CIRCUIT_PAYLOAD_BYTES_MAX: Final = FRAME_BYTES_MAX - 10
"""Bytes. One message within a circuit: what a frame holds beside the type (2), the number (5) and the length (3)."""

CIRCUIT_FRAME_BYTES_MAX: Final = 64_509
"""Bytes. A frame of the channel inside a circuit: padded to 126 times 512 bytes and sealed, it fits one payload."""

CIRCUIT_MESSAGE_BYTES_MIN: Final = 1_024
"""Bytes. What any message within a circuit counts at least, because a tiny one costs a relay as much work."""

CIRCUIT_BURST_BYTES: Final = 4 * 1024 * 1024
"""Bytes. Pass at once: an evening's conversation, or most of 4,000 listings (about 6 MB), without any delay."""

CIRCUIT_RATE_BYTES: Final = 256 * 1024
"""Bytes a second of one circuit, in the long run: the rest of 4,000 listings in 8 s; 8 such circuits fill a relay."""

CIRCUIT_QUEUE_BYTES_MAX: Final = 512 * 1024
"""Bytes. Held back in one direction: twice the four messages a giver of records has under way, so none is cut off."""

CIRCUIT_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes. One circuit, both ways: 20,000 listings; whoever needs more asks again and gives others their turn."""

CIRCUIT_SECONDS_MAX: Final = 2 * 3_600
"""Seconds. Life of one circuit, so that places change hands; opening another takes one round trip."""

CIRCUIT_IDLE_SECONDS_MAX: Final = 300
"""Seconds. Without a message: six missed keep-alives."""

RELAY_RATE_BYTES: Final = 2 * 1024 * 1024
"""Bytes a second of all circuits, in the long run: half of what a small rented server or a good home line sends."""

RELAY_BURST_BYTES: Final = 8 * 1024 * 1024
"""Bytes. All circuits at once: two full bursts, then everybody shares in turn."""

RELAY_QUEUE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. Held back for all circuits together: what a small board spares."""

RESERVATIONS_MAX: Final = 64
"""Places. One relay: as many links as it may hold for guests beside its own."""

RESERVATIONS_STRANGERS_MAX: Final = 48
"""Places. For peers that have not yet exchanged records with the relay; the rest is kept for those that have."""

RESERVATIONS_NEIGHBOURHOOD_MAX: Final = 4
"""Places. For one neighbourhood of the internet, so that no single network takes them all."""

RESERVATIONS_WIDE_MAX: Final = 32
"""Places. For all neighbourhoods of a kind that costs nothing, or that our own proxy or Tor makes look alike."""

RESERVATION_SECONDS: Final = 3_600
"""Seconds. A place that is not asked for again is free after an hour."""

RESERVATION_SECONDS_MIN: Final = 120
"""Seconds. A place held for less is no place: asking again all the time would only cost both sides."""

CIRCUITS_MAX: Final = 32
"""Circuits. One relay: half as many as it holds places."""

CIRCUITS_STRANGERS_MAX: Final = 24
"""Circuits. Opened by peers that have not yet exchanged records with the relay."""

CIRCUITS_NEIGHBOURHOOD_MAX: Final = 8
"""Circuits. Opened from one neighbourhood of the internet: a quarter."""

CIRCUITS_WIDE_MAX: Final = 16
"""Circuits. Opened from all neighbourhoods of such a kind: half."""

CIRCUITS_GUEST_MAX: Final = 4
"""Circuits. One guest at one relay has open to others, and as many again others to it: no one uses up another's."""

CONNECTS_BURST: Final = 8
"""Circuits. One link opens in quick succession: twice what it may hold."""

CONNECTS_RATE: Final = 8 / 60
"""Circuits a second. One link opens in the long run; each costs its target a handshake."""

RELAYS_WANTED: Final = 2
"""Relays. A node that cannot be dialled has places with two: one can fail."""

RELAYS_MAX: Final = 3
"""Relays. With a third while one of the two does not answer."""

RESERVE_ANSWER_SECONDS: Final = 15.0
"""Seconds. To wait for the answer to a request for a place."""

RESERVE_AGAIN_SECONDS: Final = 600.0
"""Seconds. Before a relay that had no place, or did not answer, is asked again."""

DIAL_BACK_PEER_SECONDS: Final = 60.0
"""Seconds. Between two addresses that a node dials at the wish of one peer, or at one host and port for anybody."""

DIAL_BACK_ASK_SECONDS: Final = 70.0
"""Seconds. Between two wishes to one peer: its minute, and some to spare for slow lines."""

DIAL_BACK_PENDING_MAX: Final = 10
"""Dials. Under way for others at a time: nobody can make a node into a crowd."""

DIAL_BACK_REMEMBERED_MAX: Final = 1_024
"""Peers and hosts. Remembered for their minute; when full, nobody's wish is granted."""

DIAL_BACK_SECONDS_MAX: Final = 30.0
"""Seconds. After which a dial for a peer is forgotten without an answer."""

DIAL_BACK_ANSWER_SECONDS: Final = 45.0
"""Seconds. To wait for an answer: a dial's 30 and some to spare."""

DIAL_BACK_SEEN_SECONDS: Final = 5.0
"""Seconds. Within which the dial that a peer claims to have made must show at our own door."""

RETEST_SECONDS: Final = 3_600.0
"""Seconds. Between two tests of an address that works."""

RETEST_FAILED_SECONDS: Final = 60.0
"""Seconds. Before an address that did not work is tested again; doubled each time, up to an hour."""

assert RESERVATION_SECONDS_MIN < RESERVATION_SECONDS  # noqa: S101 - relations of constants
assert CIRCUIT_PAYLOAD_BYTES_MAX < CIRCUIT_QUEUE_BYTES_MAX < CIRCUIT_BURST_BYTES < CIRCUIT_BYTES_MAX  # noqa: S101
assert DIAL_BACK_SECONDS_MAX < DIAL_BACK_ANSWER_SECONDS < DIAL_BACK_PEER_SECONDS < DIAL_BACK_ASK_SECONDS  # noqa: S101
