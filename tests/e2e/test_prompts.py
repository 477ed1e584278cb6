"""What agents are really told: by `show --prompt` before, by `logs --prompt` afterwards, and from task to task."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from e2e.toy import Toy, until
from stretto.engine.prompt import SEAM

CLAUDE = f"""#!{sys.executable}
import json, os, pathlib, sys
pathlib.Path("told.md").write_bytes(sys.stdin.buffer.read())
pathlib.Path(os.environ["STRETTO_RESULT_FILE"]).write_text(json.dumps({{"decisions": ["dates are UTC"]}}))
print(json.dumps({{"type": "system", "subtype": "init", "session_id": "s"}}))
end = {{"type": "result", "subtype": "success", "is_error": False, "result": "Copied it.", "session_id": "s"}}
print(json.dumps(end))
"""
"""A coding agent that puts what it was told into a file."""

TELLING = """
name: shop
context: [docs/style.md]
phases:
  - id: base
    tasks:
      - id: reader
        title: Reads & writes
        prompt: |
          write a.txt {{ 7 * 7 }} {% if x %}
          summary Made the {{ tables }}.
          decision ids are text
        writes: [a.txt]
        verify: [test -s a.txt]
      - {id: hander, prompt: Say it loud, agent: 'shell: cp "$STRETTO_PROMPT_FILE" hander.md', writes: [hander.md]}
      - {id: bare, prompt: "Exactly this\\n", context: [], agent: coder, writes: [told.md]}
  - id: later
    depends_on: [base]
    tasks:
      - {id: after, prompt: "append a.txt more\\nsummary Its word.\\nfail transient not yet times 1", writes: [a.txt]}
      - {id: last, depends_on: [after], prompt: write z.txt z, writes: [z.txt]}
gates: {verify: [test -s a.txt]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Toy:
    claude = tmp_path / "claude"
    claude.write_text(CLAUDE)
    claude.chmod(0o755)
    settings = f'[agents.coder]\nkind = "claude"\ncommand = "{claude}"\n'
    return Toy(tmp_path, {"plans/shop.yaml": TELLING, "plans/docs/style.md": "Be `kind`.\n", "stretto.toml": settings})


def shown(toy: Toy, task: str, *args: str) -> str:
    return toy.stretto("show", "plans/shop.yaml", "--prompt", task, "--agent", "scripted", *args).stdout


def told(toy: Toy, task: str, *args: str) -> str:
    return toy.stretto("logs", task, "--prompt", *args).stdout


def test_what_is_shown_is_what_is_told_byte_for_byte(shop: Toy) -> None:
    before = {task: shown(shop, task) for task in ("reader", "hander", "bare")}
    shop.stretto("run", "plans/shop.yaml", "--agent", "scripted", "-j", "1")
    started = {}
    for task, prompt in before.items():
        real = started[task] = told(shop, task)
        if SEAM in prompt and "git worktree at commit" in prompt:  # a landing has moved the base since
            base = re.search("git worktree at commit ([0-9a-f]{12})", real)
            assert base
            prompt = shown(shop, task, "--base", base[1])
        assert real == prompt
    assert "# Your task" not in started["hander"]
    assert started["hander"] == f"Say it loud\n\n{SEAM}\n\n# Context: docs/style.md\n\n```\nBe `kind`.\n```\n"
    assert shop.git("show", f"{shop.branch()}:hander.md") == started["hander"]
    assert shop.git("show", f"{shop.branch()}:told.md") == started["bare"]
    assert started["reader"].startswith("write a.txt {{ 7 * 7 }} {% if x %}\nsummary")


def test_what_a_task_leaves_is_told_to_those_after_it(shop: Toy) -> None:
    shop.stretto("run", "plans/shop.yaml", "--agent", "scripted")
    first, second = told(shop, "after", "--attempt", "1"), told(shop, "after")
    for prompt in (first, second):
        assert "## reader: Reads & writes\n\n```\nMade the {{ tables }}.\n```\n" in prompt
        assert "- ids are text\n" in prompt and "- dates are UTC\n" in prompt and "Copied it." in prompt
        assert "Changed: `a.txt`\n" in prompt and "## hander\n" in prompt
    assert "# Earlier attempts" not in first
    assert "## Attempt 1: transient\n" in second and "not yet" in second
    landed = re.findall("git show --first-parent ([0-9a-f]{12})", second)
    assert len(landed) == 3
    for commit in landed:
        shop.git("merge-base", "--is-ancestor", commit, shop.branch())
    assert "a.txt" in shop.git("show", "--first-parent", "--name-only", "--format=", landed[0])
    last = told(shop, "last")
    assert "## after\n" in last and "Its word" in last


def test_what_is_done_already_is_told_as_done(shop: Toy) -> None:
    assert "Not done yet" in shown(shop, "after")
    shop.stretto("run", "plans/shop.yaml", "--agent", "scripted", "--only", "base")
    done = shown(shop, "after")
    assert "Not done yet" not in done and "## hander\n" in done
    assert shown(shop, "reader").startswith("write a.txt")  # one that is done itself can be asked for, too
    tip = shop.git("rev-parse", shop.branch()).strip()
    assert f"at commit {tip[:12]}" in done
    assert "Not done yet" in shown(shop, "after", "--base", "HEAD")


def test_the_outline_adds_up(shop: Toy) -> None:
    outline = json.loads(shown(shop, "after", "--json"))
    assert (outline["task"], outline["prompt"]) == ("after", shown(shop, "after"))
    assert sum(part["characters"] for part in outline["sections"]) == len(outline["prompt"])
    names = [part["name"] for part in outline["sections"]]
    assert names == ["words", "about", "context", "handoffs", "claims", "gates", "result", "template"]


def test_what_cannot_be_shown_is_one_message_and_a_hint(shop: Toy) -> None:
    def refused(*args: str, code: int = 2) -> str:
        return shop.stretto(*args, code=code).stderr

    show = ("show", "plans/shop.yaml", "--prompt")
    assert "did you mean reader?" in refused(*show, "raeder", "--agent", "scripted")
    assert "# " in shop.stretto(*show, "reader").stdout
    assert "there is no agent 'nobody'" in refused(*show, "reader", "--agent", "nobody")
    assert "there is no commit 'nowhere'" in refused(*show, "reader", "--agent", "scripted", "--base", "nowhere")
    assert "needs --prompt TASK" in refused("show", "plans/shop.yaml", "--base", "HEAD")
    shop.stretto("run", "plans/shop.yaml", "--agent", "scripted", "--only", "reader")
    assert "contradict each other" in refused("logs", "reader", "--prompt", "-f")
    assert "has attempts 1 to 1" in refused("logs", "reader", "--prompt", "--attempt", "2", code=3)


HOUSE = "{{ words }}\n\n{{ seam }}\n\n# House rules\n\nNo {{ 'jargon' | upper }}.\n\n{{ sections }}\n"


def test_r8_7_a_template_is_for_every_agent_and_stays_as_it_was_at_the_start(tmp_path: Path) -> None:
    go = tmp_path / "go"
    plan = f"""
name: shop
prompt_template: house.md
tasks:
  - {{id: first, prompt: 'wait {go}', effect: any, agent: scripted}}
  - {{id: second, prompt: Hello, depends_on: [first], agent: 'shell: cp "$STRETTO_PROMPT_FILE" b.md', writes: [b.md]}}
"""
    toy = Toy(tmp_path, {"shop.yaml": plan, "house.md": HOUSE})
    front = toy.front("run", "shop.yaml", "--yes")
    until(lambda: toy.states().get("first") == "running", "the first task runs")
    toy.write({"house.md": "{{ broken"})
    go.touch()
    assert front.wait(timeout=60) == 0, toy.said()
    second = toy.git("show", f"{toy.branch()}:b.md")
    assert second.startswith(f"Hello\n\n{SEAM}\n\n# House rules\n\nNo JARGON.\n\n# Your task\n")
    assert second == told(toy, "second")
    assert "# House rules" in told(toy, "first")

    refused = toy.stretto("run", "shop.yaml", "--new", "--ignore-status", code=2).stderr
    assert "house.md:1:1: this cannot be the template of prompts" in refused
    toy.write({"house.md": "{{ words }}\n\n{% for x in words %}{% endfor %}"})
    findings = json.loads(toy.stretto("check", "shop.yaml", "--json", code=2).stdout)["findings"]
    (found,) = (each for each in findings if each["severity"] == "error")
    assert (found["code"], found["location"]) == ("bad-template", {"file": "house.md", "line": 3, "column": 1})
    (toy.repository / "house.md").write_bytes(b"\xff{{ words }}")
    assert "it is no UTF-8 text" in toy.stretto("check", "shop.yaml", code=2).stdout
    (toy.repository / "house.md").unlink()
    assert "there is no file `house.md`" in toy.stretto("check", "shop.yaml", code=2).stdout


def test_a_template_that_fails_in_the_middle_of_a_run_costs_no_attempt(tmp_path: Path) -> None:
    template = "{{ words }}{% if task == 'odd' %}{{ attempt < words }}{% endif %}"
    plan = "name: p\nprompt_template: t.md\ntasks: [{id: odd, prompt: write a.txt a, writes: [a.txt]}]\n"
    toy = Toy(tmp_path, {"p.yaml": plan, "t.md": template})
    toy.stretto("check", "p.yaml")
    shown = toy.stretto("show", "p.yaml", "--prompt", "odd", "--agent", "scripted")
    assert "this is the usual prompt, not the plan's template: '<' not supported" in " ".join(shown.stderr.split())
    lines = toy.stretto("run", "p.yaml", "--agent", "scripted", "--json").stdout.splitlines()
    notices = [event for event in map(json.loads, lines) if event.get("code") == "template"]
    assert [event["tasks"] for event in notices] == [["odd"]]
    assert toy.states() == {"odd": "succeeded"}
    assert told(toy, "odd") == shown.stdout and "# Your task" in shown.stdout


def test_context_files_larger_than_a_prompt_are_cut_and_found_in_the_workspace(tmp_path: Path) -> None:
    spec = "".join(f"line {n}\n" for n in range(40_000))
    copy = 'shell: cp "$STRETTO_PROMPT_FILE" told.md'
    plan = f"name: p\ntasks: [{{id: a, prompt: Read it, context: [../spec.md], agent: '{copy}', writes: [told.md]}}]\n"
    toy = Toy(tmp_path, {"plans/p.yaml": plan, "spec.md": spec})
    toy.stretto("run", "plans/p.yaml")
    prompt = toy.git("show", f"{toy.branch()}:told.md")
    assert 50_000 < len(prompt) <= 60_000
    cut = re.search(r"\(cut by stretto: the last (\d+) of (\d+) characters; the whole text: (.*)\)", prompt)
    assert cut and int(cut[2]) == len(spec)
    assert toy.git("show", f"{toy.branch()}:{cut[3]}") == spec
    assert spec[: len(spec) - int(cut[1])].rstrip() in prompt


def test_a_prompt_is_shown_also_for_an_agent_that_is_not_installed(tmp_path: Path) -> None:
    gone = '[agents.gone]\nkind = "claude"\ncommand = "/nowhere/claude"\n'
    toy = Toy(tmp_path, {"README.md": ""})
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: write a.txt x}]\n", "stretto.toml": gone, "own.txt": ""})
    assert "write a.txt x" in toy.stretto("show", "p.yaml", "--prompt", "a", "--agent", "gone").stdout
    assert "is not installed" in toy.stretto("run", "p.yaml", "--agent", "gone", code=2).stderr
    said = toy.stretto("run", "p.yaml", "--agent", "scripted", "--dry-run")
    assert "not in the run's base: own.txt\n" in said.stdout + said.stderr  # neither the plan nor the settings
