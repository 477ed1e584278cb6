"""What reading makes of every sample and of every real file at hand, kept as a table beside the samples.

A change in a reader shows there as a change of lines. `python -m unit.formats.test_formats_table`, in `tests`, writes
the tables anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stretto.analysis.conflicts import conflicts
from stretto.analysis.estimate import critical_path, durations
from stretto.analysis.graph import build, levels
from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.load import load
from stretto.model.plan import Finding
from unit.formats.corpus import CORPUS, SAMPLES, needs_corpus

TABLES = SAMPLES.parent / "tables"
HEAD = (
    "| file | format | tasks | open | levels | critical path | overlaps | findings |",
    "| --- | --- | --: | --: | --: | --: | --: | --- |",
)
UNSAID_S = 720.0
"""A task without an estimate counts as so many seconds, as it does in `show`."""


def table(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return "\n".join([*HEAD, *(line(path, path.relative_to(root).as_posix()) for path in files)]) + "\n"


def line(path: Path, name: str) -> str:
    try:
        loaded = load(path)
    except PlanError as error:
        return f"| {name} | — | | | | | | {told(error.findings)} |"
    plan = loaded.plan
    graph, took = build(plan), durations(plan, UNSAID_S)
    path_s = sum(took[graph.names.index(id)] for id in critical_path(plan, graph, took))
    cells = (
        name,
        plan.format,
        len(plan.tasks),
        sum(task.status != "succeeded" for task in plan.tasks),
        1 + max(levels(graph)[: len(plan.tasks)], default=-1),
        f"{len(critical_path(plan, graph, took))} ({path_s / 3600:.1f} h)",
        len(conflicts(plan, graph)),
        told([*loaded.findings, *lint(plan, loaded.places)]),
    )
    return f"| {' | '.join(map(str, cells))} |"


def told(findings: Sequence[Finding]) -> str:
    return ", ".join(_counted(findings)) or "none"


def _counted(findings: Sequence[Finding]) -> Iterator[str]:
    order = {"error": 0, "warning": 1, "info": 2}
    for (_, code), n in sorted(Counter((order[x.severity], x.code) for x in findings).items()):
        yield f"{code} x {n}" if n > 1 else code


def test_every_sample_is_read_as_the_table_says() -> None:
    assert table(SAMPLES) == (TABLES / "samples.md").read_text()


@needs_corpus
def test_every_real_file_is_read_as_the_table_says() -> None:
    assert table(CORPUS) == (TABLES / "corpus.md").read_text()


if __name__ == "__main__":
    for root, name in ((SAMPLES, "samples.md"), (CORPUS, "corpus.md")):
        (TABLES / name).write_text(table(root))
