"""Feet on the ground, against speeds known by construction."""

from dataclasses import replace

import torch

from anyskill.body.state import BodyState
from anyskill.controller.feet import sliding
from anyskill.motion.check import sliding as sliding_of_clip
from tests.controller.made_up import SKELETON

HEIGHT = 0.881  # of the pelvis, with straight legs on the ground


def standing(worlds: int) -> BodyState:
    positions, rotations = SKELETON.forward(*SKELETON.pose(SKELETON.initial_qpos.repeat(worlds, 1)))
    positions[..., 2] += HEIGHT - positions[:, :1, 2]
    nothing = torch.zeros_like(positions)
    return BodyState(positions, rotations, nothing, nothing.clone(), nothing)


def test_sliding_is_the_speed_of_the_steadiest_corner_on_the_ground() -> None:
    state = standing(4)
    right, left = SKELETON.index("right_foot"), SKELETON.index("left_foot")
    linear = state.linear_velocities.clone()
    linear[1, [right, left], 0] = torch.tensor([0.3, -0.4], dtype=linear.dtype)  # both slide, the left one faster
    linear[2, right, 1] = 0.5  # the left one stays
    linear[3] = 0.6
    positions = state.positions.clone()
    positions[3, :, 2] += 0.05  # in the air
    moving = replace(state, positions=positions, linear_velocities=linear)
    torch.testing.assert_close(sliding(moving, SKELETON), torch.tensor([0.0, 0.3, 0.0, 0.0], dtype=torch.float64))


def test_a_sole_that_turns_about_a_corner_does_not_slide() -> None:
    state = standing(1)
    feet = [SKELETON.index("right_foot"), SKELETON.index("left_foot")]
    angular, linear = state.angular_velocities.clone(), state.linear_velocities.clone()
    angular[0, feet, 2] = 2.0
    # The front right corner is at (0.1335, -0.045) from the ankle; where it is, velocity is v + ω × r = 0.
    linear[0, feet, :2] = -2.0 * torch.tensor([0.045, 0.1335], dtype=linear.dtype)
    turning = replace(state, linear_velocities=linear, angular_velocities=angular)
    assert float(sliding(turning, SKELETON)[0]) < 1e-6
    assert float(sliding(replace(turning, linear_velocities=state.linear_velocities), SKELETON)[0]) > 0.1


def test_it_agrees_with_the_check_of_a_clip() -> None:
    frames, fps = 31, 30.0
    state = standing(frames)
    positions = state.positions + torch.linspace(0, 0.2, frames, dtype=torch.float64)[:, None, None] * torch.tensor(
        [1.0, 0, 0]
    )
    velocity = torch.zeros_like(positions)
    velocity[..., 0] = 0.2
    moving = replace(state, positions=positions, linear_velocities=velocity)
    whole = sliding_of_clip(SKELETON.character, positions, state.rotations, fps)
    assert abs(float(sliding(moving, SKELETON).mean()) - whole) < 1e-6
