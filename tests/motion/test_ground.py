import math

import mujoco
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD, Character
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.ground import centre_of_mass, flight_of, in_flight, lowest_points, model_of, stretches
from tests.motion.made_up import FPS, SKELETON, jump, squats


@pytest.mark.parametrize("character", [HUMANOID, SWORD_AND_SHIELD], ids=lambda c: c.name)
def test_lowest_points_and_centre_of_mass_are_mujocos(character: Character) -> None:
    """The lowest of 2,000 points on each shape's surface, and MuJoCo's own centre of mass."""
    skeleton, model = skeleton_of(character), model_of(character)
    generator = torch.Generator().manual_seed(0)
    poses = 0.6 * torch.randn(5, skeleton.num_dof, generator=generator, dtype=torch.float64)
    turn = rotation.normalize(torch.randn(5, 4, generator=generator, dtype=torch.float64))
    local, root = skeleton.rotations_from_dofs(turn, poses), torch.randn(5, 3, generator=generator, dtype=torch.float64)
    world = skeleton.forward(root, local)
    heights, centre = lowest_points(character, *world), centre_of_mass(character, *world)
    directions = torch.randn(2000, 3, generator=generator, dtype=torch.float64)
    directions /= directions.norm(dim=-1, keepdim=True)
    data = mujoco.MjData(model)
    for pose, qpos in enumerate(skeleton.qpos(root, local).numpy()):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        assert centre[pose].numpy() == pytest.approx(data.subtree_com[1], abs=1e-9)
        for geom in range(1, model.ngeom):
            turned = directions.numpy() @ data.geom_xmat[geom].reshape(3, 3)
            surface = [_support(int(model.geom_type[geom]), model.geom_size[geom], d) for d in turned]
            lowest = min(data.geom_xmat[geom].reshape(3, 3)[2] @ point for point in surface)
            assert float(heights[pose, geom - 1]) == pytest.approx(data.geom_xpos[geom][2] + lowest, abs=2e-3)


def _support(kind: int, size: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """The point of a shape that lies farthest in a direction, both in its own frame."""
    x, y, z = direction
    end = math.copysign(float(size[1]), z)
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return direction * size[0]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return direction * size[0] + [0, 0, end]
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return [x * size[0] / math.hypot(x, y), y * size[0] / math.hypot(x, y), end]
    return [math.copysign(s, d) for s, d in zip(size, direction, strict=True)]


def test_only_the_jump_is_a_flight() -> None:
    for flight in (0.3, 0.5):
        clip = jump(flight)
        height, airborne = flight_of(HUMANOID, *SKELETON.forward(clip.root_positions, clip.rotations), FPS)
        assert airborne[height > 0.02].all()
        assert not airborne[:40].any()
        assert not airborne[-40:].any()
    still = squats()
    assert not flight_of(HUMANOID, *SKELETON.forward(still.root_positions, still.rotations), FPS)[1].any()


def test_hovering_is_no_flight() -> None:
    assert not in_flight(torch.full((50,), 0.3).double(), torch.full((50,), 1.2).double(), FPS).any()
    assert not in_flight(torch.zeros(2).double(), torch.ones(2).double(), FPS).any()


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_flight_at_any_rate(fps: float) -> None:
    time = torch.arange(int(2 * fps), dtype=torch.float64) / fps
    arc = (0.5 * 9.81 * (time - 0.8) * (1.3 - time)).clamp_min(0.0)
    airborne = in_flight(arc, 1.0 + arc, fps)
    assert airborne[(time > 0.83) & (time < 1.27)].all()
    assert not airborne[(time < 0.7) | (time > 1.4)].any()


def test_a_pause_high_up_belongs_to_the_flight() -> None:
    """Two parabolas joined at the top by a stretch of constant speed, as bad keyframes have it."""
    time = torch.arange(60, dtype=torch.float64) / FPS
    rise = 0.5 * 9.81 * 0.4**2 - 0.5 * 9.81 * (0.4 - (time - 0.4)) ** 2
    height = torch.where(time < 0.4, 0.0, rise)
    height[20:27] = height[20] + 0.001 * torch.arange(7)
    height[27:38] = height[26] - 0.5 * 9.81 * (torch.arange(11) / FPS) ** 2
    height[38:] = 0.0
    airborne = in_flight(height.clamp_min(0.0), 1.0 + height, FPS)
    assert airborne[14:36].all()
    assert not in_flight(torch.zeros_like(height), 1.0 + height, FPS)[23:25].any()


def test_stretches() -> None:
    assert stretches(torch.tensor([True, False, True, True])) == [(0, 1), (2, 4)]
    assert stretches(torch.tensor([False])) == []
