"""Key files: one usage each, closed to others, and a sentence for whatever is wrong."""

from pathlib import Path

import pytest

from hedgerow_node.directory.keyfiles import (
    KeyFileError,
    create_key,
    load_key,
    load_or_create_key,
    public_text,
    read_public,
)
from hedgerow_protocol.keys import SigningKey, Usage


def seed(count: int) -> bytes:
    return bytes(range(count))


def test_a_key_reads_back_and_only_its_owner_can(tmp_path: Path) -> None:
    path = tmp_path / "my.key"
    key = create_key(path, Usage.STEWARD, seed)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, Usage.STEWARD) == key == SigningKey.from_seed(Usage.STEWARD, seed(32))
    assert load_or_create_key(path, Usage.STEWARD, lambda count: b"\xff" * count) == key


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    create_key(tmp_path / "k", Usage.NODE, seed)
    with pytest.raises(KeyFileError, match="already there"):
        create_key(tmp_path / "k", Usage.NODE, seed)


def test_a_node_key_cannot_sign_for_a_group(tmp_path: Path) -> None:
    create_key(tmp_path / "node.key", Usage.NODE, seed)
    with pytest.raises(KeyFileError, match="a node key cannot sign for a group"):
        load_key(tmp_path / "node.key", Usage.STEWARD)
    with pytest.raises(KeyFileError, match="a node key cannot sign for a group"):
        read_public(str(tmp_path / "node.key"))
    with pytest.raises(KeyFileError, match="node key"):
        read_public(public_text(SigningKey.from_seed(Usage.NODE, seed(32)).public))


def test_changing_the_marker_does_not_change_the_key(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    create_key(path, Usage.NODE, seed)
    path.write_text(path.read_text().replace("usage: node", "usage: steward"))
    with pytest.raises(KeyFileError, match="damaged"):
        load_key(path, Usage.STEWARD)
    lines = [line for line in path.read_text().splitlines() if not line.startswith("public")]
    other = public_text(SigningKey.from_seed(Usage.STEWARD, b"\x01" * 32).public)
    path.write_text("\n".join([*lines, f"public: {other}"]))
    with pytest.raises(KeyFileError, match="do not belong together"):
        load_key(path, Usage.STEWARD)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    create_key(path, Usage.STEWARD, seed)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key(path, Usage.STEWARD)


def test_a_public_key_comes_as_text_or_file(tmp_path: Path) -> None:
    key = create_key(tmp_path / "k", Usage.STEWARD, seed)
    assert read_public(public_text(key.public)) == key.public
    assert read_public(f" {public_text(key.public).upper()}\n") == key.public
    assert read_public(str(tmp_path / "k")) == key.public
    public_only = "\n".join(x for x in (tmp_path / "k").read_text().splitlines() if not x.startswith("secret"))
    (tmp_path / "p").write_text(public_only)
    (tmp_path / "p").chmod(0o600)
    assert read_public(str(tmp_path / "p")) == key.public
    with pytest.raises(KeyFileError, match="only the public part"):
        load_key(tmp_path / "p", Usage.STEWARD)


@pytest.mark.parametrize("content", [b"", b"hello", b"usage: steward\n", b"\xff" * 9000, b"usage: king\npublic: a\n"])
def test_other_files_are_no_keys(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a Hedgerow key"):
        load_key(path, Usage.STEWARD)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key(tmp_path / "none", Usage.NODE)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    key = create_key(tmp_path / "k", Usage.STEWARD, seed)
    assert "secret" not in repr(key)
