"""Which way is up, and how long a unit is, in files that do not say.

Both are told from the head and the feet where these are found by name, and from the extent of the rest pose elsewhere.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.motion.formats.reading import fault
from anyskill.motion.source import SourceMotion

Up = Literal["y", "z"]

CMU_UNIT = 0.0254 / 0.45
"""Metres in a unit of the CMU data: 1/0.45 inch."""

_UNITS = (1.0, 0.01, 0.001, 0.0254, CMU_UNIT)  # m in a metre, centimetre, millimetre, inch, CMU unit
_TYPICAL_HEIGHT = 1.7  # m, of a rest pose
_TYPICAL_LENGTH = 1.45  # m, root to head joint plus root to ankle joint, along the bones, of an adult

Y_UP_TO_Z_UP = torch.tensor([0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
"""Takes y-up, facing +z (as most BVH files do) to z-up, facing +x: (x, y, z) → (z, x, y)."""


def guess_unit(
    path: Path, names: Sequence[str], parents: Sequence[int], offsets: Float[np.ndarray, "joint 3"]
) -> float:
    """Metres in the file's unit of length.

    The bones from the root to the head and from the root to a foot are, in whatever pose, some 1.45 m long together.
    Of metre, centimetre, millimetre, inch and CMU unit, the one is taken that comes nearest. If none comes within a
    factor of 1.7, the skeleton is scaled to 1.45 m. Where these joints have other names, the longest side of the box
    around the rest pose is taken for 1.7 m.
    """
    head, foot = _find(names, "head"), _find(names, "foot")
    lengths = np.linalg.norm(offsets, axis=-1)
    if head and foot:
        total, typical = sum(_chain(lengths, parents, found[0]) for found in (head, foot)), _TYPICAL_LENGTH
    else:
        total, typical = float(np.ptp(_rest(offsets, parents), axis=0).max()), _TYPICAL_HEIGHT
    if total < 1e-6:
        raise fault(path, "the skeleton has no size.")
    unit = min(_UNITS, key=lambda unit: abs(math.log(unit * total / typical)))
    return unit if 1 / 1.7 < unit * total / typical < 1.7 else typical / total


def guess_up(motion: SourceMotion) -> Up:
    """The axis along which the head is above the feet: in the rest pose, or, if that is not upright, on average.

    Where there is no joint called head or foot, it is y, as in most files, unless the rest pose is longest along z.
    """
    head, feet = _find(motion.names, "head")[:1], _find(motion.names, "foot")
    if not (head and feet):
        positions = motion.rest_world()[0]
        return "z" if int((positions.amax(0) - positions.amin(0)).argmax()) == 2 else "y"
    for positions in (motion.rest_world()[0], motion.world()[0].mean(0)):
        direction = positions[head].mean(0) - positions[feet].mean(0)
        _, y, z = (direction / direction.norm().clamp_min(1e-9)).tolist()
        if max(y, z) > 0.8:
            return "y" if y > z else "z"
    return "y"


def _find(names: Sequence[str], part: str) -> list[int]:
    words = {"head": ("head",), "foot": ("foot", "ankle")}[part]
    return [i for i, name in enumerate(names) if any(word in name.lower() for word in words)]


def _rest(offsets: Float[np.ndarray, "joint 3"], parents: Sequence[int]) -> Float[np.ndarray, "joint 3"]:
    """Positions of unrotated joints; the root at the origin."""
    positions = np.zeros_like(offsets)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            positions[joint] = positions[parent] + offsets[joint]
    return positions


def _chain(lengths: Float[np.ndarray, "joint"], parents: Sequence[int], joint: int) -> float:
    """Length of the bones from the root to a joint; the root's own offset is its place in the world."""
    total = 0.0
    while parents[joint] >= 0:
        total += float(lengths[joint])
        joint = parents[joint]
    return total


def to_z_up(up: Up) -> Float[Tensor, "4"]:
    """The rotation of the world from ``up`` to +z."""
    return Y_UP_TO_Z_UP if up == "y" else torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)


def turned(source: SourceMotion, turn: Float[Tensor, "4"]) -> SourceMotion:
    """The same motion in a world that is rotated by ``turn``."""
    rest, rotations = source.rest.clone(), source.rotations.clone()
    rest[0] = rotation.multiply(turn, rest[0])
    rotations[:, 0] = rotation.multiply(turn.expand(len(rotations), 4), rotations[:, 0])
    positions = rotation.rotate(turn, source.root_positions)
    return SourceMotion(source.names, source.parents, source.offsets, rest, rotations, positions, source.fps)
