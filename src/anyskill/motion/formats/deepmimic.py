"""DeepMimic motions (``humanoid3d_*.txt``): JSON with one row of numbers a frame.

Its humanoid is ours, bone for bone, but y points up and z to the right: (x, y, z) there is (x, −z, y) here.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.formats.reading import check_values, fault, make_clip, read_text, tidy_rate, unit_quaternions

_ROOT_POSITION = slice(1, 4)
_COLUMNS = {  # of the quaternion w x y z, or of the angle about z, of each of our bodies
    "pelvis": slice(4, 8),
    "torso": slice(8, 12),
    "head": slice(12, 16),
    "right_thigh": slice(16, 20),
    "right_shin": slice(20, 21),
    "right_foot": slice(21, 25),
    "right_upper_arm": slice(25, 29),
    "right_lower_arm": slice(29, 30),
    "left_thigh": slice(30, 34),
    "left_shin": slice(34, 35),
    "left_foot": slice(35, 39),
    "left_upper_arm": slice(39, 43),
    "left_lower_arm": slice(43, 44),
}
_WIDTH = 44
_MAX_FRAMES = 100_000
_MAX_BYTES = 1 << 25  # JSON takes some fifty times its size in memory


def read_deepmimic(path: Path) -> Clip:
    """Read a DeepMimic motion as a clip of the humanoid; ``loop`` is whether the file says ``"Loop": "wrap"``.

    A frame lasts as long as its first number says (s); where frames last differently, the motion is resampled at the
    rate of the shortest.

    Raises:
        MotionFormatError: The file is not a DeepMimic motion, or is damaged.
    """
    content = _parse(path)
    rows = _rows(path, content)
    skeleton = skeleton_of(HUMANOID)
    rotations = rotation.identity(len(rows), skeleton.num_bodies, dtype=torch.float64)
    for name, columns in _COLUMNS.items():
        values = rows[:, columns]
        if values.shape[1] == 4:
            w, x, y, z = unit_quaternions(path, values, f"rotation of the {name}").unbind(-1)
            local = torch.stack((w, x, -z, y), -1)
        else:  # +z there is −y here
            local = rotation.from_rotation_vector(torch.from_numpy(values * [0.0, -1.0, 0.0]))
        rotations[:, skeleton.index(name)] = local
    x, y, z = torch.from_numpy(rows[:, _ROOT_POSITION]).unbind(-1)
    fps, positions, rotations = _uniform(path, rows[:-1, 0], torch.stack((x, -z, y), -1), rotations)
    return make_clip(path, fps, positions, rotations, content.get("Loop") == "wrap")


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path, _MAX_BYTES))
    except json.JSONDecodeError as error:
        raise fault(path, f"this is not valid JSON ({error.msg}).", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise fault(path, "this is not valid JSON.") from error
    if not isinstance(content, dict) or not isinstance(content.get("Frames"), list):
        raise fault(path, "this is not a DeepMimic motion: it has no list of Frames.")
    if content.get("Loop", "none") not in ("wrap", "none"):
        raise fault(path, "Loop must be wrap or none.")
    return content


def _rows(path: Path, content: dict[str, Any]) -> Float[np.ndarray, "frame 44"]:
    frames = content["Frames"]
    if not 2 <= len(frames) <= _MAX_FRAMES:
        raise fault(path, f"it has {len(frames)} frames; from 2 to {_MAX_FRAMES} can be read.")
    for number, row in enumerate(frames):
        if not isinstance(row, list) or len(row) != _WIDTH:
            raise fault(path, f"frame {number} is not a list of {_WIDTH} numbers.")
        if not all(isinstance(value, float) or (type(value) is int and abs(value) < 1e9) for value in row):
            raise fault(path, f"frame {number} holds something that is not a number.")
    rows = check_values(path, np.array(frames, np.float64), "a number")
    if (rows[:-1, 0] <= 0).any():
        raise fault(path, f"frame {int(np.argmax(rows[:-1, 0] <= 0))} must last longer than nothing.")
    return rows


def _uniform(
    path: Path,
    durations: Float[np.ndarray, "frame-1"],
    positions: Float[Tensor, "frame 3"],
    rotations: Float[Tensor, "frame body 4"],
) -> tuple[float, Float[Tensor, "time 3"], Float[Tensor, "time body 4"]]:
    """Frames a second and frames that all last equally long."""
    fps = tidy_rate(path, 1.0 / durations.min())
    if durations.max() < 1.001 * durations.min():
        return fps, positions, rotations
    starts = torch.from_numpy(np.concatenate(([0.0], np.cumsum(durations))))
    count = int(starts[-1] * fps + 1e-6) + 1
    if count > _MAX_FRAMES:
        raise fault(path, "its frames last too differently: resampling would need too many.")
    time = torch.arange(count, dtype=torch.float64) / fps
    low = (torch.searchsorted(starts, time, right=True) - 1).clamp(0, len(starts) - 2)
    blend = ((time - starts[low]) / (starts[low + 1] - starts[low])).clamp(0.0, 1.0)[:, None]
    return (
        fps,
        torch.lerp(positions[low], positions[low + 1], blend),
        rotation.slerp(rotations[low], rotations[low + 1], blend),
    )
