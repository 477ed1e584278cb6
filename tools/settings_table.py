"""Writes the tables of docs/settings.md from the table that files, variables and `stretto config` are read with."""

from __future__ import annotations

from pathlib import Path

from stretto.config.table import AGENT_KEYS, SETTINGS, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"


def settings() -> list[str]:
    """One row a setting: key, value, default, what it is for."""
    rows = [f"| `{s.name}` | {s.kind.means} | {default(s)} | {s.help} |" for s in SETTINGS.values()]
    return ["| key | value | default | means |", "| --- | --- | --- | --- |", *rows]


def default(setting: Setting) -> str:
    return f"`{setting.kind.write(setting.built_in)}`" if setting.built_in != "" else "none"


def agents() -> list[str]:
    rows = [f"| `agents.NAME.{s.name}` | {s.kind.means} | {s.help} |" for s in AGENT_KEYS.values()]
    return ["| key | value | means |", "| --- | --- | --- |", *rows]


def insert(page: str) -> str:
    """The page with what is between its markers written again. ValueError when it has no markers."""
    for name, table in (("settings", settings()), ("agents", agents())):
        begin, end = f"<!-- generated:{name} -->\n", f"<!-- /generated:{name} -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = before + begin + "\n".join(table) + "\n" + end + after
    return page


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text()))
