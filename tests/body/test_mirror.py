"""Mirrors of vectors against the mirrored body they describe."""

import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.mirror import AXIAL, POLAR, QUATERNION, dof_mirror, policy_mirror, position_mirror, swapped_bodies
from anyskill.body.observation import policy_blocks, policy_observation
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.rotation import from_rotation_vector

SKELETON = skeleton_of(HUMANOID)
BODIES = SKELETON.num_bodies


def _state(n: int = 20) -> BodyState:
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(n, BODIES, *shape, generator=generator, dtype=torch.float64)

    return BodyState(draw(3), from_rotation_vector(draw(3)), draw(3), draw(3), draw(3))


def _image(state: BodyState) -> BodyState:
    swap = swapped_bodies(SKELETON)
    return BodyState(
        state.positions[:, swap] * POLAR,
        state.rotations[:, swap] * QUATERNION,
        state.linear_velocities[:, swap] * POLAR,
        state.angular_velocities[:, swap] * AXIAL,
        state.contact_forces[:, swap] * POLAR,
    )


def test_observation_of_the_image_is_the_image_of_the_observation() -> None:
    state = _state()
    plain, image = policy_observation(state), policy_observation(_image(state))
    mirror = policy_mirror(SKELETON)
    torch.testing.assert_close(mirror(plain), image)
    assert not torch.allclose(plain, image)
    torch.testing.assert_close(mirror(mirror(plain)), plain)
    seen = policy_blocks(SKELETON)["positions"].stop
    torch.testing.assert_close(position_mirror(SKELETON)(plain[:, :seen]), image[:, :seen])


def test_joint_angles_of_the_image_are_the_image_of_the_joint_angles() -> None:
    angles = 0.5 * torch.randn(20, SKELETON.num_dof, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    root = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64).expand(20, 4)
    local = SKELETON.rotations_from_dofs(root, angles)
    image = local[:, swapped_bodies(SKELETON)] * QUATERNION
    mirror = dof_mirror(SKELETON)
    torch.testing.assert_close(mirror(angles), SKELETON.dofs_from_rotations(image))
    torch.testing.assert_close(mirror(mirror(angles)), angles)
