"""Every hint is a command that works: each verb's advice, provoked in real repositories and taken (section 6)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from e2e.hints import Adviser, advice
from e2e.toy import Toy, until
from stretto.cli.main import app

ODD = """it's "q" é $HOME"""
FAILING = f"""\
name: it's odd
tasks:
  - {{id: good, prompt: "write good.txt x\\nappend long.txt x", writes: [good.txt, long.txt]}}
  - {{id: -x, prompt: fail failed, writes: [x.txt], attempts: 1}}
  - {{id: '{ODD.replace("'", "''")}', prompt: fail failed, writes: [y.txt], attempts: 1}}
  - {{id: after, prompt: write z.txt x, writes: [z.txt], depends_on: [-x]}}
"""
ASKING = """\
name: ask
tasks:
  - {id: --help, prompt: write a.txt x, writes: [a.txt], verify: [{approval: Is it good?}]}
  - {id: a b, prompt: write b.txt x, writes: [b.txt], verify: [{approval: Is it good?}]}
"""
BROKEN = "name: b\ntasks:\n  - {id: a, prompt: x, depends_on: [no]}\n  - {id: b, prompt: x, depends_on: [none]}\n"
ROOT = Path(__file__).parents[2]
VERBS: dict[str, Any] = vars(get_command(app))["commands"]
COMMAND = re.compile(
    r"""(?:["'`]|: |\\n|&& )stretto ([a-z]+)((?: (?:--?[a-z-]+|[A-Z]+|\{[^{}]*\}))*)(?=["'`;]|\\n| &&)"""
)
"""A command in the source, no sentence that begins with the word: the verb, and what follows it."""
ON_SOMETHING = re.compile(r"""on_(?:task|plan)\("([a-z]+)"(.*)""")
"""One that is put together from parts."""
PLANS = {"fail it.yaml": FAILING, "ask.yaml": ASKING, "-broken.yaml": BROKEN}


@pytest.fixture
def adviser(tmp_path: Path) -> Adviser:
    toy = Toy(tmp_path / "toy", {"long.txt": "1\n" * 9, ".gitignore": "*.yaml\n"}, folder="re po")
    toy.write(PLANS)
    return Adviser(toy)


def begun(adviser: Adviser, plan: str, code: int) -> str:
    """The id of a run of that plan, which ends with that code."""
    adviser.toy.stretto("run", plan, "--agent", "scripted", "--yes", code=code)
    return str(adviser.toy.status()["run"])


def test_before_there_is_a_run(adviser: Adviser) -> None:
    toy, take = adviser.toy, adviser.take
    assert [*take("status"), *take("runs")] == []  # `stretto run PLAN` stands there as a form
    assert take("statsu") == ["--help"]
    assert take("run") == ["run"]
    assert take("show", "fail it.yaml", "--prompt", "no") == ["show"]
    assert take("run", "--", "-broken.yaml") == take("show", "--", "-broken.yaml") == ["check"]
    assert take("config", "nope") == ["config"]
    assert take("run", "fail it.yaml", "--base", "nope") == ["git log"]
    toy.env = {name: value for name, value in toy.env.items() if not name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))}
    assert take("doctor") == ["git config", "git config", "init"]
    assert take("init") == ["check", "run"]
    assert take("init") == ["config"]


def test_where_no_run_is_possible(adviser: Adviser) -> None:
    toy = adviser.toy
    for made, advised in (
        ("mkdir", ["git init"]),
        ("git init -q", ["git add && git commit"]),
        (f"git clone -q --bare '{toy.repository}'", ["git worktree"]),
    ):
        toy.repository = toy.root.parent / made.replace(" ", "-").replace("/", "-")[:12] / "it"
        toy.repository.parent.mkdir()
        adviser.shell(f"{made} it", toy.repository.parent)
        assert adviser.take("runs") == advised


def test_after_failures(adviser: Adviser) -> None:
    toy, take = adviser.toy, adviser.take
    begun(adviser, "fail it.yaml", 1)
    assert take("status") == take("report", "--json") == ["explain", "retry && resume", "land"]
    assert take("explain", "--", "-x") == take("explain", ODD) == ["logs"]
    assert take("explain", "nope") == ["status"]
    assert take("logs", "after") == ["explain"]
    assert take("land", "nope") == ["runs"]
    assert take("clean") == ["land", "abandon"]
    with adviser.apart():
        second = begun(adviser, "fail it.yaml", 1)  # nothing of it lands, but it builds on what has landed
        assert take("clean", second, "--apply") == ["land", "abandon"]
    with adviser.apart():
        assert take("retry") == ["resume"]
        assert take("status") == ["resume", "land"]
    with adviser.apart():
        assert take("abandon") == ["abandon", "clean"]
        assert take("status") == ["clean"] and take("resume") == take("land") == ["abandon"]
    with adviser.apart():
        toy.stretto("land")
        toy.stretto("clean", "--work", "--apply")
        assert take("logs", "good") == ["explain"] and take("explain", "good") == []


def test_with_something_in_the_way_of_landing(adviser: Adviser) -> None:
    run = begun(adviser, "fail it.yaml", 1)
    branch = f"stretto/{run}"
    solved = f"git merge {branch}; git add good.txt && git commit -qm solved"
    clash = "echo mine > good.txt && git add good.txt && git commit -qm mine"
    for state, advised, first in (
        (f"git branch -D {branch}", ["git branch && land"], ""),
        (f"git branch -f {branch} main", ["git branch && land"], ""),
        ('git switch -qc "it\'s"', ["git switch && land"], ""),
        ("echo mine > good.txt", ["mv && land"], ""),
        ("echo mine > good.txt; echo good.txt >> .git/info/exclude", ["mv && land"], ""),
        ("sed -i 1s/1/mine/ long.txt", ["git stash && land && git stash"], ""),
        ("touch .git/index.lock", ["rm && land"], ""),
        (clash, ["git merge", "land"], solved),
        (f"{clash}; git merge {branch}", ["git status", "land"], "git merge --abort; git reset -q --hard HEAD~"),
    ):
        with adviser.apart():
            adviser.shell(state)
            assert adviser.take("land", first=first) == advised, state
    assert adviser.take("land", "--push", "nowhere") == ["git remote"]
    adviser.shell("git remote add origin ../origin")
    assert adviser.take("land", "--push", "origin", first="git init -q --bare ../origin") == ["git push"]


def test_with_something_in_the_way_of_a_run(adviser: Adviser) -> None:
    scripted = ("run", "ask.yaml", "--agent", "scripted")
    assert adviser.take(*scripted, "--branch", "main/x") == ["git branch"]
    branch = f"stretto/{begun(adviser, 'ask.yaml', 4)}"
    for task in ("a b", "--help"):
        adviser.toy.stretto("approve", "--", task)
    for state, advised in (
        (f"git worktree add -q '../w w' {branch}", "git -C && resume"),
        (f"git branch -D {branch}", "git branch && resume"),
        (f"git branch -f {branch} $(git commit-tree main^{{tree}} -m x)", "git branch && resume"),
    ):
        with adviser.apart():
            adviser.shell(state)
            assert adviser.take("resume") == adviser.take("status") == [advised], state


def test_while_a_person_is_waited_for(adviser: Adviser) -> None:
    take = adviser.take
    begun(adviser, "ask.yaml", 4)
    assert take("status") == ["explain", "approve", "approve", "resume"]
    assert take("explain", "--", "--help") == ["git show", "approve", "approve", "resume", "logs"]
    assert take("run", "ask.yaml", "--agent", "scripted") == ["resume", "abandon"]
    assert take("doctor") == ["resume", "abandon", "init"]
    assert take("approve", "a b") == ["resume"]
    assert take("approve", "a b") == ["status"]


def test_while_it_runs_and_after_it_was_killed(adviser: Adviser) -> None:
    toy = adviser.toy
    mark = toy.root / "mark"
    slow = f"shell: touch {mark}-$STRETTO_TASK; until [ -e {mark} ]; do sleep 0.05; done; echo x > $STRETTO_TASK.txt"
    start = ("run", "slow.yaml", "--agent", slow)
    toy.write({"slow.yaml": "name: slow\ntasks: [{id: a, prompt: x, writes: [a.txt]}]\n"})
    said = adviser.hear(*start, "--detach")
    until(Path(f"{mark}-a").exists, "the agent begins")
    heard = [advice(said), *(advice(adviser.hear(*words)) for words in (start, ("resume",), ("abandon",), ("clean",)))]
    watch, stop = (one.command for one in heard[0])
    assert [[one.verbs for one in told] for told in heard] == [
        ["status", "stop"], ["status"], ["status", "stop"], ["stop"], ["stop"],
    ]  # fmt: skip
    status = heard[1][0].command
    for pid, _ in toy.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not toy.processes(), "all of it is gone")
    mark.touch()
    assert adviser.take("status") == ["resume"] and adviser.take("explain", "a") == ["resume", "logs"]
    mark.unlink()
    toy.stretto("resume", "--detach")
    until(lambda: toy.agents(), "the agent begins again")
    done = adviser.shell(f"{watch} & {status} && {stop} && touch {mark} && wait $!")
    assert done.returncode == 0, done.stdout
    until(lambda: not toy.processes(), "the run stops")


def test_commands_stay_whole_on_a_terminal(adviser: Adviser) -> None:
    begun(adviser, "fail it.yaml", 1)
    adviser.toy.write({"good.txt": "mine\n"})
    for words in (("status",), ("explain", ODD), ("land",)):
        told = advice(adviser.hear(*words))
        assert told and advice(adviser.hear_at_terminal(*words)) == told, words


def test_commands_in_the_source_are_of_the_command_line() -> None:
    known = {name: {word for one in verb.params for word in one.opts} for name, verb in VERBS.items()}
    found = list[tuple[str, str]]()
    for path in (ROOT / "src" / "stretto").rglob("*.py"):
        found += [*COMMAND.findall(path.read_text()), *ON_SOMETHING.findall(path.read_text())]
    assert {verb for verb, _ in found} > {"run", "resume", "land", "clean", "explain", "logs", "check", "status"}
    for verb, rest in found:
        assert verb in known, f"there is no `stretto {verb}{rest}`"
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest):
            assert option in {"--help", *known[verb]}, f"`stretto {verb}` has no {option}"
