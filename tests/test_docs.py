"""The documents cannot rot: what they show is run, what they name exists, what is generated is fresh."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import pytest
import typer

import cli_reference
import live_screens
import module_map
import settings_table
import state_diagram
from e2e.toy import Toy, until
from stretto import errors
from stretto.cli import main
from stretto.config import environment
from stretto.config.agents import specs
from stretto.config.files import parse
from stretto.config.layers import Rank, Settings
from stretto.core.retry import LIMITS, RULES

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "stretto"
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PLANS = (ROOT / "docs" / "plan.md").read_text()
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


def typed(toy: Toy, lines: str, *, code: int = 0) -> dict[str, str]:
    """Type these command lines into a shell, one after the other: verb to what it said. Each has to end with `code`."""
    here = {**toy.env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = {}
    for line in lines.splitlines():
        done = subprocess.run(
            line, shell=True, cwd=toy.repository, env=here, stdin=subprocess.DEVNULL, text=True, capture_output=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == code, f"{line}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        said[line.split()[1]] = done.stdout + done.stderr
    return said


def test_the_first_plan_of_the_readme_runs_and_lands(tmp_path: Path) -> None:
    """Line by line, as a newcomer would type it; then the agent of the next section does the same plan."""
    first = section(README, "A first plan")
    (plan,), (commands,) = snippets(first, "yaml"), snippets(first, "sh")
    toy = Toy(tmp_path, {"plan.yaml": plan})
    said = typed(toy, commands)
    assert list(said) == ["check", "show", "run", "status", "explain", "land"]
    assert "both" in said["explain"]
    for name in ("english.txt", "french.txt", "both.txt"):
        assert (toy.repository / name).read_text().startswith(("Hello", "Bonjour"))
    assert "nothing is left to do" in typed(toy, "stretto run plan.yaml --agent scripted")["run"]
    typed(toy, "".join(snippets(section(README, "Agents"), "sh")))
    assert "write english.txt Hello" in toy.git("show", f"{toy.branch()}:english.txt")


def _killed(toy: Toy) -> str:
    go = toy.root / "go"
    toy.write({"p.yaml": f'name: p\ntasks: [{{id: a, prompt: "wait {go}\\nwrite a.txt hi", writes: [a.txt]}}]'})
    front = toy.front("run", "p.yaml", "--agent", "scripted")
    os.kill(until(lambda: (toy.status().get("engine") or {}).get("pid"), "the engine runs"), signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    go.touch()
    toy.stretto("resume")
    return toy.said()


def _red(toy: Toy) -> str:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt], verify: grep bye a.txt}]"})
    said = toy.stretto("run", "p.yaml", "--agent", "scripted", code=1).stdout
    assert said.count("attempt 3 started") == 1
    assert "grep bye a.txt" in toy.stretto("explain", "a").stdout
    toy.stretto("retry")
    toy.stretto("resume", code=1)
    toy.write({"p.yaml": (toy.repository / "p.yaml").read_text().replace("bye", "hi")})
    toy.stretto("run", "p.yaml", "--agent", "scripted")
    return said


def _approval(toy: Toy) -> str:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt], verify: {approval: ok?}}]"})
    said = toy.stretto("run", "p.yaml", "--agent", "scripted", code=4).stdout
    toy.stretto("approve", "a", "--reject", "--note", "why")
    toy.stretto("resume", code=4)
    toy.stretto("approve", "a")
    toy.stretto("resume")
    return said


def _edits(toy: Toy) -> str:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt]}]"})
    toy.stretto("run", "p.yaml", "--agent", "scripted")
    toy.write({"a.txt": "mine\n"})
    said = toy.stretto("land", code=4).stderr
    toy.git("stash", "push", "-qu", "--", "a.txt")
    toy.stretto("land")
    return said


def _unfinished(toy: Toy) -> str:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt], verify: {approval: ok?}}]"})
    toy.stretto("run", "p.yaml", "--agent", "scripted", code=4)
    said = toy.stretto("run", "p.yaml", "--agent", "scripted", code=3).stderr
    toy.stretto("run", "p.yaml", "--agent", "scripted", "--new", code=4)
    return said


def _no_agent(toy: Toy) -> str:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: x, agent: nobody}]"})
    return toy.stretto("run", "p.yaml", code=2).stderr


TROUBLES: Mapping[str, Callable[[Toy], str]] = {
    "the engine was killed": _killed,
    "checks red": _red,
    "waits for approval": _approval,
    "uncommitted edits in": _edits,
    "an earlier run of this plan is not finished": _unfinished,
    "there is no agent": _no_agent,
}
"""What the README says that stretto says, to what brings it about and takes the way out that the README shows."""


def test_every_trouble_of_the_readme_is_brought_about() -> None:
    told = re.findall(r"^\| `([^`]+)` \|", section(README, "When something goes wrong"), re.MULTILINE)
    assert told == list(TROUBLES)


@pytest.mark.parametrize("message", TROUBLES)
def test_a_trouble_of_the_readme_is_told_in_those_words_and_overcome(message: str, tmp_path: Path) -> None:
    assert message in TROUBLES[message](Toy(tmp_path, {"README": "hi\n"}))


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


# --- settings and plans ------------------------------------------------------------------------------------------


def test_the_settings_page_names_every_variable() -> None:
    variables = set(re.findall(r"`(STRETTO_[A-Z_]+[A-Z])`", section(SETTINGS, "Environment variables")))
    assert variables == {environment.PROFILE, *environment.RESERVED}


def test_the_settings_page_shows_every_key_and_its_plan_runs_without_a_flag(tmp_path: Path) -> None:
    (settings, refined, profiles), (plan,), (commands,) = (snippets(SETTINGS, kind) for kind in ("toml", "yaml", "sh"))
    assert specs(Settings(parse(refined).layer))["careful"].kind == "claude"
    assert parse(profiles).profiles["night"]
    chosen = {".".join(key): said.value for key, said in parse(settings).layer.items()}
    assert (chosen["parallel"], chosen["agent"], chosen["attempts"], chosen["timeout"]) == (3, "upper", 2, 1200.0)
    assert chosen["env.pass"]
    toy = Toy(tmp_path, {"stretto.toml": settings, "voices.yaml": plan})
    typed(toy, commands)
    assert [toy.git("show", f"{toy.branch()}:{name}.txt") for name in ("shout", "whisper")] == ["HELLO", "hello"]
    refused = toy.stretto("run", "voices.yaml", code=2, STRETTO_PARALEL="2").stderr
    assert "did you mean STRETTO_PARALLEL?" in refused


def test_the_ladder_of_the_settings_page_is_the_one_that_counts() -> None:
    rows = re.findall(r"^\| (\d) \| .* \| `(\w+)` \|$", section(SETTINGS, "Which one counts"), re.MULTILINE)
    assert [(int(number), layer) for number, layer in rows] == list(enumerate(get_args(Rank), 1))


def test_the_table_of_settings_is_fresh() -> None:
    assert settings_table.insert(SETTINGS) == SETTINGS, "run `make docs`"


def test_the_first_plan_of_the_plan_page_runs_and_the_others_pass(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    first, *others = [(kind, text) for kind, text in FENCE.findall(PLANS) if kind in ("yaml", "toml")]
    toy.commit("a plan", {"shop.yaml": first[1]})
    (commands,) = snippets(PLANS, "sh")
    said = typed(toy, commands)
    assert "nothing to complain about" in said["check"]
    assert set(toy.states().values()) == {"succeeded"}
    assert len(others) == 2
    for kind, text in others:
        toy.write({f"other.{kind}": text})
        said = json.loads(toy.stretto("check", f"other.{kind}", "--agent", "scripted", "--json").stdout)
        assert {found["code"] for found in said["findings"]} <= {"asks-person"}


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


def test_the_map_of_modules_is_fresh() -> None:
    """Every module is on it, so every module says what it is."""
    assert module_map.PAGE.read_text() == module_map.render(), "run `make docs`"


# --- the command line reference ----------------------------------------------------------------------------------


def test_the_command_line_reference_is_fresh() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == cli_reference.render(), "run `make docs`"


def test_every_command_and_option_says_what_it_does() -> None:
    page = cli_reference.render()
    assert re.findall(r"^## (.+)\n\n\n\n", page, re.MULTILINE) == []
    assert re.findall(r"^\| `(.+)` \|  \|$", page, re.MULTILINE) == []


@pytest.mark.parametrize("page", live_screens.PAGES, ids=lambda path: path.name)
def test_the_screens_of_the_live_view_are_fresh(page: Path) -> None:
    text = page.read_text()
    assert live_screens.BLOCK.search(text)
    assert live_screens.insert(text) == text, "run `make docs`"


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


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            targets = [target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target]
            found = {(page.parent / target).resolve() for target in targets if target}
            ahead += [path for path in found if path.suffix == ".md"]
            ahead += [inner for path in found if path.is_dir() for inner in path.glob("*.md")]
    assert sorted(str(page.relative_to(ROOT)) for page in set(PAGES) - reached) == []


def test_decisions_are_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs" / "decisions").iterdir())
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. "), page.name
        assert "\nStatus: " in page.read_text(), page.name
