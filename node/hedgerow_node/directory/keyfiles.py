"""Key files: small text files that say what their key is for, in words and in a marker that is checked.

A file looks like this, and only its ``secret`` line is secret::

    Hedgerow steward key
    Keep this file to yourself: whoever has it can sign as you.
    usage: steward
    public: <base32 of the 33-byte public key>
    secret: <base32 of the 32-byte seed>

Files are made with mode 0600 and refused when others may read them. Beside a steward's key lies a file of the same
shape without the secret line, to give away (``ash.key`` and ``ash.pub``).
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from hedgerow_protocol import ids
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.keys import PUBLIC_BYTES, SEED_BYTES, SigningKey, Usage, usage_of
from hedgerow_protocol.ports import Entropy

FILE_BYTES_MAX = 4_096
"""Bytes. A key file is five lines."""

_TITLES = {Usage.NODE: "Hedgerow node key", Usage.STEWARD: "Hedgerow steward key"}
_PUBLIC_TITLE = "Hedgerow steward key, public part"
_PUBLIC_ADVICE = "Give this to the others: it names you in a charter, and nobody can sign with it."
_ADVICE = {
    Usage.NODE: "Keep this file: it is this node's name to other nodes. It cannot sign for a listing.",
    Usage.STEWARD: "Keep this file to yourself: whoever has it can sign as you.",
}


class KeyFileError(Exception):
    """A key file cannot be used; ``str()`` is a sentence."""


@dataclass(frozen=True, slots=True)
class _Read:
    usage: Usage
    public: bytes
    seed: bytes


def create_key(path: Path, usage: Usage, entropy: Entropy) -> SigningKey:
    """Make a key and write it to a new file that only its owner can read. Raises :class:`KeyFileError`."""
    seed = entropy(SEED_BYTES)
    key = SigningKey.from_seed(usage, seed)
    text = (
        f"{_TITLES[usage]}\n{_ADVICE[usage]}\n"
        f"usage: {usage.name.lower()}\npublic: {ids.to_text(key.public)}\nsecret: {ids.to_text(seed)}\n"
    )
    _write_new(path, text)
    return key


def _write_new(path: Path, text: str, *, mode: int = 0o600) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise KeyFileError(f"{path} is already there, and a key is never written over.") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {_why(error)}.") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_public(path: Path, public: bytes) -> Path:
    """Write the public part of the steward key in ``path`` beside it, and return where. Raises :class:`KeyFileError`.

    A file that is there already is left alone when it holds the same key, and never written over.
    """
    beside = path.with_name(path.name.removesuffix(".key") + ".pub")
    if beside.exists():
        if read_public(str(beside)) != public:
            raise KeyFileError(f"{beside} is already there and holds another key. Move it away first.")
        return beside
    text = f"{_PUBLIC_TITLE}\n{_PUBLIC_ADVICE}\nusage: steward\npublic: {ids.to_text(public)}\n"
    _write_new(beside, text, mode=0o644)
    return beside


def load_key(path: Path, usage: Usage) -> SigningKey:
    """Read the secret key of this usage. Raises :class:`KeyFileError` when it is another kind or not well kept."""
    read = _read(path)
    if read.usage is not usage:
        raise KeyFileError(_wrong_usage(path, read.usage))
    if not read.seed:
        raise KeyFileError(f"{path} holds only the public part of a key, and signing needs the secret one.")
    mode = path.stat().st_mode
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path} can be read by others on this machine. Close it first: chmod 600 {path}")
    key = SigningKey.from_seed(usage, read.seed)
    if read.public and key.public != read.public:
        raise KeyFileError(f"{path} is damaged: its secret and its public part do not belong together.")
    return key


def load_or_create_key(path: Path, usage: Usage, entropy: Entropy) -> SigningKey:
    """The key in this file; a new one when there is no file yet."""
    return load_key(path, usage) if path.exists() else create_key(path, usage, entropy)


def read_public(said: str) -> bytes:
    """A steward's public key, from its text or from a file that holds it. Raises :class:`KeyFileError`."""
    text = said.strip().lower()
    try:
        public = ids.from_text(text, PUBLIC_BYTES)
    except RemoteError:
        read = _read(Path(said))
        public = read.public or SigningKey.from_seed(read.usage, read.seed).public
    return check_steward(public, said)


def check_steward(public: bytes, said: str) -> bytes:
    """Refuse a key that is not a steward's, with a sentence."""
    try:
        usage = usage_of(public)
    except RemoteError as error:
        raise KeyFileError(f"{said}: {error}") from error
    if usage is not Usage.STEWARD:
        raise KeyFileError(_wrong_usage(Path(said), usage))
    return public


def public_text(public: bytes) -> str:
    """How people pass a public key on."""
    return ids.to_text(public)


def short_name(public: bytes) -> str:
    """A few letters of a key, enough to tell a handful of stewards apart. The usage byte is left out."""
    return ids.to_text(public[1:])[:8]


def _wrong_usage(path: Path, usage: Usage) -> str:
    match usage:
        case Usage.NODE:
            return (
                f"{path} is a node key; a node key cannot sign for a group. "
                "Make a key of your own: hedgerow publish key FILE."
            )
        case Usage.STEWARD:
            return f"{path} is a steward's key; a node needs a key of its own."


def _read(path: Path) -> _Read:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {_why(error)}.") from error
    lines = raw.decode("ascii", errors="replace").splitlines() if len(raw) <= FILE_BYTES_MAX else []
    fields = {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    try:
        usage = Usage[fields["usage"].upper()]
        public = ids.from_text(fields["public"], PUBLIC_BYTES)
        seed = ids.from_text(fields["secret"], SEED_BYTES) if "secret" in fields else b""
    except (KeyError, RemoteError) as error:
        raise KeyFileError(f"{path} is not a Hedgerow key file.") from error
    if public[0] != usage:
        raise KeyFileError(f"{path} is damaged: its public part is not of the kind it says.")
    return _Read(usage, public, seed)


def _why(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
