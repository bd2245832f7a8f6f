"""Makes and reads the authority and what it signs (X.509, RFC 5280). Pure but for the library's fresh keys.

The authority's certificate carries *name constraints* (RFC 5280, 4.2.1.10): a device that trusts it accepts it for the
names and addresses in it, and refuses whatever else somebody might sign with a stolen key. Constraints hold for each
kind of name apart, and a kind that is not named is free; so where only names were chosen one address that nobody has is
permitted, and the other way round.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hedgerow_node.tls.names import Address, Names, TlsError
from hedgerow_protocol.ports import Timestamp

AUTHORITY_DAYS: Final = 1_826
"""Days. Five years: every new authority means work on every member's device."""

SERVER_DAYS: Final = 397
"""Days. In all: browsers and Apple's systems refuse server certificates that live longer than 398 days."""

EARLY_DAYS: Final = 1
"""Days. Of these, before now: phones whose clock is behind."""

RENEW_DAYS: Final = 30
"""Days. A server certificate with less left than this is made anew."""

_NOBODY: Final = "invalid"
"""Permitted where no name was chosen: nothing below it can exist (RFC 6761, 6.4)."""

_NOWHERE: Final = IPv4Network("0.0.0.0/32")
"""Permitted where no address was chosen: nobody has it (RFC 6890)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate that people's devices are told to trust, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A server certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


def make_authority(names: Names, now: Timestamp) -> Authority:
    """A new authority that can vouch for these names only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Local certificate for {names.first}"[:64])])
    begin, end = _span(now, AUTHORITY_DAYS)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def issue(authority: Authority, now: Timestamp) -> Issued:
    """A server certificate for everything the authority may vouch for, with a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = names_of(authority.certificate)
    begin, end = _span(now, SERVER_DAYS)
    alternatives = [*map(x509.DNSName, names.names), *map(x509.IPAddress, names.addresses)]
    issuer = authority.certificate
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.first[:64])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(begin, issuer.not_valid_before_utc))
        .not_valid_after(min(end, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )  # fmt: skip
    return Issued(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as an unencrypted PEM file: the node must start without anybody there."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_authority(certificate: bytes, key: bytes) -> Authority:
    """Out of two PEM files. Raises :class:`TlsError`."""
    read, secret = read_certificate(certificate), _read_key(key)
    if secret.public_key() != read.public_key():
        raise TlsError("The authority's key and its certificate do not belong together.")
    return Authority(read, secret)


def holds_key(certificate: x509.Certificate, key: bytes) -> bool:
    """Whether this private key (PEM) belongs to the certificate. Raises :class:`TlsError` when it cannot be read."""
    return _read_key(key).public_key() == certificate.public_key()


def _read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        secret = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TlsError("The key file of a certificate cannot be read.") from error
    if not isinstance(secret, ec.EllipticCurvePrivateKey):
        raise TlsError("The key file of a certificate holds another kind of key.")
    return secret


def read_certificate(pem: bytes) -> x509.Certificate:
    """Out of a PEM file. Raises :class:`TlsError`."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise TlsError("A certificate file cannot be read.") from error


def names_of(authority: x509.Certificate) -> Names:
    """What the authority may vouch for. Raises :class:`TlsError`."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound as error:
        raise TlsError("This authority could vouch for every name there is, so it is not used.") from error
    names: list[str] = []
    addresses: list[Address] = []
    for each in constraints.permitted_subtrees or ():
        if isinstance(each, x509.DNSName) and each.value != _NOBODY:
            names.append(each.value)
        network = each.value if isinstance(each, x509.IPAddress) else None
        if isinstance(network, IPv4Network | IPv6Network) and network != _NOWHERE:
            addresses.append(network.network_address)
    return Names(tuple(names), tuple(addresses))


def is_from(server: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority signed this server certificate."""
    try:
        server.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_due(server: x509.Certificate, now: Timestamp) -> bool:
    """Whether a server certificate is to be made anew: it ends soon, or it was made by a clock that was wrong."""
    moment = _moment(now)
    return not server.not_valid_before_utc <= moment < server.not_valid_after_utc - timedelta(days=RENEW_DAYS)


def fingerprint_of(certificate: x509.Certificate) -> bytes:
    """SHA-256 over the certificate, as every device shows it."""
    return certificate.fingerprint(hashes.SHA256())


def _permitted(names: Names) -> list[x509.GeneralName]:
    networks = [ip_network(f"{each}/{32 if isinstance(each, IPv4Address) else 128}") for each in names.addresses]
    return [
        *map(x509.DNSName, names.names or (_NOBODY,)),
        *map(x509.IPAddress, networks or [_NOWHERE]),
    ]


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _span(now: Timestamp, days: int) -> tuple[datetime, datetime]:
    begin = _moment(now) - timedelta(days=EARLY_DAYS)
    # Both ends count in a certificate (RFC 5280, 4.1.2.5).
    return begin, begin + timedelta(days=days, seconds=-1)


def _moment(now: Timestamp) -> datetime:
    return datetime.fromtimestamp(now, UTC)
