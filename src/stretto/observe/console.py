"""What happens in a run, as it happens: one line for every event that means something to a person.

It replays the events into a coordinator of its own, as every reader does, so it can say what follows from each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from shlex import quote
from typing import assert_never

from stretto.core import events as ev
from stretto.core.commands import Answer, Command
from stretto.core.coordinator import Coordinator
from stretto.core.explain import explain
from stretto.core.state import State, TaskRecord
from stretto.model.run import Culprit, Remark
from stretto.observe.paint import Colour, Paint, clock, count, cut, fit, line
from stretto.observe.snapshot import counted, ended_because, next_steps, spent, total
from stretto.ports import Recorded

ID_WIDTH = 24
MANY = 5
"""Tasks that fall for one reason are named up to this number."""


class Console:
    """The observer behind `run` and `resume`; `write` takes lines without their end."""

    def __init__(
        self, write: Callable[[str], None], *, paint: Paint, width: int | None = None, quiet_until: int = 0
    ) -> None:
        self.coordinator = Coordinator()
        """The run, as far as it has been read."""
        self._write, self._paint, self._width = write, paint, width
        self._quiet_until = quiet_until
        self._began: float | None = None
        self._ids = 0
        self._told: set[tuple[str, int]] = set()
        self._skipped = 0

    @property
    def state(self) -> State:
        return self.coordinator.state

    def notify(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            commands = self.coordinator.handle(recorded.event)
            if isinstance(recorded.event, ev.RunStarted):
                self._ids = min(ID_WIDTH, max((len(task.id) for task in recorded.event.plan.tasks), default=0))
            if recorded.seq <= self._quiet_until:
                self._skipped = self.state.counts.get("skipped", 0)
                continue
            if self._began is None:
                self._began = recorded.event.at
            for who, what, colour in self._lines(recorded.event, commands):
                self._say(who, what, colour)

    def summary(self) -> Iterator[str]:
        """How the run ended, and what to do now; for a run whose engine has gone."""
        state, paint = self.state, self._paint
        name = "was killed" if state.ended is None else state.run_state
        took = clock(state.at - (state.started_at if self._began is None else self._began))
        reason = f" ({why})" if (why := ended_because(state)) else ""
        yield ""
        yield f"{paint(state.run, 'bold')} {paint.state(name)}{reason} after {took}: {counted(state.counts)}"
        cost = spent(total(usage for record in state.tasks for usage in record.usage))
        yield f"  branch {state.branch}" + (f"; spent {cost}" if cost else "")
        fallen = [record for record in state.tasks if record.state == "failed"]
        for record in fallen[:10]:
            yield f"  {paint(record.id, 'red')}: {line(record.reason)}"
        if len(fallen) > 10:
            yield f"  … and {len(fallen) - 10} more: stretto status {state.run}"
        yield from (f"  {step}" for step in next_steps(state, None) if step)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _say(self, who: str, what: str, colour: Colour | None) -> None:
        start = f"{clock(self.state.at - (self._began or 0.0))}  {fit(line(who), self._ids)}  "
        room = None if self._width is None else max(20, self._width - len(start))
        self._write(start + self._paint(what if room is None else cut(what, room), colour))

    def _lines(self, event: ev.Event, commands: Sequence[Command]) -> Iterator[tuple[str, str, Colour | None]]:
        refused = [command.why for command in commands if isinstance(command, Answer) and not command.accepted]
        if refused:
            yield "", f"a wish was refused: {line(refused[0])}", "yellow"
        else:
            yield from self._of(event)
        yield from self._skips()
        yield from self._held_up()

    def _of(self, event: ev.Event) -> Iterator[tuple[str, str, Colour | None]]:
        match event:
            case ev.RunStarted():
                settings = event.settings
                what = f"{count(len(event.plan.tasks) - len(event.done), 'task')} to do, {settings.parallel} at once"
                yield "", f"run {event.run}: {what}, on branch {event.branch}", "bold"
            case ev.RunResumed():
                if self.state.resumes > 1:
                    yield "", f"resumed: {counted(self.state.counts)}", "bold"
            case ev.StopRequested():
                yield "", self._stopping(event), "yellow"
            case ev.RequestReceived():
                yield from self._wish(event.wish)
            case ev.TasksCancelled() | ev.TasksRetried() | ev.SettingsChanged() | ev.TaskApproved() | ev.TaskRejected():
                yield from self._wish(event)
            case ev.Denied():
                yield event.task, f"waits: {line(event.reason)}", "yellow"
            case ev.AttemptStarted():
                yield event.task, f"attempt {event.attempt} started", None
            case ev.AttemptFinished():
                yield from self._finished(event)
            case ev.AttemptFailed():
                message = line(event.failure.message)
                said = f"attempt {event.attempt} failed: {event.failure.kind}" + (f": {message}" if message else "")
                yield event.task, said + self._then(event.task), "red"
            case ev.AttemptLost():
                why = "with its engine" if event.engine else "nobody knows how it ended"
                yield event.task, f"attempt {event.attempt} lost: {why}{self._then(event.task)}", "yellow"
            case ev.AttemptCancelled():
                yield event.task, f"attempt {event.attempt} ended by request", "yellow"
            case ev.AttemptGated():
                yield from self._gated(event)
            case ev.BatchLanded():
                for entry in event.landed:
                    yield entry.task, f"landed as {event.commit[:10]}", "green"
                yield from self._culprits(event.culprits)
            case ev.BatchRejected():
                yield from self._culprits(event.culprits)
                if event.error:
                    yield "", f"landing could not be done: {line(event.error)}", "red"
            case ev.Noticed():
                yield (event.tasks or ("",))[0], f"{event.code}: {line(event.message)}", "yellow"
            case ev.Granted() | ev.AttemptAnswered() | ev.ScopeObserved() | ev.TimerFired():
                pass
            case _:
                assert_never(event)

    def _stopping(self, event: ev.StopRequested) -> str:
        busy = count(self.state.active, "attempt")
        if event.now:
            return f"cancelling: {busy} will be ended, their work saved"
        return f"draining: nothing more starts; {busy} may finish"

    def _wish(self, wish: ev.Wish) -> Iterator[tuple[str, str, Colour | None]]:
        match wish:
            case ev.StopRequested():
                yield "", self._stopping(wish), "yellow"
            case ev.TasksCancelled():
                for task in wish.tasks:
                    yield task, "given up by a person", "yellow"
            case ev.TasksRetried():
                yield "", f"to be tried again: {_some(wish.tasks) if wish.tasks else 'everything that failed'}", None
            case ev.SettingsChanged():
                yield "", f"{wish.parallel} at once from now on", None
            case ev.TaskApproved():
                yield wish.task, f"approved by {wish.by or 'a person'}", "green"
            case ev.TaskRejected():
                yield wish.task, f"rejected by {wish.by or 'a person'}: {line(wish.note)}", "red"
            case _:
                assert_never(wish)

    def _finished(self, event: ev.AttemptFinished) -> Iterator[tuple[str, str, Colour | None]]:
        record = self.state.by_id.get(event.task)
        changed = f"{count(len(event.paths), 'file')} changed" if event.paths else "nothing changed"
        said = f"attempt {event.attempt} done, {changed}" + (f": {line(event.summary)}" if event.summary else "")
        if record is not None and record.past and record.past[-1].attempt == event.attempt:
            yield event.task, f"{said}, which is not enough{self._then(event.task)}", "red"
        else:
            checks = "; its checks run" if record is not None and record.state == "gating" else ""
            yield event.task, said + checks, None
        if event.dropped:
            yield event.task, f"edits not taken along: {_some(event.dropped)}", "yellow"

    def _gated(self, event: ev.AttemptGated) -> Iterator[tuple[str, str, Colour | None]]:
        if event.error:
            yield event.task, f"a check could not run: {_remarks(event.remarks)}{self._then(event.task)}", "yellow"
        elif event.verdict == "green":
            yield event.task, "checks green", None
        elif event.verdict == "ask":
            command = f"stretto approve {quote(event.task)} --run {self.state.run}"
            yield event.task, f"waits for a person: {command}", "yellow"
        else:
            yield event.task, f"checks red: {_remarks(event.remarks)}{self._then(event.task)}", "red"

    def _culprits(self, culprits: Sequence[Culprit]) -> Iterator[tuple[str, str, Colour | None]]:
        for culprit in culprits:
            if culprit.kind == "conflict":
                what = f"conflicts with what has landed, in {_some(culprit.paths)}"
            else:
                what = f"red on the combined tree: {_remarks(culprit.remarks)}"
            yield culprit.task, what + self._then(culprit.task), "red"

    def _then(self, task: str) -> str:
        """What follows for a task whose attempt came to nothing."""
        record = self.state.by_id.get(task)
        match record.state if record is not None else "":
            case "waiting" if record is not None and (due := self.state.timers.get(f"backoff:{task}")) is not None:
                return f"; next try in {max(0.0, due - self.state.at):.0f} s"
            case "ready" | "running":
                return "; will be tried again"
            case "failed":
                return "; it has failed"
            case _:
                return ""

    def _skips(self) -> Iterator[tuple[str, str, Colour | None]]:
        """Tasks that fell with another one."""
        now = self.state.counts.get("skipped", 0)
        if now == self._skipped:
            return
        new = now - self._skipped
        self._skipped = now
        fallen = [r for r in self.state.tasks if r.state == "skipped" and r.since == self.state.at]
        for record in fallen[: min(new, MANY)]:
            yield record.id, f"skipped: {line(record.reason)}", "yellow"
        if new > MANY:
            yield "", f"… and {new - MANY} more skipped", "yellow"

    def _held_up(self) -> Iterator[tuple[str, str, Colour | None]]:
        """Ready tasks that wait for the claim of another, each said once."""
        for index in list(self.coordinator.steps.admission.blocked):
            record: TaskRecord = self.state.tasks[index]
            if (key := (record.id, record.attempt)) not in self._told:
                self._told.add(key)
                for reason in explain(self.coordinator, record.id).reasons:
                    if reason.code == "claim":
                        yield record.id, f"waits: {reason.message}", "dim"


def _remarks(remarks: Sequence[Remark]) -> str:
    return "; ".join(f"{line(r.check)}: {line(r.message)}" if r.message else line(r.check) for r in remarks[:3])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
