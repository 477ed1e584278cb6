"""Papers of a folder of achievements: all of them at once, against one command for each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from measure import Row, scratch, timed, turn_about

WORK_S = 1.0
"""So long an agent writes at a paper."""
LEAST_SAVED = 0.13
"""The bar: what is left of the time when 87 percent of it is saved."""


def rows(*, quick: bool) -> list[Row]:
    papers, turns = (3, 1) if quick else (9, 3)
    with scratch("papers") as place:
        folder, env = place / "CHAIN", {**os.environ, "STRETTO_STATE_DIR": str(place / "state")}
        folder.mkdir()
        (folder / "parallel.json").write_text(json.dumps(_chain(papers)))
        (folder / "PLAN_CHAIN.md").write_text(_words(papers))

        def call(*words: str) -> None:
            subprocess.run(
                [sys.executable, "-m", "stretto", "scaffold", "subplans", ".", "--yes", *words],
                cwd=folder, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True,
            )  # fmt: skip

        def measured(work: Callable[[], object]) -> float:
            shutil.rmtree(folder / "subplans", ignore_errors=True)
            took = timed(work)
            assert len(list((folder / "subplans").iterdir())) == papers
            return took

        def batch(*more: str) -> Callable[[int], float]:
            return lambda turn: measured(lambda: call("--level", "all", *more))

        def one_by_one(*more: str) -> Callable[[int], float]:
            def each() -> None:
                for n in range(papers):
                    call("--level", str(n), *more)

            return lambda turn: measured(each)

        agent = ("--agent", f"shell: sleep {WORK_S}; {_WRITE}", "-j", str(papers))
        filled = turn_about(batch(), one_by_one(), turns=turns)
        written = turn_about(batch(*agent), one_by_one(*agent), turns=turns)
    return [
        Row.of(
            "SUBPLANs in one batch / file by file",
            f"{papers} files, by the template",
            *filled,
            unit="s",
            most=None if quick else LEAST_SAVED,
        ),
        Row.of(
            "SUBPLANs in one batch / file by file",
            f"{papers} files, by an agent that takes {WORK_S:g} s",
            *written,
            unit="s",
            most=None,
            jobs=papers,
        ),
    ]


_WRITE = (
    r"""f=$(sed -n 's/^## Your task: Write //p' "$STRETTO_PROMPT_FILE" | head -1); printf '# x\n\nWords.\n' > "$f" """
)


def _chain(papers: int) -> dict[str, object]:
    """Every achievement on a level of its own, so that a level is a file."""
    ids = [f"1.{n + 1}" for n in range(papers)]
    achievements = [
        {"achievement_id": id, "title": f"Part {id}", "dependencies": ids[n - 1 : n] if n else []}
        for n, id in enumerate(ids)
    ]
    return {"plan_name": "CHAIN", "parallelization_level": "level_3", "achievements": achievements}


def _words(papers: int) -> str:
    return "\n".join(
        f"### Achievement 1.{n + 1}: Part 1.{n + 1}\n\n- **Goal**: Do part {n + 1}\n- **Deliverables**:\n"
        f"  1. `part{n + 1}.txt`\n- **Success Criteria**:\n  - It is there\n"
        for n in range(papers)
    )
