"""CMU motions as exponential maps: text with 117 numbers a frame, as used in motion prediction.

Columns 0–2 are the root's position, then come the rotation vectors of 38 joints: those of the CMU data's BVH files with
their end sites. The convention is that of row vectors, so a rotation vector is the negative of ours.
"""

from pathlib import Path

import torch

from anyskill import rotation
from anyskill.motion.formats.reading import fault, parse_table, read_text
from anyskill.motion.formats.units import CMU_UNIT, Y_UP_TO_Z_UP, turned
from anyskill.motion.source import SourceMotion

_WIDTH = 117
_FPS = 120.0
_NO_LENGTH = (0.0, 0.0, 0.0)
_JOINTS = (  # name, parent, offset from it in CMU units, of one typical actor: y up, +x to the left, facing +z
    ("Hips", None, _NO_LENGTH),
    ("LHipJoint", "Hips", _NO_LENGTH),
    ("LeftUpLeg", "LHipJoint", (1.657, -1.803, 0.625)),
    ("LeftLeg", "LeftUpLeg", (2.597, -7.136, 0.0)),
    ("LeftFoot", "LeftLeg", (2.492, -6.848, 0.0)),
    ("LeftToeBase", "LeftFoot", (0.197, -0.541, 2.146)),
    ("LeftToeBase_end", "LeftToeBase", (0.0, 0.0, 1.112)),
    ("RHipJoint", "Hips", _NO_LENGTH),
    ("RightUpLeg", "RHipJoint", (-1.611, -1.803, 0.625)),
    ("RightLeg", "RightUpLeg", (-2.595, -7.130, 0.0)),
    ("RightFoot", "RightLeg", (-2.468, -6.780, 0.0)),
    ("RightToeBase", "RightFoot", (-0.230, -0.633, 2.134)),
    ("RightToeBase_end", "RightToeBase", (0.0, 0.0, 1.116)),
    ("LowerBack", "Hips", _NO_LENGTH),
    ("Spine", "LowerBack", (0.020, 2.054, -0.141)),
    ("Spine1", "Spine", (0.010, 2.064, -0.059)),
    ("Neck", "Spine1", _NO_LENGTH),
    ("Neck1", "Neck", (0.007, 1.567, 0.150)),
    ("Head", "Neck1", (0.034, 1.560, -0.100)),
    ("Head_end", "Head", (0.013, 1.626, -0.053)),
    ("LeftShoulder", "Spine1", _NO_LENGTH),
    ("LeftArm", "LeftShoulder", (3.542, 0.904, -0.174)),
    ("LeftForeArm", "LeftArm", (4.865, 0.0, 0.0)),
    ("LeftHand", "LeftForeArm", (3.356, 0.0, 0.0)),
    ("LeftFingerBase", "LeftHand", _NO_LENGTH),
    ("LFingers", "LeftFingerBase", (0.661, 0.0, 0.0)),
    ("LFingers_end", "LFingers", (0.533, 0.0, 0.0)),
    ("LThumb", "LeftHand", _NO_LENGTH),
    ("LThumb_end", "LThumb", (0.541, 0.0, 0.541)),
    ("RightShoulder", "Spine1", _NO_LENGTH),
    ("RightArm", "RightShoulder", (-3.498, 0.760, -0.326)),
    ("RightForeArm", "RightArm", (-5.026, 0.0, 0.0)),
    ("RightHand", "RightForeArm", (-3.364, 0.0, 0.0)),
    ("RightFingerBase", "RightHand", _NO_LENGTH),
    ("RFingers", "RightFingerBase", (-0.730, 0.0, 0.0)),
    ("RFingers_end", "RFingers", (-0.589, 0.0, 0.0)),
    ("RThumb", "RightHand", _NO_LENGTH),
    ("RThumb_end", "RThumb", (-0.598, 0.0, 0.598)),
)


def read_expmap(path: Path) -> SourceMotion:
    """Read a text of 117 comma-separated columns: 120 frames a second, lengths in CMU units, y up.

    The first row is no frame of the motion but the actor's T-pose: it becomes the rest pose. Bone lengths are not in
    the file; those of one typical CMU actor stand in for them.

    Raises:
        MotionFormatError: The file has not 117 columns, has fewer than two rows, or is damaged.
    """
    text = read_text(path).strip("\n")
    for line, row in enumerate(text.split("\n"), 1):
        if row.count(",") != _WIDTH - 1:
            raise fault(path, f"expected {_WIDTH} comma-separated columns, but found {row.count(',') + 1}.", line)
    values = torch.from_numpy(parse_table(path, text, 1, ",").reshape(-1, _WIDTH))
    if len(values) < 2:
        raise fault(path, "there is no frame after the row of the rest pose.")
    rotations = rotation.from_rotation_vector(-values[:, 3:].unflatten(-1, (len(_JOINTS), 3)))
    names = tuple(name for name, _, _ in _JOINTS)
    source = SourceMotion(
        names,
        tuple(-1 if parent is None else names.index(parent) for _, parent, _ in _JOINTS),
        torch.tensor([offset for _, _, offset in _JOINTS], dtype=torch.float64) * CMU_UNIT,
        rotations[0].clone(),
        rotations[1:],
        values[1:, :3] * CMU_UNIT,
        _FPS,
    )
    return turned(source, Y_UP_TO_Z_UP)
