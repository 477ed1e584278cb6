"""A toy whose agents are held: each says that it has begun, and goes on at a word of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from e2e.toy import Toy, until

WAIT_FOR_GO = (
    "shell: touch $MARK/$STRETTO_TASK.began; while [ ! -e $MARK/go ]; do sleep 0.05; done; echo x > $STRETTO_TASK.txt"
)


class Held(Toy):
    """Agents and the test meet in the folder `mark`, which agents see as `$MARK` if the settings pass it on; without
    settings of their own they do."""

    def __init__(self, root: Path, files: Mapping[str, str], *, folder: str = "repo") -> None:
        super().__init__(root, {"stretto.toml": '[env]\npass = ["MARK"]\n', **files}, folder=folder)
        self.mark = root / "mark"
        self.mark.mkdir()
        self.env["MARK"] = str(self.mark)

    def began(self, number: int) -> None:
        """Wait until so many agents have."""
        until(lambda: len(list(self.mark.glob("*.began"))) >= number, f"agents begin; said: {self.said()}")

    def go(self, *tasks: str) -> None:
        """Let these go on; every one, if none is named."""
        for task in tasks or ("go",):
            (self.mark / task).touch()

    def end(self, front: subprocess.Popen[bytes]) -> int:
        """The front's exit code, when nothing of the run is left."""
        code = front.wait(timeout=60)
        until(lambda: not self.processes(), f"nothing is left: {self.processes()}")
        return code
