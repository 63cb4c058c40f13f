"""The flight recorder by itself: what it keeps when it looks for lost worlds only now and then, as on a GPU."""

from pathlib import Path

import numpy as np
import pytest
import torch

from anyskill.body.humanoid import SWORD_AND_SHIELD
from anyskill.body.model import Physics
from anyskill.sim.errors import SimulationError
from anyskill.sim.recorder import MAX_SPEED, STEPS, FlightRecorder, load_flight

SIZES = (4, 3, 2)
PHYSICS = Physics(self_collision=False, friction=0.7)


def recorder(folder: Path | None, period: int, limit: int = 5) -> FlightRecorder:
    return FlightRecorder(3, SIZES, SWORD_AND_SHIELD, PHYSICS, torch.device("cpu"), folder, period, limit)


def feed(it: FlightRecorder, first: int, count: int, bad: dict[int, int] | None = None) -> list[list[bool]]:
    """Steps numbered from ``first``, which is what each keeps; ``bad`` says at which step which world is lost."""
    answers = []
    for step in range(first, first + count):
        qpos, qvel, targets = (torch.full((3, size), float(step)) for size in SIZES)
        if bad and step in bad:
            qvel[bad[step], 1] = -2 * MAX_SPEED
        answers.append(it.record(qpos, qvel, targets).tolist())
    return answers


@pytest.mark.parametrize("period", [1, 7, STEPS])
@pytest.mark.parametrize("lost_at", [40, 55, 59])
def test_the_last_second_is_kept_until_it_is_looked_at(tmp_path, period, lost_at):
    it = recorder(tmp_path, period)
    answers = feed(it, 0, 3 * STEPS, {lost_at: 1})
    assert [step for step, lost in enumerate(answers) if any(lost)] == [lost_at]
    assert answers[lost_at] == [False, True, False]
    (path,) = tmp_path.iterdir()
    flight = load_flight(path)
    assert flight.character is SWORD_AND_SHIELD
    assert flight.physics == PHYSICS
    steps = list(range(lost_at - STEPS + 1, lost_at + 1))
    assert flight.qpos[:, 0].tolist() == steps
    assert flight.targets[:, 1].tolist() == steps
    assert flight.qvel[-1].tolist() == [lost_at, -2 * MAX_SPEED, lost_at]


def test_nothing_from_before_a_reset_is_kept(tmp_path):
    it = recorder(tmp_path, period=STEPS)
    feed(it, 0, 20)
    it.restart(torch.tensor([1]))
    feed(it, 20, 40, {24: 1})
    (path,) = tmp_path.iterdir()
    assert load_flight(path).qpos[:, 0].tolist() == [20, 21, 22, 23, 24]


def test_being_lost_is_a_reset_too(tmp_path):
    it = recorder(tmp_path, period=1)
    feed(it, 0, 10, {4: 2, 7: 2})
    lengths = sorted(len(load_flight(path).qpos) for path in tmp_path.iterdir())
    assert lengths == [3, 5]


def test_the_limit_holds(tmp_path):
    it = recorder(tmp_path, period=1, limit=2)
    feed(it, 0, 10, {1: 0, 2: 1, 3: 2, 4: 0})
    assert len(list(tmp_path.iterdir())) == it.dumped == 2


def test_without_a_folder_it_only_judges():
    assert feed(recorder(None, period=1), 0, 3, {1: 0}) == [[False] * 3, [True, False, False], [False] * 3]


def test_what_counts_as_lost():
    it = recorder(None, period=1)
    for value, lost in ((torch.nan, True), (torch.inf, True), (-torch.inf, True), (MAX_SPEED - 1, False)):
        qvel = torch.zeros(3, 3)
        qvel[1, 2] = value
        assert it.record(torch.zeros(3, 4), qvel, torch.zeros(3, 2)).tolist() == [False, lost, False]
    targets = torch.zeros(3, 2)
    targets[0, 0] = torch.nan
    assert it.record(torch.zeros(3, 4), torch.zeros(3, 3), targets).tolist() == [True, False, False]


def test_recordings_that_are_none_are_refused(tmp_path):
    with pytest.raises(SimulationError, match="no such file"):
        load_flight(tmp_path / "nothing.npz")
    path = tmp_path / "text.npz"
    path.write_text("not a recording")
    with pytest.raises(SimulationError, match=r"text\.npz is not a recording"):
        load_flight(path)
    np.savez(path, qpos=np.zeros(3))
    with pytest.raises(SimulationError, match="is not a recording"):
        load_flight(path)
