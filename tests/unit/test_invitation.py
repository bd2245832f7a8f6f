"""Invitation links: what follows from the secret, and the code for a camera."""

from hashlib import sha256

import pytest

from hedgerow_node.qr import QUIET, qr_code
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.invitation import Invitation, hkdf_sha256


def test_hkdf_as_in_the_rfc() -> None:
    """RFC 5869, appendix A.3: SHA-256 with neither salt nor info."""
    okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert hkdf_sha256(b"\x0b" * 22, b"", 42).hex() == okm


def test_what_follows_from_a_secret() -> None:
    """Computed with another implementation (the cryptography package); clients must come to the same."""
    invitation = Invitation(bytes(range(16)))
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    hkdf = pytest.importorskip("cryptography.hazmat.primitives.kdf.hkdf")

    def derived(info: bytes, size: int) -> bytes:
        return hkdf.HKDF(algorithm=hashes.SHA256(), length=size, salt=None, info=info).derive(bytes(range(16)))

    assert invitation.id == derived(b"hedgerow invite id v1", 16)
    assert invitation.proof == derived(b"hedgerow invite proof v1", 32)
    assert invitation.seal_key == derived(b"hedgerow invite seal v1", 32)
    assert invitation.proof_hash == sha256(invitation.proof).digest()
    link = invitation.link("https://example.org/groups", NodeId(bytes([255]) * 32))
    assert link == f"https://example.org/groups/join#AAECAwQFBgcICQoLDA0ODw.{'_' * 42}8"


def drawn(path: str, side: int) -> list[list[bool]]:
    """The squares that the path of a code fills."""
    squares = [[False] * side for _ in range(side)]
    for run in path.removeprefix("M").removesuffix("z").split("zM"):
        start, _, rest = run.partition("h")
        x, y = map(int, start.split())
        width = int(rest.partition("v")[0])
        assert rest == f"{width}v1h-{width}"
        for each in range(x, x + width):
            assert not squares[y][each], "no square is drawn twice"
            squares[y][each] = True
    return squares


def test_page_and_terminal_show_the_same_code() -> None:
    code = qr_code("https://groups.example.org/join#AAECAwQFBgcICQoLDA0ODw")
    squares = drawn(code.svg_path(), code.side)
    inside = [row[QUIET:-QUIET] for row in squares[QUIET:-QUIET]]
    assert inside == [list(row) for row in code.rows]
    assert not any(map(any, (*squares[:QUIET], *squares[-QUIET:])))
    light = []
    for line in code.terminal_lines():
        light += [[each in "█▀" for each in line], [each in "█▄" for each in line]]
    assert [[not each for each in row] for row in light[: code.side]] == squares
    assert all(map(all, light[code.side :])), "an odd last row is completed with light"
