"""Whatever is in a file, reading it ends in a plan or in a PlanError whose findings have a place."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from stretto.analysis.graph import build
from stretto.errors import PlanError
from stretto.formats.load import load
from stretto.formats.syntax.parse import parse
from unit.formats.corpus import SAMPLES, everything, real, samples
from unit.formats.mutants import changed, mutants, places, written

MUTANTS = {"ci": 2_000, "search": 20_000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 200)
"""Of each format, shared among its samples."""
FOLDERS = sorted(path.name for path in SAMPLES.iterdir())


def survives(data: bytes, file: str = "plan") -> None:
    """`file`: where it stands, for formats that look at what lies beside a plan."""
    try:
        loaded = load(file, data)
    except PlanError as error:
        assert error.findings
        assert all(x.location and x.message for x in error.findings)
        assert "\n" not in str(error)
        return
    build(loaded.plan)
    names = [*loaded.places, *(f"task:{task.id}:writes:0" for task in loaded.plan.tasks), "plan"]
    assert all(loaded.places[name].line > 0 for name in names)
    assert all("\n" not in x.message for x in loaded.findings)
    if loaded.keeper and loaded.plan.status_files:
        done = {task.id: "succeeded" for task in loaded.plan.tasks}
        written = {file: data} | dict(loaded.keeper({file: data}, done))
        assert loaded.keeper(written, done) == {}
        assert loaded.keeper(written, {}) == {}
    if loaded.write_statuses:
        done = {task.id: "succeeded" for task in loaded.plan.tasks}
        after = loaded.write_statuses(data, done)
        if len(data) % 4 == 0:  # of many mutants some are enough
            assert loaded.write_statuses(after, done) == after
            assert loaded.write_statuses(data, {}) == data


@pytest.mark.parametrize("folder", FOLDERS)
def test_mutants_of_a_formats_samples(folder: str) -> None:
    own = [path for path in samples() if path.relative_to(SAMPLES).parts[0] == folder]
    assert own
    for path in own:
        for mutant in mutants(path, -(-MUTANTS // len(own))):
            survives(mutant, str(path))


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_cut_off_anywhere(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), max(97, len(data) // 200)):
        survives(data[:end])


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_flipped_bytes(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(path.name)
    for _ in range(40):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.choice((chance.randrange(256), *b'{}[]",:\\\n-&*'))
        survives(bytes(broken))


@pytest.mark.parametrize("path", real(""), ids=lambda path: path.name)
def test_values_of_other_types_in_real_plans(path: Path) -> None:
    tree, chance = parse("plan", path.read_bytes()).tree, random.Random(path.name)
    steps = list(places(tree))
    for _ in range(60):
        survives(written(changed(tree, chance.choice(steps), chance, []), chance))
