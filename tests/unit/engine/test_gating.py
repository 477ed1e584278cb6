"""Checks of an attempt and of a merged tree: in which order, how often, and what is told (R5.2, R6.1a)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from stretto.engine.gating import Checks
from stretto.engine.home import RunHome
from stretto.gates.approval import ApprovalGate
from stretto.gates.artifacts import ArtifactsGate
from stretto.gates.command import CommandGate
from stretto.model.plan import Check, Phase, Plan, PlanGates, Task
from stretto.model.run import RunSettings
from stretto.ports import Gate
from stretto.testing.processes import FakeProcesses, Played
from stretto.testing.workspaces import MemoryRepository, MemoryWorkspaces, Snapshot
from unit.workspace.kit import awaited

ENV = {"PATH": "/usr/bin:/bin"}
SETTINGS = RunSettings()
GREEN, RED = Check(command="green"), Check(command="red")
GATES: Mapping[str, Gate] = {"command": CommandGate(), "artifacts": ArtifactsGate(), "approval": ApprovalGate()}


class Bench:
    """A run whose commands are played; `ran` is every command that really ran, in order."""

    def __init__(self, folder: Path) -> None:
        self.home = RunHome(path=folder / "runs" / "run-1")
        self.home.path.mkdir(parents=True)
        self.repository = MemoryRepository(folder / "workspaces", {"README": b"hi\n"})
        self.codes = {"red": 1}
        self.processes = FakeProcesses(
            lambda spec: Played(output=f"said {spec.argv[-1]}\n".encode(), code=self.codes.get(spec.argv[-1], 0))
        )

    @property
    def ran(self) -> list[str]:
        return [spec.argv[-1] for spec in self.processes.started]

    def commit(self, **files: str) -> str:
        """A commit of its own, whatever its files are."""
        content = {name: text.encode() for name, text in files.items()}
        batch = ("test", len(self.repository.commits))
        return self.repository.add(Snapshot(files=content, parents=(self.repository.base,), batch=batch))

    def checks(self, *plan: Check, env: Mapping[str, str] = ENV, settings: RunSettings = SETTINGS) -> Checks:
        """Those of a new engine: what the one before it had in memory is gone."""
        return Checks(
            run="run-1",
            plan=Plan(name="p", format="stretto", phases=(Phase(id="p"),), gates=PlanGates(verify=plan)),
            settings=settings,
            gates=GATES,
            workspaces=MemoryWorkspaces(self.repository),
            processes=self.processes,
            home=self.home,
            env=env,
        )

    def logs(self, task: str, attempt: int) -> dict[str, str]:
        return {file.name: file.read_text() for file in self.home.attempt(task, attempt).gates.iterdir()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def task(*verify: Check, id: str = "t", artifacts: tuple[str, ...] = ()) -> Task:
    return Task(id=id, phase="p", verify=verify, artifacts=artifacts)


# --- judged again, or not ------------------------------------------------------------------------------------------


@awaited
async def test_r6_1a_what_was_green_is_not_run_again_on_the_same_tree(bench: Bench) -> None:
    """An unreported landing after a crash: another engine, another merge commit, the same files."""
    one, other = bench.commit(a="x"), bench.commit(a="x")
    assert one != other
    for commit in (one, other):
        assert (await bench.checks(GREEN).of_merge([], commit, tip_moved=False)).color == "green"
    assert bench.ran == ["green"]
    first, again = (bench.logs("", 0)[f"{commit[:12]}-1.log"] for commit in (one, other))
    assert "said green" in first and "not run again" not in first
    assert again.startswith("$ green\nnot run again: green on the same files at ")
    assert str(bench.home.attempt("", 0).gates / f"{one[:12]}-1.log") in again


@awaited
async def test_r6_1a_the_landing_of_a_tree_that_the_attempt_was_judged_on(bench: Bench) -> None:
    work, merged = bench.commit(a="x"), bench.commit(a="x")
    mine = task(GREEN, artifacts=("a",))
    assert (await bench.checks().of_attempt(mine, 1, work)).color == "green"
    checks = bench.checks(Check(command="plan's own"))
    assert (await checks.of_merge([(mine, 1)], merged, tip_moved=True)).color == "green"
    assert bench.ran == ["green", "plan's own"]
    assert "not run again" in bench.logs("t", 1)["landing-1.log"]
    assert "$ artifacts\n" in bench.logs("t", 1)["landing-1.log"]


@awaited
async def test_r6_1a_red_is_judged_again(bench: Bench) -> None:
    commit = bench.commit()
    for turn in (1, 2):
        verdict = await bench.checks().of_attempt(task(RED), turn, commit)
        assert (verdict.color, verdict.remarks[0].check) == ("red", "red")
    bench.codes = {}
    assert (await bench.checks().of_attempt(task(RED), 3, commit)).color == "green"
    assert (await bench.checks().of_attempt(task(RED), 4, commit)).color == "green"
    assert bench.ran == ["red"] * 3


@awaited
async def test_r6_1a_all_checks_of_an_owner_run_or_none(bench: Bench) -> None:
    """The second may need what the first one builds."""
    commit = bench.commit()
    both = task(GREEN, RED)
    await bench.checks().of_attempt(both, 1, commit)
    bench.codes = {}
    assert (await bench.checks().of_attempt(both, 2, commit)).color == "green"
    assert bench.ran == ["green", "red", "green", "red"]


@awaited
async def test_r6_1a_one_owner_is_known_and_the_other_is_run(bench: Bench) -> None:
    commit = bench.commit()
    a, b = task(GREEN, id="a"), task(Check(command="other"), id="b")
    await bench.checks().of_merge([(a, 1)], commit, tip_moved=True)
    await bench.checks().of_merge([(a, 1), (b, 1)], commit, tip_moved=True)
    assert bench.ran == ["green", "other"]


@awaited
async def test_r6_1a_a_person_is_asked_all_the_same(bench: Bench) -> None:
    commit = bench.commit()
    asking = task(Check(kind="approval", instructions="look"), GREEN)
    for attempt in (1, 2):
        verdict = await bench.checks().of_attempt(asking, attempt, commit)
        assert (verdict.color, verdict.remarks[0].message) == ("ask", "look")
    assert bench.ran == ["green"]
    approval = task(Check(kind="approval", instructions="look"))
    assert (await bench.checks().of_attempt(approval, 3, commit)).color == "ask"


OTHERS: dict[str, Callable[[Bench], tuple[Checks, Task, str]]] = {
    "tree": lambda b: (b.checks(), task(GREEN), b.commit(a="y")),
    "task": lambda b: (b.checks(), task(GREEN, id="other"), b.commit(a="x")),
    "command": lambda b: (b.checks(), task(Check(command="green ")), b.commit(a="x")),
    "pipefail": lambda b: (b.checks(), task(Check(command="green", pipefail=True)), b.commit(a="x")),
    "expected": lambda b: (b.checks(), task(Check(command="green", expected="said green")), b.commit(a="x")),
    "timeout": lambda b: (b.checks(), task(Check(command="green", timeout_s=1.0)), b.commit(a="x")),
    "default timeout": lambda b: (
        b.checks(settings=RunSettings(gate_timeout_s=1.0)), task(GREEN), b.commit(a="x")
    ),
    "environment": lambda b: (b.checks(env={**ENV, "LANG": "C"}), task(GREEN), b.commit(a="x")),
    "more checks": lambda b: (b.checks(), task(GREEN, GREEN), b.commit(a="x")),
    "artifacts": lambda b: (b.checks(), task(GREEN, artifacts=("a",)), b.commit(a="x")),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
@awaited
async def test_r6_1a_another_question_is_asked(bench: Bench, what: str) -> None:
    await bench.checks().of_attempt(task(GREEN), 1, bench.commit(a="x"))
    checks, other, commit = OTHERS[what](bench)
    before = len(bench.ran)
    await checks.of_attempt(other, 1, commit)
    assert len(bench.ran) > before


@awaited
async def test_r6_1a_an_artifact_that_was_promised_later_is_looked_for(bench: Bench) -> None:
    commit = bench.commit(a="x")
    assert (await bench.checks().of_attempt(task(artifacts=("a",)), 1, commit)).color == "green"
    assert (await bench.checks().of_attempt(task(artifacts=("a", "b")), 2, commit)).color == "red"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def of_another_question(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"command":"green"', b'"command":"greed"'))


def not_a_file(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [cut, empty, of_another_question, not_a_file, Path.unlink])
@awaited
async def test_r6_1a_a_damaged_record_is_no_verdict(bench: Bench, damage: Callable[[Path], None]) -> None:
    commit = bench.commit()
    await bench.checks().of_attempt(task(GREEN), 1, commit)
    (record,) = bench.home.verdicts.iterdir()
    damage(record)
    assert (await bench.checks().of_attempt(task(GREEN), 2, commit)).color == "green"
    assert bench.ran == ["green", "green"]


@awaited
async def test_r6_1a_a_verdict_that_cannot_be_kept_is_a_verdict(bench: Bench) -> None:
    bench.home.verdicts.write_text("in the way")
    for attempt in (1, 2):
        assert (await bench.checks().of_attempt(task(GREEN), attempt, bench.commit())).color == "green"
    assert bench.ran == ["green", "green"]


@awaited
async def test_no_secret_is_written_down(bench: Bench) -> None:
    await bench.checks(env={**ENV, "WORD": "sesame"}).of_attempt(task(GREEN), 1, bench.commit())
    (record,) = bench.home.verdicts.iterdir()
    assert "sesame" not in record.read_text()


# --- one judgement -------------------------------------------------------------------------------------------------


@awaited
async def test_the_first_red_settles_it_and_nobody_is_asked(bench: Bench) -> None:
    asking = task(Check(kind="approval"), GREEN, RED, Check(command="never"))
    assert (await bench.checks().of_attempt(asking, 1, bench.commit())).color == "red"
    assert bench.ran == ["green", "red"]


@awaited
async def test_r5_2_members_are_judged_again_only_where_the_tip_has_moved(bench: Bench) -> None:
    mine = task(Check(command="member's"), Check(kind="approval"))
    for moved, ran in ((False, ["plan's"]), (True, ["plan's", "member's", "plan's"])):
        commit = bench.commit(moved=str(moved))
        verdict = await bench.checks(Check(command="plan's")).of_merge([(mine, 1)], commit, tip_moved=moved)
        assert (verdict.color, bench.ran) == ("green", ran)


@awaited
async def test_what_cannot_be_asked_is_an_error_and_no_verdict(bench: Bench) -> None:
    verdict = await bench.checks().of_attempt(task(GREEN), 1, "no such commit")
    assert (verdict.color, verdict.error) == ("red", True)
    assert "no such commit" in verdict.remarks[0].message
