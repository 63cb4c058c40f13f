"""Clean-up: feet that stand still and flat, nothing below the ground, nobody hovering, joints within their limits.

In order: joints are brought within their limits; the clip is raised or lowered over time until whatever carries the
body touches the ground, flights left as they are; feet and hands that rest get a place to rest; inverse kinematics
(``mink``) then finds, frame by frame, the nearest pose that honours all this.
"""

from functools import lru_cache

import mink
import mujoco
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.body.model import build_model
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.contact import contact_points, corrected, smooth_curve
from anyskill.motion.ground import flight_of

_ITERATIONS = 6
_SETTLED = 1e-4  # m and rad; a smaller step ends the iteration, a smaller correction is none
_NEAR = 0.05  # m above the ground within which points are kept from sinking
_LEVEL_STIFFNESS = 20.0  # smooths heights below about 2 Hz at 30 frames a second
_HOVER = 0.01  # m


def clean_up(clip: Clip) -> Clip:
    """The nearest motion whose contacts are right; a clean clip comes back nearly unchanged.

    About two seconds for ten seconds of motion at 30 frames a second.
    """
    skeleton = skeleton_of(clip.character)
    local = within_limits(skeleton, clip.rotations)
    root = clip.root_positions - _level(clip, local)[:, None] * local.new_tensor([0.0, 0.0, 1.0])
    root, local = _solve(clip, skeleton, root, local)
    local = rotation.continuous(within_limits(skeleton, local))
    positions, rotations = skeleton.forward(root, local)
    height, free = flight_of(clip.character, positions, rotations, clip.fps)
    excess = torch.where(free, height.clamp_max(0.0), height.clamp(max=0.0) + (height - _HOVER).clamp_min(0.0))
    root = root - excess[:, None] * root.new_tensor([0.0, 0.0, 1.0])
    return Clip(clip.name, clip.fps, root, local, clip.labels, clip.loop, clip.character)


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


def _level(clip: Clip, local: Float[Tensor, "frame body 4"]) -> Float[Tensor, "frame"]:
    """Height (m) of the ground beneath the body over time, carried on smoothly below flights."""
    positions, rotations = skeleton_of(clip.character).forward(clip.root_positions, local)
    height, free = flight_of(clip.character, positions, rotations, clip.fps)
    weights = torch.where(free, 1e-6, 1.0).double()
    return smooth_curve(height[:, None], weights, _LEVEL_STIFFNESS * (clip.fps / 30) ** 4)[:, 0]


class _GroundLimit(mink.Limit):
    """No point of any collision shape below z = 0, as linear inequalities for the points near the ground."""

    def __init__(self, character: Character) -> None:
        bodies, points, radii = [], [], []
        for number, body in enumerate(character.bodies, 1):
            for geom in body.geoms:
                if geom.kind == "box":
                    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
                    ends = list(np.asarray(geom.start) + signs * np.asarray(geom.size))
                else:
                    ends = [np.asarray(geom.start)] + ([] if geom.end is None else [np.asarray(geom.end)])
                bodies += [number] * len(ends)
                points += ends
                radii += [0.0 if geom.kind == "box" else geom.size[0]] * len(ends)
        self._bodies, self._points, self._radii = np.array(bodies), np.array(points, float), np.array(radii)

    def places(self, data: mujoco.MjData) -> tuple[Float[np.ndarray, "point 3"], Float[np.ndarray, "point"]]:
        """World positions of all points and their heights above the ground, radius taken off."""
        turns = data.xmat[self._bodies].reshape(-1, 3, 3)
        places = data.xpos[self._bodies] + np.einsum("pij,pj->pi", turns, self._points)
        return places, places[:, 2] - self._radii

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> mink.Constraint:
        """-J_z·Δq ≤ height."""
        del dt
        places, heights = self.places(configuration.data)
        near = np.nonzero(heights < _NEAR)[0]
        if len(near) == 0:
            return mink.Constraint()
        rows = np.empty((len(near), configuration.nv))
        jacobian = np.empty((3, configuration.nv))
        for row, point in enumerate(near):
            mujoco.mj_jac(configuration.model, configuration.data, jacobian, None, places[point], self._bodies[point])
            rows[row] = -jacobian[2]
        return mink.Constraint(rows, heights[near])


@lru_cache
def _model(character: Character) -> mujoco.MjModel:
    return build_model(character)


def _solve(
    clip: Clip, skeleton: Skeleton, root: Float[Tensor, "frame 3"], local: Float[Tensor, "frame body 4"]
) -> tuple[Float[Tensor, "frame 3"], Float[Tensor, "frame body 4"]]:
    """Inverse kinematics in every frame, from the pose that is there."""
    positions, rotations = skeleton.forward(root, local)
    _, free = flight_of(clip.character, positions, rotations, clip.fps)
    configuration = mink.Configuration(_model(clip.character))
    ground = _GroundLimit(clip.character)
    limits = [mink.ConfigurationLimit(configuration.model, gain=1.0), ground]
    posture = mink.PostureTask(configuration.model, cost=1.0)
    pelvis = mink.FrameTask(skeleton.names[0], "body", position_cost=8.0, orientation_cost=4.0)
    tasks, targets, moved = [posture, pelvis], [(positions[:, 0], rotations[:, 0])], torch.zeros(clip.num_frames)
    for points in contact_points(clip.character):
        position, turn = corrected(points, positions, rotations, free, clip.fps)
        flat = len(points.local) > 1
        tasks.append(
            mink.FrameTask(
                skeleton.names[points.body],
                "body",
                position_cost=40.0 if flat else 10.0,
                orientation_cost=10.0 if flat else 0.0,
            )
        )
        targets.append((position, turn))
        moved = torch.maximum(moved, (position - positions[:, points.body]).abs().amax(-1))
        moved = torch.maximum(moved, (turn - rotations[:, points.body]).abs().amax(-1))
    goals = torch.stack([torch.cat((turn, position), -1) for position, turn in targets], 1).numpy()
    qpos = skeleton.qpos(root, local).numpy()
    solved = qpos.copy()
    for frame in range(clip.num_frames):
        configuration.update(qpos[frame])
        if moved[frame] < _SETTLED and ground.places(configuration.data)[1].min() > -_SETTLED:
            continue
        posture.set_target(qpos[frame])
        for task, goal in zip(tasks[1:], goals[frame], strict=True):
            task.set_target(mink.SE3(wxyz_xyz=goal))
        for _ in range(_ITERATIONS):
            step = mink.solve_ik(configuration, tasks, 1.0, "daqp", damping=1e-6, limits=limits)
            configuration.integrate_inplace(step, 1.0)
            if np.abs(step).max() < _SETTLED:
                break
        solved[frame] = configuration.q
    return skeleton.pose(torch.from_numpy(solved))
