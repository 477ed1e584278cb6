"""Agents as others may see them: names of variables, and commands without their secrets."""

from __future__ import annotations

from stretto.model.agent import AgentSpec
from stretto.model.redaction import aliases, disguised, redacted, without
from stretto.model.secrets import HIDDEN


def test_agents_show_the_names_of_their_variables_and_never_a_value() -> None:
    spec = AgentSpec(command="x", args=("--token", "s3cret", "-m", "a b", "--key=s3cret"), env={"MODE": "s3cret"})
    shown = redacted({"a": spec})["a"]
    assert "s3cret" not in repr(shown)
    assert shown.args == ("--token", HIDDEN, "-m", "a b", f"--key={HIDDEN}")
    assert shown.env == {"MODE": HIDDEN}


def test_agents_that_differ_in_a_secret_only_stay_two() -> None:
    names = ("shell: TOKEN=one x", "shell: TOKEN=two x", "claude", "shell: TOKEN=one x")
    assert aliases(names) == {names[0]: "shell: TOKEN=… x", names[1]: "shell: TOKEN=… x (2)"}
    assert len(redacted({name: AgentSpec(command=name) for name in names})) == 3


def test_a_name_is_replaced_wherever_data_have_it() -> None:
    name = "shell: TOKEN='hunter22' x"
    data = {"a": [name, 1, {name: f"agent {name!r} failed"}], "b": None}
    shown = disguised(data, aliases([name]))
    assert "hunter22" not in repr(shown)
    assert shown["a"][0] == "shell: TOKEN=… x" and shown["b"] is None


def test_a_file_that_says_a_command_loses_its_secrets_and_nothing_else() -> None:
    command = "shell: TOKEN='hunter22' DB_PWD=it make"
    for said in (command, command.replace("'", "''"), "folded: TOKEN='hunter22'\n  DB_PWD=it make"):
        text = f"agent: {said}\nprompt: make it hunter22x\n"
        shown = without(text.encode(), [command]).decode()
        assert "'hunter22'" not in shown and shown.endswith("prompt: make it hunter22x\n")
