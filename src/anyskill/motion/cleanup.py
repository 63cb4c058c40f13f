"""Clean-up: feet that stand still and flat, nothing below the ground, nobody hovering, joints within their limits.

In order: joints are brought within their limits; the clip is raised or lowered over time until whatever carries the
body touches the ground, flights left as they are; feet and hands that rest get a place to rest; inverse kinematics
(``mink``) then finds, frame by frame, the nearest pose that honours all this.
"""

import itertools
from dataclasses import replace

import mink
import mujoco
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character, Geom
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.contact import contact_points, corrected, smooth_curve
from anyskill.motion.ground import flight_of, model_of

_ITERATIONS = 6
_SETTLED = 1e-4  # m and rad; a smaller step ends the iteration, a smaller correction is none
_NEAR = 0.05  # m above the ground within which points are kept from sinking
_LEVEL_STIFFNESS = 20.0  # smooths heights below about 2 Hz at 30 frames a second
_HOVER = 0.01  # m; what may remain

_UP = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def clean_up(clip: Clip) -> Clip:
    """The nearest motion whose contacts are right; a clean clip comes back nearly unchanged.

    Takes about a second for ten seconds of motion at 30 frames a second.
    """
    skeleton = skeleton_of(clip.character)
    clip = replace(clip, rotations=within_limits(skeleton, clip.rotations))
    clip = replace(clip, root_positions=clip.root_positions - _floor(clip)[:, None] * _UP)
    clip = _with_contacts(clip)
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


def _with_contacts(clip: Clip) -> Clip:
    """Inverse kinematics in every frame that needs it, starting from the pose that is there."""
    skeleton = skeleton_of(clip.character)
    positions, rotations = skeleton.forward(clip.root_positions, clip.rotations)
    _, flight = flight_of(clip.character, positions, rotations, clip.fps)
    configuration = mink.Configuration(model_of(clip.character))
    ground = _GroundLimit(clip.character)
    limits = [mink.ConfigurationLimit(configuration.model, gain=1.0), ground]
    posture = mink.PostureTask(configuration.model, cost=1.0)
    frames = [mink.FrameTask(skeleton.names[0], "body", position_cost=8.0, orientation_cost=4.0)]
    goals = [torch.cat((rotations[:, 0], positions[:, 0]), -1)]
    moved = torch.zeros(clip.num_frames, dtype=torch.float64)
    for points in contact_points(clip.character):
        sole = len(points.local) > 1
        frames.append(mink.FrameTask(skeleton.names[points.body], "body", *((40.0, 10.0) if sole else (10.0, 0.0))))
        position, turn = corrected(points, positions, rotations, flight, clip.fps)
        goal = torch.cat((turn, position), -1)
        here = torch.cat((rotations[:, points.body], positions[:, points.body]), -1)
        moved = torch.maximum(moved, (goal - here).abs().amax(-1))
        goals.append(goal)

    qpos = skeleton.qpos(clip.root_positions, clip.rotations).numpy()
    solved = qpos.copy()
    for frame, targets in enumerate(torch.stack(goals, 1).numpy()):
        configuration.update(qpos[frame])
        if moved[frame] < _SETTLED and ground.heights(configuration.data).min() > -_SETTLED:
            continue
        posture.set_target(qpos[frame])
        for task, target in zip(frames, targets, strict=True):
            task.set_target(mink.SE3(wxyz_xyz=target))
        for _ in range(_ITERATIONS):
            step = mink.solve_ik(configuration, [posture, *frames], 1.0, "daqp", damping=1e-6, limits=limits)
            configuration.integrate_inplace(step, 1.0)
            if np.abs(step).max() < _SETTLED:
                break
        solved[frame] = configuration.q
    root_positions, local = skeleton.pose(torch.from_numpy(solved))
    return replace(clip, root_positions=root_positions, rotations=local)


class _GroundLimit(mink.Limit):
    """No point of any collision shape below z = 0, as linear inequalities for the points near the ground."""

    def __init__(self, character: Character) -> None:
        points = [(i, *point) for i, body in enumerate(character.bodies, 1) for g in body.geoms for point in _points(g)]
        self._bodies = np.array([body for body, _, _ in points])
        self._local = np.array([place for _, place, _ in points])
        self._radii = np.array([radius for _, _, radius in points])

    def _places(self, data: mujoco.MjData) -> Float[np.ndarray, "point 3"]:
        turns = data.xmat[self._bodies].reshape(-1, 3, 3)
        return data.xpos[self._bodies] + np.einsum("pij,pj->pi", turns, self._local)

    def heights(self, data: mujoco.MjData) -> Float[np.ndarray, "point"]:
        """Of all points above the ground (m), the radius of the shape's rounding taken off."""
        return self._places(data)[:, 2] - self._radii

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> mink.Constraint:
        """-J_z·Δq ≤ height."""
        del dt
        places = self._places(configuration.data)
        heights = places[:, 2] - self._radii
        near = np.nonzero(heights < _NEAR)[0]
        if len(near) == 0:
            return mink.Constraint()
        rows = np.empty((len(near), configuration.nv))
        jacobian = np.empty((3, configuration.nv))
        for row, point in enumerate(near):
            mujoco.mj_jac(configuration.model, configuration.data, jacobian, None, places[point], self._bodies[point])
            rows[row] = -jacobian[2]
        return mink.Constraint(rows, heights[near])


def _points(geom: Geom) -> list[tuple[Float[np.ndarray, "3"], float]]:
    """Points of a shape one of which is always its lowest, each with a radius of rounding."""
    start = np.asarray(geom.start, float)
    if geom.kind == "box":
        return [(start + np.multiply(signs, geom.size), 0.0) for signs in itertools.product((-1, 1), repeat=3)]
    if geom.end is None:
        return [(start, geom.size[0])]
    end = np.asarray(geom.end, float)
    if geom.kind == "capsule":
        return [(start, geom.size[0]), (end, geom.size[0])]
    # A cylinder's rims, in twelve points each.
    axis = (end - start) / np.linalg.norm(end - start)
    across = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    across /= np.linalg.norm(across)
    angles = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)[:, None]
    rim = geom.size[0] * (np.cos(angles) * across + np.sin(angles) * np.cross(axis, across))
    return [(centre + point, 0.0) for centre in (start, end) for point in rim]
