from dataclasses import replace

import pytest
import torch

from anyskill.body.humanoid import SWORD_AND_SHIELD
from anyskill.motion.errors import MotionError
from anyskill.motion.physics_check import physics_check
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.motion.made_up import squats


def test_squats_are_followed_longer_than_the_impossible() -> None:
    slow = squats(frames=45)
    still = replace(slow, rotations=slow.rotations[:1].expand_as(slow.rotations).clone())
    still = replace(still, root_positions=slow.root_positions[:1].expand_as(slow.root_positions).clone())
    drift = torch.arange(45, dtype=torch.float64)[:, None] * torch.tensor([0.2, 0.0, 0.0], dtype=torch.float64)
    gliding = replace(still, root_positions=still.root_positions + drift)  # at 6 m/s, standing still
    hovering = replace(still, root_positions=still.root_positions + torch.tensor([0.0, 0.0, 1.0]).double())
    followed = physics_check([still, gliding, hovering], MujocoCpu(3, threads=1))
    assert followed[0] == pytest.approx(still.duration)
    assert followed[1] < 1.0
    assert followed[2] == pytest.approx((2 * 0.5 / 9.81) ** 0.5, abs=0.05)  # it falls half a metre


def test_other_rates_are_resampled() -> None:
    clip = squats(frames=31).resampled(60)
    assert physics_check([clip], MujocoCpu(1, threads=1))[0] <= clip.duration + 1e-6


def test_it_wants_one_world_a_clip_of_its_character() -> None:
    with pytest.raises(MotionError, match="as many worlds"):
        physics_check([squats()], MujocoCpu(2, threads=1))
    with pytest.raises(MotionError, match="is of humanoid"):
        physics_check([squats()], MujocoCpu(1, SWORD_AND_SHIELD, threads=1))
