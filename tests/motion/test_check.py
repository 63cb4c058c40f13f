from dataclasses import replace

import pytest
import torch

from anyskill import rotation
from anyskill.motion.check import check
from tests.motion.made_up import FPS, SKELETON, jump, squats

UP = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def test_a_clean_clip() -> None:
    result = check(squats())
    assert result.grounded
    assert (result.name, result.fps, result.flight) == ("squats", FPS, 0.0)
    assert result.duration == pytest.approx(89 / FPS)
    for value in (result.floating, result.penetration, result.sliding, result.beyond_limits, result.self_collision):
        assert value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("height", "floating", "penetration"), [(0.07, 0.07, 0.0), (-0.03, 0.0, 0.03)])
def test_height_over_the_ground(height: float, floating: float, penetration: float) -> None:
    clip = squats()
    result = check(replace(clip, root_positions=clip.root_positions + height * UP))
    assert result.floating == pytest.approx(floating, abs=1e-9)
    assert result.penetration == pytest.approx(penetration, abs=1e-9)
    assert not result.grounded


def test_flights_do_not_float() -> None:
    result = check(jump(0.5))
    assert result.flight == pytest.approx(15 / 106, abs=0.03)
    assert result.floating < 0.02


def test_sliding_is_the_feets_speed() -> None:
    clip = squats()
    ahead = torch.arange(clip.num_frames, dtype=torch.float64)[:, None] * torch.tensor([0.4, 0.3, 0.0]) / FPS
    assert check(replace(clip, root_positions=clip.root_positions + ahead)).sliding == pytest.approx(0.5)


def test_jerk_is_the_third_derivative() -> None:
    clip = squats()
    still = replace(clip, rotations=clip.rotations[:1].expand_as(clip.rotations).clone())
    time = torch.arange(clip.num_frames, dtype=torch.float64)[:, None] / FPS
    assert check(replace(still, root_positions=time**3 * UP)).jerk == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("body", "turn", "excess"), [("left_shin", (0, -0.2, 0), 0.2), ("head", (0, 0, 1.3), 1.3 - torch.pi / 3)]
)
def test_limits_are_those_of_the_simulator(body: str, turn: tuple[float, float, float], excess: float) -> None:
    clip = squats()
    local = clip.rotations.clone()
    local[:, SKELETON.index(body)] = rotation.from_rotation_vector(torch.tensor(turn, dtype=torch.float64))
    assert check(replace(clip, rotations=local)).beyond_limits == pytest.approx(
        float(torch.rad2deg(torch.tensor(excess)))
    )


def test_a_hinge_that_twists_is_beyond_its_limits() -> None:
    clip = squats()
    local = clip.rotations.clone()
    twist = rotation.from_rotation_vector(torch.tensor([0.0, 0.0, 0.3], dtype=torch.float64))
    shin = SKELETON.index("left_shin")
    local[:, shin] = rotation.multiply(local[:, shin], twist.expand_as(local[:, shin]))
    assert check(replace(clip, rotations=local)).beyond_limits == pytest.approx(17.2, abs=1.0)


def test_a_hand_in_the_belly_collides() -> None:
    clip = squats()
    dofs = SKELETON.dofs_from_rotations(clip.rotations)
    arm = SKELETON.dof_slices[SKELETON.index("left_upper_arm")]
    dofs[:, arm] = torch.tensor([-0.35, 0.35, 0.0], dtype=torch.float64)
    dofs[:, SKELETON.dof_slices[SKELETON.index("left_lower_arm")]] = -0.9
    inside = replace(clip, rotations=SKELETON.rotations_from_dofs(clip.rotations[:, 0], dofs))
    assert check(inside).self_collision > 0.02


def test_as_dict_is_everything() -> None:
    result = check(squats())
    assert result.as_dict()["jerk"] == result.jerk
    assert len(result.as_dict()) == 10
