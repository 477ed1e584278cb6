"""One function for each toolchain: what a folder's manifests and lock files say about set-up and tests."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from stretto.model.plan import Value


class Project(Value, frozen=True, kw_only=True):
    """One project of one toolchain in one folder."""

    toolchain: str
    evidence: str
    """The file that shows it, from the top of the repository."""
    family: str = ""
    """Toolchains that can speak for each other."""
    folder: str = ""
    """Where it is; "" is the top."""
    setup: tuple[str, ...] = ()
    """Commands for a fresh workspace, to be run in the folder."""
    test: str = ""
    """Runs its tests; "" where none were found."""
    tested_by: str = ""
    """What shows that it has tests."""
    covers: bool = True
    """It speaks for the folders below it as well."""
    notes: tuple[str, ...] = ()


class Folder:
    """The tracked files of one folder, by their names in it. `paths` are sorted, from the top of the repository."""

    def __init__(self, path: str, paths: Sequence[str], known: frozenset[str], read: Callable[[str], str]) -> None:
        self.path, self._paths, self._known, self._read = path, paths, known, read

    def at(self, name: str) -> str:
        """The name from the top of the repository."""
        return f"{self.path}/{name}" if self.path else name

    def has(self, name: str) -> bool:
        return self.at(name) in self._known

    def first(self, *names: str) -> str | None:
        return next(filter(self.has, names), None)

    def any(self, pattern: str) -> str | None:
        """A file below it that fits a pattern, in which `*` stands for slashes, too."""
        return next((path for path in self._paths if fnmatchcase(path, self.at(pattern))), None)

    def read(self, name: str) -> str:
        return self._read(self.at(name)) if self.has(name) else ""

    def json(self, name: str) -> dict[str, Any]:
        try:
            tree = json.loads(self.read(name) or "{}")
        except (ValueError, RecursionError):
            return {}
        return tree if isinstance(tree, dict) else {}

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.read(name))
        except (ValueError, RecursionError):
            return {}


# --- Node.js -----------------------------------------------------------------------------------------------------

_NODE_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_INSTALL = {
    "pnpm": "pnpm install --frozen-lockfile",
    "yarn": "yarn install --frozen-lockfile",
    "bun": "bun install --frozen-lockfile",
    "npm": "npm ci",
}
_TEST = {"pnpm": "pnpm test", "yarn": "yarn test", "bun": "bun run test", "npm": "npm test"}
_WATCHES = re.compile(r"--watch|react-scripts test|ng test")


def node(folder: Folder) -> Project | None:
    if not folder.has("package.json"):
        return None
    package, notes = folder.json("package.json"), []
    locks = [name for name in _NODE_LOCKS if folder.has(name)]
    named = str(package.get("packageManager", "")).partition("@")[0]
    managers = list(dict.fromkeys(_NODE_LOCKS[name] for name in locks))
    manager = named if named in _INSTALL else managers[0] if managers else "npm"
    if len(managers) > 1:
        why = "packageManager says so" if named in _INSTALL else "packageManager in package.json would settle it"
        notes.append(f"{folder.at('package.json')}: lock files of {', '.join(managers)}; {manager} was taken ({why})")
    lock = next((name for name in locks if _NODE_LOCKS[name] == manager), None)
    install = _INSTALL[manager] if lock else f"{manager} install"
    if manager == "yarn" and (folder.has(".yarnrc.yml") or re.match(r"yarn@[2-9]", str(package.get("packageManager")))):
        install = "yarn install --immutable"
    needs = any(package.get(key) for key in ("dependencies", "devDependencies", "workspaces"))
    script = _mapping(package.get("scripts")).get("test", "")
    test = _TEST[manager] if isinstance(script, str) and script and "no test specified" not in script else ""
    if test and _WATCHES.search(script):
        test = f"CI=true {test}"
    return Project(
        toolchain=f"Node.js with {manager}",
        family="node",
        evidence=folder.at(lock or "package.json"),
        folder=folder.path,
        setup=(install,) if lock or needs else (),
        test=test,
        tested_by=f"`scripts.test` of {folder.at('package.json')}",
        covers=bool(package.get("workspaces")) or folder.has("pnpm-workspace.yaml"),
        notes=tuple(notes),
    )


# --- Python ------------------------------------------------------------------------------------------------------

_PYTHON_LOCKS = {
    "uv.lock": ("uv", "uv sync", "uv run "),
    "poetry.lock": ("Poetry", "poetry install", "poetry run "),
    "pdm.lock": ("PDM", "pdm sync --dev", "pdm run "),
    "Pipfile.lock": ("Pipenv", "pipenv sync --dev", "pipenv run "),
}
_REQUIREMENTS = (
    "requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "requirements_dev.txt", "requirements-test.txt",
    "test-requirements.txt", "requirements/dev.txt", "requirements/test.txt",
)  # fmt: skip


def python(folder: Folder) -> Project | None:
    locks = [name for name in _PYTHON_LOCKS if folder.has(name)]
    required = [name for name in _REQUIREMENTS if folder.has(name)]
    manifest = folder.first("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", "manage.py")
    if not (locks or required or manifest):
        return None
    pyproject = folder.toml("pyproject.toml")
    installable = folder.has("setup.py") or bool({"project", "build-system"} & pyproject.keys())
    notes = []
    if len(locks) > 1:
        notes.append(f"lock files of {', '.join(_PYTHON_LOCKS[name][0] for name in locks)}; the first was taken")
    tests, by = _python_tests(folder, pyproject)
    if locks:
        with_what, install, run = _PYTHON_LOCKS[locks[0]]
        setup = [install]
    else:
        with_what, run = "pip", ".venv/bin/python -m "
        wanted = [f"-r {name}" for name in required] + (["-e ."] if installable else [])
        if tests == "pytest" and "pytest" not in "".join(folder.read(name) for name in required):
            wanted.append("pytest")
        setup = [f"python3 -m venv .venv && .venv/bin/pip install -q {' '.join(wanted)}"] if wanted else []
        run = run if setup else "python3 -m "
    if tests == "manage.py test":
        run = run.removesuffix("-m ") if run.endswith("-m ") else f"{run}python "
    elif tests == "unittest" and not run.endswith("-m "):
        run += "python -m "
    return Project(
        toolchain=f"Python with {with_what}",
        family="python",
        evidence=folder.at((locks or required or [manifest or ""])[0]),
        folder=folder.path,
        setup=tuple(setup),
        test=run + tests if tests else "",
        tested_by=folder.at(by),
        covers=bool(setup or tests),
        notes=tuple(notes),
    )


def _python_tests(folder: Folder, pyproject: dict[str, Any]) -> tuple[str, str]:
    """(what runs the tests, the file that shows it)."""
    tools = _mapping(pyproject.get("tool"))
    if "pytest" in tools or "pytest" in folder.read("pyproject.toml"):
        return "pytest", "pyproject.toml"
    for name, mark in (
        ("pytest.ini", ""),
        ("conftest.py", ""),
        ("tox.ini", "[pytest]"),
        ("setup.cfg", "[tool:pytest]"),
    ):
        if folder.has(name) and mark in folder.read(name):
            return "pytest", name
    if folder.has("manage.py"):
        return "manage.py test", "manage.py"
    found = folder.any("tests/*test_*.py") or folder.any("test_*.py") or folder.any("tests/*_test.py")
    if found is None:
        return "", ""
    requirements = "".join(folder.read(name) for name in (*_REQUIREMENTS, *_PYTHON_LOCKS))
    name = found.removeprefix(f"{folder.path}/") if folder.path else found
    if "pytest" in requirements or "import pytest" in folder.read(name) or "unittest" not in folder.read(name):
        return "pytest", name
    return "unittest", name


# --- the others --------------------------------------------------------------------------------------------------


def rust(folder: Folder) -> Project | None:
    locked = " --locked" if folder.has("Cargo.lock") else ""
    workspace = " --workspace" if re.search(r"^\[workspace\]", folder.read("Cargo.toml"), re.MULTILINE) else ""
    return _plain(folder, "Cargo", "Cargo.toml", test=f"cargo test{workspace}{locked}")


def go(folder: Folder) -> Project | None:
    tested = folder.any("*_test.go")
    return _plain(folder, "Go", "go.mod", test="go test ./..." if tested else "go vet ./...", covers=False)


def ruby(folder: Folder) -> Project | None:
    test = ""
    if folder.has(".rspec") or folder.any("spec/*_spec.rb"):
        test = "bundle exec rspec"
    elif folder.has("bin/rails"):
        test = "bin/rails test"
    elif re.search(r"TestTask|task[ (:]+test", folder.read("Rakefile")):
        test = "bundle exec rake test"
    return _plain(folder, "Ruby with Bundler", "Gemfile", "bundle install", test=test)


def php(folder: Folder) -> Project | None:
    test = ""
    if "test" in _mapping(folder.json("composer.json").get("scripts")):
        test = "composer test"
    elif folder.first("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"):
        test = "vendor/bin/phpunit"
    return _plain(folder, "PHP with Composer", "composer.json", "composer install --no-interaction", test=test)


def elixir(folder: Folder) -> Project | None:
    return _plain(folder, "Elixir with Mix", "mix.exs", "mix deps.get", test="mix test")


def gradle(folder: Folder) -> Project | None:
    build = folder.first("settings.gradle.kts", "settings.gradle", "build.gradle.kts", "build.gradle")
    run = "./gradlew" if folder.has("gradlew") else "gradle"
    return _plain(folder, "Gradle", build or "", test=f"{run} test") if build else None


def maven(folder: Folder) -> Project | None:
    run = "./mvnw" if folder.has("mvnw") else "mvn"
    return _plain(folder, "Maven", "pom.xml", test=f"{run} --batch-mode --quiet test")


def dotnet(folder: Folder) -> Project | None:
    found = None if folder.path else folder.any("*.sln") or folder.any("*.slnx")
    if found is None or "/" in found:
        return None
    return Project(toolchain=".NET", family="dotnet", evidence=found, test="dotnet test", tested_by=found)


def deno(folder: Folder) -> Project | None:
    manifest = folder.first("deno.json", "deno.jsonc")
    return _plain(folder, "Deno", manifest, test="deno test") if manifest else None


def _plain(
    folder: Folder, toolchain: str, manifest: str, *setup: str, test: str, covers: bool = True
) -> Project | None:
    """A project whose manifest says it all; None where there is no such file."""
    if not folder.has(manifest):
        return None
    return Project(
        toolchain=toolchain, family=toolchain, evidence=folder.at(manifest), folder=folder.path, setup=setup, test=test,
        tested_by=folder.at(manifest), covers=covers,
    )  # fmt: skip


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


TOOLCHAINS: tuple[Callable[[Folder], Project | None], ...] = (
    node, deno, python, rust, go, ruby, php, elixir, gradle, maven, dotnet,
)  # fmt: skip
"""In the order in which their set-up runs."""
