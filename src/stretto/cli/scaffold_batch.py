"""A batch of papers, from the preview to the result: by the template, or by an agent in the folder itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from shlex import quote
from typing import Literal

import msgspec
from msgspec.structs import replace

from stretto.cli import terminal
from stretto.cli.abandon import give_up
from stretto.cli.scaffold_folder import Opened, must_have
from stretto.cli.scaffold_telling import NAMES, commands_before, fill_lines, headline, preview_lines, result_lines
from stretto.engine.home import RunHome
from stretto.model.plan import Value
from stretto.observe.paint import count
from stretto.recipes.subplans import batch as batches
from stretto.recipes.subplans.batch import Item, Kind, Note, Result
from stretto.recipes.subplans.filling import filled, is_thin
from stretto.recipes.subplans.folder import text_of
from stretto.recipes.subplans.placeholder import is_placeholder
from stretto.recipes.subplans.writing import Writing

REFUSED = 130
"""As everywhere, when somebody says no to a question."""
MEANWHILE = "somebody else has written it meanwhile"


class How(Value, frozen=True, kw_only=True):
    """What the command line says of a batch."""

    agent: str | None = None
    """Who writes the papers; None: the template."""
    dry_run: bool = False
    yes: bool = False
    json: bool = False
    keep: bool = False
    """Where some papers fail, those that are whole stay."""
    jobs: int | None = None


class Done(Value, frozen=True, kw_only=True):
    """What came of writing, beside the papers."""

    skipped: tuple[Note, ...] = ()
    """Somebody else has written them meanwhile."""
    errors: tuple[Note, ...] = ()
    unfinished: int | None = None
    """Exit code of a run that waits for somebody to resume it: nothing is taken back, and the errors name what it
    still has to do."""
    home: RunHome | None = None
    """The run that wrote them."""
    hint: str = ""
    """How to come by those that failed."""


def create(opened: Opened, kind: Kind, level: int | Literal["all"] | None, how: How) -> int:
    """Preview, ask, write; the exit code. Raises ConfigError."""
    must_have(opened.progress, level)
    plan = batches.batch(opened.progress, kind, level)
    result = replace(
        planned(opened, kind, [item.path for item in plan.make], how, level=plan.level),
        skipped=plan.skipped,
        missing=plan.missing,
    )
    terminal.say(headline(opened.progress), json=how.json)
    _print(preview_lines(opened.progress, plan), how)
    if not plan.make:
        what = f"no {NAMES[kind]} can be created" if plan.missing else f"no {NAMES[kind]} is missing"
        code = end(result, how, told=what if plan.level in (None, batches.ALL) else f"{what} at level {plan.level}")
    else:
        question = f"Create {count(len(plan.make), NAMES[kind])}?"
        code = carry_out(opened, result, how, question, lambda writing: _write(opened, plan.make, writing, how))
    terminal.commands(*commands_before(opened, plan), json=how.json)
    return code


def fill(opened: Opened, level: int | Literal["all"] | None, how: How) -> int:
    """The same for papers that are there, and are placeholders."""
    must_have(opened.progress, level)
    items = batches.hollow(opened.progress, level)
    terminal.say(headline(opened.progress), json=how.json)
    _print(fill_lines(opened.progress, items), how)
    result = planned(opened, "fill", [item.path for item in items], how, level=level)
    if not items:
        return end(result, how, told="no paper is a placeholder")
    question = f"Fill {count(len(items), 'placeholder')}?"
    return carry_out(opened, result, how, question, lambda writing: _write(opened, items, writing, how, over=True))


def planned(
    opened: Opened, kind: str, paths: Sequence[str], how: How, *, level: int | str | None = None
) -> Result:  # fmt: skip
    """A result before anything has been done."""
    progress = batches.count(opened.progress)
    return Result(
        plan=opened.plan.name, kind=kind, level=level, dry_run=how.dry_run, planned=tuple(paths), progress=progress
    )


def carry_out(opened: Opened, result: Result, how: How, question: str, write: Callable[[Writing], Done]) -> int:
    """Ask and write. Where a paper fails, all of the batch are taken back, or with `keep` those that failed."""
    if how.dry_run:
        return end(result, how, told="nothing was written: this was a dry run")
    if not how.yes and not terminal.ask(question, default=False):
        end(result, how, told="nothing was written")
        return REFUSED
    writing = Writing(opened.home)
    try:
        done = write(writing)
    except BaseException:
        writing.roll_back()
        raise
    gone: tuple[str, ...] = ()
    if done.errors and done.unfinished is None:
        if done.home is not None:
            give_up(done.home)  # first: what it counts as written will be gone
        gone = writing.roll_back([note.path for note in done.errors] if _keeps(writing, done, how) else None)
    result = replace(
        result,
        created=writing.created,
        skipped=(*result.skipped, *done.skipped),
        errors=(*result.errors, *done.errors),
        rolled_back=gone,
        kept_in=str(writing.aside) if gone and writing.aside is not None else "",
        progress=batches.count(opened.again().progress),
    )
    code = end(result, how)
    if done.hint:
        terminal.hint(done.hint, json=how.json)
    if done.errors and done.unfinished is None and result.kind != "approve":
        terminal.say("when that is mended, write what is missing:", json=how.json)
        terminal.commands(_again(opened, result, how), json=how.json)
    return code if done.unfinished is None else done.unfinished


def _again(opened: Opened, result: Result, how: How) -> str:
    """The command line of this batch."""
    level = "" if result.level is None else f" --level {result.level}"
    agent = f" --agent {quote(how.agent)}" if how.agent is not None else ""
    jobs = f" --jobs {how.jobs}" if how.jobs is not None else ""
    return f"stretto scaffold {result.kind} {quote(opened.folder)}{level}{agent}{jobs}"


def _keeps(writing: Writing, done: Done, how: How) -> bool:
    """Whether the papers stay that are whole; a person at a terminal is asked."""
    whole = set(writing.created).difference(note.path for note in done.errors)
    if how.keep or not whole or how.yes or not terminal.is_interactive():
        return how.keep
    for note in done.errors:
        terminal.say(f"{note.id}: {note.message}", json=how.json, label="failed")
    return terminal.ask(f"Keep what is whole ({count(len(whole), 'paper')})?", default=True)


def end(result: Result, how: How, *, told: str = "") -> int:
    """Tell the result; its exit code."""
    if how.json:
        fields: dict[str, object] = msgspec.to_builtins(result)
        print(msgspec.json.format(msgspec.json.encode({"ok": result.ok, **fields})).decode())
    if told:
        terminal.say(told, json=how.json)
    else:
        _print(result_lines(result), how)
    return 0 if result.ok else 1


def one_by_one(items: Sequence[Item], how: How, write: Callable[[Item], bool | Note]) -> Done:
    """Every paper in turn, with its number; False: somebody else has written it meanwhile."""
    skipped, errors = list[Note](), list[Note]()
    for n, item in enumerate(items, 1):
        try:
            done = write(item)
        except OSError as error:
            done = Note(id=item.id, path=item.path, message=error.strerror or str(error))
        if isinstance(done, Note):
            errors.append(done)
        elif not done:
            skipped.append(Note(id=item.id, path=item.path, message=MEANWHILE))
        else:
            terminal.say(f"{n}/{len(items)}  {item.path}", json=how.json)
    return Done(skipped=tuple(skipped), errors=tuple(errors))


def _write(opened: Opened, items: Sequence[Item], writing: Writing, how: How, *, over: bool = False) -> Done:
    if how.agent is not None:
        from stretto.cli.scaffold_agent import by_agent

        return by_agent(opened, items, writing, how, over=over)
    return _by_template(opened, items, writing, how, over=over)


def _by_template(opened: Opened, items: Sequence[Item], writing: Writing, how: How, *, over: bool) -> Done:
    today = time.strftime("%Y-%m-%d")
    silent: list[Note] = []

    def write(item: Item) -> bool | Note:
        text = filled(opened.home, opened.progress, item, today=today)
        if isinstance(text, Note):
            silent.append(text)
            return text
        if not over:
            return writing.create(item.path, text)
        path = opened.home / item.path
        before = path.read_bytes()
        return is_placeholder(text_of(path)) and writing.replace(item.path, before, text)

    done = one_by_one(items, how, write)
    thin = dict.fromkeys(item.id for item in items if is_thin(opened.progress, item))
    if thin:
        what = f"of {', '.join(thin)} a title is all that is known: tell more in the plan, or let an agent write it"
        terminal.say(what, json=how.json, label="note")
    if silent:
        keep = "keep those that are whole with --keep, " if len(silent) < len(items) and not how.keep else ""
        done = replace(done, hint=f"write that in the plan, {keep}or let an agent write these papers with --agent")
    return done


def _print(lines: Iterable[str], how: How) -> None:
    for text in lines:
        print(text, file=terminal.people(how.json), flush=True)
