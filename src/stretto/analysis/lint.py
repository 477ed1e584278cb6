"""Everything that can be said about a plan before it runs, all at once. Codes are stable: docs/findings.md.

A rule is a function from the subject to findings; a new one is a line in RULES, its code in `subject.CODES`, and a
section on that page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from stretto.analysis import (
    lint_apart,
    lint_contracts,
    lint_detail,
    lint_names,
    lint_order,
    lint_scope,
    lint_setup,
    lint_shape,
)
from stretto.analysis.subject import Subject
from stretto.model.plan import NO_PLACES, Finding, Location, Plan, Task
from stretto.model.run import RunSettings

Rule = Callable[[Subject], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    lint_names.empty,
    lint_names.odd_ids,
    lint_names.duplicate_ids,
    lint_names.similar_ids,
    lint_names.unknown_ids,
    lint_names.ambiguous_ids,
    lint_names.prompts,
    lint_names.files,
    lint_names.checks,
    lint_names.numbers,
    lint_order.cycles,
    lint_order.atomic_phases,
    lint_order.chains,
    lint_order.unchained,
    lint_apart.with_itself,
    lint_apart.ordered_anyway,
    lint_contracts.unsupported,
    lint_contracts.contracts,
    lint_contracts.awaited,
    lint_contracts.circles,
    lint_scope.claims,
    lint_scope.overlaps,
    lint_scope.unknown_scope,
    lint_setup.paths,
    lint_shape.hot_paths,
    lint_shape.wide_claims,
    lint_shape.narrow,
    lint_shape.needless,
    lint_detail.bare,
    lint_detail.estimates,
)


def lint(
    plan: Plan,
    places: Mapping[str, Location] = NO_PLACES,
    *,
    settings: RunSettings | None = None,
    exists: Callable[[str], bool] = lambda path: True,
    present: Callable[[str], bool] = lambda path: True,
    tracked: Callable[[str], bool] = lambda path: False,
    goes_by_prompt: Callable[[Task], bool] = lambda task: True,
    rules: Iterable[Rule] = RULES,
) -> tuple[Finding, ...]:
    """All findings, in the order of the file; those without a place come first.

    `places` says where things stand (`task:<id>:writes:0`, `phase:<id>`, `plan`, …); what it does not know falls back
    to the task or phase, then the plan. `exists` is asked for files that go with prompts, relative to the plan. Of
    what set-up names, relative to the top of the repository, `present` is asked whether it is in the user's work tree
    (through no link that leads out of it), and `tracked` whether git has it, or anything in it, in the run's base.
    `goes_by_prompt` says whether the agent of a task has nothing else to go by."""
    subject = Subject(plan, places, settings or RunSettings(), exists, present, tracked, goes_by_prompt)
    return in_file_order(finding for rule in rules for finding in rule(subject))


def in_file_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Stable, so findings of one place keep their order."""
    return tuple(
        sorted(
            findings, key=lambda x: (x.location.file, x.location.line, x.location.column) if x.location else ("", 0, 0)
        )
    )


def ok(findings: Iterable[Finding]) -> bool:
    """Whether a plan with these findings may run."""
    return all(finding.severity != "error" for finding in findings)
