"""The scripted agent: a real process that plays a small script from the task's prompt, for demos and tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from stretto.agents import script
from stretto.agents.shell import run_command
from stretto.ports import Assignment, Processes, Report

_PLAYER: Final = (
    sys.executable, "-I", "-S", "-X", "utf8",
    "-c", "import sys; sys.path.append(sys.argv[1]); import script; sys.exit(script.main())",
    str(Path(script.__file__).parent),
)  # fmt: skip
"""Isolated and without site-packages, so that neither PYTHON* nor a file of the workspace changes what it imports; as a
module, because a main file is compiled anew at every start. Both together halve the start-up time."""


class ScriptedAgent:
    """Plays the prompt's script (docs/agents.md). A mistake in it is a permanent failure that names the line."""

    reads_story = True
    codes = False

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        return await run_command(_PLAYER, assignment, processes)
