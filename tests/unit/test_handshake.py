"""Noise handshakes: whose turn it is, what is refused, and that a failure is final."""

import random

import pytest

from hedgerow_protocol import noise_symmetric
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.handshake import Handshake, public_key

XK = "Noise_XK_25519_ChaChaPoly_BLAKE2s"
XX = "Noise_XX_25519_ChaChaPoly_BLAKE2s"
XX_PSK3 = "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2s"
ASH, BIRCH = b"a" * 32, b"b" * 32
# Points of small order: whatever the private key, the shared secret is all zeros (RFC 7748, section 6.1).
SMALL = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def pair(name: str = XX, *, psk: bytes | None = None, other_psk: bytes | None = None) -> tuple[Handshake, Handshake]:
    draw = random.Random(7)
    rs = public_key(BIRCH) if "_XK" in name else None
    return (
        Handshake(name, True, b"", s=ASH, rs=rs, psk=psk, entropy=draw.randbytes),
        Handshake(name, False, b"", s=BIRCH, psk=other_psk or psk, entropy=draw.randbytes),
    )


def finished(name: str = XX) -> tuple[Handshake, Handshake]:
    initiator, responder = pair(name)
    responder.read(initiator.write())
    initiator.read(responder.write())
    responder.read(initiator.write())
    return initiator, responder


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Noise",
        "Noise_NN_25519_ChaChaPoly_BLAKE2s",
        "Noise_XKpsk4_25519_ChaChaPoly_BLAKE2s",
        "Noise_XKpsk_25519_ChaChaPoly_BLAKE2s",
        "Noise_XK1_25519_ChaChaPoly_BLAKE2s",
        "Noise_XX_448_ChaChaPoly_BLAKE2s",
        "Noise_XX_25519_AESGCM_BLAKE2s",
        "Noise_XX_25519_ChaChaPoly_SHA1",
        "Noise_XX_25519_ChaChaPoly_BLAKE2s_more",
        "NoisePSK_XX_25519_ChaChaPoly_BLAKE2s",
        "noise_XX_25519_ChaChaPoly_BLAKE2s",
    ],
)
def test_other_handshakes_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="not a handshake this package knows"):
        Handshake(name, True, b"", s=ASH)


def test_keys_must_be_there_and_fit() -> None:
    with pytest.raises(ValueError, match="own static key"):
        Handshake(XX, True, b"")
    with pytest.raises(ValueError, match="responder's static key"):
        Handshake(XK, True, b"", s=ASH)
    with pytest.raises(ValueError, match="32 bytes"):
        Handshake(XX, True, b"", s=b"short")
    with pytest.raises(ValueError, match="pre-shared"):
        Handshake(XX, True, b"", s=ASH, psk=bytes(32))
    with pytest.raises(ValueError, match="pre-shared"):
        Handshake(XX_PSK3, True, b"", s=ASH)
    with pytest.raises(ValueError, match="entropy"):
        Handshake(XX, True, b"", s=ASH).write()


def test_both_learn_the_other_and_the_same_hash() -> None:
    initiator, responder = finished()
    assert initiator.remote_static == public_key(BIRCH)
    assert responder.remote_static == public_key(ASH)
    assert initiator.handshake_hash == responder.handshake_hash
    assert initiator.exported(b"one") == responder.exported(b"one") != initiator.exported(b"two")
    assert len(initiator.exported(b"one")) == 32


def test_what_is_exported_cannot_be_made_from_the_hash_alone() -> None:
    with_one, _ = pair(XX_PSK3, psk=b"1" * 32)
    assert with_one.remote_static is None
    exported = []
    for psk in (b"1" * 32, b"2" * 32):
        initiator, responder = pair(XX_PSK3, psk=psk)
        responder.read(initiator.write())
        initiator.read(responder.write())
        responder.read(initiator.write())
        exported.append(initiator.exported(b""))
    assert exported[0] != exported[1]


def test_turns_are_kept() -> None:
    initiator, responder = pair()
    with pytest.raises(LocalError, match="turn"):
        responder.write()
    with pytest.raises(LocalError, match="turn"):
        initiator.read(bytes(32))
    with pytest.raises(LocalError, match="not finished"):
        initiator.encrypt(b"")
    with pytest.raises(LocalError, match="not finished"):
        _ = initiator.handshake_hash
    initiator, responder = finished()
    with pytest.raises(LocalError, match="over"):
        initiator.write()
    with pytest.raises(LocalError, match="over"):
        responder.read(b"")


def test_a_failed_handshake_stays_failed() -> None:
    initiator, responder = pair()
    responder.read(initiator.write())
    second = bytearray(responder.write())
    second[40] ^= 1
    with pytest.raises(RemoteError):
        initiator.read(bytes(second))
    second[40] ^= 1
    for call in (lambda: initiator.read(bytes(second)), initiator.write, lambda: initiator.encrypt(b"")):
        with pytest.raises(LocalError, match="failed"):
            call()


def test_a_failed_transport_stays_failed() -> None:
    initiator, responder = finished()
    message = initiator.encrypt(b"hello")
    with pytest.raises(RemoteError) as refused:
        responder.decrypt(message[:-1])
    assert refused.value.code is Code.BAD_KEY
    with pytest.raises(LocalError, match="failed"):
        responder.decrypt(message)


def test_another_prologue_or_shared_key_fails() -> None:
    draw = random.Random(1)
    initiator = Handshake(XK, True, b"one", s=ASH, rs=public_key(BIRCH), entropy=draw.randbytes)
    responder = Handshake(XK, False, b"two", s=BIRCH, entropy=draw.randbytes)
    with pytest.raises(RemoteError):
        responder.read(initiator.write())
    initiator, responder = pair(XX_PSK3, psk=b"1" * 32, other_psk=b"2" * 32)
    responder.read(initiator.write())
    initiator.read(responder.write())
    with pytest.raises(RemoteError):
        responder.read(initiator.write())


def test_a_static_key_that_was_expected_is_held_to() -> None:
    draw = random.Random(1)
    initiator = Handshake(XX, True, b"", s=ASH, rs=public_key(ASH), entropy=draw.randbytes)
    responder = Handshake(XX, False, b"", s=BIRCH, entropy=draw.randbytes)
    responder.read(initiator.write())
    with pytest.raises(RemoteError, match="another key"):
        initiator.read(responder.write())


@pytest.mark.parametrize("point", SMALL, ids=lambda point: point[:2].hex())
def test_keys_that_agree_on_nothing_secret_are_refused(point: bytes) -> None:
    _, responder = pair()
    responder.read(point)
    with pytest.raises(RemoteError) as refused:
        responder.write()
    assert refused.value.code is Code.BAD_KEY
    initiator = Handshake(XK, True, b"", s=ASH, rs=point, entropy=random.Random(1).randbytes)
    with pytest.raises(RemoteError):
        initiator.write()
    with pytest.raises(LocalError):
        initiator.write()


def test_sizes() -> None:
    _, responder = pair()
    with pytest.raises(RemoteError) as refused:
        responder.read(bytes(65_536))
    assert refused.value.code is Code.TOO_LARGE
    initiator, responder = pair()
    assert responder.read(initiator.write(bytes(65_503))) == bytes(65_503)
    initiator, _ = pair()
    with pytest.raises(ValueError, match="65535"):
        initiator.write(bytes(65_504))
    initiator, responder = finished()
    largest = initiator.encrypt(bytes(65_519))
    assert len(largest) == 65_535
    assert responder.decrypt(largest) == bytes(65_519)
    with pytest.raises(ValueError, match="65519"):
        initiator.encrypt(bytes(65_520))
    with pytest.raises(RemoteError) as refused:
        responder.decrypt(bytes(65_536))
    assert refused.value.code is Code.TOO_LARGE


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_message_shorter_than_its_seal(size: int) -> None:
    _, responder = finished()
    with pytest.raises(RemoteError) as refused:
        responder.decrypt(bytes(size))
    assert refused.value.code is Code.MALFORMED


def test_keys_change_one_direction_at_a_time() -> None:
    initiator, responder = finished()
    initiator.rekey_sending()
    assert initiator.decrypt(responder.encrypt(b"as before")) == b"as before"
    responder.rekey_receiving()
    assert responder.decrypt(initiator.encrypt(b"new key")) == b"new key"
    initiator.rekey_sending()
    with pytest.raises(RemoteError):
        responder.decrypt(initiator.encrypt(b"too new"))


def test_the_counter_has_a_hard_end() -> None:
    state = noise_symmetric.CipherState(bytes(32), noise_symmetric.NONCE_END - 1)
    other = noise_symmetric.CipherState(bytes(32), noise_symmetric.NONCE_END - 1)
    assert other.decrypt(b"", state.encrypt(b"", b"the last")) == b"the last"
    with pytest.raises(LocalError):
        state.encrypt(b"", b"")
    with pytest.raises(RemoteError) as refused:
        other.decrypt(b"", bytes(16))
    assert refused.value.code is Code.LIMIT
