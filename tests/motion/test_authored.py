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
