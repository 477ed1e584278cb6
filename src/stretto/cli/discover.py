"""`stretto discover`: from a document that says what is to be done to a plan of what can be done at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json, Profile, at_least_one

if TYPE_CHECKING:
    from stretto.cli.document import Document
    from stretto.cli.inquiry import Asked
    from stretto.config.layers import Settings
    from stretto.recipes.discovery.found import Found
    from stretto.recipes.discovery.question import Breadth, Question, Shape

STDOUT = Path("-")
_LONGEST_ID = 200


def discover(
    document: Annotated[Path, typer.Argument(metavar="DOC", help="What is to be done: any text, or a plan file.")],
    breadth: Annotated[
        int | None,
        typer.Option(
            "--breadth",
            metavar="1|2|3",
            help="Look for parts of one achievement (1), at achievements of one priority (2), or at all of them (3).",
        ),
    ] = None,
    achievement: Annotated[
        str | None, typer.Option("--achievement", metavar="X", help="The achievement to split: breadth 1.")
    ] = None,
    priority: Annotated[
        str | None, typer.Option("--priority", metavar="P", help="The priority to look at: breadth 2.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where the plan goes: .yaml or .json in stretto's own format; parallel*.json in that of parallel.json;"
            " - prints it. Default: DOC-parallel.yaml in the current folder.",
        ),
    ] = None,
    show_prompt: Annotated[
        bool, typer.Option("--prompt", help="Print what an agent would be asked, and ask nobody.")
    ] = False,
    answer: Annotated[
        Path | None,
        typer.Option("--answer", metavar="FILE", help="Take an answer that you have; - is standard input."),
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="A", help="Who is asked: 'shell: COMMAND', or a name.")
    ] = None,
    attempts: Annotated[
        int | None,
        typer.Option("--attempts", metavar="N", callback=at_least_one, help="How often it is asked; default: 3."),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="T", help="Longest time of one answer, such as 90s or 15m.")
    ] = None,
    profile: Profile = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask; where there is no terminal to ask in, nothing is asked anyway."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also for a small document, and where there is such a file already.")
    ] = False,
    json: Json = False,
) -> int:
    """Ask an agent which work of a document can be done at the same time, and write a plan of it."""
    from stretto.cli import terminal
    from stretto.cli.document import read_document
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags
    from stretto.errors import ConfigError
    from stretto.recipes.discovery.question import Question, prompt

    wide, about = _breadth(breadth, achievement, priority)
    if show_prompt and answer is not None:
        raise ConfigError("--prompt and --answer contradict each other", hint="first --prompt, then --answer")
    if output == STDOUT and json:
        raise ConfigError("-o - and --json both want standard output", hint="-o FILE --json")
    settings = settings_here(flags({"agent": agent, "attempts": attempts, "timeout": timeout}), profile)
    doc = read_document(document)
    if not force:
        doc.must_have(wide, about)
    target = _target(output, doc.path)
    question = Question(
        name=doc.name, text=doc.text, breadth=wide, about=about, shape=_shape(target), tasks=doc.tasks(wide, about),
        outside=doc.outside(wide, about), force=force,
    )  # fmt: skip
    small = doc.too_small()
    if show_prompt:
        if small:
            terminal.say(f"{doc.name}: {small}", json=True, label="note")
        _print({"prompt": prompt(question)} if json else prompt(question))
        return 0
    _refuse_target(target, doc.path, force=force)
    take = _Taking(doc, question, target, settings, force=force, json=json)
    if answer is not None:
        return take.brought(answer)
    if small and (not force or doc.is_done):
        return take.nothing(small)
    return take.asked(yes=yes)


class _Taking:
    """The way of an answer into a plan file."""

    def __init__(
        self, doc: Document, question: Question, target: Path, settings: Settings, *, force: bool, json: bool
    ) -> None:
        from stretto.config.resolve import run_settings

        self._doc, self._question, self._target, self._settings = doc, question, target, settings
        self._run = run_settings(settings)
        self._force, self._json = force, json

    def nothing(self, why: str) -> int:
        """The advice of no, before anybody is paid."""
        from stretto.cli import terminal
        from stretto.cli.discovered import as_data

        if self._json:
            _print(as_data("no", self._doc, question=self._question, reason=why))
            return 0
        terminal.say(f"no: {self._doc.name} is not asked about: {why}")
        if not self._doc.is_done:
            terminal.say("hint: --force asks all the same")
        return 0

    def brought(self, file: Path) -> int:
        """Take an answer that somebody else was given. Raises PlanError where it cannot be taken."""
        from stretto.cli.brought import brought

        doc, target = self._doc.path, self._target
        return self._take(
            brought(file, self._question, self._judged, document=doc, target=target, tell_faults=_tell_faults)
        )

    def asked(self, *, yes: bool) -> int:
        """Ask the agent, and take its answer. Raises StrettoError, with what was said kept in a folder."""
        import os
        import shutil
        import tempfile

        from stretto import wiring
        from stretto.cli import terminal
        from stretto.cli.inquiry import Inquiry, inquire, repository_around
        from stretto.config.agents import SCRIPTED, SHELL, named, nobody
        from stretto.config.resolve import doers
        from stretto.errors import ConfigError, StrettoError
        from stretto.model.plan import Plan
        from stretto.model.surroundings import surroundings

        settings = self._settings
        name = named(settings.value(("agent",)))[0]
        if not name:
            error = nobody("this")
            raise ConfigError(
                "there is no agent to ask",
                hint=f"{error.hint.replace('--agent scripted, ', '--agent claude, ')}\n"
                "or without one: --prompt prints what to ask, --answer FILE takes what was answered",
            )
        spec = doers(Plan(name="", format="stretto"), settings).spec(name)
        if spec.kind == SCRIPTED:
            raise ConfigError(
                "the scripted agent reads no document", hint="--agent claude, or --agent 'shell: COMMAND'"
            )
        agent = wiring.agent(spec)
        who = name if name != SHELL else "your command"
        self._announce(who)
        if terminal.is_interactive() and not yes and not terminal.ask(f"Ask {who}?", default=True):
            terminal.say("nobody was asked", json=True)
            return 130
        folder = Path(tempfile.mkdtemp(prefix="stretto-discover-"))
        inquiry = Inquiry(
            self._question,
            lambda text: self._judged(text, self._question),
            agent=agent,
            settings=self._run,
            env=surroundings(os.environ, passed=settings.value(("env", "pass"))),
            folder=folder,
            tell=lambda text: terminal.say(text, json=True),
            tell_faults=_tell_faults,
        )
        try:
            got = inquire(inquiry, repository_around(self._doc.path))
            code = self._take(got, kept=folder / "answer.md")
        except (KeyboardInterrupt, StrettoError) as error:  # what was said is kept where there is something to see
            kept = folder if isinstance(error, KeyboardInterrupt) else folder / "work"
            shutil.rmtree(kept, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)
        return code

    def _announce(self, who: str) -> None:
        from stretto.analysis.wording import spoken
        from stretto.cli import terminal
        from stretto.observe.paint import count

        doc, run = self._doc, self._run
        about = {1: f"parts of {self._question.about}", 2: f"priority {self._question.about}", 3: "all of it"}
        size = f"{count(len(doc.pieces), 'piece')} of work" if doc.pieces else f"{len(doc.text):,} characters"
        hours = f", {doc.hours:.3g} h at most" if doc.hours is not None else ""
        terminal.say(
            f"{doc.name}: {size}{hours}; looking at {about[self._question.breadth]}. "
            f"{who[0].upper()}{who[1:]} is asked, up to {count(run.attempts, 'time')}, each time for "
            f"{spoken(run.timeout_s)} at most.",
            json=True,
        )

    def _judged(self, text: str, question: Question) -> Found:
        """Raises Unsound."""
        from stretto.formats.load import load
        from stretto.recipes.discovery.found import judged

        place = Path("plan.json")
        if question.shape == "parallel.json":  # with the papers of its folder, if it will lie there
            place = self._target if self._question.shape == question.shape else self._target / "parallel.json"
        original = self._doc.plan if question.ids and self._question.shape == "stretto" else None
        return judged(text, question, lambda data: load(place, data), original)

    def _take(self, asked: Asked, kept: Path | None = None) -> int:
        """Tell the decision, and write the plan of a yes. `kept`: where the answer is, should that fail."""
        import sys

        from stretto.cli.discovered import as_data, text_of
        from stretto.cli.output import create, write
        from stretto.errors import ConfigError

        found, target, run = asked.found, self._target, self._run
        to_stdout = target == STDOUT
        if found.plan is not None:
            text = text_of(found, found.plan, self._doc, self._question, Path("plan.yaml") if to_stdout else target)
            if to_stdout:
                sys.stdout.write(text)
            else:
                try:
                    (write if self._force else create)(target, text.encode())
                except ConfigError as error:
                    more = f"\nthe answer is kept, for --answer: {kept}" if kept else ""
                    raise ConfigError(str(error), hint=f"{error.hint}{more}") from error
        if self._json:
            _print(
                as_data(
                    found.answer.decision, self._doc, question=self._question, asked=asked, target=target,
                    places=run.parallel, default_s=run.estimate_s,
                )
            )  # fmt: skip
            return 0
        self._show(asked, to_stdout=to_stdout)
        return 0

    def _show(self, asked: Asked, *, to_stdout: bool) -> None:
        from stretto.analysis.wording import listed
        from stretto.cli import terminal
        from stretto.cli.discovered import gain, told
        from stretto.observe.words import on_plan

        plan, target, run, question = asked.found.plan, self._target, self._run, self._question
        stream = terminal.people(to_stdout)
        for line in told(asked, paint=terminal.paint(stream), width=terminal.width(stream)):
            print(line, file=stream)
        print(file=stream)
        if asked.cost_usd is not None:
            print(f"cost: ${asked.cost_usd:.2f}", file=stream)
        if plan is None:
            terminal.say("no plan was written", json=to_stdout)
            return
        ids = {task.id for task in plan.tasks}
        if lacking := self._doc.left_out(question.breadth, question.about, ids):
            told_of = f"the document names {listed(lacking)}, which the plan does not have"
            terminal.say(told_of, json=to_stdout, label="note")
        if not to_stdout:
            terminal.say(f"wrote {target}: {gain(plan, run.parallel, run.estimate_s)}")
            terminal.commands(on_plan("show", str(target)), on_plan("run", str(target)))


# --- what was asked for --------------------------------------------------------------------------------------------


def _breadth(breadth: int | None, achievement: str | None, priority: str | None) -> tuple[Breadth, str]:
    """(breadth, what it is about). Raises ConfigError for what does not fit together."""
    from stretto.errors import ConfigError
    from stretto.recipes.discovery.sketch import same_priority

    if breadth not in (None, 1, 2, 3):
        raise ConfigError(f"there is no breadth {breadth}", hint="1: one achievement; 2: one priority; 3: all of them")
    if achievement is not None and priority is not None:
        raise ConfigError("--achievement and --priority contradict each other", hint="give one of them")
    option, given = ("--achievement", 1) if achievement is not None else ("--priority", 2)
    about = achievement if achievement is not None else priority
    wide: Breadth = breadth or (3 if about is None else given)  # type: ignore[assignment]
    if about is not None and wide != given:
        raise ConfigError(f"{option} and --breadth {wide} contradict each other", hint=f"{option} is breadth {given}")
    if about is None and wide != 3:
        needed = "--achievement X" if wide == 1 else "--priority P"
        raise ConfigError(f"--breadth {wide} needs {needed}", hint=f"{needed} says which one")
    about = (about or "").strip()
    if wide != 3 and (not about or not about.isprintable() or len(about) > _LONGEST_ID):
        raise ConfigError(f"{option} names nothing", hint=f"{option} {'2.1' if wide == 1 else '1'}")
    return wide, same_priority(about) if wide == 2 else about


def _target(output: Path | None, document: Path) -> Path:
    if output is None or (output != STDOUT and output.is_dir()):
        return (output or Path()) / f"{document.stem}-parallel.yaml"
    return output


def _shape(target: Path) -> Shape:
    from stretto.errors import ConfigError

    if target == STDOUT or target.suffix in (".yaml", ".yml"):
        return "stretto"
    if target.suffix != ".json":
        raise ConfigError(f"{target}: a plan is written as YAML or JSON", hint=f"-o {target.stem or 'plan'}.yaml")
    return "parallel.json" if target.name.lower().startswith("parallel") else "stretto"


def _refuse_target(target: Path, document: Path, *, force: bool) -> None:
    """Raises ConfigError where the plan could not be written: before anybody is asked for it."""
    import os

    from stretto.errors import ConfigError

    if target == STDOUT:
        return
    if target.exists() and target.samefile(document):
        raise ConfigError(f"{target} is the document itself", hint="-o FILE writes the plan elsewhere")
    if target.exists() and not force:
        raise ConfigError(f"there is a file {target} already", hint="--force replaces it; -o FILE writes another")
    if not os.access(target.absolute().parent, os.W_OK | os.X_OK):
        raise ConfigError(
            f"cannot write {target}: its folder is not there, or not yours", hint="-o FILE writes another"
        )


def _tell_faults(faults: tuple[str, ...]) -> None:
    import sys

    from stretto.cli import terminal
    from stretto.observe.layout import wrap

    for fault in faults:
        for line in wrap(fault, terminal.width(sys.stderr), first="  - ", rest="    "):
            print(line, file=sys.stderr)


def _print(value: object) -> None:
    import msgspec

    print(value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value)).decode())
