"""Clean-up: feet that stand still and flat, nothing below the ground, nobody hovering, limbs outside each other.

In order: joints are brought within their limits; the clip is raised or lowered over time until whatever carries the
body touches the ground, flights left as they are; feet and hands that rest get a place to rest; inverse kinematics then
finds, frame by frame, the nearest pose that honours all this.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.contact import contact_points, corrected, smooth_curve
from anyskill.motion.ground import flight_of
from anyskill.motion.inverse_kinematics import Goal, solve

_LEVEL_STIFFNESS = 20.0  # smooths heights below about 2 Hz at 30 frames a second
_HOVER = 0.01  # m; what may remain

_UP = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def clean_up(clip: Clip) -> Clip:
    """The nearest motion whose contacts are right; a clean clip comes back nearly unchanged.

    Takes one to two seconds for ten seconds of motion at 30 frames a second.
    """
    skeleton = skeleton_of(clip.character)
    clip = replace(clip, rotations=within_limits(skeleton, clip.rotations))
    clip = replace(clip, root_positions=clip.root_positions - _floor(clip)[:, None] * _UP)
    clip = solve(clip, _goals(clip))
    clip = replace(clip, rotations=rotation.continuous(within_limits(skeleton, clip.rotations)))
    # What is left is small, but a promise is a promise.
    height, flight = flight_of(clip.character, *skeleton.forward(clip.root_positions, clip.rotations), clip.fps)
    hovers = torch.where(flight, 0.0, (height - _HOVER).clamp_min(0.0))
    return replace(clip, root_positions=clip.root_positions - (hovers + height.clamp_max(0.0))[:, None] * _UP)


def within_limits(skeleton: Skeleton, local: Float[Tensor, "frame body 4"]) -> Float[Tensor, "frame body 4"]:
    """Joint rotations brought within what the simulator enforces: a hinge's range, a ball's cone."""
    dofs = skeleton.dofs_from_rotations(local)
    for body, slot in skeleton.dof_slices.items():
        limits = skeleton.limits[slot]
        if skeleton.joints[body].kind == "hinge":
            dofs[:, slot] = dofs[:, slot].clamp(limits[:, 0], limits[:, 1])
        else:
            angle = dofs[:, slot].norm(dim=-1, keepdim=True)
            dofs[:, slot] *= (limits.abs().max() / angle.clamp_min(1e-9)).clamp_max(1.0)
    return skeleton.rotations_from_dofs(local[:, 0], dofs)


def _floor(clip: Clip) -> Float[Tensor, "frame"]:
    """Height (m) of the ground beneath the body over time, carried on smoothly below flights."""
    poses = skeleton_of(clip.character).forward(clip.root_positions, clip.rotations)
    height, flight = flight_of(clip.character, *poses, clip.fps)
    weights = torch.where(flight, 1e-6, 1.0).double()
    return smooth_curve(height[:, None], weights, _LEVEL_STIFFNESS * (clip.fps / 30) ** 4)[:, 0]


def _goals(clip: Clip) -> list[Goal]:
    """The pelvis where it is; feet and hands where they belong, firmly while they rest and loosely in between."""
    positions, rotations = skeleton_of(clip.character).forward(clip.root_positions, clip.rotations)
    _, flight = flight_of(clip.character, positions, rotations, clip.fps)
    goals = [Goal(0, positions[:, 0], rotations[:, 0], torch.full((clip.num_frames,), 8.0), 4.0)]
    for points in contact_points(clip.character):
        place, turn, rest = corrected(points, positions, rotations, flight, clip.fps)
        if len(points.local) > 1:
            goals.append(Goal(points.body, place, turn, 5.0 + 35.0 * rest, 10.0))
        else:  # a hand is a ball: only its place matters
            goals.append(Goal(points.body, place, turn, 0.5 + 9.5 * rest, 0.0))
    return goals
