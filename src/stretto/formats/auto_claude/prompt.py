"""The prompt of a subtask: everything in an Auto-Claude plan that helps to do it, since a bare title is no prompt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.checks import in_words
from stretto.model.plan import Value

_FILES = {
    "files_to_modify": "Files to change",
    "files_to_create": "Files to create",
    "files_to_delete": "Files to delete",
    "file": "File",
    "files": "Files",
    "patterns_from": "Follow the patterns in",
    "files_to_reference": "Read for reference",
}
_TOLD_APART = {"id", "subtask_id", "title", "description", "notes", "acceptance_criteria", "verification", *_FILES}
_BOOKKEEPING = {
    *("status", "service", "all_services", "priority", "order", "dependencies", "depends_on", "parallel_safe"),
    *("estimated_hours", "estimated_minutes", "estimated_effort_hours", "estimated_time", "estimate", "session_id"),
    *("created_at", "updated_at", "started_at", "completed_at", "actual_output", "critique_result", "attempts"),
}
_NOT_SAID = _TOLD_APART | _BOOKKEEPING
_NO_WORK = _BOOKKEEPING | {"id", "subtask_id", *_FILES}
_ACCEPTANCE = ("acceptance_criteria", "final_acceptance", "success_criteria")
_MAX_DEPTH = 6
_MAX_SHARED = 20_000

Values = Mapping[str, object]


class Shared(Value, frozen=True, kw_only=True):
    """What every task of a plan, or of a phase, is told of it: before its own words, and behind them."""

    before: tuple[str, ...]
    behind: tuple[str, ...] = ()

    def around(self, inner: Shared) -> Shared:
        return Shared(before=self.before + inner.before, behind=inner.behind + self.behind)


def plan_words(plan: Values) -> Shared:
    feature = title(plan, "feature", "title", "name", "spec_name")
    strategy = plan.get("verification_strategy")
    accepted = [plan.get(key) for key in _ACCEPTANCE]
    accepted += [strategy.get("acceptance_criteria")] if isinstance(strategy, dict) else []
    return Shared(
        before=(
            f"# {feature}" if feature else "",
            _clipped(plan.get("description")),
            _clipped(plan.get("workflow_rationale")),
        ),
        behind=(
            *(_section("The whole feature is accepted when", _clipped(each)) for each in accepted),
            _section("Mind", _clipped(plan.get("critical_notes"))),
        ),
    )


def phase_words(phase: Values) -> Shared:
    name = title(phase, "name", "phase_name", "title")
    heading = f"## Phase: {name}" if name else ""
    notes = _section("Notes on the phase", phase.get("notes"))
    return Shared(before=(heading, plain(phase.get("description")), notes))


def prompt(shared: Shared, subtask: Values, *, done: bool) -> str:
    """Self-contained instructions. `done`: the plan calls the subtask completed, so its notes tell of the past."""
    parts = (*shared.before, *_own(subtask, done), *shared.behind)
    return "\n\n".join([part for part in parts if part and not part.isspace()]) + "\n"


def has_work(subtask: Values) -> bool:
    """Whether the subtask says anything about what is to be done."""
    return any(plain(value).strip() for key, value in subtask.items() if key not in _NO_WORK)


def title(values: Values, *keys: str) -> str:
    """The first of these that holds text, on one line."""
    for key in keys:
        if isinstance(text := values.get(key), str) and (line := " ".join(text.split())):
            return line
    return ""


def _own(subtask: Values, done: bool) -> Iterator[str]:
    heading, description = title(subtask, "title"), plain(subtask.get("description"))
    yield "## Your task" + (f": {heading}" if heading and heading != description else "")
    yield description or heading
    yield f"Service: {plain(subtask.get('service'))}" if subtask.get("service") else ""
    yield "This concerns all services." if subtask.get("all_services") is True else ""
    for key, value in subtask.items():
        if key not in _NOT_SAID:
            yield _section(key.replace("_", " ").strip().capitalize(), value)
    yield _section("Notes of an earlier attempt, whose work may be gone" if done else "Notes", subtask.get("notes"))
    for key, words in _FILES.items():
        if key in subtask:
            yield _section(words, _listed(subtask[key]))
    yield _section("Acceptance criteria", subtask.get("acceptance_criteria"))
    yield _section("How it will be checked", list(in_words(subtask.get("verification"))))


def _clipped(value: object) -> str:
    """A text of the whole plan; it goes with every prompt, so it may not be endless."""
    text = plain(value)
    return text if len(text) <= _MAX_SHARED else text[: _MAX_SHARED - 1] + "…"


def _section(heading: str, value: object) -> str:
    text = plain(value) if value is not None else ""
    if not text.strip():
        return ""
    return f"{heading}:\n{text}" if "\n" in text or isinstance(value, list | dict) else f"{heading}: {text}"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) and value.strip() else value


def plain(value: object, depth: int = 0) -> str:
    """Any value as text that reads well: lists as bullets, mappings as `key: value`."""
    match value:
        case str():
            return value.strip()
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | dict() if depth >= _MAX_DEPTH:
            return json.dumps(value, ensure_ascii=False)
        case list():
            return "\n".join(f"- {_indented(plain(each, depth + 1))}" for each in value)
        case dict():
            return "\n".join(f"- {key}:{_nested(each, depth)}" for key, each in value.items())
        case _:
            return str(value)


def _nested(value: object, depth: int) -> str:
    text = plain(value, depth + 1)
    return f"\n  {_indented(text)}" if isinstance(value, list | dict) and text else f" {_indented(text)}"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
