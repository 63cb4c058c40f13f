"""Feet and hands on the ground: when they rest there, and where they should be so that they neither sink nor slide."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.motion.ground import corners, stretches

# A point rests fully below the first height (m) and speed (m/s), and not at all above the second.
_HEIGHTS = (0.02, 0.06)
_SPEEDS = (0.3, 0.7)
_HOVER_HEIGHTS = (0.05, 0.09)
_HOVER_SPEEDS = (0.1, 0.3)
_SHORTEST = 0.1  # s
_LONGEST_SLIDE = 0.1  # m; a point that travels further while it rests is meant to slide
_LOOSE = 0.02  # weight of points that do not rest


@dataclass(frozen=True)
class ContactPoints:
    """Points of one body that may rest on the ground: the corners of a sole, the underside of a hand."""

    body: int
    local: Float[Tensor, "point 3"]  # m, in the body's frame
    radius: float  # m; of a sphere around each point


def contact_points(character: Character) -> list[ContactPoints]:
    """Soles and hands, in the order of the character's bodies."""
    points = []
    for number, body in enumerate(character.bodies):
        if body.name.endswith("_foot"):
            points.append(ContactPoints(number, corners(body.geoms[0]), 0.0))
        elif body.name.endswith("_hand"):
            centre = torch.tensor([body.geoms[0].start], dtype=torch.float64)
            points.append(ContactPoints(number, centre, body.geoms[0].size[0]))
    return points


def place(
    points: ContactPoints, positions: Float[Tensor, "frame body 3"], rotations: Float[Tensor, "frame body 4"]
) -> Float[Tensor, "frame point 3"]:
    """Where the points' lowest ends are in the world."""
    turned = rotation.rotate(rotations[:, points.body, None], points.local)
    return positions[:, points.body, None] + turned - turned.new_tensor([0.0, 0.0, points.radius])


def at_rest(
    places: Float[Tensor, "frame point 3"], flight: Bool[Tensor, "frame"], fps: float
) -> Float[Tensor, "frame point"]:
    """How much each point rests on the ground, from 0 to 1; never in flight.

    A point rests fully below the first height and speed, not at all above the second, and only in a stretch of some
    length in which it does rest fully at least once: a sole that passes close to the ground does not.
    """
    speed = torch.gradient(places, dim=0)[0].norm(dim=-1) * fps
    rest = _falling(places[..., 2], *_HEIGHTS) * _falling(speed, *_SPEEDS) * ~flight[:, None]
    for point in range(places.shape[1]):
        for start, stop in stretches(rest[:, point] > 0):
            if stop - start < _SHORTEST * fps or rest[start:stop, point].max() < 1.0:
                rest[start:stop, point] = 0.0
    return rest


def _hovering(places: Float[Tensor, "frame point 3"], fps: float) -> Float[Tensor, "frame"]:
    """How far (m) a whole foot or hand that keeps still close above the ground is too high.

    The file's legs were not exactly ours: where one foot stands, the other one may end up a little above the ground.
    """
    lowest = places[..., 2].amin(-1)
    speed = torch.gradient(places.mean(1), dim=0)[0].norm(dim=-1) * fps
    excess = lowest.clamp_min(0.0) * _falling(lowest, *_HOVER_HEIGHTS) * _falling(speed, *_HOVER_SPEEDS)
    return smooth_curve(excess[:, None], torch.ones_like(excess), stiffness=30.0)[:, 0]


def _falling(x: Tensor, full: float, none: float) -> Tensor:
    t = ((none - x) / (none - full)).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def resting_places(
    places: Float[Tensor, "frame point 3"], rest: Float[Tensor, "frame point"]
) -> Float[Tensor, "frame point 3"]:
    """Where resting points belong: on the ground, and still, unless they slide so far that it must be meant."""
    wanted = places.clone()
    for point in range(places.shape[1]):
        for start, stop in stretches(rest[:, point] > 0):
            firm = places[start:stop, point, :2][rest[start:stop, point] == 1.0]
            wanted[start:stop, point, 2] = 0.0
            if (firm.amax(0) - firm.amin(0)).norm() < _LONGEST_SLIDE:
                wanted[start:stop, point, :2] = firm.median(0).values
    return wanted


def corrected(
    points: ContactPoints,
    positions: Float[Tensor, "frame body 3"],
    rotations: Float[Tensor, "frame body 4"],
    flight: Bool[Tensor, "frame"],
    fps: float,
) -> tuple[Float[Tensor, "frame 3"], Float[Tensor, "frame 4"], Float[Tensor, "frame"]]:
    """World pose of the points' body that brings resting points to their places, eased in and out, and how it rests.

    In each frame the smallest rigid motion (t, ω) with t + ω×r = wanted - now is found for the resting points by
    damped least squares; between rests the correction fades along a smooth curve.
    """
    places = place(points, positions, rotations)
    lowered = places - _hovering(places, fps)[:, None, None] * places.new_tensor([0.0, 0.0, 1.0])
    rest = at_rest(lowered, flight, fps)
    position, turn = positions[:, points.body], rotations[:, points.body]
    gap = lowered - places + rest[..., None] * (resting_places(lowered, rest) - lowered)
    eased = fade(_rigid_motion(gap, places - position[:, None], rest + _LOOSE), rest.amax(-1))
    if len(points.local) > 1:
        turn = rotation.multiply(rotation.from_rotation_vector(eased[:, 3:]), turn)
    return position + eased[:, :3], turn, rest.amax(-1)


def _rigid_motion(
    gap: Float[Tensor, "frame point 3"], arm: Float[Tensor, "frame point 3"], weight: Float[Tensor, "frame point"]
) -> Float[Tensor, "frame 6"]:
    """(t, ω) that moves the points by ``gap``; shifts are cheaper than turns where either would do."""
    x, y, z = arm.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, z, -y, -z, zero, x, y, -x, zero), -1).unflatten(-1, (3, 3))  # ω×r = cross·ω
    rows = torch.cat((torch.eye(3, dtype=arm.dtype).expand_as(cross), cross), -1)
    damping = torch.diag(arm.new_tensor([1e-6] * 3 + [1e-4] * 3))
    matrix = torch.einsum("fp,fpij,fpik->fjk", weight, rows, rows) + damping
    return torch.linalg.solve(matrix, torch.einsum("fp,fpij,fpi->fj", weight, rows, gap))


def fade(values: Float[Tensor, "frame channel"], known: Float[Tensor, "frame"]) -> Float[Tensor, "frame channel"]:
    """The values where they are known (1); elsewhere (0) a smooth curve that sinks to zero in some four frames."""
    return smooth_curve(values, 10.0 * known + 1.0 / 256.0, stiffness=1.0)


def smooth_curve(
    values: Float[Tensor, "frame channel"], weights: Float[Tensor, "frame"], stiffness: float
) -> Float[Tensor, "frame channel"]:
    """Whittaker's smoother: the y that minimises Σ w (y - value)² + stiffness · Σ (second difference of y)²."""
    frames = len(values)
    second = np.zeros((3, frames))  # diagonals of DᵀD, upper form
    for offset, coefficients in ((0, (1, 4, 1)), (1, (-2, -2)), (2, (1,))):
        for shift, coefficient in enumerate(coefficients):
            second[2 - offset, offset + shift : frames - 2 + offset + shift] += coefficient
    second *= stiffness
    second[2] += weights.numpy()
    return torch.from_numpy(solveh_banded(second, (weights[:, None] * values).numpy()))
