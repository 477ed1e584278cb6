"""What of a plan stretto runs, and what it asks a person (R5.4). Never silently green."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.formats.gsd.paper import Paper, Step
from stretto.formats.reading import shown
from stretto.formats.shell_status import judge
from stretto.model.plan import Check, Finding

_NO = frozenset({"false", "no", "off"})


def checks(paper: Paper, findings: list[Finding]) -> Iterator[Check]:
    """The automated verifications of its tasks, then a question where the plan is not autonomous."""
    for step in paper.steps:
        for span in step.parts("automated"):
            if span.text and not span.text.startswith("MISSING"):
                yield _command(paper, span.text, span.start, findings)
    if question := _question(paper):
        yield Check(kind="approval", instructions=question)


def in_between(paper: Paper) -> tuple[Step, ...]:
    """Checkpoints at which a person is to decide or to do something before the work goes on."""
    return tuple(step for step in paper.steps if step.asks and step.asks != "human-verify")


def _command(paper: Paper, command: str, at: int, findings: list[Finding]) -> Check:
    judgement = judge(command, None)
    if why := judgement.leaves or judgement.masked:
        hint = "let it run in the workspace" if judgement.leaves else "let a failure end with a red exit status"
        code = "check-leaves-workspace" if judgement.leaves else "masked-check"
        message = f"a check of plan {shown(paper.id)!r} proves nothing by itself: {why}; a person is asked instead"
        findings.append(
            Finding(
                code=code, severity="warning", message=message, hint=hint, location=paper.place(at), tasks=(paper.id,)
            )
        )
        return Check(kind="approval", instructions=f"Look at what this command says, and judge ({why}):\n{command}")
    if judgement.cut:
        message = f"a check of plan {shown(paper.id)!r} ends in `head`: what that cuts off is not looked at"
        findings.append(
            Finding(
                code="cut-check",
                severity="info",
                message=message,
                hint="`tail` cuts nothing off",
                location=paper.place(at),
            )
        )
    return Check(command=command, pipefail=True)


def _question(paper: Paper) -> str:
    asked = [step for step in paper.steps if step.asks]
    if not asked and paper.front.text("autonomous").casefold() not in _NO:
        return ""
    lines = [f"Plan {paper.id} wants a person to look at it."]
    for step in asked:
        lines.append(step.name or step.asks.replace("-", " ").capitalize())
        lines += (
            step.part(tag) for tag in ("what-built", "how-to-verify", "decision", "options", "instructions", "verify")
        )
    if not asked:
        lines.append(paper.section("success_criteria") or paper.section("verification"))
    return "\n\n".join(line for line in lines if line)
