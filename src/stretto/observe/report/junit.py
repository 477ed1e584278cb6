"""The report as JUnit XML, which every CI system shows: a suite a phase, a test case a task."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from stretto.model.excerpt import legible
from stretto.observe.paint import moment
from stretto.observe.report.facts import Report, TaskFacts

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, in whatever way it is written."""


def junit(report: Report) -> bytes:
    """A whole document, in UTF-8."""
    root = ET.Element("testsuites", _attributes(report.tasks, name=report.plan))
    phases: dict[str, list[TaskFacts]] = {}
    for task in report.tasks:
        phases.setdefault(task.phase, []).append(task)
    for phase, tasks in phases.items():
        suite = ET.SubElement(root, "testsuite", _attributes(tasks, name=phase))
        suite.set("timestamp", moment(report.started_at, "%Y-%m-%dT%H:%M:%S"))
        properties = ET.SubElement(suite, "properties")
        for name, value in (("run", report.run), ("branch", report.branch), ("verdict", report.verdict or "")):
            ET.SubElement(properties, "property", {"name": name, "value": valid(value)})
        for task in tasks:
            _case(suite, task)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def valid(said: str) -> str:
    """Text as XML may hold it: terminal sequences gone, and what no document may hold replaced."""
    return _NO_XML.sub("\ufffd", legible(said))


def _attributes(tasks: list[TaskFacts] | tuple[TaskFacts, ...], *, name: str) -> dict[str, str]:
    return {
        "name": valid(name),
        "tests": str(len(tasks)),
        "failures": str(sum(_failed(task) for task in tasks)),
        "errors": "0",
        "skipped": str(sum(task.state != "succeeded" and not _failed(task) for task in tasks)),
        "time": f"{sum(task.took_s or 0.0 for task in tasks):.3f}",
    }


def _failed(task: TaskFacts) -> bool:
    return task.state == "failed" and not task.optional


def _case(suite: ET.Element, task: TaskFacts) -> None:
    case = ET.SubElement(suite, "testcase", {"name": valid(task.id), "classname": valid(task.phase)})
    case.set("time", f"{task.took_s or 0.0:.3f}")
    if _failed(task):
        kind = next((attempt.kind for attempt in reversed(task.attempts) if attempt.kind), "failed")
        failure = ET.SubElement(case, "failure", {"type": kind, "message": valid(task.why)})
        failure.text = valid("\n".join(_story(task)))
    elif task.state != "succeeded":
        optional = "optional, and it failed: " if task.state == "failed" else f"{task.state}: "
        ET.SubElement(case, "skipped", {"message": valid((optional + task.why).removesuffix(": "))})
    if task.state != "failed" and any(attempt.kind for attempt in task.attempts):
        ET.SubElement(case, "system-out").text = valid("\n".join(_story(task)))


def _story(task: TaskFacts) -> Iterator[str]:
    for attempt in task.attempts:
        yield f"attempt {attempt.number}: {attempt.said or attempt.kind or task.state}"
