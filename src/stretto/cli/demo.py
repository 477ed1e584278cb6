"""`stretto demo`: the whole story on a toy repository, and a check that it really happened."""

from __future__ import annotations


def demo() -> int:
    """Run a toy plan in a toy repository: no key, no network, nothing outside its own folder."""
    import os
    import shutil
    import sys
    import tempfile

    from stretto.cli import terminal
    from stretto.cli.stage import Stage, prove
    from stretto.engine.home import state_dir
    from stretto.engine.lock import RunLock

    folder = state_dir(os.environ) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    paint = terminal.paint(sys.stdout)
    with RunLock(folder / "lock"):
        for old in folder.glob("play-*"):  # of the demo before; the lock says that nobody plays there
            shutil.rmtree(old)
        stage = Stage(folder=folder, path=tempfile.mkdtemp(prefix="play-", dir=folder), paint=paint)
        stage.build()
        stage.say("A repository with one commit, and a plan of eight tasks for it. The agents only play scripts.")
        stage.perform("stretto", "check", "plan.yaml")
        stage.perform("stretto", "run", "plan.yaml", "--agent", "scripted", "--yes")
        stage.say("Everything is on a branch of its own. Your branch moves when you say so:")
        stage.perform("stretto", "land")
        stage.perform("git", "log", "--graph", "--oneline", "--no-decorate")
        print("\nWhat happened, by the run's own journal and by git:")
        failed = 0
        for what, happened in prove(stage):
            print(f"  {paint('yes', 'green') if happened else paint('NO ', 'red')}  {what}")
            failed += not happened
        print(f"\nThe toy is yours to look at, until the next demo: {stage.repository}")
    return 1 if failed else 0
