"""``Track``: recorded motion in the terms of a body: right and left, forward and up, bends, heights and speeds.

Directions are those of the hips' heading: forward is where the pelvis faces, whatever its pitch, so that a body that
bows at a right angle still has a front. Lengths are metres, angles degrees, times seconds.
"""

from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from anyskill import rotation
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.sim.engine import CONTROL_RATE

Side = Literal["right", "left"]
SIDES: tuple[Side, ...] = ("right", "left")


class Track:
    """What some bodies did, at 30 Hz.

    Args:
        states: Of batch shape (time, world); contact forces are not looked at.
        skeleton: Whose motion.
    """

    def __init__(self, states: BodyState, skeleton: Skeleton) -> None:
        self.states, self.skeleton = states, skeleton

    def position(self, body: str) -> Float[Tensor, "time world 3"]:
        """Of a body's frame, the joint to its parent, in the world."""
        return self.states.positions[..., self.skeleton.index(body), :]

    def place(self, body: str, local: tuple[float, float, float]) -> Float[Tensor, "time world 3"]:
        """Of a point that is fixed to a body, in the world."""
        turn = self.states.rotations[..., self.skeleton.index(body), :]
        return self.position(body) + rotation.rotate(turn, turn.new_tensor(local))

    def axis(self, body: str, local: tuple[float, float, float]) -> Float[Tensor, "time world 3"]:
        """Where a body's own direction points: forward, left and up."""
        turn = self.states.rotations[..., self.skeleton.index(body), :]
        return self.along(rotation.rotate(turn, turn.new_tensor(local)))

    def along(self, vector: Float[Tensor, "time world 3"]) -> Float[Tensor, "time world 3"]:
        """A vector of the world as forward, left and up components."""
        return torch.stack(((vector * self._forward).sum(-1), (vector * self._left).sum(-1), vector[..., 2]), -1)

    @cached_property
    def _left(self) -> Float[Tensor, "time world 3"]:
        turn = self.states.rotations[..., 0, :]
        left = rotation.rotate(turn, turn.new_tensor((0.0, 1.0, 0.0)))
        return normalize(left * left.new_tensor((1.0, 1.0, 0.0)), dim=-1)

    @cached_property
    def _forward(self) -> Float[Tensor, "time world 3"]:
        return torch.linalg.cross(self._left, self._left.new_tensor((0.0, 0.0, 1.0)).expand_as(self._left))

    @cached_property
    def heading(self) -> Float[Tensor, "time world"]:
        """Degrees turned to the left since some time before; goes on beyond a full turn."""
        angle = torch.atan2(self._forward[..., 1], self._forward[..., 0])
        steps = torch.remainder(angle.diff(dim=0) + torch.pi, 2 * torch.pi) - torch.pi
        return torch.rad2deg(torch.cat((angle[:1], angle[:1] + steps.cumsum(0))))

    @cached_property
    def _lowest(self) -> Float[Tensor, "time world body"]:
        """Height of the lowest point of every body."""
        bodies = self.skeleton.character.bodies
        heights = lowest_points(self.skeleton.character, self.states.positions, self.states.rotations)
        parts = heights.split([len(body.geoms) for body in bodies], -1)
        return torch.stack([part.amin(-1) for part in parts], -1)

    def clearance(self, *bodies: str) -> Float[Tensor, "time world"]:
        """Height of the lowest point of some bodies above the ground; of all of them if none is named."""
        chosen = [self.skeleton.index(body) for body in bodies] if bodies else slice(None)
        return self._lowest[..., chosen].amin(-1)

    @cached_property
    def head(self) -> Float[Tensor, "time world 3"]:
        """Centre of the head in the world; the head's frame is the neck."""
        head = self.skeleton.character.bodies[self.skeleton.index("head")]
        return self.place("head", head.geoms[0].start)

    @cached_property
    def trunk(self) -> Float[Tensor, "time world 3"]:
        """Unit vector from the pelvis to the neck: forward, left and up."""
        return normalize(self.along(self.position("head") - self.position("pelvis")), dim=-1)

    @cached_property
    def lean(self) -> Float[Tensor, "time world"]:
        """Angle of the trunk to the vertical: 0 upright, 90 lying, 180 upside down."""
        return torch.rad2deg(torch.acos(self.trunk[..., 2].clamp(-1, 1)))

    def arm(self, side: Side) -> Float[Tensor, "time world 3"]:
        """From the shoulder to the hand: forward, left and up."""
        return self.along(self.position(f"{side}_hand") - self.position(f"{side}_upper_arm"))

    def elbow(self, side: Side) -> Float[Tensor, "time world"]:
        """How far the elbow is bent: 0 of a straight arm."""
        return self._bend(f"{side}_upper_arm", f"{side}_lower_arm", f"{side}_hand")

    def leg(self, side: Side) -> Float[Tensor, "time world 3"]:
        """From the hip to the ankle: forward, left and up."""
        return self.along(self.position(f"{side}_foot") - self.position(f"{side}_thigh"))

    def thigh(self, side: Side) -> Float[Tensor, "time world 3"]:
        """From the hip to the knee: forward, left and up."""
        return self.along(self.position(f"{side}_shin") - self.position(f"{side}_thigh"))

    def knee(self, side: Side) -> Float[Tensor, "time world"]:
        """How far the knee is bent: 0 of a straight leg."""
        return self._bend(f"{side}_thigh", f"{side}_shin", f"{side}_foot")

    def _bend(self, start: str, middle: str, end: str) -> Float[Tensor, "time world"]:
        upper = self.position(middle) - self.position(start)
        return between(upper, self.position(end) - self.position(middle))

    def from_pelvis(self, body: str) -> Float[Tensor, "time world 3"]:
        """Where a body is, seen from the pelvis: forward, left and up."""
        return self.along(self.position(body) - self.position("pelvis"))

    def velocity(self, point: Float[Tensor, "time world 3"]) -> Float[Tensor, "time world 3"]:
        """Of a point in the world, m/s: forward, left and up. A difference over 1/15 s, one-sided at the ends."""
        return self.along(torch.gradient(point, dim=0)[0] * CONTROL_RATE)


def between(a: Float[Tensor, "*batch 3"], b: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
    """Angle between two directions."""
    return torch.rad2deg(torch.acos((normalize(a, dim=-1) * normalize(b, dim=-1)).sum(-1).clamp(-1, 1)))


def frames(seconds: float) -> int:
    """How many frames last so long; at least one."""
    return max(1, round(seconds * CONTROL_RATE))


def lasting(now: Bool[Tensor, "time world"], seconds: float) -> Bool[Tensor, "time world"]:
    """True at the end of every stretch in which it was true without a break for so long."""
    return _recent_count(now, frames(seconds)) == frames(seconds)


def recently(now: Bool[Tensor, "time world"], seconds: float) -> Bool[Tensor, "time world"]:
    """True for so long after it was true."""
    return _recent_count(now, frames(seconds)) > 0


def change(value: Float[Tensor, "time world *rest"], seconds: float) -> Float[Tensor, "time world *rest"]:
    """By how much it is more than so long ago; 0 as long as there is no such time."""
    ago = min(frames(seconds), len(value))
    return torch.cat((torch.zeros_like(value[:ago]), value[ago:] - value[: len(value) - ago]))


def reversals(value: Float[Tensor, "time world"], least: float, seconds: float) -> Float[Tensor, "time world"]:
    """How often it turned back in the last seconds; only turns after a way of at least ``least`` count.

    A turn is noticed when the value has come back by ``least``.
    """
    high, low = value[0].clone(), value[0].clone()  # since the last turn
    rising, falling = torch.zeros_like(high, dtype=torch.bool), torch.zeros_like(high, dtype=torch.bool)
    turns = []
    for now in value:
        high, low = torch.maximum(high, now), torch.minimum(low, now)
        up, down = ~rising & (now - low >= least), ~falling & (high - now >= least)
        turns.append((up & falling) | (down & rising))
        rising, falling = (rising | up) & ~down, (falling | down) & ~up
        high, low = torch.where(up | down, now, high), torch.where(up | down, now, low)
    return _recent_count(torch.stack(turns), frames(seconds))


def _recent_count(now: Bool[Tensor, "time world"], count: int) -> Float[Tensor, "time world"]:
    """In how many of the last frames it was true, this one included."""
    total = now.cumsum(0).float()
    before = torch.cat((torch.zeros_like(total[:count]), total[:-count]))[: len(total)]
    return total - before
