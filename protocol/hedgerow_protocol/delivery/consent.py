"""Tokens that are shown once and kept only as hashes: bearer tokens, proofs of invitations, consent to be added."""

import hmac
from hashlib import sha256


def hash_of(token: bytes) -> bytes:
    """32 bytes: what the node keeps of a token. (Tokens are random, so a plain hash tells nothing of them.)"""
    return sha256(token).digest()


def matches(token: bytes, kept: bytes) -> bool:
    """Whether this is the token, in a time that says nothing about it."""
    return hmac.compare_digest(sha256(token).digest(), kept)
