"""The image of a body in the xz plane: left and right exchanged, y negated.

For vectors that describe a body, a mirror is a change of order and of signs.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.skeleton import Skeleton

POLAR = torch.tensor([1.0, -1.0, 1.0])
"""Signs of positions and of velocities."""
AXIAL = -POLAR
"""Signs of rotation vectors and of angular velocities."""
QUATERNION = torch.tensor([1.0, -1.0, 1.0, -1.0])
"""Signs of w x y z."""


def other_side(name: str) -> str:
    """``right_hand`` → ``left_hand`` and back; other words stay."""
    if "right" in name:
        return name.replace("right", "left")
    return name.replace("left", "right")


def swapped_bodies(skeleton: Skeleton) -> list[int]:
    """For each body the index of the one on the other side."""
    return [skeleton.index(other_side(name)) for name in skeleton.names]


@dataclass(frozen=True)
class Mirror:
    """Takes each number of a vector from another place, with a sign; its own inverse."""

    source: Int[Tensor, "n"]
    sign: Float[Tensor, "n"]

    def __call__(self, vector: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """The mirrored vector."""
        return vector[..., self.source] * self.sign

    def to(self, device: torch.device | str) -> "Mirror":
        """The same on another device."""
        return Mirror(self.source.to(device), self.sign.to(device))

    @classmethod
    def cat(cls, *parts: "Mirror") -> "Mirror":
        """For several vectors, one after the other."""
        starts = torch.tensor([0, *(len(part.sign) for part in parts)]).cumsum(0)
        sources = [part.source + start for part, start in zip(parts, starts, strict=False)]
        return cls(torch.cat(sources), torch.cat([part.sign for part in parts]))


def position_mirror(skeleton: Skeleton) -> Mirror:
    """Of the height and the positions in a policy's observation, its first numbers."""
    without_root = [body - 1 for body in swapped_bodies(skeleton)[1:]]
    height = Mirror(torch.tensor([0]), torch.ones(1))
    return Mirror.cat(height, _of_vectors(without_root, POLAR))


def policy_mirror(skeleton: Skeleton) -> Mirror:
    """Of ``policy_observation``."""
    bodies = swapped_bodies(skeleton)
    # A tan-norm is the images of the x and z axes, which both lie in the mirror.
    rotations = _of_vectors(bodies, torch.cat((POLAR, POLAR)))
    return Mirror.cat(position_mirror(skeleton), rotations, _of_vectors(bodies, POLAR), _of_vectors(bodies, AXIAL))


def dof_mirror(skeleton: Skeleton) -> Mirror:
    """Of joint angles, PD targets and actions: rotation vectors, and hinges about the y axis."""
    source: list[int] = []
    sign: list[Tensor] = []
    for body in skeleton.dof_slices:
        other = skeleton.dof_slices[skeleton.index(other_side(skeleton.names[body]))]
        source += range(other.start, other.stop)
        sign.append(torch.ones(1) if skeleton.joints[body].kind == "hinge" else AXIAL)
    return Mirror(torch.tensor(source), torch.cat(sign))


def _of_vectors(bodies: list[int], sign: Float[Tensor, "size"]) -> Mirror:
    """One vector for each body."""
    size = len(sign)
    source = torch.tensor(bodies)[:, None] * size + torch.arange(size)
    return Mirror(source.flatten(), sign.repeat(len(bodies)))
