"""``hedgerow serve``: what happens when no command is named."""

import argparse
import asyncio
import json

from hedgerow_node import logs
from hedgerow_node.cli.parser import config_of
from hedgerow_node.cli.version import version


def serve(options: argparse.Namespace) -> int:
    """Run the node until somebody stops it."""
    config = config_of(options)
    if options.print_config:
        from hedgerow_node.cli.doctor import print_config

        return print_config(config, as_json=options.json)
    logs.set_up(config.log)
    from hedgerow_node import app

    first_time = not config.node_key_file.exists()

    def tell(node: app.Node) -> None:
        if options.json:
            secure = node.secure_addresses
            print(json.dumps({"url": node.address, "data": str(config.data), "secure": list(secure)}), flush=True)
            return
        print(f"Hedgerow is running: {node.address}", flush=True)
        if config.base_url:
            print(f"For visitors: {config.base_url}/", flush=True)
        if node.secure_addresses:
            print(f"With its own certificate: {' '.join(node.secure_addresses)}", flush=True)
        if first_time:
            print(
                f"Its data is in {config.data}. Next: `hedgerow setup` asks for the community's name and one crisis",
                flush=True,
            )
            print("line; `hedgerow import FILE --program CODE` brings a meeting feed in.", flush=True)
        print("Stop it with Ctrl-C.", flush=True)

    asyncio.run(app.run(config, version=version(), tell=tell))
    return 0
