"""The benchmarks run. What they find is in bench/RESULTS.md, and is nothing for a test: machines differ."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "bench"
PARTS = {"checking": 13, "papers": 2, "scheduling": 18, "engine": 4, "processes": 2, "git": 4}
"""How many lines of the table come from each."""


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCH), *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("part", PARTS)
def test_a_benchmark_runs(part: str) -> None:
    done = bench("--quick", part)
    assert done.returncode == 0, done.stderr
    head, rule, *lines = done.stdout.splitlines()
    assert len(lines) == PARTS[part]
    assert len({line.count("|") for line in (head, rule, *lines)}) == 1


def test_results_are_of_every_benchmark() -> None:
    """`make bench` has been run since the last one was added, on any machine."""
    text = (BENCH / "RESULTS.md").read_text()
    assert sum(line.startswith("| ") for line in text.splitlines()) == 1 + sum(PARTS.values())


def test_a_benchmark_that_is_none_is_named() -> None:
    done = bench("sprinting")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no part sprinting; there are checking" in done.stderr
