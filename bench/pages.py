"""`python bench/pages.py [--quick] [--delay S] [PAGES…]`: page specs, several at once, with failures and a kill.

A model server on loopback answers after a delay in place of a model. Three questions a size: how much faster several
pages at once are; how many have a specification at the first try and after retries, where some answers are 429, hang,
500 or chat; and whether, killed half way, the rest and only the rest is done. It is no part of `make bench`: it sleeps
for minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from stretto.recipes.page_specs.state import FILE as STATE
from stretto.testing.apps import page_names, script_app, write_app
from stretto.testing.models.server import ModelServer

SIZES = (10, 20, 25, 40)
DELAY_S = 5.0
"""Of every answer. A real one takes minutes: what stretto adds to it weighs more here than it does there."""
TIMEOUT_S = 15
BOUND_S = 900.0


class Desk:
    """A fresh app folder and a server that writes its pages."""

    def __init__(self, pages: Sequence[str], delay_s: float, trouble: Mapping[str, str] = {}) -> None:
        self.pages = pages
        self._folder = tempfile.TemporaryDirectory(prefix="pages-")
        self.root = Path(self._folder.name)
        self.app = write_app(self.root / "app", pages)
        self.server = ModelServer()
        script_app(self.server, pages, trouble=trouble, delay_s=delay_s)

    def __enter__(self) -> Desk:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self._folder.cleanup()

    def start(self, *options: str) -> subprocess.Popen[str]:
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(self.root),
            "STRETTO_STATE_DIR": str(self.root / "state"),
            "ANTHROPIC_BASE_URL": self.server.url,
            "ANTHROPIC_API_KEY": "sk-ant-test-0123456789",
            "ANTHROPIC_MODEL": "model-1",
        }
        argv = [sys.executable, "-m", "stretto", "scaffold", "pages", "app", "--agent", "text", "--json", *options]
        return subprocess.Popen(
            argv, cwd=self.root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *options: str) -> tuple[float, dict[str, Any]]:
        """(seconds, what it told)."""
        began = time.monotonic()
        with self.start(*options) as front:
            out, _ = front.communicate(timeout=BOUND_S)
        return time.monotonic() - began, json.loads(out)["pages"]["summary"]

    def asked(self) -> Counter[str]:
        return Counter(one.script or "" for one in self.server.requests())

    def completed(self) -> list[str]:
        path = self.app / STATE
        return list(json.loads(path.read_text())["completed"]) if path.exists() else []


def faster(count: int, delay_s: float, places: Sequence[int]) -> str:
    """The same pages, one at a time and several at once."""
    took = {}
    for at_once in (1, *places):
        with Desk(page_names(count), delay_s) as desk:
            took[at_once], told = desk.run("-j", str(at_once))
            assert told["succeeded"] == count, told
    return ", ".join(f"{n} at once {took[n]:.1f} s = {took[1] / took[n]:.2f}x" for n in places) + (
        f" (one at a time {took[1]:.1f} s)"
    )


def mixed(count: int, delay_s: float) -> str:
    """Of 20 pages, two get a 429, and one each a hang, a 500, chat in front, a lost connection; then all is well."""
    kinds = {
        1: "MODEL fail 429 retry-after=1 times=1",
        4: "MODEL @1 hang",
        7: "MODEL @1 fail 500",
        10: "MODEL @1 text Sure, here it is:",
        13: "MODEL @1 cut",
        16: "MODEL fail 429 retry-after=2 times=2",
    }
    pages = page_names(count)
    trouble = {name: kinds[n % 20] for n, name in enumerate(pages) if n % 20 in kinds}
    with Desk(pages, delay_s, trouble) as desk:
        took, told = desk.run("-j", "5", "--timeout", str(TIMEOUT_S))
        # A 429 is waited for within the try, so it costs none.
        tries = Counter(one.script for one in desk.server.requests() if one.status != 429)
        first = sum(tries[name] == 1 for name in pages)
        return (
            f"{len(trouble)} of {count} pages with trouble: {100 * first / count:.0f}% at the first try, "
            f"{told['success_rate']} after retries, {took:.1f} s"
        )


def killed(count: int, delay_s: float) -> str:
    """Everything is killed when half of the pages are written; then --resume."""
    with Desk(page_names(count), delay_s) as desk:
        with desk.start("-j", "5") as front:
            deadline = time.monotonic() + BOUND_S
            while len(desk.completed()) < count // 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            for process in [*psutil.Process(front.pid).children(recursive=True), psutil.Process(front.pid)]:
                process.kill()
        done = desk.completed()
        before = desk.asked()
        _, told = desk.run("--resume")
        again = desk.asked() - before
        repeated = [name for name in done if again[name]]
        return f"killed at {len(done)} of {count}: resumed {told['success_rate']}, {len(repeated)} done twice"


def main(words: Sequence[str]) -> None:
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--quick", action="store_true", help="only show that it works")
    said.add_argument("--delay", type=float, default=DELAY_S, metavar="S", help="seconds until an answer")
    said.add_argument("sizes", type=int, nargs="*", metavar="PAGES")
    chosen = said.parse_args(words)
    sizes, delay_s = ((5,), 0.5) if chosen.quick else (chosen.sizes or SIZES, chosen.delay)
    print(f"answers after {delay_s:g} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    for count in sizes:
        print(f"{count} pages: {faster(count, delay_s, (5, 10))}", flush=True)
        print(f"{count} pages: {mixed(count, delay_s)}", flush=True)
        print(f"{count} pages: {killed(count, delay_s)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
