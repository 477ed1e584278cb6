"""`stretto convert`: a plan of another tool goes on in stretto's own format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.toy import Toy

TASKS = {
    "tasks": [
        {"id": 1, "title": "Begin", "status": "done", "dependencies": []},
        {"id": 2, "title": "Hello", "description": "write hello.txt Hello", "status": "pending", "dependencies": [1]},
    ]
}


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"README.md": "x\n", "tasks.json": json.dumps(TASKS)})


def test_what_is_converted_is_checked_and_read_like_any_plan(toy: Toy) -> None:
    done = toy.stretto("convert", "tasks.json", "-o", "plans/new.yaml", code=2)
    assert "cannot write plans/new.yaml" in done.stderr
    (toy.repository / "plans").mkdir()
    done = toy.stretto("convert", "tasks.json", "-o", "plans/new.yaml")
    assert (done.stdout, "wrote plans/new.yaml: 2 tasks" in done.stderr) == ("", True)
    assert "1 task of it is done" in done.stderr
    told = json.loads(toy.stretto("show", "plans/new.yaml", "--json").stdout)
    assert (told["format"], [task["id"] for task in told["tasks"]]) == ("stretto", ["1", "2"])
    assert told["tasks"][1]["depends_on"] == ["1"]
    assert "there is a file" in toy.stretto("convert", "tasks.json", "-o", "plans/new.yaml", code=2).stderr
    toy.stretto("convert", "tasks.json", "-o", "plans", "--force", "--open")
    told = json.loads(toy.stretto("show", "plans/tasks.yaml", "--json").stdout)
    assert [(task["id"], task["depends_on"]) for task in told["tasks"]] == [("2", [])]


def test_what_is_converted_goes_to_standard_output_and_nothing_else_does(toy: Toy) -> None:
    done = toy.stretto("convert", "tasks.json")
    (toy.repository / "copy.yaml").write_text(done.stdout)
    toy.stretto("check", "copy.yaml")
    toy.stretto("convert", "tasks.json", "-o", "copy.json")
    assert json.loads((toy.repository / "copy.json").read_text())["phases"][0]["tasks"][0]["id"] == "1"


def test_what_is_put_off_or_cancelled_is_left_out_and_that_is_said(toy: Toy) -> None:
    words = {2: "cancelled", 3: "deferred", 4: "pending", 5: "pending"}
    tasks = [{"id": id, "title": "T", "details": "x", "status": word, "dependencies": []} for id, word in words.items()]
    tasks[2]["dependencies"] = [3]
    toy.write({"tasks.json": json.dumps({"tasks": tasks})})
    done = toy.stretto("convert", "tasks.json", "-o", "plan.yaml")
    assert "wrote plan.yaml: 1 task\n" in done.stderr
    told = "3 tasks that the plan has cancelled or put off are left out: stretto check tasks.json tells which"
    assert told in done.stderr


def test_files_that_go_with_a_prompt_are_found_from_the_new_place(toy: Toy) -> None:
    toy.write({"a/plan.yaml": "name: n\ntasks:\n  - {id: t, prompt_file: t.md}\n", "a/t.md": "Do it.\n", "b/x": ""})
    toy.stretto("convert", "a/plan.yaml", "-o", "b/plan.yaml")
    assert "prompt_file: ../a/t.md" in (toy.repository / "b/plan.yaml").read_text()
    toy.stretto("check", "b/plan.yaml")


def test_what_cannot_be_converted_is_said(toy: Toy) -> None:
    assert "a plan is written as YAML or JSON" in toy.stretto("convert", "tasks.json", "-o", "x.toml", code=2).stderr
    assert "no such file" in toy.stretto("convert", "missing.json", code=2).stderr
    toy.write({"bad.yaml": "name: n\ntasks:\n  - {id: t, prompt: x, depends_on: [nobody]}\n"})
    done = toy.stretto("convert", "bad.yaml", code=2)
    assert "nobody" in done.stdout and "the plan has 1 error: stretto check bad.yaml" in done.stderr
    done = toy.stretto("convert", "bad.yaml", "-o", "new.yaml")
    assert "1 error, and was written all the same: stretto check bad.yaml" in done.stderr
    assert "nobody" in (toy.repository / "new.yaml").read_text()


def test_a_converted_plan_runs(toy: Toy) -> None:
    toy.stretto("convert", "tasks.json", "-o", "plan.yaml", "--open")
    toy.git("add", "plan.yaml")
    toy.git("-c", "user.name=user", "-c", "user.email=user@localhost", "commit", "-qm", "plan")
    toy.stretto(
        "run", "plan.yaml", "--yes", "--land", "--agent", "shell: grep -o 'write .*' $STRETTO_PROMPT_FILE > out"
    )
    assert toy.states() == {"2": "succeeded"}
    assert toy.git("show", "HEAD:out") == "write hello.txt Hello\n"
