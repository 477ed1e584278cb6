"""Every example in docs/agents.md runs, and ends as the page says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from stretto.agents.result import Result, read_result
from stretto.agents.scripted import ScriptedAgent
from stretto.agents.shell import ShellAgent
from stretto.engine.supervise import ProcessSupervisor
from stretto.testing.agents import assignment

PAGE = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()
EXAMPLES = re.findall(r"<!-- (shell|scripted): (\w+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)


def test_no_example_is_left_out() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^```(?:sh|script)$", PAGE, re.MULTILINE)) == 7


@pytest.mark.parametrize(("agent", "outcome", "text"), EXAMPLES)
def test_an_example_ends_as_the_page_says(tmp_path: Path, agent: str, outcome: str, text: str) -> None:
    attempt = assignment(tmp_path, prompt=text if agent == "scripted" else "a prompt")
    doer = ScriptedAgent() if agent == "scripted" else ShellAgent(text)
    report = asyncio.run(doer.run(attempt, ProcessSupervisor()))
    assert (report.failure.kind if report.failure else "done") == outcome
    if outcome == "done":
        assert any(attempt.workspace.iterdir())


def test_the_result_file_on_the_page_is_one(tmp_path: Path) -> None:
    said: set[str] = set()
    for body in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / "result.json").write_text(body)
        result = read_result(tmp_path / "result.json")
        assert result is not None
        said |= {key for key in Result.__struct_fields__ if getattr(result, key) is not None}
    assert said == set(Result.__struct_fields__)
