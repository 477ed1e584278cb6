"""Plan files to read: our samples, and real ones where they are at hand (`PLAN_CORPUS`, or beside the project)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "samples" / "plans"
CORPUS = Path(os.environ.get("PLAN_CORPUS") or ROOT.parent / "shared" / "corpus")


def real(folder: str = "001-auto-claude") -> list[Path]:
    """The JSON plans of one folder of the corpus, and of those within it."""
    return sorted((CORPUS / folder).rglob("*.json"))


def sample(name: str) -> Path:
    return SAMPLES / name


def everything() -> list[Path]:
    return sorted(path for path in SAMPLES.rglob("*") if path.is_file()) + real("")


needs_corpus = pytest.mark.skipif(not real(), reason="the corpus of real plans is not here (PLAN_CORPUS)")
