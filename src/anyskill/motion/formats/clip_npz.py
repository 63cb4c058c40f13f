"""Our own clips (``.npz``): the arrays of a ``Clip`` and what is known about it. No pickles."""

from pathlib import Path

import numpy as np
import torch

from anyskill.body.humanoid import CHARACTERS
from anyskill.body.skeleton import skeleton_of
from anyskill.files import write_atomically
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.formats.reading import Archive, check_values, fault, unit_quaternions

_VERSION = 1
_MARK = "anyskill_clip"  # the array that holds the version and tells our archives from others


def save_clip(clip: Clip, path: Path) -> None:
    """Write a clip; ``load_clip`` gives back the same one, bit for bit."""
    with write_atomically(path) as file:
        np.savez_compressed(
            file,
            anyskill_clip=np.array(_VERSION),
            name=np.array(clip.name, np.str_),
            fps=np.array(clip.fps, np.float64),
            root_positions=clip.root_positions.numpy(),
            rotations=clip.rotations.numpy(),
            labels=np.array(clip.labels, np.str_),
            loop=np.array(clip.loop),
            character=np.array(clip.character.name, np.str_),
            bodies=np.array(skeleton_of(clip.character).names, np.str_),
        )


def is_clip(path: Path) -> bool:
    """Whether an ``.npz`` file is one of ours."""
    return _MARK in Archive(path).names


def load_clip(path: Path) -> Clip:
    """Read a clip that ``save_clip`` wrote.

    Raises:
        MotionFormatError: The file is no such clip, is damaged, or is of a newer version.
    """
    archive = Archive(path)
    version = _single(path, archive, _MARK, "iu")
    if version != _VERSION:
        raise fault(path, f"this clip is of version {version}, but version {_VERSION} is read; update anyskill.")
    character = CHARACTERS.get(str(_single(path, archive, "character", "U")))
    if character is None:
        raise fault(path, f"its character is not known; the known ones are {', '.join(CHARACTERS)}.")
    if tuple(archive["bodies"].reshape(-1).tolist()) != skeleton_of(character).names:
        raise fault(path, f"its bodies are not those of the {character.name}.")
    rotations, positions, labels = archive["rotations"], archive["root_positions"], archive["labels"]
    frames, bodies = len(positions) if positions.ndim else 0, len(character.bodies)
    if positions.shape != (frames, 3) or rotations.shape != (frames, bodies, 4):
        raise fault(path, f"arrays of the shapes {positions.shape} and {rotations.shape} are not a motion.")
    if {positions.dtype, rotations.dtype} != {np.dtype(np.float64)} or labels.dtype.kind != "U":
        raise fault(path, "an array is not of the type that clips have.")
    checked = check_values(path, rotations, "rotation")
    unit_quaternions(path, checked, "rotation")
    try:
        return Clip(
            str(_single(path, archive, "name", "U")),
            float(_single(path, archive, "fps", "f")),
            torch.from_numpy(check_values(path, positions, "root position")),
            torch.from_numpy(checked),
            tuple(labels.reshape(-1).tolist()),
            bool(_single(path, archive, "loop", "b")),
            character,
        )
    except MotionError as error:
        raise fault(path, f"{error}") from error


def _single(path: Path, archive: Archive, name: str, kinds: str) -> int | float | bool | str:
    """An array of one value, of one of these kinds of numpy type."""
    value = archive[name]
    if value.shape != () or value.dtype.kind not in kinds:
        raise fault(path, f"{name} is not a single value of the expected type.")
    return value.item()
