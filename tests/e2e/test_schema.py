"""`stretto schema`: what other programs may rely on, held against what stretto prints."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from e2e.toy import Toy

PLAN = """\
name: two
tasks:
  - {id: good, prompt: "write a.txt A", verify: ["test -f a.txt"]}
  - {id: bad, prompt: "fail failed", attempts: 1}
  - {id: behind, prompt: "write b.txt B", depends_on: [bad]}
"""


def test_every_line_of_a_run_fits_its_schema(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"plan.yaml": PLAN})
    schema = json.loads(toy.stretto("schema", "events").stdout)
    validator = Draft202012Validator(schema)
    lines = toy.stretto("run", "plan.yaml", "--agent", "scripted", "--json", code=1).stdout.splitlines()
    kinds = {json.loads(line)["kind"] for line in lines}
    assert {"RunStarted", "AttemptStarted", "AttemptFinished", "AttemptFailed", "AttemptGated", "BatchLanded"} <= kinds
    for line in lines:
        assert validator.is_valid(json.loads(line)), line
    assert not validator.is_valid({**json.loads(lines[0]), "seq": "1"})


def test_the_schemas_are_printed(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"plan.yaml": PLAN})
    assert toy.stretto("schema").stdout == toy.stretto("schema", "plan").stdout
    for kind in ("plan", "settings", "events"):
        Draft202012Validator.check_schema(json.loads(toy.stretto("schema", kind).stdout))
    assert "did you mean `plan`?" in toy.stretto("schema", "plans", code=2).stderr
