"""What was built for browsers: one hash over all of it, to compare with other nodes of the same version."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FEATURE: Final = "webui/"
"""What the feature begins with by which a node tells others its bundle: ``webui/<version>/<16 hex>``."""

FEATURE_HEX: Final = 16
"""Letters. Of the hash in a feature: 64 bits are enough to notice a difference that somebody did not hide."""

_BUNDLE: Final = "bundle.json"
_WORKER: Final = "sw.js"
_FACTS: Final = b"self.HEDGEROW="
_PACKED: Final = (".gz", ".br")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+\-]{1,32}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the build wrote into ``dist/bundle.json``; everything is empty where the web UI is not built."""

    version: str = ""
    sha256: str = ""
    """64 hex letters over names and bytes of all built files."""
    client: str = ""
    """The same of the saved client, ``client.html``."""

    @property
    def feature(self) -> str:
        """How this bundle is told to other nodes; empty without one."""
        return f"{FEATURE}{self.version}/{self.sha256[:FEATURE_HEX]}" if self.sha256 else ""

    @property
    def features(self) -> tuple[str, ...]:
        """The same as an announcement lists features."""
        return (self.feature,) if self.sha256 else ()

    def differs(self, features: Iterable[str]) -> bool:
        """Whether a node with these features says that it has the same version and another bundle."""
        own = self.feature
        same_version = f"{FEATURE}{self.version}/"
        return bool(own) and any(each.startswith(same_version) and each != own for each in features)


NOT_BUILT: Final = Bundle()


def read_bundle(dist: Path) -> Bundle:
    """Read it; what is not there or not whole counts as not built."""
    try:
        said = json.loads((dist / _BUNDLE).read_bytes())
        version, sha256, client = str(said["version"]), str(said["sha256"]), str(said["client"])
    except (OSError, ValueError, KeyError, TypeError):
        return NOT_BUILT
    if not _HEX.fullmatch(sha256) or not _VERSION.fullmatch(version):
        return NOT_BUILT
    return Bundle(version, sha256, client if _HEX.fullmatch(client) else "")


def bundle_digest(dist: Path) -> str:
    """The hash of what lies there now, as ``webui/build_hook.py`` makes it."""
    digest = hashlib.sha256()
    files = {path.relative_to(dist).as_posix(): path for path in dist.rglob("*") if path.is_file()}
    for name in sorted(files):
        if name in (_BUNDLE, ".stamp") or name.endswith(_PACKED):
            continue
        body = files[name].read_bytes()
        if name == _WORKER and body.startswith(_FACTS):
            body = body.partition(b"\n")[2]
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()
