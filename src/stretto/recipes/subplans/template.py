"""Papers that are filled from what the plan says: never with a mark that asks for content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.model.achievements import Achievement, Part
from stretto.model.papers import part_number
from stretto.recipes.subplans.progress import Progress, Standing
from stretto.recipes.subplans.words import Piece, Topic, headed, items, labelled, of_topic, told_pieces

_OWN: tuple[Topic, ...] = ("goal", "deliverables", "approach", "criteria", "tests")
"""What a part says of itself stands in place of what its whole says."""


def subplan_text(progress: Progress, one: Standing, *, executions: Sequence[str], today: str) -> str:
    """`executions`: paths of the papers that it will be done by. `today`: a date, as the paper shows it."""
    plan, achievement = progress.plan, one.achievement
    said = labelled(achievement.section)
    parts = [f"# SUBPLAN: {_name(achievement)}", _head(progress, one, today=today)]
    goal = of_topic(said, "goal") or _loose(said) or _sentence(achievement)
    parts += _section("Objective", goal)
    parts += _section("Deliverables", of_topic(said, "deliverables"))
    parts += _section("Approach", of_topic(said, "approach") or _steps(said, achievement))
    parts += _section("Success criteria", of_topic(said, "criteria"))
    parts += _section(
        "Tests", _joined(of_topic(said, "tests"), achievement.check and f"Checked by: {achievement.check}")
    )
    others = [f"### {piece.label}\n\n{piece.body}" for piece in said if piece.topic == "other" and piece.label]
    parts += _section("What else the plan says", _joined(achievement.more, *others))
    parts += _section("Builds on", _listed(_need(progress, id) for id in achievement.depends_on))
    later = [other for other in plan.achievements if achievement.id in other.depends_on]
    parts += _section("Needed by", _listed(_name(other) for other in later))
    named = [f"`{path}`{_of_part(achievement.parts, i)}" for i, path in enumerate(executions)]
    parts += _section("Executions", _listed(named))
    if not said or not any(piece.body for piece in said):
        parts += _section("The whole plan", _joined(plan.goal, plan.notes))
    return _paper(parts)


def execution_text(progress: Progress, one: Standing, number: int, *, subplan: str, path: str, today: str) -> str:
    """`subplan`: the text of its SUBPLAN, and `path` where that is."""
    achievement, said = one.achievement, headed(subplan)
    part = next((part for i, part in enumerate(achievement.parts) if part_number(part.id, i) == number), None)
    about = _name(achievement) + (f", part {part.id}: {part.title}".rstrip(": ") if part else "")
    lines = [f"**SUBPLAN**: {path}  ", f"**Execution**: {number:02d}  "]
    parts = [f"# EXECUTION_TASK: {about}", _head(progress, one, today=today, lines=lines, part=part)]
    own = told_pieces(part.told) if part else ()
    if part is not None:
        rest = [_joined(piece.label and f"{piece.label}:", piece.body) for piece in own if piece.topic not in _OWN]
        parts += _section("Your part", _joined(*rest) or part.title or f"Part {part.id} of the SUBPLAN.")
    criteria = of_topic(said, "criteria") or of_topic(labelled(achievement.section), "criteria")
    otherwise = f"What `{path}` asks for is there, and somebody has looked at it."
    sections: tuple[tuple[str, Topic, str], ...] = (
        ("Objective", "goal", of_topic(said, "goal") or _sentence(achievement)),
        ("Deliverables", "deliverables", of_topic(said, "deliverables")),
        ("Steps", "approach", of_topic(said, "approach")),
        ("Done when", "criteria", criteria or otherwise),
        ("Tests", "tests", of_topic(said, "tests")),
    )
    for title, topic, shared in sections:
        if part is None:
            parts += _section(title, shared)
        elif mine := of_topic(own, topic):
            parts += _section(title, mine)
        elif shared:
            remark = f"Of this, only what belongs to part {part.id} is yours; the other parts do the rest."
            parts += _section(f"{title} (of the whole achievement)", f"{remark}\n\n{shared}")
    parts.append("## Iteration log\n\nNo iteration yet.")
    return _paper(parts)


def approval_text(progress: Progress, one: Standing, *, evidence: str, who: str, today: str) -> str:
    """`evidence`: what shows that it is done."""
    head = [f"**PLAN**: {progress.plan.name}  ", f"**Review Date**: {today}  ", "**Status**: APPROVED"]
    head = [f"**Reviewer**: {who}  ", *head] if who else head
    return _paper([f"# APPROVED: {_name(one.achievement)}", "\n".join(head), *_section("Evidence", evidence)])


def _head(progress: Progress, one: Standing, *, today: str, lines: Sequence[str] = (), part: Part | None = None) -> str:
    hours = _hours(part) or one.achievement.hours
    whole = " of the whole achievement" if part and not _hours(part) else ""
    found = [f"**PLAN**: {progress.plan.name}  ", *lines, f"**Achievement**: {one.id}  "]
    if hours:
        unit = "" if any(sign.isalpha() for sign in hours) else " hours"
        found.append(f"**Estimated Time{whole}**: {hours}{unit}  ")
    return "\n".join((*found, f"**Created**: {today}  ", "**Status**: ready"))


def _hours(part: Part | None) -> str:
    return f"{part.estimate_s / 3600:g}" if part and part.estimate_s else ""


def _name(achievement: Achievement) -> str:
    return f"Achievement {achievement.id}: {achievement.title}".rstrip(": ")


def _sentence(achievement: Achievement) -> str:
    return achievement.more or (f"{achievement.title}." if achievement.title else "")


def _loose(said: Sequence[Piece]) -> str:
    """What stands under no label."""
    return next((piece.body for piece in said if not piece.label and piece.body), "")


def _steps(said: Sequence[Piece], achievement: Achievement) -> str:
    """Where the plan tells no way: what is to be delivered, piece by piece, and the check at the end."""
    wanted = items(of_topic(said, "deliverables")) or tuple(part.title for part in achievement.parts if part.title)
    if not wanted:
        return ""
    before = f"Read what it builds on: {', '.join(achievement.depends_on)}"
    steps = [*([before] if achievement.depends_on else []), *wanted, "Hold the result against the success criteria"]
    return "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))


def _need(progress: Progress, id: str) -> str:
    other = progress.by_id.get(id)
    if other is None:
        return f"Achievement {id}, which is in another plan"
    return _name(other.achievement) + (f" ({other.subplan.path})" if other.subplan else "")


def _of_part(parts: Sequence[Part], index: int) -> str:
    return f": {parts[index].title or parts[index].id}" if index < len(parts) else ""


def _section(title: str, body: str) -> Iterator[str]:
    if body.strip():
        yield f"## {title}\n\n{body.strip()}"


def _listed(lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _joined(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _paper(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
