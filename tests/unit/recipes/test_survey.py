"""`stretto init`: what it sees in repositories of many kinds, and that what it writes holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.analysis.lint import lint
from stretto.config.agents import specs
from stretto.config.files import parse
from stretto.config.installed import KNOWN
from stretto.config.layers import Settings
from stretto.config.resolve import resolve
from stretto.config.starter import settings_text
from stretto.config.table import SETTINGS
from stretto.formats.load import load
from stretto.recipes.starter import plan_text
from stretto.recipes.survey import Survey, survey
from unit.recipes.zoo import JEST, ZOO

GOLDEN = Path(__file__).parent.parent.parent / "samples" / "init"
"""Looked over by people. After a change: write them again with the texts that the failing test shows."""


def surveyed(files: Mapping[str, str]) -> Survey:
    return survey(files.keys(), lambda path: files[path])


@pytest.mark.parametrize("name", ZOO)
def test_what_is_seen(name: str) -> None:
    files, setup, verify = ZOO[name]
    found = surveyed(files)
    assert tuple(command for command, _ in found.setup) == setup
    assert tuple(command for command, _ in found.verify) == verify
    for _, why in (*found.setup, *found.verify):
        assert any(path in why for path in files), "what shows it is a file of the repository"


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("name", ZOO)
def test_a_plan_to_begin_with_holds(name: str, scripted: bool) -> None:
    files, setup, verify = ZOO[name]
    text = plan_text(surveyed(files), files, name=name, scripted=scripted)
    loaded = load("plan.yaml", text.encode())
    assert loaded.findings == ()
    assert [finding for finding in lint(loaded.plan, loaded.places) if finding.severity != "info"] == []
    assert loaded.plan.setup.run == setup
    assert tuple(check.command for check in loaded.plan.gates.verify) == verify
    written = {path for task in loaded.plan.tasks for path in task.writes or ()}
    assert len(written) == 3
    assert not written & files.keys()
    assert max(map(len, text.splitlines())) <= 200


@pytest.mark.parametrize("count", range(len(KNOWN) + 1))
def test_settings_to_begin_with_hold_and_so_does_what_they_offer(count: int) -> None:
    text = settings_text(KNOWN[count - 1 : count])
    said = parse(text)
    agent = said.layer.get(("agent",))
    assert (agent.value if agent else None) == (KNOWN[count - 1].name if count else None)
    if agent:
        plan = load("plan.yaml", plan_text(surveyed({}), (), name="x", scripted=False).encode()).plan
        assert agent.value in resolve(plan, Settings(said.layer), interactive=False).agents
    offered = "\n".join(
        line.removeprefix("# ") if line.startswith("# [") or " = " in line else line for line in text.splitlines()
    )
    everything = parse(offered)
    assert {key for key, setting in SETTINGS.items() if setting.field} <= everything.layer.keys()
    assert ("env", "pass") in everything.layer
    assert everything.profiles
    specs(Settings(everything.layer))


def test_variables_that_are_set_are_handed_on() -> None:
    codex = [known for known in KNOWN if known.name == "codex"]
    assert parse(settings_text(codex, {"OPENAI_API_KEY", "HOME"})).layer["env", "pass"].value == ("OPENAI_API_KEY",)
    assert ("env", "pass") not in parse(settings_text(codex, {"HOME"})).layer


def test_notes_say_what_was_left_open() -> None:
    (note,) = surveyed(ZOO["several lock files"][0]).notes
    assert note == (
        "package.json: lock files of yarn, npm; yarn was taken (packageManager in package.json would settle it)"
    )
    many = {f"p{n}/package.json": JEST for n in range(9)}
    assert surveyed(many).notes == (
        "projects that were left out, for there are many: p6 (Node.js with npm), p7 (Node.js with npm), "
        "p8 (Node.js with npm)",
    )


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).map(
            lambda name: f"{name}/package.json"
        ),
        st.just(JEST),
        max_size=3,
    )
)
def test_folders_of_any_name_make_a_plan_that_can_be_read(files: dict[str, str]) -> None:
    found = surveyed(files)
    plan = load("plan.yaml", plan_text(found, files, name="x", scripted=True).encode()).plan
    assert plan.setup.run == tuple(command for command, _ in found.setup)


@pytest.mark.parametrize("name", ["nothing", "monorepo"])
def test_the_texts_are_those_that_were_looked_over(name: str) -> None:
    files = ZOO[name][0]
    agents = () if name == "nothing" else KNOWN[:2]
    texts = {
        f"{name}.toml": settings_text(agents),
        f"{name}.yaml": plan_text(surveyed(files), files, name=name, scripted=not agents),
    }
    assert {file: (GOLDEN / file).read_text() for file in texts} == texts
