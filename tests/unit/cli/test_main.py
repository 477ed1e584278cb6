"""The command line's manners: exit codes, one message and one hint, nothing heavy before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
import typer

from stretto import errors
from stretto.cli.main import _NAMES, INSIDE_AN_ATTEMPT, LATER, _without_debug, app, guarded, main

HEAVY = ("asyncio", "jinja2", "sqlite3", "msgspec", "psutil", "rich", "yaml")


def stretto(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stretto", *args], env={**os.environ, **env}, text=True, capture_output=True, timeout=60
    )


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("--debug status", "status"),
        ("status --debug r", "status r"),
        ("approve --note --debug a --debug", "approve --note --debug a"),
        ("approve -- --debug", "approve -- --debug"),
        ("--debug", ""),
        ("nothing --debug", "nothing"),
        ("run p --agent x", "run p --agent x"),
    ],
)
def test_debug_may_stand_anywhere_but_where_it_is_a_word_like_any_other(before: str, after: str) -> None:
    words = before.split()
    assert _without_debug(words, next((word for word in words if word in _NAMES), "")) == after.split()


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["frobnicate"], "No such command 'frobnicate'", "stretto --help"),
        (["serve"], "`stretto serve` is not supported yet", "--help"),
        (["runs", "--bogus"], "No such option: --bogus", "stretto runs --help"),
        (["run", "p", "--parallel", "3"], "No such option: --parallel (for this setting: -j, --jobs)", "run --help"),
        (["show", "p", "--parallel", "3"], "--parallel (for this setting: -j, --jobs)", "stretto show --help"),
        (["run", "p", "--on-failure", "halt"], "--on-failure must be", "write `continue` or `stop`, or leave it out"),
        (["scaffold", "subplans", "--leve"], "No such option: --leve", "stretto scaffold subplans --help"),
        (["scaffold", "frob"], "No such command 'frob'", "stretto scaffold --help"),
        (["scaffold", "subplans", "f", "--parallel", "3"], "(for this setting: -j, --jobs)", "subplans --help"),
        (["explain"], "Missing argument 'TASK'", "stretto explain --help"),
        (["run", "p", "--budget", "3"], "--budget is not supported yet", "leave it out"),
        (["run", "p", "--engine", "temporal"], "--engine is not supported yet", "leave it out"),
        (["run", "p", "--detach", "--land"], "--detach leaves nobody who could --land", "`stretto land` afterwards"),
        (["run", "p", "--on-failure", "rollback"], "--on-failure rollback is not supported yet", "leave it out"),
        (["run", "p", "-j", "0"], "it must be at least 1", "stretto run --help"),
        (["run", "p", "--attempts", "x"], "it must be a whole number", "stretto run --help"),
        (["run", "p", "--on-failure"], "requires an argument", "stretto run --help"),
        (["run", "p", "--on-failure", "pray"], "--on-failure must be `continue` or `stop`, not 'pray'", ""),
        (["run", "p", "-j", "3", "--no-parallel"], "contradict", "one of them"),
        (["run", "p", "--with-deps"], "--with-deps needs --only or --phase", "everything"),
        (["run", "p", "--timeout", "soon"], "--timeout must be a duration such as 90, 15m or 1h30m, not 'soon'", "15m"),
        (["show", "p", "--format", "xml"], "there is no format 'xml'", "text, json, mermaid, dot, svg and html"),
        (["check", "p", "--format", "xml"], "there is no format 'xml'", "text, json, github and sarif"),
        (["resume", "--force"], "--force is for --replan", "say both"),
        (["land", "--pr"], "--pr is not supported yet", "leave it out"),
    ],
)
def test_usage_errors_are_one_message_and_one_hint(
    argv: Sequence[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    first, second = told(capsys)
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: ")
    assert hint in second


def test_the_bare_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("Usage: stretto")
    assert err == ""


def test_help_offers_only_what_there_is() -> None:
    for verb in ("show", "check", "run"):
        said = stretto(verb, "--help").stdout
        assert "rollback" not in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.PlanError("x", hint="y"), 2),
        (errors.ConfigError("x", hint="y"), 2),
        (errors.NotSupportedYet("x", hint="y"), 2),
        (errors.RepositoryError("x", hint="y"), 2),
        (errors.RunNotFound("x", hint="y"), 3),
        (errors.RunLeased("x", holder="z", hint="y"), 3),
        (errors.Paused("x", hint="y"), 4),
    ],
)
def test_r11_every_error_has_its_code(
    error: errors.StrettoError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def call() -> None:
        raise error

    assert guarded(call) == code
    assert told(capsys) == ["error: x", "hint: y"]
    assert guarded(call, debug=True) == code
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), errors.IllegalTransition("t", "a", "b")])
def test_r11_a_bug_is_70_with_a_traceback_and_a_request(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        raise error

    assert guarded(call) == 70
    lines = told(capsys)
    assert lines[0].startswith("Traceback")
    assert lines[-2].startswith("error: this is a bug in stretto")
    assert "report" in lines[-1]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_r11_interrupted_is_130_without_a_traceback(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        raise error

    assert guarded(call) == 130
    assert "Traceback" not in "".join(told(capsys))


def test_r8_3_inside_an_attempt_only_readers_are_allowed() -> None:
    verbs = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for verb in sorted(verbs - INSIDE_AN_ATTEMPT):
        done = stretto(verb, STRETTO_TASK="me")
        assert done.returncode == 2
        assert f"`stretto {verb}` is not allowed inside an attempt" in done.stderr
    assert stretto("check", "--help", STRETTO_TASK="me").returncode == 0


def test_what_is_there_is_not_called_missing() -> None:
    assert not LATER & set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_help_and_version_need_nothing_heavy() -> None:
    said = "import sys, stretto.cli.main; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", said, *HEAVY], text=True, capture_output=True, check=True)
    assert done.stdout.split() == []
    assert stretto("--version").stdout.startswith("stretto ")


def test_a_broken_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "stretto", "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1


def test_closed_and_narrow_streams_do_no_harm() -> None:
    closed = subprocess.run(["sh", "-c", f"{sys.executable} -m stretto --version >&- 2>&-"], timeout=60)
    assert closed.returncode == 0
    assert stretto("approve", "--help", PYTHONIOENCODING="ascii").returncode == 0
