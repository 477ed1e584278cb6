"""Hypothesis strategies: small plans that use everything the core knows, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from stretto.analysis.graph import build, cycle
from stretto.model.plan import Check, FailurePolicy, Phase, Plan, Task
from stretto.model.run import ConflictPolicy, GrowthScope, RunSettings
from stretto.testing.fate import DEEDS, SIZE, TASKS, Deed, Fate

_PHASES = 4
_PER_TASK = 12
_PER_PHASE = 4
_HEADER = 10
_PLAN = _HEADER + _PHASES * _PER_PHASE + TASKS * _PER_TASK

_WRITES: tuple[tuple[str, ...] | None, ...] = (
    None, ("a",), ("a", "b"), (), ("b",), ("d/x",), ("d/*",), ("**",), ("lock",), ("lock", "a"), ("A",), ("./b", "c"),
    ("d/",), ("d",), ("*",), ("c",), ("d/x", "c"), ("a",), ("b",), ("a", "d/**"), None, ("e/é",), ("e/e\u0301", "c"),
)  # fmt: skip
"""A tiny alphabet, so that claims often meet, in several spellings. `lock` may be a hot file."""
_CHECK = (Check(command="true"),)


Begun = tuple[Plan, RunSettings, Mapping[str, float]]
"""What a run begins with: its plan, its settings, and what earlier runs have shown (seconds by task)."""


class Drawn:
    """Reads a plan from bytes; 0 is always the plainest choice."""

    def __init__(self, data: bytes) -> None:
        self._data = data.ljust(_PLAN, b"\0")

    def settings(self) -> RunSettings:
        _, _, places, attempts, conflicts, policy, approval, *_ = self._data
        policies: tuple[ConflictPolicy, ...] = ("serialize", "serialize", "serialize-unknown", "allow")
        scopes: tuple[GrowthScope, ...] = ("claims", "plan", "phase")
        return RunSettings(
            parallel=(2, 1, 3, 4, 2)[places % 5],
            attempts=(3, 1, 2)[attempts % 3],
            conflicts=policies[conflicts % 4],
            on_failure="stop" if policy % 8 == 7 else "continue",
            on_approval="wait" if approval % 2 else "exit",
            agent="fake",
            drain_timeout_s=(600.0, 3.0)[approval // 2 % 2],
            breaker=(5, 2, 3, 0)[approval // 4 % 4],
            growth_most=(12, 6, 0, 1, 3)[attempts // 3 % 5],
            growth_depth=(3, 1, 2)[policy // 8 % 3],
            growth_scope=scopes[places // 5 % 3],
            fallbacks=(("other",), (), (), ())[approval // 16 % 4 - 1],
            isolation="none" if approval // 64 == 3 else "worktree",
        )

    def expected_s(self, plan: Plan) -> dict[str, float]:
        """What was learned of some tasks, and of some that have an estimate: of those it must not count."""
        of = (None, 0.5, 2.5, 1000.0)
        known = {task.id: of[self._block(int(task.id[1:]))[9] // 5 % 4] for task in plan.tasks}
        return {task: seconds for task, seconds in known.items() if seconds is not None}

    def plan(self, *, policies: bool = True) -> Plan:
        plan = self._plan(policies=policies, wild=True)
        return self._plan(policies=policies, wild=False) if cycle(build(plan)) else plan

    def _plan(self, *, policies: bool, wild: bool) -> Plan:
        phases = 1 + self._data[0] % _PHASES
        tasks = 1 + self._data[1] % TASKS
        members = [self._task(i, phases, policies=policies, wild=wild) for i in range(tasks)]
        if self._data[7] % 4 == 3 and wild:
            members.reverse()  # plan order against the order of dependencies
        return Plan(
            name="drawn",
            format="stretto",
            phases=tuple(self._phase(p, policies=policies) for p in range(phases)),
            tasks=tuple(members),
            hot_files=("lock",) if self._data[8] % 2 else (),
        )

    def _phase(self, p: int, *, policies: bool) -> Phase:
        needs, chain, limit, policy = self._data[_HEADER + p * _PER_PHASE :][:_PER_PHASE]
        words: tuple[FailurePolicy | None, ...] = (None, None, "continue", "stop")
        return Phase(
            id=f"p{p}",
            depends_on=tuple(f"p{q}" for q in range(p) if needs >> q & 1),
            parallel=chain % 4 != 3,
            max_parallel=(None, None, None, 1, 2)[limit % 5],
            on_failure=words[policy % 4] if policies else None,
        )

    def _task(self, i: int, phases: int, *, policies: bool, wild: bool) -> Task:
        home, needs, more, order, writes, rank, flags, checks, tries, estimate, odd, phase_needs = self._block(i)
        home %= phases
        # Without `wild`, whatever is needed lies in an earlier phase or earlier in the same: never a cycle.
        earlier = [j for j in range(i) if wild or self._home(j, phases) <= home]
        near = {j for j in earlier if (needs | more << 8) >> j & 1 and (needs + j) % 3 == 0}
        before = {j for j in earlier if order >> (j % 8) & 1 and order % 4 == 3}
        outer = [p for p in range(phases) if p != home and (p < home or wild)]
        return Task(
            id=f"t{i}",
            phase=f"p{home}",
            depends_on=(
                *(f"t{j}" for j in sorted(near)),
                *(f"p{p}" for p in outer if phase_needs >> p & 1 and phase_needs % 3 == 2),
            ),
            after=(
                *(f"t{j}" for j in sorted(before)),
                *(f"p{p}" for p in outer if phase_needs >> p & 1 and phase_needs % 7 == 6),
            ),
            conflicts_with=(
                *((f"t{checks % i}",) if i and odd % 5 == 4 else ()),
                *((f"p{tries % phases}",) if odd % 11 == 10 else ()),
            ),
            writes=_WRITES[writes % len(_WRITES)],
            verify=_CHECK if checks % 3 else (),
            artifacts=("out",) if checks % 16 == 15 else (),
            effect="changes" if odd % 3 == 2 else "any",
            agent=((), (), (), ("other",), (), ("fake", "other"))[rank // 5 % 6],
            priority=(3, 3, 1, 5, 2)[rank % 5],
            critical=policies and flags % 8 == 7,
            optional=flags % 4 == 2,
            attempts=1 + tries % 3 if tries % 4 == 3 else None,
            estimate_s=float(estimate % 5) or None,
            status="succeeded" if self._data[9] % 4 == 3 and flags % 8 == 5 else "pending",
        )

    def _block(self, i: int) -> bytes:
        return self._data[_HEADER + _PHASES * _PER_PHASE + i * _PER_TASK :][:_PER_TASK]

    def _home(self, i: int, phases: int) -> int:
        return self._block(i)[0] % phases


@st.composite
def drawn(draw: st.DrawFn, *, policies: bool = True) -> Begun:
    """Without `policies` the order of events cannot decide which tasks land."""
    source = Drawn(draw(st.binary(min_size=_PLAN, max_size=_PLAN)))
    settings = source.settings()
    if not policies:
        settings = RunSettings(
            parallel=settings.parallel,
            attempts=settings.attempts,
            conflicts=settings.conflicts,
            isolation=settings.isolation,
            on_approval=settings.on_approval,
            breaker=settings.breaker,
            growth_depth=1,  # so that the limit of 100 is never met: who meets it is a matter of order
            fallbacks=settings.fallbacks,
            agent="fake",
        )
    plan = source.plan(policies=policies)
    return plan, settings, source.expected_s(plan)


@st.composite
def crowded(draw: st.DrawFn, *, critical: bool = False) -> Begun:
    """Ten tasks of one phase that wait for nothing but each other's claims, in one place or two: here they starve.

    `critical`: about one in four of them is."""
    data = bytearray(draw(st.binary(min_size=_PLAN, max_size=_PLAN)))
    where = data[6] & 0xC0  # in worktrees or in one folder
    data[:_HEADER] = bytes((0, TASKS - 1, (1, 1, 0)[data[2] % 3], 0, 0, 0, where)).ljust(_HEADER, b"\0")
    data[_HEADER : _HEADER + _PHASES * _PER_PHASE] = bytes(_PHASES * _PER_PHASE)
    for i in range(TASKS):
        start = _HEADER + _PHASES * _PER_PHASE + i * _PER_TASK
        data[start : start + 4] = bytes(4)
        data[start + 6] = 7 if critical and data[start + 6] % 4 == 3 else 0
        data[start + 11] = 0
    source = Drawn(bytes(data))
    plan = source.plan()
    return plan, source.settings(), source.expected_s(plan)


def fates(deeds: tuple[Deed, ...] = DEEDS) -> st.SearchStrategy[Fate]:
    """What happens to the tasks and what is done to the run."""
    return st.binary(min_size=SIZE, max_size=SIZE).map(lambda data: Fate(data, deeds))


def growing(deeds: tuple[Deed, ...] = DEEDS) -> st.SearchStrategy[Fate]:
    """Plans that grow."""
    return st.binary(min_size=SIZE, max_size=SIZE).map(lambda data: Fate.growing(data, deeds))


def replanning() -> st.SearchStrategy[Fate]:
    """Given another plan again and again."""
    return st.binary(min_size=SIZE, max_size=SIZE).map(Fate.replanning)


def pressing() -> st.SearchStrategy[Fate]:
    """Cancelled, retried and stopped again and again."""
    return st.binary(min_size=SIZE, max_size=SIZE).map(Fate.pressed)
