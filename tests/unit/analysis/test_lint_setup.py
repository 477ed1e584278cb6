"""Lint of paths that a plan names: for set-up, to keep, to read (R7.1)."""

from __future__ import annotations

from typing import Any

import pytest

from stretto.analysis.lint import lint, ok
from stretto.formats.load import load
from stretto.model.plan import Plan, Setup
from unit.analysis.findings import at, codes, only
from unit.analysis.plans import P, plan, task

BAD_PATHS = ["/etc/passwd", "../secret.txt", "a/../../x", ".git/config", "sub/.GIT/x", "~/x", "a\nb", "", " "]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("field", ["setup:copy", "setup:link", "keep", "hot_files"])
def test_r7_1_paths_outside_the_repository(field: str, path: str) -> None:
    its = ("fine/x", path)
    match field.split(":"):
        case ["setup", word]:
            wrong = plan(task("a"), setup=Setup(**{word: its}))
        case _:
            named: dict[str, Any] = {field: its}
            wrong = plan(task("a"), **named)
    found = only(wrong, "path-outside", places={f"plan:{field}:1": at(3), f"plan:{field}:0": at(2)})
    assert found.location == at(3)
    assert f"in `{field.replace(':', '.')}`" in found.message
    assert not ok([found])


def test_r7_1_what_set_up_may_and_may_not_name() -> None:
    assert (
        codes(plan(task("a"), setup=Setup(copy=(".env", "./a/b/", "[id]/x"), link=("..x",)), keep=("logs/**",))) == []
    )
    assert codes(plan(task("a"), setup=Setup(copy=(".",), link=("./",)))) == ["path-outside"] * 2
    assert codes(plan(task("a"), keep=(":(top)x",))) == ["path-outside"]
    assert codes(plan(task("a"), keep=("**",), hot_files=("**/*.md", "!x"))) == []


def test_r7_1_set_up_brings_what_is_there_and_not_tracked() -> None:
    asked: list[str] = []

    def present(path: str) -> bool:
        asked.append(path)
        return path != "gone"

    wrong = plan(
        task("a"), setup=Setup(copy=("x", "gone", "src/a.py"), link=("src",)), keep=("gone",), hot_files=("src",)
    )
    places = {f"plan:setup:{x}": at(n) for n, x in enumerate(("copy:0", "copy:1", "copy:2", "link:0"), 1)}
    found = lint(wrong, places, present=present, tracked=lambda path: path.startswith("src"))
    assert [(x.code, x.location) for x in found] == [
        ("setup-missing", at(2)), ("setup-tracked", at(3)), ("setup-tracked", at(4)),
    ]  # fmt: skip
    assert asked == ["x", "gone"]


@pytest.mark.parametrize("syntax", ["yaml", "toml", "json"])
def test_r7_1_a_file_tells_where_its_paths_are_wrong(syntax: str) -> None:
    text = {
        "yaml": "name: n\nkeep:\n- ok\n- ../x\nsetup:\n  copy: /etc\ntasks: [{id: a, prompt: x}]\n",
        "toml": 'name = "n"\n\nkeep = ["ok",\n "../x"]\n[setup]\ncopy = "/etc"\n[[tasks]]\nid = "a"\nprompt = "x"\n',
        "json": '{"name": "n", "tasks": [{"id": "a"}],\n"keep": [\n"ok",\n"../x"],\n"setup": {\n"copy": "/etc"}}',
    }[syntax]
    loaded = load("plan", text.encode())
    found = [x for x in lint(loaded.plan, loaded.places) if x.code == "path-outside"]
    assert [x.location and x.location.line for x in found] == [4, 6]


def test_r8_7_files_are_asked_for_once_and_named_once() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return path == "there.md"

    files = plan(
        task("a", prompt_file="there.md", context=("gone.md",), writes=()), task("b", context=("gone.md",), writes=())
    )
    (found,) = lint(files, exists=exists)
    assert sorted(asked) == ["gone.md", "there.md"]
    assert (found.code, found.tasks) == ("missing-file", ("a", "b"))


def test_r8_7_the_template_of_prompts_has_to_be_there() -> None:
    (found,) = lint(
        Plan(name="n", format="stretto", phases=(P,), tasks=(task("a", writes=()),), prompt_template="house.md"),
        {"plan": at(1), "plan:prompt_template": at(2, 18)},
        exists=lambda path: False,
    )
    assert (found.code, found.location) == ("missing-file", at(2, 18))
    assert "`house.md`" in found.message
