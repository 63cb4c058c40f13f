"""What networks see of a body: the policy's observation and the adversarial frame, both from ``BodyState`` alone.

Both are free of horizontal position and of heading: vectors are turned by the inverse of the root's yaw, H.
"""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState


def policy_size(skeleton: Skeleton) -> int:
    """Length of the policy's observation: 223 for the plain humanoid, 253 with sword and shield."""
    return 1 + 15 * skeleton.num_bodies - 3


def frame_size(skeleton: Skeleton) -> int:
    """Length of an adversarial frame: 125 for the plain humanoid, 140 with sword and shield."""
    return 13 + 6 * len(skeleton.joints) + skeleton.num_dof + 3 * len(skeleton.key_bodies)


def policy_blocks(skeleton: Skeleton) -> dict[str, slice]:
    """Where each block of the policy's observation lies."""
    n = skeleton.num_bodies
    sizes = {"height": 1, "positions": 3 * (n - 1), "rotations": 6 * n, "linear": 3 * n, "angular": 3 * n}
    stops = list(itertools.accumulate(sizes.values()))
    return {name: slice(stop - size, stop) for (name, size), stop in zip(sizes.items(), stops, strict=True)}


def policy_observation(state: BodyState) -> Float[Tensor, "*batch observation"]:
    """Observation of the policy ("maximal coordinates" of ASE and CALM), body after body within each block.

    Root height (1), positions relative to the root without the root's own (3·(body−1)), rotations as ``tan_norm``
    (6·body), linear (3·body) and angular velocities (3·body), all but the height turned by H.
    """
    root = state.positions[..., :1, :]
    vectors = torch.cat(
        (
            state.positions[..., 1:, :] - root,
            rotation.tan_norm(state.rotations).unflatten(-1, (2, 3)).flatten(-3, -2),
            state.linear_velocities,
            state.angular_velocities,
        ),
        -2,
    )
    # All are vectors that turn about the vertical: much cheaper than quaternions.
    yaw = rotation.heading(state.rotations[..., :1, :])
    cos, sin = torch.cos(yaw), torch.sin(yaw)
    x, y, z = vectors.unbind(-1)
    turned = torch.stack((cos * x + sin * y, cos * y - sin * x, z), -1)
    return torch.cat((root[..., 0, 2:], turned.flatten(-2)), -1)


def adversarial_frame(state: BodyState, skeleton: Skeleton) -> Float[Tensor, "*batch frame"]:
    """One frame of what discriminators and the motion encoder see (AMP).

    Root height (1), root rotation as ``tan_norm`` (6), root linear (3) and angular velocity (3), joint rotations
    relative to the parent as ``tan_norm`` (6 a joint), joint velocities (1 a degree of freedom), key-body positions
    relative to the root (3 a body); root and key bodies turned by H.
    """
    root, turn = state.positions[..., 0, :], state.rotations[..., 0, :]
    inverse = rotation.conjugate(rotation.heading_rotation(turn))
    local = skeleton.local_rotations(state.rotations)[..., list(skeleton.joints), :]
    key = state.positions[..., list(skeleton.key_bodies), :] - root[..., None, :]
    return torch.cat(
        (
            root[..., 2:],
            rotation.tan_norm(rotation.multiply(inverse, turn)),
            rotation.rotate(inverse, state.linear_velocities[..., 0, :]),
            rotation.rotate(inverse, state.angular_velocities[..., 0, :]),
            rotation.tan_norm(local).flatten(-2),
            skeleton.dof_velocities(state.rotations, state.angular_velocities),
            rotation.rotate(inverse[..., None, :], key).flatten(-2),
        ),
        -1,
    )
