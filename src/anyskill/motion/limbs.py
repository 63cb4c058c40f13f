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


ANKLE_HEIGHT = 0.05  # m, of the ankle above the sole
TOE, HEEL = 0.1335, -0.0435  # m, ends of the sole, forward of the ankle
STAND = (0.012, 0.015)  # m forward and inward of the ankle: where the weight rests. Farther ahead or on the middle
# of a single foot, joints that give way under the weight topple the body.


def ankle_of(sole: Float[Tensor, "*batch 6"]) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch 4"]]:
    """Position (m) and rotation of a foot from where its sole stands.

    Args:
        sole: Place of the sole's point below the ankle were the foot flat (m), yaw, pitch and roll (rad). A foot with
            the heel raised (pitch above zero) pivots on its toes, one with the toes raised on its heel.
    """
    turn = rotation.from_euler(sole[..., 3:], "ZYX")
    pivot = _pivot(sole[..., 4])
    return sole[..., :3] + _arm_of_pivot(sole[..., 3], turn, pivot), turn


def sole_of(ankle: Float[Tensor, "*batch 3"], turn: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 6"]:
    """The inverse of ``ankle_of``, for feet that roll by less than a quarter turn."""
    m = rotation.to_matrix(turn)
    pitch = torch.asin((-m[..., 2, 0]).clamp(-1, 1))
    upright = m[..., 2, 2] >= 0  # of the two ways to write a rotation, the one with the smaller roll
    sign = torch.where(upright, 1.0, -1.0).to(m)
    yaw = torch.atan2(sign * m[..., 1, 0], sign * m[..., 0, 0])
    roll = torch.atan2(sign * m[..., 2, 1], sign * m[..., 2, 2])
    pitch = torch.where(upright, pitch, torch.sign(pitch) * torch.pi - pitch)
    return torch.cat(
        (ankle - _arm_of_pivot(yaw, turn, _pivot(pitch)), torch.stack((yaw, pitch, roll), -1)),
        -1,
    )


def support_of(soles: Float[Tensor, "*batch 2 6"]) -> Float[Tensor, "*batch 2 3"]:
    """The points (m) on which the right and the left foot stand: near the ankle, or on the edge on which they pivot."""
    forward, inward = STAND
    yaw, pitch = soles[..., 3], soles[..., 4]
    x = torch.where(pitch == 0, forward, _pivot(pitch)[..., 0])
    y = torch.tensor([inward, -inward], dtype=soles.dtype).expand_as(x)
    offset = (x * yaw.cos() - y * yaw.sin(), x * yaw.sin() + y * yaw.cos(), torch.zeros_like(x))
    return soles[..., :3] + torch.stack(offset, -1)


def _pivot(pitch: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3"]:
    """The point of a foot about which it pitches, in its frame (m)."""
    x = torch.where(pitch > 0, TOE, HEEL).to(pitch)
    return torch.stack((x, torch.zeros_like(x), torch.full_like(x, -ANKLE_HEIGHT)), -1)


def _arm_of_pivot(
    yaw: Float[Tensor, "*batch"], turn: Float[Tensor, "*batch 4"], pivot: Float[Tensor, "*batch 3"]
) -> Float[Tensor, "*batch 3"]:
    """From the point below the ankle of the flat foot to the ankle of the pitched one (m)."""
    level = torch.stack((pivot[..., 0] * yaw.cos(), pivot[..., 0] * yaw.sin(), torch.zeros_like(yaw)), -1)
    return level - rotation.rotate(turn, pivot)
