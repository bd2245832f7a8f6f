"""Recovering an account: a challenge that needs no memory, and what the account's key signs."""

import hmac
import struct
from collections import OrderedDict
from typing import Final

import nacl.bindings
import nacl.exceptions

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.byte_strings import labelled
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AccountKey, DeviceId

RECOVERY_LABEL: Final = b"hedgerow account recovery v1"
CHALLENGE_BYTES: Final = 32
_RANDOM_BYTES: Final = 8
_MAC_BYTES: Final = 16
_USED_MAX: Final = 10_000


def recovery_message(challenge: bytes, device: DeviceId, token_hash: bytes) -> bytes:
    """What an account's key signs to let a new device in."""
    return labelled(RECOVERY_LABEL, challenge, device, token_hash)


def signature_holds(account: AccountKey, message: bytes, signature: bytes) -> bool:
    """Whether the account's key signed this; follows libsodium's strict rules."""
    try:
        nacl.bindings.crypto_sign_open(signature + message, account)
    except (nacl.exceptions.CryptoError, ValueError):
        return False
    return True


class Challenges:
    """Makes and takes challenges. Those that were not used leave no trace, so nobody can fill anything with them.

    A challenge is its time (8 bytes), 8 random bytes, and the first 16 bytes of an HMAC over both with a key that
    lasts as long as the process.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: OrderedDict[bytes, int] = OrderedDict()

    def make(self, now: int, random: bytes) -> bytes:
        """A challenge; ``random`` is 8 unpredictable bytes."""
        body = struct.pack(">Q", now) + random[:_RANDOM_BYTES].ljust(_RANDOM_BYTES, b"\0")
        return body + self._mac(body)

    def take(self, challenge: bytes, now: int) -> None:
        """Good for one time. Raises :class:`Refused` unless it was made here within the last two minutes, and is new.

        Call only once the signature holds. (What was signed names one device, so a challenge that is forgotten here
        too early lets nobody else in.)
        """
        body, mac = challenge[:-_MAC_BYTES], challenge[-_MAC_BYTES:]
        if len(challenge) != CHALLENGE_BYTES or not hmac.compare_digest(self._mac(body), mac):
            raise _ended()
        (made,) = struct.unpack_from(">Q", body)
        if not made <= now <= made + limits.CHALLENGE_SECONDS_MAX or challenge in self._used:
            raise _ended()
        while self._used and (
            len(self._used) >= _USED_MAX or next(iter(self._used.values())) < now - limits.CHALLENGE_SECONDS_MAX
        ):
            self._used.popitem(last=False)
        self._used[challenge] = now

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC_BYTES]


def _ended() -> Refused:
    return Refused(Refusal.ENDED, "This took too long. Start the recovery again.")
