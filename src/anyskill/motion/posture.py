"""Poses → joint angles: feet where they belong, the centre of mass above them, hands on the floor."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.motion.ground import centre_of_mass, lowest_points
from anyskill.motion.limbs import (
    ANKLE_HEIGHT,
    SIDES,
    ankle_of,
    hinge_turn,
    perpendicular,
    sole_of,
    support_of,
    turn_about,
)
from anyskill.motion.pose import ARMS, JOINTS, LEGS, SKELETON, Foot, Hand, Pose

_ROUNDS = 25  # of shifting the pelvis; each takes away four fifths of what the centre of mass is off
_STRAIGHTEST_KNEE = torch.deg2rad(torch.tensor(10.0, dtype=torch.float64))
_WIDEST = torch.deg2rad(torch.tensor(172.0, dtype=torch.float64))  # a rotation vector wraps at 180
_Y = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
_HIPS = torch.stack([SKELETON.offsets[limb.upper] for limb in LEGS])

PARTS = [f"{side} {end}" for end in ("hand", "foot") for side in SIDES]
"""What the columns of ``Postures.missing`` are."""


@dataclass(frozen=True)
class Postures:
    """Solved poses in the coordinates in which they are interpolated."""

    root: Float[Tensor, "pose 3"]  # m
    turn: Float[Tensor, "pose 4"]  # of the root
    dofs: Float[Tensor, "pose 28"]  # rad
    soles: Float[Tensor, "pose 2 6"]  # right and left, as in ``limbs.ankle_of``
    swivels: Float[Tensor, "pose 2"]  # rad, knees about the lines from hip to ankle
    balance: Float[Tensor, "pose 2"]  # m, the centre of mass on the ground
    missing: Float[Tensor, "pose 4"]  # m that hands and feet are out of reach, as in ``PARTS``

    def __getitem__(self, index: slice) -> "Postures":
        return Postures(*(getattr(self, field.name)[index] for field in fields(self)))


def solve(poses: Sequence[Pose]) -> Postures:
    """Work out all poses together.

    The pelvis moves under the fixed feet until the centre of mass is above them; what is out of reach is reported in
    ``missing``, not refused.
    """
    hands = [_stack_hands([pose.hands[side] for pose in poses]) for side in range(2)]
    feet = [_stack_feet([pose.feet[side] for pose in poses]) for side in range(2)]
    weight = torch.stack([pose.weight for pose in poses])
    balanced = weight.sum(-1) > 0
    support = support_of(torch.stack([foot.sole for foot in feet], 1))
    target = (weight[..., None] * support).sum(1)[:, :2]
    on_floor = torch.tensor([pose.on_floor for pose in poses])
    given = torch.tensor([float("nan") if pose.height is None else pose.height for pose in poses], dtype=torch.float64)
    turn = torch.stack([pose.turn for pose in poses])
    local = SKELETON.rotations_from_dofs(turn, torch.stack([pose.dofs for pose in poses]))
    place = torch.where(balanced[:, None], target, torch.stack([pose.place for pose in poses]))
    root = torch.cat((place, torch.full((len(poses), 1), 0.5, dtype=torch.float64)), -1)
    for _ in range(_ROUNDS):
        automatic = torch.where(on_floor, root[:, 2], _highest(root, turn, feet))
        root[:, 2] = torch.where(given.isnan(), automatic, given)
        local, missing = _place_limbs(root, local, hands, feet)
        positions, rotations = SKELETON.forward(root, local)
        off = (centre_of_mass(HUMANOID, positions, rotations)[:, :2] - target) * balanced[:, None]
        drop = _clearance(positions, rotations, torch.stack([foot.given for foot in feet], -1)) * on_floor
        root = root - torch.cat((off, drop[:, None]), -1)
    local, missing = _place_limbs(root, local, hands, feet)
    positions, rotations = SKELETON.forward(root, local)
    ends = [limb.end for limb in LEGS]
    return Postures(
        root,
        turn,
        SKELETON.dofs_from_rotations(local),
        sole_of(positions[:, ends], rotations[:, ends]),
        torch.stack([_swivel(positions, rotations, side) for side in range(2)], -1),
        centre_of_mass(HUMANOID, positions, rotations)[:, :2],
        missing,
    )


def stand_on(
    root: Float[Tensor, "frame 3"],
    local: Float[Tensor, "frame body 4"],
    soles: Float[Tensor, "frame 2 6"],
    swivels: Float[Tensor, "frame 2"],
    balance: Float[Tensor, "frame 2"],
) -> tuple[Float[Tensor, "frame 3"], Float[Tensor, "frame body 4"], Float[Tensor, "frame 2"]]:
    """Bend the legs so that the feet are where they are wanted.

    The root is shifted until ``balance`` is met, and raised where anything but the feet would be under the ground.

    Returns:
        Root positions, local rotations with new legs, and by how much (m) each foot's place is out of reach.
    """
    feet = [ankle_of(soles[:, side]) for side in range(2)]
    root, local = root.clone(), local.clone()
    for _ in range(_ROUNDS):
        missing = [_bend_leg(local, side, root, *feet[side], feet[side][1], swivels[:, side]) for side in range(2)]
        positions, rotations = SKELETON.forward(root, local)
        off = balance - centre_of_mass(HUMANOID, positions, rotations)[:, :2]
        lift = -_clearance(positions, rotations, torch.ones(len(root), 2, dtype=torch.bool)).clamp_max(0)
        if max(off.abs().max(), lift.max()) < 1e-5:
            break
        root += torch.cat((off, lift[:, None]), -1)
    return root, local, torch.stack(missing, -1)


def worst_breach(dofs: Float[Tensor, "pose 28"]) -> tuple[int, str] | None:
    """The pose that asks most beyond what a joint can do, and that in words; None if all can be done.

    A hinge has its range. Of a ball joint, the cone around its largest limit counts, as in the simulation; a shoulder
    stops short of the half turn at which rotation vectors wrap.
    """
    worst, found = 1e-6, None
    for joint, body in JOINTS.items():
        slot = SKELETON.dof_slices[SKELETON.index(body)]
        values, (low, high) = dofs[:, slot], SKELETON.limits[slot].T
        if len(low) == 3:
            values, high = values.norm(dim=-1, keepdim=True), torch.maximum(low.abs(), high.abs()).amax(0, keepdim=True)
            low, high = -high, high.clamp_max(_WIDEST)
        beyond = torch.maximum(values - high, low - values)[:, 0]
        if beyond.max() > worst:
            worst, pose = float(beyond.max()), int(beyond.argmax())
            limit = high if values[pose] > high else low
            asked, allowed = values[pose].rad2deg().item(), limit.rad2deg().item()
            found = (pose, f"the {joint} is turned by {asked:.0f}°, its limit is {allowed:.0f}°")
    return found


def _clearance(
    positions: Float[Tensor, "pose body 3"], rotations: Float[Tensor, "pose body 4"], aside: Bool[Tensor, "pose 2"]
) -> Float[Tensor, "pose"]:
    """Height (m) of the lowest point of the body, some feet left aside."""
    heights = lowest_points(HUMANOID, positions, rotations)
    owners = torch.tensor([number for number, body in enumerate(HUMANOID.bodies) for _ in body.geoms])
    for side, limb in enumerate(LEGS):
        heights = heights.masked_fill(aside[:, side, None] & (owners == limb.end), torch.inf)
    return heights.amin(-1)


def _highest(root: Tensor, turn: Tensor, feet: list["_Feet"]) -> Float[Tensor, "pose"]:
    """Height (m) of the pelvis at which one of the grounded legs is as straight as a standing leg may be."""
    heights = []
    for side, limb in enumerate(LEGS):
        first, second = limb.lengths
        reach = (first**2 + second**2 + 2 * first * second * torch.cos(_STRAIGHTEST_KNEE)).sqrt()
        hip = rotation.rotate(turn, _HIPS[side])
        ankle, _ = ankle_of(feet[side].sole)
        away = (root + hip - ankle)[:, :2].norm(dim=-1)
        height = ankle[:, 2] - hip[:, 2] + (reach**2 - away**2).clamp_min(0.01).sqrt()
        heights.append(torch.where(feet[side].grounded, height, torch.inf))
    return torch.minimum(*heights)


@dataclass(frozen=True)
class _Feet:
    """The same foot of many poses."""

    given: Bool[Tensor, "pose"]
    grounded: Bool[Tensor, "pose"]
    relaxed: Bool[Tensor, "pose"]
    sole: Float[Tensor, "pose 6"]
    swivel: Float[Tensor, "pose"]


def _stack_feet(feet: Sequence[Foot | None]) -> _Feet:
    none = Foot(torch.zeros(6, dtype=torch.float64), 0.0, False, False)
    filled = [foot or none for foot in feet]
    return _Feet(
        torch.tensor([foot is not None for foot in feet]),
        torch.tensor([foot.grounded for foot in filled]),
        torch.tensor([foot.relaxed for foot in filled]),
        torch.stack([foot.sole for foot in filled]),
        torch.tensor([foot.swivel for foot in filled], dtype=torch.float64),
    )


def _stack_hands(hands: Sequence[Hand | None]) -> tuple[Tensor, Tensor, Tensor]:
    """Which poses place this hand, where (m), and where the elbow points."""
    none = Hand(torch.zeros(3, dtype=torch.float64), torch.tensor([-1.0, 0.0, 0.0], dtype=torch.float64))
    filled = [hand or none for hand in hands]
    given = torch.tensor([hand is not None for hand in hands])
    return given, torch.stack([hand.at for hand in filled]), torch.stack([hand.elbow for hand in filled])


def _place_limbs(
    root: Float[Tensor, "pose 3"],
    local: Float[Tensor, "pose body 4"],
    hands: list[tuple[Tensor, Tensor, Tensor]],
    feet: list[_Feet],
) -> tuple[Float[Tensor, "pose body 4"], Float[Tensor, "pose 4"]]:
    """Solve the limbs whose ends were told where to be; the others stay."""
    missing = []
    positions, rotations = SKELETON.forward(root, local)
    new = local.clone()
    for limb, (given, at, elbow) in zip(ARMS, hands, strict=True):
        shoulder = SKELETON.offsets[limb.upper]
        target = rotation.rotate_inverse(rotations[:, limb.parent], at - positions[:, limb.parent])
        upper, angle, short = limb.solve(
            shoulder.expand_as(target), target, torch.linalg.cross(target - shoulder, elbow)
        )
        new[:, limb.upper] = torch.where(given[:, None], upper, local[:, limb.upper])
        new[:, limb.lower] = torch.where(given[:, None], hinge_turn(angle), local[:, limb.lower])
        missing.append(short * given)
    for side, foot in enumerate(feet):
        ankle, turn = ankle_of(foot.sole)
        relaxed = foot.relaxed[:, None]
        ankle = torch.where(relaxed, foot.sole[:, :3] + torch.tensor([0, 0, ANKLE_HEIGHT]), ankle)
        bent = new.clone()
        short = _bend_leg(bent, side, root, ankle, turn, torch.where(relaxed, local[:, 0], turn), foot.swivel)
        end = LEGS[side].end
        bent[:, end] = torch.where(relaxed, rotation.identity(dtype=torch.float64), bent[:, end])
        new = torch.where(foot.given[:, None, None], bent, new)
        missing.append(short * foot.given)
    return new, torch.stack(missing, -1)


def _bend_leg(
    local: Float[Tensor, "pose body 4"],
    side: int,
    root: Float[Tensor, "pose 3"],
    ankle: Float[Tensor, "pose 3"],
    turn: Float[Tensor, "pose 4"],
    level: Float[Tensor, "pose 4"],
    swivel: Float[Tensor, "pose"],
) -> Float[Tensor, "pose"]:
    """Write the leg that takes a foot to ``ankle`` and ``turn`` into ``local``.

    The knee's axis is the y axis of ``level``, turned by ``swivel`` about the line from hip to ankle.

    Returns:
        By how much (m) the ankle is out of reach.
    """
    limb = LEGS[side]
    hip = root + rotation.rotate(local[:, 0], _HIPS[side])
    along = torch.nn.functional.normalize(ankle - hip, dim=-1)
    hinge = turn_about(perpendicular(rotation.rotate(level, _Y), along), along, swivel)
    thigh, knee, missing = limb.solve(hip, ankle, hinge)
    local[:, limb.upper] = rotation.multiply(rotation.conjugate(local[:, 0]), thigh)
    local[:, limb.lower] = hinge_turn(knee)
    local[:, limb.end] = rotation.multiply(rotation.conjugate(rotation.multiply(thigh, local[:, limb.lower])), turn)
    return missing


def _swivel(positions: Tensor, rotations: Tensor, side: int) -> Float[Tensor, "pose"]:
    """The angle by which the knee's axis is turned from the foot's y axis, about the line from hip to ankle."""
    limb = LEGS[side]
    along = torch.nn.functional.normalize(positions[:, limb.end] - positions[:, limb.upper], dim=-1)
    level = perpendicular(rotation.rotate(rotations[:, limb.end], _Y), along)
    axis = rotation.rotate(rotations[:, limb.upper], _Y)
    sine = (along * torch.linalg.cross(level, axis)).sum(-1)
    return torch.atan2(sine, (level * axis).sum(-1))
