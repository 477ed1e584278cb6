"""Lines without an end in the files of GSD and ccpm, and in what stands before and between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.formats.load import load
from unit.formats.phases import phase, plan_file
from unit.formats.test_formats_long_lines import LENGTH, PIECES
from unit.formats.test_formats_long_lines import patience as patience

pytestmark = pytest.mark.usefixtures("patience")


def lines(words: str) -> list[str]:
    return [words + piece * (LENGTH // len(piece.encode())) + "x" for piece in PIECES]


@pytest.mark.parametrize("words", ["", "needs "])
def test_a_roadmap_and_its_plans_are_read(tmp_path: Path, words: str) -> None:
    plans = {}
    for n, line in enumerate(lines(words), 1):
        step = "".join(f"<{tag}>{line}</{tag}>\n" for tag in ("name", "files", "action", "verify", "automated"))
        body = f'<objective>\n{line}\n</objective>\n<context>\n@{line}\n</context>\n<task type="auto">\n{step}</task>\n'
        plans[f"p{n:02}"] = plan_file(f"{n:02}", body=body)
    phase(tmp_path, **plans)
    boxes = "".join(f"- [ ] **Phase 1: {line}**\n- [ ] {line}\n\n## {line}\n" for line in lines(words))
    listed = "".join(f"- [ ] 01-{n:02}: {line}\n" for n, line in enumerate(lines(words), 1))
    needs = "".join(f"### Phase {n}: {line}\n**Depends on**: {line}\n" for n, line in enumerate(lines(words), 2))
    home = tmp_path / ".planning" / "ROADMAP.md"
    home.write_text(f"# Roadmap\n\n{boxes}\n### Phase 1: A\n{listed}\n{needs}")
    plan = load(home).plan
    assert (plan.format, len(plan.tasks)) == ("gsd", len(PIECES))


def test_keys_of_plans_are_read(tmp_path: Path) -> None:
    plans = {}
    for n, line in enumerate(lines(""), 1):
        paths = f"\n    - {line}\n      {line}\n{line}\n      path: {line}"
        keys = {"files_modified": f"\n  - a {line}", "estimate": "1d" + " " * LENGTH + "x"}
        plans[f"p{n:02}"] = plan_file(f"{n:02}", must_haves=f"\n  artifacts:{paths}", **keys)
    assert len(phase(tmp_path, **plans).plan.tasks) == len(PIECES)


@pytest.mark.parametrize("words", ["", "files: ", "task"])
def test_epics_and_their_task_files_are_read(tmp_path: Path, words: str) -> None:
    boxes = "".join(f"- [ ] {line}\n" for line in lines(words))
    (tmp_path / "epic.md").write_text(f"---\nname: e\nstatus: backlog\nprogress: 0%\n---\n# E\n\n{boxes}")
    for n, line in enumerate(lines(words), 1):
        keys = f"name: a\nstatus: open\ndepends_on:\n  - {line}\nparallel: true\n"
        texts = f"- [ ] {line}\n## {line}\n{line}\n- Files affected: {line}\n- {line}\n- Hours: 1{line[len(words) :]}\n"
        (tmp_path / f"{n:03}.md").write_text(f"---\n{keys}---\n# {line}\n\n{texts}")
    plan = load(tmp_path / "epic.md").plan
    assert (plan.format, len(plan.tasks)) == ("ccpm", len(PIECES))


@pytest.mark.parametrize("gap", ["\n", "\r\n", " \n"])
def test_blank_lines_without_an_end_are_read(tmp_path: Path, gap: str) -> None:
    before = "---\nname: a\nstatus: open\ndepends_on: []\n---\n"
    (tmp_path / "001.md").write_bytes((before + gap * (LENGTH // 10) + "# Text\n").encode())
    (tmp_path / "epic.md").write_text("---\nname: e\nstatus: backlog\nprogress: 0%\n---\n# E\n")
    assert len(load(tmp_path / "001.md").plan.tasks) == 1


def test_a_number_that_stands_for_a_sign_may_be_too_long_for_one(tmp_path: Path) -> None:
    sign = f"&#{'1' * 5000};"
    body = f'<objective>\nIt\n</objective>\n<task type="auto">\n<name>A {sign}</name>\n<verify><automated>true {sign}'
    loaded = phase(tmp_path, p01=plan_file(body=f"{body}</automated></verify>\n</task>\n"))
    assert loaded.plan.tasks[0].verify[0].command == f"true {sign}"
