"""`stretto show --suggest`: each patch is applied by git, the plan is read again, and saves what was said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy
from stretto.analysis.lint import lint
from stretto.formats.load import load
from stretto.observe.planview import show_json

YAML = """\
# what the shop needs
name: shop
phases:
  - id: base
    tasks:
      - id: schema   # the tables
        prompt: Create the tables of the shop in migrations/001.sql
        writes:
          - migrations/001.sql
          - migrations/002.sql
        estimate: 9h
      - {id: style, prompt: "Give the shop its colours: `theme.css`", writes: [web/theme.css]}
      - id: notes
        prompt: |
          Put down in NOTES.md what was decided.
          Keep it short.
  - id: pages
    depends_on:
      - base
      # it is nice to have the rest first
      - extra
    parallel: false
    tasks:
      - {id: cart, prompt: A page with what was chosen, writes: [web/cart.html], estimate: 1h}
      - id: search
        prompt: A page that finds things
        writes: [web/search.html]
        estimate: 1h
      - id: front
        prompt: "The first page, which links to web/cart.html and uses `theme.css`"
        writes: [web/index.html]
        estimate: 1h
  - id: extra
    tasks:
      - {id: logo, prompt: Draw it, writes: [logo.svg], estimate: 4h}
"""
FLOW = """\
name: shop
phases: [{id: base, tasks: [{id: schema, prompt: The tables, writes: [one.sql, two.sql], estimate: 9h}]},
  {id: pages, depends_on: [base], parallel: false, tasks: [
    {id: cart, prompt: A page with what was chosen, writes: [cart.html], estimate: 1h},
    {id: search, prompt: A page that finds, writes: [search.html]}, {id: help, prompt: Say more in help.html}]}]
"""
TOML = """\
name = "shop"

[[phases]]
id = "base"

[[phases.tasks]]
id = "schema"  # the tables
prompt = "Create the tables of the shop"
writes = ["migrations/001.sql", "migrations/002.sql"]
estimate = "9h"

[[phases.tasks]]
id = "help"
prompt = "Say more in help.html"

[[phases]]
id = "pages"
depends_on = ["base", "extra"]
parallel = false

[[phases.tasks]]
id = "cart"
prompt = "A page with what was chosen"
writes = [
    "web/cart.html",
]
estimate = "1h"

[[phases.tasks]]
id = "search"
prompt = "A page that finds things, beside web/cart.html"
writes = ["web/search.html"]

[[phases.tasks]]
id = "about"
prompt = "Who we are"
writes = ["web/about.html"]

[[phases]]
id = "extra"
tasks = [{ id = "logo", prompt = "Draw it", writes = ["logo.svg"], estimate = "4h" }]
"""
NATIVE: dict[str, Any] = {
    "name": "shop",
    "phases": [
        {"id": "base", "tasks": [{"id": "db", "prompt": "The tables", "writes": ["1.sql", "2.sql"], "estimate": "9h"}]},
        {
            "id": "pages",
            "depends_on": "base",
            "parallel": False,
            "tasks": [
                {"id": "cart", "prompt": "What was chosen", "writes": ["cart.html", "LOG.md"], "estimate": "1h"},
                {"id": "find", "prompt": "Find things", "writes": ["find.html", "LOG.md"]},
                {"id": "help", "prompt": "Help the people in help.html"},
            ],
        },
        {
            "id": "more",
            "tasks": [{"id": f"m{i}", "prompt": "More", "writes": [f"m{i}.html", "LOG.md"]} for i in range(4)],
        },
    ],
}
AUTO_CLAUDE: dict[str, Any] = {
    "feature": "Shop",
    "phases": [
        {
            "id": "base",
            "name": "Base",
            "parallel_safe": True,
            "subtasks": [
                {
                    "id": "db",
                    "description": "The tables",
                    "files_to_modify": ["db/one.sql"],
                    "files_to_create": ["db/two.sql"],
                    "status": "pending",
                    "estimated_hours": 9,
                },
            ],
        },
        {
            "id": "pages",
            "depends_on": ["base"],
            "subtasks": [
                {"id": "cart", "description": "A page", "files_to_create": ["cart.html"], "status": "pending"},
                {"id": "find", "description": "Find things", "files_to_create": ["find.html"], "status": "pending"},
                {"id": "help", "description": "Say in help.html how", "files_to_modify": [], "status": "pending"},
                {"id": "seen", "description": "Like db/one.sql", "files_to_create": ["x.html"], "status": "pending"},
            ],
        },
    ],
}
EPIC: dict[str, Any] = {
    "epicId": "shop",
    "epicName": "Shop",
    "sprints": [
        {"sprintId": "s1", "name": "Tables", "dependencies": [], "files": ["db/one.sql"], "estimatedHours": 4},
        {"sprintId": "s2", "name": "Pages", "dependencies": ["s1"], "files": ["web/cart.html"], "estimatedHours": 4},
        {
            "sprintId": "s3",
            "name": "Colours",
            "dependencies": ["s2", "s1"],
            "files": ["web/c.css"],
            "estimatedHours": 2,
        },
    ],
}
TASK_MASTER: dict[str, Any] = {
    "master": {
        "tasks": [
            {"id": 1, "title": "Head", "details": "Edit head.html", "dependencies": [], "status": "pending"},
            {"id": 2, "title": "Foot", "details": "Edit foot.html", "dependencies": [], "status": "pending"},
        ]
    }
}
PLANS = {
    "plan.yaml": YAML,
    "flow.yaml": FLOW,
    "plan.toml": TOML,
    "crlf.yaml": YAML.replace("\n", "\r\n"),
    "crlf.toml": TOML.replace("\n", "\r\n"),
    "bare.yaml": YAML.rstrip("\n"),
    "a plan.json": json.dumps(NATIVE, indent=2),
    "line.json": json.dumps(NATIVE),
    "implementation_plan.json": json.dumps(AUTO_CLAUDE, indent=2) + "\n",
    "tabs.json": json.dumps(AUTO_CLAUDE, indent="\t"),
    "docs/epic.json": json.dumps(EPIC, indent=2),
    "tasks.json": json.dumps(TASK_MASTER, indent=2),
}
KINDS = {"docs/epic.json": ["dependency"], "tasks.json": ["claim"]}
ALL = ["claim", "dependency", "split"]


def estimated(toy: Toy, name: str) -> float:
    """What `show` says that the plan takes."""
    said = show_json(load(toy.repository / name).plan, places=4)
    return float(said["estimate"]["parallel_s"])


def applied(toy: Toy, patch: str, name: str) -> None:
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=patch.encode(), cwd=toy.repository, env=toy.env, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stderr.decode()}\n{patch}"
    loaded = load(toy.repository / name)
    assert [x for x in (*loaded.findings, *lint(loaded.plan)) if x.severity == "error"] == []


@pytest.mark.parametrize("name", PLANS)
def test_every_patch_applies_and_saves_what_it_says(tmp_path: Path, name: str) -> None:
    toy = Toy(tmp_path, {"README.md": "x\n"})
    path = toy.repository / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PLANS[name].encode())
    told = json.loads(toy.stretto("show", name, "--suggest", "--json", "-j", "4").stdout)
    assert told["now_s"] == estimated(toy, name)
    assert sorted({each["kind"] for each in told["suggestions"]}) == KINDS.get(name, ALL)
    for each in told["suggestions"]:
        assert each["patch"] is not None, each
        before = path.read_bytes()
        applied(toy, each["patch"], name)
        assert estimated(toy, name) == pytest.approx(told["now_s"] - each["saves_s"], abs=0.01), each["patch"]
        path.write_bytes(before)
    applied(toy, told["patch"], name)
    assert estimated(toy, name) == pytest.approx(told["now_s"] - told["suggestions"][-1]["together_s"], abs=0.01)
    assert path.read_bytes().count(b"\r\n") in (0, path.read_bytes().count(b"\n"))


@pytest.mark.parametrize("name", ["plan.yaml", "crlf.toml", "line.json", "tabs.json"])
def test_several_of_them_make_one_patch(tmp_path: Path, name: str) -> None:
    """Numbers in any order, with commas or one by one; two save no less than the better of them."""
    toy = Toy(tmp_path, {"README.md": "x\n"})
    path = toy.repository / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PLANS[name].encode())
    told = json.loads(toy.stretto("show", name, "--suggest", "--json", "-j", "4").stdout)
    saved = [each["saves_s"] for each in told["suggestions"]]
    for first, second in {(1, len(saved)), (1, 2), (len(saved) - 1, len(saved))}:
        patch, said = _patch(toy, name, f"{second}, {first}")
        assert f"{first}. {told['suggestions'][first - 1]['kind']}: " in said
        applied(toy, patch, name)
        assert estimated(toy, name) <= told["now_s"] - max(saved[first - 1], saved[second - 1]) + 0.01, patch
        path.write_bytes(PLANS[name].encode())
    every, _ = _patch(toy, name, *(str(n + 1) for n in range(len(saved))))
    assert every.replace("\r\n", "\n") == told["patch"].replace("\r\n", "\n")


def _patch(toy: Toy, name: str, *which: str) -> tuple[str, str]:
    """What is printed, byte for byte, and what is said beside it."""
    options = [x for each in which for x in ("--patch", each)]
    done = subprocess.run(
        [sys.executable, "-m", "stretto", "show", name, "-j", "4", *options],
        cwd=toy.repository, env=toy.env, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode(), done.stderr.decode()


def test_two_that_touch_the_same_place_are_named(tmp_path: Path) -> None:
    plan = (
        "name: n\ntasks:\n"
        "  - {id: auth, prompt: Write the login, writes: [api/auth.proto, src/auth.py], estimate: 9h}\n"
        "  - id: client\n    prompt: Call what api/auth.proto says\n"
        "    depends_on: [auth]\n    writes: [src/client.py]\n"
        "  - {id: notes, prompt: Write NOTES.md}\n"
    )
    toy = Toy(tmp_path, {"plan.yaml": plan})
    told = json.loads(toy.stretto("show", "plan.yaml", "--suggest", "--json").stdout)
    assert [each["kind"] for each in (*told["suggestions"], *told["later"])] == ["split", "claim", "contract"]
    done = toy.stretto("show", "plan.yaml", "--patch", "1,2,3", code=2)
    assert "suggestions 1 and 3 touch the same place" in done.stderr
    assert "hint: make one of them" in done.stderr
    assert done.stdout == ""
    both = toy.stretto("show", "plan.yaml", "--patch", "2,3").stdout
    assert "provides: [" in both and "writes: [NOTES.md]" in both


def test_nothing_but_what_is_meant_is_touched(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"plan.yaml": YAML})
    told = json.loads(toy.stretto("show", "plan.yaml", "--suggest", "--json", "-j", "4").stdout)["suggestions"]
    saved = [each["saves_s"] for each in told]
    assert saved == sorted(saved, reverse=True) and told[0]["kind"] == "split"
    number = [each["kind"] for each in told].index("dependency") + 1
    patch = toy.stretto("show", "plan.yaml", "--patch", f"{number}", "-j", "4").stdout
    assert patch == told[number - 1]["patch"]
    changed = [line for line in patch.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == ["-      - base", "+        depends_on: [style]"]
    assert "# it is nice to have the rest first" in patch


def test_the_command_that_it_shows_makes_the_change(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"docs/plan.yaml": YAML})
    said = toy.stretto("show", "docs/plan.yaml", "--suggest").stdout
    assert "about half are real" in said
    assert "the numbers are those of the file as it is now" in said
    command = next(line for line in said.splitlines() if "--patch 1" in line).partition("them: ")[2]
    alike = toy.stretto("show", "docs/plan.yaml", "--suggest", "-j", "2").stdout  # numbers depend on it
    assert "stretto show docs/plan.yaml -j 2 --patch 1 |" in alike
    before = _shown(toy)
    env = {**toy.env, "PATH": f"{Path(shutil.which('python3') or '').parent}:{toy.env['PATH']}"}
    for folder, line in ((toy.repository, command), (toy.root, f"cd repo/docs && {_from(toy, 'docs')}")):
        done = subprocess.run(["sh", "-c", _runnable(line)], cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert _shown(toy) < before
        toy.git("checkout", "-q", "docs/plan.yaml")


def _shown(toy: Toy) -> float:
    return float(json.loads(toy.stretto("show", "docs/plan.yaml", "--json").stdout)["estimate"]["parallel_s"])


def _from(toy: Toy, folder: str) -> str:
    """The command as somebody in a folder below is told it."""
    done = subprocess.run(
        [sys.executable, "-m", "stretto", "show", "plan.yaml", "--suggest"],
        cwd=toy.repository / folder, env=toy.env, capture_output=True, text=True,
    )  # fmt: skip
    return next(line for line in done.stdout.splitlines() if "--patch 1" in line).partition("them: ")[2]


def _runnable(line: str) -> str:
    return line.replace("stretto show", f"{sys.executable} -m stretto show")


def test_what_the_format_has_no_words_for_is_told_with_its_place(tmp_path: Path) -> None:
    lines = ["# Tasks", "", "## Phase 1: Base", "", "- [ ] T001 Create src/one/menu.py", "", "## Phase 2: Rest", ""]
    toy = Toy(tmp_path, {"specs/shop/tasks.md": "\n".join([*lines, "- [ ] T002 Create src/two/prices.py", ""])})
    told = json.loads(toy.stretto("show", "specs/shop/tasks.md", "--suggest", "--json").stdout)
    (only,) = told["suggestions"]
    assert (only["patch"], only["saves_s"]) == (None, 720.0)
    assert only["edits"] == ["specs/shop/tasks.md:7:1: let `2` not wait for `1`"]
    said = toy.stretto("show", "specs/shop/tasks.md", "--suggest").stdout
    assert "by hand: specs/shop/tasks.md:7:1" in said
    assert "no words" in toy.stretto("show", "specs/shop/tasks.md", "--patch", "1", code=2).stderr


def test_words_of_a_prompt_file_are_heeded(tmp_path: Path) -> None:
    plan = (
        "name: n\nphases:\n  - {id: p, tasks: [{id: head, prompt: Draw it well, writes: [head.svg]}]}\n"
        "  - {id: q, depends_on: p, tasks: [{id: page, prompt_file: page.md, writes: [page.html]}]}\n"
    )
    toy = Toy(tmp_path, {"docs/plan.yaml": plan, "docs/page.md": "Put the parts together.\n"})
    assert "saves 12 min" in toy.stretto("show", "docs/plan.yaml", "--suggest").stdout
    toy.write({"docs/page.md": "Put head.svg on top.\n"})
    assert "nothing to suggest" in toy.stretto("show", "docs/plan.yaml", "--suggest").stdout


def test_what_contradicts_it_is_said(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"plan.yaml": YAML})
    assert "contradict" in toy.stretto("show", "plan.yaml", "--suggest", "--format", "svg", code=2).stderr
    assert "contradict" in toy.stretto("show", "plan.yaml", "--suggest", "--prompt", "cart", code=2).stderr
    assert "contradict" in toy.stretto("show", "plan.yaml", "--patch", "1", "--json", code=2).stderr
    for wrong in ("99", "1,99", "0", "1,", "", "one"):
        assert "there are 1 to " in toy.stretto("show", "plan.yaml", "--patch", wrong, code=2).stderr
    assert "contradict" in toy.stretto("show", "plan.yaml", "--patch", "1", "--patch", "all", code=2).stderr
    toy.write({"one.yaml": "name: n\ntasks: [{id: a, prompt: Write the whole of it here, writes: [a]}]\n"})
    assert "nothing to suggest" in toy.stretto("show", "one.yaml", "--suggest").stdout


def test_r8_7_a_plan_with_contracts_is_shown_and_not_run(tmp_path: Path) -> None:
    """A contract that is suggested is made by its patch; then `show` knows it, and `run` says what is not built."""
    plan = (
        "name: n\ntasks:\n  - {id: auth, prompt: Write the login, writes: [api/auth.proto, src/auth.py]}\n"
        "  - id: client\n    prompt: Call what api/auth.proto says\n"
        "    depends_on: [auth]\n    writes: [src/client.py]\n"
    )
    toy = Toy(tmp_path, {"plan.yaml": plan})
    told = json.loads(toy.stretto("show", "plan.yaml", "--suggest", "--json").stdout)
    (only,) = told["later"]
    assert (only["kind"], only["saves_s"], told["patch"]) == ("contract", 720.0, None)
    applied_as_it_is = toy.stretto("show", "plan.yaml", "--patch", "1").stdout
    (toy.root / "p.patch").write_text(applied_as_it_is)
    toy.git("apply", str(toy.root / "p.patch"))
    assert estimated(toy, "plan.yaml") == told["now_s"] - 720.0
    done = toy.stretto("run", "plan.yaml", "--agent", "scripted", "--yes", code=2)
    assert "contracts are not supported yet" in done.stderr
