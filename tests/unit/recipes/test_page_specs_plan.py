"""An app folder as a plan."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.model.plan import Task
from stretto.recipes.load import RECIPES, read_folder
from stretto.recipes.page_specs.folder import MASTER, REGISTRY
from stretto.recipes.page_specs.plan import make, read, survey
from stretto.recipes.page_specs.settings import Choices
from stretto.recipes.page_specs.state import FILE as STATE
from stretto.recipes.page_specs.state import MASTER_ID, Progress, keeper, write_progress

BAKERY = Path(__file__).parent.parent.parent / "samples" / "recipes" / "page-specs" / "bakery"
PAGES = (
    "HomePage", "LoginPage", "SignupPage", "BreadPage", "OrdersPage", "CheckoutPage", "OpeningHoursPage", "BakerPage",
    "ImprintPage",
)  # fmt: skip


@pytest.fixture
def app(tmp_path: Path) -> Path:
    shutil.copytree(BAKERY, tmp_path / "bakery")
    return tmp_path / "bakery"


def spec(app: Path, name: str, text: str = "# Frontend Interaction Specification - X\n") -> Path:
    path = app / "specs" / "pages" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def tasks(app: Path, choices: Choices | None = None, *, resume: bool = False) -> dict[str, Task]:
    made = make(survey(app), choices or Choices(), resume=resume)
    return {task.id: task for task in made.plan.tasks}


def done(app: Path, choices: Choices | None = None, *, resume: bool = False) -> set[str]:
    return {name for name, task in tasks(app, choices, resume=resume).items() if task.status == "succeeded"}


def test_the_master_comes_first_and_every_page_waits_for_it(app: Path) -> None:
    plan = read(app).plan
    assert (plan.format, plan.isolation) == ("page-specs", "none")
    master, *pages = plan.tasks
    assert (master.id, master.critical, master.effect, master.timeout_s) == (MASTER_ID, True, "artifact", 300.0)
    assert master.writes == master.artifacts == (MASTER,)
    assert tuple(page.id for page in pages) == PAGES
    for page in pages:
        assert page.depends_on == (MASTER_ID,)
        assert page.writes == page.artifacts == (f"specs/pages/{page.id.lower()}.md",)
    assert plan.phases[1].max_parallel == 4
    assert (plan.defaults.timeout_s, plan.defaults.attempts) == (1200.0, 2)
    assert [found for found in lint(plan) if found.severity != "info"] == []


def test_the_folder_is_known_by_what_lies_in_it(app: Path, tmp_path: Path) -> None:
    made = read_folder(app)
    assert made is not None and made.plan.format == "page-specs"
    assert [recipe.name for recipe in RECIPES if recipe.recognises(tmp_path)] == []


def test_every_writer_of_a_page_is_told_of_all_pages_and_of_its_own(app: Path) -> None:
    prompts = {name: task.prompt for name, task in tasks(app).items() if name != MASTER_ID}
    shared = prompts["HomePage"][: prompts["HomePage"].index("## Your page")]
    assert all(prompt.startswith(shared) for prompt in prompts.values())
    for told in (*(f"\n- {name}: " for name in PAGES), "z.object", "orders.list()", f'<file path="{MASTER}"/>\n'):
        assert told in shared
    own = prompts["OrdersPage"].removeprefix(shared)
    assert "page 5 of 9, after BreadPage, before CheckoutPage" in own
    assert "`# Frontend Interaction Specification - OrdersPage`" in own
    assert "Access: protected" in own


def test_the_writer_of_the_master_is_told_of_plan_and_contracts(app: Path) -> None:
    prompt = tasks(app)[MASTER_ID].prompt
    assert "bread of the day" in prompt and "orders.contract.ts" in prompt and "z.object" in prompt


@pytest.mark.parametrize(
    ("first", "green"),
    [
        ("# Frontend Interaction Specification - HomePage", True),
        ("# Frontend Interaction Specification - HomePages", False),
        ("# Frontend Interaction Specification: HomePage", False),
        ("Here is the specification:", False),
        (" # Frontend Interaction Specification - HomePage", False),
        ("```markdown", False),
        ("", False),
    ],
)
def test_a_page_has_to_begin_with_its_heading(app: Path, first: str, green: bool) -> None:
    spec(app, "homepage.md", f"{first}\n# Frontend Interaction Specification - HomePage\n")
    (check,) = tasks(app)["HomePage"].verify
    ended = subprocess.run(["sh", "-c", check.command], cwd=app, capture_output=True, text=True, check=False)
    assert (ended.returncode == 0) == green
    assert ended.stdout.endswith("" if green else f"(it is `{first}`)\n")
    assert len(ended.stdout.splitlines()) == (not green)


@pytest.mark.parametrize(
    ("first", "green"), [("# Frontend Interaction Specification, the master", True), ("Sure!", False)]
)
def test_the_master_has_to_begin_as_a_specification(app: Path, first: str, green: bool) -> None:
    (app / MASTER).write_text(f"{first}\n")
    (check,) = tasks(app)[MASTER_ID].verify
    ended = subprocess.run(["sh", "-c", check.command], cwd=app, capture_output=True, check=False)
    assert (ended.returncode == 0) == green


def test_what_is_there_is_done_by_both_namings_and_an_empty_file_is_not(app: Path) -> None:
    (app / MASTER).write_text("# Frontend Interaction Specification\n")
    spec(app, "homepage.md")
    spec(app, "frontend-interaction-spec-BreadPage.md")
    spec(app, "orderspage.md", "")
    assert done(app) == {MASTER_ID, "HomePage", "BreadPage"}
    assert done(app, Choices(skip_existing=False)) == set()


def test_a_page_that_failed_is_not_done_whatever_lies_there(app: Path) -> None:
    spec(app, "homepage.md")
    spec(app, "breadpage.md", "Sure!\n")
    write_progress(app, Progress(completed=("HomePage",), failed=("BreadPage",)))
    assert done(app) == {"HomePage"}


def test_resume_leaves_what_is_completed_also_where_existing_ones_are_written_again(app: Path) -> None:
    (app / MASTER).write_text("# Frontend Interaction Specification\n")
    spec(app, "homepage.md")
    spec(app, "breadpage.md")
    write_progress(app, Progress(completed=("HomePage", "OrdersPage")))
    again = Choices(skip_existing=False)
    assert done(app, again) == set()
    assert done(app, again, resume=True) == {MASTER_ID, "HomePage"}  # OrdersPage has no file


def test_a_specification_that_begins_otherwise_is_kept_and_told(app: Path) -> None:
    spec(app, "homepage.md", "Sure, here it is:\n")
    (found,) = [found for found in read(app).findings if found.code == "page-spec-heading"]
    assert found.tasks == ("HomePage",)
    assert "HomePage" in done(app)


def test_routes_that_nobody_wrote_down_are_told(app: Path) -> None:
    (found,) = read(app).findings
    assert (found.code, found.severity, found.tasks) == ("page-route", "info", ("CheckoutPage",))
    assert found.location is not None and found.location.line == 11


def test_everything_that_is_missing_is_one_list(app: Path) -> None:
    (app / "specs" / "plan.md").unlink()
    (app / "shared" / "schema.zod.ts").unlink()
    shutil.rmtree(app / "shared" / "contracts")
    (found,) = [found for found in read(app).findings if found.severity == "error"]
    assert found.code == "missing-prerequisites"
    assert all(name in found.message for name in ("specs/plan.md", "shared/schema.zod.ts", "shared/contracts/"))
    (app / "specs" / "pages-and-routes.md").unlink()
    with pytest.raises(PlanError, match=r"specs/pages-and-routes\.md") as caught:
        survey(app)
    assert [found.code for found in caught.value.findings] == ["missing-prerequisites"]


def test_without_a_registry_the_contracts_stand_in_for_it(app: Path) -> None:
    (app / REGISTRY).unlink()
    assert "no-api-registry" in [found.code for found in read(app).findings]
    assert "orders.contract.ts" in tasks(app)["HomePage"].prompt


def test_a_folder_for_contracts_that_has_none_is_told(app: Path) -> None:
    for contract in (app / "shared" / "contracts").iterdir():
        contract.rename(contract.with_name("orders.ts"))
    assert "no-api-registry" not in [found.code for found in read(app).findings], "the registry tells of the API"
    (app / REGISTRY).unlink()
    assert all(found.severity != "error" for found in read(app).findings), "as the folder is there"
    (found,) = [found for found in read(app).findings if found.code == "no-api-registry"]
    assert f"neither a {REGISTRY} nor a shared/contracts/*.contract.ts" in found.message


def test_a_list_without_a_page_is_refused(app: Path) -> None:
    (app / "specs" / "pages-and-routes.md").write_text("# Pages\n\nNone yet.\n")
    with pytest.raises(PlanError, match="lists no page") as caught:
        read(app)
    assert [found.code for found in caught.value.findings] == ["no-pages"]


def test_a_file_of_settings_that_is_none_is_an_error_of_the_plan(app: Path) -> None:
    (app / "config" / "fis_generation.yaml").write_text("fis: [")
    with pytest.raises(PlanError, match="is no YAML"):
        read(app)


def test_a_master_that_begins_otherwise_or_failed_is_written_again(app: Path) -> None:
    master = app / MASTER
    master.write_text("Done.\n")
    assert MASTER_ID not in done(app)
    (found,) = [found for found in read(app).findings if found.code == "page-spec-heading"]
    assert found.tasks == (MASTER_ID,)
    master.write_text("# Frontend Interaction Specification - Master\n")
    assert MASTER_ID in done(app)
    for doubt in (Progress(failed=(MASTER_ID,)), Progress(unfinished=(MASTER_ID,))):
        write_progress(app, doubt)
        assert MASTER_ID not in done(app)


def test_what_was_begun_and_not_ended_is_not_done_until_it_lands(app: Path) -> None:
    spec(app, "homepage.md")
    spec(app, "breadpage.md")
    write_progress(app, Progress(completed=("HomePage", "BreadPage")).begin(["BreadPage", MASTER_ID]))
    assert done(app) == {"HomePage"}
    (data,) = keeper({STATE: (app / STATE).read_bytes()}, {"BreadPage": "succeeded", MASTER_ID: "succeeded"}).values()
    assert b"unfinished" not in data and b"master" not in data
    (app / STATE).write_bytes(data)
    assert done(app) == {"HomePage", "BreadPage"}


def test_a_red_check_says_in_words_what_the_first_line_has_to_be(app: Path) -> None:
    spec(app, "homepage.md", "## wrong heading\n")
    (check,) = tasks(app)["HomePage"].verify

    def said() -> tuple[int, str, str]:
        done = subprocess.run(["sh", "-c", check.command], cwd=app, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    wanted = "# Frontend Interaction Specification - HomePage"
    assert said() == (1, f"the first line has to be exactly: {wanted} (it is `## wrong heading`)\n", "")
    spec(app, "homepage.md", "")
    assert said() == (1, "specs/pages/homepage.md was not written\n", "")
    spec(app, "homepage.md", f"{wanted}\n\nmore\n")
    assert said() == (0, "", "")
