"""Poses to draw."""

import math

import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Vector
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState

SKELETON = skeleton_of(HUMANOID)


def pose(height: float = 0.89, xy: tuple[float, float] = (0, 0), yaw: float = 0, **degrees: Vector) -> BodyState:
    """One world at rest, joints turned by rotation vectors in degrees."""
    local = rotation.identity(SKELETON.num_bodies)
    local[0] = rotation.from_rotation_vector(torch.tensor([0.0, 0.0, yaw]))
    for name, vector in degrees.items():
        local[SKELETON.index(name)] = rotation.from_rotation_vector(torch.tensor(vector) * math.pi / 180)
    return BodyState.at_rest(SKELETON, torch.tensor([[*xy, height]]), local[None])


STANDING = pose()
ARMS_UP = pose(right_upper_arm=(-172.0, 0.0, 0.0), left_upper_arm=(172.0, 0.0, 0.0))
LYING = BodyState.at_rest(
    SKELETON,
    torch.tensor([[0.0, 0.0, 0.12]]),
    torch.cat((torch.tensor([[0.7071068, 0, -0.7071068, 0]]), rotation.identity(SKELETON.num_bodies - 1)))[None],
)
