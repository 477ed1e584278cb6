"""Who may say how page specs are generated, and who of them counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stretto.errors import ConfigError, PlanError
from stretto.recipes.page_specs.settings import FILE, PROFILES, Choices, of_environment, of_file, of_profile
from stretto.recipes.page_specs.state import FILE as STATE
from stretto.recipes.page_specs.state import MASTER_ID, Progress, keeper, read_progress, write_progress


def app(folder: Path, text: str) -> Path:
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


WHOLE = """\
fis:
  parallelization:
    max_concurrency: 4
    timeout_per_page: 1200
    retry_attempts: 2
    backoff_factor: 2
  master_spec:
    timeout: 300
  page_spec:
    skip_existing: false
"""


def test_the_file_says_all_of_it(tmp_path: Path) -> None:
    choices, findings = of_file(app(tmp_path, WHOLE))
    assert choices == Choices(parallel=4, timeout_s=1200.0, attempts=2, master_timeout_s=300.0, skip_existing=False)
    assert findings == ()


@pytest.mark.parametrize("text", ["", "fis:\n", "fis:\n  page_spec:\n", "# nothing\n"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    assert of_file(app(tmp_path, text)) == (Choices(), ())


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert of_file(tmp_path) == (Choices(), ())


def test_what_the_file_misspells_is_told_with_its_place(tmp_path: Path) -> None:
    _, (found,) = of_file(app(tmp_path, "fis:\n  parallelization:\n    max_concurency: 4\n"))
    assert (found.code, found.severity) == ("fis-setting", "warning")
    assert found.location is not None and (found.location.line, found.location.column) == (3, 21)
    assert found.hint == "did you mean fis.parallelization.max_concurrency?"


def test_another_backoff_is_told_and_not_pretended(tmp_path: Path) -> None:
    _, (found,) = of_file(app(tmp_path, "fis: {parallelization: {backoff_factor: 3}}\n"))
    assert "grow by 2 all the same" in found.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fis: {parallelization: {max_concurrency: 0}}\n", "a whole number of at least 1, not 0"),
        ("fis: {parallelization: {max_concurrency: yes}}\n", "a whole number of at least 1, not True"),
        ("fis: {parallelization: {timeout_per_page: -1}}\n", "a number of seconds, not -1"),
        ("fis: {page_spec: {skip_existing: maybe}}\n", "true or false, not 'maybe'"),
        ("fis: [\n", "is no YAML"),
    ],
)
def test_what_the_file_cannot_say_is_one_error(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=FILE) as caught:
        of_file(app(tmp_path, text))
    assert said in str(caught.value)


def test_variables_say_three_of_it() -> None:
    said = {"FIS_MAX_CONCURRENCY": "7", "FIS_TIMEOUT_PER_PAGE": "90", "FIS_RETRY_ATTEMPTS": " 4 "}
    assert of_environment(said) == Choices(parallel=7, timeout_s=90.0, attempts=4)
    assert of_environment({"FIS_MAX_CONCURRENCY": ""}) == Choices()


@pytest.mark.parametrize("text", ["five", "0", "-1", "2.5", "٣"])
def test_a_variable_that_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="FIS_MAX_CONCURRENCY must be a whole number") as caught:
        of_environment({"FIS_MAX_CONCURRENCY": text})
    assert caught.value.hint == "change it, or: unset FIS_MAX_CONCURRENCY"


def test_profiles_are_three() -> None:
    assert {name: choices.parallel for name, choices in PROFILES.items()} == {"local": 3, "ci": 10, "production": 5}
    with pytest.raises(ConfigError, match="no profile 'big'"):
        of_profile("big")


def test_what_is_said_above_counts_and_silence_changes_nothing() -> None:
    flag, variable = Choices(parallel=1, skip_existing=False), Choices(parallel=7, attempts=4)
    file, profile = Choices(parallel=4, attempts=2, timeout_s=60.0, skip_existing=True), of_profile("ci")
    together = flag.over(variable.over(file.over(profile)))
    assert together == Choices(parallel=1, attempts=4, timeout_s=60.0, skip_existing=False)
    assert Choices().over(profile) == profile


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    progress = Progress(completed=("HomePage",), failed=("MapPage",))
    write_progress(tmp_path, progress, now=0.0)
    assert read_progress(tmp_path) == progress
    assert '"timestamp": "1970-01-01T00:00:00Z"' in (tmp_path / STATE).read_text()
    assert [path.name for path in (tmp_path / "specs").iterdir()] == [".generation_state.json"]


def test_pages_that_end_move_from_one_list_to_the_other() -> None:
    before = Progress(completed=("APage",), failed=("BPage",))
    assert before.after({"BPage": True, "CPage": False}) == Progress(completed=("APage", "BPage"), failed=("CPage",))
    assert before.without(["APage", "BPage"]) == Progress()


def test_what_lands_is_written_where_there_is_a_file_and_nothing_else_is() -> None:
    before = b'{"completed": ["APage"], "failed": ["BPage"]}'
    said = {MASTER_ID: "succeeded", "BPage": "succeeded", "CPage": "failed", "DPage": "skipped"}
    (written,) = keeper({"here": before}, said).values()
    told = json.loads(written)
    assert (told["completed"], told["failed"]) == (["APage", "BPage"], ["CPage"])
    assert keeper({"here": before}, {MASTER_ID: "succeeded", "APage": "succeeded"}) == {}
    assert keeper({}, said) == {}


def test_a_state_of_records_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    said = '{"completed": [{"page": "APage", "spec_path": "x"}], "failed": [{"name": "BPage"}, "APage", 3, {}]}'
    (tmp_path / STATE).write_text(said)
    assert read_progress(tmp_path) == Progress(completed=("APage",), failed=("BPage",))


@pytest.mark.parametrize("text", ["[", "[]", "\x00"])
def test_a_state_that_is_none_is_one_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / STATE).write_text(text)
    with pytest.raises(PlanError) as caught:
        read_progress(tmp_path)
    assert caught.value.hint == f"remove it: rm {tmp_path / STATE}"


def test_no_state_is_none(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None


def test_a_draft_of_a_writer_that_was_killed_is_cleared_by_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    write_progress(tmp_path, Progress())
    (written,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    left, held, own = (written.with_name(f"{written.name}.{who}.tmp") for who in (gone.pid, os.getppid(), "mine"))
    for path in (left, held, own):
        path.write_text("{")
    write_progress(tmp_path, Progress())
    assert (left.exists(), held.exists(), own.exists()) == (False, True, True)
