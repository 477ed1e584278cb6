"""docs/testing.md: its examples run, and it tells the whole language."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any, get_args

from stretto.testing.models import script
from stretto.testing.models.log import Outcome
from stretto.testing.models.script import DIRECTIVES, parse

PAGE = (Path(__file__).parents[4] / "docs" / "testing.md").read_text()


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_run() -> None:
    names: dict[str, Any] = {}
    examples = fenced("python")
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/testing.md", "exec"), names)


def test_the_script_on_the_page_is_one() -> None:
    (script,) = fenced("model")
    assert len(parse(script).lines) == 7


USAGE = re.compile(r"^    ([a-z-]+(?: [A-Z\[|=>][^ ]*| \[?[a-z]+\]| \.{3})*)  +\w", re.MULTILINE)
"""How the language's own page shows a directive."""


def test_every_directive_is_told_and_shown_as_in_the_language_itself() -> None:
    shown = USAGE.findall(script.__doc__ or "")
    assert {usage.split()[0] for usage in shown} == set(DIRECTIVES)
    page = PAGE.replace("\\|", "|").replace("…", "...")
    assert [usage for usage in shown if f"`{usage}`" not in page] == []


def test_outcomes_are_told() -> None:
    for outcome in get_args(Outcome):
        assert f"`{outcome}`" in PAGE


def test_what_the_kit_is_said_to_have_exists() -> None:
    table = PAGE.split("\n## ")[0]
    named = re.findall(r"`([a-z.]+)\.([A-Za-z]+)`", table)
    assert len(named) == 11
    for module, name in named:
        if module == "stretto":
            importlib.import_module(f"stretto.{name}")
        else:
            assert hasattr(importlib.import_module(f"stretto.testing.{module}"), name)
