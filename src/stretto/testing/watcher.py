"""Sees every event go in and every command come out, and says at once when something is not as it must be.

From the core it takes the commands and the states of the tasks, to be judged, and nothing else: what they must be is
its own account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.commands import Command
from stretto.core.events import Event
from stretto.core.state import LEGAL
from stretto.model.run import TaskState
from stretto.testing.account import Account
from stretto.testing.ledger import Expected


class Violation(AssertionError):
    """The core did what it must not do, or did not do what it must."""


class Watcher:
    """One a run. `saw` is to be called after every event."""

    def __init__(self, started: ev.RunStarted) -> None:
        self.account = Account(started)
        self._states: dict[str, TaskState] = dict.fromkeys(self.account.notes, "pending")
        self._states |= dict.fromkeys(started.done, "succeeded")

    def saw(
        self, event: Event, commands: Sequence[Command], states: Mapping[str, TaskState], reasons: Mapping[str, str]
    ) -> None:
        """Judge one step of the core: `states` and `reasons` are those after it."""
        account = self.account
        account.follow(event)
        mine = {note.id: note.state for note in account.notes.values()}
        if mine != states:
            wrong = {task: f"{states[task]}, not {mine[task]}" for task in mine if mine[task] != states[task]}
            raise Violation(f"states: {wrong}")
        asked = [(c.task, c.attempt) for c in commands if isinstance(c, cmd.RequestGrant)]
        if asked != account.admitted:
            raise Violation(f"starts: {asked}, not {account.admitted}")
        done = [shape for command in commands if (shape := _shape(command)) is not None]
        if sorted(done, key=repr) != sorted(account.expected, key=repr):
            raise Violation(f"commands: {done}, not {account.expected}")
        self._timers([command for command in commands if isinstance(command, cmd.StartTimer)])
        self._steps(states, reasons)

    def _timers(self, timers: list[cmd.StartTimer]) -> None:
        due = self.account.due
        if len(timers) != len(due):
            raise Violation(f"timers: {timers}, not {due}")
        for timer, (purpose, task, least, most) in zip(timers, due, strict=True):
            if not least <= timer.due <= most:
                raise Violation(f"timer {timer.timer} is due at {timer.due}, not in {least}..{most}")
            self.account.timers[timer.timer] = (purpose, task, timer.due)

    def _steps(self, states: Mapping[str, TaskState], reasons: Mapping[str, str]) -> None:
        """Nobody leaves `succeeded`; whoever is skipped is told for whose sake."""
        for task, state in states.items():
            before = self._states.get(task, "pending")
            if state == before:
                continue
            if not _reachable(before, state):
                raise Violation(f"{task} went from {before} to {state}")
            if state == "skipped":
                causes = self.account.causes(task)
                if not any(repr(cause) in reasons[task] for cause in causes):
                    raise Violation(f"{task} is skipped: {reasons[task]!r} names none of {causes}")
            self._states[task] = state

    # --- after a restart ----------------------------------------------------------------------------------------

    def must_be_lost(self, attempts: set[tuple[str, int]]) -> None:
        """Exactly what was running when the engine died."""
        mine = {(note.id, note.attempt) for note in self.account.notes.values() if note.state == "running"}
        if attempts != mine:
            raise Violation(f"lost: {attempts}, not {mine}")

    def must_be_owed(self, owed: Sequence[Command]) -> None:
        """Every command whose answer has not come, once."""
        mine: list[Expected] = []
        for note in self.account.notes.values():
            if note.asking or note.in_use:
                mine.append(("RequestGrant", note.id, note.attempt))
            if note.state == "gating":
                mine.append(("RunGates", note.id, note.attempt, note.commit or note.base))
            if note.person:
                mine.append(("AskApproval", note.id, note.attempt))
        if self.account.batch is not None:
            number, task = self.account.batch
            mine.append(("LandBatch", number, (self.account.entry(task),)))
        mine.extend(("StartTimer", name, due) for name, (_, _, due) in self.account.timers.items())
        shapes = [_shape(command) or _question(command) for command in owed]
        if sorted(shapes, key=repr) != sorted(mine, key=repr):
            raise Violation(f"owed: {shapes}, not {mine}")


def _reachable(before: TaskState, after: TaskState) -> bool:
    """Whether legal steps lead there; one event may take several."""
    seen = {before}
    work = [before]
    for state in work:  # grows while it is walked
        for other in LEGAL[state]:
            if other not in seen:
                seen.add(other)
                work.append(other)
    return after in seen


def _question(command: Command) -> Expected:
    match command:
        case cmd.RequestGrant():
            return ("RequestGrant", command.task, command.attempt)
        case cmd.StartTimer():
            return ("StartTimer", command.timer, command.due)
        case _:
            return (command,)


def _shape(command: Command) -> Expected | None:
    """A command as the watcher spells what it expects; None for what is judged elsewhere, or by nobody."""
    match command:
        case cmd.StartAttempt():
            told = len(command.past)
            handed = tuple(
                (one.task, one.state, (one.summary, one.decisions, one.paths), one.commit) for one in command.handoffs
            )
            return (
                "StartAttempt", command.task, command.attempt, command.base, command.carry, command.conflict,
                command.resumes, told, command.agents, handed,
            )  # fmt: skip
        case cmd.RunGates():
            return ("RunGates", command.task, command.attempt, command.commit)
        case cmd.ReleaseGrant() | cmd.CancelAttempt() | cmd.AskApproval():
            return (type(command).__name__, command.task, command.attempt)
        case cmd.LandBatch():
            return ("LandBatch", command.batch, command.entries)
        case cmd.TakeTasks():
            return ("TakeTasks", command.tasks)
        case cmd.Answer():
            return ("Answer", command.request, command.accepted)
        case cmd.EndRun():
            return ("EndRun", command.outcome, command.until, sorted(command.statuses))
        case cmd.RequestGrant() | cmd.StartTimer() | cmd.Notify():
            return None
        case _:
            assert_never(command)
