"""A run told as a table: when this is reported, these commands follow. For tests of single rules of the core.

Commands are spelled as short texts, `start a#1 from base`, so that a rule fits on a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from stretto.analysis.estimate import NOTHING
from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.commands import Command
from stretto.core.coordinator import Coordinator
from stretto.core.events import Event
from stretto.model.plan import FailurePolicy, Phase, Plan, Task
from stretto.model.run import TARGET, Culprit, Failure, FailureKind, LandEntry, Remark, RunSettings

CALM = RunSettings(parallel=5, agent="fake")


class Told:
    """A run of `tasks`; every method reports one fact, a second later than the last, and gives what follows.

    Phases that no Phase describes are plain ones, in the order of the tasks that name them."""

    def __init__(
        self,
        *tasks: Task,
        phases: tuple[Phase, ...] = (),
        settings: RunSettings = CALM,
        done: tuple[str, ...] = (),
        hot_files: tuple[str, ...] = (),
        expected_s: Mapping[str, float] = NOTHING,
    ) -> None:
        named = {phase.id: phase for phase in phases} or {"p": Phase(id="p")}
        for task in tasks:
            named.setdefault(task.phase, Phase(id=task.phase))
        plan = Plan(name="told", format="stretto", phases=tuple(named.values()), tasks=tasks, hot_files=hot_files)
        self.coordinator = Coordinator()
        self.events: list[Event] = []
        self.at = 0.0
        self.batch = 0
        self.first = self.when(
            ev.RunStarted(
                at=0.0,
                run="run",
                plan=plan,
                settings=settings,
                base="base",
                branch="stretto/run",
                done=done,
                expected_s=expected_s,
            )
        )

    def when(self, event: Event) -> list[str]:
        """Any event; its `at` becomes the time of the run."""
        self.at = event.at
        self.events.append(event)
        commands = self.coordinator.handle(event)
        for command in commands:
            if isinstance(command, cmd.LandBatch):
                self.batch = command.batch
        return [spelled(command) for command in commands]

    def later(self) -> float:
        return self.at + 1.0

    # --- what is seen -------------------------------------------------------------------------------------------

    def state(self, task: str) -> str:
        return self.coordinator.state.by_id[task].state

    def states(self) -> dict[str, str]:
        return {record.id: record.state for record in self.coordinator.state.tasks}

    def reason(self, task: str) -> str:
        return self.coordinator.state.by_id[task].reason

    def attempt(self, task: str) -> int:
        return self.coordinator.state.by_id[task].attempt

    @property
    def asking(self) -> list[str]:
        """Tasks that have been admitted and wait for their grant."""
        return [record.id for record in self.coordinator.state.tasks if record.asking]

    # --- what is reported ---------------------------------------------------------------------------------------

    def granted(self, task: str, attempt: int = 0) -> list[str]:
        return self.when(ev.Granted(at=self.later(), task=task, attempt=attempt or self.attempt(task)))

    def denied(self, task: str, for_s: float = 10.0) -> list[str]:
        at = self.later()
        return self.when(ev.Denied(at=at, task=task, attempt=self.attempt(task), until=at + for_s, reason="busy"))

    def finished(
        self,
        task: str,
        *,
        changed: bool = True,
        paths: tuple[str, ...] = (),
        already_done: bool = False,
        proposed: tuple[Task, ...] = (),
    ) -> list[str]:
        n = self.attempt(task)
        return self.when(
            ev.AttemptFinished(
                at=self.later(),
                task=task,
                attempt=n,
                commit=f"{task}#{n}" if changed else None,
                paths=paths,
                already_done=already_done,
                proposed=proposed,
            )
        )

    def failed(self, task: str, kind: FailureKind = "failed", retry_after_s: float | None = None) -> list[str]:
        n = self.attempt(task)
        failure = Failure(kind=kind, retry_after_s=retry_after_s)
        return self.when(ev.AttemptFailed(at=self.later(), task=task, attempt=n, failure=failure, commit=f"{task}#{n}"))

    def lost(self, task: str, *, engine: bool = False) -> list[str]:
        n = self.attempt(task)
        return self.when(
            ev.AttemptLost(at=self.later(), task=task, attempt=n, engine=engine, commit=f"{task}#{n}")
        )  # fmt: skip

    def ended(self, task: str) -> list[str]:
        n = self.attempt(task)
        return self.when(ev.AttemptCancelled(at=self.later(), task=task, attempt=n, commit=f"{task}#{n}"))

    def gated(self, task: str, verdict: str, *, error: bool = False) -> list[str]:
        remarks = () if verdict == "green" else (Remark(check="test", message=verdict),)
        n = self.attempt(task)
        return self.when(
            ev.AttemptGated(at=self.later(), task=task, attempt=n, verdict=verdict, remarks=remarks, error=error)
        )

    def landed(self, task: str) -> list[str]:
        record = self.coordinator.state.by_id[task]
        entry = LandEntry(task=task, attempt=record.attempt, commit=record.commit)
        return self.when(
            ev.BatchLanded(
                at=self.later(), lane=TARGET, batch=self.batch, landed=(entry,), commit=f"L{self.batch}"
            )
        )  # fmt: skip

    def rejected(self, *culprits: Culprit, error: str = "") -> list[str]:
        return self.when(
            ev.BatchRejected(at=self.later(), lane=TARGET, batch=self.batch, culprits=culprits, error=error)
        )

    def replanned(self, *tasks: Task, phases: tuple[Phase, ...] = (), force: bool = False) -> list[str]:
        """Another plan; phases as at the start."""
        named = {phase.id: phase for phase in phases}
        for task in tasks:
            named.setdefault(task.phase, Phase(id=task.phase))
        change = ev.PlanChanged(at=self.later(), tasks=tasks, phases=tuple(named.values()), force=force)
        return self.when(ev.RequestReceived(at=change.at, request="r", wish=change))

    def through(self, task: str, *, proposed: tuple[Task, ...] = ()) -> list[str]:
        """The whole way of a task without checks, from its grant to its landing."""
        self.granted(task)
        self.finished(task, proposed=proposed)
        return self.landed(task)


def task(
    id: str,
    *depends_on: str,
    phase: str = "p",
    after: tuple[str, ...] = (),
    conflicts_with: tuple[str, ...] = (),
    writes: tuple[str, ...] | None = (),
    priority: int = 3,
    optional: bool = False,
    critical: bool = False,
    attempts: int | None = None,
    estimate_s: float | None = None,
) -> Task:
    """A task in a few words: its id, and what it depends on."""
    return Task(
        id=id, phase=phase, depends_on=depends_on, after=after, conflicts_with=conflicts_with, writes=writes,
        priority=priority, optional=optional, critical=critical, attempts=attempts, estimate_s=estimate_s,
    )  # fmt: skip


def phase(
    id: str,
    *depends_on: str,
    parallel: bool = True,
    max_parallel: int | None = None,
    on_failure: FailurePolicy | None = None,
) -> Phase:
    """A phase in a few words."""
    return Phase(
        id=id, depends_on=depends_on, parallel=parallel, max_parallel=max_parallel, on_failure=on_failure
    )  # fmt: skip


def spelled(command: Command) -> str:
    """A command in a few words."""
    match command:
        case cmd.RequestGrant(task=name, attempt=n):
            return f"ask {name}#{n}"
        case cmd.ReleaseGrant(task=name, attempt=n):
            return f"release {name}#{n}"
        case cmd.StartAttempt(task=name, attempt=n, base=base, carry=carry):
            return f"start {name}#{n} from {base}" + (f" with {carry}" if carry else "")
        case cmd.CancelAttempt(task=name, attempt=n):
            return f"cancel {name}#{n}"
        case cmd.RunGates(task=name, attempt=n, commit=commit):
            return f"judge {name}#{n} at {commit}"
        case cmd.AskApproval(task=name, attempt=n):
            return f"approve? {name}#{n}"
        case cmd.LandBatch(batch=batch, entries=entries):
            return f"land {batch}: " + " ".join(f"{entry.task}#{entry.attempt}" for entry in entries)
        case cmd.TakeTasks(tasks=tasks):
            return "take " + " ".join(task.id for task in tasks)
        case cmd.StartTimer(timer=timer, due=due):
            return f"timer {timer} at {due:g}"
        case cmd.Answer(request=request, accepted=accepted):
            return f"{request}: {'yes' if accepted else 'no'}"
        case cmd.Notify(code=code):
            return f"tell {code}"
        case cmd.EndRun(outcome=outcome):
            return f"end {outcome}"
        case _:
            assert_never(command)
