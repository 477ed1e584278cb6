"""What has become of every page: for people with a command that tries again, for programs as JSON."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

import msgspec

from stretto.cli import terminal
from stretto.core.state import State, TaskRecord
from stretto.model.excerpt import head
from stretto.model.plan import Value
from stretto.observe.paint import count
from stretto.observe.words import reason
from stretto.recipes.page_specs.folder import MASTER, is_filled, spec_path, written
from stretto.recipes.page_specs.plan import Ground
from stretto.recipes.page_specs.state import MASTER_ID

if TYPE_CHECKING:
    from stretto.cli.page_specs import Asked

ERROR = 300
"""Characters of a failure in the list of them."""


class Outcome(Value, frozen=True, kw_only=True):
    """Pages in the order of the list; paths are from the top of the app folder."""

    master: str | None
    """Why there is none; None: there is one."""
    succeeded: tuple[tuple[str, str], ...]
    """(page, path of its specification)"""
    failed: tuple[tuple[str, str], ...]
    """(page, why)"""
    generated: tuple[str, ...] = ()
    """What was written just now."""

    @property
    def complete(self) -> bool:
        return self.master is None and not self.failed

    @property
    def rate(self) -> str:
        total = len(self.succeeded) + len(self.failed)
        return f"{100 * len(self.succeeded) / total if total else 100:.1f}%"


def outcome_of(ground: Ground, state: State | None, only: tuple[str, ...]) -> Outcome:
    """By the run's last state, None where there was nothing to run; a page that has no file has not succeeded."""
    records = {record.id: record for record in state.tasks if record.id not in state.gone} if state else {}
    ran = {name for name, record in records.items() if record.attempt}
    succeeded, failed, generated = [], [], []
    for page in ground.pages:
        if only and page.name not in only:
            continue
        record, path = records.get(page.name), written(ground.folder, page.name)
        if (record is None or record.state == "succeeded") and path is not None:
            succeeded.append((page.name, path))
            generated += [path] if page.name in ran else []
        else:
            why = _why(record) if record else "it was not run"
            failed.append((page.name, why))
    master = records.get(MASTER_ID)
    there = is_filled(ground.folder / MASTER)
    well = (master is None or master.state == "succeeded") and there
    if well and MASTER_ID in ran:
        generated.insert(0, MASTER)
    why = _why(master) if master and master.state != "succeeded" else f"no {MASTER}"
    return Outcome(
        master=None if well else why,
        succeeded=tuple(succeeded),
        failed=tuple(failed),
        generated=tuple(generated),
    )


def _why(record: TaskRecord) -> str:
    """Why it has not succeeded. A check is a script of ours: what it found is told, and not the script."""
    red = record.past and record.past[-1].remarks
    return (reason(record) if red else record.reason) or f"it is {record.state}"


def tell(outcome: Outcome, ground: Ground, asked: Asked, *, code: int) -> None:
    """The last word: what was written, what failed, and what to do about it."""
    json = asked.json
    if json:
        print(msgspec.json.format(msgspec.json.encode(told(outcome))).decode())
    stream = terminal.people(json)
    if outcome.generated:
        print(f"\nGenerated in {asked.app}:", file=stream)
        for path in outcome.generated:
            size = (ground.folder / path).stat().st_size
            print(f"  {path}  {size:,} bytes", file=stream)
    total = len(outcome.succeeded) + len(outcome.failed)
    print(file=stream)
    theirs = "has its" if total == 1 else "have their"
    said = f"{len(outcome.succeeded)} of {count(total, 'page')} {theirs} specification ({outcome.rate})"
    terminal.say(said, json=json)
    if outcome.complete:
        return
    if outcome.master is not None and code == 1:
        terminal.say(f"the master specification failed, so no page was begun: {_short(outcome.master)}", json=json)
        terminal.commands(again(asked), json=json)
        return
    if code in (3, 4, 130):
        left = [name for name, _ in outcome.failed]
        terminal.say(f"not written: {', '.join(left)}; to go on:", json=json)
        terminal.commands(again(asked, going_on=code != 3), json=json)
        return
    for name, why in outcome.failed:
        print(f"  {name} ({spec_path(name)}): {_short(why)}", file=stream)
    terminal.say("try only these again:", json=json)
    terminal.commands(again(asked, tuple(name for name, _ in outcome.failed)), json=json)


def told(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    master: dict[str, Any] = {"success": outcome.master is None, "spec_path": MASTER}
    if outcome.master is not None:
        return {"error": f"the master specification failed: {outcome.master}", "master": master}
    return {
        "master": master,
        "pages": {
            "summary": {
                "total": len(outcome.succeeded) + len(outcome.failed),
                "succeeded": len(outcome.succeeded),
                "failed": len(outcome.failed),
                "success_rate": outcome.rate,
            },
            "succeeded": [{"page": name, "spec_path": path} for name, path in outcome.succeeded],
            "failed": [{"page": name, "error": why} for name, why in outcome.failed],
        },
    }


_OF_THIS_TIME = frozenset({"--max-concurrency", "--total-timeout", "--agent"})
"""What a run that goes on still hears, or holds against what it was begun with."""


def again(asked: Asked, only: tuple[str, ...] = (), *, going_on: bool = False) -> str:
    """The command that tries again, with the same options; without `only`, it goes on with the whole.

    `going_on`: with a run that is not over, which keeps the options that it was begun with: those are left out."""
    said = {
        "--max-concurrency": asked.parallel,
        "--timeout": asked.timeout,
        "--master-timeout": asked.master_timeout,
        "--total-timeout": asked.total_timeout,
        "--retry-attempts": asked.attempts,
        "--profile": asked.profile,
        "--agent": asked.agent,
        "--critic": asked.critic,
    }
    counts = _OF_THIS_TIME if going_on else said.keys()
    options = [f"{flag} {quote(str(value))}" for flag, value in said.items() if value is not None and flag in counts]
    names = [f"--only {quote(','.join(only))}"] if only else []
    app = f"./{asked.app}" if asked.app.startswith("-") else asked.app
    return " ".join(["stretto scaffold pages", quote(app), "--resume", *names, *options])


def _short(text: str) -> str:
    return head(" ".join(text.split()), ERROR)
