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
from anyskill.motion.check import check
from anyskill.motion.clip import Clip
from anyskill.motion.ground import centre_of_mass
from anyskill.motion.physics_check import physics_check
from anyskill.sim.mujoco_cpu import MujocoCpu

SKELETON = skeleton_of(HUMANOID)
MODEL = build_model(HUMANOID)
FEET = [MODEL.geom(f"{side}_foot_0").id for side in ("right", "left")]
MOTIONS = {motion.clip.name: motion for motion in authored_motions()}
ORIGINALS = [name for name in MOTIONS if not name.endswith("-mirrored")]

each_motion = pytest.mark.parametrize("name", ORIGINALS)  # what holds for a motion holds for its mirror image


def poses(clip: Clip) -> np.ndarray:
    return SKELETON.qpos(clip.root_positions, clip.rotations).numpy()


def low_points(data: mujoco.MjData, geom: int) -> np.ndarray:
    """Where a geom can touch the ground: corners of a box, undersides of a sphere and of a capsule's ends."""
    size, kind = MODEL.geom_size[geom], MODEL.geom_type[geom]
    centre, axes = data.geom_xpos[geom], data.geom_xmat[geom].reshape(3, 3)
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return centre + signs * size @ axes.T
    half = size[1] if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else 0.0
    return centre + np.array([[half], [-half]]) * axes[:, 2] - [0, 0, size[0]]


def all_low_points(clip: Clip) -> np.ndarray:
    """(frame, point, 3): ``low_points`` of the whole body, the feet's sixteen first."""
    data, order = mujoco.MjData(MODEL), FEET + [g for g in range(1, MODEL.ngeom) if g not in FEET]
    frames = []
    for qpos in poses(clip):
        data.qpos = qpos
        mujoco.mj_kinematics(MODEL, data)
        frames.append(np.concatenate([low_points(data, geom) for geom in order]))
    return np.array(frames)


def distance_inside(point: np.ndarray, polygon: np.ndarray) -> float:
    """How far (m) a point is inside the convex hull of others; negative outside."""
    try:
        hull = ConvexHull(polygon)
    except QhullError:
        return -np.inf
    return float(-(hull.equations[:, :2] @ point + hull.equations[:, 2]).max())


def held_frames(clip: Clip) -> np.ndarray:
    """Frames after which nothing moves for a while."""
    still = np.abs(np.diff(poses(clip), axis=0)).max(1) < 1e-4
    return np.flatnonzero(still)


@each_motion
def test_lasts_a_few_seconds_and_has_a_name(name: str) -> None:
    motion = MOTIONS[name]
    assert 2 <= motion.clip.duration <= 9
    assert motion.clip.labels and all(label.strip() for label in motion.clip.labels)
    assert motion.category is not None


@each_motion
def test_joints_ground_and_limbs_allow_it(name: str) -> None:
    measured = check(MOTIONS[name].clip)
    assert measured.flight == 0
    assert measured.penetration < 0.005  # m
    assert measured.floating < 0.011  # m
    assert measured.beyond_limits < 1e-3  # degrees
    assert measured.self_collision < 0.02  # m


@each_motion
def test_feet_on_the_ground_do_not_slide(name: str) -> None:
    feet = all_low_points(MOTIONS[name].clip)[:, :16]
    down = (feet[1:, :, 2] < 0.004) & (feet[:-1, :, 2] < 0.004)
    steps = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    # A foot that is being lifted or set down still moves forward in its last few millimetres.
    assert (steps * down).max() < 0.012
    assert (steps * down).max(1).sum() < 0.03


@each_motion
def test_centre_of_mass_is_above_the_support_in_held_poses(name: str) -> None:
    clip = MOTIONS[name].clip
    points, centres = (
        all_low_points(clip),
        centre_of_mass(HUMANOID, *SKELETON.forward(clip.root_positions, clip.rotations)),
    )
    for frame in held_frames(clip):
        support = points[frame][points[frame, :, 2] < 0.01]
        assert distance_inside(centres[frame, :2].numpy(), support[:, :2]) > 0.02, f"after {frame / clip.fps:.1f} s"


def test_most_motions_hold_a_pose() -> None:
    held = [name for name in ORIGINALS if len(held_frames(MOTIONS[name].clip)) >= 1.4 * 30]
    assert len(held) >= 60


@each_motion
def test_is_not_faster_than_people(name: str) -> None:
    states = MOTIONS[name].clip.states()
    speeds = SKELETON.dof_velocities(states.rotations, states.angular_velocities).abs()
    assert speeds.max() < 12  # rad/s
    assert states.linear_velocities.norm(dim=-1).max() < 6  # m/s


def hand_heights(clip: Clip, side: str) -> np.ndarray:
    positions, _ = SKELETON.forward(clip.root_positions, clip.rotations)
    return positions[:, SKELETON.index(f"{side}_hand"), 2].numpy()


@pytest.mark.parametrize("suffix", ["", "-mirrored"])
def test_labels_name_the_side_that_moves(suffix: str) -> None:
    moving, still = ("left", "right") if suffix else ("right", "left")
    for name in ("raise_right_arm", "wave_with_right_hand", "salute_with_right_hand", "point_up_with_right_hand"):
        clip = MOTIONS[name + suffix].clip
        assert all(moving in label for label in clip.labels)
        assert hand_heights(clip, moving).max() > 1.4 > hand_heights(clip, still).max()
    clip = MOTIONS["kick_forward_right" + suffix].clip
    assert all(moving in label for label in clip.labels)
    positions, _ = SKELETON.forward(clip.root_positions, clip.rotations)
    feet = {side: positions[:, SKELETON.index(f"{side}_foot"), 2].max() for side in (moving, still)}
    assert feet[moving] > 0.35 and feet[still] < 0.06


def test_a_mirrored_motion_never_keeps_the_side_of_its_original() -> None:
    for name in ORIGINALS:
        if f"{name}-mirrored" in MOTIONS:
            for ours, theirs in zip(MOTIONS[name].clip.labels, MOTIONS[f"{name}-mirrored"].clip.labels, strict=True):
                assert ("right" in ours, "left" in ours) == ("left" in theirs, "right" in theirs)


def test_all_names_differ_and_there_are_plenty() -> None:
    assert len(MOTIONS) == len(authored_clips())
    assert len(ORIGINALS) >= 90


def stays_on_two_feet(clip: Clip) -> bool:
    feet = all_low_points(clip)[:, :16, 2].reshape(-1, 2, 8)
    return bool((np.sort(feet, -1)[..., 3] < 0.005).all())


def test_nearly_all_motions_on_two_feet_survive_plain_pd_control() -> None:
    # A single ankle (400 N·m/rad) is weaker than gravity's pull on the upright body (m·g·h = 446 N·m/rad): standing on
    # one foot needs a controller. So do motions that step.
    on_two_feet = [name for name in ORIGINALS if stays_on_two_feet(MOTIONS[name].clip)]
    assert len(on_two_feet) >= 65
    clips = [MOTIONS[name].clip for name in on_two_feet]
    followed = physics_check(clips, MujocoCpu(len(clips)))
    survivors = followed > torch.tensor([clip.duration for clip in clips]) - 0.01
    assert survivors.double().mean() >= 0.85
