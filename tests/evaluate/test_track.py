"""What a track says of poses and movements whose answer is known."""

import math

import pytest
import torch

from anyskill import rotation
from anyskill.body.state import BodyState
from anyskill.evaluate.track import Track, change, frames, lasting, recently, reversals
from tests.evaluate.tracks import REST, SKELETON, moving, pose, side_by_side
from tests.motion.made_up import busy


def bools(text: str) -> torch.Tensor:
    return torch.tensor([letter == "x" for letter in text])[:, None]


def text(values: torch.Tensor) -> str:
    return "".join("x" if value else "." for value in values[:, 0])


def test_lasting_and_recently_look_back() -> None:
    assert text(lasting(bools("xx.xxxxx.x"), 0.1)) == ".....xxx.."
    assert text(recently(bools("..x......x"), 0.1)) == "..xxx....x"
    assert not lasting(bools("xxxx"), 1.0).any()
    assert text(recently(bools("x..."), 1.0)) == "xxxx"
    assert frames(0.0) == 1 and frames(1.0) == 30


def test_change_is_zero_until_there_is_a_past() -> None:
    value = torch.arange(6.0)[:, None] ** 2
    assert change(value, 0.1)[:, 0].tolist() == [0, 0, 0, 9, 15, 21]
    assert not change(value, 1.0).any()


def test_reversals_count_only_large_turns() -> None:
    time = torch.arange(120)[:, None] / 30
    wave = torch.sin(2 * math.pi * time)  # turns at 1/4 s and then every half second
    assert reversals(wave, 0.9, 4.0)[-1, 0] == 7  # the eighth has not come back far enough yet
    assert reversals(wave, 0.9, 2.0)[-1, 0] == 4
    assert not reversals(wave, 2.1, 4.0).any()
    assert not reversals(time, 0.1, 4.0).any()
    assert reversals((time - 2).abs(), 0.5, 4.0)[-1, 0] == 1


def test_it_does_not_matter_where_the_body_is_and_faces() -> None:
    here = side_by_side([busy(), busy(seed=1)])
    turn = rotation.from_rotation_vector(torch.tensor([0.0, 0.0, 2.0]))
    states = here.states
    there = Track(
        BodyState(
            rotation.rotate(turn, states.positions) + torch.tensor([3.0, -2.0, 0.0]),
            rotation.multiply(turn, states.rotations),
            states.linear_velocities,
            states.angular_velocities,
            states.contact_forces,
        ),
        SKELETON,
    )
    for name in ("trunk", "lean"):
        assert torch.allclose(getattr(here, name), getattr(there, name), atol=2e-1 if name == "lean" else 1e-4)
    assert torch.allclose(here.arm("left"), there.arm("left"), atol=1e-4)
    assert torch.allclose(here.clearance(), there.clearance(), atol=1e-4)
    assert torch.allclose(here.heading - here.heading[:1], there.heading - there.heading[:1], atol=1e-2)


def test_forward_stays_forward_in_a_deep_bow() -> None:
    bent = pose(turn=(0, 100, 0))
    assert torch.allclose(
        bent.trunk[0, 0], torch.tensor([math.sin(math.radians(100)), 0, math.cos(math.radians(100))]), atol=1e-4
    )
    assert bent.lean[0, 0] == pytest.approx(100, abs=0.01)


def test_bends_and_limbs() -> None:
    track = pose(left_lower_arm=(0, -90, 0), right_shin=(0, 60, 0), left_upper_arm=(90, 0, 0))
    assert track.elbow("left")[0, 0] == pytest.approx(90, abs=0.1)
    assert track.elbow("right")[0, 0] == pytest.approx(0, abs=0.1)
    assert track.knee("right")[0, 0] == pytest.approx(60, abs=0.1)
    assert pose(left_upper_arm=(90, 0, 0)).arm("left")[0, 0].tolist() == pytest.approx([0, 0.5337, 0], abs=1e-3)
    assert track.head[0, 0, 2] == pytest.approx(REST + 0.236151 + 0.223894 + 0.175, abs=1e-4)


def test_turns_add_up_and_speeds_are_the_bodys_own() -> None:
    spin = moving(turn=lambda t: (0.0, 0.0, 150 * t), seconds=4)
    assert (spin.heading[-1] - spin.heading[0])[0] == pytest.approx(150 * 119 / 30, abs=0.1)
    sideways = moving(lambda t: (0.0, 0.4 * t, REST), lambda t: (0.0, 0.0, 90.0))
    assert sideways.velocity(sideways.position("pelvis"))[10, 0].tolist() == pytest.approx([0.4, 0, 0], abs=1e-4)
