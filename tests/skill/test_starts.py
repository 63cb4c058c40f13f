"""Where episodes begin."""

import math

import pytest
import torch

from anyskill import rotation
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.errors import SkillError
from anyskill.skill.starts import StartConfig, Starts, to_origin
from anyskill.skill.termination import LYING
from tests.skill.made_up import SKELETON, Limp, Puppet

FEET = [SKELETON.index("right_foot"), SKELETON.index("left_foot")]


def make(config: StartConfig, controller: type[Puppet] = Puppet, worlds: int = 16) -> Starts:
    return Starts(MujocoCpu(worlds, threads=1), controller(), torch.Generator().manual_seed(0), config)


def test_disturbed_poses_stand_on_the_ground() -> None:
    starts = make(StartConfig(noise=0.1, moving=0.0))
    qpos, qvel = starts.draw(200)
    root, local = SKELETON.pose(qpos)
    positions, _ = SKELETON.forward(root, local)
    rest, _ = SKELETON.forward(torch.tensor([0.0, 0.0, 0.89]), rotation.identity(SKELETON.num_bodies))
    assert torch.allclose(positions[:, FEET, 2].amin(1), rest[FEET, 2].min().expand(200), atol=1e-5)
    dofs = SKELETON.dofs_from_rotations(local)
    free = dofs[:, [6, 7, 8]]  # a shoulder, far from its limits
    assert free.std().item() == pytest.approx(0.1, rel=0.1)
    assert not qvel.any()


def test_no_noise_is_the_initial_pose() -> None:
    qpos, _ = make(StartConfig(noise=0.0, moving=0.0)).draw(3)
    assert qpos[:, :7].tolist() == [pytest.approx([0, 0, 0.89, 1, 0, 0, 0])] * 3


def test_movements_are_of_bodies_that_stay_up_and_can_be_gone_on_with() -> None:
    starts = make(StartConfig(noise=0.0, moving=1.0))
    qpos, qvel = starts.draw(16)
    assert qpos[:, :2].abs().max() == 0.0
    assert rotation.heading(qpos[:, 3:7]).abs().max() < 1e-5
    starts.engine.reset(torch.arange(16), qpos, qvel)
    assert not LYING(starts.engine.state(), SKELETON).any()
    raised = starts.engine.state().positions[:, [5, 8], 2] > 1.5
    assert raised.any()  # latents that raise an arm were among those followed
    assert not raised.all()
    other = make(StartConfig(noise=0.0, moving=0.0))
    other.load_state_dict(starts.state_dict())
    assert len(other.state_dict()["qpos"]) == len(starts.state_dict()["qpos"])


def test_a_controller_that_cannot_stand_is_named() -> None:
    with pytest.raises(SkillError, match="moving = 0"):
        make(StartConfig(moving=0.5), Limp)


def test_a_movement_is_turned_as_a_whole() -> None:
    qpos, qvel = torch.zeros(1, 43), torch.zeros(1, 34)
    qpos[0, :3] = torch.tensor([2.0, -1.0, 0.8])
    qpos[0, 3:7] = rotation.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]), torch.tensor(math.pi / 2))
    qvel[0, :6] = torch.tensor([0.0, 3.0, 0.5, 0.1, 0.2, 0.3])
    qpos, qvel = to_origin(qpos, qvel)
    assert qpos[0, :7].tolist() == pytest.approx([0, 0, 0.8, 1, 0, 0, 0], abs=1e-6)
    assert qvel[0, :6].tolist() == pytest.approx([3.0, 0.0, 0.5, 0.1, 0.2, 0.3], abs=1e-6)
