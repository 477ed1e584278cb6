"""`stretto scaffold pages` against a model server on loopback: a mix of failures, kills, and what remains."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from e2e.toy import until
from stretto.recipes.page_specs.folder import HEADING
from stretto.recipes.page_specs.prompt import first_line
from stretto.recipes.page_specs.state import FILE as STATE
from stretto.testing.apps import page_names, script_app, write_app
from stretto.testing.models.log import most_at_once
from stretto.testing.models.server import ModelServer

TEN = page_names(10)
BOUND_S = 120.0


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Desk:
    """An app folder without git, and a user who has a key of the model server."""

    def __init__(self, root: Path, server: ModelServer, pages: Sequence[str] = TEN) -> None:
        self.root, self.server, self.pages = root, server, pages
        self.app = write_app(root / "app", pages)
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(root),
            "STRETTO_STATE_DIR": str(root / "state"),
            "GIT_CEILING_DIRECTORIES": str(root.parent),
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "sk-ant-test-0123456789",
            "ANTHROPIC_MODEL": "model-1",
        }

    def argv(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "stretto", "scaffold", "pages", "app", "--agent", "text", *options]

    def run(self, *words: str, code: int, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "stretto", *words],
            cwd=self.root, env={**self.env, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=BOUND_S,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, f"ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def pages_of(self, *options: str, code: int, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run("scaffold", "pages", "app", "--agent", "text", *options, code=code, **env)

    def told(self, *options: str, code: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pages_of(*options, "--json", code=code).stdout)
        return found

    @property
    def state(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self.app / STATE).read_text())
        return said

    @property
    def specs(self) -> set[str]:
        return {path.name for path in (self.app / "specs" / "pages").glob("*")}

    def asked(self) -> Counter[str]:
        """How often the model was asked for each document."""
        return Counter(one.script or "" for one in self.server.requests())

    def again(self, **scripts: str) -> None:
        """The server begins anew, with other scripts."""
        self.server.reset()
        script_app(self.server, self.pages, trouble=scripts)


@pytest.fixture
def desk(tmp_path: Path, server: ModelServer) -> Desk:
    return Desk(tmp_path, server)


def specs_of(pages: Sequence[str]) -> set[str]:
    return {f"{page.lower()}.md" for page in pages}


def test_of_ten_pages_with_every_kind_of_trouble_one_is_left_and_the_told_command_does_it(desk: Desk) -> None:
    home, login, signup, bread, orders, checkout, *_ = TEN
    script_app(
        desk.server,
        TEN,
        trouble={
            home: "MODEL fail 429 retry-after=0.5 times=2",
            login: "MODEL @1 hang",
            signup: "MODEL @1 fail 500",
            bread: "MODEL fail 400 message='there is no such bread'",
            orders: "MODEL @1 text Sure, here is the specification:",
            checkout: "MODEL @1 cut",
        },
    )
    told = desk.told("--timeout", "4", code=1)
    rest = [page for page in TEN if page != bread]
    assert told == {
        "master": {"success": True, "spec_path": "specs/frontend-interaction-spec-master.md"},
        "pages": {
            "summary": {"total": 10, "succeeded": 9, "failed": 1, "success_rate": "90.0%"},
            "succeeded": [{"page": page, "spec_path": f"specs/pages/{page.lower()}.md"} for page in rest],
            "failed": [{"page": bread, "error": "permanent: HTTP 400: there is no such bread"}],
        },
    }
    assert desk.specs == specs_of(rest)
    assert sorted(desk.state["completed"]) == sorted(rest)
    assert desk.state["failed"] == [bread]
    for page in rest:
        text = (desk.app / "specs" / "pages" / f"{page.lower()}.md").read_text()
        assert text.startswith(f"# Frontend Interaction Specification - {page}\n")
    asked = desk.asked()
    assert asked[bread] == 1, "what is permanent is not tried again"
    assert asked["master"] == 1
    assert (asked[login], asked[signup], asked[orders], asked[checkout]) == (2, 2, 2, 2)

    said = desk.pages_of("--resume", code=1).stdout
    (command,) = [line.strip() for line in said.splitlines() if line.strip().startswith("stretto scaffold")]
    assert command == f"stretto scaffold pages app --resume --only {bread} --agent text"
    assert f"{bread} (specs/pages/breadpage.md): permanent: HTTP 400" in said
    desk.again()
    said = desk.run(*shlex.split(command)[1:], code=0).stdout
    assert "specs/pages/breadpage.md" in said and "1 of 1 page has its specification (100.0%)" in said
    assert desk.asked() == {bread: 1}
    assert desk.state["failed"] == []
    assert sorted(desk.state["completed"]) == sorted(TEN)


def test_when_the_master_fails_no_page_is_begun(desk: Desk) -> None:
    script_app(desk.server, TEN, master="MODEL fail 400 message='no master'")
    told = desk.told(code=1)
    assert told == {
        "error": "the master specification failed: permanent: HTTP 400: no master",
        "master": {"success": False, "spec_path": "specs/frontend-interaction-spec-master.md"},
    }
    assert desk.asked() == {"master": 1}
    assert desk.specs == set()


def test_killed_half_way_it_goes_on_and_does_only_the_rest(desk: Desk) -> None:
    done, rest = TEN[:4], TEN[4:]
    script_app(desk.server, TEN, trouble=dict.fromkeys(rest, "MODEL hang silent"))
    with subprocess.Popen(
        desk.argv("-j", "2"), cwd=desk.root, env=desk.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as front:  # fmt: skip
        until(lambda: desk.specs >= specs_of(done) and len(desk.state["completed"]) == 4, "four pages", BOUND_S)
        until(lambda: sum(desk.asked()[page] for page in rest) == 2, "two more that hang", BOUND_S)
        for process in [*psutil.Process(front.pid).children(recursive=True), psutil.Process(front.pid)]:
            process.kill()
    assert sorted(desk.state["completed"]) == sorted(done)

    refused = desk.pages_of(code=3)
    assert "stretto scaffold pages app --resume" in refused.stderr
    desk.again()
    told = desk.told("--resume", "-j", "5", code=0)
    assert told["pages"]["summary"] == {"total": 10, "succeeded": 10, "failed": 0, "success_rate": "100.0%"}
    assert desk.asked() == dict.fromkeys(rest, 1)
    assert sorted(desk.state["completed"]) == sorted(TEN)
    assert not [path for path in desk.app.rglob("*") if path.name.endswith((".part", ".tmp"))]

    desk.again()
    told = desk.told("--resume", code=0)
    assert told["pages"]["summary"]["succeeded"] == 10
    assert desk.asked() == {}, "with nothing left, nothing is done"


def killed(desk: Desk, *options: str, when: Callable[[], bool]) -> None:
    """A generation that the machine has lost: nobody of it lives any more."""
    with subprocess.Popen(
        desk.argv(*options), cwd=desk.root, env=desk.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as front:  # fmt: skip
        until(when, "what it is killed at", BOUND_S)
        for process in [*psutil.Process(front.pid).children(recursive=True), psutil.Process(front.pid)]:
            process.kill()


def by_hand(desk: Desk, page: str, line: str = "") -> Path:
    file = desk.app / "specs" / "pages" / f"{page.lower()}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{line or first_line(page)}\n\nBy hand.\n")
    return file


def test_a_page_that_a_person_has_written_after_a_kill_is_kept(desk: Desk) -> None:
    old, begun, own, wrong, *rest = TEN
    done = by_hand(desk, old)  # from before, and to be written anew
    script_app(desk.server, TEN, trouble=dict.fromkeys(TEN, "MODEL hang silent"))
    killed(
        desk, "-j", "2", "--no-skip-existing", "--only", ",".join((begun, old, own, wrong, *rest)),
        when=lambda: desk.asked()[old] + desk.asked()[begun] == 2,
    )  # fmt: skip
    kept = [by_hand(desk, begun), by_hand(desk, own)]
    by_hand(desk, wrong, "# Page of mine")
    assert {own, wrong, begun, old} <= set(desk.state["unfinished"])
    desk.again()
    said = desk.pages_of("--resume", code=0)
    names = ", ".join(f"specs/pages/{page.lower()}.md" for page in (begun, own))
    assert f"written since it began, and kept as it is: {names}\n" in said.stdout + said.stderr
    assert all("By hand." in file.read_text() for file in kept) and "By hand." not in done.read_text()
    assert desk.asked() == dict.fromkeys((old, wrong, *rest), 1)
    assert sorted(desk.state["completed"]) == sorted(TEN) and "unfinished" not in desk.state
    assert "10 of 10 pages" in said.stdout
    desk.again()
    desk.pages_of("--resume", code=0)
    assert desk.asked() == {}


def test_what_another_agent_has_begun_may_be_half_a_page_however_it_begins(desk: Desk) -> None:
    begun, own, *rest = TEN
    script_app(desk.server, TEN)
    desk.pages_of("--only", ",".join(rest), code=0)
    writes = (
        "shell: echo $STRETTO_TASK >> asked; f=specs/pages/$(echo $STRETTO_TASK | tr A-Z a-z).md; "
        f'echo "{HEADING} - $STRETTO_TASK" > "$f"; test -e go || sleep 300; echo whole >> "$f"'
    )
    killed(desk, "-j", "1", "--agent", writes, when=lambda: specs_of([begun]) <= desk.specs)
    file, kept = desk.app / "specs" / "pages" / f"{begun.lower()}.md", by_hand(desk, own)
    (desk.app / "go").touch()
    other = desk.run("scaffold", "pages", "app", "--resume", "--agent", writes.replace("whole", "hole"), code=2)
    assert "--agent cannot be changed any more" in other.stderr
    said = desk.run("scaffold", "pages", "app", "--resume", "--agent", writes, code=0)
    assert f"kept as it is: specs/pages/{own.lower()}.md\n" in said.stdout + said.stderr
    assert "By hand." in kept.read_text() and "whole" in file.read_text()
    assert (desk.app / "asked").read_text().split() == [begun, begun]


def test_the_total_timeout_lets_finish_what_is_under_way_and_begins_nothing_more(desk: Desk) -> None:
    script_app(desk.server, TEN, delay_s=1.5)
    said = desk.pages_of("--total-timeout", "4", "-j", "2", "--timeout", "50", "--retry-attempts", "2", code=4)
    assert "the total timeout of 4 s is over" in said.stderr
    way = said.stdout.partition("to go on:\n")[2].splitlines()[0].strip()
    assert way == "stretto scaffold pages app --resume --max-concurrency 2 --total-timeout 4 --agent text"
    written = len(desk.specs)
    assert 0 < written < 10
    assert sum(desk.asked().values()) == written + 1
    desk.again()
    assert desk.told("--resume", code=0)["pages"]["summary"]["succeeded"] == 10
    assert sum(desk.asked().values()) == 10 - written


def test_a_usage_limit_is_no_failure_of_a_page(desk: Desk) -> None:
    script_app(desk.server, TEN, trouble={TEN[3]: "MODEL limit 300"})
    said = desk.pages_of("-j", "1", code=4)
    assert "not written: " in said.stdout
    assert desk.specs == specs_of(TEN[:3])
    assert desk.state == {**desk.state, "completed": list(TEN[:3]), "failed": []}
    desk.again()
    assert desk.told("--resume", "-j", "5", code=0)["pages"]["summary"]["succeeded"] == 10
    assert desk.asked() == dict.fromkeys(TEN[3:], 1)


def test_five_at_once_and_no_more(desk: Desk) -> None:
    script_app(desk.server, TEN, delay_s=1.0)
    desk.pages_of(code=0)
    pages = [one for one in desk.server.requests() if one.script != "master"]
    assert most_at_once(pages) == 5


def test_what_is_there_is_kept_unless_it_is_wanted_anew(desk: Desk) -> None:
    home, login = TEN[:2]
    script_app(desk.server, TEN)
    desk.pages_of("--only", f"{home.lower()},{login}", code=0)
    assert desk.specs == specs_of((home, login))
    assert desk.asked() == {"master": 1, home: 1, login: 1}
    desk.again()
    desk.pages_of("--only", home, code=0)
    assert desk.asked() == {}
    desk.pages_of("--only", home, "--no-skip-existing", code=0)
    assert desk.asked() == {home: 1}, "the master is no page"
    assert desk.state["completed"] == [login, home]
    (desk.app / "specs" / "pages" / "homepage.md").unlink()
    desk.again()
    desk.pages_of("--only", home, code=0)
    assert desk.asked() == {home: 1}


@pytest.mark.parametrize(
    ("options", "env", "file", "places"),
    [
        ((), {}, "", 5),
        (("--profile", "ci"), {}, "", 10),
        (("--profile", "local"), {}, "max_concurrency: 4", 4),
        ((), {"FIS_MAX_CONCURRENCY": "7"}, "max_concurrency: 4", 7),
        (("--max-concurrency", "2"), {"FIS_MAX_CONCURRENCY": "7"}, "max_concurrency: 4", 2),
        (("--no-parallel",), {"FIS_MAX_CONCURRENCY": "7"}, "max_concurrency: 4", 1),
    ],
)
def test_who_says_how_many_at_once(
    desk: Desk, options: tuple[str, ...], env: dict[str, str], file: str, places: int
) -> None:
    if file:
        (desk.app / "config").mkdir()
        (desk.app / "config" / "fis_generation.yaml").write_text(f"fis: {{parallelization: {{{file}}}}}\n")
    said = desk.pages_of("--dry-run", *options, code=0, **env).stdout
    assert "  master-spec" in said
    assert f"{places} at once" in said
    assert not (desk.app / STATE).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--no-parallel", "-j", "4"), "contradict each other"),
        (("--only", "NoPage"), "there is no page 'NoPage'"),
        (("--timeout", "soon"), "--timeout must be a duration"),
        (("--critic", "9"), "from 0 to 5"),
    ],
)
def test_options_that_cannot_be_are_refused(desk: Desk, options: tuple[str, ...], words: str) -> None:
    assert words in desk.pages_of(*options, code=2).stderr
    assert desk.asked() == {}


def test_a_critic_needs_the_text_agent(desk: Desk) -> None:
    said = desk.run("scaffold", "pages", "app", "--agent", "shell: true", "--critic", "2", code=2).stderr
    assert "--critic is for the text agent" in said


def test_all_that_is_missing_is_told_at_once(desk: Desk) -> None:
    (desk.app / "specs" / "plan.md").unlink()
    (desk.app / "shared" / "schema.zod.ts").unlink()
    said = desk.pages_of(code=2).stderr
    assert "specs/plan.md" in said and "shared/schema.zod.ts" in said
    assert desk.asked() == {}


def test_the_same_plan_in_the_engines_own_words(desk: Desk) -> None:
    script_app(desk.server, TEN)
    desk.run("run", "app", "--agent", "text", "--only", TEN[0], "--with-deps", code=0)
    assert desk.specs == specs_of(TEN[:1])
    assert "10 tasks" not in desk.run("check", "app", code=0).stderr
    shown = json.loads(desk.run("show", "app", "--json", code=0).stdout)
    assert {task["id"]: task["status"] for task in shown["tasks"]} == {
        "master-spec": "succeeded",
        **dict.fromkeys(TEN, "pending"),
        TEN[0]: "succeeded",
    }


def test_a_repository_around_it_gets_the_files_and_nothing_else(desk: Desk) -> None:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=u", "-c", "user.email=u@localhost", *words],
            cwd=desk.root, env=desk.env, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    git("init", "-q", "-b", "main")
    git("add", "app")
    git("commit", "-qm", "first")
    before = git("rev-parse", "HEAD")
    script_app(desk.server, TEN)
    desk.pages_of(code=0)
    assert git("rev-parse", "HEAD") == before
    assert git("branch", "--format=%(refname:short)").split() == ["main"]
    changed = {line[3:] for line in git("status", "--porcelain", "-uall", "--", "app").splitlines()}
    wanted = {f"app/specs/pages/{name}" for name in specs_of(TEN)}
    assert changed == {*wanted, "app/specs/frontend-interaction-spec-master.md", f"app/{STATE}"}


def test_a_failed_master_is_written_again_by_the_told_command(desk: Desk) -> None:
    master = desk.app / "specs" / "frontend-interaction-spec-master.md"
    bad = f"shell: echo Done. > {master.relative_to(desk.app)}"
    said = desk.run("scaffold", "pages", "app", "--agent", bad, "--retry-attempts", "1", code=1).stdout
    told = "no page was begun: check red: the first line has to begin with: # Frontend Interaction Specification"
    assert f"{told} (it is `Done.`)" in " ".join(said.split())
    assert desk.state["failed"] == ["master-spec"]
    assert "unfinished" not in desk.state, "no page was begun"
    script_app(desk.server, TEN)
    desk.pages_of("--resume", code=0)
    assert desk.asked() == {"master": 1, **dict.fromkeys(TEN, 1)}
    assert master.read_text().startswith("# Frontend Interaction Specification")
    assert desk.state["failed"] == []


def test_half_a_page_of_an_abandoned_generation_is_written_again(desk: Desk) -> None:
    home, login, *_, basket = TEN
    script_app(desk.server, TEN)
    desk.pages_of("--only", home, code=0)
    half = 'shell: f=$(grep -o "specs/pages/[a-z]*.md" "$STRETTO_PROMPT_FILE" | tail -n 1); echo half > "$f"; sleep 300'
    argv = [sys.executable, "-m", "stretto", "scaffold", "pages", "app", "--agent", half, "-j", "1", "-y"]
    with subprocess.Popen(
        argv, cwd=desk.root, env=desk.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as front:  # fmt: skip
        until(lambda: specs_of([login]) <= desk.specs, "half a page", BOUND_S)
        assert desk.state["unfinished"] == list(TEN[1:])
        front.send_signal(signal.SIGINT)
        until(lambda: '"draining"' in desk.run("status", "--json", code=0).stdout, "the run drains", BOUND_S)
        front.send_signal(signal.SIGINT)  # the second one cancels
        assert front.wait(BOUND_S) == 130
    assert desk.state == {**desk.state, "completed": [home], "unfinished": [login]}
    desk.run("abandon", "-y", code=0)
    own = desk.app / "specs" / "pages" / f"{basket.lower()}.md"
    own.write_text("# Frontend Interaction Specification - by hand\n")
    desk.again()
    said = desk.pages_of(code=0)
    assert f"written again: specs/pages/{login.lower()}.md\n" in said.stdout + said.stderr
    assert desk.asked() == dict.fromkeys(TEN[1:-1], 1)
    assert "by hand" in own.read_text()
    assert "unfinished" not in desk.state


def test_without_an_agent_it_can_be_looked_at_and_the_hint_names_those_that_write(desk: Desk) -> None:
    assert "master-spec" in desk.run("scaffold", "pages", "app", "--dry-run", code=0).stdout
    said = desk.run("scaffold", "pages", "app", code=2).stderr
    assert "--agent text, --agent 'shell: COMMAND'" in said and "scripted" not in said
