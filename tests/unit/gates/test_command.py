"""The command gate: never silently green (R5.4)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import GateError
from stretto.gates.command import CommandGate
from stretto.model.plan import Check, Task
from stretto.ports import GateCall, Verdict

PATH = "/usr/bin:/bin"


def judge(
    folder: Path,
    command: str,
    *,
    pipefail: bool = False,
    expected: str | None = None,
    check_timeout_s: float | None = None,
    timeout_s: float = 30.0,
    path: str = PATH,
    task: Task | None = None,
) -> Verdict:
    if not (folder / "workspace").exists():
        (folder / "workspace").mkdir()
    call = GateCall(
        run=f"run-{os.getpid()}",
        task=task,
        attempt=2,
        check=Check(command=command, pipefail=pipefail, expected=expected, timeout_s=check_timeout_s),
        workspace=folder / "workspace",
        log=folder / "log",
        env={"PATH": path},
        timeout_s=timeout_s,
        grace_s=0.5,
    )
    return asyncio.run(CommandGate().judge(call, ProcessSupervisor()))


@pytest.mark.parametrize(
    ("command", "green"),
    [
        ("true", True),
        ("exit 1", False),
        ("exit 141", False),
        ("false | true", True),
        ("no-such-command-here", False),
        ("kill -SEGV $$", False),
        ("echo 'not closed", False),
    ],
)
def test_r5_2_the_exit_status_under_sh_decides(tmp_path: Path, command: str, green: bool) -> None:
    assert (judge(tmp_path, command).color == "green") == green


@pytest.mark.parametrize(
    ("command", "green"),
    [
        ("false | true", False),
        ("true | true", True),
        ("yes | head -1", True),
        ("yes | head -1 | cat", True),
        ("cd . && yes | head -1", True),
        ("yes | cat | cat | head -1", True),
        ("yes | grep -q y", True),
        ("yes | grep -q no-such-thing <<<''", False),
        ("yes | false", False),
        # A red command is red though another one in its pipeline was cut.
        ("false | yes | head -1", False),
        # Being cut would keep the rest from running: that is no green.
        ("yes | head -1 && false", False),
        ("yes | head -1 && true", False),
        ("set -e; yes | head -1; true", False),
        ("set -eo pipefail\nyes | head -1\nfalse", False),
        # 141 without a reader that had enough.
        ("exit 141", False),
        ("(exit 141) | false", False),
        ("true | (exit 141)", False),
        ("trap 'exit 141' EXIT; yes | head -1", False),
        ("yes | head -1; false", False),
        ("yes | head -1; exit 0", True),
    ],
)
def test_r5_4_foreign_commands_run_under_pipefail_and_a_cut_producer_is_green(
    tmp_path: Path, command: str, green: bool
) -> None:
    verdict = judge(tmp_path, command, pipefail=True)
    assert (verdict.color == "green") == green, verdict.remarks


@pytest.mark.parametrize(
    ("command", "expected", "green"),
    [
        ("echo OK", "OK", True),
        ("echo start; echo '  OK  '; echo; echo", " OK", True),
        ("echo OK; echo more", "OK", False),
        ("echo NOT OK", "OK", False),
        ("echo ok", "OK", False),
        ("true", "OK", False),
        ("true", "", True),
        ("echo OK; exit 1", "OK", False),
        ("test -f absent && echo OK || echo FAIL", "OK", False),
    ],
)
def test_r5_4_an_expected_token_is_the_last_line(tmp_path: Path, command: str, expected: str, green: bool) -> None:
    verdict = judge(tmp_path, command, expected=expected)
    assert (verdict.color == "green") == green
    if not green:
        assert "expected 'OK'" in verdict.remarks[0].message or "exit status" in verdict.remarks[0].message


def test_a_long_last_line_is_not_mistaken_for_its_end(tmp_path: Path) -> None:
    assert judge(tmp_path, "printf '%05000dOK' 0", expected="OK").color == "red"


def test_too_late_is_red(tmp_path: Path) -> None:
    for verdict in (judge(tmp_path, "sleep 60", timeout_s=0.2), judge(tmp_path, "sleep 60", check_timeout_s=0.2)):
        assert verdict.color == "red"
        assert verdict.remarks[0].message == "not done after 0.2 s"


def test_the_remark_says_what_was_run_and_how_it_ended(tmp_path: Path) -> None:
    (remark,) = judge(tmp_path, "seq 1000; echo '\033[31mboom' >&2; exit 3").remarks
    assert remark.check.startswith("seq 1000")
    assert remark.message.startswith("exit status 3\n")
    assert remark.message.endswith("1000\nboom")
    assert len(remark.message) < 3100
    assert remark.log == str(tmp_path / "log")


def test_the_whole_output_is_kept_and_each_check_judged_by_its_own(tmp_path: Path) -> None:
    assert judge(tmp_path, "echo OK", expected="OK").color == "green"
    assert judge(tmp_path, "true", expected="OK").color == "red"
    assert (tmp_path / "log").read_text() == "$ echo OK\nOK\n$ true\n"


def test_a_gate_knows_whose_it_is(tmp_path: Path) -> None:
    show = "echo $STRETTO_RUN/$STRETTO_TASK/$STRETTO_ATTEMPT"
    assert judge(tmp_path, show, expected=f"run-{os.getpid()}/t/2", task=Task(id="t", phase="p")).color == "green"
    assert judge(tmp_path, show, expected=f"run-{os.getpid()}//2").color == "green"


def test_what_cannot_run_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    for command in ("", "  ", "echo \0"):
        with pytest.raises(GateError):
            judge(tmp_path, command)
    with pytest.raises(GateError, match="bash"):
        judge(tmp_path, "true", pipefail=True, path=str(tmp_path))


def test_a_workspace_that_is_gone_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "workspace").symlink_to(tmp_path / "log")
    (tmp_path / "log").touch()
    with pytest.raises(GateError, match="cannot run `true`"):
        judge(tmp_path, "true")
