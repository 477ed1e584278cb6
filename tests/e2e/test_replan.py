"""`resume --replan`: a run goes on with its plan file as it is now (R8.4)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from e2e.held import WAIT_FOR_GO, Held
from e2e.toy import until
from stretto.cli.place import View, view
from stretto.cli.replan import ask
from stretto.engine.home import RunHome

PLAN = """\
name: replanned
phases:
  - id: p
    tasks:
      - {id: a, prompt: x, writes: [a.txt]}
      - {id: b, prompt: x, writes: [b.txt]}
      - {id: c, prompt: x, depends_on: [a], writes: [c.txt]}
      - {id: d, prompt: x, depends_on: [a], writes: [d.txt]}
"""
OTHER = """\
name: replanned
phases:
  - id: p
    tasks:
      - {id: a, prompt: x, writes: [a.txt]}
      - {id: b, prompt: x, writes: [b.txt]}
      - {id: c, prompt: better, depends_on: [new], writes: [c.txt]}
      - {id: new, prompt_file: new.md, depends_on: [a], writes: [new.txt]}
"""

EPIC = """\
---
name: e
status: backlog
progress: 0%
prd: .claude/prds/e.md
---
# Epic: e
"""
ISSUE = """\
---
name: {0}
status: open
depends_on: []
parallel: true
---
# Task: {0}

## Description
Write {0}.txt with the word in it.
"""


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    """A run that was stopped after `a` and `b` had landed."""
    toy = Held(tmp_path, {"README": "hi\n"})
    plan(toy, PLAN)
    front = toy.front("run", str(tmp_path / "plan.yaml"), "--agent", WAIT_FOR_GO, "-j", "2", "--yes")
    toy.began(2)
    front.send_signal(signal.SIGINT)
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    toy.go()
    assert toy.end(front) == 130
    assert toy.states() == {"a": "succeeded", "b": "succeeded", "c": "ready", "d": "ready"}
    return toy


def plan(toy: Held, text: str) -> None:
    (toy.root / "plan.yaml").write_text(text)
    (toy.root / "new.md").write_text("the words of new\n")


def test_r8_4_an_edited_plan_is_gone_on_with(toy: Held) -> None:
    plan(toy, OTHER)
    done = toy.stretto("resume", "--replan")
    assert "the plan has changed: 1 added, 1 changed, 1 gone" in done.stdout
    assert "the plan file has changed since" not in done.stdout
    assert toy.states() == {
        "a": "succeeded", "b": "succeeded", "c": "succeeded", "new": "succeeded", "d": "cancelled",
    }  # fmt: skip
    assert toy.status()["state"] == "succeeded"
    names = toy.git("ls-tree", "--name-only", toy.branch()).split()
    assert {"a.txt", "b.txt", "c.txt", "new.txt"} <= set(names) and "d.txt" not in names
    assert "the words of new" in toy.stretto("logs", "new", "--prompt").stdout
    assert "gone from the plan" in toy.stretto("explain", "d").stdout
    toy.stretto("report")


def test_r8_4_without_it_the_run_goes_on_with_the_plan_it_recorded(toy: Held) -> None:
    plan(toy, OTHER)
    told = " ".join(toy.stretto("resume").stdout.split())
    assert "the plan file has changed since" in told
    way = f"stretto resume {toy.status()['run']} --replan"
    assert f"when this has been stopped or is over: {way} " in f"{told} "
    assert toy.states() == dict.fromkeys("abcd", "succeeded")
    toy.stretto(*way.split()[1:])
    assert toy.states()["new"] == "succeeded", "what it said can be done"


def test_r8_4_a_longer_plan_opens_a_finished_run_again(toy: Held) -> None:
    toy.stretto("resume")
    assert toy.status()["state"] == "succeeded"
    assert "says nothing else" in toy.stretto("resume", "--replan").stdout
    plan(toy, PLAN + "      - {id: e, prompt: x, depends_on: [d], writes: [e.txt]}\n")
    toy.stretto("resume", "--replan")
    assert toy.states() == dict.fromkeys("abcde", "succeeded")
    assert toy.status()["state"] == "succeeded"
    (kept,) = toy.state.rglob("plan/plan.yaml")
    kept.write_text(PLAN)  # as one leaves it who is killed when the run has been told and the copy not been made
    assert "says nothing else" in toy.stretto("resume", "--replan").stdout
    assert kept.read_text() == (toy.root / "plan.yaml").read_text()


def test_r6_4_what_landed_as_the_plan_was_before_is_done_again_by_a_later_run(toy: Held) -> None:
    plan(toy, OTHER.replace("{id: a, prompt: x, writes: [a.txt]}", "{id: a, prompt: x, writes: [a.txt, z.txt]}"))
    said = " ".join(toy.stretto("resume", "--replan").stdout.split())
    assert "1 gone; what it says of 'a' now is left for a new run: it has landed" in said
    toy.stretto("land")
    told = " ".join(toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", WAIT_FOR_GO, "--dry-run").stdout.split())
    assert "done already: 3 tasks" in told, "b, c and new; what `a` is to write now, nobody has written"


def test_r8_4_a_landed_task_that_the_plan_has_no_more_is_named(toy: Held) -> None:
    without = PLAN.replace("      - {id: b, prompt: x, writes: [b.txt]}\n", "")
    plan(toy, without)
    said = " ".join(toy.stretto("resume", "--replan").stdout.split())
    assert "0 gone; 'b' is not in it any more, but done: its work stays" in said
    assert toy.states() == dict.fromkeys("abcd", "succeeded")
    assert "'b'" not in toy.stretto("resume", "--replan").stdout, "once is enough"


def test_r8_4_a_plan_that_nobody_has_taken_yet_is_followed_by_the_next(toy: Held) -> None:
    (home,) = (RunHome(path=path.parent) for path in toy.state.rglob("journal.sqlite3"))
    plan(toy, OTHER)
    told = ask(seen(home), force=False)  # whoever asked was killed before an engine began
    assert told == "the plan has changed: 1 added, 1 changed, 1 gone"
    plan(toy, PLAN)
    assert "the plan has changed: 0 added, 2 changed, 1 gone" in toy.stretto("resume", "--replan").stdout
    assert toy.states() == {**dict.fromkeys("abcd", "succeeded"), "new": "cancelled"}


def seen(home: RunHome) -> View:
    found = view(home)
    assert found is not None
    return found


def test_r8_4_a_plan_of_several_files_may_get_another_file(tmp_path: Path) -> None:
    epic = {"epic.md": EPIC, "001.md": ISSUE.format("one")}
    toy = Held(tmp_path, {f".claude/epics/e/{name}": text for name, text in epic.items()})
    folder = toy.repository / ".claude" / "epics" / "e"
    agent = ("--agent", "shell: exit 1")
    toy.stretto("run", str(folder / "epic.md"), *agent, "--attempts", "1", "--yes", code=1)
    toy.stretto("retry", "001")
    assert "has changed since" not in toy.stretto("resume", code=1).stdout
    (folder / "002.md").write_text(ISSUE.format("two"))
    toy.stretto("retry", "001")
    said = toy.stretto("resume", code=1).stdout
    assert "note: the plan file has changed since" in said, said
    assert "1 added" in toy.stretto("resume", "--replan", code=1).stdout
    assert set(toy.states()) == {"001", "002"}


def test_r8_4_files_of_a_plan_that_go_are_noticed_and_those_that_are_not_in_the_run_are_not(tmp_path: Path) -> None:
    names = {"001": "one", "002": "two", "003": "three"}
    epic = {"epic.md": EPIC, **{f"{id}.md": ISSUE.format(name) for id, name in names.items()}}
    toy = Held(tmp_path, {f".claude/epics/e/{name}": text for name, text in epic.items()})
    run = ("run", ".claude/epics/e", "--agent", "shell: exit 1", "--attempts", "1", "--yes")
    for part, gone in ((("--only", "001,002"), False), (("--new",), True)):
        toy.stretto(*run, *part, code=1)
        (toy.repository / ".claude/epics/e/003.md").rename(toy.root / "003.md")
        toy.stretto("retry", "001")
        assert ("has changed since" in toy.stretto("resume", code=1).stdout) is gone
        (toy.root / "003.md").rename(toy.repository / ".claude/epics/e/003.md")


def test_r6_4_in_place_the_file_that_came_later_is_closed_too(tmp_path: Path) -> None:
    epic = {"epic.md": EPIC, "001.md": ISSUE.format("one")}
    toy = Held(tmp_path, {f".claude/epics/e/{name}": text for name, text in epic.items()})
    folder = toy.repository / ".claude" / "epics" / "e"
    agent = ("--agent", "shell: test $STRETTO_TASK = 002 -o -e again && echo x > $STRETTO_TASK.txt")
    toy.stretto("run", str(folder), *agent, "--attempts", "1", "--isolation", "none", "--yes", code=1)
    (folder / "002.md").write_text(ISSUE.format("two"))
    toy.stretto("resume", "--replan", code=1)
    assert toy.states() == {"001": "failed", "002": "succeeded"}
    assert "\nstatus: closed\n" in (folder / "002.md").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAN.replace("[a], writes: [d.txt]", "[nobody], writes: [d.txt]"), "nobody"),
        (PLAN.replace("depends_on: [a], writes: [c.txt]", "depends_on: [d], writes: [c.txt]").replace(
            "depends_on: [a], writes: [d.txt]", "depends_on: [c], writes: [d.txt]"), "plan.yaml"),
        (PLAN.replace("id: d,", "id: d, agent: other,"), "is for agent 'other', which this run does not have"),
        (PLAN + "gates: {verify: make}\n", "`gates` of the plan has changed"),
        ("", "empty"),
    ],
)  # fmt: skip
def test_r8_4_a_plan_that_the_run_cannot_have_is_refused_and_changes_nothing(toy: Held, text: str, said: str) -> None:
    before = toy.status()
    plan(toy, text)
    done = toy.stretto("resume", "--replan", code=2)
    assert said in done.stderr
    assert "hint: " in done.stderr
    assert toy.status()["tasks"] == before["tasks"]


def test_force_is_for_replan(toy: Held) -> None:
    assert "--force is for --replan" in toy.stretto("resume", "--force", code=2).stderr
