"""Who does the tasks: what `check` says before `run` would refuse, and words for an agent that does none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy

AUTO = {
    "feature": "f",
    "workflow_type": "feature",
    "phases": [
        {"id": "p", "name": "P", "subtasks": [{"id": "s", "description": "x", "status": "pending"}]},
    ],
}


def told(toy: Toy, plan: str, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What `check` finds about agents: by code."""
    found = json.loads(toy.stretto("check", plan, "--json", *words, code=code).stdout)["findings"]
    return {one["code"]: one for one in found if one["code"] in ("no-agent", "agent-unavailable")}


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n"})
    toy.env["PATH"] = "/usr/bin:/bin"
    return toy


def test_check_says_that_nobody_does_a_task_and_what_would_mend_it(toy: Toy) -> None:
    toy.write({"p.yaml": "name: p\ntasks:\n  - {id: a, prompt: x, agent: scripted}\n  - {id: b, prompt: x}\n"})
    found = told(toy, "p.yaml")["no-agent"]
    assert (found["severity"], found["tasks"], found["location"]["line"]) == ("warning", ["b"], 4)
    assert "agent" in toy.stretto("run", "p.yaml", code=2).stderr
    toy.stretto("check", "p.yaml", "--fail-on", "warning", code=2)
    assert "--agent scripted" in found["hint"]
    toy.stretto("check", "p.yaml", "--fail-on", "warning", "--agent", "scripted")
    toy.write({"stretto.toml": "agent = 'scripted'\n"})
    assert not told(toy, "p.yaml")
    toy.stretto("run", "p.yaml", "--dry-run")


def test_a_plan_that_cannot_name_agents_is_not_blamed(toy: Toy) -> None:
    toy.write({"implementation_plan.json": json.dumps(AUTO)})
    assert told(toy, "implementation_plan.json")["no-agent"]["severity"] == "info"
    AUTO["phases"][0]["subtasks"][0]["status"] = "completed"  # type: ignore[index]
    toy.write({"implementation_plan.json": json.dumps(AUTO)})
    assert not told(toy, "implementation_plan.json")


@pytest.mark.parametrize(
    ("plan", "settings", "line", "message", "hint"),
    [
        ("tasks: [{id: a, prompt: x}]\ndefaults: {agent: claude}\n", "", 3, "is not installed", "npm install"),
        ("tasks:\n- {id: a, prompt: x, agent: [scripted, claude]}\n", "", 3, "is not installed", "npm install"),
        ("tasks:\n- {id: a, prompt: x, agent: scriptd}\n", "", 3, "there is no agent 'scriptd'", "did you mean"),
        ("tasks: [{id: a, prompt: x}]\n", "agent = './a.sh'", 1, "there is no agent './a.sh'", "'shell: ./a.sh'"),
        ("tasks: [{id: a, prompt: x}]\n", "agent = 'mine'", 1, "there is no agent 'mine'", "define it"),
        ("tasks:\n- {id: a, prompt: x}\ndefaults: {agent: 'shell:'}\n", "", 4, "needs a command", "--agent 'shell:"),
    ],
)
def test_check_says_that_an_agent_cannot_start_here(
    toy: Toy, plan: str, settings: str, line: int, message: str, hint: str
) -> None:
    toy.write({"p.yaml": f"name: p\n{plan}", "stretto.toml": settings})
    found = told(toy, "p.yaml")["agent-unavailable"]
    assert (found["severity"], found["location"]["line"]) == ("warning", line)
    assert message in found["message"] and hint in found["hint"]
    assert message in toy.stretto("run", "p.yaml", code=2).stderr


def test_looking_for_agents_starts_nothing(toy: Toy) -> None:
    folder = toy.root / "bin"
    folder.mkdir()
    (folder / "claude").write_text(f"#!/bin/sh\ntouch {toy.root}/started\n")
    (folder / "claude").chmod(0o755)
    toy.env["PATH"] = f"{folder}:/usr/bin:/bin"
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: x, agent: claude}]\n"})
    assert not told(toy, "p.yaml")
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: x}]\n"})
    assert told(toy, "p.yaml")["no-agent"]["hint"].startswith("--agent claude, or ")
    assert not told(toy, "p.yaml", "--agent", "claude")
    assert not (toy.root / "started").exists()


def test_words_for_an_agent_that_does_nothing_are_refused(toy: Toy) -> None:
    toy.write({"stretto.toml": "[agents.other]\nkind = 'claude'\ncommand = '/bin/true'\n"})
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: x, agent: scripted}, {id: b, prompt: y}]\n"})
    words = ("--agent", "other", "--agent-args", "--max-turns 3")
    toy.stretto("run", "p.yaml", "--dry-run", *words)
    refused = toy.stretto("run", "p.yaml", "--dry-run", "--only", "a", *words, code=2).stderr
    assert "--agent-args is for 'other', which does no task: the tasks to do name 'scripted'" in refused
    assert "hint: leave it out" in refused


def test_show_prompt_looks_for_the_task_before_its_agent(toy: Toy) -> None:
    toy.write({"p.yaml": "name: p\ntasks: [{id: first, prompt: x}]\n"})
    refused = toy.stretto("show", "p.yaml", "--prompt", "frist", code=2).stderr
    assert "there is no task 'frist'" in refused and "did you mean first?" in refused
    refused = toy.stretto("show", "p.yaml", "--prompt", "first", "--agent", "nobody", code=2).stderr
    assert "there is no agent 'nobody'" in refused


def test_show_prompt_speaks_of_no_other_task(toy: Toy) -> None:
    tasks = "[{id: a, prompt: x, agent: gone}, {id: b, prompt: y, agent: lost}, {id: c, prompt: z, agent: scripted}]"
    toy.write({"p.yaml": f"name: p\ntasks: {tasks}\n"})
    refused = toy.stretto("show", "p.yaml", "--prompt", "b", code=2).stderr
    assert "there is no agent 'lost'" in refused and "gone" not in refused
    assert "z" in toy.stretto("show", "p.yaml", "--prompt", "c").stdout


def test_show_prompt_knows_the_agent_of_a_task_that_is_done(toy: Toy) -> None:
    tasks = "[{id: a, prompt: Build it., agent: 'shell: echo a > a.txt'}, {id: c, prompt: write c.txt Paint}]"
    toy.write({"p.yaml": f"name: p\ntasks: {tasks}\n"})
    toy.stretto("run", "p.yaml", "--agent", "scripted", "--only", "a", "--yes")
    assert "Build it." in toy.stretto("show", "p.yaml", "--prompt", "a", "--agent", "scripted").stdout
    toy.stretto("run", "p.yaml", "--agent", "scripted", "--yes")
    assert "nothing is left to do" in toy.stretto("run", "p.yaml", "--agent", "scripted", "--yes").stdout
    for agent in ("scripted", "shell: true"):
        assert "Build it." in toy.stretto("show", "p.yaml", "--prompt", "a", "--agent", agent).stdout
        assert "Paint" in toy.stretto("show", "p.yaml", "--prompt", "c", "--agent", agent).stdout
    assert "Paint" in toy.stretto("show", "p.yaml", "--prompt", "c").stdout


def test_what_only_describes_wants_no_agent(toy: Toy) -> None:
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: Build it., agent: claude}, {id: b, prompt: x}]\n"})
    assert "no agent does" in toy.stretto("run", "p.yaml", code=2).stderr
    done = toy.stretto("run", "p.yaml", "--dry-run")
    assert "a" in done.stdout
    told = done.stdout + done.stderr
    assert "warning: no agent does `b`" in told and "'claude'" in told and "is not installed" in told
    toy.stretto("run", "p.yaml", "--dry-run", "--only", "a", "--json")
    assert "Build it." in toy.stretto("show", "p.yaml", "--prompt", "a").stdout
    toy.write({"q.yaml": "name: q\ntasks: [{id: b, prompt: Paint it.}]\n"})
    assert "Paint it." in toy.stretto("show", "q.yaml", "--prompt", "b").stdout


def test_who_will_be_asked_is_told_before(toy: Toy) -> None:
    check = "verify: [{approval: Look at it.}]"
    toy.write({"p.yaml": f"name: p\ntasks:\n- {{id: a, prompt: x, {check}}}\n- {{id: b, prompt: y}}\n"})
    (found,) = (
        one for one in json.loads(toy.stretto("check", "p.yaml", "--json").stdout)["findings"]
        if one["code"] == "asks-person"
    )  # fmt: skip
    assert (found["severity"], found["tasks"], found["location"]["line"]) == ("info", ["a"], 3)
    said = "1 task will wait for a person's yes: `a`"
    assert found["message"] == said
    done = toy.stretto("run", "p.yaml", "--dry-run", "--agent", "scripted")
    assert f"note: {said}" in done.stdout + done.stderr
    done = toy.stretto("run", "p.yaml", "--dry-run", "--agent", "scripted", "--only", "b")
    assert "person" not in done.stdout + done.stderr
