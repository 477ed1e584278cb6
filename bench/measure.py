"""Two ways of doing the same thing, measured side by side: turn about, in one run, and told as a median of ratios."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    """Our way / the other way."""
    shape: str
    ours: str
    theirs: str
    """Both as medians, with their unit."""
    ratios: tuple[float, ...]
    """Ours through theirs, one for each turn."""
    most: float | None = None
    """The bar: the median may not be above it. None: shown for comparison."""
    durable: str = "-"
    """How the journal is synchronised, where there is one."""
    jobs: int = 1
    """How many at once (-j)."""

    @classmethod
    def of(
        cls, what: str, shape: str, ours: Sequence[float], theirs: Sequence[float], *, unit: str, most: float | None,
        scale: float = 1.0, durable: str = "-", jobs: int = 1,
    ) -> Row:  # fmt: skip
        """From what both took, turn by turn; `scale` makes that the `unit`."""
        return cls(
            what=what, shape=shape, most=most, durable=durable, jobs=jobs,
            ours=f"{_said(median(ours) * scale)} {unit}", theirs=f"{_said(median(theirs) * scale)} {unit}",
            ratios=tuple(a / b for a, b in zip(ours, theirs, strict=True)),
        )  # fmt: skip

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def met(self) -> bool | None:
        return None if self.most is None else self.ratio <= self.most


Measured = Callable[[int], float]
"""Does it for the turn with this number, and says what it took. Turns below zero warm it up."""


def turn_about(ours: Measured, theirs: Measured, *, turns: int, warm: int = 1) -> tuple[list[float], list[float]]:
    """What each took, turn by turn; who goes first changes."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(-warm, turns):
        gc.collect()
        for which, work in sorted(enumerate((ours, theirs)), reverse=bool(turn % 2)):
            took = work(turn)
            if turn >= 0:
                taken[which].append(took)
    return taken


def timed(work: Callable[[], object]) -> float:
    """Seconds on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu(work: Callable[[], object]) -> float:
    """Processor seconds of this process, all its threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_mb() -> float:
    """The most that this process has held. What `getrusage` says would count its parent's, too."""
    said = Path("/proc/self/status").read_text()
    return int(said.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """An empty folder, gone afterwards; below $BENCH_TMP, or wherever temporary files go."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", dir=os.environ.get("BENCH_TMP")) as folder:
        yield Path(folder).resolve()


# --- the table -----------------------------------------------------------------------------------------------------

HEAD = ("what", "shape", "sync", "-j", "ours", "the other way", "ratio (least–most)", "bar", "met")


def table(rows: Sequence[Row]) -> str:
    """Markdown that is fit to be read as it is, too."""
    lines = [HEAD, *map(_cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    head, *laid = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
    return "\n".join([head, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *laid])


def _cells(row: Row) -> tuple[str, ...]:
    spread = f" ({_ratio(min(row.ratios))}–{_ratio(max(row.ratios))})" if len(row.ratios) > 1 else ""
    bar = "" if row.most is None else _ratio(row.most)
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return (
        row.what, row.shape, row.durable, str(row.jobs), row.ours, row.theirs, _ratio(row.ratio) + spread, bar, met,
    )  # fmt: skip


def _ratio(ratio: float) -> str:
    """As people say it: `1.2x`, or `1/46`."""
    return f"1/{_said(1 / ratio)}" if ratio < 0.9 else f"{ratio:.3g}x"


def _said(number: float) -> str:
    """Three figures, and never with an exponent."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
