"""The promises of a run in their plainest words, checked on events and commands alone.

The watcher says what must happen next. This says what must never happen, and shares no reasoning with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.analysis.globs import overlap
from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.commands import Command
from stretto.core.events import Event
from stretto.model.plan import Task
from stretto.model.run import TaskState


class Broken(AssertionError):
    """A promise was broken."""


class Promises:
    """Dumb lists of what is active and what has landed."""

    def __init__(self, started: ev.RunStarted) -> None:
        self._tasks = {task.id: task for task in started.plan.tasks}
        self._members = {
            phase.id: [task for task in started.plan.tasks if task.phase == phase.id] for phase in started.plan.phases
        }
        self._phases = {phase.id: phase for phase in started.plan.phases}
        self._exclusive = started.settings.conflicts != "allow"
        self._hot = started.plan.hot_files
        self._parallel = started.settings.parallel
        self._attempts: dict[str, int] = {}
        self._active: dict[str, Task] = {}
        """At work, at its gates, or on its way to land; and the task as it was then, whatever became of the plan."""
        self._allowed: dict[str, int] = {}
        """Asked for a start: task to the most places there have been since."""
        self._places: set[str] = set()
        self._landed: dict[str, str] = dict.fromkeys(started.done, started.base)
        self._head = started.base
        self._landing = 0
        self._gone: set[str] = set()
        self._ended = False
        self._requests: dict[str, int] = {}

    def saw(self, event: Event, commands: Sequence[Command], states: Mapping[str, TaskState]) -> None:
        """One step of the core; `states` are those after it."""
        match event:
            case ev.RunResumed():
                self._ended = False
                self._places_are(event.parallel or self._parallel)
            case ev.SettingsChanged():
                self._places_are(event.parallel)
            case ev.RequestReceived():
                self._requests.setdefault(event.request, 0)
                if isinstance(event.wish, ev.SettingsChanged):
                    self._places_are(event.wish.parallel)
            case ev.BatchLanded() if event.lane == "target" and event.batch == self._landing:
                self._landing, self._head = 0, event.commit
                for entry in event.landed:
                    self._must(self._attempts[entry.task] == entry.attempt, f"{entry.task} lands an old attempt")
                    self._landed[entry.task] = event.commit
            case ev.BatchRejected() if event.lane == "target" and event.batch == self._landing:
                self._landing = 0
            case _:
                pass
        change = _change(event)
        if change is not None and any(isinstance(c, cmd.Notify) and c.code == "replanned" for c in commands):
            self._group(change)
        for command in commands:
            match command:
                case cmd.Answer():
                    self._must(self._requests.get(command.request) == 0, f"{command.request} is answered once")
                    self._requests[command.request] = 1
                case cmd.TakeTasks():
                    for taken in command.tasks:
                        self._must(change is not None or taken.id not in self._tasks, f"{taken.id} is added once")
                        self._must(taken.id not in self._landed, f"{taken.id} had landed and stays as it is")
                        self._tasks[taken.id] = taken
                    self._group(change)
                case cmd.RequestGrant():
                    self._must(not self._ended, f"{command.task} is to start after the end")
                    self._allowed[command.task] = self._parallel
                case cmd.StartAttempt():
                    self._start(command)
                case cmd.LandBatch():
                    self._must(not self._landing, "one landing at a time")
                    self._landing = command.batch
                case cmd.EndRun():
                    self._must(command.outcome != "stuck", command.reason)
                    self._ended = True
                case _:
                    pass
        self._must(all(self._requests.values()), "every request is answered")
        for task, state in states.items():
            if state not in ("running", "gating"):
                self._places.discard(task)
                if state != "landing":
                    self._active.pop(task, None)
        for task in (task for task, state in states.items() if state == "landing" and task not in self._active):
            self._activate(task)  # approved: its claims are its own again

    def _group(self, change: ev.PlanChanged | None) -> None:
        """Who stands in which phase: whom a new plan does not have any more, nobody waits for."""
        if change is not None:
            wanted = {task.id for task in change.tasks}
            stay = {id for id, task in self._tasks.items() if id in self._landed or task.added_by}
            self._gone = (self._gone | self._tasks.keys()) - wanted - (stay - self._gone)
        for phase in self._members:
            self._members[phase] = [t for t in self._tasks.values() if t.phase == phase and t.id not in self._gone]

    def _places_are(self, parallel: int) -> None:
        if parallel < 1:
            return  # refused
        self._parallel = parallel
        self._allowed = {task: max(allowed, parallel) for task, allowed in self._allowed.items()}

    def _start(self, start: cmd.StartAttempt) -> None:
        task = self._tasks[start.task]
        self._must(not self._ended, f"{start.task} starts after the end")
        self._must(start.attempt > self._attempts.get(start.task, 0), f"{start.task}#{start.attempt} is no new attempt")
        self._must(start.task not in self._landed, f"{start.task} had landed")
        self._must(start.base == self._head, f"{start.task} starts from {start.base}, not from {self._head}")
        for name in task.depends_on:
            self._landed_first(start.task, name)
        self._phase_first(start.task, task.phase)
        self._must(len(self._places) < self._allowed.pop(start.task), f"{start.task} starts in no place")
        self._attempts[start.task] = start.attempt
        self._places.add(start.task)
        self._activate(start.task)

    def _activate(self, task: str) -> None:
        for name, other in self._active.items():
            self._must(not self._clash(self._tasks[task], other), f"{task} meets {name}")
        self._active[task] = self._tasks[task]

    def _landed_first(self, who: str, name: str) -> None:
        if name in self._tasks:
            self._must(name in self._landed, f"{who} starts before {name} has landed")
        else:
            for member in self._members[name]:
                self._must(member.optional or member.id in self._landed, f"{who} starts before {name} is done")
            self._phase_first(who, name)

    def _phase_first(self, who: str, phase: str) -> None:
        for needed in self._phases[phase].depends_on:
            self._landed_first(who, needed)

    def _clash(self, one: Task, other: Task) -> bool:
        for a, b in ((one, other), (other, one)):
            if any(name == (b.id if name in self._tasks else b.phase) for name in a.conflicts_with):
                return True
        if not self._exclusive or one.writes is None or other.writes is None:
            return False
        hot = self._hot
        return any(overlap(a, b) for a in one.writes for b in other.writes if a not in hot and b not in hot)

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            raise Broken(what)


def _change(event: Event) -> ev.PlanChanged | None:
    wish = event.wish if isinstance(event, ev.RequestReceived) else event
    return wish if isinstance(wish, ev.PlanChanged) else None
