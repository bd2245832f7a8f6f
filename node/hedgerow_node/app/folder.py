"""The first start: everything a data folder holds before anybody changes it."""

from pathlib import Path

from hedgerow_node import clock
from hedgerow_node.config import SETTINGS, Config, toml_text
from hedgerow_node.directory.door_folder import FolderKeys, load_keys, make_folder
from hedgerow_node.http.help_now.crisis_lines import EXAMPLE as CRISIS_EXAMPLE


def prepare_folder(config: Config) -> FolderKeys:
    """Make what is missing: the folder, its keys, the settings file and the file of crisis lines. Returns the keys."""
    make_folder(config.data)
    keys = load_keys(config, clock.entropy)
    write_if_missing(config.settings_file, empty_settings())
    if config.crisis_file.parent == config.data:
        write_if_missing(config.crisis_file, CRISIS_EXAMPLE)
    return keys


def empty_settings() -> str:
    """A settings file in which every line is a comment: all defaults, and what could be said."""
    lines = toml_text({setting.name: getattr(Config(data=Path("/")), setting.name) for setting in SETTINGS}).split("\n")
    return "\n".join(line if not line or line.startswith("#") else f"# {line}" for line in lines)


def write_if_missing(path: Path, text: str) -> bool:
    """Write a new file that only its owner can read; whether it was written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except FileExistsError:
        return False
    return True
