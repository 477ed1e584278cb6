"""The demo's stage: a toy repository, a plan whose agents play scripts, and the proof of what they did."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from stretto.core import events as ev
from stretto.core.recovery import replay
from stretto.engine.home import RunHome
from stretto.engine.reader import SqliteReader
from stretto.engine.strays import sweep
from stretto.errors import RepositoryError, StateError
from stretto.model.plan import Value
from stretto.observe.paint import Paint

PLAN = """\
name: shop
phases:
  - id: groundwork
    tasks:
      - {id: schema, writes: [db/**], prompt: "sleep 0.6\\nwrite db/schema.sql create table users (name text);"}
      - {id: style, writes: [web/style.css], prompt: "sleep 0.8\\nwrite web/style.css body { color: black }"}
  - id: features
    depends_on: [groundwork]
    tasks:
      # login and search write the same file, so they never run at the same time; nobody had to say so.
      - id: login
        writes: [app/login.py, app/routes.py]
        prompt: "sleep 0.8\\nwrite app/login.py # login\\nappend app/routes.py /login"
      - id: search
        writes: [app/search.py, app/routes.py]
        prompt: "sleep 0.8\\nwrite app/search.py # search\\nappend app/routes.py /search"
      # The first attempt fails, as networks do; it is tried again two seconds later.
      - id: mail
        writes: [app/mail.py]
        prompt: "sleep 0.3\\nfail transient the mail server is busy times 1\\nwrite app/mail.py # mail"
      # The first attempt leaves a TODO behind and says that it is done; the check does not believe it.
      - {id: profile, writes: [app/profile.py], agent: hasty, prompt: Write it, verify: ["! grep TODO app/profile.py"]}
  - id: finish
    depends_on: [features]
    tasks:
      - {id: docs, writes: [docs/**], prompt: "sleep 0.4\\nwrite docs/index.md The shop"}
      - id: release
        depends_on: [docs]
        writes: [CHANGELOG.md]
        prompt: write CHANGELOG.md 1.0
        verify: [test -s docs/index.md, grep -q /login app/routes.py, grep -q /search app/routes.py]
gates: {verify: [test -s README.md]}
"""
SETTINGS = """\
parallel = 4

[agents.hasty]
command = '''
sleep 0.4; mkdir -p app
if [ "$STRETTO_ATTEMPT" = 1 ]; then echo "# TODO"; else echo "# profile"; fi > app/profile.py
'''
"""
FILES = (
    "app/login.py", "app/mail.py", "app/profile.py", "app/routes.py", "app/search.py", "db/schema.sql",
    "docs/index.md", "web/style.css", "CHANGELOG.md",
)  # fmt: skip
TASKS = ("schema", "style", "login", "search", "mail", "profile", "docs", "release")


class Stage(Value, frozen=True, kw_only=True):
    """Everything of one demo lies below `path`."""

    folder: Path
    path: str
    paint: Paint

    @property
    def repository(self) -> Path:
        return Path(self.path) / "shop"

    @property
    def run(self) -> RunHome:
        """The one run of the demo. Raises StateError when there is not exactly one."""
        runs = list((Path(self.path) / "state").glob("*/runs/*/launch.json"))
        if len(runs) != 1:
            raise StateError(f"the demo should have left one run, and left {len(runs)}")
        return RunHome(path=runs[0].parent)

    def build(self) -> None:
        """The toy repository, with the plan in it."""
        self.repository.mkdir()
        (self.repository / "README.md").write_text("A toy shop.\n")
        (self.repository / "plan.yaml").write_text(PLAN)
        (self.repository / "stretto.toml").write_text(SETTINGS)
        for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "An empty shop, and a plan")):
            self._call("git", *words)

    def say(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def perform(self, *words: str) -> None:
        """Run a command as a person would type it, its output on ours. Raises StateError when it fails."""
        print(self.paint(f"\n$ {shlex.join(words)}", "bold"), flush=True)
        self._call(*words)

    def output(self, *words: str) -> str:
        return self._call(*words, capture=True)

    def _call(self, *words: str, capture: bool = False) -> str:
        argv = [sys.executable, "-m", "stretto", *words[1:]] if words[0] == "stretto" else list(words)
        try:
            done = subprocess.run(
                argv, cwd=self.repository, env=self._environment(), stdin=subprocess.DEVNULL, check=False,
                stdout=subprocess.PIPE if capture else None, text=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise RepositoryError(f"{argv[0]} is not installed", hint="install git 2.38 or newer") from error
        if done.returncode:
            raise StateError(f"`{shlex.join(words)}` ended with {done.returncode}", hint=f"look at {self.repository}")
        return done.stdout or ""

    def _environment(self) -> dict[str, str]:
        """Nobody's settings, and a state folder of the demo's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "STRETTO_"))}
        who = {f"GIT_{role}_{key}": "demo" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"}
        own = {"STRETTO_STATE_DIR": str(Path(self.path) / "state"), "XDG_CONFIG_HOME": str(Path(self.path) / "config")}
        return kept | who | plain | own


def prove(stage: Stage) -> Iterator[tuple[str, bool]]:
    """(claim, whether it is true), from the journal and from git, never from what the commands said."""
    home = stage.run
    events = [recorded.event for recorded in SqliteReader(home).events()]
    state = replay(events).state
    work = _work(events)
    landed = _landed(events)
    yield "all eight tasks landed, each once", sorted(landed) == sorted(TASKS) and state.ended == "succeeded"
    yield (
        "tasks ran at the same time",
        any(a != b and a_start < b_end and b_start < a_end for a, a_start, a_end in work for b, b_start, b_end in work),
    )
    first, second = sorted(("login", "search"), key=lambda task: landed.get(task, 0.0))
    begun = min((start for task, start, _ in work if task == second), default=0.0)
    yield f"{first} and {second} write one file and took turns", landed.get(first, begun + 1) <= begun
    verdicts = [event.verdict for event in events if isinstance(event, ev.AttemptGated) and event.task == "profile"]
    yield "a check was red, the task went back, and it was green", verdicts == ["red", "green"]
    failures = [event for event in events if isinstance(event, ev.AttemptFailed) and event.task == "mail"]
    yield (
        "a failure that passes was tried again",
        ([event.failure.kind for event in failures] == ["transient"] and "mail" in landed),
    )
    yield (
        "later phases started from what had landed",
        all(
            landed.get(before, begun + 1) <= begun
            for task, begun, _ in work
            for before in {"release": ("docs",), "docs": TASKS[:6], "login": TASKS[:2]}.get(task, ())
        ),
    )
    files = stage.output("git", "ls-tree", "-r", "--name-only", "main").split()
    yield "everything is on your branch", set(FILES) <= set(files)
    routes = (stage.repository / "app" / "routes.py").read_text().split()
    yield "with both edits of the shared file", sorted(routes) == ["/login", "/search"]
    yield "your work tree is clean", not stage.output("git", "status", "--porcelain")
    yield "no process was left behind", sweep(home.run) == 0


def _work(events: list[ev.Event]) -> list[tuple[str, float, float]]:
    """(task, from, to) of every attempt, in seconds since the epoch."""
    begun: dict[tuple[str, int], float] = {}
    work = []
    for event in events:
        match event:
            case ev.AttemptStarted():
                begun[event.task, event.attempt] = event.at
            case ev.AttemptFinished() | ev.AttemptFailed():
                work.append((event.task, begun.pop((event.task, event.attempt), event.at), event.at))
    return work


def _landed(events: list[ev.Event]) -> dict[str, float]:
    """When each task landed. Raises StateError for one that landed twice."""
    landed: dict[str, float] = {}
    for event in events:
        for entry in event.landed if isinstance(event, ev.BatchLanded) else ():
            if entry.task in landed:
                raise StateError(f"{entry.task} landed twice")
            landed[entry.task] = event.at
    return landed
