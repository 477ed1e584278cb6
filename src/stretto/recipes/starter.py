"""A plan to begin with: set-up and checks as the repository needs them, and three small tasks that harm nobody."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Sequence

from stretto.model.excerpt import legible
from stretto.model.names import slug
from stretto.recipes.survey import Survey

FILE = "plan.yaml"
_PLAIN = re.compile(
    r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)(?=.*[A-Za-z/])[A-Za-z./_][A-Za-z0-9 ./_=+@,&$()*<>;|\"'-]*"
)
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HEAD = """\
# A plan to begin with, made by `stretto init`. What it would do: `stretto show {file}`; do it: `stretto run {file}`.
# Put your own tasks in place of these three. `stretto check {file}` says what is wrong with them.
name: {name}
"""
_TASKS = """\
# The first two run side by side, each in a worktree of its own; the third starts when they have landed.
tasks:
  - id: tour
    prompt: {tour}
    writes: [{notes}/tour.md]
    verify: [test -s {notes}/tour.md]
  - id: gaps
    prompt: {gaps}
    writes: [{notes}/gaps.md]
    verify: [test -s {notes}/gaps.md]
  - id: next
    depends_on: [tour, gaps]
    prompt: {next}
    writes: [{notes}/next.md]
    verify: [test -s {notes}/next.md]
"""
_IN_WORDS = {
    "tour": """>-
      Write {notes}/tour.md, one page for newcomers to this repository: what it is for, which files to read first and
      why, how to run its tests. Change nothing else.""",
    "gaps": """>-
      Write {notes}/gaps.md: the three places in this repository whose tests are weakest, each with its file and with
      what could break there unnoticed. Change nothing else.""",
    "next": """>-
      Read {notes}/tour.md and {notes}/gaps.md, and write {notes}/next.md: the one change that should come next, and
      how one would know that it is right. Change nothing else.""",
}
_AS_SCRIPTS = {
    "tour": "write {notes}/tour.md What this repository is for",
    "gaps": "write {notes}/gaps.md What its tests do not see",
    "next": "write {notes}/next.md What should come next",
}
_SCRIPTED = """\
# No agent was found, so these tasks play scripts instead of thinking: `stretto run` works all the same. Once there is
# an agent, name it in stretto.toml, take this line out and write prompts in words.
defaults: {agent: scripted}
"""


def plan_text(survey: Survey, paths: Collection[str], *, name: str, scripted: bool) -> str:
    """The plan as YAML. `paths` are the repository's files, so that no task writes one of them; `scripted`: no agent
    was found that could read prompts in words."""
    notes = _free(paths)
    told = _AS_SCRIPTS if scripted else _IN_WORDS
    parts = [_HEAD.format(file=FILE, name=_scalar(slug(name) or "start"))]
    if scripted:
        parts.append(_SCRIPTED)
    if survey.setup:
        parts += ["# Makes a fresh worktree ready, before the agent starts and before checks.\nsetup:\n  run:\n"]
        parts += _listed(survey.setup)
    if survey.verify:
        parts += ["# What must hold for the merged tree before anything lands.\ngates:\n  verify:\n"]
        parts += _listed(survey.verify)
    else:
        parts += ["# No tests were found. What must hold before anything lands goes here:\n"]
        parts += ["# gates: {verify: [make test]}\n"]
    prompts = {task: text.format(notes=notes) for task, text in told.items()}
    return "".join((*parts, _TASKS.format(notes=notes, **prompts)))


def _free(paths: Collection[str]) -> str:
    """A folder that the repository does not have."""
    tops = {path.partition("/")[0].casefold() for path in paths}
    names = itertools.chain(("notes", "stretto-notes"), (f"notes-{n}" for n in itertools.count(2)))
    return next(name for name in names if name not in tops)


def _listed(commands: Sequence[tuple[str, str]]) -> list[str]:
    """Commands of a list, each with what it is there for."""
    return [f"    - {_scalar(command)}  # {' '.join(legible(why).split())}\n" for command, why in commands]


def _scalar(text: str) -> str:
    """A string in YAML."""
    if _PLAIN.fullmatch(text) and not text.endswith(" "):
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
