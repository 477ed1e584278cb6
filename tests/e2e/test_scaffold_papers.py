"""Papers of a folder of achievements by flags: previewed, asked for, made, taken back; from nothing to all approved."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.folders import HOME, SHOP, WORKER, WRITER, papers, real, statuses
from e2e.toy import Toy

SUB = {id: f"subplans/SUBPLAN_SHOP_{id.replace('.', '')}.md" for id in ("1.1", "1.2", "2.1")}
EXE = {id: f"execution/EXECUTION_TASK_SHOP_{id.replace('.', '')}_01.md" for id in SUB}
HOLLOW = "# x\n\n## Objective\n\n[TO BE FILLED: objective]\n"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, SHOP)


def result(toy: Toy, *args: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(toy.stretto("scaffold", *args, "--json", code=code).stdout)
    return found


def answering(toy: Toy, answer: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stretto", "scaffold", *args],
        cwd=toy.repository, env=toy.env, input=answer, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_from_nothing_to_all_created_and_approved(toy: Toy) -> None:
    assert result(toy, "subplans", HOME, "--level", "all", "--yes")["created"] == list(SUB.values())
    assert result(toy, "executions", HOME, "--level", "all", "--yes")["created"] == list(EXE.values())
    assert set(statuses(toy, HOME).values()) == {"execution_created"}
    toy.stretto("run", f"{HOME}/parallel.json", "--agent", WORKER, "--land", "--yes")
    assert result(toy, "status", HOME)["recommended"]["action"] == "approve"
    assert len(result(toy, "approve", HOME, "--yes")["created"]) == 3
    told = result(toy, "status", HOME)
    assert set(told["statuses"].values()) == {"complete"} and told["recommended"]["action"] == "complete"
    assert told["progress"] == {"done": 3, "total": 3, "percent": 100}
    assert "landed as" in papers(toy, HOME)["execution/feedbacks/APPROVED_11.md"]
    assert toy.stretto("scaffold", "approve", HOME, "--yes").stdout.startswith("no run has done anything")


def test_a_real_folder_from_nothing_to_all_created_and_approved(tmp_path: Path) -> None:
    toy, home = real(tmp_path)
    made = result(toy, "subplans", home, "--level", "all", "--yes")
    assert made["ok"] and len(made["created"]) == 9 and len(set(made["created"])) == 9
    made = result(toy, "executions", home, "--level", "all", "--yes")
    assert made["ok"] and len(made["created"]) == 9
    found = papers(toy, home)
    subplan = found["subplans/SUBPLAN_PARALLEL-EXECUTION-AUTOMATION_32.md"]
    assert "PARALLEL-EXECUTION-USER-GUIDE.md" in subplan and "Achievement 2.3" in subplan
    assert all(
        len(text) > 800 and "to be filled" not in text.lower() for name, text in found.items() if "PLAN_" in name
    )
    toy.stretto("run", f"{home}/parallel.json", "--agent", WORKER, "--land", "--yes")
    assert len(result(toy, "approve", home, "--yes")["created"]) == 9
    assert set(statuses(toy, home).values()) == {"complete"}
    assert (
        json.loads(toy.stretto("show", f"{home}/parallel.json", "--json").stdout)["tasks"][0]["status"] == "succeeded"
    )


def test_by_default_a_batch_is_the_first_level_that_lacks_any(toy: Toy) -> None:
    first = result(toy, "subplans", HOME, "--yes")
    assert (first["level"], first["created"]) == (0, [SUB["1.1"], SUB["1.2"]])
    second = result(toy, "subplans", HOME, "--yes")
    assert (second["level"], second["created"]) == (1, [SUB["2.1"]])
    third = toy.stretto("scaffold", "subplans", HOME, "--yes").stdout
    assert "no SUBPLAN is missing" in third


def test_what_is_there_is_skipped_and_stays_as_it_is(toy: Toy) -> None:
    toy.write({f"{HOME}/{SUB['1.1']}": "mine\n"})
    made = result(toy, "subplans", HOME, "--level", "0", "--yes")
    assert (made["created"], [note["path"] for note in made["skipped"]]) == ([SUB["1.2"]], [SUB["1.1"]])
    assert papers(toy, HOME)[SUB["1.1"]] == "mine\n"


def test_a_dry_run_and_a_no_write_nothing(toy: Toy) -> None:
    before = papers(toy, HOME)
    told = toy.stretto("scaffold", "subplans", HOME, "--level", "all", "--dry-run").stdout
    assert all(path in told for path in SUB.values()) and "level 1" in told
    assert result(toy, "subplans", HOME, "--dry-run")["dry_run"] is True
    for answer in ("n\n", "\n", ""):
        done = answering(toy, answer, "subplans", HOME)
        assert done.returncode == 130 and "[y/N]" in done.stderr
    assert papers(toy, HOME) == before and not (toy.repository / HOME / "subplans").exists()
    assert answering(toy, "y\n", "subplans", HOME).returncode == 0
    assert len(papers(toy, HOME)) == len(before) + 2


def test_what_the_file_calls_complete_stays_so_when_others_get_papers(toy: Toy) -> None:
    tree = json.loads(SHOP[f"{HOME}/parallel.json"])
    tree["achievements"][0]["status"] = "complete"
    toy.write({f"{HOME}/parallel.json": json.dumps(tree)})
    assert statuses(toy, HOME)["1.1"] == "complete"
    assert result(toy, "subplans", HOME, "--yes")["created"] == [SUB["1.2"]]
    assert statuses(toy, HOME) == {"1.1": "complete", "1.2": "subplan_created", "2.1": "not_started"}
    tasks = json.loads(toy.stretto("show", f"{HOME}/parallel.json", "--json").stdout)["tasks"]
    assert [task["status"] for task in tasks] == ["succeeded", "pending", "pending"]


def test_a_circle_is_said_once_and_nothing_is_next(toy: Toy) -> None:
    tree = json.loads(SHOP[f"{HOME}/parallel.json"])
    tree["achievements"][1]["dependencies"] = ["2.1"]
    toy.write({f"{HOME}/parallel.json": json.dumps(tree)})
    told = toy.stretto("scaffold", "status", HOME).stdout
    assert "next available: nothing\n" in told and told.count("these wait for each other") == 1
    assert result(toy, "status", HOME)["next"] == []


def test_a_template_that_a_mark_stops_names_it_and_what_to_do(toy: Toy) -> None:
    paper = SHOP[f"{HOME}/PLAN_SHOP.md"].replace("A basket for both", "[TODO]")
    toy.write({f"{HOME}/PLAN_SHOP.md": paper})
    line = paper.splitlines().index("- **Goal**: [TODO]") + 1
    done = toy.stretto("scaffold", "subplans", HOME, "--level", "all", "--yes", code=1)
    told = done.stdout + done.stderr
    assert f"failed: 2.1 ({SUB['2.1']}): {HOME}/PLAN_SHOP.md:{line} asks for content: [TODO]\n" in told
    assert "--keep" in told and "--agent" in told
    assert f"  stretto scaffold subplans {HOME} --level all\n" in told
    done = toy.stretto("scaffold", "subplans", HOME, "--level", "all", "--yes", "--keep", code=1)
    assert "--keep" not in done.stdout + done.stderr and "created 2 of 3" in done.stdout
    toy.write({f"{HOME}/PLAN_SHOP.md": SHOP[f"{HOME}/PLAN_SHOP.md"]})
    assert result(toy, "subplans", HOME, "--level", "all", "--yes")["created"] == [SUB["2.1"]]


def test_no_execution_without_its_subplan(toy: Toy) -> None:
    toy.write({f"{HOME}/{SUB['1.1']}": "words\n", f"{HOME}/{SUB['1.2']}": HOLLOW})
    made = result(toy, "executions", HOME, "--level", "all", "--yes", code=1)
    assert made["created"] == [EXE["1.1"]] and [note["id"] for note in made["missing"]] == ["1.2", "2.1"]
    told = toy.stretto("scaffold", "executions", HOME, "--level", "all", "--yes", code=1).stdout
    assert f"  stretto scaffold subplans {HOME} --level all\n" in told
    assert f"  stretto scaffold fill {HOME} --level all\n" in told
    assert told.count("its SUBPLAN is missing") == told.count("its SUBPLAN is a placeholder") == 1
    assert result(toy, "executions", HOME, "--level", "1", "--yes", code=1)["created"] == []
    toy.write({f"{HOME}/{SUB['2.1']}": "words\n"})
    told = toy.stretto("scaffold", "executions", HOME, "--level", "all", "--yes", code=1).stdout
    assert told.count("not possible: 1.2") == 1 and "created 1 of 1; not possible for 1, as said above\n" in told


def test_a_batch_that_fails_is_taken_back(toy: Toy) -> None:
    toy.write({f"{HOME}/subplans/SUBPLAN_OTHER_11.md": "not ours\n", f"{HOME}/execution": "in the way\n"})
    before = papers(toy, HOME)
    toy.stretto("scaffold", "subplans", HOME, "--level", "all", "--yes")
    made = result(toy, "executions", HOME, "--level", "0", "--yes", code=1)
    assert made["created"] == [] and {note["id"] for note in made["errors"]} == {"1.1", "1.2"}
    assert papers(toy, HOME).keys() == before.keys() | SUB.values()


def test_placeholders_are_filled_and_nothing_else(toy: Toy) -> None:
    toy.write({f"{HOME}/{SUB['1.1']}": HOLLOW, f"{HOME}/{EXE['1.1']}": HOLLOW, f"{HOME}/{SUB['1.2']}": "mine\n"})
    assert result(toy, "status", HOME)["placeholders"] == [SUB["1.1"], EXE["1.1"]]
    assert result(toy, "status", HOME)["recommended"]["action"] == "fill"
    made = result(toy, "fill", HOME, "--yes")
    assert made["created"] == [SUB["1.1"], EXE["1.1"]]
    found = papers(toy, HOME)
    assert "Know every seed" in found[SUB["1.1"]] and "Know every seed" in found[EXE["1.1"]]
    assert found[SUB["1.2"]] == "mine\n"
    assert "no paper is a placeholder" in toy.stretto("scaffold", "fill", HOME, "--yes").stdout


# By an agent.


def test_an_agent_writes_the_papers_in_the_folder_itself(toy: Toy) -> None:
    made = result(toy, "subplans", HOME, "--yes", "--agent", WRITER)
    assert made["ok"] and set(made["created"]) == {SUB["1.1"], SUB["1.2"]}
    assert "Words by an agent." in papers(toy, HOME)[SUB["1.1"]]
    toy.write({f"{HOME}/{SUB['2.1']}": HOLLOW})
    assert result(toy, "fill", HOME, "--yes", "--agent", WRITER)["created"] == [SUB["2.1"]]
    assert "Words by an agent." in papers(toy, HOME)[SUB["2.1"]]
    assert toy.git("status", "--porcelain", "-uall").split() == ["??", f"{HOME}/{SUB['1.1']}"] + [
        word for id in ("1.2", "2.1") for word in ("??", f"{HOME}/{SUB[id]}")
    ]


def test_what_an_agent_leaves_of_a_failed_batch_is_taken_back(toy: Toy) -> None:
    before = papers(toy, HOME)
    bad = WRITER.replace(
        "shell: ", "shell: case $STRETTO_TASK in *_12) echo half > subplans/SUBPLAN_SHOP_12.md; exit 65;; esac; "
    )
    made = result(toy, "subplans", HOME, "--yes", "--agent", bad, code=1)
    assert [note["id"] for note in made["errors"]] == ["1.2"] and made["created"] == []
    assert set(made["rolled_back"]) == {SUB["1.1"], SUB["1.2"]}
    assert papers(toy, HOME) == before and not (toy.repository / HOME / "subplans").exists()
    made = result(toy, "subplans", HOME, "--yes", "--keep", "--agent", bad, code=1)
    assert (made["created"], made["rolled_back"]) == ([SUB["1.1"]], [SUB["1.2"]])


def test_nobody_goes_on_with_a_run_whose_papers_were_taken_back(toy: Toy) -> None:
    (toy.repository / "stretto.toml").write_text("attempts = 1\n")
    bad = WRITER.replace("shell: ", f"shell: case $STRETTO_TASK in *_12) [ -e {toy.root}/go ] || exit 65;; esac; ")
    done = toy.stretto("scaffold", "subplans", HOME, "--yes", "--agent", bad, code=1)
    told = done.stdout + done.stderr
    assert "stretto retry" not in told and "stretto resume" not in told
    again = next(line.strip() for line in told.splitlines() if line.startswith("  stretto scaffold subplans"))
    (run,) = json.loads(toy.stretto("runs", "--json").stdout)
    for command in (("retry", "--run", run["run"]), ("resume", run["run"]), ("abandon", run["run"], "--undo")):
        refused = toy.stretto(*command, code=3).stderr
        assert "papers that it wrote were taken back" in refused and "stretto scaffold" in refused
    (toy.root / "go").touch()
    toy.stretto(*shlex.split(again)[1:], "--yes")
    assert {SUB["1.1"], SUB["1.2"]} <= papers(toy, HOME).keys()


def test_an_agent_that_writes_a_placeholder_has_written_nothing(toy: Toy) -> None:
    hollow = WRITER.replace("Words by an agent.", "[TO BE FILLED: words]")
    (toy.repository / "stretto.toml").write_text("attempts = 1\n")
    made = result(toy, "subplans", HOME, "--level", "1", "--yes", "--agent", hollow, code=1)
    assert made["created"] == [] and SUB["2.1"] not in papers(toy, HOME)


def test_a_failed_fill_brings_the_placeholder_back(toy: Toy) -> None:
    toy.write({f"{HOME}/{SUB['1.1']}": HOLLOW})
    bad = f"shell: echo half > {SUB['1.1']}; exit 65"
    made = result(toy, "fill", HOME, "--yes", "--agent", bad, code=1)
    assert made["rolled_back"] == [SUB["1.1"]]
    assert papers(toy, HOME)[SUB["1.1"]] == HOLLOW
    assert (Path(made["kept_in"]) / SUB["1.1"]).read_text() == "half\n"


def test_a_paper_by_hand_beside_an_agent_that_fails_is_kept(toy: Toy) -> None:
    toy.write({"mine.md": "# SUBPLAN by hand\n\nAn hour of my own work.\n"})
    bad = f"shell: mkdir -p subplans; cp {toy.repository}/mine.md {SUB['1.2']}; exit 64"  # as if somebody did
    done = toy.stretto("scaffold", "subplans", HOME, "--yes", "--agent", bad, code=1)
    place = done.stdout.partition("what was taken back is kept in ")[2].splitlines()[0]
    assert "An hour of my own work." in (Path(place) / SUB["1.2"]).read_text()


def test_a_placeholder_that_an_agent_removes_is_brought_back(toy: Toy) -> None:
    toy.write({f"{HOME}/{SUB['1.1']}": HOLLOW})
    gone = f"shell: rm -f {SUB['1.1']}; exit 65"
    assert result(toy, "fill", HOME, "--yes", "--agent", gone, code=1)["created"] == []
    assert papers(toy, HOME)[SUB["1.1"]] == HOLLOW


def test_a_run_that_waits_takes_nothing_back_and_goes_on(toy: Toy) -> None:
    limit = """printf '{"failure": {"kind": "auth", "message": "not logged in"}}' > $STRETTO_RESULT_FILE; exit 1"""
    paused = WRITER.replace(
        "shell: ", f"shell: case $STRETTO_TASK in *_12) [ -e {toy.root}/go ] || {{ {limit}; }};; esac; "
    )
    made = result(toy, "subplans", HOME, "--yes", "-j", "1", "--agent", paused, code=4)
    assert (made["created"], made["rolled_back"]) == ([SUB["1.1"]], [])
    (note,) = made["errors"]
    command = note["message"].partition(": stretto ")[2].split()
    assert (note["id"], command[0]) == ("1.2", "resume") and SUB["1.1"] in papers(toy, HOME)
    (toy.root / "go").touch()
    toy.stretto(*command)
    assert {SUB["1.1"], SUB["1.2"]} <= papers(toy, HOME).keys()


# What comes next.


def test_the_prompt_for_the_next_step(toy: Toy) -> None:
    told = toy.stretto("scaffold", "next", HOME)
    assert f"Write {SUB['1.1']}" in told.stdout and "batch_subplan" in told.stderr
    toy.stretto("scaffold", "subplans", HOME, "--yes")
    told = toy.stretto("scaffold", "next", HOME)
    assert f"Write {EXE['1.1']}" in told.stdout and f"Read {SUB['1.1']} first" in told.stdout
    toy.stretto("scaffold", "executions", HOME, "--yes")
    told = toy.stretto("scaffold", "next", HOME)
    assert f"Read first: {EXE['1.1']}" in told.stdout and "execute_parallel: 1.1" in told.stderr
    toy.write({f"{HOME}/{EXE['1.2']}": HOLLOW})
    assert f"Fill {EXE['1.2']}" in toy.stretto("scaffold", "next", HOME).stdout


def test_status_as_a_table_and_what_is_won(toy: Toy) -> None:
    told = toy.stretto("scaffold", "status", HOME).stdout
    assert "SHOP: 0/3 complete (0 %)" in told and "waits for 1.1, 1.2" in told
    assert "4 h one by one, 3 h in parallel (25 % less)" in told
    assert f"stretto scaffold subplans {HOME} --level 0" in told
    assert toy.stretto("scaffold", "status", HOME, "--format", "table").stdout == told
    assert "no format 'x'" in toy.stretto("scaffold", "status", HOME, "--format", "x", code=2).stderr
    (chance,) = result(toy, "status", HOME, "--format", "json")["opportunities"]
    assert (chance["sequential_h"], chance["parallel_h"], chance["savings_percent"]) == (4, 3, 25)


def test_status_and_show_count_the_parts_of_an_achievement_alike(toy: Toy) -> None:
    parts = [{"execution_id": f"1.1.{n}", "title": f"Part {n}", "estimated_hours": n} for n in (1, 2, 3)]
    tree = {"plan_name": "SPLIT", "parallelization_level": "level_1"}
    split = {"achievement_id": "1.1", "title": "All of it", "dependencies": [], "sub_executions": parts}
    toy.write({"split/parallel.json": json.dumps({**tree, "achievements": [split]})})
    toy.stretto("scaffold", "subplans", "split", "--yes")
    toy.write({"split/execution/feedbacks/APPROVED_113.md": "fine\n"})
    told = toy.stretto("scaffold", "status", "split").stdout
    assert "SPLIT: 0/1 complete (0 %); 3 tasks, 1 done" in told and "(1 of 3 parts done" in told
    assert "all that is open: 3 h one by one, 2 h in parallel" in told
    assert "3 tasks, 1 done" in toy.stretto("show", "split/parallel.json").stdout
    found = result(toy, "status", "split")
    assert found["tasks"] == {"done": 1, "total": 3}
    assert [part["status"] for part in found["achievements"][0]["parts"]] == ["not_started", "not_started", "complete"]
    made = result(toy, "executions", "split", "--yes")["created"]
    assert [path[-5:] for path in made] == ["01.md", "02.md"], "what is done needs no paper"
    assert "--only 1.1.1,1.1.2" in result(toy, "status", "split")["recommended"]["command"]


def test_a_person_approves_what_they_have_looked_at(toy: Toy) -> None:
    done = toy.stretto("scaffold", "approve", HOME, "1.1", "--yes", code=2)
    assert "has no EXECUTION_TASK" in done.stderr
    toy.write({f"{HOME}/{EXE['1.1']}": "done\n"})
    toy.stretto("scaffold", "approve", HOME, "1.1", "--yes")
    assert statuses(toy, HOME)["1.1"] == "complete"
    assert "complete already" in toy.stretto("scaffold", "approve", HOME, "1.1", "--yes", code=2).stderr
    assert "no achievement '1.9'" in toy.stretto("scaffold", "approve", HOME, "1.9", "--yes", code=2).stderr


def test_a_run_before_a_fix_approves_nothing(toy: Toy) -> None:
    toy.stretto("run", f"{HOME}/parallel.json", "--only", "1.1", "--agent", WORKER, "--land", "--yes")
    toy.write({f"{HOME}/execution/feedbacks/FIX_11.md": "not yet\n"})
    assert result(toy, "approve", HOME, "--yes")["created"] == []


# What is refused.


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("subplans", HOME, "--level", "7"), "there is no level 7"),
        (("subplans", HOME, "--level", "x"), "no level"),
        (("subplans", "work-space"), "no plan of achievements"),
        (("subplans", f"{HOME}/PLAN_SHOP.md"), "error:"),
        (("menu", HOME), "needs a terminal"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(toy: Toy, args: tuple[str, ...], words: str) -> None:
    told = toy.stretto("scaffold", *args, code=2).stderr
    assert words in told and "hint:" in told


def test_a_circle_is_shown_and_nothing_is_made_of_it(toy: Toy) -> None:
    plan = json.loads(SHOP[f"{HOME}/parallel.json"])
    plan["achievements"][0]["dependencies"] = ["2.1"]
    toy.write({f"{HOME}/parallel.json": json.dumps(plan)})
    assert "1.1" in toy.stretto("scaffold", "subplans", HOME, "--yes", code=2).stderr
    told = result(toy, "status", HOME)
    assert set(told["circle"]) == {"1.1", "2.1"} and told["recommended"]["action"] == "blocked"
    assert told["recommended"]["command"] == f"stretto check {HOME}/parallel.json"
    assert f"stretto check {HOME}/parallel.json" in toy.stretto("scaffold", "next", HOME).stderr
    assert toy.stretto("scaffold", "status", HOME).stdout.count("1.1 → 2.1 → 1.1") == 1


def test_a_name_that_no_file_can_have(toy: Toy) -> None:
    plan = json.loads(SHOP[f"{HOME}/parallel.json"]) | {"plan_name": "../SHOP"}
    toy.write({f"{HOME}/parallel.json": json.dumps(plan)})
    assert "no paper can be called" in toy.stretto("scaffold", "subplans", HOME, "--yes", code=2).stderr
    assert not (toy.repository / "work-space/plans/subplans").exists()


def test_without_git_papers_are_made_all_the_same(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "x", {"a": "b"})
    folder = tmp_path / "plain"
    for name, text in SHOP.items():
        path = folder / name.removeprefix(f"{HOME}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for words in (["subplans", "."], ["executions", "."], ["subplans", ".", "--agent", WRITER], ["status", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "stretto", "scaffold", *words, *(["--yes"] if words[0] != "status" else [])],
            cwd=folder, env=toy.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((folder / "subplans").iterdir())) == 3
    told = subprocess.run(
        [sys.executable, "-m", "stretto", "scaffold", "executions", ".", "--level", "all", "--yes"],
        cwd=folder, env=toy.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    told = subprocess.run(
        [sys.executable, "-m", "stretto", "scaffold", "status", ".", "--json"],
        cwd=folder, env=toy.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    command = shlex.split(json.loads(told.stdout)["recommended"]["command"])
    assert command[-2:] == ["--isolation", "none"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--agent", WORKER],
        cwd=folder, env=toy.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
