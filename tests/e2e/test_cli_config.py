"""`stretto config`, and settings on their way into a run and through a resume."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import msgspec

from e2e.toy import Toy, until
from stretto.core.events import RunStarted
from stretto.engine.home import RunHome
from stretto.engine.reader import SqliteReader
from stretto.model.run import RunSettings

PLAN = (
    'name: p\ndefaults: {attempts: 6, agent: scripted}\ntasks: [{id: a, prompt: "write a.txt hi", writes: [a.txt]}]\n'
)
SETTINGS = """\
parallel = 3
timeout = "20m"

[profiles.ci]
parallel = 1

[agents.mine]
command = "TOKEN=abc my-agent"
env = {API_KEY = "hunter2", MODE = "fast"}
"""


def settings_of(toy: Toy) -> RunSettings:
    """What the latest run recorded."""
    launch = max(toy.state.glob("*/runs/*/launch.json"), key=lambda path: path.stat().st_mtime_ns)
    first = next(iter(SqliteReader(RunHome(path=launch.parent)).events())).event
    assert isinstance(first, RunStarted)
    return first.settings


def test_config_says_what_counts_and_where_it_was_said(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"stretto.toml": SETTINGS, "p.yaml": PLAN})
    user = tmp_path / "config" / "stretto" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("parallel = 9\nidle = '1m'\n")
    toy.env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    said = toy.stretto("config", "--origin", "--profile", "ci", "--plan", "p.yaml", STRETTO_TIMEOUT="5m").stdout
    lines = {line.partition(" = ")[0]: line for line in said.splitlines()}
    assert "hunter2" not in said
    assert "abc" not in said
    assert lines["parallel"].split("  # ")[1] == (f"stretto.toml:5; not 3 of stretto.toml:1, 9 of {user}:1")
    assert lines["timeout"].split("  # ")[1] == 'STRETTO_TIMEOUT; not "20m" of stretto.toml:2'
    assert lines["attempts"].endswith("p.yaml:2")
    assert lines["idle"].endswith(f"{user}:2")
    assert lines["grace"].endswith("# default")
    assert lines["agents.mine.env.API_KEY"].startswith('agents.mine.env.API_KEY = "…"')


def test_config_for_scripts(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"stretto.toml": SETTINGS})
    assert toy.stretto("config", "timeout").stdout == "20m\n"
    assert toy.stretto("config", "env.pass", STRETTO_ENV_PASS="A,B_*").stdout == "A\nB_*\n"
    assert toy.stretto("config", "agent").stdout == ""
    told = json.loads(toy.stretto("config", "--json").stdout)
    assert told["profiles"] == ["ci"]
    rows = {row["key"]: row for row in told["settings"]}
    assert rows["timeout"] == {
        "key": "timeout",
        "value": 1200.0,
        "origin": {"layer": "repository", "place": "stretto.toml:2"},
        "overrides": [{"value": 900.0, "origin": {"layer": "default", "place": "default"}}],
    }
    (below,) = json.loads(toy.stretto("config", "agents.mine.env.MODE", "--json").stdout)["settings"]
    assert below["value"] == "…"
    assert toy.stretto("config", "agents").stdout.count("\n") == 3
    assert "did you mean `timeout`?" in toy.stretto("config", "timout", code=2).stderr


def test_what_config_prints_is_a_settings_file(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"stretto.toml": 'agent = "shell: say \\"hi\\""\n[agents."a b"]\ncommand = \'x "y"\'\n'})
    said = toy.stretto("config").stdout
    toy.write({"stretto.toml": said})
    assert toy.stretto("config").stdout == said


def test_config_needs_no_repository_and_refuses_what_run_would(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a.txt": ""})
    toy.repository = tmp_path
    assert "parallel = 5" in toy.stretto("config").stdout
    (tmp_path / "stretto.toml").write_text("parallel = 0\n")
    assert "parallel = 5" in toy.stretto("config").stdout, "no repository, no settings of one"
    refused = toy.stretto("config", code=2, STRETTO_PARALEL="1").stderr
    assert "did you mean STRETTO_PARALLEL?" in refused


def test_r8_7_a_run_records_what_counted_and_resume_goes_on_with_it(tmp_path: Path) -> None:
    go = tmp_path / "go"
    toy = Toy(tmp_path, {"stretto.toml": "grace = 2\n[profiles.ci]\nparallel = 2\ngate_timeout = '1m'\n"})
    later = ", {id: b, prompt: write b.txt hi, writes: [b.txt], depends_on: [a]}]"
    toy.write({"p.yaml": PLAN.replace("write a.txt hi", f"wait {go}\\nwrite a.txt hi").replace("]}]", "]}" + later)})
    toy.env |= {"STRETTO_PROFILE": "ci", "STRETTO_IDLE": "7m", "STRETTO_CONFLICTS": "refuse"}
    front = toy.front("run", "p.yaml", "--timeout", "8m")
    until(lambda: toy.status().get("engine"), "the engine runs")
    front.send_signal(signal.SIGINT)
    until(lambda: toy.status()["state"] == "draining", "it drains")
    go.touch()
    assert front.wait(timeout=60) == 130
    toy.write({"stretto.toml": "grace = 1\n"})
    del toy.env["STRETTO_PROFILE"]
    toy.stretto("resume", STRETTO_IDLE="1m")
    assert set(toy.states().values()) == {"succeeded"}
    expected = RunSettings(
        parallel=2, attempts=6, timeout_s=480, idle_s=420, grace_s=2, gate_timeout_s=60, conflicts="refuse",
        agent="scripted",
    )  # fmt: skip
    assert settings_of(toy) == msgspec.structs.replace(expected, on_approval="exit")


def test_words_for_the_default_agent_are_refused_before_anything_starts(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"p.yaml": PLAN})
    refused = toy.stretto("run", "p.yaml", "--agent-args", "--max-turns 3", code=2).stderr
    assert "scripted is a scripted agent" in refused
    assert json.loads(toy.stretto("runs", "--json").stdout) == []


def test_check_and_show_go_by_the_settings(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"stretto.toml": "conflicts = 'refuse'\nparallel = 1\nestimate = '1m'\n"})
    toy.write({"p.yaml": "name: p\ntasks: [{id: a, prompt: x, writes: [f]}, {id: b, prompt: y, writes: [f]}]\n"})
    assert toy.stretto("check", "p.yaml", code=2).stdout
    toy.stretto("check", "p.yaml", "--conflicts", "serialize")
    estimate = json.loads(toy.stretto("show", "p.yaml", "--json").stdout)["estimate"]
    assert (estimate["sequential_s"], estimate["parallel_s"]) == (120.0, 120.0)
