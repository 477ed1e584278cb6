"""The language of the scripted agent and its player, which runs in a process of its own (docs/agents.md).

Only the standard library, and little of it: the start-up of this module is the cost of a scripted task. What few
scripts need is imported where it is needed, and paths are plain strings.
"""
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH112, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEAM = "--- added by stretto ---"
"""What follows this line is for readers of prose. `engine/prompt.py` writes it; a test holds the two together."""

KIND_EXITS = {"transient": 75, "permanent": 65}


class Wrong(Exception):
    """The script itself is wrong: a permanent failure."""


class Failed(Exception):
    """The attempt ends here; `kind` is a kind of R4."""

    def __init__(self, kind: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.retry_after_s = kind, message, retry_after_s


# --- arguments -----------------------------------------------------------------------------------------------------


def path(word: str) -> str:
    if not word or word.startswith("/") or ".." in word.split("/") or word.split("/")[0] == ".git":
        raise ValueError(f"{word!r} does not lie inside the workspace")
    return word


def number(word: str) -> float:
    value = float(word)
    if not 0 <= value < 1e9:
        raise ValueError(f"{word!r} is out of range")
    return value


def text(words: str) -> str:
    """The rest of the line; `\\n` begins a new one."""
    return words.replace("\\n", "\n")


def any_path(word: str) -> str:
    return word


def signal_number(word: str) -> int:
    import signal

    name = f"SIG{word or 'KILL'}"
    if name not in signal.Signals.__members__:
        raise ValueError(f"{word!r} is no signal")
    return signal.Signals[name]


def deaf(word: str) -> bool:
    if word not in ("", "deaf"):
        raise ValueError(f"{word!r}: only `deaf` may stand here")
    return bool(word)


def failure(words: str) -> tuple[str, str, float | None, int | None]:
    """`KIND [MESSAGE] [after SECONDS] [times N]`."""
    kind, *rest = words.split()
    after: float | None = None
    times: int | None = None
    while len(rest) >= 2 and rest[-2] in ("after", "times") and rest[-1].replace(".", "", 1).isdigit():
        if rest[-2] == "after":
            after = number(rest[-1])
        else:
            times = int(rest[-1])
        del rest[-2:]
    return kind, " ".join(rest), after, times


# --- commands ------------------------------------------------------------------------------------------------------

Value = object


class Player:
    """One attempt: it acts on the current folder, and `result` collects what it will say about itself."""

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.result: dict[str, Value] = {}

    def write(self, path: str, text: str) -> None:
        put(path, text)

    def append(self, path: str, text: str) -> None:
        # What the file has already is not added again: a repeated attempt may begin with the earlier one's work.
        old = get(path).splitlines()
        put(path, "\n".join([*old, *(line for line in text.splitlines() if line not in old)]))

    def delete(self, path: str) -> None:
        os.unlink(inside(path))

    def resolve(self, path: str) -> None:
        marks = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
        lines = [line for line in get(path).splitlines() if not line.startswith(marks)]
        put(path, "\n".join(dict.fromkeys(lines)))

    def escape(self, path: str, text: str) -> None:
        put(path, text, root=main_work_tree())

    def say(self, text: str) -> None:
        os.write(1, f"{text}\n".encode())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, path: str) -> None:
        while not os.path.exists(path):
            time.sleep(0.02)

    def hang(self, deaf: bool) -> None:
        import signal

        if deaf:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.say("hanging")
        while True:
            signal.pause()

    def fork(self, seconds: float) -> None:
        """Leave a child behind that no process group and no parent leads to."""
        reader, writer = os.pipe()
        if child := os.fork():
            os.close(writer)
            os.waitpid(child, 0)
            self.say(f"forked {os.read(reader, 16).decode()}")
            os.close(reader)
            return
        os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            os.close(writer)
            time.sleep(seconds)
        os._exit(0)

    def summary(self, text: str) -> None:
        self.result["summary"] = text

    def decision(self, text: str) -> None:
        decisions = self.result.setdefault("decisions", [])
        assert isinstance(decisions, list)
        decisions.append(text)

    def confidence(self, value: float) -> None:
        self.result["confidence"] = value

    def artifact(self, path: str) -> None:
        artifacts = self.result.setdefault("artifacts", [])
        assert isinstance(artifacts, list)
        artifacts.append(path)

    def usage(self, input_tokens: float, output_tokens: float, cost_usd: float) -> None:
        self.result["usage"] = {
            "input_tokens": int(input_tokens), "output_tokens": int(output_tokens), "cost_usd": cost_usd,
        }  # fmt: skip

    def already_done(self) -> None:
        self.result["already_done"] = True

    def fail(self, failure: tuple[str, str, float | None, int | None]) -> None:
        kind, message, after, times = failure
        if times is None or self.attempt <= times:
            raise Failed(kind, message or f"the script fails attempt {self.attempt}", after)

    def exit(self, code: float) -> None:
        raise SystemExit(int(code))

    def die(self, number: int) -> None:
        os.kill(os.getpid(), number)


COMMANDS: dict[str, tuple[Callable[..., None], tuple[Callable[[str], Value], ...], int]] = {
    # command: what it does, its arguments, how many of them may be left out
    "write": (Player.write, (path, text), 1),
    "append": (Player.append, (path, text), 0),
    "delete": (Player.delete, (path,), 0),
    "resolve": (Player.resolve, (path,), 0),
    "escape": (Player.escape, (path, text), 1),
    "say": (Player.say, (text,), 0),
    "sleep": (Player.sleep, (number,), 0),
    "wait": (Player.wait, (any_path,), 0),
    "hang": (Player.hang, (deaf,), 1),
    "fork": (Player.fork, (number,), 0),
    "summary": (Player.summary, (text,), 0),
    "decision": (Player.decision, (text,), 0),
    "confidence": (Player.confidence, (number,), 0),
    "artifact": (Player.artifact, (path,), 0),
    "usage": (Player.usage, (number, number, number), 0),
    "already-done": (Player.already_done, (), 0),
    "fail": (Player.fail, (failure,), 0),
    "exit": (Player.exit, (number,), 0),
    "die": (Player.die, (signal_number,), 1),
}


# --- files ---------------------------------------------------------------------------------------------------------


def inside(path: str, root: str = ".") -> str:
    """The place of `path` under `root`, which no symbolic link may leave."""
    root = os.path.realpath(root)
    place = os.path.realpath(os.path.join(root, path))
    if not place.startswith(root.rstrip("/") + "/"):
        raise Wrong(f"{path!r} does not lie inside {root!r}")
    return place


def get(path: str) -> str:
    try:
        with open(inside(path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def put(path: str, text: str, root: str = ".") -> None:
    place = inside(path, root)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text + "\n" if text and not text.endswith("\n") else text)


def main_work_tree() -> str:
    """The user's own work tree, found without git: a worktree's `.git` file leads to the common folder."""
    try:
        if os.path.isdir(".git"):
            return "."
        with open(".git", encoding="utf-8") as file:
            folder = file.read().removeprefix("gitdir:").strip()
        with open(os.path.join(folder, "commondir"), encoding="utf-8") as file:
            common = os.path.realpath(os.path.join(folder, file.read().strip()))
    except OSError as error:
        raise Wrong(f"no main work tree to escape to: {error}") from None
    if os.path.basename(common) != ".git":
        raise Wrong("no main work tree to escape to: the repository is bare")
    return os.path.dirname(common)


# --- the play ------------------------------------------------------------------------------------------------------


def lines_of(prompt: str) -> list[tuple[int, str]]:
    """The numbered lines of the script: the first block fenced as ```script, else everything."""
    numbered = []
    for count, line in enumerate(prompt.splitlines(), 1):
        if line.strip() == SEAM:
            break
        numbered.append((count, line.rstrip()))
    fence = next((at for at, (_, line) in enumerate(numbered) if line.strip() == "```script"), None)
    if fence is None:
        return numbered
    block = numbered[fence + 1 :]
    end = next((at for at, (_, line) in enumerate(block) if line.strip() == "```"), len(block))
    return block[:end]


def lines_until(mark: str, lines: Iterator[tuple[int, str]], indent: str) -> str:
    """The text up to the line that is the mark, each line as it stands but for what indents the command itself."""
    taken: list[str] = []
    for _, line in lines:
        if line.strip() == mark:
            return "\n".join(taken) + "\n"
        taken.append(line.removeprefix(indent))
    raise ValueError(f"no line {mark} ends its text")


def parse(prompt: str) -> list[tuple[int, str, list[Value]]]:
    """(line, command, arguments) of the whole script. Raises Wrong before anything is played."""
    steps = []
    lines = iter(lines_of(prompt))
    for count, raw in lines:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name not in COMMANDS:
            raise Wrong(f"line {count}: unknown command {name!r}; there are {', '.join(COMMANDS)}")
        _, shape, optional = COMMANDS[name]
        words = rest.split(None, len(shape) - 1) if shape else rest.split()
        if not len(shape) - optional <= len(words) <= len(shape):
            raise Wrong(f"line {count}: {name} takes {len(shape)} arguments, here are {len(words)}")
        words += [""] * (len(shape) - len(words))
        try:
            arguments = [convert(word) for convert, word in zip(shape, words, strict=True)]
            if shape[-1:] == (text,) and words[-1][:2] == "<<" and words[-1][2:].isalpha():
                arguments[-1] = lines_until(words[-1][2:], lines, raw[: len(raw) - len(raw.lstrip())])
            steps.append((count, name, arguments))
        except ValueError as error:
            raise Wrong(f"line {count}: {name}: {error}") from None
    return steps


def play(prompt: str, player: Player) -> None:
    """Play the whole script. Raises Failed, naming the line where something went wrong."""
    try:
        steps = parse(prompt)
    except Wrong as error:
        raise Failed("permanent", f"the script is wrong: {error}") from None
    for count, name, arguments in steps:
        try:
            COMMANDS[name][0](player, *arguments)
        except Wrong as error:
            raise Failed("permanent", f"line {count}: {name}: {error}") from None
        except (OSError, UnicodeError) as error:
            raise Failed("failed", f"line {count}: {name}: {error}") from None


def main() -> int:
    with open(os.environ["STRETTO_PROMPT_FILE"], encoding="utf-8", errors="replace") as file:
        prompt = file.read()
    player = Player(int(os.environ["STRETTO_ATTEMPT"]))
    code = 0
    try:
        play(prompt, player)
    except Failed as failed:
        player.say(f"fail {failed.kind}: {failed.message}")
        player.result["failure"] = {
            "kind": failed.kind, "message": failed.message, "retry_after_s": failed.retry_after_s,
        }  # fmt: skip
        code = KIND_EXITS.get(failed.kind, 1)
    finally:
        if player.result:
            report(player.result, os.environ["STRETTO_RESULT_FILE"])
    return code


def report(result: dict[str, Value], path: str) -> None:
    import json  # most attempts have nothing to report and start faster without it

    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.replace(path + ".new", path)
