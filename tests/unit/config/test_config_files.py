"""Settings files that are no files, and text in them that no command can take."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.cli.texts import read_template
from stretto.config import agents
from stretto.config.files import parse, read
from stretto.config.load import load
from stretto.errors import ConfigError, PlanError
from stretto.formats.load import read_bytes
from stretto.model.plan import Plan


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A named pipe that nobody writes to; who waits for it fails."""

    def waits(*_: object) -> None:
        raise AssertionError("it waits for the pipe")

    before = signal.signal(signal.SIGALRM, waits)
    signal.alarm(5)
    os.mkfifo(tmp_path / "stretto.toml")
    yield tmp_path / "stretto.toml"
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_pipe_is_no_settings_file(pipe: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read \S*stretto.toml: it is no regular file") as caught:
        load(pipe.parent, {})
    assert caught.value.exit_code == 2
    folder = pipe.parent / "stretto"
    folder.mkdir()
    os.mkfifo(folder / "config.toml")
    pipe.unlink()
    with pytest.raises(ConfigError, match=r"config.toml: it is no regular file"):
        load(pipe.parent, {"XDG_CONFIG_HOME": str(pipe.parent)})


def test_a_named_pipe_is_no_plan(pipe: Path) -> None:
    with pytest.raises(PlanError, match="this is a pipe"):
        read_bytes(pipe)


def test_a_pipe_is_no_text_of_a_plan(pipe: Path) -> None:
    with pytest.raises(PlanError, match="it is no regular file"):
        read_template(Plan(name="x", format="stretto", tasks=(), prompt_template=pipe.name), pipe.parent)


def test_neither_is_a_device() -> None:
    with pytest.raises(ConfigError, match="it is no regular file"):
        read(Path("/dev/zero"), "user")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('\nagent = "shell: a\\u0000b"', "stretto.toml:2: agent "),
        ('[agents.a]\ncommand = "a\\u0000b"', "stretto.toml:2: agents.a.command "),
        ('[agents.a]\ncommand = "a"\nenv = {A = "a\\u0000b"}', "stretto.toml:3: agents.a.env.A "),
        ('[agents.claude]\nargs = ["a", "a\\u0000b"]', "stretto.toml:2: agents.claude.args "),
        ('[profiles.p]\nagent = "shell: a\\u0000b"', "stretto.toml:2: profiles.p.agent "),
    ],
)
def test_text_that_no_program_can_be_given_is_refused_where_it_stands(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(place) and "NUL" in str(caught.value)
    assert caught.value.exit_code == 2


def test_nor_on_the_spot() -> None:
    with pytest.raises(ConfigError, match="NUL"):
        agents.named("shell: a\0b")
