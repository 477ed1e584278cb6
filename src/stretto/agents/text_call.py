"""The text agent's own process: asks a model for a text, and writes what it answers to one file, whole or not at all.

Only the standard library: its start-up is a part of every attempt's cost.
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from http.client import HTTPException, InvalidURL
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from stretto.agents.text_endpoint import trouble_with_key, trouble_with_url
from stretto.agents.text_pauses import Busy, after, pause_s
from stretto.agents.text_wire import FORMS, Told, Turns

SHORT_S = 120.0
"""A pause that is longer is the account's affair, and not waited for in here."""
PATIENCE_S = 300.0
"""So long an attempt waits in all for an account that is asked too often."""
MOST_REQUESTS = 30
"""Of one attempt; a critic's rounds need ten."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a file that goes with a prompt."""
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer as it is sent, in which every few characters have a line of their own."""
LONGEST_MESSAGE = 2000
"""Characters of what an endpoint says of an error."""
_INCLUDE = re.compile(r'[ \t]*<file path="([^"\n]+)"/>[ \t]*')
_APPROVED = "APPROVED"
_WRITER = """

What you answer is written to the file `{path}` as it is, from the first character to the last. So answer with the whole
content of that file and with nothing else: no words before or after it, and no fence around it.
"""
_CRITIC = f"""\
You review a document before it is used. First what its writer was asked for, then the document.

Answer with the one word {_APPROVED} if it does all that was asked for and contradicts none of the material. Else list
what has to be different, a line each, the worst first; name the place and what is to stand there. Praise nothing.

<request>
{{request}}
</request>

<document>
{{draft}}
</document>
"""
_AGAIN = """\
A reviewer has found this:

{findings}

Answer with the whole document once more, corrected, and with nothing else.
"""
_DONE = b"[DONE]"
"""How the form of chat completions says that an answer is over."""
_KINDS = {
    "overloaded_error": 529, "rate_limit_error": 429, "rate_limit_exceeded": 429, "api_error": 500,
    "timeout_error": 504, "server_error": 500, "authentication_error": 401, "permission_error": 403,
    "billing_error": 402, "insufficient_quota": 402, "invalid_request_error": 400, "not_found_error": 404,
}  # fmt: skip
"""Types of errors in the middle of an answer, by the status that they would have had before it."""


class Failed(Exception):
    """The attempt ends here; `kind` is a kind of R4."""

    def __init__(self, kind: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.retry_after_s = kind, message, retry_after_s


class Answer(NamedTuple):
    text: str
    usage: dict[str, int]


class Model:
    """One endpoint and one model, and what they have cost so far."""

    def __init__(self, said: argparse.Namespace, environ: Mapping[str, str]) -> None:
        """Raises Failed where the URL or the key cannot be used."""
        self._form = FORMS[said.api]
        base, self._key = environ["STRETTO_TEXT_URL"], environ.get(self._form.key_variable, "").strip()
        if trouble := trouble_with_url(base):
            raise Failed("permanent", f"the text agent's endpoint {trouble}")
        if trouble := trouble_with_key(self._key):
            raise Failed("auth", f"{self._form.key_variable} {trouble}")
        self._url, self._model, self._max = self._form.url(base), environ["STRETTO_TEXT_MODEL"], said.max_tokens
        self._opener, self._silence_s = urllib.request.build_opener(_NoRedirect), said.silence
        self._salt = "/".join(environ.get(f"STRETTO_{name}", "") for name in ("RUN", "TASK", "ATTEMPT"))
        self._waited_s, self._waits, self._requests = 0.0, 0, 0
        self.usage: dict[str, int] = {}

    def ask(self, turns: Turns) -> str:
        """The whole text of the answer. Raises Failed."""
        while True:
            try:
                answer = self._once(turns)
            except Busy as busy:
                self._wait(busy)
                continue
            for name, count in answer.usage.items():
                self.usage[name] = self.usage.get(name, 0) + count
            return answer.text

    def _once(self, turns: Turns) -> Answer:
        body = json.dumps(self._form.body(self._model, turns, self._max)).encode()
        headers = {"content-type": "application/json", "user-agent": "stretto", **self._form.headers(self._key)}
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        say(f"> {self._model} at {self._url}: {sum(len(text) for _, text in turns):,} characters")
        self._requests += 1
        try:
            with self._opener.open(request, timeout=self._silence_s) as response:
                return self._answer(response)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error.code, _message(_body(error)), error.headers)
        except InvalidURL:  # a proxy's: its words may repeat a password
            raise Failed("permanent", "a request cannot be sent: look at the variables of the proxy") from None
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, TimeoutError):
                raise Failed("transient", f"{self._url} said nothing for {self._silence_s:g} s") from error
            how = "no answer from {}" if isinstance(error, urllib.error.URLError) else "the answer from {} broke off"
            why = self.concealed(str(reason) or type(reason).__name__)
            raise Failed("transient", f"{how.format(self._url)}: {why}") from error

    def _answer(self, response: Any) -> Answer:
        texts: list[str] = []
        usage: dict[str, int] = {}
        stop, over, length, told_at = "", False, 0, 0
        for event in self._events(response):
            told = Told(over=True) if event == _DONE else self._form.told(_table(event))
            if told.error is not None:
                self._refused(_KINDS.get(told.error[0], 500), f"{told.error[0]}: {told.error[1]}", response.headers)
            if told.text:
                texts.append(told.text)
                length += len(told.text)
            usage |= told.usage
            stop, over = told.stop or stop, over or told.over
            if length - told_at >= 2000:
                told_at = length
                say(f"(… {length:,} characters)")
        text = _valid("".join(texts))
        if not over or not stop:
            raise Failed("transient", f"the answer from {self._url} broke off after {len(text):,} characters")
        say(f"< {len(text):,} characters, {usage.get('output_tokens', '?')} tokens")
        match stop:
            case "end" if text.strip():
                return Answer(text, usage)
            case "end":
                raise Failed("failed", "the answer is empty")
            case "cut":
                hint = 'hint: raise it: args = ["--max-tokens", "N"] of the agent in stretto.toml'
                raise Failed("permanent", f"the answer is cut off: it has the {self._max} tokens it may have\n{hint}")
            case "refused":
                raise Failed("failed", f"the model refused to answer: {text.strip()[:500]}")
            case other:
                raise Failed("failed", f"the answer ended because of {other!r}")

    def _events(self, response: Any) -> Iterator[Any]:
        """Each as JSON, whatever its form makes of it. Raises Failed for one that cannot be read: its text is lost."""
        size, data = 0, b""
        while line := response.readline(LARGEST_ANSWER + 1 - size):
            size += len(line)
            if size > LARGEST_ANSWER:
                raise Failed("permanent", f"the answer from {self._url} is larger than {LARGEST_ANSWER:,} bytes")
            if line.startswith(b"data:"):
                data += line.removeprefix(b"data:").strip() + b"\n"  # an event may have several lines of data
            elif line.strip():  # a comment, or the name of the event
                continue
            if not data.strip():
                continue
            try:
                event = _DONE if data.strip() == _DONE else json.loads(data)
            except (ValueError, RecursionError) as error:
                if line.strip():
                    continue
                why = "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else "it is no JSON"
                raise Failed("transient", f"an event of the answer from {self._url} cannot be read: {why}") from None
            data = b""
            yield event

    def _refused(self, status: int, message: str, headers: Message[str, str]) -> NoReturn:
        """Raises Busy and Failed, by the status of an error."""
        said = f"HTTP {status}: {_valid(self.concealed(message)[:LONGEST_MESSAGE])}"
        after_s, known = after(headers)
        if status == 429:
            raise Busy(said, after_s, known=known)
        if status in (401, 402, 403):
            raise Failed("auth", f"{said}\nhint: look at {self._form.key_variable}")
        if status in (503, 529):
            raise Failed("overloaded", said, after_s)
        if status in (408, 409) or status >= 500:
            raise Failed("transient", said, after_s)
        raise Failed("permanent", said)

    def _wait(self, busy: Busy) -> None:
        """Wait as long as the account says, within bounds. Raises Failed beyond them."""
        self._waits += 1
        wait_s = pause_s(busy.after_s, self._waits, self._salt)
        if busy.after_s is not None and busy.after_s > SHORT_S:
            raise Failed("quota" if busy.known else "rate_limited", str(busy), busy.after_s)
        if self._waited_s + wait_s > PATIENCE_S or self._requests >= MOST_REQUESTS:
            raise Failed("overloaded", f"{busy}\nwaited {self._waited_s:.0f} s for it in vain", wait_s)
        say(f"({busy}; tries again in {wait_s:.1f} s)")
        self._waited_s += wait_s
        time.sleep(wait_s)

    def concealed(self, text: str) -> str:
        """Error messages like to repeat keys."""
        return text.replace(self._key, "…") if len(self._key) > 4 else text


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes where it was sent, and nowhere else."""

    def redirect_request(self, *args: Any, **named: Any) -> None:
        return None


def write(model: Model, prompt: str, path: str, rounds: int, drafts: Path) -> tuple[str, str]:
    """(the document, how it came about), approved by a critic within so many rounds where there are any.

    Raises Failed."""
    turns: Turns = [("user", prompt + _WRITER.format(path=path))]
    draft = model.ask(turns)
    for turn in range(1, rounds + 1):
        findings = model.ask([("user", _CRITIC.format(request=prompt, draft=draft))]).strip()
        if findings.strip("*`.! \n") == _APPROVED:
            return draft, f"approved by its critic in round {turn} of {rounds}"
        say(f"critic, round {turn} of {rounds}:\n{findings}")
        if turn == rounds:
            whole(drafts / "draft.md", draft, drafts)
            raise Failed(
                "failed",
                f"after {rounds} rounds its critic still finds:\n{findings[:3000]}\ndraft: {drafts / 'draft.md'}",
            )
        turns += [("assistant", draft), ("user", _AGAIN.format(findings=findings))]
        draft = model.ask(turns)
    return draft, ""


def included(prompt: str, folder: Path) -> str:
    """The prompt with the text of files in place of the lines that name them. Raises Failed."""
    lines = []
    for line in prompt.split("\n"):
        found = _INCLUDE.fullmatch(line)
        lines.append(f'<file path="{found[1]}">\n{_included(found[1], folder)}\n</file>' if found else line)
    return "\n".join(lines)


def _included(name: str, folder: Path) -> str:
    try:
        root = folder.resolve()
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root) or any(part.startswith(".") for part in path.relative_to(root).parts):
            raise Failed("permanent", f"the prompt asks for the file {name!r}, which is hidden, or not in the folder")
        if path.stat().st_size > LARGEST:
            raise Failed("permanent", f"the prompt asks for the file {name!r}, which is larger than {LARGEST} bytes")
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError, ValueError, RuntimeError) as error:
        raise Failed("permanent", f"the prompt asks for the file {name!r}, which cannot be read: {error}") from error


def whole(path: Path, text: str, drafts: Path) -> None:
    """Write a file so that it is there whole, or is as before. Raises OSError.

    What is not whole yet lies in `drafts`, where nobody takes it for work; beside the file where that is another disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for draft in (drafts / f"{path.name}.part", path.with_name(f".{path.name}.part")):
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            return
        except OSError as error:
            if error.errno != errno.EXDEV or draft.parent == path.parent:
                raise
        finally:
            draft.unlink(missing_ok=True)


def say(text: str) -> None:
    """To the attempt's log."""
    print(text, flush=True)


def _table(event: Any) -> dict[str, Any]:
    return event if isinstance(event, dict) else {}


def _message(body: bytes) -> str:
    """What an error's body says, in the words of whichever form."""
    try:
        event = _table(json.loads(body))
    except (ValueError, RecursionError):
        event = {}
    error = event.get("error", event)
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) and said else " ".join(body.decode("utf-8", "replace").split())[:500]


def _body(error: urllib.error.HTTPError) -> bytes:
    """What can be read of it: its status says enough."""
    try:
        return error.read(LARGEST)
    except (OSError, HTTPException):
        return b""


def _valid(text: str) -> str:
    """Halves of one character that came apart are one again; a half alone is U+FFFD, as no file can hold it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def main() -> int:
    """Whatever goes wrong becomes one failure in the result: a traceback's words might repeat a secret."""
    parser = argparse.ArgumentParser(prog="text agent", description=__doc__)
    parser.add_argument("--api", choices=tuple(FORMS), required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--critic", type=int, required=True)
    parser.add_argument("--silence", type=float, required=True)
    parser.add_argument("--artifact", required=True)
    said = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    told: dict[str, Any] = {}
    try:
        result = Path(os.environ["STRETTO_RESULT_FILE"])
        try:
            _attempt(said, result.parent, told)
        except Failed as failed:
            say(failed.message)
            told["failure"] = {"kind": failed.kind, "message": failed.message, "retry_after_s": failed.retry_after_s}
        except Exception as error:  # noqa: BLE001  its own words might repeat a secret
            say(message := _unexpected(error))
            told["failure"] = {"kind": "failed", "message": message}
        whole(result, json.dumps(told), result.parent)
    except Exception as error:  # noqa: BLE001  its own words might repeat a secret
        say(_unexpected(error))
        return 1
    return 1 if "failure" in told else 0


def _attempt(said: argparse.Namespace, drafts: Path, told: dict[str, Any]) -> None:
    """Adds to `told` what it knows, as soon as it knows it. Raises Failed."""
    folder = Path.cwd().resolve()
    target = folder / said.artifact
    if not target.parent.resolve().is_relative_to(folder):
        raise Failed("permanent", f"{said.artifact} lies outside the folder")
    model = Model(said, os.environ)
    told["usage"] = model.usage
    prompt = included(Path(os.environ["STRETTO_PROMPT_FILE"]).read_text(encoding="utf-8"), folder)
    text, note = write(model, prompt, said.artifact, said.critic, drafts)
    try:
        whole(target, text, drafts)
    except OSError as error:
        raise Failed("failed", f"cannot write {said.artifact}: {error}") from error
    told["summary"] = f"wrote {said.artifact}: {len(text):,} characters" + (f", {note}" if note else "")
    say(told["summary"])


def _unexpected(error: Exception) -> str:
    """Where and what, without its words."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"the text agent broke: {type(error).__name__}{where}"
