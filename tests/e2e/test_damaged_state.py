"""One byte that is not UTF-8 in a file of the state folder: said with the file's name, and never a bug (exit 3)."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from e2e.toy import Toy

PLAN = "name: {0}\ntasks: [{{id: {0}, prompt: write {0}.txt hi, writes: [{0}.txt]}}]\n"
RUN = ("--agent", "scripted")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN.format("p"), "other.yaml": PLAN.format("other")})
    toy.stretto("run", "p.yaml", *RUN)
    return toy


def launch_of(toy: Toy) -> Path:
    (launch,) = toy.state.glob("*/runs/p-*/launch.json")
    return launch


def flip(launch: Path) -> None:
    body = launch.read_bytes()
    launch.write_bytes(body.replace(b'"branch":"', b'"branch":"\xff', 1))
    assert launch.read_bytes() != body


def flip_event(launch: Path) -> None:
    with sqlite3.connect(launch.with_name("journal.sqlite3")) as journal:
        done = journal.execute(
            "UPDATE event SET body = CAST(replace(body, 'scripted', x'ff') AS BLOB) WHERE kind = 'AttemptStarted'"
        )
        assert done.rowcount == 1
    journal.close()


def test_a_launch_file(toy: Toy) -> None:
    launch = launch_of(toy)
    flip(launch)
    for verb in (("land",), ("inspect",), ("clean", launch.parent.name), ("run", "p.yaml", *RUN)):
        said = toy.stretto(*verb, code=3)
        assert "launch.json" in said.stdout + said.stderr, verb
    (seen,) = (one for one in json.loads(toy.stretto("doctor", "--no-agents", "--json", code=3).stdout)["observations"]
               if one["verdict"] == "problem")  # fmt: skip
    assert str(launch) in seen["told"]
    assert "--new" in seen["mend"]
    toy.stretto("run", "other.yaml", *RUN)
    toy.stretto("run", "p.yaml", "--new", *RUN)


def test_an_event(toy: Toy) -> None:
    launch = launch_of(toy)
    toy.stretto("run", "other.yaml", *RUN)
    flip_event(launch)
    run, journal = launch.parent.name, launch.with_name("journal.sqlite3")
    for verb in (("status", run), ("report", run), ("resume", run), ("run", "p.yaml", *RUN)):
        said = toy.stretto(*verb, code=3).stderr
        assert "journal.sqlite3" in said, verb
        assert "hint:" in said, verb
    listed = toy.stretto("runs")
    assert [line.split("-")[0] for line in listed.stdout.splitlines()] == ["other"]
    assert f"{run}: event" in listed.stderr
    assert str(journal) in listed.stderr
    assert str(journal) in toy.stretto("doctor", "--no-agents", "--json", code=3).stdout
    toy.stretto("run", "p.yaml", "--dry-run", "--new", *RUN)
    toy.stretto("run", "p.yaml", "--new", *RUN)


def test_r8_3_a_wish(toy: Toy) -> None:
    """It is answered with a no, and can still be looked at."""
    with sqlite3.connect(launch_of(toy).with_name("journal.sqlite3")) as journal:
        journal.execute("INSERT INTO inbox (request, at, wish) VALUES ('r', 1.0, CAST(x'227bff22' AS BLOB))")
    journal.close()
    told = json.loads(toy.stretto("inspect", "--json").stdout)
    assert [one["wish"] for one in told["requests"]] == ['"{\ufffd"']
    toy.stretto("status")


@pytest.mark.parametrize("at", [("AttemptStarted", -1e308), ("RunStarted", 1e308)])
def test_times_that_no_clock_has_told(toy: Toy, at: tuple[str, float]) -> None:
    kind, when = at
    with sqlite3.connect(launch_of(toy).with_name("journal.sqlite3")) as journal:
        (seq, body) = journal.execute("SELECT seq, body FROM event WHERE kind = ?", (kind,)).fetchone()
        told = json.dumps(json.loads(body) | {"at": when}).encode()
        journal.execute("UPDATE event SET body = ? WHERE seq = ?", (told, seq))
    journal.close()
    verbs = ["status", "status --json", "runs", "explain p", "inspect", "inspect --events", "report", "report --json"]
    for verb in (*verbs, "doctor --no-agents", "clean"):
        said = toy.stretto(*verb.split()).stdout
        assert "0" * 20 not in said, verb
    toy.stretto("run", "other.yaml", *RUN)
