"""Bodies by joint angles, as states on the ground, and their mirror images."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.motion.limbs import arms, hinge_turn, legs
from anyskill.motion.pose import SKELETON, read_pose

_SWAP = [
    SKELETON.index(_name)
    for _name in (
        name.replace("right", "LEFT").replace("left", "right").replace("LEFT", "left") for name in SKELETON.names
    )
]


def body(
    pose: Mapping[str, Any], ankles: Mapping[str, tuple] | None = None, lift: float = 0.0, reach: str = ""
) -> BodyState:
    """One state at rest, standing on whatever is lowest.

    Args:
        pose: As ``anyskill.motion.pose`` describes; legs only by ``joints``, straight without.
        ankles: Side → place of the ankle in the pelvis' frame (m), direction in which the knee points.
        lift: Metres above the ground.
        reach: The body of their side that both hands reach for; 10 cm in front of its origin.
    """
    straight = {"right_knee": 0, "left_knee": 0}
    read = read_pose({**pose, "joints": straight | pose.get("joints", {})})
    local = SKELETON.rotations_from_dofs(read.turn, read.dofs)
    for side, (ankle, knee) in (ankles or {}).items():
        limb = legs(HUMANOID)[side == "left"]
        hip = SKELETON.offsets[limb.upper]
        end = torch.tensor(ankle, dtype=torch.float64)
        upper, angle, missing = limb.solve(
            hip, end, torch.linalg.cross(torch.tensor(knee, dtype=torch.float64), end - hip)
        )
        assert missing < 1e-3
        local[limb.upper], local[limb.lower] = upper, hinge_turn(angle)
    for side, limb in zip(("right", "left"), arms(HUMANOID), strict=True):
        if reach:
            positions, rotations = SKELETON.forward(torch.zeros(3, dtype=torch.float64), local)
            there = positions[SKELETON.index(f"{side}_{reach}")] + torch.tensor([0.1, 0.0, 0.0])
            there = rotation.rotate_inverse(rotations[limb.parent], there - positions[limb.parent])
            shoulder, out = SKELETON.offsets[limb.upper], torch.tensor([0.0, 1.0 if side == "left" else -1.0, 0.0])
            upper, angle, _ = limb.solve(shoulder, there, torch.linalg.cross(there - shoulder, out.double()))
            local[limb.upper], local[limb.lower] = upper, hinge_turn(angle)
    root = torch.zeros(3, dtype=torch.float64)
    lowest = lowest_points(HUMANOID, *SKELETON.forward(root, local)).amin()
    root[2] = lift - lowest
    return BodyState.at_rest(SKELETON, root, local)


def mirror(state: BodyState) -> BodyState:
    """The image in the xz plane."""
    polar = state.positions.new_tensor([1.0, -1.0, 1.0])
    return BodyState(
        state.positions[..., _SWAP, :] * polar,
        state.rotations[..., _SWAP, :] * state.positions.new_tensor([1.0, -1.0, 1.0, -1.0]),
        state.linear_velocities[..., _SWAP, :] * polar,
        state.angular_velocities[..., _SWAP, :] * -polar,
        state.contact_forces[..., _SWAP, :] * polar,
    )


def random_states(count: int, seed: int) -> BodyState:
    """Any joint angles, any way up, any height and speed."""
    g = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=g, dtype=torch.float64)

    low, high = SKELETON.limits.unbind(-1)
    share = uniform(count, 1) ** 0.5  # many are near standing
    turn = rotation.from_rotation_vector(share * (uniform(count, 3) - 0.5) * math.pi)
    local = SKELETON.rotations_from_dofs(turn, share * (low + uniform(count, len(low)) * (high - low)))
    root = torch.zeros(count, 3, dtype=torch.float64)
    root[:, 2] = 0.1 * uniform(count) - lowest_points(HUMANOID, *SKELETON.forward(root, local)).amin(-1)
    positions, rotations = SKELETON.forward(root, local)
    shape = positions.shape
    speed = 3 * uniform(count, 1, 1)
    moving = (speed * (uniform(*shape) - 0.5), 2 * speed * (uniform(*shape) - 0.5))
    return BodyState(positions, rotations, *moving, torch.zeros_like(positions))


POSES: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("poses.yaml").read_text("utf-8"))
"""Poses by name, with the facts that must hold and those that everybody must deny."""


def named(name: str) -> BodyState:
    """A pose of the table."""
    entry = {key: value for key, value in POSES[name].items() if key not in ("holds", "denied")}
    return body(**entry)


def pose_states() -> BodyState:
    """All poses, in the order of the table."""
    return BodyState.stack([named(name) for name in POSES])
