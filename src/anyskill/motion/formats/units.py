"""Which way is up, and how long a unit is, in files that do not say.

Both are told from the head and the feet, which are found by name.
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
_TYPICAL_LENGTH = 1.45  # m, root to head joint plus root to ankle joint, along the bones, of an adult

Y_UP_TO_Z_UP = torch.tensor([0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
"""Takes y-up, facing +z (as most BVH files do) to z-up, facing +x: (x, y, z) → (z, x, y)."""


def guess_unit(
    path: Path, names: Sequence[str], parents: Sequence[int], offsets: Float[np.ndarray, "joint 3"]
) -> float:
    """Metres in the file's unit of length.

    The bones from the root to the head and from the root to a foot are, in whatever pose, some 1.45 m long together.
    Of metre, centimetre, millimetre, inch and CMU unit, the one is taken that comes nearest. If none comes within a
    factor of 1.7, the skeleton is scaled to 1.45 m.
    """
    lengths = np.linalg.norm(offsets, axis=-1)
    total = sum(_chain(lengths, parents, _find(path, names, part)[0]) for part in ("head", "foot"))
    if total < 1e-6:
        raise fault(path, "the bones from the root to the head and the feet have no length.")
    unit = min(_UNITS, key=lambda unit: abs(math.log(unit * total / _TYPICAL_LENGTH)))
    if not 1 / 1.7 < unit * total / _TYPICAL_LENGTH < 1.7:
        return _TYPICAL_LENGTH / total
    return unit


def guess_up(path: Path, motion: SourceMotion) -> Up:
    """The axis along which the head is above the feet: in the rest pose, or, if that is not upright, on average."""
    head, feet = _find(path, motion.names, "head")[:1], _find(path, motion.names, "foot")
    for positions in (motion.rest_world()[0], motion.world()[0].mean(0)):
        direction = positions[head].mean(0) - positions[feet].mean(0)
        _, y, z = (direction / direction.norm().clamp_min(1e-9)).tolist()
        if max(y, z) > 0.8:
            return "y" if y > z else "z"
    return "y"


def _find(path: Path, names: Sequence[str], part: str) -> list[int]:
    words = {"head": ("head",), "foot": ("foot", "ankle")}[part]
    found = [i for i, name in enumerate(names) if any(word in name.lower() for word in words)]
    if not found:
        raise fault(path, f"no joint is named {' or '.join(words)}, so its unit and up axis cannot be told: give both.")
    return found


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
