"""The command line: puts the verbs together, and turns whatever goes wrong into a message and an exit code (R11)."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stretto import __version__
from stretto.cli import (
    abandon,
    approve,
    cancel,
    check,
    clean,
    config,
    convert,
    demo,
    diff,
    discover,
    doctor,
    explain,
    export,
    init,
    inspect,
    land,
    logs,
    report,
    resume,
    retry,
    run,
    runs,
    scaffold,
    schema,
    show,
    status,
    stop,
)
from stretto.errors import ConfigError, InternalError, NotSupportedYet, StateError, StrettoError
from stretto.model.excerpt import head, is_text

LATER = frozenset({
    "rollback", "simulate", "slot", "publish", "serve", "watch", "worker",
    "up", "mcp",
})  # fmt: skip
"""Verbs that are agreed and have no code yet."""
INSIDE_AN_ATTEMPT = frozenset({"check", "show", "status", "explain", "logs", "slot", "publish", "diff"})
"""What an agent or a check may call: verbs that read, and never one that steers (R8.3)."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_OUT_OF_REACH = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)
"""Of a path that somebody has named, or that follows from one: nothing that we could have known better."""
BROKEN_PIPE = 1
"""What typer says itself when its help meets one."""


class Verbs(TyperGroup):
    """All verbs; the ones that are agreed but not built are known by name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        verb = args[0]
        if "--help" not in args and "-h" not in args:
            _refuse_nowhere()
        if "STRETTO_TASK" in os.environ and verb not in INSIDE_AN_ATTEMPT:
            raise ConfigError(
                f"`stretto {verb}` is not allowed inside an attempt (of task {os.environ['STRETTO_TASK']!r})",
                hint="inside an attempt: check, show, status, explain, logs, diff",
            )
        if verb in LATER:
            raise NotSupportedYet(f"`stretto {verb}` is not supported yet", hint="`stretto --help` lists what is")
        return super().resolve_command(ctx, args)


def _refuse_nowhere() -> None:
    """Raises ConfigError when the current folder has been removed: every relative path would mean something else."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError("the current folder is gone", hint="cd to one that is there") from error


app = typer.Typer(
    name="stretto",
    cls=Verbs,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"stretto {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Runs a plan of many AI-agent tasks at once and brings the results together safely."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


_VERBS: Sequence[Callable[..., Any]] = (
    demo.demo,
    init.init,
    doctor.doctor,
    check.check,
    show.show,
    run.run,
    resume.resume,
    stop.stop,
    land.land,
    retry.retry,
    cancel.cancel,
    approve.approve,
    abandon.abandon,
    clean.clean,
    status.status,
    runs.runs,
    config.config,
    convert.convert,
    discover.discover,
    schema.schema,
    report.report,
    explain.explain,
    logs.logs,
    diff.diff,
    inspect.inspect,
    export.export,
)
_NAMES = frozenset({"scaffold", *(verb.__name__ for verb in _VERBS)})
for _verb in _VERBS:
    app.command(_verb.__name__)(_verb)
app.add_typer(scaffold.app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _settle_streams()
    _settle_signals()
    verb = next((word for word in words if word in _NAMES), "")
    given, words = len(words), _without_debug(words, verb)
    debug = len(words) < given
    for word in words:
        if not is_text(word):
            shown = os.fsencode(word).decode(errors="backslashreplace")
            return _tell(f"an argument is not UTF-8: {shown}", "if it is: export LC_ALL=C.UTF-8", ConfigError.exit_code)
    return guarded(lambda: app(words, prog_name="stretto", standalone_mode=False), debug=debug, verb=verb)


def _without_debug(words: Sequence[str], verb: str) -> list[str]:
    """The words but `--debug`, which may stand anywhere: it changes how an error is told, not what is done.

    Behind `--`, or where an option expects its value, it is a word like any other."""
    if "--debug" not in words:
        return list(words)
    commands: Any = typer.main.get_command(app)
    params = commands.commands[verb].params if verb else ()
    expecting = {name for param in params if not getattr(param, "is_flag", True) for name in param.opts}
    end = words.index("--") if "--" in words else len(words)
    return [word for n, word in enumerate(words) if word != "--debug" or n > end or (n and words[n - 1] in expecting)]


def _settle_streams() -> None:
    """Nothing that is printed can fail for its characters or a stream that is closed; a line is out at once."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  for the rest of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def _settle_signals() -> None:
    """Whoever ignores the death of children hands that down to us, and nobody could tell any more how a command
    ended. Some supervisors do."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def guarded(call: Callable[[], object], *, debug: bool = False, verb: str = "") -> int:
    """The exit code of a call; whatever it raises becomes one message and one hint on standard error."""
    try:
        code = call()
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        return BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        print("\ninterrupted", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno in _OUT_OF_REACH and error.filename is not None:
            if debug:
                _trace()
            return _tell(*_out_of_reach(error), ConfigError.exit_code)
        if error.errno not in _NO_ROOM:
            return _bug(error)
        _silence()
        return _tell(f"cannot write: {error}", "make room, then the same again", StateError.exit_code)
    except InternalError as error:
        return _bug(error)
    except StrettoError as error:
        if debug:
            _trace()
        return _tell(str(error), error.hint, error.exit_code)
    except Exception as error:  # noqa: BLE001  nobody above us can tell a person that it is a bug
        if hasattr(error, "format_message"):  # the command line itself is wrong; typer keeps its errors' base private
            if debug:
                _trace()
            told = _by_setting(error, verb) or error.format_message()
            message = re.sub(r"Input should be a valid integer.*", "it must be a whole number", told)
            message = message.replace("Value error, ", "")
            return _tell(message, f"{_command(error, verb)} --help", 2)
        return _bug(error)
    return code if isinstance(code, int) else 0


def _command(error: Any, verb: str) -> str:
    """The command that was called wrongly, with those that it is one of."""
    return getattr(getattr(error, "ctx", None), "command_path", "") or f"stretto {verb}".rstrip()


def _by_setting(error: Any, verb: str) -> str:
    """What to say where somebody has given a setting's name as an option, which is spelled otherwise; else nothing."""
    option = str(getattr(error, "option_name", ""))
    if not option.startswith("--") or not hasattr(error, "possibilities") or not verb:
        return ""
    from stretto.config.table import SETTINGS

    setting = SETTINGS.get((option.removeprefix("--").replace("-", "_"),))
    params = getattr(getattr(getattr(error, "ctx", None), "command", None), "params", ())
    spelled = next((param.opts for param in params if setting and setting.flag in param.opts), ())
    return f"No such option: {option} (for this setting: {', '.join(spelled)})" if spelled else ""


def _silence() -> None:
    """What standard output still holds goes nowhere; Python would complain once more when it closes it."""
    from stretto.cli.terminal import silence

    silence()


def _tell(message: str, hint: str, code: int) -> int:
    from stretto.cli import terminal
    from stretto.observe.layout import advice, wrap

    width = terminal.width(sys.stderr)
    told = wrap(message, width, first="error: ", rest="       ") + advice(hint, width)
    print("\n".join(told), file=sys.stderr)
    return code


def _out_of_reach(error: OSError) -> tuple[str, str]:
    """(message, hint) of a path that cannot be used."""
    path, why = head(os.fsdecode(error.filename), 200), (error.strerror or str(error)).lower()
    if error.errno == errno.ENAMETOOLONG:
        return f"cannot use {path}: {why}", "name another path: most systems take 255 bytes of one name"
    if error.errno == errno.ELOOP:
        return f"cannot use {path}: {why}", "one of its links leads to itself: ls -l"
    return f"cannot use {path}: {why}", "`ls -ld` of it and of the folders above it says who may"


def _bug(error: BaseException) -> int:
    _trace()
    message = f"this is a bug in stretto: {type(error).__name__}: {error}"
    return _tell(message, "please report it, with the lines above", InternalError.exit_code)


def _trace() -> None:
    import traceback

    traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
