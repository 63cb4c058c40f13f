"""The published motions: every file reads, and formats that tell of the same motion agree."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats import read_motion
from anyskill.motion.formats.poselib import read_poselib


@pytest.fixture(scope="module")
def motions(shared_data: Path) -> Path:
    return shared_data / "motions"


def world(motion) -> tuple[tuple[str, ...], torch.Tensor, torch.Tensor]:
    """Names, and positions and rotations of all joints in all frames."""
    if isinstance(motion, Clip):
        skeleton = skeleton_of(motion.character)
        return skeleton.names, *skeleton.forward(motion.root_positions, motion.rotations)
    return motion.names, *motion.world()


def test_every_file_reads(motions: Path) -> None:
    with (motions / "MANIFEST.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 50
    for row in rows:
        path = motions / row["file"]
        if path.suffix == ".fbx":
            with pytest.raises(MotionFormatError, match="Blender"):
                read_motion(path)
            continue
        motion = read_motion(path)
        assert abs(motion.num_frames - int(row["frames"])) <= 1, row["file"]  # one frame of humanoid3d_roll lasts two
        # The file of the salsa says 120, the notes beside it 60.
        assert motion.fps == (120 if "salsa" in row["file"] else float(row["fps"])), row["file"]
        _, positions, _ = world(motion)
        assert positions.isfinite().all()
        assert -0.3 < positions[..., 2].min() < 0.2, row["file"]
        assert positions[..., 2].max() < 3.0, row["file"]


@pytest.mark.parametrize(
    "name",
    [
        "isaacgymenvs_cmu/amp_humanoid_walk.npy",
        "isaacgymenvs_cmu/amp_humanoid_run.npy",
        "deepmimic/humanoid3d_walk.txt",
        "deepmimic/humanoid3d_jog.txt",
        "deepmimic/humanoid3d_zombie_walk.txt",
        "mass/walk.bvh",
        "mass/run.bvh",
        "convseq2seq_cmu/train_walking_1.txt",
        "convseq2seq_cmu/train_walking_3.txt",
        "convseq2seq_cmu/train_running_1.txt",
    ],
)
def test_walkers_and_runners_face_where_they_go_with_their_heads_up(motions: Path, name: str) -> None:
    motion = read_motion(motions / name)
    names, positions, _ = world(motion)
    left, right = (
        next(i for i, joint in enumerate(names) if joint.lower().endswith((f"{side}_thigh", f"{side}upleg")))
        for side in ("left", "right")
    )
    head = next(i for i, joint in enumerate(names) if joint.lower().endswith("head"))
    across = positions[:, left] - positions[:, right]
    forward = torch.linalg.cross(across, torch.tensor([0.0, 0.0, 1.0]).double().expand_as(across))
    travel = positions[-1, 0] - positions[0, 0]
    assert (forward.mean(0) * travel).sum() / (forward.mean(0).norm() * travel.norm()) > 0.9
    assert (positions[:, head, 2] - positions[:, 0, 2]).min() > 0.35


@pytest.mark.parametrize("name", ["backflip", "cartwheel", "dance", "hop", "run", "walk"])
def test_poselib_clip_on_our_skeleton_is_the_file_s_own(motions: Path, name: str) -> None:
    path = motions / f"isaacgymenvs_cmu/amp_humanoid_{name}.npy"
    clip = read_poselib(path)
    assert isinstance(clip, Clip)
    content = np.load(path, allow_pickle=True).item()  # a file we know
    local = torch.from_numpy(content["rotation"]["arr"].astype(np.float64))[..., [3, 0, 1, 2]]
    offsets = torch.from_numpy(content["skeleton_tree"]["local_translation"]["arr"].astype(np.float64))
    parents = content["skeleton_tree"]["parent_indices"]["arr"].tolist()
    positions = [torch.from_numpy(content["root_translation"]["arr"].astype(np.float64))]
    rotations = [local[:, 0]]
    for joint, parent in enumerate(parents[1:], 1):
        positions.append(positions[parent] + rotation.rotate(rotations[parent], offsets[joint]))
        rotations.append(rotation.multiply(rotations[parent], local[:, joint]))
    assert (world(clip)[1] - torch.stack(positions, 1)).abs().max() < 1e-4


def test_two_formats_of_the_backflip_agree(motions: Path) -> None:
    poselib = read_motion(motions / "isaacgymenvs_cmu/amp_humanoid_backflip.npy")
    deepmimic = read_motion(motions / "deepmimic/humanoid3d_backflip.txt")
    a, b = world(poselib)[1], world(deepmimic)[1]
    a, b = a - a[:1, :1], b - b[:1, :1]  # they start at different places
    assert (a - b).norm(dim=-1).max() < 0.02


JOINTS = {  # ASF bone → BVH joint at its beginning
    "root": "Hips",
    "lfemur": "LeftUpLeg",
    "ltibia": "LeftLeg",
    "lfoot": "LeftFoot",
    "ltoes": "LeftToeBase",
    "rfemur": "RightUpLeg",
    "rtibia": "RightLeg",
    "rfoot": "RightFoot",
    "rtoes": "RightToeBase",
    "upperback": "Spine",
    "thorax": "Spine1",
}
ABOVE_THORAX = {"lowerneck": "Neck", "upperneck": "Neck1", "head": "Head"}
ABOVE_THORAX |= {"lhumerus": "LeftArm", "lradius": "LeftForeArm", "lwrist": "LeftHand"}
ABOVE_THORAX |= {"rhumerus": "RightArm", "rradius": "RightForeArm", "rwrist": "RightHand"}


def test_amc_and_bvh_of_one_trial_agree(motions: Path) -> None:
    amc, bvh = (read_motion(motions / f"fairmotion_cmu/01_01.{suffix}") for suffix in ("amc", "bvh"))
    (amc_names, a, a_rotations), (bvh_names, b, _) = world(amc), world(bvh)
    b = b[1:]  # the BVH file begins with a T-pose
    for bone, joint in JOINTS.items():
        assert (a[:, amc_names.index(bone)] - b[:, bvh_names.index(joint)]).norm(dim=-1).max() < 1e-3, bone
    # The BVH's converter lost the length of the thorax: all that hangs above it is lower by this vector.
    thorax = amc_names.index("thorax")
    lost = rotation.rotate(a_rotations[:, thorax], amc.offsets[amc_names.index("lowerneck")])
    assert amc.offsets[amc_names.index("lowerneck")].norm() == pytest.approx(2.06488 * 0.0254 / 0.45)
    for bone, joint in ABOVE_THORAX.items():
        difference = a[:, amc_names.index(bone)] - lost - b[:, bvh_names.index(joint)]
        assert difference.norm(dim=-1).max() < 1e-3, bone


def test_single_poses_are_refused(motions: Path) -> None:
    for path in (motions / "isaacgymenvs_cmu/tpose").glob("*.npy"):
        with pytest.raises(MotionFormatError, match="single pose"):
            read_motion(path)


def test_the_description_of_a_character_is_no_motion(motions: Path) -> None:
    with pytest.raises(MotionFormatError, match="no list of Frames"):
        read_motion(motions / "deepmimic/humanoid3d_character.txt")
