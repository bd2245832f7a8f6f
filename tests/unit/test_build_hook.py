"""The build hook's decisions, without building anything: what is fresh, which Node.js will do, what a failure means."""

import importlib.util
import shutil
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEBUI = ROOT / "webui"


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webui_build_hook", WEBUI / "build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


HOOK = load_hook()


class App:
    """Stands in for hatchling's application object."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def display_warning(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with everything the UI's build reads, and nothing built."""
    webui = tmp_path / "webui"
    webui.mkdir()
    for name in (*HOOK.INPUTS, "templates"):
        target = webui / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = WEBUI / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    return tmp_path


def hook_for(project: Path, target: str = "wheel") -> Any:
    hook = HOOK.CustomBuildHook(str(project), {}, None, None, str(project / "out"), target)
    app = App()
    hook._BuildHookInterface__app = app
    return hook, app


def fake_build(webui: Path) -> None:
    (webui / "dist" / "assets").mkdir(parents=True)
    (webui / "dist" / "assets.json").write_text("{}")
    (webui / "dist" / "assets" / "public-x.js").write_text("1")
    (webui / "dist" / ".stamp").write_text(HOOK.input_hash(webui) + "\n")


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v18.20.4", False),
        ("v20.18.1", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.11.0", True),
        ("", False),
        ("node", False),
    ],
)
def test_which_node_will_do(version: str, enough: bool) -> None:
    assert HOOK.is_new_enough(version) is enough


def test_built_files_are_fresh_until_an_input_changes(project: Path) -> None:
    webui = project / "webui"
    assert not HOOK.is_fresh(webui)
    fake_build(webui)
    assert HOOK.is_fresh(webui)
    (webui / "templates" / "about.html").write_text("a template is not built")
    assert HOOK.is_fresh(webui)
    (webui / "src" / "new.ts").write_text("export {};")
    assert not HOOK.is_fresh(webui)


def test_a_wheel_carries_everything_in_order(project: Path) -> None:
    fake_build(project / "webui")
    hook, _ = hook_for(project)
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize("standard", data)
    carried = list(data["force_include"].values())
    assert "hedgerow_node/_webui/dist/assets.json" in carried
    assert "hedgerow_node/_webui/templates/base.html" in carried
    assert "hedgerow_node/_webui/locales/en.json" in carried
    assert not any(path.endswith(".stamp") for path in carried)
    assert carried == sorted(carried, key=lambda path: HOOK.CARRIED.index(path.split("/")[2]))


def test_an_editable_install_carries_nothing(project: Path) -> None:
    fake_build(project / "webui")
    hook, _ = hook_for(project)
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize("editable", data)
    assert data["force_include"] == {}


def test_failure_stops_a_wheel_and_only_warns_an_editable_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOOK, "node_on_path", lambda: None)
    monkeypatch.setattr(HOOK, "node_from_pypi", lambda: None)
    hook, app = hook_for(project)
    with pytest.raises(SystemExit, match=r"could not be built: there is no Node\.js"):
        hook.initialize("standard", {"force_include": {}})
    hook.initialize("editable", {"force_include": {}})
    assert "plain pages" in app.warnings[0]


def test_node_from_pypi_is_asked_for_only_when_needed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook, _ = hook_for(project)
    monkeypatch.setattr(HOOK, "node_on_path", lambda: None)
    assert hook.dependencies() == [HOOK.NODE_FROM_PYPI]
    fake_build(project / "webui")
    assert hook.dependencies() == []


def test_a_source_distribution_needs_no_node(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_build(project / "webui")
    (project / "webui" / "dist" / ".stamp").unlink()
    (project / "PKG-INFO").write_text("Metadata-Version: 2.4\n")
    monkeypatch.setattr(HOOK, "build", lambda webui: pytest.fail("nothing is to be built"))
    hook, _ = hook_for(project)
    assert hook.dependencies() == []
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize("standard", data)
    assert "hedgerow_node/_webui/dist/assets.json" in data["force_include"].values()


def test_a_change_of_a_patch_makes_the_build_stale(project: Path) -> None:
    before = HOOK.input_hash(project / "webui")
    patch = next((project / "webui" / "patches").glob("*.patch"))
    patch.write_text(patch.read_text() + "\n")
    assert HOOK.input_hash(project / "webui") != before


def test_packages_are_installed_again_only_when_others_are_wanted(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    webui, ran = project / "webui", list[str]()

    def run(_node: object, _script: Path, arguments: list[str], where: Path) -> None:
        ran.append(arguments[0] if arguments else "patch")
        if "ci" in arguments:
            shutil.rmtree(where / "node_modules", ignore_errors=True)
            (where / "node_modules").mkdir()

    monkeypatch.setattr(HOOK, "run", run)
    node = HOOK.Node(Path("node"), Path("npm"))
    HOOK.install(node, webui)
    HOOK.install(node, webui)
    assert ran == ["ci", "patch", "patch"]
    for name in ("package-lock.json", "patches/ts-mls+1.6.4.json"):
        with (webui / name).open("a") as file:
            file.write("\n")
        ran.clear()
        HOOK.install(node, webui)
        assert ran == ["ci", "patch"], name


def test_a_build_waits_for_the_one_before(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    webui, built = project / "webui", list[str]()
    first, second = threading.Event(), threading.Event()

    def build_now(where: Path) -> None:
        built.append(threading.current_thread().name)
        first.set()
        assert second.wait(30)
        fake_build(where)

    monkeypatch.setattr(HOOK, "build_now", build_now)
    threads = [threading.Thread(target=HOOK.build, args=(webui,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert first.wait(30)
    threads[1].join(0.3)  # time enough for the other to begin, too, if it does not wait
    second.set()
    for thread in threads:
        thread.join(30)
    assert len(built) == 1, "the second finds everything built"
