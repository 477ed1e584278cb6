"""The folder layout is the architecture; this test keeps it true (see ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "stretto"

DATA = {"errors", "model"}
PURE = {"model", "analysis", "core"}
"""Parts that answer questions and decide; they know nothing of the world."""
WORLD = {
    *("asyncio", "concurrent", "datetime", "io", "logging", "multiprocessing", "os", "pathlib", "psutil", "random"),
    *("shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid"),
}
ADAPTERS = {"formats", "recipes", "agents", "workspace", "gates", "limits", "observe"}
"""One layer of siblings: none of them knows another."""
BELOW_ADAPTERS = DATA | {"analysis", "core", "ports"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "analysis": DATA,
    "core": DATA | {"analysis"},
    "ports": DATA | {"analysis", "core"},
    **dict.fromkeys(ADAPTERS, BELOW_ADAPTERS),
    "engine": BELOW_ADAPTERS,
    "config": BELOW_ADAPTERS | {"formats"},
    "wiring": BELOW_ADAPTERS | ADAPTERS | {"engine", "config"},
    "cli": BELOW_ADAPTERS | {"formats", "recipes", "workspace", "observe", "engine", "config", "wiring"},
    "testing": BELOW_ADAPTERS | ADAPTERS | {"engine", "config", "wiring"},
}
FOR_TYPES_ONLY = {("errors", "model")}
"""A PlanError carries findings; the import is seen by the type checker alone."""
TOO_VAGUE = {"utils", "util", "helpers", "helper", "base", "manager", "common", "misc"}
MAX_LINES = 500

MODULES = sorted(SRC.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(SRC))


def part_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> set[str]:
    """Dotted names that a module imports, wherever in it; `from stretto import x` counts as `stretto.x`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            module = node.module or ""
            names |= {f"stretto.{alias.name}" for alias in node.names} if module == "stretto" else {module}
    return names


def stretto_parts(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("stretto.") and not name.startswith("stretto._")}


def type_checking_imports(tree: ast.AST) -> set[str]:
    blocks = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    return {name for block in blocks for statement in block.body for name in imports_of(statement)}


def test_the_table_has_no_cycle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent != SRC or path.stem[0] != "_"], ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    assert part in MAY_IMPORT, f"{name_of(path)}: a new part needs its row in the table"
    tree = ast.parse(path.read_text())
    imports = imports_of(tree)
    for_types = {x for x in stretto_parts(type_checking_imports(tree)) if (part, x) in FOR_TYPES_ONLY}
    assert stretto_parts(imports) - for_types <= MAY_IMPORT[part] | {part}
    if part in PURE:
        assert not {name.split(".")[0] for name in imports} & WORLD, "a pure part asks nothing of the world"


def test_files_are_small_and_those_of_tests_and_tools_too() -> None:
    files = [path for part in ("src", "tests", "tools", "bench") for path in (ROOT / part).rglob("*.py")]
    assert len(files) > len(MODULES)
    large = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in large.items() if lines > MAX_LINES} == {}


def test_module_names_say_something() -> None:
    vague = [name_of(path) for path in MODULES if set(path.stem.strip("_").split("_")) & TOO_VAGUE]
    assert vague == []


def test_pure_parts_read_no_clock_and_no_chance() -> None:
    """An import is not the only door: `__import__`, `open`, `input` and `print` are the others."""
    doors = {"__import__", "open", "input", "print", "exec", "eval", "hash", "id"}
    found = [
        f"{name_of(path)}:{node.lineno} {node.func.id}()"
        for path in MODULES
        if part_of(path) in PURE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in doors
    ]
    assert found == []


MAY_CATCH_EVERYTHING = {
    "engine/performer.py": "whatever an adapter raises becomes an event",
    "engine/embedded.py": "an observer that raises is dropped",
    "cli/main.py": "whatever reaches a person is one message, or a bug",
    "cli/engine.py": "whatever ends the engine's process is a bug, and goes to its log",
    "agents/text_call.py": "a process of its own, whose tracebacks might repeat a secret: it says where it broke",
}


def test_nobody_else_catches_everything() -> None:
    """Elsewhere a bug would pass for failed work; a handler that ends in `raise` hides nothing."""
    everything = {"Exception", "BaseException"}
    found = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in everything))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    }
    assert found <= MAY_CATCH_EVERYTHING.keys()


def test_the_package_says_what_is_public() -> None:
    import stretto

    public = {name for name in vars(stretto) if not name.startswith("_")} - set(MAY_IMPORT)
    assert public == set(), "a public name is a promise: add it here, and to README.md"
    assert stretto.__version__
