"""What happens in a run, as it happens: one line for every event that means something to a person.

It replays the events into a coordinator of its own, as every reader does, so it can say what follows from each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import assert_never

from stretto.core import events as ev
from stretto.core.commands import Answer, Command
from stretto.core.coordinator import Coordinator
from stretto.core.explain import explain
from stretto.core.state import State, TaskRecord
from stretto.model.run import Culprit
from stretto.observe.layout import wrap
from stretto.observe.paint import Colour, Paint, clock, count, line, width_of
from stretto.observe.snapshot import answers, ended_because, has_delivered, lasted, next_steps, spent, total
from stretto.observe.words import WHERE, counted, failure, landed_as, plain, question, reason, remarks
from stretto.ports import Recorded

ID_WIDTH = 24
"""Columns for the ids; a longer one pushes its line to the right."""
MANY = 5
"""Tasks that fall for one reason are named up to this number."""
UNTOLD = ("dropped", ev.DELIVERED, "closed")
"""Notices that are told with the attempt itself, or that only readers need."""


class Console:
    """The observer behind `run` and `resume`; `write` takes lines without their end."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        paint: Paint,
        width: int | None = None,
        quiet_until: int = 0,
        only: Sequence[Colour] = (),
    ) -> None:
        """`only`: lines of these colours and no others; red ones say what has failed."""
        self.coordinator = Coordinator()
        """The run, as far as it has been read."""
        self.width = width
        self._write, self._paint = write, paint
        self._quiet_until, self._only = quiet_until, only
        self._began: float | None = None
        self._ids = 0
        self._told: set[tuple[str, int]] = set()
        self._skipped = 0
        self._delivered = False

    @property
    def state(self) -> State:
        return self.coordinator.state

    def notify(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            commands = self.coordinator.handle(recorded.event)
            if isinstance(recorded.event, ev.RunStarted):
                self._ids = min(ID_WIDTH, max((len(task.id) for task in recorded.event.plan.tasks), default=0))
            self._delivered = has_delivered(recorded.event, self._delivered)
            if recorded.seq <= self._quiet_until:
                self._skipped = self.state.counts.get("skipped", 0)
                continue
            if self._began is None:
                self._began = recorded.event.at
            for who, what, colour in self._lines(recorded.event, commands):
                if not self._only or colour in self._only:
                    self._say(who, what, colour)

    def summary(self, *, lands: bool = False) -> Iterator[str]:
        """How the run ended, and what to do now; for a run whose engine has gone. `lands`: its work lands now."""
        state, paint = self.state, self._paint
        name = "was killed" if state.ended is None else state.run_state
        why = f" ({said})" if (said := ended_because(state)) else ""
        yield ""
        first, *more = wrap(f"{name}{why}", self.width, first=f"{state.run} ", rest="  ")
        yield from (first.replace(state.run, paint(state.run, "bold")).replace(name, paint.state(name), 1), *more)
        took, session = clock(lasted(state)), clock(state.at - (self._began or state.started_at))
        since = f", {session} of it this time" if state.resumes > 1 and session != took else ""
        yield from wrap(f"{counted(state)}; took {took}{since}", self.width, first="  ", rest="    ")
        cost = spent(total(usage for record in state.tasks for usage in record.usage))
        where = f"branch {state.branch}" if state.branch else f"its work is {WHERE}"
        yield f"  {where}" + (f"; spent {cost}" if cost else "")
        done = [record for record in state.tasks if record.state == "succeeded" and record.starts]
        if idle := [line(record.id) for record in done if record.commit is None]:
            yield from wrap(f"changed nothing: {_some(idle)}", self.width, first="  ", rest="    ")
        delivered = self._delivered or (lands and state.ended in ("succeeded", "failed"))
        fallen = [record for record in state.tasks if record.state == "failed"]
        for record in fallen[:10]:
            first, *more = wrap(f"{line(record.id)}: {reason(record)}", self.width, first="  ", rest="    ")
            yield from (first.replace(line(record.id), paint(line(record.id), "red"), 1), *more)
        if len(fallen) > 10:
            yield f"  … and {len(fallen) - 10} more:"
            yield f"    stretto status {state.run}"
        yield from (f"  {step}" for step in next_steps(state, None, delivered=delivered) if step)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _say(self, who: str, what: str, colour: Colour | None) -> None:
        name, indent = line(who), " " * len("00:00    ")
        start = f"{clock(self.state.at - (self._began or 0.0))}  "
        start += f"{name}{' ' * (self._ids - width_of(name))}  " if name else ""
        said, *commands = what.split("\n")
        first, *more = wrap(said, self.width, first=start, rest=indent)
        self._write(first[: len(start)] + self._paint(first[len(start) :], colour))
        for text in (*more, *(indent + command for command in commands)):
            self._write(self._paint(text, colour))

    def _lines(self, event: ev.Event, commands: Sequence[Command]) -> Iterator[tuple[str, str, Colour | None]]:
        refused = [command.why for command in commands if isinstance(command, Answer) and not command.accepted]
        if refused:
            yield "", f"asked for, and refused: {line(refused[0])}", "yellow"
        else:
            yield from self._of(event)
        yield from self._skips()
        yield from self._held_up()

    def _of(self, event: ev.Event) -> Iterator[tuple[str, str, Colour | None]]:
        match event:
            case ev.RunStarted():
                settings = event.settings
                todo = len({task.id for task in event.plan.tasks} - set(event.done))
                what = f"{count(todo, 'task')} to do, {settings.parallel} at once"
                yield "", f"run {event.run}: {what}", "bold"
                yield "", f"branch {event.branch}" if event.branch else f"tasks work {WHERE}", None
            case ev.RunResumed():
                if self.state.resumes > 1:
                    yield "", f"resumed: {counted(self.state)}", "bold"
                    yield from (ask for record in self.state.tasks for ask in self._asks(record))
            case ev.RunAbandoned():
                yield "", f"given up by {event.by or 'a person'}", "yellow"
            case ev.RunReclaimed():
                yield "", f"taken back by {event.by or 'a person'}", None
            case ev.StopRequested():
                yield "", self._stopping(event), "yellow"
            case ev.RequestReceived():
                yield from self._wish(event.wish)
            case (
                ev.TasksCancelled()
                | ev.TasksRetried()
                | ev.SettingsChanged()
                | ev.PlanChanged()
                | ev.TaskApproved()
                | ev.TaskRejected()
            ):
                yield from self._wish(event)
            case ev.Denied():
                yield event.task, f"waits: {line(event.reason)}", "yellow"
            case ev.AttemptStarted():
                yield event.task, f"attempt {event.attempt} started", None
            case ev.AttemptFinished():
                yield from self._finished(event)
            case ev.AttemptFailed():
                why = "its set-up, too" if self._is_known(event) else failure(event.failure)
                yield event.task, f"attempt {event.attempt} failed: {why}{self._then(event.task)}", "red"
            case ev.AttemptLost():
                why = "with its engine" if event.engine else "nobody knows how it ended"
                yield event.task, f"attempt {event.attempt} lost: {why}{self._then(event.task)}", "yellow"
            case ev.AttemptCancelled():
                yield event.task, f"attempt {event.attempt} ended by request", "yellow"
            case ev.AttemptGated():
                yield from self._gated(event)
            case ev.BatchLanded():
                for entry in event.landed:
                    yield entry.task, landed_as(event.commit), "green"
                yield from self._culprits(event.culprits)
            case ev.BatchRejected():
                yield from self._culprits(event.culprits)
                if event.error:
                    yield "", f"landing could not be done: {line(event.error)}", "red"
            case ev.Noticed():
                if event.code not in UNTOLD:
                    yield (event.tasks or ("",))[0], line(event.message), "yellow"
            case ev.Granted() | ev.AttemptAnswered() | ev.ScopeObserved() | ev.TimerFired():
                pass
            case _:
                assert_never(event)

    def _is_known(self, event: ev.AttemptFailed) -> bool:
        """Whether it failed for what has paused the run, and has been told of another task."""
        drain = self.state.drain
        paused = event.failure.kind == "setup" and drain is not None and drain.outcome == "paused"
        return paused and drain is not None and not drain.reason.startswith(f"{event.task!r}: ")

    def _stopping(self, event: ev.StopRequested) -> str:
        active = sum(record.state in ("running", "gating") for record in self.state.tasks)
        if event.now:
            work = "its work" if active == 1 else "their work"
            return f"stopping now: {count(active, 'attempt')} will be ended, {work} saved" if active else "stopping now"
        may = f"; {count(active, 'attempt')} may finish" if active else ""
        return f"stopping: nothing more starts{may}"

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
            case ev.PlanChanged():
                yield "", f"another plan, of {count(len(wish.tasks), 'task')}", None
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
        record = self.state.by_id.get(event.task)
        if event.error:
            yield event.task, f"a check could not run: {remarks(event.remarks)}{self._then(event.task)}", "yellow"
        elif event.verdict == "green":
            yield event.task, "checks green", None
        elif event.verdict == "ask":
            if record is not None:
                yield from self._asks(record)
        else:
            yield event.task, f"checks red: {remarks(event.remarks)}{self._then(event.task)}", "red"

    def _asks(self, record: TaskRecord) -> Iterator[tuple[str, str, Colour | None]]:
        if record.wait == "person":
            told = (f"waits for your word: {question(record)}", *(f"  {x}" for x in answers(self.state, record)))
            yield record.id, "\n".join(told), "yellow"

    def _culprits(self, culprits: Sequence[Culprit]) -> Iterator[tuple[str, str, Colour | None]]:
        for culprit in culprits:
            if culprit.kind == "conflict":
                what = f"conflicts with what has landed, in {_some(culprit.paths)}"
            else:
                what = f"checks red after the merge with what has landed: {remarks(culprit.remarks)}"
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
            yield record.id, f"skipped: {plain(record.reason)}", "yellow"
        if new > MANY:
            yield "", f"… and {new - MANY} more skipped", "yellow"

    def _held_up(self) -> Iterator[tuple[str, str, Colour | None]]:
        """Ready tasks that wait for another to let go of what they need, each said once."""
        for index in list(self.coordinator.steps.admission.blocked):
            record: TaskRecord = self.state.tasks[index]
            if (key := (record.id, record.attempt)) not in self._told:
                self._told.add(key)
                for why in explain(self.coordinator, record.id).reasons:
                    if why.code in ("claim", "conflict"):
                        yield record.id, f"waits: {plain(why.message)}", "dim"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
