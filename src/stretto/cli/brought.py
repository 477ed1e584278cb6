"""An answer that somebody brings: to the question that was printed, in whichever form that asked for its plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote

from msgspec.structs import replace

from stretto.cli.inquiry import Asked, read_answer
from stretto.errors import PlanError
from stretto.observe.words import on_plan
from stretto.recipes.discovery.answer import Unsound, understood
from stretto.recipes.discovery.found import Found, shape_of
from stretto.recipes.discovery.question import Question

_FLAGS = {1: "--achievement", 2: "--priority"}


def brought(
    file: Path,
    question: Question,
    judge: Callable[[str, Question], Found],
    *,
    document: Path,
    target: Path,
    tell_faults: Callable[[tuple[str, ...]], None],
) -> Asked:
    """Take it. `question` has the form in which the plan would be written; `judge` raises Unsound.

    Raises ConfigError where it cannot be read, and PlanError where it cannot be taken."""
    text = read_answer(file)
    try:
        plan = understood(text).plan
        shape = question.shape if plan is None else shape_of(plan) or question.shape
        if (shape, question.shape) == ("stretto", "parallel.json"):
            same = on_plan("discover", str(document)) + _about(question)
            raise PlanError(
                f"the answer in {file} has a plan with the paths that its tasks write, for which a parallel.json has "
                "no place",
                hint=f"{same} --answer {quote(str(file))} -o {quote(str(target.with_suffix('.yaml')))}\n"
                f"or ask for the other form: {same} --prompt -o {quote(str(target))}",
            )
        return Asked(found=judge(text, replace(question, shape=shape)), attempts=0, cost_usd=None)
    except Unsound as unsound:
        tell_faults(unsound.faults)
        number = "a fault" if len(unsound.faults) == 1 else f"{len(unsound.faults)} faults"
        raise PlanError(
            f"the answer in {file} has {number}, and is not taken",
            hint="tell whoever gave it, and take the next one the same way, with the --priority or --achievement that "
            "was asked about",
        ) from unsound


def _about(question: Question) -> str:
    return f" {_FLAGS[question.breadth]} {quote(question.about)}" if question.breadth in _FLAGS else ""
