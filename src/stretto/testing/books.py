"""What must be true of a run, worked out the slow way: the books that the watcher keeps of its own.

Nothing here reads the core. A fact that the plan decides is searched for again whenever it is asked (`Rules`), and
of each task only what was seen to happen is written down (`Note`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

import msgspec
from msgspec.structs import replace

from stretto.analysis.globs import covers, overlap, within
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import FINAL_STATES, Failure, FailureKind, RunSettings, TaskState

Budget = Literal["charged", "overloaded", "lost", "conflict", "none"]

COSTS: Mapping[FailureKind, Budget] = {
    "transient": "charged", "timeout": "charged", "idle": "charged", "out_of_memory": "charged", "failed": "charged",
    "blocked_on_prompt": "charged", "gate": "charged", "no_effect": "charged", "tampered": "charged",
    "overloaded": "overloaded", "lost": "lost", "conflict": "conflict",
    "quota": "none", "rate_limited": "none", "auth": "none", "permanent": "none",
    "no_room": "none", "setup": "none",
}  # fmt: skip
"""R4, column "charged"."""
BACKS_OFF: frozenset[FailureKind] = frozenset({"transient", "overloaded"})
PAUSES: frozenset[FailureKind] = frozenset({"quota", "rate_limited", "auth", "no_room", "setup"})
CARRIES: frozenset[FailureKind] = frozenset(
    {"transient", "overloaded", "rate_limited", "quota", "lost", "gate", "conflict", "no_room"}
)
"""R4, column "the next attempt starts from": the work so far."""
BLAMES: frozenset[FailureKind] = frozenset(
    {"transient", "timeout", "idle", "out_of_memory", "failed", "blocked_on_prompt", "no_effect", "permanent"}
)
"""Failures that count against an agent."""
RESUMES: frozenset[FailureKind] = frozenset(
    {"transient", "overloaded", "rate_limited", "quota", "lost", "gate", "no_room"}
)
"""And its session."""
OVERTAKEN = 4


class Note(msgspec.Struct, kw_only=True):
    """What the watcher has seen of one task."""

    task: Task
    index: int
    rank: tuple[int, float, int]
    claims: tuple[str, ...]
    state: TaskState = "pending"
    attempt: int = 0
    asking: bool = False
    in_use: bool = False
    """It has a grant."""
    kept: bool = False
    """It was re-opened with its claims."""
    drift: tuple[str, ...] = ()
    begun: tuple[tuple[str, ...], Task] | None = None
    """Its claims and itself as its attempt was begun with them, if the plan has changed since."""
    spent: dict[Budget, int] = {}
    doom: TaskState | None = None
    timer: Literal["", "backoff", "grant"] = ""
    person: bool = False
    approved: bool = False
    commit: str | None = None
    agent: str = ""
    base: str = ""
    carry: str | None = None
    conflict: bool = False
    resumes: tuple[int, str] | None = None
    """Of which attempt, and by which agent, the session may go on."""
    past: int = 0
    said: tuple[object, ...] = ("", (), ())
    """Summary, decisions and paths of its latest attempt that finished."""
    proposed: tuple[Task, ...] = ()
    """What its latest attempt wants done as well."""
    landed: str | None = None
    blocked_at: int | None = None
    """How many had started when it was first found to be stopped by claims alone."""

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def left(self) -> tuple[object, ...]:
        """What is told to those after it: of what came to nothing, nothing."""
        return self.said if self.state == "succeeded" else ("", (), ())

    @property
    def final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def holds(self) -> bool:
        """Claims are held from start to landing, and over a re-open by gate or conflict (R2.2)."""
        return self.asking or self.kept or self.state in ("running", "gating", "landing")

    @property
    def takes_place(self) -> bool:
        return self.asking or self.state in ("running", "gating")


class Rules:
    """What the plan says, searched for by brute force."""

    def __init__(
        self, plan: Plan, settings: RunSettings, learned_s: Mapping[str, float], *, ranked: bool = True
    ) -> None:
        """`ranked`: nobody waits for itself."""
        self.settings, self._learned_s, self._ranked = settings, learned_s, ranked
        self.notes: dict[str, Note] = {}
        self.become(plan)

    def become(self, plan: Plan, gone: frozenset[str] = frozenset()) -> None:
        """The plan from here on. What was noted of its tasks stays; those that are `gone` stand in no phase."""
        self.plan, self.gone = plan, gone
        self._tasks = {task.id: task for task in plan.tasks}
        self.phases = {phase.id: phase for phase in plan.phases}
        self._members = {p: [t.id for t in plan.tasks if t.phase == p and t.id not in gone] for p in self.phases}
        self._needs = {task.id: list(self._all_needs(task)) for task in plan.tasks}

        @cache
        def length(node: str, kind: str) -> float:
            """The longest way from here to the end (R10.1)."""
            own = 0.0
            if kind == "task":
                guesses = (self._tasks[node].estimate_s, self._learned_s.get(node), self.settings.estimate_s)
                own = next(guess for guess in guesses if guess is not None)
            return own + max((length(other, what) for other, what in self._behind(node, kind)), default=0.0)

        for i, task in enumerate(plan.tasks):
            rank = (task.priority, -length(task.id, "task") if self._ranked else 0.0, i)
            claims = self._claims(task)
            note = self.notes.pop(task.id, None) or Note(task=task, index=i, rank=rank, claims=claims, spent={})
            if note.holds and note.task != task:
                note.begun = note.begun or (note.claims, note.task)
            note.task, note.index, note.rank, note.claims = task, i, rank, claims
            self.notes[task.id] = note  # in plan order

    def other(self, plan: Plan, gone: frozenset[str]) -> Rules:
        """What another plan would say, with notes of its own."""
        other = Rules(plan, self.settings, self._learned_s, ranked=False)
        other.become(plan, gone)
        return other

    # --- the graph ----------------------------------------------------------------------------------------------

    def _kind(self, name: str) -> str:
        return "task" if name in self._tasks and name not in self.gone else "phase"

    def _all_needs(self, task: Task) -> Iterator[tuple[str, str]]:
        if task.id in self.gone:
            return
        for name in task.depends_on:
            if self._kind(name) == "task" or name in self.phases:
                yield name, self._kind(name)
        phase = self.phases[task.phase]
        for name in phase.depends_on:
            yield name, "phase"
        members = self._members[task.phase]
        first = [member for member in members if not self._tasks[member].added_by]
        named = any(name in first for member in first for name in self._tasks[member].depends_on)
        if not phase.parallel and not named and members[0] != task.id:
            yield members[members.index(task.id) - 1], "task"

    def _behind(self, node: str, kind: str) -> Iterator[tuple[str, str]]:
        for task in self.plan.tasks:
            after = [(name, self._kind(name)) for name in task.after if task.id not in self.gone]
            if (node, kind) in self._needs[task.id] or (node, kind) in after:
                yield task.id, "task"
        if kind == "task" and node in self.gone:
            return
        if kind == "task":
            yield self._tasks[node].phase, "phase"
        else:
            for phase in self.plan.phases:
                if node in phase.depends_on:
                    yield phase.id, "phase"

    def _claims(self, task: Task) -> tuple[str, ...]:
        if self.settings.conflicts == "allow":
            return ()
        if self.settings.isolation == "none":
            return ("**",) if task.writes is None else task.writes or (f"nothing/but/{task.id}",)
        if task.writes is None:
            return ("**",) if self.settings.conflicts == "serialize-unknown" else ()
        return tuple(w for w in task.writes if not any(within(w, hot) for hot in self.plan.hot_files))

    # --- readiness (R1) -----------------------------------------------------------------------------------------

    def met(self, name: str, kind: str) -> bool:
        """A task has landed; a phase is done when the phases it needs are, and its members have landed."""
        if kind == "task":
            return self.notes[name].state == "succeeded"
        members = (self.notes[member] for member in self._members[name])
        return all(note.state == "succeeded" or (note.task.optional and note.final) for note in members) and all(
            self.met(other, "phase") for other in self.phases[name].depends_on
        )

    def lost(self, name: str, kind: str) -> bool:
        """It can never be met any more."""
        if kind == "task":
            return self.notes[name].final and self.notes[name].state != "succeeded"
        members = (self.notes[member] for member in self._members[name])
        return any(note.final and note.state != "succeeded" and not note.task.optional for note in members) or any(
            self.lost(other, "phase") for other in self.phases[name].depends_on
        )

    def culprits(self, note: Note) -> set[str]:
        """The tasks that did not land and for which this one had to be skipped, however far back."""
        found: set[str] = set()
        work = [need for need in self._needs[note.id] if self.lost(*need)]
        for name, kind in work:  # grows while it is walked
            if kind == "phase":
                members = ((member, "task") for member in self._members[name] if not self.notes[member].task.optional)
                needed = [*members, *((other, "phase") for other in self.phases[name].depends_on)]
            else:
                found.add(name)
                needed = self._needs[name] if self.notes[name].state == "skipped" else []
            work.extend(need for need in needed if self.lost(*need) and need not in work)
        return found

    def over(self, name: str, kind: str) -> bool:
        """Nothing about it will change any more, whatever came of it."""
        if kind == "task":
            return self.notes[name].final
        return all(self.notes[member].final for member in self._members[name]) and all(
            self.over(other, "phase") for other in self.phases[name].depends_on
        )

    def before(self, note: Note) -> list[Note]:
        """Every task that it waited for, by name or in a phase; for an empty phase, those that it waits for."""
        found: set[str] = set()
        work = [*self._needs[note.id], *((name, self._kind(name)) for name in note.task.after)]
        for name, kind in work:  # grows while it is walked
            if kind == "task":
                found.add(name)
            else:
                members = self._members[name]
                found.update(members)
                work += () if members else ((other, "phase") for other in self.phases[name].depends_on)
        return sorted((self.notes[task] for task in found), key=lambda other: other.index)

    def broken(self, note: Note) -> bool:
        return any(self.lost(*need) for need in self._needs[note.id])

    def may_start(self, note: Note) -> bool:
        return all(self.met(*need) for need in self._needs[note.id]) and all(
            self.over(name, self._kind(name)) for name in note.task.after
        )

    def phase_of(self, note: Note) -> Phase:
        return self.phases[note.task.phase]

    # --- growth (R8.4) ------------------------------------------------------------------------------------------

    def may_add(self, adder: Note, tasks: tuple[Task, ...]) -> bool:
        """Whether nothing in the plan speaks against these; of policies that have stopped something, others know."""
        settings = self.settings
        names = {task.id for task in tasks}
        depth, task = 1, adder.task
        while task.added_by:
            depth, task = depth + 1, self._tasks[task.added_by]
        before = sum(bool(task.added_by) for task in self.plan.tasks)
        known = {*self._tasks, *self.phases}
        there = {*(self._tasks.keys() - self.gone), *self.phases}
        if before + len(tasks) > settings.growth_most or depth > settings.growth_depth:
            return False
        if len(names) < len(tasks) or names & known:
            return False
        if any(
            name not in there | names
            for task in tasks
            for name in (*task.depends_on, *task.after, *task.conflicts_with)
        ):
            return False
        return all(self._has_place(adder.task, task) for task in tasks) and not self._circle(tasks)

    def _has_place(self, adder: Task, task: Task) -> bool:
        scope = self.settings.growth_scope
        if task.phase not in self.phases or self.over(task.phase, "phase"):
            return False
        if scope == "plan":
            return True
        claims = adder.writes
        inside = claims is None or (
            task.writes is not None and all(any(within(path, claim) for claim in claims) for path in task.writes)
        )
        return task.phase == adder.phase and (scope == "phase" or inside)

    def _circle(self, tasks: tuple[Task, ...]) -> bool:
        """Whether one of these would wait for itself."""
        grown = self.other(replace(self.plan, tasks=(*self.plan.tasks, *tasks)), self.gone)
        return any(("task", task.id) in grown.reached(task) for task in tasks)

    def reached(self, task: Task) -> set[tuple[str, str]]:
        """Everything that it waits for, however far away."""
        found: set[tuple[str, str]] = set()
        work = [*self._needs[task.id], *self._afters(task)]
        for name, kind in work:  # grows while it is walked
            if (kind, name) in found:
                continue
            found.add((kind, name))
            if kind == "task":
                work += (*self._needs[name], *self._afters(self._tasks[name]))
            else:
                work += ((member, "task") for member in self._members[name])
                work += ((other, "phase") for other in self.phases[name].depends_on)
        return found

    def _afters(self, task: Task) -> list[tuple[str, str]]:
        known = [] if task.id in self.gone else task.after
        return [(name, self._kind(name)) for name in known if self._kind(name) == "task" or name in self.phases]

    # --- claims (R2) --------------------------------------------------------------------------------------------

    def meets(self, claims: tuple[str, ...], note: Note) -> bool:
        """Whether another task's claims stand in the way of what `note` wants."""
        return any(overlap(a, b) for a in claims for b in note.claims)

    def foes(self, one: Task, other: Task) -> bool:
        """Whether either says that it is never active beside the other (R1.2)."""
        return any(
            (name == b.id) if name in self._tasks else (name == b.phase)
            for a, b in ((one, other), (other, one))
            for name in a.conflicts_with
        )

    def stopped_by_claims(self, note: Note) -> bool:
        for other in self.notes.values():
            claims, task = other.begun or (other.claims, other.task)
            if other is not note and other.holds and (
                self.meets((*claims, *other.drift), note) or self.foes(task, note.task)
            ):  # fmt: skip
                return True
        return False

    def drifts(self, note: Note, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Paths outside the claim (R2.6)."""
        writes = note.task.writes
        if writes is None or self.settings.conflicts == "allow":
            return ()
        return tuple(path for path in paths if not any(covers(claim, path) for claim in writes))

    def phase_full(self, note: Note) -> bool:
        limit = self.phase_of(note).max_parallel
        if limit is None:
            return False
        return sum(other.takes_place for other in self.notes.values() if other.task.phase == note.task.phase) >= limit


def spend(note: Note, failure: Failure, attempts: int) -> bool:
    """Write a failure down; whether the task's tries are used up (R4)."""
    budget = COSTS[failure.kind]
    note.spent[budget] = note.spent.get(budget, 0) + 1
    caps: Mapping[Budget, int] = {
        "charged": note.task.attempts or attempts, "overloaded": 20, "lost": 3, "conflict": 3
    }  # fmt: skip
    return budget in caps and note.spent[budget] >= caps[budget]


def backoff_s(note: Note, failure: Failure) -> tuple[float, float]:
    """Between which two numbers of seconds the next try must wait: 2, 4, 8 … up to 300, and a quarter of spread."""
    least = min(300.0, 2.0 * 2.0 ** (note.spent[COSTS[failure.kind]] - 1))
    asked = failure.retry_after_s or 0.0
    return max(least, asked), max(min(300.0, least * 1.25), asked)
