"""What may differ between two nodes' gossip, and the times and counts that do not."""

from dataclasses import dataclass
from typing import Final

from hedgerow_protocol import limits

SKETCH: Final = "sketch/1"
EXCHANGE: Final = "exchange/1"
RELAY: Final = "relay/1"
DIAL_BACK: Final = "dialback/1"
ROOMS: Final = "rooms"
DROPS: Final = "drops/1"

FEATURES: Final = (DIAL_BACK, EXCHANGE, RELAY, SKETCH)
"""Everything this version can always do beyond the core, ascending."""

PING_SECONDS: Final = 50.0
"""Seconds. The dialler asks this often: below the minute after which proxies and home routers forget a connection."""

PING_WAIT_SECONDS: Final = 10.0
"""Seconds. About so long a ping waits for its answer before it is sent again."""

SILENT_SECONDS_MAX: Final = 125.0
"""Seconds. Two pings unanswered and half a one to spare: the link is dead."""

HELLO_SECONDS_MAX: Final = 10.0
"""Seconds. Between an open channel and the peer's first message."""

HEARTBEAT_SECONDS: Final = 0.8
"""Seconds. While something is under way; a lazy digest leaves within a second."""

ASKING_SECONDS: Final = 0.3
"""Seconds. Between two looks at what was asked for and has not come."""

HEARTBEAT_SECONDS_MIN: Final = 0.05
"""Seconds. Between two heartbeats, whoever asks for them."""

IDLE_SECONDS: Final = 10.0
"""Seconds. Between looks at the mesh while nothing is under way."""

RIPPLE_SECONDS: Final = 20.0
"""Seconds. After a change, one peer is asked this often whether he holds the same."""

RIPPLE_LASTS_SECONDS: Final = 300.0
"""Seconds. For so long after a change."""

BULK_PING_SECONDS: Final = 2.0
"""Seconds. At least, between two rounds of digests that announce many changes at once."""

PUSH_BURST: Final = 64
"""Records. Pushed one by one; what comes in larger heaps travels by reconciliation."""

PUSH_RATE: Final = 20.0
"""Records a second that are pushed one by one in the long run."""

RECENT_SECONDS: Final = 120.0
"""Seconds. How long a record counts as new: it is offered, and its copies are recognised without asking the disk."""

RECENT_MAX: Final = 8_192
"""Records. Remembered as new at most."""

RECENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. Of envelopes kept to be handed on without asking the disk."""

WANT_SECONDS: Final = 0.8
"""Seconds. An offer that was taken up and not kept for so long is asked of somebody else."""

WANT_TRIES_MAX: Final = 6
"""Peers asked for one record before it is left to reconciliation."""

WANTED_MAX: Final = 2_048
"""Records. Asked for at one time."""

GIVE_WINDOW: Final = 4
"""Messages with records that may be on their way unjudged: a round trip of 0.5 s still moves 400 kB a second."""

GIVE_FETCH: Final = 64
"""Records. Read from the disk at a time."""

EARLY_MAX: Final = 1_024
"""Records. Of an open reconciliation, taken before it is known how many the peer owes; beyond it the rate counts."""

GIVE_SECONDS_MAX: Final = 120.0
"""Seconds. Without an answer, giving stops: the peer cannot or does not want to take more."""

SYNC_SECONDS_MIN: Final = 2.0
"""Seconds. Between two reconciliations over one link; doubled with each that brought nothing."""

SYNC_SECONDS_MAX: Final = 120.0
"""Seconds. Where two nodes never agree (a block list, a wrong clock) while both sets change."""

RETRY_SECONDS: Final = 10.0
"""Seconds. Before the same two sets are compared again; doubled each time."""

RETRY_SECONDS_MAX: Final = 3_600.0
"""Seconds. Two nodes whose keepers or clocks differ ask each other no oftener in the end."""

GIVEN_TIMES_MAX: Final = 4
"""Times one record is given over one link: a peer that still lacks it does not carry it, unless all were lost."""

GIVEN_MAX: Final = 4_096
"""Records. Remembered for that on one link."""

EXCHANGE_SECONDS: Final = 14_400.0
"""Seconds. Between two questions for other nodes over one link: an answer is 5 kB, and announcements travel as records,
too."""

OFFERED_WITHIN_SECONDS: Final = 60
"""Seconds. A record issued longer ago should have been offered by some mesh peer; well below the time between audits,
which bring a node up to date each time."""

OFFERED_SOON_SECONDS: Final = 20
"""Seconds. The same, once there is a suspicion."""

CLOCK_WRONG_SECONDS: Final = 300
"""Seconds. A clock this far from the median of the peers' is worth a word to the keeper."""

CLOCK_PEERS_MIN: Final = 5
"""Peers. Fewer prove nothing about a clock."""

ROTATE_SECONDS: Final = 60.0
"""Seconds. This often a mesh peer that brought nothing while others did gives up its place."""

ROTATE_RECORDS_MIN: Final = 5
"""New records that must have come for that."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one node takes part."""

    records_max: int = limits.RECORDS_STORED_MAX
    relay: bool = True
    """Hold places and carry circuits for nodes that cannot be dialled."""
    onion: bool = False
    """This node has a way into Tor."""
    rooms: bool = False
    """Somebody here reads letters about rooms."""
    also: tuple[str, ...] = ()
    """Features that only keepers care about, such as the version of the web UI; nothing here acts on them."""
    outbound: int = 8
    """Links to keep open by dialling."""
    mesh: int = 6
    mesh_low: int = 5
    mesh_high: int = 9

    @property
    def features(self) -> tuple[str, ...]:
        always = (each for each in FEATURES if self.relay or each != RELAY)
        rooms = ((DROPS, ROOMS) if self.relay else (ROOMS,)) if self.rooms else ()
        return (*always, *rooms, *self.also)
