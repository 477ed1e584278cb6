"""Rules about paths that the plan as a whole names: what set-up brings, what is kept, what everybody touches."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.analysis.globs import normalize
from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import quoted
from stretto.model.plan import Finding


def paths(subject: Subject) -> Iterator[Finding]:
    """Paths that cannot be in the repository, and what set-up cannot bring because it is not there, or is already."""
    plan = subject.plan
    named = (
        ("setup.copy", plan.setup.copy),
        ("setup.link", plan.setup.link),
        ("keep", plan.keep),
        ("hot_files", plan.hot_files),
    )
    for field, its in named:
        for k, path in enumerate(its):
            if reason := _reason(field, path):
                code = "path-outside"
                hint = "write a path relative to the top of the repository"
            elif not field.startswith("setup."):
                continue
            elif subject.tracked(path):
                code = "setup-tracked"
                reason = "is tracked by git, or files in it are: no edit there would land"
                hint = "take it out; what git tracks is in every workspace"
            elif not subject.present(path):
                code = "setup-missing"
                reason = "is not in your work tree"
                hint = "paths are relative to its top, without wildcards, and no link may lead out of it"
            else:
                continue
            place = subject.place("plan", field.replace(".", ":"), k)
            yield finding(code, f"{quoted(path)} in `{field}` {reason}", place, hint=hint)


def _reason(field: str, path: str) -> str:
    """Why it cannot name something inside the repository; empty when it can."""
    try:
        normalize(path)
    except ValueError as reason:
        return str(reason)
    if field.startswith("setup.") and all(part in ("", ".") for part in path.split("/")):
        return "is the whole repository"
    if field == "keep" and path.startswith(":"):
        return "begins with `:`, which git does not read as part of a path"
    return ""
