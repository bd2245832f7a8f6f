"""The authority and its server certificate in a data folder: made once, renewed in time, readable by the owner only."""

import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hedgerow_node.tls.authority import (
    Authority,
    fingerprint_of,
    holds_key,
    is_due,
    is_from,
    issue,
    key_pem,
    make_authority,
    names_of,
    read_authority,
    read_certificate,
)
from hedgerow_node.tls.names import (
    AUTHORITY_CERTIFICATE,
    AUTHORITY_KEY,
    SERVER_CERTIFICATE,
    SERVER_KEY,
    Names,
    TlsError,
)
from hedgerow_protocol.ports import Timestamp

FILE_BYTES_MAX = 64 * 1024
"""Bytes. One of these files; a certificate has about a thousand."""


@dataclass(frozen=True, slots=True)
class LocalTls:
    """What a data folder holds of certificates."""

    folder: Path
    names: Names
    authority: x509.Certificate
    server: x509.Certificate

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the authority's certificate: what people compare before they trust it."""
        return fingerprint_of(self.authority)

    @property
    def download(self) -> bytes:
        """The authority's certificate in the form that every system takes (DER)."""
        return self.authority.public_bytes(serialization.Encoding.DER)

    def context(self) -> ssl.SSLContext:
        """For the server. Raises :class:`TlsError`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        load_chain(context, self.folder)
        return context


def is_set_up(folder: Path) -> bool:
    """Whether an authority was made in this data folder."""
    return (folder / AUTHORITY_CERTIFICATE).is_file()


def set_up(folder: Path, names: Names, now: Timestamp) -> LocalTls:
    """Make an authority and a server certificate; what was there before is no longer used."""
    authority = make_authority(names, now)
    _write(folder / AUTHORITY_KEY, key_pem(authority.key))
    _write(folder / AUTHORITY_CERTIFICATE, authority.certificate.public_bytes(serialization.Encoding.PEM))
    _renew(folder, authority, now)
    return load(folder)


def load(folder: Path) -> LocalTls:
    """Read what is there. Raises :class:`TlsError`."""
    authority = read_certificate(_read(folder / AUTHORITY_CERTIFICATE))
    server = read_certificate(_read(folder / SERVER_CERTIFICATE))
    return LocalTls(folder, names_of(authority), authority, server)


def load_fresh(folder: Path, now: Timestamp) -> tuple[LocalTls, bool]:
    """Read what is there; a server certificate that ends soon, or is broken, is made anew.

    Also tells whether it was made anew. Raises :class:`TlsError`.
    """
    authority = read_authority(_read(folder / AUTHORITY_CERTIFICATE), _read_secret(folder / AUTHORITY_KEY))
    if now >= authority.certificate.not_valid_after_utc.timestamp():
        raise TlsError(
            "The time of this node's own certificate authority is over. "
            "Make a new one with `hedgerow tls --replace`; every device must then trust it anew."
        )
    due = _is_due(folder, authority.certificate, now)
    if due:
        _renew(folder, authority, now)
    return load(folder), due


def load_chain(context: ssl.SSLContext, folder: Path) -> None:
    """Take up the server certificate; connections that are open keep the one before. Raises :class:`TlsError`."""
    try:
        context.load_cert_chain(folder / SERVER_CERTIFICATE, folder / SERVER_KEY)
    except (OSError, ssl.SSLError) as error:
        raise TlsError("The server certificate cannot be used. Start the node again: that makes a new one.") from error


def _is_due(folder: Path, authority: x509.Certificate, now: Timestamp) -> bool:
    try:
        server = read_certificate(_read(folder / SERVER_CERTIFICATE))
        whole = is_from(server, authority) and holds_key(server, _read_secret(folder / SERVER_KEY))
    except TlsError:
        return True
    # One that lives as long as its authority cannot be made to live longer.
    return not whole or (is_due(server, now) and server.not_valid_after_utc < authority.not_valid_after_utc)


def _renew(folder: Path, authority: Authority, now: Timestamp) -> None:
    issued = issue(authority, now)
    # The key first: a certificate whose key is not there yet would be taken for a whole pair.
    _write(folder / SERVER_KEY, issued.key)
    _write(folder / SERVER_CERTIFICATE, issued.certificate)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise TlsError(f"{path.name} is missing in the data folder. Make a certificate with `hedgerow tls`.") from error
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error
    if len(data) > FILE_BYTES_MAX:
        raise TlsError(f"{path} is larger than {FILE_BYTES_MAX} bytes: this is not a certificate.")
    return data


def _read_secret(path: Path) -> bytes:
    if path.exists() and os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise TlsError(f"Others on this machine may read {path}. Close it: chmod 600 {path}")
    return _read(path)


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all, for the owner's eyes only."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)  # noqa: PTH105 - it replaces on every system
