"""Writes the tables of docs/ that are made from code; a test fails when they are stale.

Run ``python docs/make_tables.py`` after changing limits, error codes or settings.
"""

import ast
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = ROOT / "protocol" / "hedgerow_protocol" / "limits.py"
ERRORS = ROOT / "protocol" / "hedgerow_protocol" / "errors.py"

LIMITS_HEAD = """# Limits and refusals

Made from the constants of `protocol/hedgerow_protocol/` by `python docs/make_tables.py`; do not edit by hand.

Every byte from a stranger meets one of these before it meets any logic: size before parsing, parsing before checking
signatures, checking before storing. Changing one changes which records a node accepts, so two nodes with different
limits may hold different sets: a change is a new version of the protocol.

## Limits of records and messages

From `limits.py`.

| name | value | why |
|---|---|---|
"""

NETWORK_HEAD = """
## Limits of the network

These belong to one room of the protocol each and stand at the top of its module. Another implementation may choose
other values for those that only bound its own work; where both sides must agree, the page of that room says so.

| module | name | value | why |
|---|---|---|---|
"""

CODES_HEAD = """
## Why a record is refused

A refusal has a stable code and a sentence. The severity says how much less the peer that sent it is trusted (it should
have looked before passing it on).

| code | severity |
|---|---|
"""


def documented_constants(source: str) -> list[tuple[str, str, str]]:
    """(name, value as written and as computed, reason) of each constant that a docstring follows."""
    tree = ast.parse(source)
    rows = []
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
            continue
        if not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
            raise SystemExit(f"{statement.target.id} in limits.py has no sentence that says why.")
        value = eval(compile(ast.Expression(statement.value), "limits", "eval"), {"__builtins__": {}})  # noqa: S307
        rows.append((statement.target.id, f"{value:,}", " ".join(str(following.value.value).split())))
    return rows


def network_constants() -> list[tuple[str, str, str, str]]:
    """(module, name, value, reason) of each number at the top of a module that a docstring follows."""
    import importlib

    rows = []
    for path in sorted(LIMITS.parent.rglob("*.py")):
        if path == LIMITS:
            continue
        module = ".".join(path.relative_to(LIMITS.parent.parent).with_suffix("").parts).removesuffix(".__init__")
        body = ast.parse(path.read_text()).body
        for statement, following in pairwise(body):
            names = _constant_names(statement)
            documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not names or not documented:
                continue
            values = [getattr(importlib.import_module(module), name) for name in names]
            if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
                why = " ".join(str(following.value.value).split())
                said = ", ".join(f"{value:,}" for value in values)
                short = module.removeprefix("hedgerow_protocol.")
                rows.append((short, "`, `".join(names), said, why))
    return rows


def _constant_names(statement: ast.stmt) -> list[str]:
    """The public names in capitals that a statement at the top of a module gives a value."""
    target = statement.target if isinstance(statement, ast.AnnAssign) else None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return [name for name in names if name.isupper() and not name.startswith("_")]


def limits_page() -> str:
    """The text of docs/protocol/limits.md."""
    sys.path.insert(0, str(ROOT / "protocol"))
    from hedgerow_protocol.errors import Code, RemoteError

    rows = [f"| `{name}` | {value} | {why} |" for name, value, why in documented_constants(LIMITS.read_text())]
    codes = [f"| `{code}` | {RemoteError(code, '').severity.name.lower()} |" for code in Code]
    network = [f"| {module} | `{name}` | {value} | {why} |" for module, name, value, why in network_constants()]
    tables = (LIMITS_HEAD, rows, NETWORK_HEAD, network, CODES_HEAD, codes)
    return "".join(part if isinstance(part, str) else "\n".join(part) + "\n" for part in tables)


SETTINGS_HEAD = """# Settings

Made from `node/hedgerow_node/config/__init__.py` by `python docs/make_tables.py`; do not edit by hand.

A flag goes before an environment variable, that before `hedgerow.toml` in the data folder, that before the default.
`hedgerow doctor --print-config` shows what is in force and where it comes from. An unknown or bad setting stops the
start with a sentence.

| setting | flag | environment | default | what it is |
|---|---|---|---|---|
"""


def settings_page() -> str:
    """The text of docs/settings.md."""
    sys.path[:0] = [str(ROOT / "protocol"), str(ROOT / "node")]
    from hedgerow_node.config import settings_table

    rows = [
        f"| `{name}` | `{flag}` | `{variable}` | {default} | {meaning} |"
        for name, flag, variable, default, meaning in settings_table()
    ]
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


PAGES = {"docs/protocol/limits.md": limits_page, "docs/settings.md": settings_page}

if __name__ == "__main__":
    for path, page in PAGES.items():
        (ROOT / path).write_text(page())
        sys.stdout.write(f"wrote {path}\n")
