"""Runs in place, as a user starts them: with git and without, stopped, killed, refused and taken up again (R10.3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

import pytest

from e2e.toy import Toy, until
from stretto.cli import begin, front

WAITS = "until test -e {0}; do sleep 0.05; done"
"""Of an agent that goes on when the test says so."""


class Plain(Toy):
    """The same user in a folder without git."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        super().__init__(root, files)
        subprocess.run(["rm", "-rf", str(self.repository / ".git")], check=True)
        self.env |= {"GIT_CEILING_DIRECTORIES": str(root)}


@pytest.fixture(params=["git", "plain"])
def toy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Toy]:
    made: Callable[[Path, dict[str, str]], Toy] = Toy if request.param == "git" else Plain
    toy = made(tmp_path, {"a.txt": "a\n", ".gitignore": ".cache/\n"})
    yield toy
    for pid, _ in toy.processes():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path, {"a.txt": "a\n"})


def plan(toy: Toy, *tasks: str, name: str = "plan.yaml", more: str = "") -> str:
    lines = "".join(f"  - {task}\n" for task in tasks)
    toy.write({name: f"name: toy\nisolation: none\n{more}tasks:\n{lines}"})
    return name


def read(toy: Toy, name: str) -> str:
    return (toy.repository / name).read_text()


def shell(id: str, command: str, *more: str) -> str:
    return "{" + ", ".join((f"id: {id}", "prompt: do", f"agent: {json.dumps('shell: ' + command)}", *more)) + "}"


def test_r10_3_tasks_work_in_the_folder_itself(toy: Toy) -> None:
    made = plan(
        toy,
        shell("one", "echo 1 > one.txt", "writes: [one.txt]", 'verify: ["test -s one.txt"]'),
        shell("two", "cat one.txt > two.txt", "writes: [two.txt]", "depends_on: [one]", "artifacts: [two.txt]"),
        shell("open", "cat two.txt > three.txt"),
    )
    git = (toy.repository / ".git").exists()
    before = toy.git("for-each-ref") if git else ""
    told = toy.stretto("run", made, "--yes")
    assert f"tasks work in {toy.repository} itself" in told.stderr + told.stdout
    assert [read(toy, f"{name}.txt") for name in ("one", "two", "three")] == ["1\n"] * 3
    assert not git or toy.git("for-each-ref") == before, "no branch and no ref is made"
    status = toy.status()
    assert (status["state"], status["branch"], status["base"]) == ("succeeded", None, None)
    assert {(task["state"], task["commit"], task["ref"]) for task in status["tasks"]} == {("succeeded", None, None)}
    assert "nothing to land" in toy.stretto("land").stdout
    assert "keeps no copy" in toy.stretto("diff", "one", code=3).stderr
    assert toy.stretto("diff", "one", "--name-only").stdout == "one.txt\n"
    assert "PROCEED" in toy.stretto("report").stdout
    assert "done in place" in toy.stretto("status").stdout
    toy.stretto("explain", "two")
    assert toy.stretto("export", "-o", str(toy.root / "run.tar.gz")).returncode == 0
    assert "nothing is left to do" in toy.stretto("run", made, "--yes").stdout
    (toy.repository / "two.txt").unlink()
    assert "1 task to do" in toy.stretto("run", made, "--yes").stdout, "what it had promised is gone"
    toy.stretto("clean", "--apply", "--forget")
    assert json.loads(toy.stretto("runs", "--json").stdout) == []


def test_r2_1_r2_4_claims_take_turns_and_unknown_scope_is_alone(toy: Toy) -> None:
    """Each writes down who else is at work: a file of its own, there as long as it is."""
    busy = "touch .cache/{0}; ls .cache > {1}; sleep 0.2; ls .cache >> {1}; rm .cache/{0}"
    toy.write({".cache/x": ""})
    made = plan(
        toy,
        shell("p", busy.format("p", "seen/p"), "writes: [seen/p, both]"),
        shell("q", busy.format("q", "seen/q"), "writes: [seen/q, both]"),
        shell("r", busy.format("r", "seen/r"), "writes: [seen/r]"),
        shell("any", busy.format("any", "seen/any")),
    )
    toy.write({"seen/.keep": ""})
    toy.stretto("run", made, "--yes", "-j", "4")
    seen = {name: set(read(toy, f"seen/{name}").split()) - {"x"} for name in ("p", "q", "r", "any")}
    assert seen["any"] == {"any"}
    assert not any("any" in seen[name] for name in ("p", "q", "r"))
    assert "q" not in seen["p"]
    assert "p" not in seen["q"]


def test_r10_3_a_red_check_and_then_a_retry_that_sees_what_was_left(plain: Plain) -> None:
    work = "echo x >> work.txt"
    made = plan(plain, shell("t", work, "writes: [work.txt]", 'verify: ["test $(wc -l < work.txt) = 2"]'))
    told = plain.stretto("run", made, "--yes")
    assert "attempt 2" in told.stdout
    assert read(plain, "work.txt") == "x\nx\n"


def test_r5_1_nothing_changed_is_no_effect_and_retry_goes_on(plain: Plain) -> None:
    made = plan(plain, shell("t", "test ! -e go || echo 1 > t.txt", "writes: [t.txt]"))
    told = plain.stretto("run", made, "--yes", "--attempts", "2", code=1)
    assert "changed nothing" in told.stdout
    plain.write({"go": ""})
    plain.stretto("retry")
    plain.stretto("resume")
    assert plain.states() == {"t": "succeeded"}


def test_r6_4_statuses_are_written_as_tasks_succeed(toy: Toy) -> None:
    tasks = [
        {"id": n, "title": f"task {n}", "status": "pending", "dependencies": [n - 1] if n > 1 else [],
         "description": "", "details": "", "testStrategy": ""}
        for n in (1, 2)
    ]  # fmt: skip
    place = "tasks.json"
    toy.write({place: json.dumps({"master": {"tasks": tasks}}, indent=2)})
    command = f"shell: if test $STRETTO_TASK = 2; then {WAITS.format('go')}; fi; echo x > made-$STRETTO_TASK"
    front = toy.front("run", place, "--yes", "--isolation", "none", "--agent", command)

    def statuses() -> list[str]:
        return [task["status"] for task in json.loads(read(toy, place))["master"]["tasks"]]

    until(lambda: statuses() == ["done", "pending"], "the first is ticked while the second works")
    until(lambda: toy.states().get("2") == "running", "the second is at work")
    mine = json.loads(read(toy, place))
    mine["master"]["tasks"][1]["title"] = "edited meanwhile"
    toy.write({place: json.dumps(mine, indent=2)})
    toy.write({"go": ""})
    assert front.wait(60) == 0, toy.said()
    assert statuses() == ["done", "done"]
    assert json.loads(read(toy, place))["master"]["tasks"][1]["title"] == "edited meanwhile"
    assert (
        "nothing is left to do" in toy.stretto("run", place, "--yes", "--isolation", "none", "--agent", command).stdout
    )


def test_r8_2_killed_and_resumed(toy: Toy) -> None:
    made = plan(
        toy,
        shell("first", "echo 1 >> first.txt", "writes: [first.txt]"),
        shell("second", f"echo 1 >> second.txt; {WAITS.format('go')}", "writes: [second.txt]", "depends_on: [first]"),
    )
    front = toy.front("run", made, "--yes")
    until(lambda: (toy.repository / "second.txt").exists(), "the second has begun")
    for pid, command in toy.processes():
        if b"stretto" in command:
            os.kill(pid, signal.SIGKILL)
    assert front.wait(60) != 0
    until(lambda: not toy.agents(), "its agents die with it")
    assert toy.states() == {"first": "succeeded", "second": "running"}
    toy.write({"go": ""})
    toy.stretto("resume")
    assert toy.states() == {"first": "succeeded", "second": "succeeded"}
    assert (read(toy, "first.txt"), read(toy, "second.txt")) == ("1\n", "1\n1\n")


def test_r8_5_a_second_run_in_the_folder_is_refused(toy: Toy) -> None:
    made = plan(toy, shell("t", f"{WAITS.format('go')}; echo 1 > t.txt", "writes: [t.txt]"))
    other = plan(toy, shell("u", "echo 1 > u.txt", "writes: [u.txt]"), name="other.yaml")
    front = toy.front("run", made, "--yes")
    until(lambda: toy.states() == {"t": "running"}, "the first is at work")
    run = toy.status()["run"]
    for words in ((made,), (other,), (made, "--new"), (other, "--new")):
        refused = toy.stretto("run", *words, "--yes", code=3)
        assert run in refused.stderr
        assert "process" in refused.stderr
        assert f"stretto status {run}" in refused.stderr and f"stretto stop {run}" in refused.stderr
        assert "beside it" not in refused.stderr, "nothing starts beside it"
    assert toy.stretto("show", other, "--prompt", "u").stdout, "to look disturbs nobody"
    toy.write({"go": ""})
    assert front.wait(60) == 0, toy.said()
    toy.stretto("run", other, "--yes")


def test_r8_5_folders_one_within_the_other_are_one(plain: Plain) -> None:
    made = plan(plain, shell("t", f"{WAITS.format('go')}; echo 1 > t.txt", "writes: [t.txt]"))
    inner = plan(plain, shell("u", "echo 1 > u.txt", "writes: [u.txt]"), name="inner/plan.yaml")
    front = plain.front("run", made, "--yes")
    until(lambda: plain.states() == {"t": "running"}, "the first is at work")
    assert "at work in" in plain.stretto("run", inner, "--yes", code=3).stderr
    plain.write({"go": ""})
    assert front.wait(60) == 0, plain.said()
    plain.stretto("run", inner, "--yes")
    assert read(plain, "inner/u.txt") == "1\n"


@pytest.mark.parametrize("detached", [False, True])
def test_r8_5_who_loses_a_race_for_the_folder_leaves_no_run(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], detached: bool
) -> None:
    made = plan(toy, shell("t", f"{WAITS.format('go')}; echo 1 > t.txt", "writes: [t.txt]"))
    other = plan(toy, shell("u", "echo 1 > u.txt", "writes: [u.txt]"), name="sub/other.yaml")
    monkeypatch.chdir(toy.repository)
    for name in ("STRETTO_STATE_DIR", "GIT_CEILING_DIRECTORIES"):
        monkeypatch.setenv(name, toy.env.get(name, ""))
    ready = begin.prepare(begin.Wanted(plan=other))  # while nobody is there yet
    winner = toy.front("run", made, "--yes")
    until(lambda: toy.states() == {"t": "running"}, "the first is at work")
    loser = copy(toy)
    loser.repository = ready.ground.root  # without git that is a folder within the other's
    home = begin.create(ready)
    assert (front.detach if detached else front.follow)(home, json=False) == 3
    assert "at work" in (said := capfd.readouterr().err) or "is owned by" in said
    assert not home.path.exists()
    assert home.run not in loser.stretto("runs", code=None).stdout

    kept = begin.create(ready)  # and killed before anything
    assert "stretto status" in loser.stretto("resume", kept.run, code=3).stderr
    assert kept.path.is_dir(), "what somebody asks for by its name stays"
    loser.stretto("abandon", kept.run)

    toy.write({"go": ""})
    assert winner.wait(60) == 0, toy.said()
    loser.stretto("run", str(toy.repository / other), "--yes")
    assert read(loser, "u.txt") == "1\n"


@pytest.mark.parametrize("around", [Toy, Plain])
@pytest.mark.parametrize("inner_first", [True, False])
def test_r8_5_a_repository_within_a_folder_is_within_it(tmp_path: Path, around: type[Toy], inner_first: bool) -> None:
    outer = around(tmp_path, {"a.txt": "a\n", ".gitignore": "inner/\n"})
    inner = Toy(tmp_path, {"b.txt": "b\n"}, folder="repo/inner")
    first, second = (inner, outer) if inner_first else (outer, inner)
    for toy in (first, second):
        plan(toy, shell("t", f"{WAITS.format(tmp_path / 'go')}; echo 1 > t.txt", "writes: [t.txt]"))
    front = first.front("run", "plan.yaml", "--yes")
    until(lambda: first.states() == {"t": "running"}, "the first is at work")
    refused = second.stretto("run", "plan.yaml", "--yes", code=3).stderr
    assert f"at work in {first.repository} already" in refused
    assert f"cd {first.repository} && stretto status" in refused
    (tmp_path / "go").touch()
    assert front.wait(60) == 0, first.said()
    second.stretto("run", "plan.yaml", "--yes")
    assert [read(toy, "t.txt") for toy in (inner, outer)] == ["1\n", "1\n"]


def test_r8_6_stopped_and_resumed(toy: Toy) -> None:
    made = plan(
        toy,
        shell("t", f"echo 1 > t.txt; {WAITS.format('go')}", "writes: [t.txt]"),
        shell("u", "echo 1 > u.txt", "writes: [u.txt]", "depends_on: [t]"),
    )
    front = toy.front("run", made, "--yes")
    until(lambda: toy.states().get("t") == "running", "it is at work")
    toy.stretto("stop", "--now")
    assert front.wait(60) == 4, toy.said()
    assert toy.states() == {"t": "ready", "u": "pending"}
    refused = toy.stretto("run", made, "--yes", code=3).stderr
    assert "stretto resume" in refused and "--new" not in refused
    assert read(toy, "t.txt") == "1\n", "what it had written stays"
    toy.write({"go": ""})
    toy.stretto("resume")
    assert toy.states() == {"t": "succeeded", "u": "succeeded"}


def test_r8_6_ctrl_c_drains(plain: Plain) -> None:
    made = plan(
        plain,
        shell("t", f"{WAITS.format('go')}; echo 1 > t.txt", "writes: [t.txt]"),
        shell("u", "echo 1 > u.txt", "writes: [u.txt]", "depends_on: [t]"),
    )
    front = plain.front("run", made, "--yes")
    until(lambda: plain.states().get("t") == "running", "it is at work")
    front.send_signal(signal.SIGINT)
    until(lambda: plain.status().get("state") == "draining", "it drains")
    plain.write({"go": ""})
    assert front.wait(60) == 130, plain.said()
    assert plain.states() == {"t": "succeeded", "u": "ready"}


def test_without_git_runs_are_found_from_above_and_beneath(plain: Plain) -> None:
    toy = plain
    for name in ("north", "south"):
        plan(toy, shell("t", "echo 1 > t.txt", "writes: [t.txt]"), name=f"{name}/plan.yaml")
        toy.write({f"{name}/deep/x": ""})
        toy.stretto("run", f"{name}/plan.yaml", "--yes")
    assert toy.status()["run"].startswith("toy-"), "the latest of those beneath"
    top = toy.repository
    found = {}
    for name in ("north", "south"):
        toy.repository = top / name / "deep"
        found[name] = toy.status()["run"]
    toy.repository = top
    assert len(set(found.values())) == 2
    assert toy.status(found["north"])["run"] == found["north"], "by its name, from above"
    toy.repository = toy.root
    assert toy.stretto("status", code=0).returncode == 0
    (toy.root / "empty").mkdir()
    toy.repository = toy.root / "empty"
    assert "not in a git repository" in toy.stretto("status", code=2).stderr


def test_without_git_a_plan_in_a_tools_folder_is_of_the_project(plain: Plain) -> None:
    task = shell("t", "echo 1 > t.txt", "writes: [t.txt]")
    for name, top in (("proj/.taskmaster/tasks", "proj"), (".kiro/specs/x", ""), ("deep/.config/x", "deep/.config/x")):
        made = plan(plain, task, name=f"{name}/plan.yaml")
        where = plain.repository / top
        told = plain.stretto("run", made, "--yes").stdout
        assert told.index(f"tasks work in {where} itself") < told.index("succeeded"), "before anything begins"
        assert (where / "t.txt").read_text() == "1\n"
        assert "nothing is left to do" in plain.stretto("run", made, "--yes").stdout
    plain.env["HOME"] = str(plain.repository)
    (plain.repository / "t.txt").unlink()
    assert (
        f"tasks work in {plain.repository / '.claude/x'} itself"
        in plain.stretto("run", plan(plain, task, name=".claude/x/plan.yaml"), "--yes").stdout
    )
    assert not (plain.repository / "t.txt").exists(), "the home folder is no project"


PAGES = """shell: case $STRETTO_TASK in
*Page) page=$(echo $STRETTO_TASK | tr A-Z a-z); mkdir -p specs/pages
  echo "# Frontend Interaction Specification - $STRETTO_TASK" > specs/pages/$page.md;;
*) echo "# Frontend Interaction Specification" > specs/frontend-interaction-spec-master.md;;
esac"""


def test_a_plan_that_is_made_of_a_folder_works_in_that_folder(toy: Toy) -> None:
    toy.write(
        {
            "app/specs/plan.md": "# Bread\n",
            "app/specs/pages-and-routes.md": "- **HomePage**: bread (Route: `/`)\n- **CartPage**: (Route: `/cart`)\n",
            "app/shared/schema.zod.ts": "export {}\n",
            "app/shared/contracts/bread.ts": "export {}\n",
        }
    )
    words = ("run", "app", "--yes", "--agent", PAGES)
    assert "works in that folder" in toy.stretto(*words, "--isolation", "worktree", code=2).stderr
    told = toy.stretto(*words)
    assert f"tasks work in {toy.repository / 'app'} itself" in told.stdout + told.stderr
    home = read(toy, "app/specs/pages/homepage.md")
    assert home == "# Frontend Interaction Specification - HomePage\n"
    above, top = toy.status(), toy.repository
    toy.repository = top / "app" / "specs"
    assert toy.status()["run"] == above["run"], "found from the folder as well"
    toy.repository = top
    assert set(toy.states().values()) == {"succeeded"}
    [kept] = toy.state.glob("*/runs/*/plan/app.yaml")
    toy.stretto("check", str(kept), "--agent", "scripted")
    assert "nothing is left to do" in toy.stretto(*words).stdout
    (top / "app/specs/pages/homepage.md").unlink()
    assert "1 task to do" in toy.stretto(*words).stdout
    assert read(toy, "app/specs/pages/homepage.md") == home


def test_a_state_folder_in_the_folder_is_no_work(plain: Plain) -> None:
    plain.state = plain.repository / "state"
    plain.env["STRETTO_STATE_DIR"] = str(plain.state)
    made = plan(plain, shell("t", "true", "effect: changes"))
    told = plain.stretto("run", made, "--yes", "--attempts", "1", code=1)
    assert "changed nothing" in told.stdout


def test_what_means_nothing_there_is_refused(toy: Toy) -> None:
    made = plan(toy, shell("t", "true", "writes: [t.txt]"))
    for words in (("--land",), ("--branch", "x"), ("--base", "HEAD")):
        refused = toy.stretto("run", made, "--yes", *words, code=2)
        assert f"{words[0]} means nothing" in refused.stderr
    rollback = plan(toy, shell("t", "true"), name="atomic.yaml", more="defaults: {on_failure: rollback}\n")
    assert "not supported yet" in toy.stretto("run", rollback, "--yes", code=2).stderr


def test_the_flag_outweighs_the_plan_and_the_plan_the_settings(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a.txt": "a\n", "stretto.toml": 'isolation = "none"\n'})
    task = shell("t", "echo 1 > t.txt", "writes: [t.txt]")
    here = f"tasks work in {toy.repository} itself"
    toy.write(
        {
            "no.yaml": f"name: n\ntasks:\n  - {task}\n",
            "tree.yaml": f"name: n\nisolation: worktree\ntasks:\n  - {task}\n",
        }
    )
    plan(toy, task, name="none.yaml")
    for words, inside in (
        (("no.yaml",), True),
        (("tree.yaml",), False),
        (("none.yaml",), True),
        (("none.yaml", "--isolation", "worktree"), False),
        (("tree.yaml", "--isolation", "none"), True),
    ):
        told = toy.stretto("run", *words, "--dry-run")
        assert (here in told.stdout + told.stderr) == inside, words
    told = toy.stretto("run", "no.yaml", "--dry-run", STRETTO_ISOLATION="worktree")
    assert here not in told.stdout + told.stderr
