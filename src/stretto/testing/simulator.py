"""Runs the real core in virtual time against a world and its fate, with a watcher beside it.

Every start is a resume, as in the engine: an end, a crash and a restart go the same way through `replay`,
`lost_attempts` and `outstanding`, and the replayed core must be the one that died, command by command.
"""

from __future__ import annotations

from collections.abc import Mapping

from stretto.core import events as ev
from stretto.core.commands import Command
from stretto.core.coordinator import Coordinator
from stretto.core.events import Event
from stretto.core.explain import explain
from stretto.core.recovery import declare_lost, lost_attempts, outstanding, replay
from stretto.model.plan import Plan
from stretto.model.run import FINAL_STATES, RunSettings, TaskState
from stretto.testing.fate import Act, Fate
from stretto.testing.promises import Promises
from stretto.testing.replanning import other_plan
from stretto.testing.watcher import Violation, Watcher
from stretto.testing.world import World

_ENDLESS = 3000
"""Events after which a run of ten tasks is going round in circles."""


class Simulation:
    """One run. `journal` has every event that was made durable, and the commands that followed from it."""

    def __init__(
        self,
        plan: Plan,
        settings: RunSettings,
        expected_s: Mapping[str, float],
        fate: Fate,
        *,
        restarts: int = 6,
        retries: bool = True,
    ) -> None:
        self.plan = plan
        self.fate = fate
        self.restarts = restarts
        self.retries = retries
        self.world = World(plan, fate, base="base")
        started = ev.RunStarted(
            at=self.world.now,
            run="run",
            plan=plan,
            settings=settings,
            base="base",
            branch="stretto/run",
            done=tuple(task.id for task in plan.tasks if task.status == "succeeded"),
            expected_s=expected_s,
        )
        self.watcher = Watcher(started)
        self.promises = Promises(started)
        self.coordinator = Coordinator()
        self.journal: list[tuple[Event, list[Command]]] = []
        self.acts = fate.acts()
        self._ends = 0
        self._states: dict[str, TaskState] = {}
        self._asks = len(fate.acts()) % 2 == 0
        self._act(self._deliver(started))

    @property
    def landed(self) -> set[str]:
        return set(self.world.landed)

    @property
    def states(self) -> dict[str, TaskState]:
        return {record.id: record.state for record in self.coordinator.state.tasks}

    def run(self) -> None:
        """To the end, through every crash and restart that fate has in store."""
        while True:
            while self.acts and self.acts[0].after <= len(self.journal):
                self._do(self.acts.pop(0))
            if self.coordinator.state.abandoned:
                break
            if self.coordinator.state.ended is not None:
                if not self._goes_on():
                    break
                continue
            if not self.world:
                raise Violation("deadlock: nothing will ever happen again, and the run has not ended")
            self._act(self._deliver(self.world.next()))
        self._replayed()

    # --- one step -----------------------------------------------------------------------------------------------

    def _deliver(self, event: Event) -> list[Command]:
        """Make an event durable, let the core decide, and let the watchers judge."""
        if len(self.journal) > _ENDLESS:
            raise Violation("the run goes round in circles")
        commands = list(self.coordinator.handle(event))
        self.journal.append((event, commands))
        records = self.coordinator.state.tasks
        states = {record.id: record.state for record in records}
        self.watcher.saw(event, commands, states, {record.id: record.reason for record in records})
        self.promises.saw(event, commands, states)
        self._states = states
        if self._asks:
            for record in records:
                explain(self.coordinator, record.id)  # changes nothing, or the replay will not be equal
        return commands

    def _act(self, commands: list[Command]) -> None:
        self.world.perform(commands)

    def _do(self, act: Act) -> None:
        tasks = list(self._states)
        task, more = tasks[act.argument % len(tasks)], act.argument // 16
        at, world = self.world.now, self.world
        wish: ev.Wish
        match act.deed:
            case "crash":
                self.restart()
                return
            case "abandon":
                self._abandon(back=act.argument % 4 != 3)
                return
            case "again" | "foreign":
                event = world.again(act.argument) if act.deed == "again" else world.foreign(act.argument, tasks)
                if event is not None:
                    self._act(self._deliver(event))
                return
            case "stop" | "stop_by_signal":
                wish = ev.StopRequested(at=at, by_signal=act.deed == "stop_by_signal")
            case "stop_now":
                wish = ev.StopRequested(at=at, now=True, by_signal=more % 2 == 1)
            case "cancel":
                wish = ev.TasksCancelled(at=at, tasks=(task,))
            case "cancel_some":
                wish = ev.TasksCancelled(at=at, tasks=tuple(tasks[more % len(tasks) :]))
            case "retry":
                wish = ev.TasksRetried(at=at)
            case "retry_some":
                wish = ev.TasksRetried(at=at, tasks=(task, task, *self._fallen()[:more]))
            case "places":
                wish = ev.SettingsChanged(at=at, parallel=act.argument % 5)
            case "replan":
                wish = other_plan(self.watcher.account.rules, act.argument, at)
            case "approve":
                wish = ev.TaskApproved(at=at, task=self._waiting(task))
            case "reject":
                wish = ev.TaskRejected(at=at, task=self._waiting(task))
        if act.argument % 2:
            world.ask(wish)
        else:
            self._act(self._deliver(wish))

    def _fallen(self) -> list[str]:
        return [task for task, state in self._states.items() if state in ("failed", "skipped", "cancelled")]

    def _waiting(self, task: str) -> str:
        return next((name for name, state in self._states.items() if state == "waiting"), task)

    # --- ends and beginnings ------------------------------------------------------------------------------------

    def _goes_on(self) -> bool:
        """Whether the run that has just ended is taken up again."""
        state, fate = self.coordinator.state, self.fate
        self._ends += 1
        if self._ends > self.restarts:
            return False
        over = all(task in FINAL_STATES for task in self._states.values())
        if over and not (self.retries and state.ended == "failed" and fate.goes_on(self._ends, "retry")):
            if not (self._ends == 1 and fate.goes_on(self._ends, "resume")):
                return False
        elif over:
            self._act(self._deliver(ev.TasksRetried(at=self.world.now)))
        in_vain = isinstance(self.journal[-1][0], ev.RunResumed)
        while self.world and (in_vain or not fate.goes_on(self._ends, "early")):
            self._act(self._deliver(self.world.next()))  # people's wishes, while no engine runs
        self.restart()
        return True

    def _abandon(self, *, back: bool) -> None:
        """Its engine has died, and a person gives it up; with `back`, only to take it back."""
        self.world.die()
        self._deliver(ev.RunAbandoned(at=self.world.now))
        for record in lost_attempts(self.coordinator.state):
            self._deliver(declare_lost(record, self.world.now, f"{record.id}#{record.attempt}"))
        while self.world:
            self._deliver(self.world.next())  # wishes, all of them refused
        if back:
            self._deliver(ev.RunReclaimed(at=self.world.now))
            self.restart()

    def restart(self) -> None:
        """The engine dies, or has ended; another takes over from the journal alone."""
        self.world.die()
        self._replayed()
        self.coordinator = replay(event for event, _ in self.journal)
        lost = lost_attempts(self.coordinator.state)
        self.watcher.must_be_lost({(record.id, record.attempt) for record in lost})
        for record in lost:
            self._deliver(declare_lost(record, self.world.now, f"{record.id}#{record.attempt}"))
        self._deliver(ev.RunResumed(at=self.world.now, parallel=self.fate.places(len(self.journal))))
        owed = outstanding(self.coordinator.state)
        self.watcher.must_be_owed(owed)
        if self.coordinator.state.ended is None:
            self._act(owed)

    def _replayed(self) -> None:
        """A replay of the journal gives the same commands and the same core."""
        other = Coordinator()
        for event, commands in self.journal:
            if other.handle(event) != commands:
                raise Violation(f"a replay of {event} gives other commands")
        mine = self.coordinator.steps
        theirs = other.steps
        if (mine.state, mine.readiness, mine.admission) != (theirs.state, theirs.readiness, theirs.admission):
            raise Violation("a replay gives another state")
