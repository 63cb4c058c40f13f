"""Poselib motions (``.npy``), the format of AMP, ASE, CALM and AnySkill: a pickled dictionary of arrays.

Nothing in such a file is executed: see ``plain_pickle``.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import CHARACTERS
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.files import write_atomically
from anyskill.motion.clip import Clip
from anyskill.motion.formats.plain_pickle import PlainArray, load_plain
from anyskill.motion.formats.reading import (
    MAX_JOINTS,
    check_values,
    fault,
    make_clip,
    read_bytes,
    tidy_rate,
    unit_quaternions,
)
from anyskill.motion.source import SourceMotion

_SAME_OFFSET = 1e-3  # m, between the file's skeleton and ours
_PURE_HINGE = 0.02  # rad, how far a knee or elbow may turn about other axes than its own


def read_poselib(path: Path) -> SourceMotion | Clip:
    """Read a poselib ``SkeletonMotion``; rotations may be local or global.

    A motion of one of our own characters, whose knees and elbows turn about +y alone, comes as a ``Clip``; every other
    one as a ``SourceMotion`` whose rest pose is that with all rotations zero.

    Raises:
        MotionFormatError: The file is not a poselib motion, is damaged, or holds anything but plain data.
    """
    content = _unpickle(path, read_bytes(path))
    kind = content.get("__name__") if isinstance(content, dict) else None
    if kind == "SkeletonState":
        raise fault(path, "this is a single pose (SkeletonState), not a motion (SkeletonMotion).")
    if kind != "SkeletonMotion":
        raise fault(path, "this is not a poselib motion: it does not hold a SkeletonMotion.")
    tree = _entry(path, content, "skeleton_tree", dict)
    names = tuple(_entry(path, tree, "node_names", list))
    joints = len(names)
    if not 0 < joints <= MAX_JOINTS or not all(isinstance(name, str) for name in names):
        raise fault(path, f"node_names must be from 1 to {MAX_JOINTS} texts.")
    parents = tuple(int(parent) for parent in _array(path, tree, "parent_indices", (joints,)))
    if parents[0] != -1 or any(not 0 <= parent < joint for joint, parent in enumerate(parents[1:], 1)):
        raise fault(path, "parent_indices must be -1 for the first joint and name earlier joints for the others.")
    offsets = torch.from_numpy(_array(path, tree, "local_translation", (joints, 3)))
    values = _array(path, content, "rotation", (None, joints, 4))
    rotations = unit_quaternions(path, values, "rotation")[..., [3, 0, 1, 2]]
    positions = torch.from_numpy(_array(path, content, "root_translation", (len(values), 3)))
    if not _entry(path, content, "is_local", bool):
        rotations = _local(rotations, parents)
    rate = tidy_rate(path, _number(path, content, "fps"))
    rest = rotation.identity(joints, dtype=torch.float64)
    source = SourceMotion(names, parents, offsets, rest, rotations, positions, rate)
    return _as_clip(path, source) or source


def _entry(path: Path, content: dict[str, Any], name: str, kind: type) -> Any:
    value = content.get(name)
    if not isinstance(value, kind):
        raise fault(path, f"the entry {name} is missing, or is not a {kind.__name__}.")
    return value


def _array(path: Path, content: dict[str, Any], name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """The array of an entry ``{arr, context}``; None in ``shape`` stands for one frame or more."""
    value = _entry(path, content, name, dict).get("arr")
    array = value.array if isinstance(value, PlainArray) else None
    if array is None or array.dtype.kind not in "fiu":
        raise fault(path, f"the entry {name} holds no array of numbers.")
    if array.ndim != len(shape) or any(
        size < 1 if wanted is None else size != wanted for size, wanted in zip(array.shape, shape, strict=True)
    ):
        wanted_text = " × ".join("frames" if wanted is None else str(wanted) for wanted in shape)
        raise fault(path, f"{name} has the shape {array.shape}, but {wanted_text} is needed.")
    return check_values(path, array, name)


def _number(path: Path, content: dict[str, Any], name: str) -> float:
    """A number, or an array of no dimension, as some of these files have it."""
    value = content.get(name)
    if isinstance(value, PlainArray) and value.array is not None and value.array.shape == ():
        value = value.array.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise fault(path, f"the entry {name} must be a number, and a sane one.")
    return float(value)


def _local(world: Float[Tensor, "frame joint 4"], parents: tuple[int, ...]) -> Float[Tensor, "frame joint 4"]:
    relative = rotation.multiply(rotation.conjugate(world[:, list(parents[1:])]), world[:, 1:])
    return torch.cat((world[:, :1], relative), 1)


def _as_clip(path: Path, source: SourceMotion) -> Clip | None:
    """The motion as a clip of our own character, if it is on that character's skeleton."""
    for character in CHARACTERS.values():
        skeleton = skeleton_of(character)
        if sorted(source.names) != sorted(skeleton.names) or source.num_frames < 2:
            continue
        order = [source.names.index(name) for name in skeleton.names]
        parents = tuple(-1 if source.parents[i] < 0 else order.index(source.parents[i]) for i in order)
        offsets = source.offsets[order]
        if parents != skeleton.parents or (offsets - skeleton.offsets)[1:].abs().max() > _SAME_OFFSET:
            continue
        rotations = source.rotations[:, order]
        pure = _without_other_turns(skeleton, rotations)
        if rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(pure), rotations)).norm(dim=-1).max() > (
            _PURE_HINGE
        ):
            continue
        return make_clip(path, source.fps, source.root_positions, pure, character=character)
    return None


def _without_other_turns(skeleton: Skeleton, local: Float[Tensor, "frame body 4"]) -> Float[Tensor, "frame body 4"]:
    """The nearest pose in which hinges turn about +y and fixed bodies not at all."""
    return skeleton.rotations_from_dofs(local[:, 0], skeleton.dofs_from_rotations(local))


def write_poselib(clip: Clip, path: Path) -> None:
    """Write a clip as a poselib ``SkeletonMotion`` with local rotations for any version of numpy."""
    skeleton, state = skeleton_of(clip.character), clip.states()
    content = {
        "rotation": _wrapped(clip.rotations[..., [1, 2, 3, 0]]),
        "root_translation": _wrapped(clip.root_positions),
        "global_velocity": _wrapped(state.linear_velocities),
        "global_angular_velocity": _wrapped(state.angular_velocities),
        "skeleton_tree": {
            "node_names": list(skeleton.names),
            "parent_indices": {"arr": np.array(skeleton.parents), "context": {"dtype": "int64"}},
            "local_translation": _wrapped(skeleton.offsets),
        },
        "is_local": True,
        "fps": clip.fps,
        "__name__": "SkeletonMotion",
    }
    data = pickle.dumps(np.array(content, dtype=object), protocol=3)
    # numpy 1, which poselib runs on, has no numpy._core; numpy 2 still finds the old name.
    data = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    with write_atomically(path) as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(data)


def _unpickle(path: Path, data: bytes) -> Any:
    """The object in a ``.npy`` file that holds one."""
    file = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("its header is of an unknown version")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # numpy parses the header as Python, and fails in many ways
        raise fault(path, "this is not a .npy file, or a damaged one.") from error
    if shape != () or dtype != np.dtype(object):
        raise fault(path, "this .npy file holds a plain array, not a poselib motion.")
    try:
        return load_plain(data[file.tell() :]).content
    except Exception as error:  # a damaged pickle can fail in any way
        reason = str(error).split("\n")[0][:120]
        raise fault(path, f"the pickle is damaged, or is refused ({reason}).") from error


def _wrapped(values: Tensor) -> dict[str, Any]:
    return {"arr": values.numpy().astype(np.float32), "context": {"dtype": "float32"}}
