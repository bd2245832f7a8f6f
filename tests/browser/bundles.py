"""A node of the test's own, whose web UI can change under its feet: by an update, or by somebody who may not."""

import importlib.util
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from aiohttp import web

from browser import garden
from browser.watching import WEBUI
from hedgerow_node.config import Config
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.server import Street, build_app, open_street
from hedgerow_node.http.site import SITE
from hedgerow_node.http.webui import WebUi
from hedgerow_protocol.ids import NodeId


def _load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webui_build_hook_for_browsers", WEBUI / "build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


HOOK = _load_hook()


def copied(root: Path) -> WebUi:
    """The web UI as it was built, in a folder of the test's own."""
    root.mkdir()
    for name in ("templates", "locales"):
        (root / name).symlink_to(WEBUI / name)
    shutil.copytree(WEBUI / "dist", root / "dist")
    return WebUi(root)


def changed(webui: WebUi, root: Path, version: str) -> WebUi:
    """The same with one word more in the app's script: another name, another bundle."""
    other = copied_from(webui, root)
    assets = json.loads((other.dist / "assets.json").read_text())
    before = other.dist / assets["app.js"]
    after = before.with_name("app-changed0.js")
    after.write_text(before.read_text() + "\n/* changed */\n")
    for old in before.parent.glob(f"{before.name}*"):
        old.unlink()
    assets["app.js"] = f"assets/{after.name}"
    (other.dist / "assets.json").write_text(json.dumps(assets))
    worker = other.dist / "sw.js"
    worker.write_text(worker.read_text().partition("\n")[2])
    HOOK.seal(other.dist, version)
    return WebUi(root)


def copied_from(webui: WebUi, root: Path) -> WebUi:
    shutil.copytree(webui.root, root, symlinks=True)
    return WebUi(root)


@dataclass
class ChangingSite:
    """One node; :attr:`webui` says what it serves from now on."""

    app: web.Application
    street: Street
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.street.addresses[0]

    def serve(self, webui: WebUi) -> None:
        site = self.app[SITE]
        site.webui = site.pages.webui = webui


@asynccontextmanager
async def changing_site(folder: Path, webui: WebUi, **more: Any) -> AsyncIterator[ChangingSite]:
    """A node without members' side: what is looked at here is how the program comes to the browser."""
    directory = Directory.open(folder / "public.db")
    ssl = more.pop("ssl", None)
    app = build_app(
        Config(data=folder, title="Leeds Hedgerow", country="GB"),
        directory,
        node_id=NodeId(bytes(32)),
        version="0.0.0",
        now=lambda: garden.NOW,
        webui=webui,
        **more,
    )
    street = await open_street(app, "127.0.0.1", 0, **({"ssl": ssl} if ssl else {}))
    try:
        yield ChangingSite(app, street)
    finally:
        await street.close()
        await directory.close()
