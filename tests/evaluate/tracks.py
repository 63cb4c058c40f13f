"""Tracks whose content is known: authored clips side by side, and poses and movements made by formula."""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Vector
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.evaluate.track import Track
from anyskill.motion.authored import authored_clips
from anyskill.motion.clip import Clip

SKELETON = skeleton_of(HUMANOID)
REST = HUMANOID.rest_height


def track(positions: Tensor, rotations: Tensor) -> Track:
    """Of what is seen in each frame of each world."""
    still = torch.zeros_like(positions)
    return Track(BodyState(positions, rotations, still, still, still), SKELETON)


def side_by_side(clips: list[Clip]) -> Track:
    """A world a clip; shorter ones stay in their last frame."""
    length = max(clip.num_frames for clip in clips)
    parts = []
    for clip in clips:
        frame = torch.arange(length).clamp_max(clip.num_frames - 1)
        seen = SKELETON.forward(clip.root_positions, clip.rotations)
        parts.append([each[frame].float() for each in seen])
    return track(*(torch.stack(each, 1) for each in zip(*parts, strict=True)))


@lru_cache
def authored() -> tuple[tuple[str, ...], Track]:
    """Names and a track of all motions of the package."""
    clips = list(authored_clips())
    return tuple(clip.name for clip in clips), side_by_side(clips)


Degrees = Callable[[Tensor], tuple[Tensor | float, Tensor | float, Tensor | float]]


def moving(
    root: Callable[[Tensor], tuple[Tensor | float, Tensor | float, Tensor | float]] = lambda t: (0.0, 0.0, REST),
    turn: Degrees = lambda t: (0.0, 0.0, 0.0),
    seconds: float = 4.0,
    **joints: Degrees,
) -> Track:
    """One world: the root's place (m), its turn, and joints, each a rotation vector (degrees), over time (s)."""
    time = torch.arange(round(seconds * 30)) / 30

    def series(of: Degrees) -> Tensor:
        return torch.stack([torch.as_tensor(each).expand(len(time)) for each in of(time)], -1).float()

    local = rotation.identity(len(time), SKELETON.num_bodies)
    local[:, 0] = rotation.from_rotation_vector(torch.deg2rad(series(turn)))
    for name, of in joints.items():
        local[:, SKELETON.index(name)] = rotation.from_rotation_vector(torch.deg2rad(series(of)))
    positions, rotations = SKELETON.forward(series(root), local)
    return track(positions[:, None], rotations[:, None])


def pose(height: float = REST, turn: Vector = (0.0, 0.0, 0.0), seconds: float = 2.0, **joints: Vector) -> Track:
    """One world that stays as it is."""
    held = {name: (lambda t, vector=vector: vector) for name, vector in joints.items()}
    return moving(lambda t: (0.0, 0.0, height), lambda t: turn, seconds, **held)
