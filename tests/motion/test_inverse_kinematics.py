from dataclasses import replace

import mink
import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD, Character
from anyskill.body.model import build_model
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.ground import lowest_points
from anyskill.motion.inverse_kinematics import ApartLimit, Goal, GroundLimit, solve
from tests.motion.made_up import SKELETON, positions, squats


def poses(character: Character, count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    skeleton = skeleton_of(character)
    generator = torch.Generator().manual_seed(1)
    dofs = 0.7 * torch.randn(count, skeleton.num_dof, generator=generator, dtype=torch.float64)
    turn = rotation.normalize(torch.randn(count, 4, generator=generator, dtype=torch.float64))
    root = torch.tensor([0.0, 0.0, 0.1]).double() + 0.1 * torch.randn(count, 3, generator=generator).double()
    return root, skeleton.rotations_from_dofs(turn, dofs)


@pytest.mark.parametrize("character", [HUMANOID, SWORD_AND_SHIELD], ids=lambda c: c.name)
def test_depth_below_the_ground_is_that_of_the_lowest_point(character: Character) -> None:
    skeleton, limit = skeleton_of(character), GroundLimit(character)
    root, local = poses(character)
    lowest = lowest_points(character, *skeleton.forward(root, local)).amin(-1)
    configuration = mink.Configuration(build_model(character))
    for qpos, height in zip(skeleton.qpos(root, local).numpy(), lowest.tolist(), strict=True):
        configuration.update(qpos)
        # Twelve points stand for a shield's rim.
        assert limit.depth(configuration) == pytest.approx(
            max(0.0, -height), abs=1e-9 if character is HUMANOID else 0.011
        )


@pytest.mark.parametrize("kind", ["ground", "apart"])
def test_rows_are_the_derivatives_of_the_distances(kind: str) -> None:
    """Moving a little along Δq changes each distance by -row·Δq."""
    limit = GroundLimit(HUMANOID) if kind == "ground" else ApartLimit()
    model = build_model(HUMANOID)
    model.geom_margin[1:] = 0.01
    configuration = mink.Configuration(model)
    seen = 0
    for qpos in SKELETON.qpos(*poses(HUMANOID, 30)).numpy():
        configuration.update(qpos)
        here = limit.compute_qp_inequalities(configuration, 1.0)
        if here.inactive or (kind == "apart" and (here.h < -0.015).any()):
            continue
        step = 1e-6 * np.random.default_rng(seen).standard_normal(model.nv)
        configuration.update(configuration.integrate(step, 1.0))
        there = limit.compute_qp_inequalities(configuration, 1.0)
        if len(there.h) == len(here.h):
            assert there.h - here.h == pytest.approx(-here.G @ step, abs=1e-9)
            seen += 1
    assert seen >= 5


def goal(clip: Clip, name: str, offset: torch.Tensor) -> Goal:
    body = SKELETON.index(name)
    world = SKELETON.forward(clip.root_positions, clip.rotations)
    cost = torch.full((clip.num_frames,), 40.0, dtype=torch.float64)
    return Goal(body, world[0][:, body] + offset, world[1][:, body], cost, 0.0)


def test_a_goal_within_reach_is_reached_and_the_rest_stays() -> None:
    clip = squats(frames=10)
    offset = torch.tensor([0.05, 0.0, 0.1], dtype=torch.float64)
    still = [goal(clip, name, torch.zeros(3)) for name in ("pelvis", "left_foot", "right_foot")]
    moved = positions(solve(clip, [*still, goal(clip, "left_hand", offset)])) - positions(clip)
    assert (moved[:, SKELETON.index("left_hand")] - offset).norm(dim=-1).max() < 0.005
    assert moved[:, [SKELETON.index("left_foot"), SKELETON.index("pelvis")]].norm(dim=-1).max() < 0.005


def test_where_nothing_is_wrong_nothing_changes() -> None:
    clip = squats(frames=10)
    assert torch.equal(solve(clip, [goal(clip, "left_foot", torch.zeros(3))]).root_positions, clip.root_positions)


def test_the_hopelessly_entangled_come_back_whole() -> None:
    """Both forearms right through the chest and the legs through each other: limits hold, nothing is raised."""
    clip = squats(frames=5)
    dofs = SKELETON.dofs_from_rotations(clip.rotations)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm, thigh = (SKELETON.dof_slices[SKELETON.index(f"{side}_{limb}")] for limb in ("upper_arm", "thigh"))
        dofs[:, arm] = torch.tensor([-0.4 * sign, 0.6, -0.9 * sign], dtype=torch.float64)
        dofs[:, thigh] = torch.tensor([-0.4 * sign, 0.0, 0.0], dtype=torch.float64)
        dofs[:, SKELETON.dof_slices[SKELETON.index(f"{side}_lower_arm")]] = -1.9
    clip = replace(clip, rotations=SKELETON.rotations_from_dofs(clip.rotations[:, 0], dofs))
    solved = solve(clip, [goal(clip, name, torch.zeros(3)) for name in ("left_foot", "right_foot")])
    assert torch.isfinite(solved.rotations).all()
    assert (positions(solved) - positions(clip)).norm(dim=-1).max() < 0.5
