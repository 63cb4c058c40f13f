"""SMPL, SMPL-H and SMPL-X parameters (``.npz``), as in AMASS. The body model itself is not needed."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from anyskill import rotation
from anyskill.motion.formats.reading import Archive, check_values, fault, tidy_rate
from anyskill.motion.formats.units import Up, to_z_up
from anyskill.motion.source import SourceMotion

_JOINTS = (  # name, parent, offset from it (m) in an average adult's T-pose: y up, +x to the left, facing +z
    ("pelvis", None, (0.0, 0.0, 0.0)),
    ("left_hip", "pelvis", (0.070, -0.090, -0.005)),
    ("right_hip", "pelvis", (-0.070, -0.090, -0.005)),
    ("spine1", "pelvis", (0.0, 0.110, -0.025)),
    ("left_knee", "left_hip", (0.035, -0.380, -0.005)),
    ("right_knee", "right_hip", (-0.035, -0.380, -0.005)),
    ("spine2", "spine1", (0.0, 0.135, 0.0)),
    ("left_ankle", "left_knee", (-0.015, -0.400, -0.045)),
    ("right_ankle", "right_knee", (0.015, -0.400, -0.045)),
    ("spine3", "spine2", (0.0, 0.055, 0.025)),
    ("left_foot", "left_ankle", (0.025, -0.055, 0.120)),
    ("right_foot", "right_ankle", (-0.025, -0.055, 0.120)),
    ("neck", "spine3", (0.0, 0.215, -0.040)),
    ("left_collar", "spine3", (0.080, 0.120, -0.035)),
    ("right_collar", "spine3", (-0.080, 0.120, -0.035)),
    ("head", "neck", (0.0, 0.065, 0.050)),
    ("left_shoulder", "left_collar", (0.095, 0.030, -0.010)),
    ("right_shoulder", "right_collar", (-0.095, 0.030, -0.010)),
    ("left_elbow", "left_shoulder", (0.260, -0.015, -0.025)),
    ("right_elbow", "right_shoulder", (-0.260, -0.015, -0.025)),
    ("left_wrist", "left_elbow", (0.250, 0.010, 0.0)),
    ("right_wrist", "right_elbow", (-0.250, 0.010, 0.0)),
)
_PELVIS = (0.0, -0.22, 0.03)  # m, where the pelvis is when ``trans`` is zero
_BODY = 3 * len(_JOINTS)


def read_smpl(path: Path, up: Up = "z") -> SourceMotion:
    """Read SMPL parameters: the root and the 21 joints of the body, without hands and face.

    The archive holds either ``poses`` (frame, 66 or more: SMPL 72, SMPL-H 156, SMPL-X 165) or ``root_orient`` (frame,
    3) with ``pose_body`` (frame, 63), in radians; ``trans`` (frame, 3), in metres; and the rate as
    ``mocap_framerate``, ``mocap_frame_rate`` or ``fps``. The body's shape is not used: bones have the lengths of an
    average adult. The rest pose is the T-pose of the model.

    Args:
        path: The file.
        up: The axis that points up: z in AMASS, y in some other collections.

    Raises:
        MotionFormatError: The file is no such archive, or is damaged.
    """
    archive = Archive(path)
    if "poses" not in archive.names and "pose_body" not in archive.names:
        raise fault(path, "this is neither a clip of anyskill's own nor SMPL: it has neither poses nor pose_body.")
    poses = _poses(path, archive)
    trans = _matrix(path, archive, "trans")
    if trans.shape != (len(poses), 3):
        raise fault(path, f"trans has the shape {trans.shape}, but {len(poses)} × 3 is needed.")
    rate = archive.first_of("mocap_framerate", "mocap_frame_rate", "fps")
    if rate.size != 1 or rate.dtype.kind not in "fiu":
        raise fault(path, "the rate of frames must be one number.")
    vectors = torch.from_numpy(poses).unflatten(-1, (len(_JOINTS), 3))
    names = tuple(name for name, _, _ in _JOINTS)
    turn = to_z_up(up)
    rotations = rotation.from_rotation_vector(vectors)
    rotations[:, 0] = rotation.multiply(turn.expand(len(rotations), 4), rotations[:, 0])
    rest = rotation.identity(len(_JOINTS), dtype=torch.float64)
    rest[0] = to_z_up("y")  # the model stands along y, whatever way the motion's world is turned
    return SourceMotion(
        names,
        tuple(-1 if parent is None else names.index(parent) for _, parent, _ in _JOINTS),
        torch.tensor([offset for _, _, offset in _JOINTS], dtype=torch.float64),
        rest,
        rotations,
        rotation.rotate(turn, torch.from_numpy(trans) + torch.tensor(_PELVIS, dtype=torch.float64)),
        tidy_rate(path, float(rate.reshape(()))),
    )


def _poses(path: Path, archive: Archive) -> Float[np.ndarray, "frame 66"]:
    if "poses" in archive.names:
        poses = _matrix(path, archive, "poses")
    else:
        root, body = _matrix(path, archive, "root_orient"), _matrix(path, archive, "pose_body")
        if len(root) != len(body) or root.shape[1] != 3:
            raise fault(path, "root_orient must have three columns and as many rows as pose_body.")
        poses = np.concatenate((root, body), -1)
    if len(poses) < 1 or poses.shape[1] < _BODY or poses.shape[1] % 3:
        raise fault(path, f"poses of the shape {poses.shape} are not those of SMPL, SMPL-H or SMPL-X.")
    return poses[:, :_BODY].copy()


def _matrix(path: Path, archive: Archive, name: str) -> np.ndarray:
    values = archive[name]
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise fault(path, f"{name} is not a table of numbers.")
    return check_values(path, values, name)
