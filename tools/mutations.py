"""Plants known bugs (`planted.py`) in a copy of the sources, one at a time, and writes down which the simulator finds.

python tools/mutations.py              every mutation; writes docs/mutations.md
python tools/mutations.py NAME …       only these, printed
python tools/mutations.py --examples N how hard to try (default 2,000, as in CI)
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from planted import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "mutations.md"
SUITES = tuple(ROOT / "tests" / "properties" / f"test_{name}.py" for name in ("core", "growth", "replans"))


def patched(mutation: Mutation, source: Path) -> None:
    """Plant the bug under `source`, a copy of `src/stretto`."""
    path = source / mutation.file
    text = path.read_text()
    if text.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.name}: the text to replace is {text.count(mutation.old)} times in {mutation.file}")
    path.write_text(text.replace(mutation.old, mutation.new))


def judge(mutation: Mutation | None, examples: int) -> str:
    """Where the suite was first red; empty when it stayed green."""
    with tempfile.TemporaryDirectory(prefix="stretto-mutation-") as folder:
        source = Path(folder) / "stretto"
        shutil.copytree(ROOT / "src" / "stretto", source, ignore=shutil.ignore_patterns("__pycache__"))
        if mutation is not None:
            patched(mutation, source)
        done = subprocess.run(
            [sys.executable, __file__, "--inside", "--examples", str(examples)],
            env=os.environ | {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
            text=True,
            capture_output=True,
        )
        if done.returncode == 0:
            return ""
        if done.returncode != 1 or not done.stdout.strip():
            raise SystemExit(f"the suite could not run:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip().splitlines()[-1]


def inside(examples: int) -> int:
    """In the copy: run each property until it is red, and say after how many examples."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutations",
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
    )
    settings.load_profile("mutations")
    for path in SUITES:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        suite = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(suite)
        for name in [name for name in vars(suite) if name.startswith("test_")]:
            if not _green(name, getattr(suite, name)):
                return 1
    return 0


def _green(name: str, test: Any) -> bool:
    inner, count = test.hypothesis.inner_test, 0

    @functools.wraps(inner)  # the examples are chosen by the test's own name and text
    def counted(*args: object, **kwargs: object) -> None:
        nonlocal count
        count += 1
        inner(*args, **kwargs)

    test.hypothesis.inner_test = counted
    try:
        test()
    except BaseException as error:  # noqa: BLE001 - a planted bug may break anything
        what = str(error).splitlines()[0] if str(error) else ""
        print(f"{count}\t{name}\t{type(error).__name__}: {what[:90]}")
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--examples", type=int, default=2_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return inside(args.examples)
    if clean := judge(None, min(args.examples, 200)):
        raise SystemExit(f"the suite is red without any mutation: {clean}")
    chosen = [m for m in MUTATIONS if not args.names or m.name in args.names]
    rows = []
    for mutation in chosen:
        said = judge(mutation, args.examples)
        count, _, how = said.partition("\t")
        rows.append((mutation, count, how))
        print(f"{mutation.name}: {f'caught, example {count}: {how}' if said else 'NOT CAUGHT'}", flush=True)
    if not args.names:
        PAGE.write_text(page(rows, args.examples))
    return 0


def page(rows: list[tuple[Mutation, str, str]], examples: int) -> str:
    caught = sum(bool(count) for _, count, _ in rows)
    lines = [
        "# What the simulator finds",
        "",
        "Each row is a bug planted in a copy of the core, one at a time, and the first example at which a property of",
        f"the core in `tests/properties` was red, of at most {examples:,} each: the ones that `HYPOTHESIS_PROFILE=ci`",
        "tries every time. Written by `python tools/mutations.py`.",
        "",
        f"Caught: {caught} of {len(rows)}.",
        "",
        "| planted bug | in | first red example | of |",
        "| --- | --- | ---: | --- |",
        *(row(*found) for found in rows),
        "",
    ]
    return "\n".join(lines)


def row(mutation: Mutation, count: str, how: str) -> str:
    name = how.partition("\t")[0].removeprefix("test_").replace("_", " ")
    return f"| {mutation.name} | `{mutation.file}` | {count or '**not caught**'} | {name} |"


if __name__ == "__main__":
    sys.exit(main())
