"""The keeper's small chores: the link to the keeper's page, the bench."""

import argparse
import asyncio
import json

from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.directory import door_control


def keeper_link(options: argparse.Namespace) -> int:
    """Ask the running node for a one-time link."""
    config = config_of(options)
    try:
        answer = asyncio.run(door_control.call(config.control_socket, "POST", "/keeper-link"))
    except (ConnectionError, FileNotFoundError) as error:
        raise CommandError("The node is not running. Start it with `hedgerow serve`, then ask again.") from error
    if options.json:
        print(json.dumps(answer))
    else:
        print(answer["url"])
        print("It works once, within ten minutes, in one browser. Pass it to nobody.")
    return 0


def bench_directory(options: argparse.Namespace) -> int:
    """Measure the directory on this machine."""
    from hedgerow_node.bench import directory

    return directory.run(quick=options.quick, full=options.full, size=options.size)


def bench_network(options: argparse.Namespace) -> int:
    """Simulate a network on this machine."""
    from hedgerow_node.bench import network

    return network.run(
        quick=options.quick, full=options.full, nodes=options.nodes, seed=options.seed, picture=options.picture
    )


def bench_rooms(options: argparse.Namespace) -> int:
    """Measure the delivery of members' words on this machine."""
    from hedgerow_node.bench import rooms

    return rooms.run(quick=options.quick, rooms=options.rooms)


def bench_federation(options: argparse.Namespace) -> int:
    """Measure rooms whose members live on several nodes."""
    from hedgerow_node.bench import federation

    if options.fanout_ms is not None and not 0 <= options.fanout_ms <= federation.FANOUT_MS_MAX:
        raise CommandError(f"--fanout-ms is a whole number from 0 to {federation.FANOUT_MS_MAX}.")
    return federation.run(quick=options.quick, fanout_ms=options.fanout_ms, synapse=options.synapse)
