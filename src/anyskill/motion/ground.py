"""Where a character meets the ground: the lowest points of its collision shapes, its centre of mass, its flights."""

import itertools
from functools import lru_cache

import mujoco
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character, Geom
from anyskill.body.model import build_model

GRAVITY = 9.81  # m/s²
_WELL_ABOVE = 0.1  # m


@lru_cache
def model_of(character: Character) -> mujoco.MjModel:
    """The shared MuJoCo model of a character; not to be changed."""
    return build_model(character)


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
    model = model_of(character)
    mass, local = positions.new_tensor(model.body_mass[1:]), positions.new_tensor(model.body_ipos[1:])
    return ((positions + rotation.rotate(rotations, local)) * mass[:, None]).sum(-2) / mass.sum()


def flight_of(
    character: Character, positions: Float[Tensor, "frame body 3"], rotations: Float[Tensor, "frame body 4"], fps: float
) -> tuple[Float[Tensor, "frame"], Bool[Tensor, "frame"]]:
    """Height (m) of the body's lowest point in every frame, and which frames are of flight."""
    height = lowest_points(character, positions, rotations).amin(-1)
    return height, in_flight(height, centre_of_mass(character, positions, rotations)[..., 2], fps)


def in_flight(
    height: Float[Tensor, "frame"], centre_height: Float[Tensor, "frame"], fps: float
) -> Bool[Tensor, "frame"]:
    """Frames in which nothing carries the body: its centre of mass accelerates downwards by more than half of gravity.

    The acceleration is a second difference over 1/30 s, smoothed over three frames; real flights show -9.3 to -10
    m/s², walking never falls below -4. The frames beside a flight, in which the body takes off or lands, count to it.
    Keyframed flips jerk through the air: a pause between two flights belongs to them if the body stays well above the
    heights at which it took off and lands.

    Args:
        height: Lowest point of the body (m).
        centre_height: Height of the centre of mass (m).
        fps: Frames a second.
    """
    step = min(max(1, round(fps / 30)), (len(centre_height) - 1) // 2)
    if step < 1:
        return torch.zeros(len(centre_height), dtype=torch.bool)
    bend = centre_height[2 * step :] - 2.0 * centre_height[step:-step] + centre_height[: -2 * step]
    padded = torch.nn.functional.pad(bend[None], (2 * step, 2 * step), mode="replicate")[0]
    smooth = 0.25 * padded[: -2 * step] + 0.5 * padded[step:-step] + 0.25 * padded[2 * step :]
    falling = smooth * (fps / step) ** 2 < -0.5 * GRAVITY
    flight = torch.nn.functional.max_pool1d(falling[None].double(), 2 * step + 1, stride=1, padding=step)[0] > 0
    parts = stretches(flight)
    for (start, pause), (resume, stop) in itertools.pairwise(parts):
        if height[pause:resume].min() > torch.maximum(height[start], height[stop - 1]) + _WELL_ABOVE:
            flight[pause:resume] = True
    return flight


def stretches(mask: Bool[Tensor, "frame"]) -> list[tuple[int, int]]:
    """First and one-past-last frame of every run of True."""
    padded = torch.nn.functional.pad(mask.to(torch.int8), (1, 1))
    change = padded.diff()
    return list(zip((change == 1).nonzero()[:, 0].tolist(), (change == -1).nonzero()[:, 0].tolist(), strict=True))
