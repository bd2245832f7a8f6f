"""Makes channel.json: handshakes and channels with fixed keys, for another implementation to be checked with.

Run ``python tests/vectors/make_channel_vectors.py`` only when the protocol changes on purpose; the diff shows what
changed. All binary values are lower-case hex. The part ``noise`` has the form in which Noise's own vectors are
published; it was checked against another implementation (tests/differential/test_noise_against_library.py).
"""

import json
from pathlib import Path

from hedgerow_protocol.channel import Channel, ChannelKey, Opened, Transmit
from hedgerow_protocol.envelope import Kind, sign
from hedgerow_protocol.handshake import Handshake, public_key
from hedgerow_protocol.keys import SigningKey, Usage
from hedgerow_protocol.ports import Instant, Now, Timestamp
from hedgerow_protocol.records import Announcement

HERE = Path(__file__).parent
AT = Timestamp(1_800_000_000)
NOW = Now(Instant(1_000.0), AT)
AN_HOUR_LATER = Now(Instant(4_600.0), Timestamp(AT + 3_600))
PAYLOADS = (b"", b"hedge", b"x" * 40, b"Quiet Mornings", b"", b"and thanks")


def seed(name: str) -> bytes:
    """32 bytes that say plainly that they are no secret."""
    return f"hedgerow test seed {name}".encode().ljust(32, b".")


def noise_vector(name: str) -> dict[str, object]:
    """One handshake and three transport messages."""
    own, other, psk = seed("initiator"), seed("responder"), seed("shared") if "psk" in name else None
    rs = public_key(other) if "_XK" in name else None
    first = Handshake(name, True, b"prologue", s=own, e=seed("e initiator"), rs=rs, psk=psk)
    second = Handshake(name, False, b"prologue", s=other, e=seed("e responder"), psk=psk)
    messages = []
    for number, payload in enumerate(PAYLOADS):
        sender, receiver = (first, second) if number % 2 == 0 else (second, first)
        ciphertext = sender.encrypt(payload) if sender.finished else sender.write(payload)
        assert (receiver.decrypt(ciphertext) if receiver.finished else receiver.read(ciphertext)) == payload
        messages.append({"payload": payload.hex(), "ciphertext": ciphertext.hex()})
    keys = {
        "init_prologue": b"prologue".hex(),
        "init_static": own.hex(),
        "init_ephemeral": seed("e initiator").hex(),
        "resp_prologue": b"prologue".hex(),
        "resp_static": other.hex(),
        "resp_ephemeral": seed("e responder").hex(),
    }
    if rs is not None:
        keys["init_remote_static"] = rs.hex()
    shared = {"init_psks": [psk.hex()], "resp_psks": [psk.hex()]} if psk is not None else {}
    return {
        "protocol_name": name, **keys, **shared, "handshake_hash": first.handshake_hash.hex(), "messages": messages,
    }  # fmt: skip


def announcement(name: str) -> bytes:
    """The announcement of the node with this seed, in its envelope; it tells no address."""
    key = SigningKey.from_seed(Usage.NODE, seed(name))
    said = Announcement(
        node=key.public,
        channel=ChannelKey.from_seed(seed(name)).public,
        addresses=(),
        features=(),
        seq=1,
        issued=AT,
        expires=Timestamp(AT + 86_400),
    )
    return sign(Kind.ANNOUNCEMENT, said.to_body(), [key]).envelope.to_bytes()


def channel_vector(*, known: bool) -> dict[str, object]:
    """One channel: the handshake, a frame each way, and a frame an hour later with which its sender changes keys."""
    ours, theirs = ChannelKey.from_seed(seed("ash")), ChannelKey.from_seed(seed("birch"))
    initiator = Channel.initiate(
        ours,
        announcement("ash"),
        entropy=lambda _: seed("e of ash"),
        now=NOW,
        peer_key=theirs.public if known else None,
    )
    responder = Channel.accept(theirs, announcement("birch"), entropy=lambda _: seed("e of birch"), now=NOW)
    [first] = initiator.start()
    assert isinstance(first, Transmit)
    [second] = responder.handle(first.data, NOW)
    assert isinstance(second, Transmit)
    third, opened = initiator.handle(second.data, NOW)
    assert isinstance(third, Transmit)
    assert isinstance(opened, Opened)
    responder.handle(third.data, NOW)
    messages = []
    for sender, receiver, frame, now in (
        (initiator, responder, b"\x91\x0b", NOW),
        (responder, initiator, b"\x91\x0b", NOW),
        (initiator, responder, b"\x91\x08", AN_HOUR_LATER),
        (initiator, responder, b"\x91\x08", AN_HOUR_LATER),
    ):
        sealed = sender.seal(frame, now)
        receiver.handle(sealed, now)
        messages.append({"frame": frame.hex(), "message": sealed.hex()})
    return {
        "pattern": "XK" if known else "XX",
        "initiator_seed": seed("ash").hex(),
        "initiator_channel_private": ours.private.hex(),
        "initiator_channel_public": ours.public.hex(),
        "initiator_ephemeral_private": seed("e of ash").hex(),
        "initiator_announcement": announcement("ash").hex(),
        "responder_seed": seed("birch").hex(),
        "responder_channel_private": theirs.private.hex(),
        "responder_channel_public": theirs.public.hex(),
        "responder_ephemeral_private": seed("e of birch").hex(),
        "responder_announcement": announcement("birch").hex(),
        "handshake": [first.data.hex(), second.data.hex(), third.data.hex()],
        "binding": opened.binding.hex(),
        "messages": messages,
    }


def vectors() -> dict[str, object]:
    """Everything in channel.json."""
    return {
        "about": "Hedgerow channels, protocol version 1. See docs/protocol/channel.md.",
        "now": AT,
        "noise": [
            noise_vector(f"Noise_{pattern}_25519_ChaChaPoly_{hash_name}")
            for pattern in ("XK", "XX", "XKpsk3", "XXpsk3")
            for hash_name in ("BLAKE2s", "BLAKE2b", "SHA256", "SHA512")
        ],
        "channels": [channel_vector(known=True), channel_vector(known=False)],
    }


def text() -> str:
    """The file as it is kept."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "channel.json").write_text(text(), encoding="utf-8")
