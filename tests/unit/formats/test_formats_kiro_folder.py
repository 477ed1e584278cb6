"""What stands beside a Kiro list: the requirements that its tasks name, its papers, and the steering files."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.formats.load import Loaded, load

REQUIREMENTS = """# Requirements Document

### Requirement 1: Loans

**User Story:** As a reader, I want to lend.

#### Acceptance Criteria

1. WHEN a book is lent THE desk SHALL note it
2. WHEN a book is out
   THE desk SHALL refuse
   1. and say so

## 要件2: 通知

2.1 WHEN a loan is late THE desk SHALL write

### Requirement 3
Everything by hand.
"""


@pytest.fixture
def feature(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / ".kiro" / "specs" / "lending"
    steering = tmp_path / "shop" / ".kiro" / "steering"
    folder.mkdir(parents=True)
    steering.mkdir()
    (folder / "requirements.md").write_text(REQUIREMENTS)
    (folder / "design.md").write_text("the design")
    (steering / "tech.md").write_text("plain Python")
    (steering / "product.md").write_text("---\ninclusion: always\n---\na desk")
    (steering / "manual.md").write_text("---\ninclusion: manual\n---\nno")
    (steering / "files.md").write_text('---\ninclusion: fileMatch\nfileMatchPattern: "*.tsx"\n---\nno')
    return folder


def of(feature: Path, *marks: str) -> Loaded:
    (feature / "tasks.md").write_text(
        "# Implementation Plan\n\n" + "- [ ] 1. a\n" + "".join(f"  - {mark}\n" for mark in marks)
    )
    return load(feature / "tasks.md")


def test_the_papers_and_the_steering_files_go_along(feature: Path) -> None:
    loaded = of(feature, "In " + str(feature.parents[2] / "desk" / "loans.py"), "Fill in design.md")
    assert loaded.plan.name == "lending"
    assert loaded.plan.tasks[0].context == (
        "requirements.md", "design.md", "../../steering/product.md", "../../steering/tech.md",
    )  # fmt: skip
    assert loaded.plan.tasks[0].writes == ("desk/loans.py",)


@pytest.mark.parametrize(
    ("mark", "there", "not_there"),
    [
        ("_Requirements: 1.2_", ["Requirement 1: Loans", "I want to lend", "1.2. WHEN a book is out THE"], ["note"]),
        ("_Requirements: 1.1, 1.2_", ["1.1. WHEN a book is lent", "1.2. WHEN"], []),
        ("_Requirements: 1.1-1.2 (Loans)_", ["1.1. WHEN a book is lent", "1.2. WHEN"], []),
        ("**Validates: Requirements 1.1**", ["1.1. WHEN a book is lent"], ["refuse"]),
        ("_Requirements: 2.1_", ["要件2: 通知", "2.1. WHEN a loan is late"], []),
        ("_Requirements: 3_", ["Everything by hand."], ["Loans"]),
        ("_Requirements: 1_", ["note it", "and say so"], ["by hand"]),
    ],
)  # fmt: skip
def test_the_prompt_has_the_requirements_that_it_names(
    feature: Path, mark: str, there: list[str], not_there: list[str]
) -> None:
    loaded = of(feature, mark)
    prompt = loaded.plan.tasks[0].prompt
    assert "## The requirements behind it" in prompt
    assert all(words in prompt for words in there), prompt
    assert not any(words in prompt for words in not_there), prompt
    assert "requirement-missing" not in [finding.code for finding in loaded.findings]


def test_requirements_that_are_not_there_are_told(feature: Path) -> None:
    loaded = of(feature, "_Requirements: 1.1, 1.9, 7_")
    (found,) = (finding for finding in loaded.findings if finding.code == "requirement-missing")
    assert "1.9, 7" in found.message
    assert (found.location and found.location.line, found.location and found.location.column) == (4, 25)
