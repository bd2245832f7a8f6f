"""What pages say of the node's own certificate. ``app`` lends it: the street door makes none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCertificate:
    """The certificate authority of this node, for devices that are told to trust it."""

    hosts: tuple[str, ...]
    """Names and addresses that it vouches for, as they stand in a web address."""
    fingerprint: bytes
    """SHA-256 of its certificate."""
    download: bytes
    """The certificate itself (DER)."""
