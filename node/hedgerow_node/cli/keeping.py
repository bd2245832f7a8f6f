"""The keeper's small chores: the link to the keeper's page, the list of peers, the bench."""

import argparse
import asyncio
import json

from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.sentences import CommandError
from hedgerow_node.config.settings_file import change_settings
from hedgerow_node.config import Config, ConfigError, check_setting
from hedgerow_node.directory import door_control

NO_NETWORK_YET = "Nodes do not talk to each other in this version; peers are kept for the one that does."


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


def peers_list(options: argparse.Namespace) -> int:
    """The peers kept in the settings."""
    config = config_of(options)
    rows = [{"url": url, "connected": False} for url in config.peers]
    if options.json:
        print(json.dumps({"peers": rows, "connected": 0, "note": NO_NETWORK_YET}))
        return 0
    for url in config.peers:
        print(url)
    print(NO_NETWORK_YET if config.peers else f"No peers are kept. {NO_NETWORK_YET}")
    return 0


def peers_add(options: argparse.Namespace) -> int:
    """Keep one more."""
    config = config_of(options)
    url = _peer(options)
    return _keep(options, config, tuple(dict.fromkeys((*config.peers, url))), f"Kept: {url}")


def peers_remove(options: argparse.Namespace) -> int:
    """Forget one."""
    config = config_of(options)
    url = _peer(options)
    if url not in config.peers:
        raise CommandError(f"{url} is not among the peers kept here.")
    return _keep(options, config, tuple(each for each in config.peers if each != url), f"Forgotten: {url}")


def _peer(options: argparse.Namespace) -> str:
    peers = check_setting("peers", [options.url])
    if not peers or not peers[0]:
        raise ConfigError("A peer is a web address such as https://hedgerow.example.org.")
    return str(peers[0])


def _keep(options: argparse.Namespace, config: Config, peers: tuple[str, ...], done: str) -> int:
    from hedgerow_node.directory.door_folder import make_folder

    make_folder(config.data)
    change_settings(config.settings_file, {"peers": check_setting("peers", peers)})
    if options.json:
        print(json.dumps({"peers": [{"url": url, "connected": False} for url in peers], "note": NO_NETWORK_YET}))
    else:
        print(f"{done}\n{NO_NETWORK_YET}")
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
