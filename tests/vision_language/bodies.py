"""States to look at: a small library of arm movements and turns, and copies elsewhere."""

import math
from functools import lru_cache

import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary

SKELETON = skeleton_of(HUMANOID)


def clip(name: str, dof: int, angle: float) -> Clip:
    """Four seconds of walking straight ahead on stiff legs while one degree of freedom goes there and back."""
    time = torch.linspace(0, 2 * math.pi, 121, dtype=torch.float64)
    dofs = torch.zeros(len(time), SKELETON.num_dof, dtype=torch.float64)
    dofs[:, dof] = 0.5 * angle * (1 - torch.cos(time))
    position = torch.stack((0.3 * time, 0 * time, 0.881 + 0 * time), -1)
    root = rotation.identity(len(time), dtype=torch.float64)
    return Clip(name, 30, position, SKELETON.rotations_from_dofs(root, dofs), (f"raise the {name}",))


@lru_cache
def library() -> MotionLibrary:
    return MotionLibrary([clip("right arm", 7, -1.5), clip("left arm", 11, -1.5), clip("head", 5, 1.0)])


def elsewhere(states: BodyState, x: float, y: float, yaw: float) -> BodyState:
    """The same, turned about the vertical and moved."""
    turn = rotation.from_rotation_vector(torch.tensor([0.0, 0.0, yaw]))
    vectors = (states.linear_velocities, states.angular_velocities, states.contact_forces)
    return BodyState(
        rotation.rotate(turn, states.positions) + torch.tensor([x, y, 0.0]),
        rotation.multiply(turn, states.rotations),
        *(rotation.rotate(turn, vector) for vector in vectors),
    )
