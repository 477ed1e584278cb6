"""The language of the scripted agent: what it accepts, what it refuses, what each command does."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stretto.agents import script
from stretto.agents.script import COMMANDS, Wrong, parse
from stretto.agents.scripted import ScriptedAgent
from stretto.engine import prompt as composed
from stretto.engine.supervise import ProcessSupervisor
from stretto.model.run import Usage
from stretto.ports import Report
from stretto.testing.agents import assignment, until_said


def play(folder: Path, prompt: str, *, attempt: int = 1) -> Report:
    return asyncio.run(ScriptedAgent().run(assignment(folder, prompt=prompt, attempt=attempt), ProcessSupervisor()))


def failure_of(report: Report) -> tuple[str, str]:
    assert report.failure is not None
    return report.failure.kind, report.failure.message


def tree(folder: Path) -> dict[str, str]:
    root = folder / "workspace"
    return {str(file.relative_to(root)): file.read_text() for file in sorted(root.rglob("*")) if file.is_file()}


# --- the language ---------------------------------------------------------------------------------------------------


def test_a_script_without_a_fence_is_every_line() -> None:
    assert parse("write a x y\n\n# a comment\n  say hello\n") == [
        (1, "write", ["a", "x y"]),
        (4, "say", ["hello"]),
    ]


def test_a_fenced_script_leaves_the_prose_alone() -> None:
    text = "Please do this:\n```sh\nls\n```\n```script\nsay one\n```\nand then\n```script\nsay two\n```\n"
    assert parse(text) == [(6, "say", ["one"])]


def test_a_fence_that_never_closes_goes_to_the_end() -> None:
    assert parse("do\n```script\nsay one\nsay two") == [(3, "say", ["one"]), (4, "say", ["two"])]


def test_a_text_of_many_lines_stands_as_it_is() -> None:
    text = "  write a.py <<END\n  def f():\n      # no comment\n\n      return '\\n'\n  END\n  append b <<B\nx\n  B\n"
    assert parse(text) == [
        (1, "write", ["a.py", "def f():\n    # no comment\n\n    return '\\n'\n"]),
        (7, "append", ["b", "x\n"]),
    ]
    assert parse("write a <<<<<<< ours") == [(1, "write", ["a", "<<<<<<< ours"])]


def test_nothing_behind_the_seam_is_script() -> None:
    assert parse(f"say one\n\n{script.SEAM}\n\nwhatever\n```script\nsay two\n```") == [(1, "say", ["one"])]


def test_the_seam_is_the_one_that_the_prompt_is_composed_with() -> None:
    assert script.SEAM == composed.SEAM


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("say hi\nCreate the users table", "line 2: unknown command 'Create'"),
        ("write", "line 1: write takes"),
        ("write a <<END\nsay hi", "line 1: write: no line END ends its text"),
        ("append a", "line 1: append takes"),
        ("already-done now", "line 1: already-done takes"),
        ("sleep long", "line 1: sleep:"),
        ("sleep nan", "line 1: sleep:"),
        ("confidence -1", "line 1: confidence:"),
        ("write /etc/passwd x", "line 1: write: '/etc/passwd' does not lie inside"),
        ("append a/../../b x", "line 1: append:"),
        ("delete ..", "line 1: delete:"),
        ("write .git/config x", "line 1: write:"),
        ("escape ../x y", "line 1: escape:"),
        ("die SOON", "line 1: die: 'SOON' is no signal"),
        ("hang up", "line 1: hang:"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str) -> None:
    with pytest.raises(Wrong, match=re.escape(said)):
        parse(text)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("transient", ("transient", "", None, None)),
        ("quota come back later after 90 times 2", ("quota", "come back later", 90.0, 2)),
        ("quota late times 2 after 1.5", ("quota", "late", 1.5, 2)),
        ("failed it went wrong three times over", ("failed", "it went wrong three times over", None, None)),
        ("failed times 1", ("failed", "", None, 1)),
    ],
)
def test_fail_reads_its_words_from_the_end(words: str, meant: tuple[object, ...]) -> None:
    assert parse(f"fail {words}") == [(1, "fail", [meant])]


def test_every_command_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()
    table = "".join(line for line in page.splitlines(keepends=True) if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)[ `]", table)) >= set(COMMANDS)


def test_the_player_imports_little() -> None:
    loaded = "import sys; sys.path.append(sys.argv[1]); import script; print([*sys.modules])"
    folder = str(Path(script.__file__).parent)
    output = subprocess.run([sys.executable, "-I", "-S", "-c", loaded, folder], capture_output=True, text=True)
    assert "script" in output.stdout
    assert not {"re", "enum", "typing", "pathlib", "collections"} & set(re.findall(r"'(\w+)'", output.stdout))


# --- the play -------------------------------------------------------------------------------------------------------


def test_files_are_written_appended_to_and_deleted(tmp_path: Path) -> None:
    report = play(tmp_path, "write a/b.txt one\\ntwo\nwrite empty\nwrite gone x\ndelete gone\nappend a/b.txt three ü")
    assert report == Report()
    assert tree(tmp_path) == {"a/b.txt": "one\ntwo\nthree ü\n", "empty": ""}


def test_append_and_resolve_can_be_played_again(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "routes").write_text("/\n<<<<<<< ours\n/a\n=======\n/b\n>>>>>>> theirs\n")
    for _ in range(2):
        assert play(tmp_path, "append routes /b\nresolve routes").failure is None
    assert tree(tmp_path)["routes"] == "/\n/a\n/b\n"


def test_a_report_comes_through_the_result_file(tmp_path: Path) -> None:
    text = "summary all\\nwell\nconfidence 0.8\nusage 10 20 0.5\nartifact a\nartifact b\nalready-done"
    assert play(tmp_path, text) == Report(
        summary="all\nwell",
        confidence=0.8,
        usage=Usage(input_tokens=10, output_tokens=20, cost_usd=0.5),
        artifacts=("a", "b"),
        already_done=True,
    )


def test_nothing_is_played_of_a_wrong_script(tmp_path: Path) -> None:
    kind, message = failure_of(play(tmp_path, "write a x\nBuild the login page"))
    assert kind == "permanent"
    assert "line 2: unknown command 'Build'" in message
    assert tree(tmp_path) == {}


def test_a_failure_ends_the_play_and_keeps_what_was_written(tmp_path: Path) -> None:
    report = play(tmp_path, "write a x\nusage 1 2 3\nfail overloaded try again after 7\nwrite b x")
    assert failure_of(report) == ("overloaded", "try again")
    assert report.failure is not None and report.failure.retry_after_s == 7.0
    assert report.usage.input_tokens == 1
    assert tree(tmp_path) == {"a": "x\n"}


@pytest.mark.parametrize(("attempt", "kind"), [(1, "transient"), (2, "transient"), (3, None)])
def test_times_counts_attempts(tmp_path: Path, attempt: int, kind: str | None) -> None:
    report = play(tmp_path, "fail transient times 2", attempt=attempt)
    assert (report.failure.kind if report.failure else None) == kind


def test_what_the_system_refuses_is_a_failure_with_its_line(tmp_path: Path) -> None:
    kind, message = failure_of(play(tmp_path, "say hi\ndelete nothing"))
    assert kind == "failed"
    assert message.startswith("line 2: delete:")


def test_no_link_leads_out_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "out").symlink_to(tmp_path)
    kind, message = failure_of(play(tmp_path, "write out/x y"))
    assert kind == "permanent" and "does not lie inside" in message
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("line", "kind"), [("exit 65", "permanent"), ("exit 3", "failed"), ("die TERM", "transient")])
def test_a_script_may_end_like_any_command(tmp_path: Path, line: str, kind: str) -> None:
    assert failure_of(play(tmp_path, f"summary half done\n{line}"))[0] == kind


def test_wait_goes_on_when_the_path_exists(tmp_path: Path) -> None:
    sign = tmp_path / "sign"

    async def scenario() -> Report:
        attempt = assignment(tmp_path, prompt=f"say here\nwait {sign}\nwrite seen x")
        running = asyncio.create_task(ScriptedAgent().run(attempt, ProcessSupervisor()))
        await until_said(attempt, "here")
        assert not running.done() and tree(tmp_path) == {}
        sign.touch()
        return await running

    assert asyncio.run(scenario()).failure is None
    assert tree(tmp_path) == {"seen": "x\n"}


def test_escape_finds_the_main_work_tree_without_git(tmp_path: Path) -> None:
    main, workspace = tmp_path / "main", tmp_path / "workspace"
    inner = main / ".git" / "worktrees" / "w"
    inner.mkdir(parents=True)
    workspace.mkdir()
    (workspace / ".git").write_text(f"gitdir: {inner}\n")
    (inner / "commondir").write_text("../..\n")
    assert play(tmp_path, "escape deep/x oops").failure is None
    assert (main / "deep" / "x").read_text() == "oops\n"


def test_escape_without_a_repository_is_permanent(tmp_path: Path) -> None:
    assert failure_of(play(tmp_path, "escape x oops"))[0] == "permanent"


def test_the_workspace_cannot_change_what_the_player_imports(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    for name in ("json", "os", "script"):
        (tmp_path / "workspace" / f"{name}.py").write_text("raise SystemExit(9)")
    assert play(tmp_path, "summary fine").summary == "fine"


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    kind, message = failure_of(play(tmp_path, "fail tired"))
    assert kind == "failed" and "tired" in message
    assert json.loads((tmp_path / "result.json").read_text())["failure"]["kind"] == "tired"
