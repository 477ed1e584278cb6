"""The artifacts gate: what counts as there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from stretto.engine.supervise import ProcessSupervisor
from stretto.gates.artifacts import ArtifactsGate
from stretto.model.plan import Check, Task
from stretto.ports import GateCall, Verdict


def judge(folder: Path, *artifacts: str) -> Verdict:
    call = GateCall(
        run="r", task=Task(id="t", phase="p", artifacts=artifacts), attempt=1, check=Check(), workspace=folder,
        log=folder / "log", env={}, timeout_s=1.0, grace_s=1.0,
    )  # fmt: skip
    return asyncio.run(ArtifactsGate().judge(call, ProcessSupervisor()))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "full").mkdir(parents=True)
    (root / "bare").mkdir()
    (root / "full" / "file").write_text("x")
    (root / "empty").touch()
    (tmp_path / "outside").write_text("x")
    (root / "good-link").symlink_to("full/file")
    (root / "dangling").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    (root / "leads-out").symlink_to("../outside")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize("path", ["full/file", "full", "full/", "good-link", "./full/../full/file"])
def test_what_is_there_is_green(workspace: Path, path: str) -> None:
    assert judge(workspace, path) == Verdict(color="green")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("absent", "does not exist"),
        ("full/file/below", "cannot be read"),
        ("empty", "is empty"),
        ("bare", "is an empty folder"),
        ("full/file/", "is not a folder"),
        ("dangling", "is a link to nothing"),
        ("loop", "cannot be read"),
        ("leads-out", "lies outside the workspace"),
        ("../outside", "lies outside the workspace"),
        ("/etc/hostname", "lies outside the workspace"),
        ("pipe", "is neither a file nor a folder"),
        ("nul\0", "cannot be read"),
    ],
)
def test_what_is_not_really_there_is_red(workspace: Path, path: str, why: str) -> None:
    verdict = judge(workspace, path)
    assert verdict.color == "red"
    assert verdict.remarks[0].message.startswith(f"{path}: {why}")


def test_every_missing_artifact_is_named(workspace: Path) -> None:
    assert [r.message for r in judge(workspace, "absent", "full", "empty").remarks] == [
        "absent: does not exist",
        "empty: is empty",
    ]


def test_no_promise_is_green(workspace: Path) -> None:
    assert judge(workspace).color == "green"
