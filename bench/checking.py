"""Checking a plan of 100,000 tasks, against merely decoding it."""

from __future__ import annotations

import gc
import random

import msgspec
from measure import Row, cpu, turn_about

from stretto.analysis.lint import lint
from stretto.formats.load import load
from stretto.model.plan import Plan

EACH = 100
"""Tasks in a phase."""


def document(tasks: int) -> bytes:
    """A plan in stretto's format, as JSON: half of the tasks depend on some of the phase before; all claim a file."""
    random_ = random.Random(1)
    phases = []
    for first in range(0, tasks, EACH):
        members = [
            {
                "id": f"t{number}",
                "prompt": f"do part {number} of the work",
                "writes": [f"src/m{number // 10}/f{number}.py"],
                "verify": ["make test"],
                "estimate": "5m",
                "depends_on": [f"t{n}" for n in random_.sample(range(first - EACH, first), 3)]
                if first and number % 2
                else [],
            }
            for number in range(first, first + EACH)
        ]
        phases.append({"id": f"p{first}", "tasks": members})
    return msgspec.json.encode({"name": "big", "phases": phases})


def rows(*, quick: bool) -> list[Row]:
    gc.disable()  # as `check` does
    try:
        return measured(quick=quick)
    finally:
        gc.enable()


def measured(*, quick: bool) -> list[Row]:
    tasks = 1_000 if quick else 100_000
    data = document(tasks)
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

    rows = [
        ("CPU of linting a plan / decoding it (msgspec, into the model)", decoded, 2.0),
        ("CPU of linting a plan / reading it (with places and findings)", read, None),
    ]
    return [Row.of(what, shape, *turn_about(linted, other, turns=5), unit="s", most=most) for what, other, most in rows]
