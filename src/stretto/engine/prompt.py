"""The prompt of an attempt: the task's own words, and after a seam what stretto has to add, within a budget (R4)."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from stretto.core.commands import StartAttempt
from stretto.engine import sections
from stretto.engine.sections import Draft
from stretto.engine.template import SECTIONS, Template, built_in, compiled
from stretto.model.plan import Plan, Task, Value
from stretto.model.run import IN_PLACE

SEAM: Final = "--- added by stretto ---"
"""Ends the task's own words; the scripted agent reads no further."""

BUDGET: Final = 60_000
"""Characters of a prompt. Only the task's own words may have more, and then `ROOM` of the rest go with them."""
ROOM: Final = 4_000
_NOTE: Final = 160
"""Characters in which is said what had to be left out."""
_NOTHING: Final = "(cut by stretto, for want of room: everything but the task itself)"
_GAP: Final = "\n\n"

_FLOORS: Final[Mapping[str, int]] = {
    "work": BUDGET, "about": BUDGET, "context": 6_000, "gates": 3_000, "claims": 1_500, "attempts": 8_000,
    "handoffs": 4_000, "result": BUDGET,
}  # fmt: skip
"""Who gets room first, in this order: all that it can use, but for so much of what those after it want."""

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class Section(Value, frozen=True, kw_only=True):
    """A part of a prompt. `cut`: how many characters of its sources are not in it."""

    name: str
    text: str
    cut: int = 0


class Prompt(Value, frozen=True, kw_only=True):
    """What an agent is told. `trouble`: why the user's template was not used, where it was not."""

    text: str
    sections: tuple[Section, ...]
    """The task's own words, then what was added, in the order of the built-in template."""
    trouble: str = ""

    def outline(self, task: str) -> dict[str, object]:
        """For `--json`: the prompt with its sections, whose characters add up to all of it."""
        told = [{"name": part.name, "characters": len(part.text), "cut": part.cut} for part in self.sections]
        rest = len(self.text) - sum(len(part.text) for part in self.sections)
        return {
            "task": task,
            "prompt": self.text,
            "sections": [*told, *([{"name": "template", "characters": rest, "cut": 0}] if rest > 0 else [])],
        }


class Prompts:
    """Composes the prompts of one run: the same start gives the same text, byte for byte."""

    def __init__(
        self,
        plan: Plan,
        context: Mapping[str, Mapping[str, str]],
        *,
        template: str | None = None,
        folder: str | None = None,
        budget: int = BUDGET,
    ) -> None:
        """`context`: task id to the text of its context files, by name. `folder`: the plan file's, from the top of the
        repository; None where it lies elsewhere. `template` is sound, as far as `examine` can tell."""
        self._context, self._template, self._budget, self._folder = context, template, budget, folder
        self._know(plan)

    def take(self, tasks: Sequence[Task]) -> None:
        """Know these, too: tasks that were added, or have changed, since the run began."""
        taken = {task.id: task for task in tasks}
        known = tuple(taken.pop(task.id, task) for task in self._plan.tasks)
        self._know(replace(self._plan, tasks=(*known, *taken.values())))

    def _know(self, plan: Plan) -> None:
        self._plan = plan
        self._tasks = {task.id: task for task in plan.tasks}
        self._phases: dict[str, list[Task]] = defaultdict(list)
        self._places: dict[str, int] = {}
        for task in plan.tasks:
            self._places[task.id] = len(self._phases[task.phase])
            self._phases[task.phase].append(task)

    def compose(self, start: StartAttempt, *, reads: bool) -> Prompt:
        """The prompt of that attempt for an agent that `reads` prompts, or one that hands the words on.

        The latter hears only what the plan or a former attempt adds to them: with neither, it is exactly the task's
        prompt. A template of the user's is for both, and for all there is to say."""
        task = self._tasks[start.task]
        words, files = self._own(task)
        drafts = list(self._drafts(task, start, files, reads=reads))
        most = self._budget if len(words) <= self._budget else len(words) + ROOM
        facts = {
            "words": words.rstrip("\n"), "seam": SEAM, "task": task.id, "title": task.title, "phase": task.phase,
            "plan": self._plan.name, "base": start.base, "attempt": start.attempt,
        }  # fmt: skip
        trouble = ""
        if self._template is not None:
            prompt, trouble = _arranged(self._template, facts, drafts, most)
            if prompt is not None:
                return prompt
        if not drafts:
            return _prompt(words, words, (), trouble)
        written = _fitting(built_in(), facts, drafts, most)
        if written:
            return _prompt(_rendered(built_in(), facts, written), words, written, trouble)
        note = f"{facts['words']}\n\n{SEAM}\n\n{_NOTHING}\n"
        return _prompt(note if len(note) <= most else words, words, (), trouble)

    # --- what there is to say ------------------------------------------------------------------------------------

    def _own(self, task: Task) -> tuple[str, Mapping[str, str]]:
        """The task's own words, and the files beside them.

        For an absent prompt stands the text of `prompt_file`, or, in a foreign plan, the title."""
        files = self._context.get(task.id, {})
        if task.prompt or task.prompt_file is None:
            return task.prompt or task.title, files
        return files.get(task.prompt_file, ""), {name: text for name, text in files.items() if name != task.prompt_file}

    def _drafts(self, task: Task, start: StartAttempt, files: Mapping[str, str], *, reads: bool) -> Iterator[Draft]:
        plan = self._plan
        drafts = [
            sections.context(files, self._place, self._budget) if files else None,
            sections.attempts(start.past, start.attempt),
            sections.work(start, plan) if reads or task.carry else None,
        ]
        if reads or self._template is not None:
            phase = self._phases[task.phase]
            drafts += [
                sections.about(task, plan, start.base),
                sections.handoffs(start.handoffs, start.more_handoffs, self._tasks),
                sections.claims(task, phase, self._places[task.id], start.handoffs),
                sections.gates(task, plan.gates.verify, shared=start.base == IN_PLACE),
                sections.result(task),
            ]
        return (draft for draft in drafts if draft is not None)

    def _place(self, name: str) -> str:
        """Where in the repository a context file is; empty when it is not there."""
        if self._folder is None or name.startswith("/"):
            return ""
        place = posixpath.normpath(posixpath.join(self._folder, name))
        return "" if place.startswith("../") else place


def folder_of(folder: Path, root: Path) -> str | None:
    """The plan's folder, from the top of the repository; None where it lies elsewhere. Both are real paths."""
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else None


# --- what fits -----------------------------------------------------------------------------------------------------


def _arranged(
    source: str, facts: Mapping[str, object], drafts: Sequence[Draft], most: int
) -> tuple[Prompt | None, str]:
    """The prompt as the user's template has it, or why there is none: no attempt may fail of a template."""
    from jinja2 import TemplateError

    words = str(facts["words"])
    try:
        template = compiled(source)
        used = [draft for draft in drafts if not template.names.isdisjoint(("sections", draft.name))]
        if (written := _fitting(template, facts, used, most)) is None:
            return None, "it leaves no room for the task's own words"
        text = _rendered(template, facts, written)
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        return None, str(error) or type(error).__name__
    return (_prompt(text, words, written), "") if words.strip() in text else (None, "it loses the task's own words")


def _fitting(
    template: Template, facts: Mapping[str, object], drafts: Sequence[Draft], most: int
) -> tuple[Section, ...] | None:
    """The sections, each as long as there is room for it; None when not even an empty one fits."""
    room = allowed = most - len(_rendered(template, facts, ()))
    while room >= 0:
        written = _written(drafts, room)
        shown = len(_rendered(template, facts, written)) - most + allowed
        if shown <= allowed:
            return written
        # A template may show a section more than once.
        room = min(room - 1, sum(len(section.text) for section in written) * allowed // shown)
    return None


def _written(drafts: Sequence[Draft], room: int) -> tuple[Section, ...]:
    first = sorted(drafts, key=lambda draft: list(_FLOORS).index(draft.name))
    whole = [draft.write(draft.most) for draft in first]
    wants = [len(text) if text else draft.most for (text, _), draft in zip(whole, first, strict=True)]
    floors = [min(want, _FLOORS[draft.name]) + len(_GAP) for want, draft in zip(wants, first, strict=True)]
    left = room if sum(wants) + len(_GAP) * len(wants) <= room else room - _NOTE
    found = {}
    for i, draft in enumerate(first):
        mine = max(min(floors[i], left), left - sum(floors[i + 1 :])) - len(_GAP)
        text, cut = whole[i] if whole[i][0] and wants[i] <= mine else draft.write(mine)
        found[draft.name] = Section(name=draft.name, text=text, cut=cut)
        left -= len(text) + len(_GAP) if text else 0
    lost = [name for name in SECTIONS if name in found and not found[name].text]
    sections = [found[name] for name in SECTIONS if name in found and found[name].text]
    if lost and room >= _NOTE:
        sections.append(Section(name="cut", text=f"(cut by stretto, for want of room: {', '.join(lost)})"))
    return tuple(sections)


def _rendered(template: Template, facts: Mapping[str, object], sections: Sequence[Section]) -> str:
    texts = {section.name: section.text for section in sections}
    together = _GAP.join(texts.values())
    return template.render({**facts, **{name: texts.get(name, "") for name in SECTIONS}, "sections": together})


def _prompt(text: str, words: str, added: Sequence[Section], trouble: str = "") -> Prompt:
    text = _SURROGATE.sub("\ufffd", text)  # a lone half of a character is in no file
    return Prompt(text=text, sections=(Section(name="words", text=words), *added), trouble=trouble)
