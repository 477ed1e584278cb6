"""What has shed session, environment, descent and leash ends no later than the attempt that it may have come from.

Every story runs in this process, and again as the engine below a real warden, which tells it by its exit code.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stretto.engine import launch
from stretto.engine.home import RunHome
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec
from unit.engine import living
from unit.engine.living import sleepers, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Scene:
    """One engine, and a folder for each of its attempts."""

    def __init__(self, place: Path, number: str) -> None:
        self.place, self.number = place, number
        self.supervisor = ProcessSupervisor()

    def folder(self, task: str) -> Path:
        path = self.place / task
        path.mkdir(exist_ok=True)
        return path

    def left(self) -> int:
        return len(sleepers(self.number))

    def getaway(self, *, folder: Path | str = "/", file: Path | str = os.devnull) -> str:
        return living.getaway("sleep", self.number, folder=folder, file=file)

    async def run(self, task: str, script: str, folder: Path | None = None) -> None:
        spec = ProcessSpec(
            argv=("sh", "-c", script),
            cwd=folder or self.folder(task),
            env={"PATH": os.environ["PATH"]},
            log=self.place / f"{task}.log",
            timeout_s=60,
            cookie=(f"run-{self.number}", task, "1"),
        )
        await self.supervisor.run(spec)

    @asynccontextmanager
    async def alive(self, task: str, script: str = ":", folder: Path | None = None) -> AsyncIterator[None]:
        """While another attempt is at work, which has run the script before anything else."""
        up = self.place / f"{task} is up"
        running = asyncio.create_task(self.run(task, f"{script}; echo > '{up}'; exec sleep 1000", folder))
        assert await asyncio.to_thread(until, up.exists)
        yield
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})


async def it_only_left_the_session_and_wiped_its_environment(scene: Scene) -> None:
    wiped = f"(env -i PATH=$PATH setsid sh -c 'cd /; sleep {scene.number}' >/dev/null 2>&1 &); sleep 0.1"
    async with scene.alive("b"):
        await scene.run("a", wiped)
        assert scene.left() == 0
    await scene.run("a", wiped)
    assert scene.left() == 0


async def its_folder_tells_it_at_once(scene: Scene) -> None:
    below = scene.folder("a") / "below"
    below.mkdir()
    async with scene.alive("b"):
        await scene.run("a", scene.getaway(folder=below))
        assert scene.left() == 0
        await scene.run("a", scene.getaway(folder=below) + "; rm -r below")
        assert scene.left() == 0
        await scene.run("a", scene.getaway(folder=scene.folder("a")) + "; rm -r ../a")
        assert scene.left() == 0


async def a_file_that_it_has_open_tells_it_at_once(scene: Scene) -> None:
    async with scene.alive("b"):
        await scene.run("a", scene.getaway(file=scene.folder("a") / "server.log"))
        assert scene.left() == 0


async def in_the_folder_of_one_that_lives_it_lives_as_long(scene: Scene) -> None:
    async with scene.alive("b", scene.getaway(folder=scene.folder("b"))):
        async with scene.alive("c", scene.getaway(file=scene.folder("c") / "server.log")):
            await scene.run("a", "exit 0")
            assert scene.left() == 2
        assert scene.left() == 1
    assert scene.left() == 0


async def in_a_folder_that_two_share_it_lives_as_long_as_either(scene: Scene) -> None:
    shared = scene.folder("shared")
    async with scene.alive("b", folder=shared):
        await scene.run("a", scene.getaway(folder=shared), shared)
        assert scene.left() == 1
    assert scene.left() == 0


async def without_a_place_only_a_warden_tells_it(scene: Scene) -> None:
    await scene.run("a", scene.getaway())
    assert scene.left() == (0 if below_a_warden() else 1)


async def without_a_place_it_is_spared_while_its_attempt_lives(scene: Scene) -> None:
    async with scene.alive("b", scene.getaway()):
        await scene.run("a", "exit 0")
        assert scene.left() == 1
    assert scene.left() == (0 if below_a_warden() else 1)


async def without_a_place_it_is_spared_while_any_lives_that_may_have_started_it(scene: Scene) -> None:
    async with scene.alive("older"):
        await scene.run("a", scene.getaway())
        assert scene.left() == 1  # for all that is known, it is the older one's
    assert scene.left() == (0 if below_a_warden() else 1)


async def without_a_place_it_is_not_spared_for_one_that_began_later(scene: Scene) -> None:
    parent = asyncio.create_task(scene.run("a", scene.getaway() + "; until test -e go; do sleep 0.01; done"))
    assert await asyncio.to_thread(until, lambda: scene.left() == 1)
    await asyncio.sleep(0.02)  # a start time is told in hundredths of a second
    async with scene.alive("younger"):
        (scene.folder("a") / "go").touch()
        await parent
        assert scene.left() == (0 if below_a_warden() else 1)


async def those_that_end_at_once_do_not_leave_it_to_each_other(scene: Scene) -> None:
    work = f"{scene.getaway()}; exec sleep 1000"
    ends = [asyncio.create_task(scene.run(task, work)) for task in "abcdef"]
    assert await asyncio.to_thread(until, lambda: scene.left() == len(ends))
    for end in ends:
        end.cancel()
    await asyncio.wait(ends)
    assert scene.left() == (0 if below_a_warden() else len(ends))


async def it_is_its_childrens_who_bear_the_mark_of_one_that_lives(scene: Scene) -> None:
    """A launcher without a mark, in somebody else's folder, of a server with a mark."""
    server = f"STRETTO_RUN=run-{scene.number} STRETTO_TASK=b STRETTO_ATTEMPT=1 sleep {scene.number}; :"
    async with scene.alive("b", living.getaway("sh", "-c", server, folder=scene.folder("a"))):
        assert await asyncio.to_thread(until, lambda: scene.left() == 1)
        await scene.run("a", "exit 0")
        assert scene.left() == 1
    assert scene.left() == 0


async def strangers_in_the_folder_are_left_alone(scene: Scene) -> None:
    """Not those that the engine itself has started, nor, without a warden, what was there before."""
    folder = scene.folder("a")
    if not below_a_warden():
        earlier = await asyncio.create_subprocess_shell(scene.getaway(folder=folder))
        await earlier.wait()
        await asyncio.sleep(0.02)
    attempt = asyncio.create_task(scene.run("a", "echo > up; until test -e go; do sleep 0.01; done"))
    assert await asyncio.to_thread(until, (folder / "up").exists)
    mine = await asyncio.create_subprocess_exec("sleep", scene.number, cwd=folder, start_new_session=True)
    strangers = 1 if below_a_warden() else 2
    assert await asyncio.to_thread(until, lambda: scene.left() == strangers)
    (folder / "go").touch()
    await attempt
    assert scene.left() == strangers
    mine.kill()
    await mine.wait()


STORIES: dict[str, Callable[[Scene], Coroutine[None, None, None]]] = {
    story.__name__: story
    for story in (
        it_only_left_the_session_and_wiped_its_environment,
        its_folder_tells_it_at_once,
        a_file_that_it_has_open_tells_it_at_once,
        in_the_folder_of_one_that_lives_it_lives_as_long,
        in_a_folder_that_two_share_it_lives_as_long_as_either,
        without_a_place_only_a_warden_tells_it,
        without_a_place_it_is_spared_while_its_attempt_lives,
        without_a_place_it_is_spared_while_any_lives_that_may_have_started_it,
        without_a_place_it_is_not_spared_for_one_that_began_later,
        those_that_end_at_once_do_not_leave_it_to_each_other,
        it_is_its_childrens_who_bear_the_mark_of_one_that_lives,
        strangers_in_the_folder_are_left_alone,
    )
}


def below_a_warden() -> bool:
    return "STORY" in os.environ


def tell(name: str, place: str, number: str) -> None:
    asyncio.run(asyncio.wait_for(STORIES[name](Scene(Path(place), number)), timeout=60))


@pytest.mark.parametrize("story", STORIES)
def test_r8_2_by_itself(story: str, number: str, tmp_path: Path) -> None:
    tell(story, str(tmp_path), number)


@pytest.mark.parametrize("story", STORIES)
def test_r8_2_below_a_warden(story: str, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("STORY", story)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
    script = "import sys; from unit.engine.test_getaways import tell; tell(*sys.argv[1:])"
    home = RunHome(path=tmp_path)
    with launch.start(home, argv=[sys.executable, "-c", script, story, str(place), number]) as warden:
        code = warden.wait(timeout=70)
    assert code == 0, home.engine_log.read_text()
    assert sleepers(number) == []
