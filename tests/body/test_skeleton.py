"""Kinematics against C MuJoCo, and the three ways to write a pose against each other."""

import mujoco
import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import CHARACTERS, HUMANOID, Character
from anyskill.body.model import build_model
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.body.state import BodyState

both = pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)


def random_pose(skeleton: Skeleton, generator: torch.Generator, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Root positions and local rotations with every joint inside its limits, as far as rotation vectors go."""
    low, high = skeleton.limits.T
    dofs = low + (high - low) * torch.rand(n, skeleton.num_dof, generator=generator, dtype=torch.float64)
    root = rotation.normalize(torch.randn(n, 4, generator=generator, dtype=torch.float64))
    return torch.randn(n, 3, generator=generator, dtype=torch.float64), skeleton.rotations_from_dofs(root, dofs)


@both
def test_forward_kinematics_equals_mujoco(character: Character) -> None:
    skeleton, model = skeleton_of(character), build_model(character)
    data = mujoco.MjData(model)
    root, local = random_pose(skeleton, torch.Generator().manual_seed(0), 20)
    positions, rotations = skeleton.forward(root, local)
    qpos = skeleton.qpos(root, local)
    for i in range(20):
        data.qpos[:] = qpos[i]
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(positions[i], data.xpos[1:], atol=1e-12)
        np.testing.assert_allclose((rotations[i].numpy() * data.xquat[1:]).sum(-1) ** 2, 1.0, atol=1e-12)


@both
def test_velocities_equal_mujoco(character: Character) -> None:
    """``BodyState.qvel`` inverts mj_objectVelocity of body frames in the world."""
    skeleton, model = skeleton_of(character), build_model(character)
    data = mujoco.MjData(model)
    generator = torch.Generator().manual_seed(1)
    root, local = random_pose(skeleton, generator, 5)
    for i in range(5):
        data.qpos[:] = skeleton.qpos(root[i], local[i])
        data.qvel[:] = torch.randn(model.nv, generator=generator, dtype=torch.float64)
        mujoco.mj_forward(model, data)
        velocity = np.zeros((skeleton.num_bodies, 6))
        for body in range(skeleton.num_bodies):
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body + 1, velocity[body], 0)
        velocity = torch.from_numpy(velocity)
        positions, rotations = skeleton.forward(root[i], local[i])
        state = BodyState(positions, rotations, velocity[:, 3:], velocity[:, :3], torch.zeros_like(positions))
        np.testing.assert_allclose(state.qvel(skeleton), data.qvel, atol=1e-9)
        np.testing.assert_allclose(state.qpos(skeleton)[:3], data.qpos[:3], atol=1e-12)


@both
def test_all_ways_to_write_a_pose_agree(character: Character) -> None:
    skeleton = skeleton_of(character)
    root, local = random_pose(skeleton, torch.Generator().manual_seed(2), 30)
    dofs = skeleton.dofs_from_rotations(local)
    again = skeleton.rotations_from_dofs(local[:, 0], dofs)
    np.testing.assert_allclose((again * local).sum(-1).abs(), 1.0, atol=1e-9)
    position, back = skeleton.pose(skeleton.qpos(root, local))
    np.testing.assert_allclose(position, root)
    np.testing.assert_allclose((back * local).sum(-1).abs(), 1.0, atol=1e-9)
    np.testing.assert_allclose((skeleton.local_rotations(skeleton.forward(root, local)[1]) * local).sum(-1).abs(), 1.0)


def test_action_scaling_equals_the_published_table() -> None:
    """Facts 1.5: offset and scale of every group, in degrees."""
    skeleton = skeleton_of(HUMANOID)
    expected = {
        "torso": (0, 108),
        "head": (0, 72),
        "right_upper_arm": (0, 180),
        "right_lower_arm": (-80, 112),
        "left_upper_arm": (0, 180),
        "left_lower_arm": (-80, 112),
        "right_thigh": (0, 168),
        "right_shin": (80, 112),
        "right_foot": (0, 66),
        "left_thigh": (0, 168),
        "left_shin": (80, 112),
        "left_foot": (0, 66),
    }
    assert [skeleton.names[body] for body in skeleton.dof_slices] == list(expected)
    for body, slot in skeleton.dof_slices.items():
        offset, scale = expected[skeleton.names[body]]
        np.testing.assert_allclose(torch.rad2deg(skeleton.action_offset[slot]), offset, atol=1e-9)
        np.testing.assert_allclose(torch.rad2deg(skeleton.action_scale[slot]), scale, atol=1e-9)
    assert [slot.start for slot in skeleton.dof_slices.values()] == [0, 3, 6, 9, 10, 13, 14, 17, 18, 21, 24, 25]


def test_sizes_of_both_characters() -> None:
    plain, armed = (skeleton_of(character) for character in CHARACTERS.values())
    assert (plain.num_bodies, plain.num_dof, armed.num_bodies, armed.num_dof) == (15, 28, 17, 31)
    assert [plain.names[i] for i in plain.key_bodies] == ["right_hand", "left_hand", "right_foot", "left_foot"]
    assert [armed.names[i] for i in armed.dof_slices] == [
        armed.names[i] for i in (1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 14, 15, 16)
    ]
