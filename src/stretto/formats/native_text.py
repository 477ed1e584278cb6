"""A plan written down in stretto's own format: what `native.py` reads back as the same plan.

Statuses have no place in that format and are left out. A command of a foreign plan that is red when only the front of
its pipe is gets a shell that says so. Tasks stand in their phases, in plan order there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from typing import Any

import msgspec
import yaml

from stretto.formats.reading import MAX_SECONDS
from stretto.model.plan import Check, Phase, Plan, Task

_FLOW = 80
"""A list of plain words that takes no more characters stands on one line."""
_ODD = re.compile(r"[^\t\n\x20-\x7e\xa0-\u1fff\u2030-\ufefe\U00010000-\U0010ffff]")
"""What may be a line break, or nothing, to who reads YAML: written as an escape."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def as_yaml(plan: Plan, path: Callable[[str], str] = str) -> str:
    """The plan as YAML. `path` turns a path that counts from the plan file into one that counts from the new file."""
    return yaml.dump(
        _plan(plan, path), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )


def as_json(plan: Plan, path: Callable[[str], str] = str) -> str:
    """The same as JSON."""
    return msgspec.json.format(msgspec.json.encode(_plan(plan, path)), indent=2).decode() + "\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, short lists on one line."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _ODD.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: _Dumper, values: list[Any]) -> yaml.SequenceNode:
    words = all(isinstance(value, str) and "\n" not in value for value in values)
    short = words and sum(len(value) + 2 for value in values) <= _FLOW
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def _said(**values: object) -> dict[str, Any]:
    """Only what is said: no None, no empty text, no empty tuple."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value is not None and value not in ("", ())
    }


def _plan(plan: Plan, path: Callable[[str], str]) -> dict[str, Any]:
    members: dict[str, list[Task]] = {}
    for task in plan.tasks:
        members.setdefault(task.phase, []).append(task)
    defaults, setup = plan.defaults, plan.setup
    return _said(
        name=plan.name,
        prompt_template=path(plan.prompt_template) if plan.prompt_template else None,
        isolation=plan.isolation,
        defaults=_said(
            agent=defaults.agent,
            timeout=_duration(defaults.timeout_s),
            attempts=defaults.attempts,
            on_failure=defaults.on_failure,
        )
        or None,
        setup=_said(copy=setup.copy, link=setup.link, run=setup.run) or None,
        contracts={x.id: _said(schema=path(x.schema) if x.schema else None) for x in plan.contracts} or None,
        keep=plan.keep,
        hot_files=plan.hot_files,
    ) | {
        "phases": [_phase(phase, members.pop(phase.id, ()), path) for phase in plan.phases],
        **({"gates": {"verify": _checks(plan.gates.verify)}} if plan.gates.verify else {}),
    }


def _phase(phase: Phase, tasks: Iterable[Task], path: Callable[[str], str]) -> dict[str, Any]:
    return {"id": phase.id} | _said(
        title=phase.title,
        depends_on=phase.depends_on,
        parallel=None if phase.parallel else False,
        max_parallel=phase.max_parallel,
        on_failure=phase.on_failure,
    ) | {"tasks": [_task(task, path) for task in tasks]}  # fmt: skip


def _task(task: Task, path: Callable[[str], str]) -> dict[str, Any]:
    follows = "changes" if task.writes else "artifact" if task.artifacts else None if task.writes is None else "any"
    return {"id": task.id} | _said(
        title=task.title,
        prompt=task.prompt,
        prompt_file=path(task.prompt_file) if task.prompt_file else None,
        context=tuple(path(each) for each in task.context),
        depends_on=task.depends_on,
        after=task.after,
        conflicts_with=task.conflicts_with,
        provides=task.provides,
        uses=task.uses,
        writes=None if task.writes is None else list(task.writes),
        effect=None if task.effect == follows else task.effect,
        artifacts=task.artifacts,
        verify=tuple(_checks(task.verify)),
        agent=task.agent,
        priority=None if task.priority == 3 else task.priority,
        critical=task.critical or None,
        optional=task.optional or None,
        estimate=_duration(task.estimate_s),
        timeout=_duration(task.timeout_s),
        attempts=task.attempts,
        carry=task.carry or None,
    )


def _checks(checks: Iterable[Check]) -> list[str | Mapping[str, Any]]:
    return [_check(check) for check in checks]


def _check(check: Check) -> str | Mapping[str, Any]:
    if check.kind == "approval":
        return {"approval": check.instructions}
    piped = check.pipefail and "|" in check.command
    command = f"bash -o pipefail -c {quote(check.command)}" if piped else check.command
    more = _said(expected=check.expected, timeout=_duration(check.timeout_s))
    return {"run": command} | more if more else command


def _duration(seconds: float | None) -> str | None:
    """`90` as `1m30s`. An estimate of nothing becomes a second, for the format has no such thing."""
    if seconds is None:
        return None
    seconds = min(max(seconds, 0.0), MAX_SECONDS) or 1.0
    if seconds != int(seconds):
        return f"{seconds:f}s"
    left, parts = int(seconds), []
    for unit, name in _UNITS:
        count, left = divmod(left, unit)
        parts.append(f"{count}{name}" if count else "")
    return "".join(parts)
