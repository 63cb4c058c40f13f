"""Arms and legs in closed form: two links with a hinge between them, and where their ends go."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.body.skeleton import Skeleton, skeleton_of

SIDES = {"right": -1, "left": 1}
"""Sign of y on either side of the body; limbs are always listed in this order."""


@dataclass(frozen=True)
class Limb:
    """A chain of four bodies: what it hangs from, two links and the end. The hinge turns the second link about +y."""

    parent: int
    upper: int
    lower: int
    end: int
    lengths: tuple[float, float]  # m
    bend: int  # sign of the hinge's angle: +1 for a knee, -1 for an elbow

    @property
    def reach(self) -> float:
        """Length (m) of the straight limb."""
        return sum(self.lengths)

    def solve(
        self, start: Float[Tensor, "*batch 3"], end: Float[Tensor, "*batch 3"], hinge: Float[Tensor, "*batch 3"]
    ) -> tuple[Float[Tensor, "*batch 4"], Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
        """Put the end of the limb somewhere.

        Args:
            start: Where the limb begins (m).
            end: Where its end shall be (m); beyond its reach, the limb is stretched towards it.
            hinge: Roughly the direction of the hinge's axis; only the part perpendicular to the limb counts.

        Returns:
            Rotation of the upper link (in the frame of the positions), angle of the hinge (rad), and by how much the
            end is out of reach (m).
        """
        first, second = self.lengths
        along = end - start
        distance = along.norm(dim=-1, keepdim=True)
        along = along / distance.clamp_min(1e-9)
        axis = perpendicular(hinge, along)
        near = abs(first - second) + 1e-6
        used = distance.clamp(near, self.reach)
        # The law of cosines, at the limb's beginning and at its hinge.
        at_start = ((first**2 + used**2 - second**2) / (2 * first * used)).clamp(-1, 1)
        at_hinge = ((first**2 + second**2 - used**2) / (2 * first * second)).clamp(-1, 1)
        towards_hinge = self.bend * torch.linalg.cross(along, axis)
        down = at_start * along + (1 - at_start**2).sqrt() * towards_hinge
        upper = rotation.from_matrix(torch.stack((torch.linalg.cross(axis, -down), axis, -down), -1))
        angle = self.bend * (torch.pi - torch.arccos(at_hinge[..., 0]))
        return upper, angle, (distance - used)[..., 0].clamp_min(0)


def perpendicular(v: Float[Tensor, "*batch 3"], axis: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """The unit vector along the part of ``v`` perpendicular to the unit vector ``axis``."""
    v = v - (v * axis).sum(-1, keepdim=True) * axis
    return v / v.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def turn_about(
    v: Float[Tensor, "*batch 3"], axis: Float[Tensor, "*batch 3"], angle: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch 3"]:
    """``v`` turned by ``angle`` (rad) about the unit vector ``axis``."""
    return rotation.rotate(rotation.from_axis_angle(axis, angle), v)


def hinge_turn(angle: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 4"]:
    """The rotation of a hinge: about +y."""
    zero = torch.zeros_like(angle)
    return rotation.from_rotation_vector(torch.stack((zero, angle, zero), -1))


def arms(character: Character) -> tuple[Limb, ...]:
    """The right and the left arm, shoulder to hand."""
    skeleton = skeleton_of(character)
    return tuple(_limb(skeleton, f"{side}_upper_arm", f"{side}_lower_arm", f"{side}_hand", -1) for side in SIDES)


def legs(character: Character) -> tuple[Limb, ...]:
    """The right and the left leg, hip to ankle."""
    skeleton = skeleton_of(character)
    return tuple(_limb(skeleton, f"{side}_thigh", f"{side}_shin", f"{side}_foot", 1) for side in SIDES)


def _limb(skeleton: Skeleton, upper: str, lower: str, end: str, bend: int) -> Limb:
    first, second, third = (skeleton.index(name) for name in (upper, lower, end))
    lengths = (float(skeleton.offsets[second].norm()), float(skeleton.offsets[third].norm()))
    return Limb(skeleton.parents[first], first, second, third, lengths, bend)
