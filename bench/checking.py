"""Checking a plan of 100,000 tasks, against merely decoding it."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec
from measure import Row, cpu, peak_mb, scratch, turn_about
from plans import FORMATS, stretto

from stretto.analysis.lint import lint
from stretto.formats.load import load
from stretto.model.plan import Plan

NAMES = {"beads": "issues.jsonl", "kiro": "tasks.md", "spec-kit": "tasks.md", "checklist": "TODO.md"}
"""What files of a format are called, where that is not `plan.json`."""


def rows(*, quick: bool) -> list[Row]:
    gc.disable()  # as `check` does
    try:
        return measured(quick=quick)
    finally:
        gc.enable()


def measured(*, quick: bool) -> list[Row]:
    tasks = 1_000 if quick else 100_000
    data = stretto(tasks)
    loaded = load("plan.json", data)
    model = msgspec.json.encode(loaded.plan)
    assert not lint(loaded.plan, loaded.places)
    shape = f"{tasks:,} tasks, {len(data) / 1e6:.1f} MB of JSON"

    def linted(_: int) -> float:
        return cpu(lambda: lint(loaded.plan, loaded.places))

    def decoded(_: int) -> float:
        return cpu(lambda: msgspec.json.decode(model, type=Plan))

    def read(_: int) -> float:
        return cpu(lambda: load("plan.json", data))

    pairs = [
        ("CPU of linting a plan / decoding it (msgspec, into the model)", decoded, 2.0),
        ("CPU of linting a plan / reading it (with places and findings)", read, None),
    ]
    rows = [
        Row.of(what, shape, *turn_about(linted, other, turns=5), unit="s", most=most) for what, other, most in pairs
    ]
    rows += [reading(name, tasks, data) for name in FORMATS]
    return [*rows, memory(tasks, data)]


def reading(name: str, tasks: int, data: bytes) -> Row:
    """Of a format. The other way is the same for all: decoding stretto's own plan of these tasks."""
    own, file = FORMATS[name](tasks), NAMES.get(name, "plan.json")
    read = load(file, own).plan
    assert (read.format, len(read.tasks)) == (name, tasks)
    del read
    taken = turn_about(lambda _: cpu(lambda: load(file, own)), lambda _: cpu(lambda: json.loads(data)), turns=3, warm=0)
    shape = f"{name}: {tasks:,} tasks, {len(own) / 1e6:.1f} MB"
    return Row.of("CPU of reading a plan / decoding it (json.loads, of JSON)", shape, *taken, unit="s", most=None)


def memory(tasks: int, data: bytes) -> Row:
    """The most memory that `check` needs, and decoding; what a process needs that does nothing is taken off."""
    with scratch("checking") as folder:
        file = folder / "plan.json"
        file.write_bytes(data)

        def peak(what: str) -> float:
            argv = [sys.executable, __file__, what, str(file)]
            return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)

        idle = median(peak("nothing") for _ in range(3))
        checked, decoded = turn_about(lambda _: peak("check") - idle, lambda _: peak("decode") - idle, turns=3, warm=0)
    return Row.of(
        "memory of checking a plan / of decoding it (json.loads)", f"{tasks:,} tasks, {len(data) / 1e6:.1f} MB of JSON",
        checked, decoded, unit="MB", most=None,
    )  # fmt: skip


def only(what: str, file: Path) -> None:
    """What `memory` measures, in a process of its own."""
    gc.disable()
    if what == "decode":
        json.loads(file.read_bytes())
    elif what == "check":
        loaded = load(file)
        lint(loaded.plan, loaded.places)


if __name__ == "__main__":
    only(sys.argv[1], Path(sys.argv[2]))
    print(peak_mb())
