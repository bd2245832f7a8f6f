"""Settings of a node: flags > environment ``HEDGEROW_*`` > ``hedgerow.toml`` in the data folder > defaults.

An unknown or bad setting stops the start with a sentence and, where there is one, the nearest valid name. The table in
docs/ is made from :func:`settings_table`, so each setting carries its own explanation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hedgerow_node.config import readers
from hedgerow_protocol import limits
from hedgerow_protocol.federation.fanout_values import FANOUT_MS_DEFAULT

ENVIRONMENT_PREFIX = "HEDGEROW_"
FILE_NAME = "hedgerow.toml"

FILE_BYTES_MAX = 64 * 1024
"""Bytes. The settings file: a page of text; anything larger is another file with this name."""

LISTS_MAX = 32
"""Items. Peers or proxies named in the settings."""

RECORDS_MAX_MAX = 5_000_000
"""Records. The most a keeper may choose; search was measured up to a million listings."""

FANOUT_MS_MAX = 60_000
"""Milliseconds. The most a keeper may choose: beyond a minute nobody would call it talking."""


class ConfigError(Exception):
    """A setting cannot be used; ``str()`` is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a keeper may choose. Only ``data`` has no default here: see :func:`default_data`."""

    data: Path
    """The data folder, absolute."""
    host: str = "127.0.0.1"
    port: int = 8470
    """0 lets the system choose a free one."""
    title: str = ""
    """The community's public name; pages say "Hedgerow" where it is empty."""
    place: str = ""
    """The town or area the community is in."""
    country: str = ""
    """ISO 3166-1 alpha-2, upper case: which emergency numbers come first."""
    base_url: str = ""
    """The public address without a final slash, with the path prefix if there is one; empty when not known."""
    trusted_proxies: tuple[str, ...] = ()
    """IP addresses or networks whose ``X-Forwarded-*`` headers are believed."""
    peers: tuple[str, ...] = ()
    announce: str = ""
    onion: str = ""
    """This node's own onion address, ``http://….onion``; empty when it has none."""
    tor_proxy: str = ""
    """``host:port`` of a SOCKS 5 proxy that reaches onion addresses."""
    relay: bool = True
    """Carry circuits for nodes that nobody can dial."""
    lan: bool = False
    records_max: int = limits.RECORDS_STORED_MAX
    locale: str = "en"
    crisis: str = "crisis-lines.toml"
    """The file of crisis lines; relative to the data folder."""
    source_url: str = ""
    """Where visitors find this version's source code, as the licence asks of whoever changed it."""
    members_invite: bool = True
    """Every member may bring others in; else only the keeper makes invitations to the community."""
    fanout_ms: int = FANOUT_MS_DEFAULT
    """Milliseconds for which what is said in a room is gathered before other nodes are told."""
    tls: str = "off"
    """``local``: also speak https, with the certificate that ``hedgerow tls`` made."""
    log: str = "info"
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each value came from: ``flag``, ``environment``, ``hedgerow.toml`` or ``default``."""

    @property
    def path_prefix(self) -> str:
        """The path part of the public address: ``""`` or ``/groups``."""
        return urlsplit(self.base_url).path.rstrip("/") if self.base_url else ""

    @property
    def settings_file(self) -> Path:
        return self.data / FILE_NAME

    @property
    def database_file(self) -> Path:
        return self.data / "public.db"

    @property
    def control_socket(self) -> Path:
        return self.data / "control.sock"

    @property
    def lock_file(self) -> Path:
        return self.data / "hedgerow.lock"

    @property
    def node_key_file(self) -> Path:
        return self.data / "node.key"

    @property
    def directory_key_file(self) -> Path:
        return self.data / "directory.key"

    @property
    def directory_charter_file(self) -> Path:
        return self.data / "directory.charter"

    @property
    def crisis_file(self) -> Path:
        return self.data / self.crisis


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in the file, how to read it, and what it is for."""

    name: str
    read: Callable[[Any], Any]
    explanation: str
    many: bool = False

    @property
    def environment(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.singular.replace("_", "-")

    @property
    def singular(self) -> str:
        """Repeated flags are said one at a time: ``--peer`` fills ``peers``."""
        return {"peers": "peer", "trusted_proxies": "trusted_proxy"}.get(self.name, self.name)


SETTINGS: tuple[Setting, ...] = (
    Setting("host", readers.host, "The address to listen on; 127.0.0.1 means: from this machine only."),
    Setting("port", readers.whole_number(0, 65_535), "The port to listen on; 0 takes any free one."),
    Setting("title", readers.one_line(80), "The community's name, shown on every page."),
    Setting("place", readers.one_line(), "The town or area the community is in."),
    Setting("country", readers.country, "The country's two letters (ISO 3166): its emergency numbers come first."),
    Setting("base_url", readers.web_address, "The public web address, with a path if the node lives below one."),
    Setting("trusted_proxies", readers.network, "Reverse proxies that are believed. Repeatable.", many=True),
    Setting("peers", readers.web_address, "Another node's web address, to connect to. Repeatable.", many=True),
    Setting("announce", readers.web_address, "The web address this node tells other nodes."),
    Setting("onion", readers.onion, "This node's onion address, if Tor leads one here; told to other nodes."),
    Setting("tor_proxy", readers.host_and_port, "Tor's SOCKS proxy, such as 127.0.0.1:9050, to reach onion addresses."),
    Setting("relay", readers.yes_or_no, "Pass on circuits for nodes that cannot be dialled (sizes are all it sees)."),
    Setting("lan", readers.yes_or_no, "Look for nodes on the local network (off until chosen)."),
    Setting("records_max", readers.whole_number(1_000, RECORDS_MAX_MAX), "How many records this node keeps at most."),
    Setting("locale", readers.locale, "The language of pages when a visitor's browser names none we speak."),
    Setting("crisis", readers.file_name, "The file of crisis lines, in the data folder or with its whole path."),
    Setting("source_url", readers.web_address, "Where visitors find the source code of this version (AGPL)."),
    Setting("members_invite", readers.yes_or_no, "Every member may invite others; else only the keeper does."),
    Setting("fanout_ms", readers.whole_number(0, FANOUT_MS_MAX), "How long words gather before other nodes get them."),
    Setting("tls", readers.choice("off", "local"), "local: https with this node's own certificate (`hedgerow tls`)."),
    Setting("log", readers.choice("debug", "info", "warning", "error"), "How much to log."),
)
"""Every setting but ``data``, which says where the file of the others is."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def default_data(environ: Mapping[str, str]) -> Path:
    """The data folder when none is named: ``$XDG_DATA_HOME/hedgerow`` or ``~/.local/share/hedgerow``."""
    base = environ.get("XDG_DATA_HOME", "")
    if base and Path(base).is_absolute():
        return Path(base) / "hedgerow"
    home = environ.get("HOME", "")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "hedgerow"


def load_config(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """Put the settings together. ``flags`` holds what the command line said, by setting name (``data`` among them).

    Raises :class:`ConfigError` with a sentence.
    """
    chosen = flags.get("data") or environ.get("HEDGEROW_DATA")
    data = (Path(chosen) if chosen else default_data(environ)).expanduser().absolute()
    said_by_flags = {name: value for name, value in flags.items() if name != "data" and value is not None}
    values: dict[str, Any] = {}
    origins = {"data": "flag" if flags.get("data") else "environment" if chosen else "default"}
    for origin, said in (
        (FILE_NAME, _from_file(data / FILE_NAME)),
        ("environment", _from_environment(environ)),
        ("flag", said_by_flags),
    ):
        for name, value in said.items():
            values[name] = _read(origin, name, value)
            origins[name] = origin
    for setting in SETTINGS:
        origins.setdefault(setting.name, "default")
    return Config(data=data, origins=origins, **values)


def check_setting(name: str, value: Any) -> Any:
    """One setting's value as the configuration would hold it. Raises :class:`ConfigError`."""
    return _read("command", name, value)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for variable in sorted(environ):
        if variable.startswith(ENVIRONMENT_PREFIX) and variable != "HEDGEROW_DATA":
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            setting = _BY_NAME.get(name)
            value: Any = environ[variable]
            said[name] = [part for part in value.split(",") if part.strip()] if setting and setting.many else value
    return said


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError(f"{path} is larger than {FILE_BYTES_MAX} bytes: this is not a settings file.")
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error


def _read(origin: str, name: str, value: Any) -> Any:
    setting = _BY_NAME.get(name)
    if setting is None:
        raise ConfigError(_unknown(origin, name))
    try:
        if not setting.many:
            return setting.read(value)
        if isinstance(value, str) or not isinstance(value, list | tuple) or len(value) > LISTS_MAX:
            raise ValueError(f"is a list of at most {LISTS_MAX}")
        return tuple(dict.fromkeys(setting.read(item) for item in value))
    except ValueError as error:
        raise ConfigError(f"{_spelled(origin, name)} {error}; it says {str(value)[:60]!r}.") from error


def _unknown(origin: str, name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _BY_NAME, n=1)
    hint = f" Did you mean {_spelled(origin, near[0])}?" if near else f" Known are: {', '.join(_BY_NAME)}."
    where = f" in {FILE_NAME}" if origin == FILE_NAME else ""
    return f"There is no setting {_spelled(origin, name)}{where}.{hint}"


def _spelled(origin: str, name: str) -> str:
    if origin == "environment":
        return ENVIRONMENT_PREFIX + name.upper()
    setting = _BY_NAME.get(name)
    return setting.flag if origin == "flag" and setting else name


def effective(config: Config) -> list[tuple[str, Any, str]]:
    """Every setting with its value and where it came from; no setting is a secret."""
    names = ("data", *_BY_NAME)
    return [(name, getattr(config, name), config.origins.get(name, "default")) for name in names]


def settings_table() -> list[tuple[str, str, str, str, str]]:
    """Rows for the docs: name, flag, environment variable, default, explanation."""
    defaults = Config(data=Path("/"))
    first = ("data", "--data", "HEDGEROW_DATA", "~/.local/share/hedgerow", "The folder that holds everything.")
    rows = [
        (each.name, each.flag, each.environment, _shown(getattr(defaults, each.name)), each.explanation)
        for each in SETTINGS
    ]
    return [first, *rows]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"


def toml_text(values: Mapping[str, Any]) -> str:
    """A settings file that holds these values, each below its explanation. JSON's strings are TOML's."""
    import json

    lines = ["# Settings of this Hedgerow node. Flags and HEDGEROW_* variables go before this file.", ""]
    for setting in SETTINGS:
        if setting.name in values:
            value = values[setting.name]
            written = list(value) if isinstance(value, tuple) else value
            lines += [f"# {setting.explanation}", f"{setting.name} = {json.dumps(written, ensure_ascii=False)}", ""]
    return "\n".join(lines)
