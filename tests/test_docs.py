"""The documents cannot rot: what they show is run, what they name exists, what is generated is fresh."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import cli_reference
import state_diagram
from stretto import errors
from stretto.cli import main
from stretto.core.retry import LIMITS, RULES

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "stretto"
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text()

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
RULE = re.compile(r"\*\*R(\d+)\.(\d+[a-z]?)\*\*|^## R(\d+) ", re.MULTILINE)
RULE_OF_TEST = re.compile(r"def test_r(\d+)(?:_(\d+[a-z]?))?_")


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def snippets(page: str, language: str) -> list[str]:
    return [body for lang, body in FENCE.findall(page) if lang == language]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- README ------------------------------------------------------------------------------------------------------


def test_the_first_plan_of_the_readme_runs_and_lands(tmp_path: Path) -> None:
    """Line by line, as a newcomer would type it."""
    first = section(README, "A first plan")
    (plan,) = snippets(first, "yaml")
    (commands,) = snippets(first, "sh")
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "plan.yaml").write_text(plan)
    here = {f"GIT_{role}_{key}": "newcomer" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    here["STRETTO_STATE_DIR"] = str(tmp_path / "state")
    here["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(line: str) -> str:
        done = subprocess.run(
            line, shell=True, cwd=repository, env=os.environ | here, text=True, capture_output=True, timeout=120
        )
        assert done.returncode == 0, f"{line}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run("git init -q -b main && git add plan.yaml && git commit -qm 'A plan'")
    said = {line.split()[1]: run(line) for line in commands.splitlines()}
    assert list(said) == ["check", "show", "run", "status", "explain", "land"]
    assert "both" in said["explain"]
    for name in ("english.txt", "french.txt", "both.txt"):
        assert (repository / name).read_text().startswith(("Hello", "Bonjour"))


def readme_commands() -> set[str]:
    """Every command line with `stretto` that the README shows, in text, tables and fences."""
    fenced = "".join(snippets(README, "sh"))
    return {*re.findall(r"`(stretto [a-z][^`\n]+)`", README), *re.findall(r"^(stretto .+)$", fenced, re.MULTILINE)}


@pytest.mark.parametrize("line", sorted(readme_commands()))
def test_commands_of_the_readme_exist(line: str) -> None:
    verb, *words = shlex.split(line)[1:]
    command = typer.main.get_command(main.app).commands[verb]  # type: ignore[attr-defined]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [page.read_text() for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci" / "run")]
    named = {name for page in pages for name in re.findall(r"(?:^|`)make (\w+)", page, re.MULTILINE)}
    assert named <= targets


def test_exit_codes_of_the_readme_are_those_of_the_errors() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", section(README, "Exit codes"), re.MULTILINE)}
    raised = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert raised <= told
    assert told == {0, 1, 2, 3, 4, 70, 130}


# --- ARCHITECTURE ------------------------------------------------------------------------------------------------


def test_files_that_the_architecture_names_exist() -> None:
    named = set(re.findall(r"`([\w/.-]+\.(?:py|sql|md|toml))`", ARCHITECTURE))
    assert len(named) > 20
    assert sorted(name for name in named if not any((root / name).exists() for root in (SRC, ROOT))) == []


def test_where_is_leads_into_every_part_that_has_code() -> None:
    where = section(ARCHITECTURE, "Where is …?")
    parts = {path.relative_to(SRC).parts[0] for path in SRC.rglob("*.py") if path.stem[0] != "_"}
    assert sorted(part for part in parts if part not in where) == []


def test_the_layer_table_names_every_part() -> None:
    rows = section(ARCHITECTURE, "Layers")
    parts = {path.relative_to(SRC).parts[0].removesuffix(".py") for path in SRC.rglob("*.py")} - {
        "__init__",
        "__main__",
    }
    assert parts <= set(re.findall(r"`(\w+)`", rows))


def test_the_state_diagram_is_fresh() -> None:
    assert state_diagram.insert(ARCHITECTURE) == ARCHITECTURE, "run `make docs`"


# --- the command line reference ----------------------------------------------------------------------------------


def test_the_command_line_reference_is_fresh() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == cli_reference.render(), "run `make docs`"


def test_every_command_and_option_says_what_it_does() -> None:
    page = cli_reference.render()
    assert re.findall(r"^## (.+)\n\n\n\n", page, re.MULTILINE) == []
    assert re.findall(r"^\| `(.+)` \|  \|$", page, re.MULTILINE) == []


# --- rules and links ---------------------------------------------------------------------------------------------


def test_rules_that_tests_name_are_on_the_page() -> None:
    rules = {(a or whole, b) for a, b, whole in RULE.findall(SEMANTICS)}
    assert len(rules) > 50
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number, sub in RULE_OF_TEST.findall(path.read_text()):
            assert (number, sub) in rules, f"{path.relative_to(ROOT)} names R{number}.{sub}, which no page has"


def test_rules_that_the_code_names_are_on_the_page() -> None:
    rules = {f"{a or whole}.{b}" for a, b, whole in RULE.findall(SEMANTICS)}
    for path in sorted(SRC.rglob("*.py")):
        for number in re.findall(r"\bR(\d+\.\d+[a-z]?)\b", path.read_text()):
            assert number in rules, f"{path.relative_to(ROOT)} names R{number}, which no page has"


def test_the_table_of_failures_is_that_of_the_core() -> None:
    rows = re.findall(
        r"^\| (`.+`) \| (\S.*?) \| .* \| .* \|$", section(SEMANTICS, "R4 Attempts and failures"), re.MULTILINE
    )
    told = {kind: charged for kinds, charged in rows for kind in re.findall(r"`(\w+)`", kinds)}
    assert told.keys() == RULES.keys()
    says = {"charged": "yes", "free": "no"}
    for kind, rule in RULES.items():
        match told[kind]:
            case "–":
                assert rule.then == "never" or kind == "cancelled"
            case word:
                limit = LIMITS.get(rule.budget)
                assert word.startswith(says[rule.budget] if limit is None else f"own limit of {limit}"), kind


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        name, _, fragment = target.partition("#")
        there = (page.parent / name) if name else page
        assert there.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert fragment in {anchor(heading) for heading in headings}, target
