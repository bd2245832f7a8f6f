"""Any bytes as a drop, and any letters in one: opened by the one it is for, refused or read in every other case."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.drops import BUCKETS, open_drop, seal_drop
from hedgerow_protocol.federation.holders import holders_for
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey, Usage, agreement_key
from hedgerow_protocol.ports import Timestamp

KEYS = [SigningKey.from_seed(Usage.NODE, bytes([number]) * 32) for number in range(3)]
NODES = [NodeId(each.public[1:]) for each in KEYS]
nodes = st.binary(min_size=32, max_size=32).map(NodeId)


def opens(data: bytes) -> bool:
    """Whether these bytes are a drop for the first node; nothing but a refusal comes out otherwise."""
    try:
        open_drop(KEYS[0], data)
    except RemoteError:
        return False
    return True


@given(st.binary(max_size=300), st.sampled_from(BUCKETS[:2]), st.booleans())
def test_any_bytes_are_refused(data: bytes, size: int, right: bool) -> None:
    assert not opens(data)
    filled = data.ljust(size, b"\7")
    assert not opens(b"\1" + filled[1:] if right else filled)


@settings(max_examples=50)
@given(
    st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=20),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**40),
    st.integers(0, 2**31),
)
def test_what_is_sealed_is_opened_and_a_changed_bit_is_noticed(
    said: list[bytes], seed: bytes, time: int, at: int
) -> None:
    sealed = seal_drop(KEYS[1], NODES[0], said, Timestamp(time), seed)
    assert len(sealed) in BUCKETS
    drop = open_drop(KEYS[0], sealed)
    assert (drop.sender, drop.time, drop.letters) == (NODES[1], time, tuple(said))
    bit = at % (8 * len(sealed))
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    # The highest bit of an X25519 key means nothing to the key, but is sealed all the same.
    assert not opens(bytes(changed))


@given(nodes)
def test_any_name_has_a_key_or_is_refused(name: NodeId) -> None:
    try:
        assert len(agreement_key(name)) == 32
    except RemoteError:
        return


@given(nodes, st.lists(nodes, max_size=3), st.lists(nodes, max_size=8), st.randoms())
def test_holders_are_the_same_for_everybody(
    away: NodeId, relays: list[NodeId], able: list[NodeId], dice: object
) -> None:
    found = holders_for(away, relays, able)
    mixed = list(able)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert found == holders_for(away, relays, mixed)
    assert away not in found
    assert set(found) <= set(able)
    assert len(set(found)) == len(found) <= 3 + len(relays)
