"""The nearest pose that reaches its goals, does not sink, and does not cut through itself: ``mink``, frame by frame."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import mink
import mujoco
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.humanoid import Character, Geom
from anyskill.body.model import build_model
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip

_ITERATIONS = 20
_SETTLED = 1e-4  # m and rad; a smaller step ends the iteration, a smaller correction is none
_NEAR = 0.05  # m above the ground within which points are kept from sinking
_PADDING = 0.01  # m between bodies within which they are kept apart
_LARGEST_PUSH = 0.02  # m in one iteration
_FREED, _LEFT = 0.04, 0.07  # m; bodies less deep inside each other are parted, deeper ones left as they are


@dataclass(frozen=True)
class Goal:
    """Where a body should be, and how much that matters beside an error of 1 rad in every joint, which costs 1."""

    body: int
    positions: Float[Tensor, "frame 3"]  # m
    rotations: Float[Tensor, "frame 4"]
    position_cost: Float[Tensor, "frame"]  # for an error of 1 m
    orientation_cost: float  # for an error of 1 rad


def solve(clip: Clip, goals: Sequence[Goal]) -> Clip:
    """The clip with every frame moved as little as its goals and the limits of body and ground ask for."""
    skeleton = skeleton_of(clip.character)
    positions, rotations = skeleton.forward(clip.root_positions, clip.rotations)
    configuration = mink.Configuration(_padded_model(clip.character))
    ground, apart = GroundLimit(clip.character), ApartLimit()
    limits = [mink.ConfigurationLimit(configuration.model, gain=1.0), ground]
    posture = mink.PostureTask(configuration.model, cost=1.0)
    reach = [mink.FrameTask(skeleton.names[goal.body], "body", 0.0, goal.orientation_cost) for goal in goals]
    targets = torch.stack([torch.cat((goal.rotations, goal.positions), -1) for goal in goals], 1)
    here = torch.stack([torch.cat((rotations[:, goal.body], positions[:, goal.body]), -1) for goal in goals], 1)
    reached = ((targets - here).abs().amax((1, 2)) < _SETTLED).tolist()
    costs = torch.stack([goal.position_cost for goal in goals], 1).tolist()

    qpos = skeleton.qpos(clip.root_positions, clip.rotations).numpy()
    solved, correction = qpos.copy(), np.zeros(configuration.nv)
    for frame, poses in enumerate(targets.numpy()):
        configuration.update(qpos[frame])
        if reached[frame] and max(ground.depth(configuration), apart.depth(configuration)) < _SETTLED:
            correction[:] = 0.0
            continue
        apart.start(configuration)
        posture.set_target(qpos[frame])
        for task, pose, cost in zip(reach, poses, costs[frame], strict=True):
            task.set_target(mink.SE3(wxyz_xyz=pose))
            task.set_position_cost(cost)
        # Starting from the last frame's correction, limbs leave each other on the same side as before.
        configuration.integrate_inplace(correction, 1.0)
        for _ in range(_ITERATIONS):
            step = _step(configuration, [posture, *reach], limits, apart)
            configuration.integrate_inplace(step, 1.0)
            if np.abs(step).max() < _SETTLED:
                break
        solved[frame] = configuration.q
        mujoco.mj_differentiatePos(configuration.model, correction, 1.0, qpos[frame], solved[frame])
    root_positions, local = skeleton.pose(torch.from_numpy(solved))
    return replace(clip, root_positions=root_positions, rotations=local)


def _step(
    configuration: mink.Configuration, tasks: list[mink.Task], limits: list[mink.Limit], apart: mink.Limit
) -> Float[np.ndarray, "nv"]:
    try:
        return mink.solve_ik(configuration, tasks, 1.0, "daqp", damping=1e-6, limits=[*limits, apart])
    except mink.NoSolutionFound:  # a body so entangled that it cannot be freed in small steps: it stays entangled
        return mink.solve_ik(configuration, tasks, 1.0, "daqp", damping=1e-6, limits=limits)


@lru_cache
def _padded_model(character: Character) -> mujoco.MjModel:
    """A model that reports bodies as in contact before they touch."""
    model = build_model(character)
    model.geom_margin[1:] = _PADDING
    return model


class GroundLimit(mink.Limit):
    """No point of any collision shape below z = 0, as linear inequalities for the points near the ground."""

    def __init__(self, character: Character) -> None:
        points = [(i, *point) for i, body in enumerate(character.bodies, 1) for g in body.geoms for point in _points(g)]
        self._bodies = np.array([body for body, _, _ in points])
        self._local = np.array([place for _, place, _ in points])
        self._radii = np.array([radius for _, _, radius in points])

    def depth(self, configuration: mink.Configuration) -> float:
        """Greatest depth (m) below the ground."""
        return max(0.0, -float((self._places(configuration)[:, 2] - self._radii).min()))

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> mink.Constraint:
        """-J_z·Δq ≤ height."""
        del dt
        places = self._places(configuration)
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

    def _places(self, configuration: mink.Configuration) -> Float[np.ndarray, "point 3"]:
        turns = configuration.data.xmat[self._bodies].reshape(-1, 3, 3)
        return configuration.data.xpos[self._bodies] + np.einsum("pij,pj->pi", turns, self._local)


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


class ApartLimit(mink.Limit):
    """Bodies that are not neighbours stay outside each other, as linear inequalities for the pairs that are close.

    A limb deep inside another body has two ways out, and the nearer one may be the wrong one: hands before the chest
    would end up behind the back. So what starts out that deep may stay there.
    """

    def __init__(self) -> None:
        self._allowed: dict[tuple[int, int], float] = {}  # shapes → depth (m)

    def start(self, configuration: mink.Configuration) -> None:
        """Take this pose as the one to start from."""
        share = min(max((self.depth(configuration) - _FREED) / (_LEFT - _FREED), 0.0), 1.0)
        self._allowed.clear()
        for contact in (configuration.data.contact[i] for i in self._contacts(configuration)):
            pair = (int(contact.geom1), int(contact.geom2))
            self._allowed[pair] = max(self._allowed.get(pair, 0.0), -share * float(contact.dist))

    def depth(self, configuration: mink.Configuration) -> float:
        """Greatest depth (m) of one body in another."""
        contacts = self._contacts(configuration)
        return max(0.0, -float(configuration.data.contact.dist[contacts].min(initial=0.0)))

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> mink.Constraint:
        """-n·(J₂ - J₁)·Δq ≤ distance + allowed depth, with n the contact's normal."""
        del dt
        model, data = configuration.model, configuration.data
        contacts = self._contacts(configuration)
        if len(contacts) == 0:
            return mink.Constraint()
        rows, room = np.empty((len(contacts), configuration.nv)), np.empty(len(contacts))
        first, second = np.empty((3, configuration.nv)), np.empty((3, configuration.nv))
        for row, contact in enumerate(data.contact[i] for i in contacts):
            mujoco.mj_jac(model, data, first, None, contact.pos, model.geom_bodyid[contact.geom1])
            mujoco.mj_jac(model, data, second, None, contact.pos, model.geom_bodyid[contact.geom2])
            rows[row] = contact.frame[:3] @ (first - second)
            room[row] = contact.dist + self._allowed.get((int(contact.geom1), int(contact.geom2)), 0.0)
        return mink.Constraint(rows, room.clip(-_LARGEST_PUSH))

    def _contacts(self, configuration: mink.Configuration) -> Int[np.ndarray, "contact"]:
        """Numbers of the contacts between bodies, as they are now."""
        model, data = configuration.model, configuration.data
        mujoco.mj_collision(model, data)
        if data.ncon == 0:
            return np.empty(0, int)
        return np.nonzero((model.geom_bodyid[data.contact.geom] > 0).all(-1))[0]
