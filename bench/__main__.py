"""`make bench`: the bars that stretto sets itself, as ratios measured side by side in one run; writes RESULTS.md.

`python bench [--quick] [PART…]` measures some parts and writes nothing; `--quick` only shows that they work.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measure import Row, table

PARTS = ("checking", "papers", "scheduling", "engine", "processes", "git")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(words: Sequence[str]) -> None:
    quick, names = "--quick" in words, [word for word in words if word != "--quick"]
    if unknown := sorted(set(names) - set(PARTS)):
        sys.exit(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    rows: list[Row] = []
    for name in names or PARTS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(name).rows(quick=quick)
    print(table(rows))
    if not names and not quick:
        RESULTS.write_text(page(rows))


def page(rows: Sequence[Row]) -> str:
    """RESULTS.md: what is written by hand in it, below the mark, stays."""
    mark = "\n## Notes\n"
    notes = RESULTS.read_text().partition(mark)[2] if RESULTS.exists() else "\n"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    here = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {system}, {time.strftime('%Y-%m-%d')}"
    return f"""# Benchmarks

Written by `make bench` on: {here}.

Every line compares two ways of doing the same thing, turn about in one run; only the ratio carries over to another
machine. Ratios are ours through the other way's: the median of all turns, and in brackets the least and the most.

{table(rows)}
{mark}{notes}"""


if __name__ == "__main__":
    main(sys.argv[1:])
