"""Every shipped motion could be done by a body with this weight, and does what its labels say."""

import mujoco
import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull, QhullError

from anyskill.body.humanoid import HUMANOID
from anyskill.body.model import build_model
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.authored import authored_clips, authored_motions
from anyskill.motion.clip import Clip
from anyskill.motion.posture import centre_of_mass

SKELETON = skeleton_of(HUMANOID)
MODEL = build_model(HUMANOID)
FEET = [MODEL.geom(f"{side}_foot_0").id for side in ("right", "left")]
CLIPS = authored_clips()
FAST = {"attack", "jump"}  # may be quicker than daily life

each_clip = pytest.mark.parametrize("clip", CLIPS, ids=[clip.name for clip in CLIPS])


def poses(clip: Clip) -> np.ndarray:
    return SKELETON.qpos(clip.root_positions, clip.rotations).numpy()


def surface(data: mujoco.MjData, geom: int) -> np.ndarray:
    """Lowest points of a geom: corners of a box, undersides of a sphere's centre and a capsule's ends."""
    size, kind = MODEL.geom_size[geom], MODEL.geom_type[geom]
    centre, axes = data.geom_xpos[geom], data.geom_xmat[geom].reshape(3, 3)
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return centre + signs * size @ axes.T
    half = size[1] if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else 0.0
    ends = centre + np.array([[half], [-half]]) * axes[:, 2]
    return ends - [0, 0, size[0]]


def ground_contact(data: mujoco.MjData) -> np.ndarray:
    """Points of the surface, all bodies together."""
    return np.concatenate([surface(data, geom) for geom in range(1, MODEL.ngeom)])


def held_frames(clip: Clip) -> np.ndarray:
    """Frames within which nothing moves."""
    still = np.abs(np.diff(poses(clip), axis=0)).max(1) < 1e-6
    return np.flatnonzero(np.concatenate((still, [False])))


def distance_inside(point: np.ndarray, polygon: np.ndarray) -> float:
    """How far (m) a point is inside the convex hull of others; negative outside."""
    try:
        hull = ConvexHull(polygon)
    except QhullError:
        return -1.0
    return float(-(hull.equations[:, :2] @ point + hull.equations[:, 2]).max())


def deepest_self_contact(clip: Clip) -> tuple[float, str]:
    """Depth (m) and names of the two bodies of the worst self-penetration."""
    data, worst, names = mujoco.MjData(MODEL), 0.0, ""
    for qpos in poses(clip):
        data.qpos = qpos
        mujoco.mj_kinematics(MODEL, data)
        mujoco.mj_collision(MODEL, data)
        for contact in data.contact:
            if 0 not in contact.geom and -contact.dist > worst:
                worst = -contact.dist
                names = " and ".join(MODEL.body(MODEL.geom_bodyid[geom]).name for geom in contact.geom)
    return worst, names


def zero_moment_points(clip: Clip) -> np.ndarray:
    """Where (m) the ground's force would have to act, from inverse dynamics of the whole body."""
    model = build_model(HUMANOID)
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_LIMIT
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_ACTUATION
    data, qpos, step = mujoco.MjData(model), poses(clip), 1 / clip.fps
    velocity = np.zeros((len(qpos) - 1, model.nv))
    for frame in range(len(velocity)):
        mujoco.mj_differentiatePos(model, velocity[frame], step, qpos[frame], qpos[frame + 1])
    points = []
    for frame in range(1, len(qpos) - 1):
        data.qpos = qpos[frame]
        data.qvel = 0.5 * (velocity[frame - 1] + velocity[frame])
        data.qacc = (velocity[frame] - velocity[frame - 1]) / step
        mujoco.mj_inverse(model, data)
        force, torque = data.qfrc_inverse[:3], data.xmat[1].reshape(3, 3) @ data.qfrc_inverse[3:6]
        torque = torque + np.cross(qpos[frame, :3], force)  # about the origin of the ground
        points.append([-torque[1] / force[2], torque[0] / force[2]])
    return np.array(points)
