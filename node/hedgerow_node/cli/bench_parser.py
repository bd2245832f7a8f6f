"""The arguments of ``hedgerow bench``."""

from pathlib import Path
from typing import Any


def add_bench_parts(subjects: Any, command: Any, lazy: Any) -> None:
    """``directory``, ``network``, ``rooms`` and ``federation``."""
    directory = command(subjects, "directory", lazy("keeping", "bench_directory"), "measure the directory (JSON)")
    directory.add_argument("--quick", action="store_true", help="a smaller run, about a minute")
    directory.add_argument("--full", action="store_true", help="up to a million listings, about half an hour")
    directory.add_argument("--size", type=int, metavar="N", help="how many listings at most")
    network = command(subjects, "network", lazy("keeping", "bench_network"), "simulate a network (JSON)")
    network.add_argument("--quick", action="store_true", help="10 and 100 nodes, about a minute")
    network.add_argument("--full", action="store_true", help="up to 10,000 nodes, some hours and much memory")
    network.add_argument("--nodes", type=int, metavar="N", help="one network of so many nodes")
    network.add_argument("--seed", type=int, default=1, metavar="N", help="another world (1 by default)")
    network.add_argument("--picture", type=Path, metavar="FILE", help="also draw how a listing spreads (SVG)")
    rooms = command(subjects, "rooms", lazy("keeping", "bench_rooms"), "measure the members' rooms (JSON)")
    rooms.add_argument("--quick", action="store_true", help="a smaller run, about a minute")
    rooms.add_argument("--rooms", type=int, metavar="N", help="how many rooms lie on the disk")
    federation = command(
        subjects, "federation", lazy("keeping", "bench_federation"), "measure rooms across nodes (JSON)"
    )
    federation.add_argument("--quick", action="store_true", help="a smaller run, about a minute")
    federation.add_argument(
        "--fanout-ms", type=int, metavar="N", help="gather words for so long only (else: 0, then the default)"
    )
    federation.add_argument("--synapse", metavar="PYTHON", help="a Python that has matrix-synapse, to compare with it")
