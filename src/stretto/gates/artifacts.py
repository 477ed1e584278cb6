"""The artifacts gate: what a task promised is there, in the workspace, and not empty."""

from __future__ import annotations

from pathlib import Path

from stretto.model.run import Remark
from stretto.ports import GateCall, Processes, Verdict


class ArtifactsGate:
    """Looks for every path in the task's `artifacts`; the check itself says nothing more."""

    async def judge(self, call: GateCall, processes: Processes) -> Verdict:
        root = call.workspace.resolve()
        promised = call.task.artifacts if call.task else ()
        missing = tuple(
            Remark(check="artifacts", message=f"{path}: {why}")
            for path in promised
            if (why := _why_missing(root, path)) is not None
        )
        return Verdict(color="red" if missing else "green", remarks=missing)


def _why_missing(root: Path, path: str) -> str | None:
    try:
        place = (root / path).resolve(strict=True)
        if not place.is_relative_to(root):
            return "lies outside the workspace"
        if place.is_dir():
            return None if any(place.iterdir()) else "is an empty folder"
        if path.endswith("/"):
            return "is not a folder"
        if not place.is_file():
            return "is neither a file nor a folder"
        return None if place.stat().st_size else "is empty"
    except FileNotFoundError:
        return "is a link to nothing" if (root / path).is_symlink() else "does not exist"
    except (OSError, RuntimeError, ValueError) as error:
        return f"cannot be read: {error}"
