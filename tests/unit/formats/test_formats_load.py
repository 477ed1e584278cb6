"""The door: what a file is, and what is said of a file that is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.load import FORMATS, load, plan_in
from stretto.formats.syntax.parse import parse
from stretto.formats.syntax.source import MAX_BYTES
from unit.formats.corpus import sample


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("name: n\ntasks: []", "stretto"),
        ("phases: [{id: a, tasks: []}]", "stretto"),
        ('{"tasks": [{"id": 1, "prompt": "x"}]}', "stretto"),
        ("name = 'n'", "stretto"),
        ('{"feature": "x", "phases": []}', "auto-claude"),
        ('{"name": "x", "phases": [{"subtasks": []}]}', "auto-claude"),
        ('{"phases": [{"chunks": []}]}', "auto-claude"),
        ('{"tasks": [{"id": 1, "title": "x", "testStrategy": "y"}]}', "task-master"),
        ('{"master": {"tasks": []}}', "task-master"),
        ('{"x": {"tasks": [{"id": 1, "title": "x", "dependencies": []}]}, "y": 1}', "task-master"),
        ("- [ ] T001 do it", "spec-kit"),
        ("words\n\n---\n\n1. [x] **T001** do it", "spec-kit"),
        ('{"feature": "x", "workflow_type": "simple"}', "auto-claude"),
        ('{"epic_name": "x", "phases": [{"phase_id": "1", "sprints": []}]}', "cfn-epic"),
        ('{"epicId": "x", "name": "y", "phases": [{"id": "1", "sprints": []}]}', "cfn-epic"),
    ],
)
def test_content_decides_the_format(text: str, format: str) -> None:
    source = parse("anything.txt", text.encode())
    assert next(one.name for one in FORMATS if one.recognises(source)) == format


@pytest.mark.parametrize(
    "text",
    [
        *("```\n- [ ] do it\n```\n", "# Plan\n\nSome: words: here\n", "- a\n- b", "just words", "42", "[]", "{}"),
        '{"a": 1}',
        '{"plan_name": "x", "achievements": []}',
        '{"name": "some-package", "version": "1.0.0"}',
    ],
)
def test_other_files_are_refused_with_what_is_read(text: str) -> None:
    with pytest.raises(PlanError, match="not a plan") as caught:
        load("other", text.encode())
    assert caught.value.exit_code == 2
    assert "Auto-Claude" in caught.value.hint
    assert "stretto" in caught.value.hint


def test_loaded_data_is_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(b"name: n\ntasks: [{id: a}]\n")
    loaded = load(path)
    assert loaded.data == path.read_bytes()
    assert loaded.places["task:a"].file == str(path)
    assert load(str(path)).plan == loaded.plan


def refusal(path: Path | str) -> tuple[str, str]:
    with pytest.raises(PlanError) as caught:
        load(path)
    assert [x.code for x in caught.value.findings] in (["unreadable"], ["too-large"])
    return str(caught.value), caught.value.hint


def test_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("x")
    message, hint = refusal(tmp_path / "plan.yml")
    assert "no such file" in message
    assert hint == f"did you mean {tmp_path / 'plan.yaml'}?"
    assert "is not there either" in refusal(tmp_path / "gone" / "plan.yaml")[1]
    assert "cannot read" in refusal("a\0b")[0]
    assert "cannot read" in refusal(tmp_path / "plan.yaml" / "x")[0]
    assert "cannot read" in refusal("x" * 5000)[0]


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    for name, text in (
        ("plan.toml", "name = 'n'"),
        ("a.json", "{}"),
        ("specs/tasks.md", "- [ ] T001 x"),
        ("b.md", "b"),
    ):
        (tmp_path / name).write_text(text)
    message, hint = refusal(tmp_path)
    assert "folder" in message
    assert hint == "name a file in it: plan.toml, specs/tasks.md"


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("gsd/.planning", "ROADMAP.md"),
        ("gsd/.planning/phases/02-hire", "02-01-PLAN.md"),
        ("gsd/.planning/phases", None),
        ("ccpm/gift-cards", "epic.md"),
        ("ccpm", None),
        ("task-master", None),
        ("none", None),
    ],
)
def test_which_file_stands_for_a_folder(folder: str, file: str | None) -> None:
    assert plan_in(sample(folder)) == (sample(folder) / file if file else None)


def test_no_file_stands_for_a_folder_in_which_another_plan_lies(tmp_path: Path) -> None:
    folder = tmp_path / "epic"
    shutil.copytree(sample("ccpm/gift-cards"), folder)
    (folder / "TODO.md").write_text("- [ ] Buy milk\n")
    assert plan_in(folder) == folder / "epic.md", "lists are everywhere"
    assert refusal(folder)[1] == f"the whole folder is the plan of its epic.md: name {folder}/epic.md"
    (folder / "epic.md").unlink()
    assert plan_in(folder) == folder / "001.md"
    (folder / "plan.toml").write_text("name = 'n'")
    assert plan_in(folder) is None
    assert "001.md" in refusal(folder)[1]
    (folder / "plan.toml").rename(folder / "plan.txt")
    shutil.copy(sample("gsd/.planning/ROADMAP.md"), folder)
    assert plan_in(folder) is None, "two of these"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_text("x")
    path.chmod(0)
    assert "no permission" in refusal(path)[0]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert "100 MB" in refusal(path)[0]


def test_an_endless_device_is_refused() -> None:
    assert f"a plan may have {MAX_BYTES // 2**20} MB" in refusal("/dev/zero")[0]


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"name: n\ntasks: []\n")
    os.close(writer)
    assert load(f"/dev/fd/{reader}").plan.name == "n"
    os.close(reader)


def test_syntax_errors_come_as_one_error() -> None:
    with pytest.raises(PlanError, match=r"^p\.json:1:13: a comma with nothing after it \(and 1 more\)$") as caught:
        load("p.json", b'{"a": [1, 2 ,], }')
    assert len(caught.value.findings) == 2


def test_samples_are_read_whatever_their_name() -> None:
    assert load("x.yaml", sample("auto-claude/stub.json").read_bytes()).plan.format == "auto-claude"
