"""`stretto discover`: from a document, through any agent or none, to a plan that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy, until
from stretto.testing.models.server import ModelServer
from unit.recipes.answers import achievement, answer, as_text, own, parallel, part, task

PLAN = """\
# PLAN: Shop

**Achievement 1.1**: Product list (4-6h)
**Achievement 1.2**: Search (3-5h)
**Achievement 2.1**: Front page (2-4h)
"""
CIRCLE = own(task("1.1", "1.2"), task("1.2", "1.1"), task("2.1"))


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    (tmp_path / "tmp").mkdir()
    toy = Toy(tmp_path, {"PLAN.md": PLAN, "shop/list.py": "products = []\n", "README.md": "A shop.\n"})
    toy.env["TMPDIR"] = str(tmp_path / "tmp")
    return toy


def scratch(toy: Toy) -> list[Path]:
    """What was left in the folder for temporary files."""
    return sorted((toy.root / "tmp").iterdir())


def answering(toy: Toy, *answers: object, more: str = "") -> str:
    """An agent that gives these answers, one an attempt, and keeps its prompts."""
    for number, each in enumerate(answers, 1):
        text = each if isinstance(each, str) else as_text(each)
        (toy.root / f"answer-{number}").write_text(text)
    keep = f'cp "$STRETTO_PROMPT_FILE" {toy.root}/prompt-$STRETTO_ATTEMPT; {more}'
    return f"shell: {keep} cp {toy.root}/answer-$STRETTO_ATTEMPT answer.md"


def asked(toy: Toy, attempt: int) -> str:
    return (toy.root / f"prompt-{attempt}").read_text()


def test_the_prompt_is_printed_without_an_agent_and_without_anything_written(toy: Toy) -> None:
    done = toy.stretto("discover", "PLAN.md", "--prompt")
    assert PLAN in done.stdout and "`implicit`" in done.stdout and done.stderr == ""
    assert json.loads(toy.stretto("discover", "PLAN.md", "--prompt", "--json").stdout) == {"prompt": done.stdout[:-1]}
    one = toy.stretto("discover", "PLAN.md", "--prompt", "--achievement", "1.1", "-o", "parallel.json").stdout
    assert "split achievement 1.1" in one and '"level_1"' in one
    assert toy.git("status", "--porcelain") == "" and not toy.state.exists()


def test_with_no_agent_named_it_says_what_there_is(toy: Toy) -> None:
    said = toy.stretto("discover", "PLAN.md", code=2).stderr
    assert "there is no agent to ask" in said and "--agent claude" in said and "--prompt prints" in said
    assert "reads no document" in toy.stretto("discover", "PLAN.md", "--agent", "scripted", code=2).stderr
    assert "there is no agent 'nobody'" in toy.stretto("discover", "PLAN.md", "--agent", "nobody", code=2).stderr
    assert scratch(toy) == []


def test_an_agent_is_told_what_was_wrong_and_its_second_answer_becomes_a_plan_that_runs(toy: Toy) -> None:
    fenced = f"So:\n\n```json\n{as_text(answer(own()))}\n```\n"
    agent = answering(toy, answer(CIRCLE), fenced, more="test -s repository/shop/list.py || exit 64;")
    done = toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml")
    assert "circle of dependencies" in done.stderr and "attempt 1 of 3" in done.stderr
    assert "Your last answer" not in asked(toy, 1)
    assert "circle of dependencies" in asked(toy, 2) and as_text(answer(CIRCLE)) in asked(toy, 2)
    assert "yes: For a reason." in done.stdout and "looked at implicit" in done.stdout
    assert "wrote plan.yaml: 3 tasks, 12 h one after the other, 8 h with 5 at once" in done.stdout
    assert scratch(toy) == []
    assert toy.git("status", "--porcelain") == "?? plan.yaml\n"
    told = json.loads(toy.stretto("show", "plan.yaml", "--json").stdout)
    assert told["levels"] == [["1.1", "1.2"], ["2.1"]]
    toy.commit("plan", {"plan.yaml": (toy.repository / "plan.yaml").read_text()})
    work = 'mkdir -p "src/$STRETTO_TASK"; cp "$STRETTO_PROMPT_FILE" "src/$STRETTO_TASK/prompt"'
    toy.stretto("run", "plan.yaml", "--agent", f"shell: {work}")
    assert set(toy.states().values()) == {"succeeded"}


def test_what_was_found_is_the_default_agents_answer_in_json(toy: Toy) -> None:
    toy.write(
        {"stretto.toml": f'agent = "planner"\n[agents.planner]\ncommand = """{answering(toy, answer(own()))[6:]}"""\n'}
    )
    told = json.loads(toy.stretto("discover", "PLAN.md", "--json").stdout)
    assert (told["decision"], told["by"], told["breadth"], told["attempts"]) == ("yes", "answer", 3, 1)
    assert told["document"] == {"file": "PLAN.md", "tasks": 3, "hours": 15.0}
    assert told["file"] == "PLAN-parallel.yaml" and (toy.repository / "PLAN-parallel.yaml").is_file()
    assert told["plan"]["levels"] == [["1.1", "1.2"], ["2.1"]] and len(told["checklist"]) == 16
    assert told["plan"]["estimate"]["parallel_s"] == 8 * 3600


def test_what_the_plan_lacks_and_what_it_cost_is_told(toy: Toy) -> None:
    costs = 'echo \'{"usage": {"cost_usd": 0.25}}\' > "$STRETTO_RESULT_FILE";'
    agent = answering(toy, answer(CIRCLE), answer(own(task("1.1"), task("1.2"))), more=costs)
    done = toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml")
    assert "cost: $0.50" in done.stdout
    assert "note: the document names `2.1`, which the plan does not have" in done.stdout
    told = json.loads(toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "p.yaml", "--json").stdout)
    assert (told["cost_usd"], told["left_out"]) == (0.5, ["2.1"])
    done = toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "q.yaml", "--priority", "1")
    assert "note:" not in done.stdout


def test_a_no_is_told_with_its_reasons_and_is_no_failure(toy: Toy) -> None:
    agent = answering(toy, answer(None, "no", "chain"))
    done = toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml")
    assert "no: For a reason." in done.stdout and "looked at chain" in done.stdout
    assert "looked at files" not in done.stdout and "no plan was written" in done.stdout
    told = json.loads(toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml", "--json").stdout)
    assert (told["decision"], told["file"], told["plan"]) == ("no", None, None)
    assert not (toy.repository / "plan.yaml").exists()


def test_a_parallel_json_is_written_where_that_is_its_name(toy: Toy) -> None:
    toy.stretto("discover", "PLAN.md", "--agent", answering(toy, answer(parallel())), "-o", "parallel.json")
    written = json.loads((toy.repository / "parallel.json").read_text())
    assert written == parallel()
    assert json.loads(toy.stretto("show", "parallel.json", "--json").stdout)["format"] == "parallel-json"


@pytest.mark.parametrize("target", ["plan.yaml", "plan.json", "-"])
def test_an_answer_with_a_parallel_json_is_written_in_any_form(toy: Toy, target: str) -> None:
    asked = toy.stretto("discover", "PLAN.md", "--prompt", "-o", "parallel.json").stdout
    assert '"achievements"' in asked
    toy.write({"answer.md": as_text(answer(parallel())), "subplans/SUBPLAN_X.md": "no paper of this plan\n"})
    done = toy.stretto("discover", "PLAN.md", "--answer", "answer.md", "-o", target)
    if target == "-":
        (toy.repository / "plan.yaml").write_text(done.stdout)
    made = "plan.yaml" if target == "-" else target
    told = json.loads(toy.stretto("show", made, "--json").stdout)
    assert (told["format"], told["levels"]) == ("stretto", [["1.1", "1.2"], ["2.1"]])
    assert "Do 2.1" in (toy.repository / made).read_text() and "PLAN.md" in (toy.repository / made).read_text()
    assert toy.stretto("check", made, "--agent", "scripted").returncode == 0


def test_parts_of_an_achievement_are_written_in_any_form(toy: Toy) -> None:
    parts = [part("1.1.1"), part("1.1.2")]
    toy.write({"answer.md": as_text(answer(parallel(achievement("1.1", sub_executions=parts), level=1)))})
    toy.stretto("discover", "PLAN.md", "--answer", "answer.md", "-o", "plan.yaml", "--achievement", "1.1")
    assert json.loads(toy.stretto("show", "plan.yaml", "--json").stdout)["levels"] == [["1.1.1", "1.1.2"]]
    refused = toy.stretto("discover", "PLAN.md", "--answer", "answer.md", "-o", "p.yaml", code=2).stderr
    assert "with the --priority or --achievement that was asked about" in " ".join(refused.split())


def test_a_plan_keeps_its_own_words_whatever_form_the_answer_has(toy: Toy) -> None:
    tasks = [f"  - {{id: {id}, prompt: own words, verify: test -e {id}}}\n" for id in ("1.1", "1.2", "2.1")]
    toy.write({"own.yaml": "name: n\ntasks:\n" + "".join(tasks), "answer.md": as_text(answer(parallel()))})
    done = toy.stretto("discover", "own.yaml", "--answer", "answer.md", "-o", "-")
    assert done.stdout.count("own words") == 3 and "test -e 2.1" in done.stdout and "Do 2.1" not in done.stdout


def test_paths_have_no_place_in_a_parallel_json_and_both_ways_on_are_told(toy: Toy) -> None:
    toy.write({"answer.md": as_text(answer(own(task("1.1"), task("1.2"))))})
    words = ("discover", "PLAN.md", "--priority", "1")
    refused = toy.stretto(*words, "--answer", "answer.md", "-o", "parallel.json", code=2).stderr
    assert "for which a parallel.json has no place" in " ".join(refused.split())
    as_it_is, other = (line[line.index("stretto ") :].split()[1:] for line in refused.splitlines()[-2:])
    assert as_it_is == [*words, "--answer", "answer.md", "-o", "parallel.yaml"]
    assert not (toy.repository / "parallel.json").exists()
    toy.stretto(*as_it_is)
    assert '"achievements"' in toy.stretto(*other).stdout


def test_an_agent_that_only_prints_is_heard_too(toy: Toy) -> None:
    (toy.root / "said").write_text(f"Let me see {{}}\n```json\n{as_text(answer(own()))}\n```\nDone.\n")
    toy.stretto("discover", "PLAN.md", "--agent", f"shell: cat {toy.root}/said", "-o", "plan.yaml")
    assert (toy.repository / "plan.yaml").is_file()


def test_the_text_agent_needs_no_more_than_an_endpoint(toy: Toy) -> None:
    with ModelServer() as server:
        server.script(r"(?s)\A(?!.*# Your last answer)", "MODEL text I cannot.")
        server.script("# Your last answer", f"MODEL answer {json.dumps(answer(own()))}")
        toy.env |= {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-ant-test-0", "ANTHROPIC_MODEL": "any"}
        done = toy.stretto("discover", "PLAN.md", "--agent", "text", "-o", "plan.yaml")
        assert len(server.requests()) == 2
    assert "there is no JSON object in it" in done.stderr and "wrote plan.yaml" in done.stdout


def test_wrong_answers_to_the_end_leave_no_plan_and_keep_what_was_said(toy: Toy) -> None:
    agent = answering(toy, "I cannot.", "{}")
    done = toy.stretto("discover", "PLAN.md", "--agent", agent, "--attempts", "2", "-o", "plan.yaml", code=1)
    assert "no answer that can be taken, in 2 attempts" in done.stderr
    assert not (toy.repository / "plan.yaml").exists()
    (kept,) = scratch(toy)
    assert str(kept) in done.stderr and (kept / "attempt-1" / "answer.md").read_text() == "I cannot."
    assert (kept / "attempt-2" / "prompt.md").is_file() and not (kept / "work").exists()


@pytest.mark.parametrize(
    ("command", "code", "told", "attempts"),
    [
        ("exit 64", 1, "trouble that will not pass", 1),
        ("sleep 60", 1, "not done after 0.3 s", 2),
        ("exit 3", 1, "exit status 3", 2),
        ("true", 1, "there is no file answer.md", 2),
        ("ln -s /etc/hostname answer.md", 1, "there is no file answer.md", 2),
        (
            'echo \'{"failure": {"kind": "quota", "message": "come back tomorrow"}}\' > "$STRETTO_RESULT_FILE"; exit 1',
            4, "come back tomorrow", 1,
        ),
    ],
)  # fmt: skip
def test_an_agent_that_fails_is_asked_again_where_that_may_help(
    toy: Toy, command: str, code: int, told: str, attempts: int
) -> None:
    counted = f"echo x >> {toy.root}/tries; {command}"
    limits = ("--attempts", "2", "--timeout", "0.3s" if "sleep" in command else "1m")
    done = toy.stretto("discover", "PLAN.md", "--agent", f"shell: {counted}", *limits, code=code)
    assert told in done.stderr
    assert (toy.root / "tries").read_text().count("x") == attempts


def test_an_answer_that_somebody_brings_needs_no_agent(toy: Toy) -> None:
    toy.write({"good.md": as_text(answer(own())), "bad.md": as_text(answer(CIRCLE))})
    done = toy.stretto("discover", "PLAN.md", "--answer", "bad.md", code=2)
    assert "circle of dependencies" in done.stderr and "the answer in bad.md has a fault" in done.stderr
    assert "cannot read none.md" in toy.stretto("discover", "PLAN.md", "--answer", "none.md", code=2).stderr
    os.mkfifo(toy.repository / "pipe")
    assert "no regular file" in toy.stretto("discover", "PLAN.md", "--answer", "pipe", code=2).stderr
    done = toy.stretto("discover", "PLAN.md", "--answer", "good.md", "-o", "-")
    assert done.stdout.startswith("# What can be done") and "yes: For a reason." in done.stderr
    toy.write({"copy.yaml": done.stdout})
    toy.stretto("check", "copy.yaml")


def test_no_file_is_replaced_and_nobody_is_paid_for_a_plan_that_could_not_be_written(toy: Toy) -> None:
    agent = answering(toy, answer(own()))
    toy.write({"plan.yaml": "mine\n"})
    told = {
        "plan.yaml": "there is a file plan.yaml already",
        "PLAN.md": "a plan is written as YAML or JSON",
        "missing/plan.yaml": "cannot write missing/plan.yaml",
        "plan.toml": "a plan is written as YAML or JSON",
    }
    for target, message in told.items():
        assert message in toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", target, code=2).stderr
    assert not (toy.root / "prompt-1").exists() and (toy.repository / "plan.yaml").read_text() == "mine\n"
    toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml", "--force")
    assert "name: found" in (toy.repository / "plan.yaml").read_text()
    again = toy.stretto("discover", "plan.yaml", "--agent", agent, "-o", "plan.yaml", "--force", code=2)
    assert "plan.yaml is the document itself" in again.stderr


def test_one_that_came_to_be_meanwhile_is_kept_and_so_is_the_answer(toy: Toy) -> None:
    plan = toy.repository / "plan.yaml"
    agent = answering(toy, answer(own()), more=f"echo mine > {plan};")
    said = toy.stretto("discover", "PLAN.md", "--agent", agent, "-o", "plan.yaml", code=2).stderr
    assert "plan.yaml has come to be meanwhile" in said and plan.read_text() == "mine\n"
    (kept,) = scratch(toy)
    assert str(kept / "answer.md") in said
    toy.stretto("discover", "PLAN.md", "--answer", str(kept / "answer.md"), "-o", "other.yaml")


def test_a_small_document_is_advised_against_before_anybody_is_paid(toy: Toy) -> None:
    toy.write(
        {"few.md": "Task 1: a (20h)\nTask 2: b (20h)\n", "short.md": "".join(f"Task {n}: x (1h)\n" for n in range(9))}
    )
    agent = answering(toy, answer(own()))
    done = toy.stretto("discover", "few.md", "--agent", agent)
    assert "no: few.md is not asked about: it has 2 tasks, and below 3" in done.stdout and "--force" in done.stdout
    assert "it has 9 h of work, and below 10 h" in toy.stretto("discover", "short.md", "--agent", agent).stdout
    told = json.loads(toy.stretto("discover", "few.md", "--agent", agent, "--json").stdout)
    assert (told["decision"], told["by"], told["attempts"], told["checklist"]) == ("no", "size", 0, [])
    assert not (toy.root / "prompt-1").exists()
    assert "it has 2 tasks" in toy.stretto("discover", "few.md", "--prompt").stderr
    toy.stretto("discover", "few.md", "--agent", agent, "--force")
    assert (toy.repository / "few-parallel.yaml").is_file() and "fewer than 3" not in asked(toy, 1)


TASKS: dict[str, Any] = {
    "tasks": [
        {"id": 1, "title": "Begin", "status": "done", "dependencies": []},
        {"id": 2, "title": "List", "description": "Make a list", "status": "pending", "dependencies": [1]},
        {"id": 3, "title": "Search", "description": "Make a search", "status": "pending", "dependencies": [2]},
        {"id": 4, "title": "Page", "description": "Make a page", "status": "pending", "dependencies": [3]},
    ]
}


def test_a_plan_of_another_tool_gets_another_order_and_keeps_its_tasks(toy: Toy) -> None:
    toy.write({"tasks.json": json.dumps(TASKS)})
    tasks = [{"id": "2", "depends_on": []}, {"id": "3", "depends_on": []}, {"id": "4", "depends_on": ["2", "3"]}]
    bare = [each | {"writes": [f"{each['id']}/**"]} for each in tasks]
    agent = answering(toy, answer(own(*bare[:2])), answer(own(*bare)))
    done = toy.stretto("discover", "tasks.json", "--agent", agent, "-o", "plan.yaml")
    assert "the plan lacks `4`" in done.stderr and "- `2`: List\n- `3`: Search\n- `4`: Page\n" in asked(toy, 1)
    told = json.loads(toy.stretto("show", "plan.yaml", "--json").stdout)
    assert told["levels"] == [["2", "3"], ["4"]]
    assert "Make a search" in (toy.repository / "plan.yaml").read_text()
    toy.stretto("check", "plan.yaml")


def test_a_plan_that_is_done_or_broken_is_nothing_to_ask_about(toy: Toy) -> None:
    done = {"tasks": [each | {"status": "done"} for each in TASKS["tasks"]]}
    toy.write({"tasks.json": json.dumps(done), "bad.yaml": "name: n\ntasks: [{id: a, prompt: x, dependson: b}]\n"})
    agent = answering(toy, answer(own()))
    assert "nothing of it is left to do" in toy.stretto("discover", "tasks.json", "--agent", agent, "--force").stdout
    assert "bad.yaml:2:" in toy.stretto("discover", "bad.yaml", "--agent", agent, code=2).stderr
    assert not (toy.root / "prompt-1").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--breadth", "4"), "there is no breadth 4"),
        (("--breadth", "1"), "--breadth 1 needs --achievement X"),
        (("--breadth", "2"), "--breadth 2 needs --priority P"),
        (("--breadth", "3", "--priority", "1"), "--priority and --breadth 3 contradict each other"),
        (("--achievement", "1.1", "--priority", "1"), "contradict each other"),
        (("--achievement", "1.3"), "seems to have no achievement '1.3'"),
        (("--priority", "7"), "seems to have no priority '7'\nhint: it has 1, 2 (--force"),
        (("--achievement", " "), "--achievement names nothing"),
        (("--prompt", "--answer", "x"), "--prompt and --answer contradict each other"),
        (("-o", "-", "--json"), "both want standard output"),
        (("--attempts", "0"), "at least 1"),
        (("--timeout", "soon"), "timeout"),
    ],
)
def test_what_does_not_fit_together_is_one_message(toy: Toy, words: tuple[str, ...], told: str) -> None:
    done = toy.stretto("discover", "PLAN.md", *words, code=2)
    assert told in done.stderr and done.stdout == ""


def test_a_priority_that_nobody_names_is_refused_and_told_of_those_there_are(toy: Toy) -> None:
    toy.write(
        {
            "none.md": "# Shop\n\n- Task 1: list\n- Task 2: search\n- Task 3: page\n",
            "words.md": "# Shop\n\nThe list has high priority, the search priority P2.\n",
            "plan.yaml": "name: n\ntasks:\n  - {id: a, prompt: x, priority: 2}\n  - {id: b, prompt: x}\n"
            "  - {id: c, prompt: x, priority: 2}\n",
        }
    )
    for file, hint in (("none.md", "it names none"), ("words.md", "it has high, 2 ("), ("plan.yaml", "it has 2, 3 (")):
        for more in ("--prompt",), ("--answer", "x"):
            refused = toy.stretto("discover", file, "--priority", "9", *more, code=2)
            assert f"{file} seems to have no priority '9'" in refused.stderr and f"hint: {hint}" in refused.stderr
    assert "of priority 9" in toy.stretto("discover", "none.md", "--priority", "9", "--prompt", "--force").stdout
    assert "of priority high" in toy.stretto("discover", "words.md", "--priority", "High", "--prompt").stdout
    assert "- `a`" in toy.stretto("discover", "plan.yaml", "--priority", "P2", "--prompt").stdout


def test_a_priority_with_one_piece_of_work_is_refused_before_anybody_is_paid(toy: Toy) -> None:
    toy.write(
        {
            "plan.yaml": "name: n\ntasks:\n"
            + "".join(f"  - {{id: {id}, prompt: x, priority: {n}}}\n" for id, n in (("a", 1), ("b", 2), ("c", 2))),
            "told.md": PLAN + "\nPriority: 2\n\n- the sitemap\n",
        }
    )
    agent = answering(toy, answer(own()))
    for file, priority, only in (("PLAN.md", "2", "2.1"), ("plan.yaml", "1", "a")):
        for more in (("--agent", agent), ("--prompt",), ("--answer", "x")):
            refused = toy.stretto("discover", file, "--priority", priority, *more, code=2)
            said = " ".join(refused.stderr.split())
            assert f"of priority {priority} {file} has only `{only}`, and nothing could run beside it" in said
            assert "hint: --breadth 3" in said and f"--achievement {only}" in said and refused.stdout == ""
    assert not (toy.root / "prompt-1").exists()
    toy.stretto("discover", "PLAN.md", "--priority", "2", "--prompt", "--force")
    toy.stretto("discover", "told.md", "--priority", "2", "--prompt")  # which may name more of it in other words


def test_a_folder_stands_for_the_plan_in_words_that_it_holds(toy: Toy) -> None:
    toy.write({"shop/PLAN_SHOP.md": PLAN})
    agent = answering(toy, answer(own()))
    toy.stretto("discover", "shop", "--agent", agent)
    assert "`PLAN_SHOP.md`" in asked(toy, 1)
    assert "context: [shop/PLAN_SHOP.md]" in (toy.repository / "PLAN_SHOP-parallel.yaml").read_text()


def test_a_folder_without_such_a_plan_names_what_could_be_meant(toy: Toy) -> None:
    toy.write({"two/PLAN_A.md": PLAN, "two/PLAN_B.md": PLAN, "notes/todo.md": PLAN, "code/a.py": "x = 1\n",
               "notes/PLAN_OLD.md/x": "", "notes/a.md/x": ""})  # fmt: skip
    for folder, hint in (
        ("two", "name one of them: two/PLAN_A.md, two/PLAN_B.md"),
        ("notes", "name a document that says what is to be done, such as notes/todo.md"),
        ("code", "name a document that says what is to be done"),
    ):
        refused = toy.stretto("discover", folder, "--prompt", code=2)
        how_many = "2 files" if folder == "two" else "no file"
        assert f"{folder} is a folder with {how_many} PLAN_….md" in refused.stderr
        assert " ".join(refused.stderr.split()).endswith(f"hint: {hint}")


def test_documents_that_are_none_are_one_message(toy: Toy) -> None:
    (toy.repository / "binary.md").write_bytes(b"\xff\xfe\x00x")
    toy.write({"empty.md": "\n", "long.md": "x" * 400_001})
    told = {"none.md": "no such file", ".": "is a folder", "binary.md": "no text in UTF-8", "empty.md": "is empty"}
    for name, message in (told | {"long.md": "400,001 characters"}).items():
        assert message in toy.stretto("discover", name, "--prompt", code=2).stderr


def test_nothing_in_a_document_is_run_or_filled_in(toy: Toy) -> None:
    nasty = PLAN + "\n$(touch owned) `touch owned`; touch owned\n{{ 7 * 7 }} {% for x in range(9) %}\n"
    toy.write({"$(touch owned).md": nasty})
    agent = answering(toy, answer(own()))
    toy.stretto("discover", "$(touch owned).md", "--agent", agent, "-o", "plan.yaml")
    assert nasty in asked(toy, 1)
    assert not list(toy.root.rglob("owned"))


def test_it_works_without_git_and_without_a_copy(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"x": "x"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "PLAN.md").write_text(PLAN)
    toy.repository = outside
    agent = answering(toy, answer(own()), more="test ! -e repository || exit 64;")
    toy.stretto("discover", "PLAN.md", "--agent", agent)
    assert "# The repository" not in asked(toy, 1) and (outside / "PLAN-parallel.yaml").is_file()


def test_links_of_the_repository_are_not_in_the_copy(toy: Toy) -> None:
    (toy.repository / "away").symlink_to("/etc")
    toy.git("add", "away")
    toy.commit("link", {"deep/er/file": "x\n"})
    agent = answering(toy, answer(own()), more="test -s repository/deep/er/file -a ! -L repository/away || exit 64;")
    toy.stretto("discover", "PLAN.md", "--agent", agent)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_agent_ends_with_stretto(toy: Toy, number: signal.Signals) -> None:
    pid = toy.root / "pid"
    front = toy.front("discover", "PLAN.md", "--agent", f"shell: echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 600")
    until(pid.exists, "the agent works")
    agent = int(pid.read_text())
    os.kill(front.pid, number)
    code = front.wait(timeout=60)
    until(lambda: not Path(f"/proc/{agent}").exists() or _is_dead(agent), "the agent has ended")
    assert code == (-9 if number == signal.SIGKILL else 130), toy.said()
    assert number == signal.SIGKILL or scratch(toy) == []


def test_a_hangup_that_is_ignored_ends_nothing(toy: Toy) -> None:
    started, go = toy.root / "started", toy.root / "go"
    agent = answering(toy, answer(own()), more=f"touch {started}; until test -e {go}; do sleep 0.05; done;")
    deaf = 'trap "" HUP; exec "$0" -m stretto discover PLAN.md -o plan.yaml --agent "$1"'
    front = subprocess.Popen(
        ["sh", "-c", deaf, sys.executable, agent], cwd=toy.repository, env=toy.env, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until(started.exists, "the agent works")
    front.send_signal(signal.SIGHUP)
    go.touch()
    assert front.wait(timeout=60) == 0
    assert (toy.repository / "plan.yaml").is_file()


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
