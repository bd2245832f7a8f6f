"""The convergence of a simulated network as a picture: one SVG, calm and readable on light and dark pages."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from hedgerow_node.bench.simulation.convergence import Spread

WIDTH: Final = 760
HEIGHT: Final = 440
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 72, 64
SECONDS_MIN: Final = 0.1
SECONDS_MAX: Final = 200.0
TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
SHARES: Final = (0, 25, 50, 75, 100)
POINTS: Final = 160
"""Points of one line: more would not be seen."""

DASHES: Final = ("", "9 4", "2 4", "12 4 2 4")
"""Told apart by more than their colours."""

STYLE: Final = """
  svg { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; fill: currentColor; color: #1d2b26 }
  .axis { stroke: currentColor; stroke-opacity: .55 } .grid { stroke: currentColor; stroke-opacity: .13 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round } .title { font-size: 18px; font-weight: 600 }
  .quiet { fill-opacity: .75 }
  .c0 { stroke: #1b6e53 } .c1 { stroke: #2f5fb3 } .c2 { stroke: #a0580c } .c3 { stroke: #9b2c5e }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6ede9 }
    .c0 { stroke: #6fd3ae } .c1 { stroke: #8fb4ff } .c2 { stroke: #f0b35f } .c3 { stroke: #f59ac0 }
  }
"""


def _x(seconds: float) -> float:
    """Where a time lies; equal factors are equal distances."""
    span = math.log(SECONDS_MAX / SECONDS_MIN)
    share = math.log(max(SECONDS_MIN, min(SECONDS_MAX, seconds)) / SECONDS_MIN) / span
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _path(spread: Spread) -> str:
    moments = spread.moments
    total = len(moments) + spread.missing
    step = max(1, len(moments) // POINTS)
    numbers = [*range(0, len(moments), step), len(moments) - 1]
    points = [f"{_x(moments[number]):.1f},{_y((number + 1) / total):.1f}" for number in numbers]
    return f"M{_x(SECONDS_MIN):.1f},{_y(0):.1f} L" + " ".join(points)


def _axes() -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [f'<path class="axis" d="M{LEFT},{TOP} V{bottom} H{right}" fill="none"/>']
    for seconds in TICKS:
        x = _x(seconds)
        parts.append(f'<path class="grid" d="M{x:.1f},{TOP} V{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{seconds:g}</text>')
    for percent in SHARES:
        y = _y(percent / 100)
        parts.append(f'<path class="grid" d="M{LEFT},{y:.1f} H{right}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{percent} %</text>')
    middle = (LEFT + right) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 18}" text-anchor="middle">seconds after a listing was published</text>'
    )
    return parts


def _legend(spreads: Sequence[Spread]) -> list[str]:
    parts = []
    for number, spread in enumerate(spreads):
        y = _y(0) - 22 * (len(spreads) - number) + 4
        x = WIDTH - RIGHT - 430
        whole = f"all in {spread.last:.1f} s" if not spread.missing else f"{spread.missing} never reached"
        words = f"{spread.scenario.words}: 99 % in {spread.p99:.1f} s, {whole}"
        parts.append(_stroke(number, f"M{x},{y - 5:.1f} h34"))
        parts.append(f'<text x="{x + 44}" y="{y:.1f}">{escape(words)}</text>')
    return parts


def _stroke(number: int, path: str) -> str:
    return f'<path class="line c{number % 4}" stroke-dasharray="{DASHES[number % 4]}" d="{path}"/>'


def draw(spreads: Sequence[Spread]) -> str:
    """The picture of some scenarios at one size."""
    nodes = spreads[0].nodes
    title = f"How a listing reaches {nodes:,} nodes".replace(",", " ")
    about = "; ".join(
        f"{each.scenario.words}: half after {each.p50:.2f} s, 99 % after {each.p99:.2f} s, all after {each.last:.2f} s"
        for each in spreads
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(about)}</desc>',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>',
        f'<text class="quiet" x="{LEFT}" y="52">Share of honest nodes that hold it; delays of 80 ms, simulated</text>',
        *_axes(),
        *(_stroke(number, _path(each)) for number, each in enumerate(spreads)),
        *_legend(spreads),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
