"""What every gate keeps (the port Gate), and the gates that ask nothing of a process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.engine.supervise import ProcessSupervisor
from stretto.gates.approval import ApprovalGate
from stretto.gates.artifacts import ArtifactsGate
from stretto.gates.command import CommandGate
from stretto.model.plan import Check, Task, Value
from stretto.ports import Gate, GateCall, Verdict


class Kind(Value, frozen=True, kw_only=True):
    """One implementation and a question it answers with each color that it knows; `made` is a file with content."""

    name: str
    gate: Callable[[], Gate]
    colors: dict[str, tuple[Check, tuple[str, ...]]]


KINDS = (
    Kind(
        name="command",
        gate=CommandGate,
        colors={"green": (Check(command="cat made"), ()), "red": (Check(command="cat absent"), ())},
    ),
    Kind(
        name="artifacts",
        gate=ArtifactsGate,
        colors={"green": (Check(), ("made",)), "red": (Check(), ("made", "absent"))},
    ),
    Kind(
        name="approval",
        gate=ApprovalGate,
        colors={"ask": (Check(kind="approval", instructions="look at absent things"), ())},
    ),
)
CASES = [pytest.param(kind, color, id=f"{kind.name}-{color}") for kind in KINDS for color in kind.colors]


def judge(folder: Path, kind: Kind, color: str, *, with_task: bool = True) -> Verdict:
    check, artifacts = kind.colors[color]
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    (workspace / "made").write_text("x")
    call = GateCall(
        run=f"run-{os.getpid()}", task=Task(id="t", phase="p", artifacts=artifacts) if with_task else None,
        attempt=1, check=check,
        workspace=workspace, log=folder / "log", env={"PATH": "/usr/bin:/bin"}, timeout_s=30.0, grace_s=0.5,
    )  # fmt: skip
    return asyncio.run(kind.gate().judge(call, ProcessSupervisor()))


@pytest.mark.parametrize(("kind", "color"), CASES)
def test_r5_a_gate_answers_with_its_color_and_says_why(tmp_path: Path, kind: Kind, color: str) -> None:
    verdict = judge(tmp_path, kind, color)
    assert verdict.color == color
    if color == "green":
        assert verdict.remarks == ()
    else:
        assert all(remark.check and "absent" in remark.message for remark in verdict.remarks)
        assert verdict.remarks


@pytest.mark.parametrize(("kind", "color"), CASES)
def test_a_gate_judges_the_same_work_the_same_way_again(tmp_path: Path, kind: Kind, color: str) -> None:
    assert judge(tmp_path, kind, color) == judge(tmp_path, kind, color)


@pytest.mark.parametrize(("kind", "color"), [case for case in CASES if case.id != "artifacts-red"])
def test_r5_2_a_landing_gate_belongs_to_no_task(tmp_path: Path, kind: Kind, color: str) -> None:
    assert judge(tmp_path, kind, color, with_task=False).color == color


@pytest.mark.parametrize(("kind", "color"), CASES)
def test_a_gate_leaves_the_workspace_as_it_was(tmp_path: Path, kind: Kind, color: str) -> None:
    judge(tmp_path, kind, color)
    assert [file.name for file in (tmp_path / "workspace").iterdir()] == ["made"]
