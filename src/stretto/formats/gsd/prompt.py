"""What the agent of one plan is told: the plan as it stands, without the workflow that GSD would run around it."""

from __future__ import annotations

import re

from stretto.formats.gsd.checks import in_between
from stretto.formats.gsd.paper import Paper

_END = r"^[ \t]*</execution_context>[ \t]*\n?"
_WORKFLOW = re.compile(rf"^[ \t]*<execution_context>.*?{_END}", re.MULTILINE | re.DOTALL)
_WORKFLOW_END = re.compile(_END, re.MULTILINE)


def prompt(paper: Paper, phase: str) -> str:
    text = paper.body.replace("\r\n", "\n").replace("\r", "\n")
    last = max((found.end() for found in _WORKFLOW_END.finditer(text)), default=0)  # nothing ends behind it
    body = (_WORKFLOW.sub("", text[:last]) + text[last:]).strip()
    parts = [f"Plan {paper.id} of phase {phase}: do its tasks in their order.", body]
    if paper.must_haves:
        parts.append(f"What must be true in the end:\n\n{paper.must_haves}")
    if in_between(paper):
        parts.append(
            "At a checkpoint that asks for a decision take the option that is recommended, or else the first, and say "
            "which; leave what only a person can do, and say what that is. A person is asked before the work lands."
        )
    parts.append(
        f"Write the summary that the plan asks for ({paper.id}-SUMMARY.md beside it). Leave STATE.md and ROADMAP.md to "
        "others, and do not commit."
    )
    return "\n\n".join(parts)
