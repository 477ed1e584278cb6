"""Puts the real Claude Code where the tests find it: `make claude`, and nothing else does that.

It is inside a package that requirements/claude.txt pins with its hashes. It is kept in the user's cache, so the second
time nothing is fetched. Prints where it is; `--which` only looks, and says nothing when it is not there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "claude.txt"
INSIDE = "claude_agent_sdk/_bundled/claude"


def place(environ: Mapping[str, str]) -> Path:
    """Where the pinned version is, or will be."""
    cache = environ.get("XDG_CACHE_HOME", "")
    root = Path(cache) if Path(cache).is_absolute() else Path(environ.get("HOME") or Path.home()) / ".cache"
    version = re.search(r"^claude-agent-sdk==(\S+)", PINS.read_text(), re.MULTILINE)
    assert version, f"{PINS} pins no claude-agent-sdk"
    return root / "stretto" / "claude" / version[1] / "claude"


def find(environ: Mapping[str, str]) -> Path | None:
    """The program, where `make claude` has been run."""
    program = place(environ)
    return program if os.access(program, os.X_OK) else None


def install(environ: Mapping[str, str]) -> Path:
    """Fetch it unless it is there. Raises SystemExit with the reason where that cannot be done."""
    if (program := find(environ)) is not None:
        return program
    folder = place(environ).parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
        checked = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-cache-dir", "-r", str(PINS)]
        if subprocess.run([*pip, *checked, "--dest", scratch], check=False).returncode:
            raise SystemExit("make claude: the package could not be fetched (see above)")
        (wheel,) = Path(scratch).glob("*.whl")
        made = Path(scratch) / "made"
        made.mkdir()
        try:
            with (
                zipfile.ZipFile(wheel) as packed,
                packed.open(INSIDE) as source,
                (made / "claude").open("wb") as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)
                os.fchmod(target.fileno(), 0o755)
        except KeyError:
            raise SystemExit(f"make claude: {wheel.name} has no {INSIDE}") from None
        try:
            made.rename(folder)
        except OSError:  # somebody else was faster, or something unfinished is in the way
            if find(environ) is None:
                shutil.rmtree(folder)
                made.rename(folder)
    return folder / "claude"


if __name__ == "__main__":
    print(find(os.environ) or "" if "--which" in sys.argv[1:] else install(os.environ))
