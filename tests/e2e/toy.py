"""A repository, a state folder and a clean environment to run the real command line in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BOUND_S = 60.0
"""How long a condition may take to come true before the test fails."""


def until(condition: Callable[[], object], what: str, bound_s: float = BOUND_S) -> Any:
    """Wait for a condition; its truthy value. Never longer than the bound."""
    deadline = time.monotonic() + bound_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {bound_s:g} s in vain: {what}"
        time.sleep(0.02)
    return value


class Toy:
    """Everything of one user on one repository, below `root`."""

    def __init__(self, root: Path, files: Mapping[str, str], *, folder: str = "repo") -> None:
        self.root, self.repository, self.state = root, root / folder, root / "state"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STRETTO_", "GIT_"))},
            "STRETTO_STATE_DIR": str(self.state),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.repository.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit("first", files)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, message: str, files: Mapping[str, str]) -> None:
        self.write(files)
        self.git("add", "--", *files)
        self.git("-c", "user.name=user", "-c", "user.email=user@localhost", "commit", "-qm", message)

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.repository, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"git {args}: {done.stderr}"
        return done.stdout

    def stretto(self, *args: str, code: int | None = 0, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end. `code` None: any."""
        done = subprocess.run(
            [sys.executable, "-m", "stretto", *args],
            cwd=self.repository, env={**self.env, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, (
            f"{args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done

    def front(self, *args: str) -> subprocess.Popen[bytes]:
        """Start a verb in a session of its own; what it says is in `front.log`."""
        with (self.root / "front.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "stretto", *args],
                cwd=self.repository, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        """What fronts have said; empty where none was started."""
        log = self.root / "front.log"
        return log.read_text() if log.exists() else ""

    def status(self, *args: str) -> dict[str, Any]:
        """`status --json`; empty while there is no run."""
        done = self.stretto("status", *args, "--json", code=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def states(self, *args: str) -> dict[str, str]:
        return {task["id"]: task["state"] for task in self.status(*args).get("tasks", ())}

    def processes(self) -> list[tuple[int, bytes]]:
        """(pid, command line) of everything that runs with this state folder."""
        mark = f"STRETTO_STATE_DIR={self.state}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((int(folder.name), (folder / "cmdline").read_bytes()))
            except OSError:
                continue
        return found

    def agents(self) -> list[int]:
        """Processes of attempts and gates, by their cookie."""
        found = []
        for pid, _ in self.processes():
            try:
                entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(entry.startswith(b"STRETTO_TASK=") for entry in entries):
                found.append(pid)
        return found

    def branch(self) -> str:
        """The latest run's branch."""
        return str(self.status()["branch"])
