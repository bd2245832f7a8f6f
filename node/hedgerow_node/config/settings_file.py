"""Changing ``hedgerow.toml``: settings are replaced in place, and the keeper's own comments stay."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hedgerow_node.config import ConfigError


def change_settings(path: Path, values: Mapping[str, Any]) -> None:
    """Write these settings into the file; what it says of others stays. Raises :class:`ConfigError`."""
    if not values:
        return
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for name, value in values.items():
        text = _replace(text, name, value)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    _check(part, values)
    os.replace(part, path)  # noqa: PTH105 - it replaces on every system


def _replace(text: str, name: str, value: Any) -> str:
    written = f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)}"
    lines = text.splitlines()
    said = re.compile(rf"{re.escape(name)}\s*=")
    commented = re.compile(rf"#\s*{re.escape(name)}\s*=")
    for pattern in (said, commented):
        for number, line in enumerate(lines):
            if pattern.match(line):
                end = _end_of_value(lines, number) if pattern is said else number
                lines[number : end + 1] = [written]
                return "\n".join(lines) + "\n"
    return "\n".join([*lines, written]) + "\n"


def _end_of_value(lines: list[str], start: int) -> int:
    # A list may go over several lines; it ends where its brackets close. Brackets inside a text stop it no earlier
    # than the line's end, and the check below refuses a file that would say something else.
    depth = 0
    for number in range(start, len(lines)):
        depth += lines[number].count("[") - lines[number].count("]")
        if depth <= 0:
            return number
    return start


def _check(path: Path, values: Mapping[str, Any]) -> None:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        path.unlink()
        raise ConfigError(f"The settings file could not be changed ({error}). Change it by hand.") from error
    for name, value in values.items():
        if table.get(name) != (list(value) if isinstance(value, tuple) else value):
            path.unlink()
            raise ConfigError(f"The settings file could not be changed. Write {name} into it by hand.")
