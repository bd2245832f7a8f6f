"""Runs seeds and shows what happened: ``python3 tests/simulation/rooms_across 7 8`` or ``… 0-99``."""

import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]


def main(words: list[str]) -> int:
    """Run the named seeds; how many failed."""
    from rooms_across.society import Society, live
    from rooms_across.world import SimulationError

    failed = 0
    for word in words:
        first, _, last = word.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            begin = time.monotonic()
            try:
                society: Society = live(seed)
            except SimulationError as error:
                failed += 1
                sys.stdout.write(f"seed {seed}: {error}\n")
                continue
            wires, safety = society.world.wires, society.world.safety
            entries = sum(map(len, safety.logs.values()))
            sys.stdout.write(
                f"seed {seed}: {entries} entries, {len(safety.acknowledged)} acknowledged, "
                f"{wires.frames} frames, {wires.lost} lost, {safety.again} requests came again, "
                f"{safety.proofs} proofs, "
                f"settled in {society.settled:.0f} s; {time.monotonic() - begin:.2f} s\n"
            )
    return failed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
