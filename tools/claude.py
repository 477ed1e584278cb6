"""Puts the real Claude Code where the tests find it: `make claude`, and nothing else does that.

It is inside a package that requirements/claude.txt pins with its hashes. It is kept in the user's cache, so the second
time nothing is fetched. Prints where it is, so that a script can read it, and says beside that, on standard error, what
was done; `--which` only looks, and says nothing when it is not there.
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


VERSION_S = 20.0
"""How long it may take to tell its version."""


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


def version(program: Path) -> str:
    """What it says its version is. It sees nobody's settings. Raises SystemExit where it says nothing."""
    with tempfile.TemporaryDirectory(prefix="stretto-claude-", ignore_cleanup_errors=True) as home:
        env = {"PATH": os.defpath, "HOME": home, "CLAUDE_CONFIG_DIR": home, "DISABLE_AUTOUPDATER": "1"}
        try:
            done = subprocess.run(
                [program, "--version"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=VERSION_S, check=False,
            )  # fmt: skip
            said, why = re.search(r"\d+(?:\.\d+)+\S*", done.stdout), f"it ended with {done.returncode}"
        except (OSError, subprocess.SubprocessError) as error:
            said, why = None, str(error)
    if said is None:
        raise SystemExit(f"make claude: {program} does not tell its version: {why}\nhint: rm {program}, and once more")
    return said[0]


def told(environ: Mapping[str, str]) -> str:
    """Make sure that it is there, and say in sentences what that took and what can run now."""
    was = find(environ) is not None
    program = install(environ)
    done = "is there already; nothing was fetched" if was else "has been fetched"
    return (
        f"Claude Code {version(program)} {done}. The tests that need it run now: "
        "make test, or pytest tests/e2e/test_claude.py. It is put on no PATH; here it is:"
    )


if __name__ == "__main__":
    if "--which" in sys.argv[1:]:
        print(find(os.environ) or "")
    else:
        print(told(os.environ), file=sys.stderr, flush=True)
        print(place(os.environ))
