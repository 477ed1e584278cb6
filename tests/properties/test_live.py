"""The live view over simulated runs: whatever happens to a run, a frame of it can be drawn, and keeps to the screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stretto.core.coordinator import Coordinator
from stretto.observe.cells import painted, wide
from stretto.observe.live import Key, Look, frame
from stretto.observe.pace import Pace
from stretto.observe.paint import Paint
from stretto.observe.taskrow import Scene, measure
from stretto.testing.fate import DEEDS, Fate
from stretto.testing.simulator import Simulation
from stretto.testing.strategies import Begun, drawn, fates

KEYS: tuple[Key, ...] = ("stop", "detach", "quit", "scroll", "help")
LOOKS = st.builds(
    Look, keys=st.sampled_from([(), KEYS]), everything=st.booleans(), offset=st.integers(-5, 50), help=st.booleans()
)


@given(drawn(), fates(DEEDS), LOOKS, st.integers(1, 250), st.integers(1, 60), st.text(max_size=30), st.floats(0, 1e6))
def test_a_frame_of_any_run_keeps_to_its_screen(
    run: Begun, fate: Fate, look: Look, width: int, height: int, said: str, later_s: float
) -> None:
    """After every event of the run; drawing changes nothing of it."""
    simulation = Simulation(*run, fate)
    simulation.run()
    coordinator, pace, paint = Coordinator(), Pace(), Paint(on=True)
    for event, commands in simulation.journal:
        assert coordinator.handle(event) == commands, "drawing has changed what follows"
        pace.notify(event)
        state = coordinator.state
        now = state.at + later_s
        scene = Scene(
            coordinator=coordinator,
            now=now,
            forecast=pace.forecast(coordinator, now),
            took_s=pace.took_s,
            tails={(record.id, record.attempt): said for record in state.tasks},
            widths=measure(state.plan),
        )
        lines, look = frame(scene, look, width, height)
        assert 0 < len(lines) <= height
        for line in lines:
            assert wide(line) <= width
            assert "\n" not in painted(line, paint)
