"""An app folder as a plan: the master first, which stops everything when it fails, then every page on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from stretto.errors import ConfigError, PlanError
from stretto.model.plan import Check, Defaults, Finding, Location, Phase, Plan, Task, TaskStatus, Value
from stretto.recipes.page_specs import settings
from stretto.recipes.page_specs.folder import (
    CONTRACT,
    CONTRACTS,
    HEADING,
    MASTER,
    PAGES,
    REGISTRY,
    Texts,
    begins_well,
    is_filled,
    missing,
    spec_path,
    texts_of,
    written,
)
from stretto.recipes.page_specs.pages import Page, guessed, pages_of
from stretto.recipes.page_specs.prompt import first_line, master_prompt, page_prompt, shared_prompt
from stretto.recipes.page_specs.settings import MASTER_TIMEOUT_S, Choices
from stretto.recipes.page_specs.state import FILE as STATE
from stretto.recipes.page_specs.state import MASTER_ID, Progress, read_progress
from stretto.recipes.recipe import Made

NAME: Final = "page-specs"


class Ground(Value, frozen=True, kw_only=True):
    """What a folder holds: the pages, and what has been made of them."""

    folder: Path
    texts: Texts
    pages: tuple[Page, ...]
    progress: Progress | None
    """None: there is no state file."""

    def master_status(self, *, skip: bool, resume: bool) -> TaskStatus:
        """A master is done that begins as one, and whose last generation did not fail or break off."""
        path = self.folder / MASTER
        well = begins_well(path) and MASTER_ID not in (self.progress or Progress()).doubtful
        return "succeeded" if well and (skip or (resume and self.progress is not None)) else "pending"

    def status(self, page: Page, *, skip: bool, resume: bool) -> TaskStatus:
        """A page that has a specification is done, but for one that the state file calls failed or unfinished."""
        progress = self.progress or Progress()
        if written(self.folder, page.name) is None:
            return "pending"
        if skip:
            return "pending" if page.name in progress.doubtful else "succeeded"
        return "succeeded" if resume and page.name in progress.completed else "pending"


def read(folder: Path) -> Made:
    """The plan by the app's own file of settings. Raises PlanError."""
    try:
        choices, findings = settings.of_file(folder)
    except ConfigError as error:
        raise PlanError(str(error), hint=error.hint) from error
    return make(survey(folder), choices, findings=findings)


def survey(folder: Path) -> Ground:
    """What lies in the folder. Raises PlanError, with one finding that lists all that is missing."""
    lacking = missing(folder)
    texts = texts_of(folder)
    if not texts.pages:
        raise _no_plan(lacking or Finding(code="no-pages", severity="error", message=f"{folder / PAGES} is empty"))
    pages = pages_of(texts.pages)
    if not pages:
        raise _no_plan(
            Finding(
                code="no-pages",
                severity="error",
                message=f"{folder / PAGES} lists no page",
                hint="a line a page, such as: - **HomePage**: what it is for (Route: /)",
                location=Location(file=str(folder / PAGES), line=1, column=1),
            )
        )
    return Ground(folder=folder, texts=texts, pages=pages, progress=read_progress(folder))


def make(
    ground: Ground,
    choices: Choices,
    *,
    resume: bool = False,
    keep_master: bool = False,
    findings: Sequence[Finding] = (),
) -> Made:
    """The plan. Where existing ones are not skipped, `resume` does so with pages that the state file calls completed,
    and `keep_master` with the master."""
    skip = True if choices.skip_existing is None else choices.skip_existing
    shared = shared_prompt(ground.texts, ground.pages)
    master = Task(
        id=MASTER_ID,
        phase="master",
        title="Master specification",
        prompt=master_prompt(ground.texts, ground.pages),
        writes=(MASTER,),
        artifacts=(MASTER,),
        verify=(_begins(MASTER, HEADING, whole=False),),
        effect="artifact",
        critical=True,
        timeout_s=choices.master_timeout_s or MASTER_TIMEOUT_S,
        status=ground.master_status(skip=skip or keep_master, resume=resume),
    )
    tasks = [
        Task(
            id=page.name,
            phase="pages",
            title=f"{page.name} ({page.route})",
            prompt=page_prompt(shared, ground.pages, at),
            depends_on=(MASTER_ID,),
            writes=(spec_path(page.name),),
            artifacts=(spec_path(page.name),),
            verify=(_begins(spec_path(page.name), first_line(page.name), whole=True),),
            effect="artifact",
            status=ground.status(page, skip=skip, resume=resume),
        )
        for at, page in enumerate(ground.pages)
    ]
    phases = (
        Phase(id="master", title="Master"),
        Phase(id="pages", title="Pages", max_parallel=choices.parallel),
    )
    plan = Plan(
        name=f"{ground.folder.resolve().name} page specs",
        format=NAME,
        isolation="none",
        status_files=(STATE,),
        phases=phases,
        tasks=(master, *tasks),
        defaults=Defaults(timeout_s=choices.timeout_s, attempts=choices.attempts),
    )
    source = str(ground.folder / PAGES)
    places = {f"task:{page.name}": Location(file=source, line=page.line, column=page.column) for page in ground.pages}
    places["plan"] = Location(file=source, line=1, column=1)
    return Made(plan=plan, places=places, findings=(*_found(ground, plan), *findings))


def _begins(path: str, wanted: str, *, whole: bool) -> Check:
    """A check of the first line; of a wrong one it says in one line what it is and what it has to be, for people."""
    there = f"test -s {quote(path)} || {{ echo {quote(f'{path} was not written')}; exit 1; }}"
    first = f"head -n 1 {quote(path)}"
    fits = f"grep -qxF {quote(wanted)}" if whole else f"grep -q {quote(f'^{wanted}')}"
    has = "the first line has to %s: %s (it is `%s`)\\n"
    how = "be exactly" if whole else "begin with"
    told = f'printf {quote(has)} {quote(how)} {quote(wanted)} "$({first} | cut -c 1-100)"'
    return Check(command=f"{there}; {first} | {fits} || {{ {told}; false; }}")


def _without_registry(ground: Ground) -> Finding:
    if ground.texts.contracts:
        told = f"there is no {REGISTRY}: the writers of pages get the contracts in its place"
        hint = "leave it so, or generate the registry first"
    else:
        told = (
            f"there is neither a {REGISTRY} nor a {CONTRACTS}/{CONTRACT}: the writers of pages learn nothing of the API"
        )
        hint = f"generate the registry, or put the contracts there as {CONTRACT}"
    return Finding(code="no-api-registry", severity="warning", message=told, hint=hint)


def _found(ground: Ground, plan: Plan) -> Iterator[Finding]:
    lacking = missing(ground.folder)
    if lacking is not None:
        yield lacking
    if ground.texts.registry is None:
        yield _without_registry(ground)
    source = str(ground.folder / PAGES)
    if unknown := guessed(ground.pages):
        yield Finding(
            code="page-route",
            severity="info",
            message=f"no route is written down for {_listed(unknown)}: taken from the name, such as {unknown[0].route}",
            hint=f"write it behind the name: - **{unknown[0].name}**: what it is for (Route: {unknown[0].route})",
            location=Location(file=source, line=unknown[0].line, column=unknown[0].column),
            tasks=tuple(page.name for page in unknown),
        )
    if is_filled(ground.folder / MASTER) and not begins_well(ground.folder / MASTER):
        yield Finding(
            code="page-spec-heading",
            severity="warning",
            message=f"{MASTER} does not begin with `{HEADING}`, so it is written again",
            hint="to keep it, mend its first line",
            location=Location(file=str(ground.folder / MASTER), line=1, column=1),
            tasks=(MASTER_ID,),
        )
    done = {task.id for task in plan.tasks if task.status == "succeeded"}
    for page in ground.pages:
        path = written(ground.folder, page.name) if page.name in done else None
        if path is not None and not begins_well(ground.folder / path):
            yield Finding(
                code="page-spec-heading",
                severity="warning",
                message=f"{path} is there, so {page.name} counts as done; but it does not begin with `{HEADING}`",
                hint="look at it, and remove it to have it written again",
                location=Location(file=str(ground.folder / path), line=1, column=1),
                tasks=(page.name,),
            )


def _listed(pages: Sequence[Page]) -> str:
    names = ", ".join(page.name for page in pages[:5])
    return f"{names} and {len(pages) - 5} more" if len(pages) > 5 else names


def _no_plan(finding: Finding) -> PlanError:
    return PlanError(finding.message, hint=finding.hint, findings=(finding,))
