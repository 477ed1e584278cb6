"""The demo tells the whole story, proves it, and leaves nothing outside its folder; as often as one likes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_demo_happens_twice(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "STRETTO_STATE_DIR": str(tmp_path / "state")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "stretto", "demo"],
            env=env,
            cwd=tmp_path,
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("  yes  ") == 10
        assert "\x1b" not in done.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["state"]
    assert list((tmp_path / "home").iterdir()) == []
    assert sorted(path.name[:5] for path in (tmp_path / "state" / "demo").iterdir()) == ["lock", "play-"]
