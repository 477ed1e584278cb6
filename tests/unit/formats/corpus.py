"""Plan files to read: our samples, and real ones where they are at hand (`PLAN_CORPUS`, or beside the project)."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.load import load

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "samples" / "plans"
CORPUS = Path(os.environ.get("PLAN_CORPUS") or ROOT.parent / "shared" / "corpus")


def real(folder: str = "001-auto-claude") -> list[Path]:
    """The JSON plans of one folder of the corpus, and of those within it."""
    return sorted((CORPUS / folder).rglob("*.json"))


def sample(name: str) -> Path:
    return SAMPLES / name


@cache
def samples() -> list[Path]:
    """Our own plans: the files of every format's folder, and those of folders within it that are a plan themselves.

    What else lies in such an inner folder are the papers that go with its plan."""
    files = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    return [path for path in files if path.parents[1] == SAMPLES or is_plan(path)]


def is_plan(path: Path) -> bool:
    try:
        load(path)
    except PlanError:
        return False
    return True


def everything() -> list[Path]:
    return samples() + real("")


needs_corpus = pytest.mark.skipif(not real(), reason="the corpus of real plans is not here (PLAN_CORPUS)")
