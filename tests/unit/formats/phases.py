"""Hand-made phases of GSD for tests of its reader."""

from __future__ import annotations

from pathlib import Path

from stretto.analysis.lint import lint
from stretto.formats.load import Loaded, load
from stretto.model.plan import Task


def plan_file(plan: str = "01", body: str = "<objective>\nDo it.\n</objective>\n", **keys: str) -> str:
    said = {"phase": "01-shop", "plan": plan, "type": "execute", "wave": "1", "depends_on": "[]", **keys}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in said.items() if value != "-") + f"---\n\n{body}"


def phase(root: Path, **files: str) -> Loaded:
    """The phase of these plans, `p01` for `01-01-PLAN.md`; the first is named."""
    folder = root / ".planning" / "phases" / "01-shop"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"01-{name[1:]}-PLAN.md").write_text(content)
    return load(folder / f"01-{min(files)[1:]}-PLAN.md")


def one(root: Path, text: str) -> Task:
    return phase(root, p01=text).plan.tasks[0]


def codes(loaded: Loaded) -> list[str]:
    return [x.code for x in (*loaded.findings, *lint(loaded.plan, loaded.places)) if x.severity != "info"]
