"""Writes requirements/*.txt: every package the project needs, pinned, with the hashes of all its files.

python tools/lock.py              all of them
python tools/lock.py claude.txt   only this one

The pins hold for Python 3.11 and newer on Linux and macOS. The resolver is uv, in an environment of its own that goes
away again; which index it asks is the machine's business and is written nowhere.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make lock`; do not edit.\n"


PINS = {
    "runtime.txt": ("pyproject.toml", "requirements/build.in"),
    "dev.txt": ("--group", "dev", "--constraint", "requirements/runtime.txt"),
    "claude.txt": ("--no-deps", "requirements/claude.in"),
}
"""In this order: the second depends on the first."""


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        subprocess.run([f"{scratch}/bin/pip", "install", "--quiet", "uv"], check=True)
        uv = f"{scratch}/bin/uv"
        for name in names or PINS:
            pin(uv, name, *PINS[name])


def pin(uv: str, name: str, *sources: str) -> None:
    """Resolve `sources` afresh into requirements/`name`."""
    command = [
        *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"),
        *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", *sources),
    ]
    pins = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    (ROOT / "requirements" / name).write_text(HEADER + pins)
    print(f"requirements/{name}: {pins.count('==')} packages")


if __name__ == "__main__":
    main(sys.argv[1:])
