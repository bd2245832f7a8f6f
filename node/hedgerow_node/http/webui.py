"""Where the built web UI lies, and what its files are called.

In a checkout it is ``webui/`` beside ``node/``; in an installed wheel ``hedgerow_node/_webui/``. Both hold ``dist``,
``templates`` and ``locales``. Without a build, pages still work, without style.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from hedgerow_node.bundle import Bundle, read_bundle

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a built file may be; a file of any other kind is not served."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file, held in memory: all of them together are a few hundred kilobytes."""

    body: bytes
    gzip: bytes | None
    brotli: bytes | None
    content_type: str


@dataclass(slots=True)
class WebUi:
    """The three folders, read when first asked for."""

    root: Path
    _names: dict[str, str] | None = None
    _bundle: Bundle | None = None
    loaded: dict[str, Asset] = field(default_factory=dict)

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def locales(self) -> Path:
        return self.root / "locales"

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    @property
    def bundle(self) -> Bundle:
        """The version and hash of what was built (blocking; once)."""
        if self._bundle is None:
            self._bundle = read_bundle(self.dist)
        return self._bundle

    def asset_path(self, name: str) -> str:
        """``assets/style-1a2b.css`` for ``style.css``; empty when the UI is not built."""
        if self._names is None:
            try:
                manifest = json.loads((self.root / "dist" / "assets.json").read_bytes())
            except (OSError, ValueError):
                manifest = {}
            self._names = (
                {str(key): str(value) for key, value in manifest.items()} if isinstance(manifest, dict) else {}
            )
        return self._names.get(name, "")

    def load_asset(self, file: str) -> Asset | None:
        """Read one file of ``dist/assets`` (blocking; once). ``None`` when there is none of that name."""
        if file in self.loaded:
            return self.loaded[file]
        path = self.root / "dist" / "assets" / file
        content_type = MEDIA_TYPES.get(path.suffix)
        # Only plain names of the one folder; a name that is not there is not remembered, or memory would grow.
        if content_type is None or "/" in file or "\\" in file or file.startswith(".") or not path.is_file():
            return None
        asset = Asset(path.read_bytes(), _beside(path, ".gz"), _beside(path, ".br"), content_type)
        self.loaded[file] = asset
        return asset


def _beside(path: Path, suffix: str) -> bytes | None:
    packed = path.with_name(path.name + suffix)
    return packed.read_bytes() if packed.is_file() else None


def find_webui() -> WebUi:
    """The web UI of this installation or checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_webui"
    return WebUi(installed if installed.is_dir() else package.parent.parent / "webui")
