"""What is in the repository holds for everybody: no machine's paths, and pins that are exact."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    """Files of the project. Those that are new and not ignored count too: they are about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(path for name in names.split("\0") if name and (path := ROOT / name).is_file())


def test_no_file_names_a_place_that_only_one_machine_has() -> None:
    """Somebody's folder for work or home (tests may invent one), or the registry that packages happen to come from."""
    machine = re.compile(r"(?<![\w.$}])/(?:work|root)/\w|\b(?:pypi|npmjs)\.org|python[h]osted\.org")
    home = re.compile(r"(?<![\w.$}])/(?:home|Users)/\w")
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        found = machine.search(text) or (home.search(text) if path.relative_to(ROOT).parts[0] != "tests" else None)
        assert not found, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_pins_are_exact_hashed_and_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash)", text, re.MULTILINE), "no option but hashes"
    pins = re.split(r"\n(?=\S)", text.partition("\n")[2].strip())
    assert len(pins) > 10
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+==\S+", pin), pin
        assert "--hash=sha256:" in pin, pin


def test_both_files_of_pins_agree_and_cover_the_project() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    runtime, dev = pins("runtime.txt"), pins("dev.txt")
    assert {name: dev[name] for name in runtime.keys() & dev.keys()} == {
        name: runtime[name] for name in runtime.keys() & dev.keys()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    assert {re.split(r"[^\w-]", need)[0].lower() for need in needs} <= runtime.keys()
    assert {need.lower() for need in project["dependency-groups"]["dev"]} <= dev.keys()


def test_the_wheel_has_everything_that_the_package_reads() -> None:
    from hatchling.builders.wheel import WheelBuilder

    source = ROOT / "src"
    package = {str(path.relative_to(source)) for path in tracked() if path.is_relative_to(source / "stretto")}
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {path for path in package if not path.endswith(".py")} >= {"stretto/engine/journal.sql"}
    assert package <= packed
