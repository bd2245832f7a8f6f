"""The command line: reads arguments, calls the floors below, prints.

Here is the one place that turns whatever goes wrong into a sentence: a person's mistake never gives a traceback.
Exit codes: 0 done, 1 not done (the sentence says why), 2 a command that cannot be understood, 130 stopped by Ctrl-C.
"""

import io
import json
import os
import sys
from collections.abc import Sequence

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from hedgerow_node.cli.parser import parse

    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter gets a question mark, not an end.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        options = parse(given, os.environ)
        return int(options.run(options))
    except SystemExit as stop:  # argparse has said what is wrong, or shown the help
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`hedgerow search | head`): nothing is wrong, but Python would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the last door: a sentence instead of a traceback
        sentence = _sentence(error)
        if "--json" in given:
            print(json.dumps({"error": sentence}, ensure_ascii=False))
        print(sentence, file=sys.stderr)
        return EXIT_USAGE if _is_usage(error) else EXIT_FAILED


def _is_usage(error: Exception) -> bool:
    from hedgerow_node.config import ConfigError

    return isinstance(error, ConfigError)


def _sentence(error: Exception) -> str:
    from hedgerow_node.cli.sentences import sentence_of

    return sentence_of(error)
