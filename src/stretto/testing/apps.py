"""App folders with as many pages as wanted, and a model server that writes their specifications, with trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stretto.recipes.page_specs.prompt import first_line
from stretto.testing.models.server import ModelServer

ROOMS = ("Home", "Login", "Signup", "Bread", "Orders", "Checkout", "Hours", "Baker", "Imprint", "Basket")


def page_names(count: int) -> tuple[str, ...]:
    """So many names, the same every time."""
    return tuple(f"{ROOMS[n % len(ROOMS)]}{n // len(ROOMS) or ''}Page" for n in range(count))


def write_app(folder: Path, pages: Sequence[str]) -> Path:
    """Everything that page specs are written from; the folder itself."""
    lines = [f"- **{name}**: All about {name} (Route: `/{name.lower()}`)" for name in pages]
    files = {
        "specs/plan.md": "# A bakery\n\nBread is ordered in the evening and fetched in the morning.\n",
        "specs/pages-and-routes.md": "\n".join(["# Pages and routes", "", "## Pages", "", *lines, ""]),
        "shared/schema.zod.ts": 'import { z } from "zod";\nexport const bread = z.object({ name: z.string() });\n',
        "shared/contracts/breads.contract.ts": 'export const breads = { list: { path: "/api/breads" } };\n',
        "client/src/lib/api-registry.md": "# API\n\n- `breads.list()`: GET /api/breads\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def script_app(
    server: ModelServer,
    pages: Sequence[str],
    *,
    trouble: Mapping[str, str] = {},
    delay_s: float = 0.0,
    master: str = "",
) -> None:
    """Have the server write the master and every page, each after a delay; `trouble` are further lines of the script
    of a page, such as `MODEL fail 400`, and `master` of the master's; of two texts the later counts."""
    wait = f"MODEL delay {delay_s:g}\n" if delay_s else ""
    text = "MODEL text # Frontend Interaction Specification - Master\\n\\nWhat all pages share."
    server.script("^Write the master frontend interaction specification", f"MODEL name master\n{wait}{text}\n{master}")
    for name in pages:
        text = f"MODEL text {first_line(name)}\\n\\nWhat {name} shows."
        server.script(rf"(?m)^## Your page: {name}$", f"MODEL name {name}\n{wait}{text}\n{trouble.get(name, '')}")
