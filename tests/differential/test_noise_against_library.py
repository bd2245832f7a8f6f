"""Our handshakes against PyPI's ``noiseprotocol``, which was written by others on another library of ciphers."""

import random
from typing import Any

import pytest
from noise.connection import Keypair, NoiseConnection

from hedgerow_protocol.handshake import Handshake, public_key

NAMES = [
    f"Noise_{pattern}{modifier}_25519_ChaChaPoly_{hash_name}"
    for pattern in ("XK", "XX")
    for modifier in ("", "psk0", "psk1", "psk2", "psk3")
    for hash_name in ("BLAKE2s", "BLAKE2b", "SHA256", "SHA512")
]


class Library:
    """One side of theirs with the names of ours."""

    def __init__(self, name: str, initiator: bool, prologue: bytes, s: bytes, rs: bytes | None, psk: bytes | None):
        self.noise: Any = NoiseConnection.from_name(name.encode())
        if psk is not None:
            self.noise.set_psks(psks=[psk])
        self.noise.set_prologue(prologue)
        (self.noise.set_as_initiator if initiator else self.noise.set_as_responder)()
        self.noise.set_keypair_from_private_bytes(Keypair.STATIC, s)
        if rs is not None:
            self.noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, rs)
        self.noise.start_handshake()
        self.hash = b""

    @property
    def finished(self) -> bool:
        return bool(self.noise.handshake_finished)

    @property
    def handshake_hash(self) -> bytes:
        return bytes(self.noise.get_handshake_hash())

    def write(self, payload: bytes) -> bytes:
        return bytes(self.noise.write_message(payload))

    def read(self, message: bytes) -> bytes:
        return bytes(self.noise.read_message(message))

    def encrypt(self, plaintext: bytes) -> bytes:
        return bytes(self.noise.encrypt(plaintext))

    def decrypt(self, ciphertext: bytes) -> bytes:
        return bytes(self.noise.decrypt(ciphertext))

    def rekey_sending(self) -> None:
        self.noise.rekey_outbound_cipher()

    def rekey_receiving(self) -> None:
        self.noise.rekey_inbound_cipher()


@pytest.mark.parametrize("ours_first", [True, False], ids=["we dial", "they dial"])
@pytest.mark.parametrize("name", NAMES)
def test_both_understand_each_other(name: str, ours_first: bool) -> None:
    draw = random.Random(f"{name} {ours_first}")
    own, other, prologue = draw.randbytes(32), draw.randbytes(32), draw.randbytes(draw.randrange(40))
    psk = draw.randbytes(32) if "psk" in name else None
    rs = public_key(other) if "_XK" in name else None
    sides: list[Any]
    if ours_first:
        sides = [
            Handshake(name, True, prologue, s=own, rs=rs, psk=psk, entropy=draw.randbytes),
            Library(name, False, prologue, other, None, psk),
        ]
    else:
        sides = [
            Library(name, True, prologue, own, rs, psk),
            Handshake(name, False, prologue, s=other, psk=psk, entropy=draw.randbytes),
        ]
    for number in range(3):
        sender, receiver = sides[number % 2], sides[1 - number % 2]
        payload = draw.randbytes(draw.choice([0, 1, 64, 700]))
        assert receiver.read(sender.write(payload)) == payload
    assert all(side.finished for side in sides)
    assert sides[0].handshake_hash == sides[1].handshake_hash
    for number in range(12):
        turn = draw.randrange(2)
        sender, receiver = sides[turn], sides[1 - turn]
        plaintext = draw.randbytes(draw.choice([0, 1, 64, 65_519]))
        assert receiver.decrypt(sender.encrypt(plaintext)) == plaintext
        if number % 5 == 4:
            sender.rekey_sending()
            receiver.rekey_receiving()
