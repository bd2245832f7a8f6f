"""Makes ``python3 tests`` work on a bare machine: sets up as ``python3 node`` does, then runs every test.

Further arguments go to pytest: ``python3 tests -m slow``, ``python3 tests tests/unit``.
"""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("hedgerow_bootstrap", ROOT / "node" / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    arguments = sys.argv[1:]
    named = [argument for argument in arguments if Path(argument.split("::")[0]).exists()]
    if not named:
        os.chdir(ROOT)
    # A whole run is shared among processes, a module in each at a time; single tests are quicker without. One more
    # than there are processors, because much of a test is waiting for other programs.
    processes = str(min(4, (os.cpu_count() or 1) + 1))
    spread = [] if named or "-n" in arguments else ["-n", processes, "--dist", "loadscope"]
    bootstrap.run(["pytest", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *spread, *arguments])
