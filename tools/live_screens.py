"""Draws the screens that README.md and docs/live.md show, with the code that draws them in a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha1
from pathlib import Path

from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.model.run import TARGET, Failure, RunSettings, Usage
from stretto.observe.cells import plain
from stretto.observe.live import Key, Look, frame
from stretto.observe.pace import Pace
from stretto.observe.taskrow import Scene, measure

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "live.md")
BLOCK = re.compile(r"(<!-- generated:live-(\w+) -->\n).*?(<!-- /generated:live-\2 -->)", re.DOTALL)
WIDTH, HEIGHT = 79, 24
"""A terminal of 80 columns, of which the last stays free."""
KEYS: tuple[Key, ...] = ("stop", "detach", "scroll", "help")


class Story:
    """A run whose events are told, not lived; times are seconds from its start."""

    def __init__(self, plan: Plan, *, parallel: int) -> None:
        self.coordinator, self.pace = Coordinator(), Pace()
        self.commands: list[cmd.Command] = []
        self.at = 0.0
        self.tails: dict[tuple[str, int], str] = {}
        self.tell(
            ev.RunStarted(
                at=0.0,
                run=f"{plan.name}-260321-0915-5f0c2a7e",
                plan=plan,
                settings=RunSettings(parallel=parallel, agent="claude", on_approval="wait"),
                base="b" * 40,
                branch=f"stretto/{plan.name}-260321-0915-5f0c2a7e",
            )
        )
        self.tell(ev.RunResumed(at=0.0))

    def tell(self, event: ev.Event) -> None:
        self.at = event.at
        self.pace.notify(event)
        self.commands += self.coordinator.handle(event)

    def starts(self, at: float, *tasks: str, says: Mapping[str, str] | str = "") -> None:
        """Everything that has been admitted gets its grant; of these tasks, what they print last."""
        for record in [record for record in self.coordinator.state.tasks if record.asking]:
            self.tell(ev.Granted(at=at, task=record.id, attempt=record.attempt))
            self.tell(ev.AttemptStarted(at=at, task=record.id, attempt=record.attempt))
        for task in tasks:
            said = says if isinstance(says, str) else says.get(task, "")
            self.tails[task, self._attempt(task)] = said

    def done(self, at: float, task: str, cost: float | None = None) -> None:
        usage = Usage(cost_usd=cost)
        self.tell(ev.AttemptFinished(at=at, task=task, attempt=self._attempt(task), commit=f"{task:0<40}", usage=usage))

    def failed(self, at: float, task: str, message: str, cost: float | None = None) -> None:
        failure = Failure(kind="failed", message=message)
        self.tell(
            ev.AttemptFailed(at=at, task=task, attempt=self._attempt(task), failure=failure, usage=Usage(cost_usd=cost))
        )

    def green(self, at: float, task: str) -> None:
        self.tell(ev.AttemptGated(at=at, task=task, attempt=self._attempt(task), verdict="green"))

    def asks(self, at: float, task: str) -> None:
        self.tell(ev.AttemptGated(at=at, task=task, attempt=self._attempt(task), verdict="ask"))

    def lands(self, at: float) -> None:
        batch = self.coordinator.state.lane.batch
        assert batch is not None
        commit = sha1(f"{batch.number}".encode()).hexdigest()
        self.tell(ev.BatchLanded(at=at, lane=TARGET, batch=batch.number, landed=batch.entries, commit=commit))

    def screen(self, now: float, look: Look | None = None, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
        lines, _ = frame(self.scene(now), look or Look(keys=KEYS), width, height)
        return [plain(line) for line in lines]

    def scene(self, now: float) -> Scene:
        return Scene(
            coordinator=self.coordinator,
            now=now,
            forecast=self.pace.forecast(self.coordinator, now),
            took_s=self.pace.took_s,
            tails=self.tails,
            widths=measure(self.coordinator.state.plan),
        )

    def _attempt(self, task: str) -> int:
        return self.coordinator.state.by_id[task].attempt


SHOP = Plan(
    name="shop",
    format="stretto",
    phases=(
        Phase(id="groundwork"),
        Phase(id="features", depends_on=("groundwork",)),
        Phase(id="finish", depends_on=("features",)),
    ),
    tasks=(
        Task(id="schema", phase="groundwork", writes=("db/**",), estimate_s=300.0),
        Task(id="style", phase="groundwork", writes=("web/**",), estimate_s=300.0),
        Task(id="login", phase="features", writes=("app/login.py", "app/routes.py"), estimate_s=900.0),
        Task(id="search", phase="features", writes=("app/search.py", "app/routes.py"), estimate_s=600.0),
        Task(id="mail", phase="features", writes=("app/mail.py",), estimate_s=300.0),
        Task(
            id="design",
            phase="features",
            title="Is the new design good enough to build on?",
            writes=("design/**",),
            estimate_s=300.0,
            verify=(Check(kind="approval"),),
        ),
        Task(id="docs", phase="finish", writes=("docs/**",), estimate_s=300.0),
        Task(id="release", phase="finish", depends_on=("docs",), writes=("CHANGELOG.md",), estimate_s=120.0),
    ),
)  # fmt: skip


def at_work() -> Story:
    """Two have landed, three run, one waits for the paths of another."""
    story = Story(SHOP, parallel=4)
    story.starts(2.0)
    story.done(262.0, "style", 0.31)
    story.lands(270.0)
    story.done(301.0, "schema", 0.42)
    story.lands(309.0)
    story.starts(310.0, "login", "mail", "design", says={
        "login": "Edit app/login.py: hash the password with argon2",
        "mail": "Bash: pytest tests/test_mail.py -x",
        "design": "Write design/tokens.json",
    })  # fmt: skip
    return story


def in_trouble() -> Story:
    """One attempt has failed and its task is tried again, one task waits for a person, one lands."""
    story = at_work()
    story.failed(498.0, "mail", "exit status 1\nAssertionError: no mail was sent", 0.27)
    story.done(552.0, "design", 0.38)
    story.asks(553.0, "design")
    story.starts(554.0, "mail", says="Read app/mail.py")
    story.done(570.0, "login", 0.55)
    return story


def stopping() -> Story:
    story = in_trouble()
    story.tell(ev.StopRequested(at=575.0, by_signal=True))
    return story


def many() -> Story:
    """Five hundred tasks in twenty phases."""
    phases = tuple(Phase(id=f"part-{p:02}", depends_on=(f"part-{p - 1:02}",) if p % 4 else ()) for p in range(20))
    tasks = tuple(
        Task(id=f"page-{n:03}", phase=f"part-{n // 25:02}", writes=(f"pages/{n:03}/**",), estimate_s=240.0)
        for n in range(500)
    )
    story = Story(Plan(name="site", format="stretto", phases=phases, tasks=tasks), parallel=8)
    at = 0.0
    while story.coordinator.state.counts.get("succeeded", 0) < 170:
        story.starts(at := at + 4.0)
        running = [record.id for record in story.coordinator.state.tasks if record.state == "running"]
        for n, task in enumerate(running[:5]):
            if task == "page-031":
                story.failed(at := at + 3.0, task, "exit status 2\nsyntax error in pages/031/index.html", 0.11)
            else:
                story.done(at := at + 9.0 + n, task, 0.08)
        while story.coordinator.state.lane.batch is not None and len(story.coordinator.state.lane.queue) > 2:
            story.lands(at := at + 2.0)
    story.starts(at := at + 1.0)
    for record in story.coordinator.state.tasks:
        if record.state == "running":
            story.tails[record.id, record.attempt] = f"Write pages/{record.id[-3:]}/index.html"
    return story


SCREENS: Mapping[str, Callable[[], list[str]]] = {
    "work": lambda: at_work().screen(424.0),
    "trouble": lambda: in_trouble().screen(571.0),
    "stopping": lambda: stopping().screen(580.0),
    "many": lambda: (story := many()).screen(story.at + 21.0),
}


def render(name: str) -> str:
    return "\n".join(("```text", *SCREENS[name](), "```"))


def insert(page: str) -> str:
    """The page with its screens drawn again."""
    return BLOCK.sub(lambda found: f"{found[1]}{render(found[2])}\n{found[3]}", page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(insert(path.read_text()))
