"""Running a plan again, landing twice, answering twice: what has happened is known, and said."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest

from e2e.toy import Toy, until

PLAN = """\
name: again
phases:
  - id: one
    tasks:
      - {id: a, prompt: write a.txt first, writes: [a.txt]}
      - {id: b, prompt_file: b.md, writes: [b.txt]}
  - id: two
    depends_on: [one]
    tasks:
      - {id: c, prompt: write c.txt third, writes: [c.txt]}
"""
ASK = """\
name: ask
phases:
  - id: p
    tasks:
      - {id: design, prompt: write d.txt x, writes: [d.txt], verify: [{approval: Is it good?}]}
      - {id: other, prompt: write o.txt x, writes: [o.txt]}
"""
STOP = """\
name: stop
phases:
  - id: p
    tasks:
      - {id: bad, prompt: fail permanent no such model, writes: [a.txt]}
      - {id: good, prompt: write b.txt x, writes: [b.txt]}
"""
SCRIPTED = ("--agent", "scripted", "--yes")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n"})
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "b.md").write_text("write b.txt second\n")
    (tmp_path / "ask.yaml").write_text(ASK)
    (tmp_path / "stop.yaml").write_text(STOP)
    return toy


def test_r6_4_what_has_landed_is_not_done_again(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--phase", "one")
    toy.stretto("land")
    second = toy.stretto("run", "../plan.yaml", *SCRIPTED, "--phase", "two").stdout
    assert "not done" not in second, "what two needs has landed"
    assert toy.states() == {"c": "succeeded"}
    toy.stretto("land")

    done = toy.stretto("run", "../plan.yaml", "--yes").stdout  # no agent: there is nothing to do
    assert "3 tasks landed by an earlier run" in done and "--ignore-status" in done
    assert "nothing is left to do" in done

    (toy.root / "plan.yaml").write_text(PLAN.replace("write a.txt first", "write a.txt changed"))
    (toy.root / "b.md").write_text("write b.txt changed\n")
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--land")
    assert {task["id"]: task["attempts"] for task in toy.status()["tasks"]} == {"a": 1, "b": 1, "c": 0}
    assert (toy.repository / "b.txt").read_text() == "changed\n"

    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--ignore-status", "--only", "c", code=1)
    assert toy.states() == {"c": "failed"}, "it was done again, and found nothing to change"


def test_r6_4_what_the_base_lacks_is_done_again(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--land")
    toy.git("reset", "-q", "--hard", "HEAD~1")  # the last landing is gone
    left = toy.stretto("run", "../plan.yaml", *SCRIPTED, "--dry-run", "--base", "HEAD").stdout
    assert "2 tasks landed by an earlier run" in left


def test_landing_is_known_afterwards(toy: Toy) -> None:
    toy.stretto("run", "../stop.yaml", *SCRIPTED, "--only", "bad", code=1)
    assert "nothing of" in toy.stretto("land", code=3).stderr
    said = toy.stretto("run", "../plan.yaml", *SCRIPTED, "--land").stdout
    assert "landed again-" in said and "next: stretto land" not in said
    run = toy.status()["run"]
    assert "stretto land" not in toy.stretto("status").stdout
    assert "stretto land" not in toy.stretto("resume").stdout
    (row,) = (line for line in toy.stretto("runs").stdout.splitlines() if line.startswith(run))
    assert "on your branch" in row


def test_landing_is_known_also_where_the_branch_had_moved(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED)
    toy.commit("meanwhile", {"own.txt": "x\n"})
    assert "next: stretto land" in toy.stretto("status").stdout
    assert "merged with what main had got" in toy.stretto("land").stdout
    assert "stretto land" not in toy.stretto("status").stdout
    assert "nothing is left to do" in toy.stretto("run", "../plan.yaml", "--yes").stdout


def test_r8_3_an_answer_is_seen_before_it_counts(toy: Toy) -> None:
    said = toy.stretto("run", "../ask.yaml", *SCRIPTED, code=4).stdout
    assert "waits for your word: Is it good?" in said and "git show" in said
    assert "stretto approve design --run" in toy.stretto("explain", "design").stdout
    toy.stretto("approve", "design")
    for verb in (["status"], ["explain", "design"]):
        seen = toy.stretto(*verb).stdout
        assert "asked for: approve design" in seen and "stretto approve" not in seen
    assert "'design' has been answered already: yes" in toy.stretto("approve", "design", "--reject", code=3).stderr
    toy.stretto("resume")
    assert toy.states() == {"design": "succeeded", "other": "succeeded"}


def test_r8_4_a_run_that_stopped_by_its_policy_goes_on(toy: Toy) -> None:
    said = toy.stretto("run", "../stop.yaml", *SCRIPTED, "-j", "1", "--on-failure", "stop", code=1).stdout
    assert "no such model" in said.rpartition(" failed (")[2]
    why = toy.stretto("explain", "good").stdout
    assert "the run has ended" in why and "stretto resume" in why and "may start now" not in why
    toy.stretto("resume", code=1)
    assert toy.states() == {"bad": "failed", "good": "succeeded"}
    refused = toy.stretto("cancel", "bad", "good", code=3).stderr
    assert "none of them is cancelled" in refused


def test_only_and_phase_mean_what_is_in_both(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a,c", "--phase", "one")
    assert toy.states() == {"a": "succeeded"}
    assert (
        "in phase 'two'"
        in toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a", "--phase", "two", code=2).stderr
    )


def test_r6_4_a_task_that_has_changed_is_done_again_on_top_of_what_was_landed(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED)
    (toy.root / "plan.yaml").write_text(PLAN.replace("write a.txt first", "write a.txt once more"))
    again = toy.stretto("run", "../plan.yaml", *SCRIPTED)
    assert "done again, because the plan has changed: a\n" in again.stdout + again.stderr
    assert toy.states() == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    toy.stretto("land")
    assert (toy.repository / "a.txt").read_text() == "once more\n"
    assert (toy.repository / "c.txt").read_text() == "third\n"


def test_r6_4_what_a_newer_run_has_brought_home_is_not_built_on_again(toy: Toy) -> None:
    """The older run's landings lie beside the user's branch, and nobody wants them any more."""
    toy.stretto("run", "../plan.yaml", *SCRIPTED)
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--ignore-status", "--land")
    done = toy.stretto("run", "../plan.yaml", "--yes")
    said = done.stdout + done.stderr
    assert "nothing is left to do" in said and "not in your branch" not in said and "stretto land" not in said


def test_r6_3_landing_part_of_a_run_says_first_what_is_not_in_it(toy: Toy) -> None:
    names = ", ".join(f"{{id: t{n}, prompt: write t{n}.txt x, depends_on: [gone]}}" for n in range(9))
    gone = "{id: gone, prompt: wait nothing.txt, depends_on: [first]}"
    toy.write({"part.yaml": f"name: part\ntasks: [{{id: first, prompt: write f.txt x}}, {gone}, {names}]\n"})
    front = toy.front("run", "part.yaml", *SCRIPTED)
    until(lambda: toy.states().get("gone") == "running", f"the second is at work; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    front.wait(timeout=60)
    said = toy.stretto("land").stdout
    assert said.startswith("note: the run is not finished: 1 of 11 tasks landed; resume and land again for the rest")
    left = said.index(f"not in it: gone, {', '.join(f't{n}' for n in range(9))}\n")
    assert left < said.index("landed part-"), "before anything moves"


APPROVED = (
    "name: asks\ntasks:\n  - {id: look, prompt: write l.txt x, writes: [l.txt], verify: [{approval: Good?}]}\n"
    "  - {id: mid, prompt: write m.txt x, depends_on: [look]}\n"
    "  - {id: end, prompt: write e.txt x, depends_on: [mid]}\n"
)


def test_what_waits_behind_a_person_is_told_to_ask_first(toy: Toy) -> None:
    toy.write({"asks.yaml": APPROVED})
    toy.stretto("run", "asks.yaml", *SCRIPTED, code=None)
    run = toy.status()["run"]
    ways = [text.strip() for text in toy.stretto("explain", "end").stdout.splitlines() if text.startswith("  stretto ")]
    assert ways == [f"stretto approve look --run {run}", f"stretto resume {run}"]
    toy.stretto("approve", "look")
    after = toy.stretto("explain", "end").stdout
    assert "stretto approve" not in after and f"stretto resume {run}" in after


@pytest.mark.parametrize("verb", ["diff", "logs"])
def test_what_was_done_before_a_run_is_named_with_the_run_that_did_it(toy: Toy, verb: str) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a", "--land")
    first = toy.status()["run"]
    toy.stretto("run", "../plan.yaml", *SCRIPTED)
    assert toy.status()["run"] != first
    said = toy.stretto(verb, "a", code=3).stderr
    assert f"'a' was done before this run, by {first}" in said
    assert f"stretto {verb} a --run {first}" in said
    toy.stretto(verb, "a", "--run", first)


def test_r6_4_only_what_has_landed_and_is_not_in_the_branch_is_counted(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a", "--land")
    toy.stretto("run", "../plan.yaml", *SCRIPTED)
    run = toy.status()["run"]
    done = toy.stretto("run", "../plan.yaml", *SCRIPTED, "--dry-run")
    assert f"2 tasks of the earlier run {run} landed and not in your branch yet" in done.stdout + done.stderr


def test_an_answer_that_another_run_waits_for_is_told_with_its_command(tmp_path: Path) -> None:
    asks = "name: asks\ntasks:\n- {id: a, prompt: write a.txt first, verify: [{approval: Does it read well?}]}\n"
    toy = Toy(tmp_path, {"asks.yaml": asks, "plain.yaml": "name: plain\ntasks: [{id: b, prompt: write b.txt first}]\n"})
    toy.stretto("run", "asks.yaml", "--agent", "scripted", code=4)
    waiting = toy.branch().removeprefix("stretto/")
    toy.stretto("run", "plain.yaml", "--agent", "scripted")
    latest = toy.status()["run"]
    told = toy.stretto("approve", "a", "--note", "very well", code=None)
    assert told.returncode != 0
    assert f"'a' waits for nobody in {latest}, which is looked at first; it does in {waiting}" in told.stderr
    hint = told.stderr.partition("hint: ")[2].strip()
    assert hint == f"stretto approve a --note 'very well' --run {waiting}"
    resumed = toy.stretto("resume")
    assert f"another run of this repository is unfinished: {waiting}\n  stretto resume {waiting}\n" in resumed.stdout
    toy.stretto(*shlex.split(hint)[1:])
    toy.stretto("resume", waiting)
    assert "there is no task 'zz'" in toy.stretto("approve", "zz", code=2).stderr


def test_r6_3_what_was_done_before_a_run_is_not_counted_as_missing_from_it(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a", "--land")
    (toy.root / "plan.yaml").write_text(PLAN.replace("write c.txt third", "wait nothing.txt"))
    front = toy.front("run", "../plan.yaml", *SCRIPTED)
    until(lambda: toy.states().get("c") == "running", f"the last is at work; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    front.wait(timeout=60)
    said = toy.stretto("land").stdout
    assert said.startswith("note: the run is not finished: 1 of 2 tasks landed, 1 was done before; resume and land")
    assert "not in it: c\n" in said


def test_r6_4_a_single_task_is_built_on_in_the_singular(toy: Toy) -> None:
    toy.stretto("run", "../plan.yaml", *SCRIPTED, "--only", "a")
    done = toy.stretto("run", "../plan.yaml", *SCRIPTED, "--dry-run")
    said = " ".join((done.stdout + done.stderr).split())
    assert "1 task of the earlier run" in said
    assert "not in your branch yet: building on it (--base HEAD counts it as pending)" in said
