"""QR codes as squares: for a page (one SVG path) and for a terminal (half blocks). segno computes the code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

QUIET: Final = 4
"""Squares. The empty border that readers need (ISO/IEC 18004)."""

_HALVES: Final = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


@dataclass(frozen=True, slots=True)
class QrCode:
    """One code: rows of squares without the border, true where it is dark."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def side(self) -> int:
        """Squares from edge to edge, with the border."""
        return len(self.rows) + 2 * QUIET

    def svg_path(self) -> str:
        """The dark squares as the ``d`` of one path, in a box of :attr:`side` squares: one stroke for each run."""
        runs = []
        for y, row in enumerate(self.rows, QUIET):
            start = None
            for x, dark in enumerate((*row, False), QUIET):
                if dark and start is None:
                    start = x
                elif not dark and start is not None:
                    runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
                    start = None
        return "".join(runs)

    def terminal_lines(self) -> list[str]:
        """The code in half blocks: light squares are drawn, because most terminals are dark."""
        width = self.side
        light = [[True] * width for _ in range(self.side + self.side % 2)]
        for y, row in enumerate(self.rows, QUIET):
            for x, dark in enumerate(row, QUIET):
                light[y][x] = not dark
        pairs: Sequence[tuple[list[bool], list[bool]]] = list(zip(light[::2], light[1::2], strict=True))
        return ["".join(_HALVES[above, below] for above, below in zip(*pair, strict=True)) for pair in pairs]


def qr_code(text: str) -> QrCode:
    """The code of a text; it can be read with 15 % of it damaged (level M, more where that costs no size)."""
    import segno  # loaded when somebody wants a code

    code = segno.make(text, micro=False, error="m")
    return QrCode(tuple(tuple(bool(square) for square in row) for row in code.matrix))
