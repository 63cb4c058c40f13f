"""Where a character meets the ground: the lowest points of its collision shapes, its centre of mass, its flights."""

from functools import lru_cache

import mujoco
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character, Geom
from anyskill.body.model import build_model
from anyskill.body.skeleton import skeleton_of

GRAVITY = 9.81  # m/s²
CLEARANCE = 0.02  # m; a body whose lowest point is higher is off the ground
_FALL = 0.4 * GRAVITY  # an arc bent at least so much is a flight: captures are noisy, and artists stretch time


def lowest_points(
    character: Character, positions: Float[Tensor, "*batch body 3"], rotations: Float[Tensor, "*batch body 4"]
) -> Float[Tensor, "*batch geom"]:
    """Height (m) of the lowest point of every collision shape, in the order of the character's table."""
    heights = []
    for number, body in enumerate(character.bodies):
        position, turn = positions[..., number, :], rotations[..., number, :]
        heights += [position[..., 2] + _lowest(geom, turn) for geom in body.geoms]
    return torch.stack(heights, -1)


def _lowest(geom: Geom, turn: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Lowest point of a shape relative to its body's origin."""
    ends = [geom.start] if geom.end is None else [geom.start, geom.end]
    up = rotation.rotate_inverse(turn, turn.new_tensor([0.0, 0.0, 1.0]))  # the world's z axis seen from the body
    centre = torch.stack([(up * up.new_tensor(end)).sum(-1) for end in ends]).amin(0)
    if geom.kind == "box":
        return centre - (up.abs() * up.new_tensor(geom.size)).sum(-1)
    if geom.kind == "cylinder":
        axis = up.new_tensor(ends[1]) - up.new_tensor(ends[0])
        along = (up * (axis / axis.norm())).sum(-1)
        return centre - geom.size[0] * (1.0 - along**2).clamp_min(0.0).sqrt()
    return centre - geom.size[0]


def corners(geom: Geom) -> Float[Tensor, "4 3"]:
    """The corners of a box's lower face, in its body's frame: of a foot, the sole."""
    signs = torch.tensor([[1, 1, -1], [1, -1, -1], [-1, 1, -1], [-1, -1, -1]], dtype=torch.float64)
    return torch.tensor(geom.start, dtype=torch.float64) + signs * torch.tensor(geom.size, dtype=torch.float64)


def centre_of_mass(
    character: Character, positions: Float[Tensor, "*batch body 3"], rotations: Float[Tensor, "*batch body 4"]
) -> Float[Tensor, "*batch 3"]:
    """Centre of mass of the whole body (m)."""
    mass, local = _masses(character)
    return ((positions + rotation.rotate(rotations, local)) * mass[:, None]).sum(-2) / mass.sum()


@lru_cache
def _masses(character: Character) -> tuple[Tensor, Tensor]:
    model: mujoco.MjModel = build_model(character)
    return torch.from_numpy(model.body_mass[1:].copy()), torch.from_numpy(model.body_ipos[1:].copy())


def airborne(
    height: Float[Tensor, "frame"], centre_height: Float[Tensor, "frame"], fps: float
) -> Bool[Tensor, "frame"]:
    """Frames of free flight.

    A flight is a stretch in which the lowest point of the body stays more than ``CLEARANCE`` above the ground and the
    centre of mass follows an arc bent downwards about as gravity bends it: the parabola fitted to its height has an
    acceleration below -0.4 g. Whoever hovers at rest, or walks above the ground, is not in flight.

    Args:
        height: Lowest point of the body above the ground (m).
        centre_height: Height of the centre of mass (m).
        fps: Frames a second.
    """
    flight = torch.zeros(len(height), dtype=torch.bool)
    for start, stop in stretches(height > CLEARANCE):
        low, high = max(0, start - 1), min(len(height), stop + 1)
        if high - low < 3:
            continue
        time = torch.arange(high - low, dtype=torch.float64) / fps
        powers = torch.stack((torch.ones_like(time), time, 0.5 * time**2), -1)
        acceleration = torch.linalg.lstsq(powers, centre_height[low:high, None]).solution[2, 0]
        flight[start:stop] = acceleration < -_FALL
    return flight


def stretches(mask: Bool[Tensor, "frame"]) -> list[tuple[int, int]]:
    """First and one-past-last frame of every run of True."""
    padded = torch.nn.functional.pad(mask.to(torch.int8), (1, 1))
    change = padded.diff()
    return list(zip((change == 1).nonzero()[:, 0].tolist(), (change == -1).nonzero()[:, 0].tolist(), strict=True))
