"""Makes ``python3 node`` work on a bare machine: finds or installs uv, then runs the locked environment.

Standard library only, because it runs before anything is installed. Further arguments go to ``hedgerow``.
``tests/__main__.py`` uses the same steps. The system's Python is never changed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_HOME = ROOT / ".venv-uv"
UV_WANTED = "uv>=0.9,<1"


def stop(sentence: str) -> None:
    """Say what is wrong in one sentence and end."""
    print(sentence, file=sys.stderr)
    raise SystemExit(1)


def find_uv() -> str:
    """The path of uv: from PATH, or from a private environment made here the first time."""
    found = shutil.which("uv")
    if found:
        return found
    private = UV_HOME / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    if private.exists():
        return str(private)
    print("First time here: setting up (about a minute).", file=sys.stderr, flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(UV_HOME)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(UV_HOME, ignore_errors=True)
        stop(
            "Python's venv module is missing. On Debian, Ubuntu or Raspberry Pi OS install it with: "
            "sudo apt install python3-venv"
        )
    python = UV_HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV_WANTED]
    installed = subprocess.run(command, check=False)
    if installed.returncode != 0 or not private.exists():
        shutil.rmtree(UV_HOME, ignore_errors=True)
        stop("The tool 'uv' could not be installed. Is this machine connected to the internet? Then try again.")
    return str(private)


def run(command: list[str]) -> None:
    """Replace this process by ``uv run --locked COMMAND`` in the project's own environment."""
    if sys.version_info < (3, 11):
        stop(f"Hedgerow needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    uv = find_uv()
    # An activated environment of something else must not be mistaken for ours.
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    arguments = [uv, "run", "--locked", "--project", str(ROOT), "--python", sys.executable, *command]
    if os.name == "nt":
        raise SystemExit(subprocess.run(arguments, env=environment, check=False).returncode)
    os.execve(uv, arguments, environment)


if __name__ == "__main__":
    run(["--no-dev", "hedgerow", *sys.argv[1:]])
