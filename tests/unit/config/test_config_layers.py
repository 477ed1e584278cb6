"""Settings: where each comes from, which one counts, and how mistakes in them are told."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.config import environment, files
from stretto.config.files import parse
from stretto.config.layers import Layer, Origin, Rank, Said, Settings, flags
from stretto.config.load import load
from stretto.config.resolve import plan_layer, resolve, run_settings
from stretto.config.table import AGENT_KEYS, SETTINGS, Key
from stretto.config.values import Choice, Count, Duration, Names, Text, spelled
from stretto.errors import ConfigError
from stretto.formats.load import load as load_plan
from stretto.model.agent import AgentSpec
from stretto.model.plan import Defaults, Plan
from stretto.model.run import RunSettings

FULL = """\
parallel = 3
agent = "mine"
attempts = 2
timeout = "1h30m"
idle = 30
on_failure = "stop"
conflicts = "allow"
breaker = 0

[env]
pass = ["NODE_*"]

[agents.mine]
command = "my-agent"
env = {MODE = "fast"}

[profiles.ci]
parallel = 8
agents.mine.env.MODE = "slow"
"""


def values(layer: Layer) -> dict[str, Any]:
    return {".".join(key): said.value for key, said in layer.items()}


def settings(text: str, **more: object) -> Settings:
    return Settings(flags(more), parse(text).layer)


# --- the table ---------------------------------------------------------------------------------------------------


def test_every_field_that_the_core_reads_is_a_setting_or_is_decided_elsewhere() -> None:
    elsewhere = {"agent", "fallbacks", "run_stops", "on_approval"}
    fields = [setting.field for setting in SETTINGS.values() if setting.field]
    assert len(fields) == len(set(fields))
    assert {*fields, *elsewhere} >= set(RunSettings.__struct_fields__)
    assert set(fields) <= set(RunSettings.__struct_fields__)


def test_no_variable_means_two_things() -> None:
    names = [setting.variable for setting in SETTINGS.values()] + [environment.PROFILE, *environment.RESERVED]
    assert len(names) == len(set(names))


def test_agents_have_the_keys_of_their_value() -> None:
    assert set(AGENT_KEYS) == set(AgentSpec.__struct_fields__)


def test_r9_6_what_is_built_in() -> None:
    run = run_settings(Settings())
    assert run == RunSettings()
    assert (run.parallel, run.timeout_s, run.attempts, run.grace_s, run.idle_s) == (5, 900, 3, 5, 600)
    assert (run.drain_timeout_s, run.gate_timeout_s, run.setup_timeout_s) == (600, 600, 600)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_what_is_written_can_be_read_again(setting: Any) -> None:
    written = f"{setting.name} = {setting.kind.write(setting.built_in)}"
    if setting.built_in != "":
        assert parse(written).layer[setting.key].value == setting.built_in


@given(st.floats(min_value=0.001, max_value=3e8))
def test_a_duration_that_is_spelled_is_the_same_duration(seconds: float) -> None:
    assert Duration().parse(spelled(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "text"), [(90, "1m30s"), (900, "15m"), (5400, "1h30m"), (0.5, "0.5s"), (0, "0s")])
def test_durations_in_words(seconds: float, text: str) -> None:
    assert spelled(seconds) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip))
def test_text_that_is_written_can_be_read_again(text: str) -> None:
    kind = Text(means="text")
    assert parse(f"agent = {kind.write(text)}").layer[("agent",)].value == text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        *((Count(), "7", 7), (Count(), " 7 ", 7), (Count(), "0", None), (Count(), "-1", None), (Count(), "1.5", None)),
        *((Count(least=0), "0", 0), (Count(), "9" * 30, None), (Duration(), "15m", 900), (Duration(), "0", None)),
        *((Choice(options=("a", "b")), " a ", "a"), (Choice(options=("a", "b")), "c", None)),
        *((Names(means="x"), "a, b", ("a", "b")), (Names(means="x"), "", ()), (Text(means="x"), "  ", None)),
    ],
)
def test_words_of_variables_and_flags(kind: Any, text: str, value: object) -> None:
    assert kind.parse(text) == value


# --- files -------------------------------------------------------------------------------------------------------


def test_a_whole_file_with_the_place_of_every_value() -> None:
    file = parse(FULL)
    assert values(file.layer) == {
        "parallel": 3,
        "agent": "mine",
        "attempts": 2,
        "timeout": 5400.0,
        "idle": 30.0,
        "on_failure": "stop",
        "conflicts": "allow",
        "breaker": 0,
        "env.pass": ("NODE_*",),
        "agents.mine.command": "my-agent",
        "agents.mine.env.MODE": "fast",
    }
    assert values(file.profiles["ci"]) == {"parallel": 8, "agents.mine.env.MODE": "slow"}
    places = {said.key: said.origin.place for said in file.layer.values()}
    lines = FULL.splitlines()
    for key, place in places.items():
        assert key[-1] in lines[int(place.removeprefix("stretto.toml:")) - 1]
    assert file.layer[("parallel",)].origin == Origin(layer="repository", place="stretto.toml:1")
    assert file.profiles["ci"][("parallel",)].origin == Origin(layer="profile", place="stretto.toml:18")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("paralel = 3", "stretto.toml:1: unknown key paralel", "did you mean `parallel`?"),
        ("\n[agents.mine]\ncomand = 'x'", "stretto.toml:3: unknown key agents.mine.comand", "`command`"),
        ("parallel = 0", "stretto.toml:1: parallel must be a whole number of at least 1, not the number 0", ""),
        ("parallel = true", "stretto.toml:1: parallel must be a whole number of at least 1, not true", ""),
        ("parallel = '3'", "stretto.toml:1: parallel must be a whole number", ""),
        ("x = [", "stretto.toml:1:6: not TOML", ""),
        ("a = 1\na = 2", "stretto.toml:2:6: not TOML", ""),
        ("agents = 3", "stretto.toml:1: agents must be a table", "[agents]"),
        ("agents.mine = 3", "stretto.toml:1: agents.mine must be a table", "[agents.mine]"),
        ("profiles.ci = 3", "stretto.toml:1: profiles.ci must be a table", "[profiles.ci]"),
        ("env = 3", "stretto.toml:1: env must be a table", "[env]"),
        ("timeout = 'soon'", "stretto.toml:1: timeout must be a duration such as 90, 15m or 1h30m, not 'soon'", "15m"),
        ("timeout = 0", "stretto.toml:1: timeout must be a duration", ""),
        ("[env]\npass = 'X'", "stretto.toml:2: env.pass must be a list of names of variables", ""),
        ("[env]\npass = ['A B']", "stretto.toml:2: env.pass must be a list of names of variables", ""),
        ("[env]\nfoo = 1", "stretto.toml:2: unknown key env.foo", ""),
        ("pass = ['X']", "stretto.toml:1: unknown key pass", "env.pass"),
        (
            "conflicts = 'serialise'",
            "stretto.toml:1: conflicts must be `serialize`, `serialize-unknown`",
            "did you mean `serialize`?",
        ),
        ("on_failure = 'rollback'", "stretto.toml:1: on_failure must be `continue` or `stop`", ""),
        ("[gates]\nverify = ['make']", "stretto.toml:1: unknown key gates", "docs/plan.md"),
        ("parallel = 2\n[profiles.ci]\nparallel = 0", "stretto.toml:3: profiles.ci.parallel must be", ""),
        ("[profiles.ci]\nparalel = 1", "stretto.toml:2: unknown key profiles.ci.paralel", "did you mean `parallel`?"),
        ("[profiles.ci.profiles.x]", "stretto.toml:1: unknown key profiles.ci.profiles", ""),
        ("[agents.a]\ncommand='x'\nenv.B=1", "stretto.toml:3: agents.a.env.B must be text", "in quotes"),
        ("[agents.a.env]\nSTRETTO_RUN='x'", "stretto.toml:2: agents.a.env.STRETTO_RUN: nobody may set", ""),
        ("[agents.a.env]\nGIT_DIR='x'", "stretto.toml:2: agents.a.env.GIT_DIR: nobody may set", ""),
    ],
)
def test_mistakes_in_files_name_the_place(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint


def test_a_value_that_may_be_a_secret_is_in_no_message() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[agents.a.env]\nAPI_KEY = ['hunter2']")
    assert "hunter2" not in str(caught.value)


@given(st.text(string.printable, max_size=60))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        assert str(error).startswith("stretto.toml:")


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/stretto/config.toml"),
        ({"XDG_CONFIG_HOME": "x", "HOME": "/h"}, "/h/.config/stretto/config.toml"),
        ({"HOME": "/h"}, "/h/.config/stretto/config.toml"),
        ({}, None),
    ],
)
def test_where_the_users_file_is(environ: Mapping[str, str], path: str | None) -> None:
    assert files.user_path(environ) == (None if path is None else Path(path))


@pytest.mark.parametrize(("data", "message"), [(b"\xff", "no UTF-8 text"), (None, "directory")])
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "stretto.toml"
    path.mkdir() if data is None else path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert message in str(caught.value)


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "stretto.toml").write_bytes(b"\xef\xbb\xbfparallel = 3\r\n")
    assert load(tmp_path, {}).value(("parallel",)) == 3


# --- variables and flags -----------------------------------------------------------------------------------------


def test_variables() -> None:
    layer = environment.read(
        {
            "STRETTO_PARALLEL": "4",
            "STRETTO_TIMEOUT": "2m",
            "STRETTO_CONFLICTS": "refuse",
            "STRETTO_ENV_PASS": "A, B_*",
            "STRETTO_AGENT": "shell: do it",
            "STRETTO_ATTEMPTS": "",
            "STRETTO_STATE_DIR": "/x",
            "STRETTO_PROFILE": "ci",
            "OTHER": "y",
        }
    )
    assert values(layer) == {
        "parallel": 4,
        "timeout": 120.0,
        "conflicts": "refuse",
        "env.pass": ("A", "B_*"),
        "agent": "shell: do it",
    }
    assert layer[("parallel",)].origin == Origin(layer="variable", place="STRETTO_PARALLEL")


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("STRETTO_PARALEL", "1", "unknown environment variable STRETTO_PARALEL", "did you mean STRETTO_PARALLEL?"),
        ("STRETTO_STATEDIR", "1", "unknown environment variable", "STRETTO_STATE_DIR"),
        ("STRETTO_XYZZY", "1", "unknown environment variable", "unset STRETTO_XYZZY"),
        ("STRETTO_XYZZY", "", "unknown environment variable", "unset STRETTO_XYZZY"),
        ("STRETTO_PARALLEL", "many", "STRETTO_PARALLEL must be a whole number of at least 1, not 'many'", ""),
        ("STRETTO_TIMEOUT", "1h30", "STRETTO_TIMEOUT must be a duration", "15m"),
        ("STRETTO_ON_FAILURE", "stopp", "STRETTO_ON_FAILURE must be `continue` or `stop`", "did you mean `stop`?"),
    ],
)
def test_variables_that_cannot_be_are_errors(name: str, value: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment.read({name: value})
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint


def test_flags_say_which_flag_is_wrong() -> None:
    assert values(flags({"parallel": 3, "timeout": "90s", "agent": None})) == {"parallel": 3, "timeout": 90.0}
    with pytest.raises(ConfigError, match="--timeout must be a duration"):
        flags({"timeout": "soon"})


# --- which one counts --------------------------------------------------------------------------------------------

LADDER = get_args(Rank)


def test_each_layer_counts_more_than_the_ones_behind_it(tmp_path: Path) -> None:
    """Every layer says something; take away the first one, and the next one counts."""
    home, root = tmp_path / "home", tmp_path / "repository"
    user, repository = home / ".config" / "stretto" / "config.toml", root / "stretto.toml"
    user.parent.mkdir(parents=True)
    root.mkdir()
    repository.write_text("attempts = 4\n[profiles.ci]\nattempts = 3\n")
    user.write_text("attempts = 6\n[profiles.ci]\nattempts = 5\n")
    planned = plan_layer(Plan(name="x", format="stretto", defaults=Defaults(attempts=7)))
    environ = {"HOME": str(home), "STRETTO_ATTEMPTS": "2", "STRETTO_PROFILE": "ci"}
    whole = load(root, environ, flags=flags({"attempts": 1})).add(planned)
    assert [said.value for said in whole.said(("attempts",))] == [1, 2, 3, 5, 4, 6, 7, 3]
    assert [said.origin.layer for said in whole.said(("attempts",))] == sorted((*LADDER, "profile"), key=LADDER.index)
    del environ["STRETTO_PROFILE"]
    assert [said.value for said in load(root, environ).add(planned).said(("attempts",))] == [2, 4, 6, 7, 3]
    assert load(root, environ, profile="ci").said(("attempts",))[1].value == 3
    assert [said.value for said in load(None, {"HOME": str(home)}).said(("attempts",))] == [6, 3]
    assert [said.value for said in load(None, {}).said(("attempts",))] == [3]


@given(st.dictionaries(st.sampled_from(LADDER[:-1]), st.integers(1, 9), max_size=6), st.randoms())
def test_the_first_that_says_something_counts_in_whatever_order_layers_are_added(
    said: dict[Rank, int], random: Any
) -> None:
    key: Key = ("parallel",)
    layers = [{key: Said(key=key, value=n, origin=Origin(layer=rank, place="x"))} for rank, n in said.items()]
    random.shuffle(layers)
    expected = next((said[rank] for rank in LADDER if rank in said), 5)
    assert Settings().add(*layers).value(key) == expected


def test_flags_beat_the_file_and_the_file_the_plan() -> None:
    plan = Plan(name="x", format="stretto", defaults=Defaults(attempts=9, timeout_s=7.0, agent=("scripted",)))
    run = resolve(plan, settings("attempts = 2\nparallel = 4", attempts=1), interactive=False).run
    assert (run.attempts, run.parallel, run.timeout_s, run.agent) == (1, 4, 7.0, "scripted")
    assert resolve(plan, Settings(), interactive=True).run.on_approval == "wait"


@pytest.mark.parametrize(
    ("text", "planned", "policy", "stops"),
    [
        ("", None, "continue", False),
        ("", "stop", "stop", True),
        ("on_failure = 'continue'", "stop", "continue", False),
        ("on_failure = 'stop'", None, "stop", True),
    ],
)
def test_the_policy_after_a_failure(text: str, planned: Any, policy: str, stops: bool) -> None:
    plan = Plan(name="x", format="stretto", defaults=Defaults(on_failure=planned))
    run = resolve(plan, settings(text), interactive=False).run
    assert (run.on_failure, run.run_stops) == (policy, stops)


def test_defaults_of_a_plan_have_a_place(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("name: x\ndefaults:\n  attempts: 2\n  agent: scripted\ntasks: [{id: a, prompt: hi}]\n")
    loaded = load_plan(file)
    layer = plan_layer(loaded.plan, loaded.places)
    assert {said.key: said.origin.place for said in layer.values()} == {
        ("attempts",): f"{file}:3",
        ("agent",): f"{file}:4",
    }


# --- profiles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "[profiles.ci]"),
        ("[profiles.cia]", "did you mean `cia`?"),
        ("[profiles.a]\n[profiles.b]", "there are a, b"),
        ("[profiles.alone]", "there is alone"),
    ],
)
def test_a_profile_that_is_not_there(tmp_path: Path, text: str, hint: str) -> None:
    (tmp_path / "stretto.toml").write_text(text)
    environ: dict[str, str]
    for environ, profile in (({}, "ci"), ({"STRETTO_PROFILE": "ci"}, None)):
        with pytest.raises(ConfigError, match="there is no profile 'ci'") as caught:
            load(tmp_path, environ, profile=profile)
        assert hint in caught.value.hint


def test_a_flag_chooses_the_profile_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "stretto.toml").write_text("[profiles.a]\nparallel = 1\n[profiles.b]\nparallel = 2")
    chosen = load(tmp_path, {"STRETTO_PROFILE": "a"}, profile="b")
    assert (chosen.profile, chosen.profiles, chosen.value(("parallel",))) == ("b", ("a", "b"), 2)
