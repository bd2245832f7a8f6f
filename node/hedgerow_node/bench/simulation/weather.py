"""How the wires between nodes behave: delay, loss, copies, frames that overtake each other."""

import math
from dataclasses import dataclass
from random import Random  # noqa: TID251 - weather from a seed is the point

DELAY_SECONDS_MEDIAN = 0.08
DELAY_SIGMA = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The same for every link of a world; may change while the world runs.

    Delays belong to a link and direction, so that distances stay what they are; each frame takes up to a tenth more or
    less. Frames keep their order, as on a WebSocket, except where ``overtaken`` says otherwise.
    """

    delay_median: float = DELAY_SECONDS_MEDIAN
    """Seconds, one way."""
    delay_sigma: float = DELAY_SIGMA
    """Of the lognormal distribution of delays."""
    loss: float = 0.0
    """Share of frames that never arrive."""
    copies: float = 0.0
    """Share of frames that arrive twice."""
    overtaken: float = 0.0
    """Share of frames that those sent after them may overtake."""
    breaks_per_hour: float = 0.0
    """How often a link breaks, on average."""

    def distance(self, random: Random) -> float:
        """Seconds that a frame takes over some link, on average."""
        return self.delay_median * math.exp(self.delay_sigma * random.gauss(0.0, 1.0))


CALM = Weather()
