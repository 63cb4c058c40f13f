"""What feet do on the ground."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.motion.contact import contact_points

_TOUCHING = 0.01  # m; as ``motion.check`` has it


def sliding(state: BodyState, skeleton: Skeleton) -> Float[Tensor, "world"]:
    """Horizontal speed (m/s) of the steadiest sole corner on the ground, ``motion.check.sliding`` of one moment.

    0 where none touches; at most 1 m/s, or falls would count as little else.
    """
    bodies, corners = _soles(skeleton.character)
    turn = state.rotations[:, bodies, None]
    arm = rotation.rotate(turn.expand(-1, -1, corners.shape[1], -1), corners.to(turn))
    height = (state.positions[:, bodies, None] + arm)[..., 2]
    velocity = state.linear_velocities[:, bodies, None] + torch.linalg.cross(
        state.angular_velocities[:, bodies, None].expand_as(arm), arm
    )
    speed = velocity[..., :2].norm(dim=-1)
    return torch.where(height < _TOUCHING, speed, torch.inf).flatten(1).amin(1).nan_to_num(posinf=0.0).clamp_max(1.0)


@lru_cache
def _soles(character: Character) -> tuple[list[int], Float[Tensor, "foot corner 3"]]:
    """Feet, and the corners of their soles in their frames."""
    feet = [points for points in contact_points(character) if len(points.local) > 1]
    return [points.body for points in feet], torch.stack([torch.as_tensor(points.local) for points in feet])
