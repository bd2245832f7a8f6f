"""Every number another node can push against at the garden gate: its value, its unit and its reason."""

from typing import Final

MESSAGE_BYTES_MAX: Final = 65_535
"""Bytes. One message of a channel: what Noise allows."""

HANDSHAKE_SECONDS_MAX: Final = 10.0
"""Seconds. From an open connection to an open channel; over Tor a handshake takes about two."""

HANDSHAKES_MAX: Final = 64
"""Handshakes. Under way at one time, of those who came to us: each costs some elliptic curves."""

HANDSHAKES_FAILED_MAX: Final = 3
"""Handshakes. That may fail from one address in a minute, then nobody there is listened to for the rest of it."""

HANDSHAKES_FAILED_SECONDS: Final = 60.0
"""Seconds. For which a failed handshake is remembered."""

FAILED_ADDRESSES_MAX: Final = 4_096
"""Addresses. Remembered for failed handshakes; the oldest leave first."""

INBOUND_MAX: Final = 144
"""Links. Of those who came to us: 128, 8 more that are for nodes with whom rooms are shared (who comes is known only
after the handshake, and the machine sends the others away), and 8 that shake hands meanwhile."""

INBOUND_PER_ADDRESS_MAX: Final = 16
"""Links. From one address: several nodes of one house. Loopback (a proxy, Tor) is not counted."""

CONNECT_SECONDS_MAX: Final = 30.0
"""Seconds. To look a name up, connect, and be answered; through Tor a first connection takes up to twenty."""

DIALS_MAX: Final = 16
"""Dials. Under way at one time."""

DIALS_WAITING_MAX: Final = 256
"""Dials. That wait for their turn; the machine asks for few, so this is a net below it."""

JUDGE_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Envelopes of one link that wait to be judged: above it nothing more is read from that link."""

JUDGE_BYTES_ALL_MAX: Final = 16 * 1024 * 1024
"""Bytes. Envelopes of all links that wait to be judged: above it only links with few of them are read."""

JUDGE_BYTES_FEW: Final = 64 * 1024
"""Bytes. Of one link, that may wait even while all together are above their bound: one message."""

JUDGE_TOGETHER: Final = 200
"""Envelopes. Judged in one go, which is two transactions; the next link waits no longer than they take."""

JUDGE_BATCHES_MAX: Final = 2
"""Batches. Under way at one time: one is being judged while the next is made ready."""

FETCHES_MAX: Final = 2
"""Fetches. Under way at one time; the store has two readers, and pages need them too."""

FETCHES_WAITING_MAX: Final = 64
"""Fetches. Of one link that wait for their turn; the machine's windows ask for fewer."""

MESSAGES_RATE: Final = 500.0
"""Messages a second. Read from one link in the long run: pings cost an answer each, and no honest peer says so much.
Two full circuits of the smallest messages need it."""

MESSAGES_BURST: Final = 4_096
"""Messages. Read from one link at once: more than a first contact with 100,000 records takes."""

QUEUE_BYTES_MAX: Final = 6 * 1024 * 1024
"""Bytes. Waiting to leave over one link: a reading of the store (4 MiB) and more. A peer beyond it does not read."""

QUEUE_MESSAGES_MAX: Final = 4_096
"""Messages. Waiting to be sent over one link."""

LETTERS_RATE: Final = 2_000.0
"""Letters a second. Read from one link in the long run; each costs a look at the store. A busy room of 200 nodes
sends some dozens."""

LETTERS_BURST: Final = 4_096
"""Letters. Read from one link at once: what gathered while a node was away."""

LETTER_BYTES_RATE: Final = 2 * 1024 * 1024.0
"""Bytes a second. Of letters, read from one link in the long run: a photo in the blink of an eye."""

LETTER_BYTES_BURST: Final = 8 * 1024 * 1024
"""Bytes. Of letters, read from one link at once: most of the largest file."""

LETTERS_WAITING_BYTES_MAX: Final = 1024 * 1024
"""Bytes. Of letters that wait on one link; above it whoever writes them keeps them."""

LETTER_COST_MIN: Final = 512
"""Bytes. What a letter counts at least while it waits: the channel pads to that."""

CIRCUIT_LETTERS_RATE: Final = 128 * 1024.0
"""Bytes a second. Of letters through a circuit while the relay has more to give: half of what it grants both ends."""

CIRCUIT_LETTERS_BURST: Final = 512 * 1024
"""Bytes. Of letters through a circuit at once: with the four messages of a giver of records, they fit what the other
end takes in without having read it."""

CIRCUIT_LETTERS_RATE_LEAST: Final = 48 * 1024.0
"""Bytes a second. Of letters through a circuit that is full of records both ways: a relay then holds back 0.42 MB in
each direction, and ends the circuit above 0.52 MB."""

CIRCUIT_LETTERS_BURST_LEAST: Final = 64 * 1024
"""Bytes. The same, at once: the largest letter."""

STALL_SECONDS_MAX: Final = 30.0
"""Seconds. In which a peer must take a message."""

GOODBYE_SECONDS_MAX: Final = 3.0
"""Seconds. In which what was said last must leave when a link is closed."""

CIRCUIT_QUEUE_BYTES_MAX: Final = 1024 * 1024
"""Bytes. That came through a circuit and were not read yet: four messages with records, and letters at once."""

LAN_PEERS_MAX: Final = 64
"""Nodes. Believed to be on the local network; what answers there beyond them is ignored."""

EVENTS_AT_ONCE: Final = 64
"""Events. Handled before other tasks of the loop get their turn."""


def letter_cost(letter: bytes) -> int:
    """What a letter counts while it waits, in bytes."""
    return max(LETTER_COST_MIN, len(letter))
