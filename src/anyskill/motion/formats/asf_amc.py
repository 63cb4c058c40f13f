"""Acclaim skeletons and motions (``.asf`` with ``.amc``), as in the CMU motion capture database.

A bone begins where its parent ends and points, in the rest pose, along its ``direction``. With C the rotation of its
``axis`` and M that of its degrees of freedom, its local rotation is C·M·C⁻¹.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.motion.formats.reading import (
    MAX_JOINTS,
    check_size,
    check_values,
    fault,
    parse_numbers,
    read_text,
    tidy_rate,
)
from anyskill.motion.formats.units import Y_UP_TO_Z_UP, turned
from anyskill.motion.source import SourceMotion

_ROTATIONS = ("rx", "ry", "rz")
_TRANSLATIONS = ("tx", "ty", "tz")


@dataclass
class _Bone:
    """One bone as written: angles in the file's unit, lengths in the file's unit."""

    vector: np.ndarray = field(default_factory=lambda: np.zeros(3))  # from its beginning to its end
    axis: np.ndarray = field(default_factory=lambda: np.zeros(3))
    axis_order: str = "XYZ"
    dofs: list[str] = field(default_factory=list)


@dataclass
class _Skeleton:
    bones: dict[str, _Bone]  # the first is the root
    parents: dict[str, str]
    root_position: np.ndarray
    metre: float  # metres in the file's unit of length
    to_radians: float


def read_amc(path: Path, skeleton: Path | None = None, fps: float = 120.0) -> SourceMotion:
    """Read an AMC motion and its ASF skeleton; y-up motions that face +z come out z-up, facing +x.

    The rest pose is the skeleton's: all degrees of freedom zero. Bones that end in nothing get a joint
    ``<bone>_end``. The unit of length is an inch divided by the skeleton's ``length``.

    Args:
        path: The motion.
        skeleton: The skeleton; by default the ``.asf`` in the same folder whose name is that of the motion or begins
            it, as ``01.asf`` does ``01_01.amc``.
        fps: Frames a second, which the format does not tell; 120 in most of the CMU data.

    Raises:
        MotionFormatError: A file is missing or damaged, or the two do not belong together.
    """
    text = read_text(path)
    skeleton_path = _find_skeleton(path) if skeleton is None else skeleton
    body = _parse_asf(skeleton_path, read_text(skeleton_path))
    radians, values = _parse_amc(path, text, body, skeleton_path)
    check_size(path, len(values["root"]), len(body.bones))
    rotations, root_positions = _pose(body, values, 1.0 if radians else np.pi / 180)

    names = list(body.bones)
    parents = [-1, *(names.index(body.parents[name]) for name in names[1:])]
    offsets = [np.zeros(3) if parent <= 0 else body.bones[names[parent]].vector for parent in parents]
    for index, name in enumerate(list(names[1:]), 1):
        if index not in parents:
            names.append(f"{name}_end")
            parents.append(index)
            offsets.append(body.bones[name].vector)
    ends = len(names) - len(body.bones)
    source = SourceMotion(
        tuple(names),
        tuple(parents),
        torch.from_numpy(np.array(offsets)) * body.metre,
        rotation.identity(len(names), dtype=torch.float64),
        torch.cat((rotations, rotation.identity(len(rotations), ends, dtype=torch.float64)), 1),
        root_positions * body.metre,
        tidy_rate(path, fps),
    )
    return turned(source, Y_UP_TO_Z_UP)


def _find_skeleton(path: Path) -> Path:
    """The skeleton with the longest name that is, or begins, the motion's."""
    found = [
        candidate
        for candidate in path.parent.iterdir()
        if candidate.suffix.lower() == ".asf" and re.match(re.escape(candidate.stem) + r"([_\-. ]|$)", path.stem)
    ]
    if not found:
        subject = re.split(r"[_\-. ]", path.stem)[0]
        raise fault(path, f"its skeleton is missing: put {subject}.asf or {path.stem}.asf into the same folder.")
    return max(found, key=lambda candidate: len(candidate.stem))


def _parse_asf(path: Path, text: str) -> _Skeleton:
    section, name, bone = "", "", _Bone()
    bones, parents = {"root": _Bone()}, dict[str, str]()
    root_position = np.zeros(3)
    direction, length = np.zeros(3), 0.0
    unit, degrees = 1.0, True
    for line, row in enumerate(text.split("\n"), 1):
        words = row.split("#")[0].split()
        if not words:
            continue
        key, rest = words[0].lower(), words[1:]
        if key.startswith(":"):
            section = key[1:]
        elif section == "units":
            if key == "length":
                unit = float(_vector(path, rest, 1, line)[0])
            elif key == "angle":
                degrees = _is_degrees(path, rest, line)
        elif section == "root":
            if key == "order":
                bones["root"].dofs = [_dof(path, word, line) for word in rest]
            elif key == "position":
                root_position = _vector(path, rest, 3, line)
            elif key == "orientation":
                bones["root"].axis = _vector(path, rest, 3, line)
            elif key == "axis":
                bones["root"].axis_order = _order(path, rest, line)
        elif section == "bonedata":
            if key == "begin":
                name, bone, direction, length = "", _Bone(), np.zeros(3), 0.0
            elif key == "name":
                name = rest[0] if rest else ""
            elif key == "direction":
                direction = _vector(path, rest, 3, line)
            elif key == "length":
                length = float(_vector(path, rest, 1, line)[0])
            elif key == "axis":
                bone.axis, bone.axis_order = _vector(path, rest[:3], 3, line), _order(path, rest[3:], line)
            elif key == "dof":
                bone.dofs = [_dof(path, word, line) for word in rest]
            elif key == "end":
                if not name or name in bones:
                    raise fault(path, f"a bone has no name, or the name {name!r} of another one.", line)
                if len(bones) >= MAX_JOINTS:
                    raise fault(path, f"there are more than {MAX_JOINTS} bones.", line)
                bone.vector = direction * length
                bones[name] = bone
        elif section == "hierarchy" and key not in ("begin", "end"):
            for child in rest:
                if words[0] not in bones or child not in bones or child in parents or child == "root":
                    raise fault(path, f"{words[0]!r} cannot be the parent of {child!r}.", line)
                parents[child] = words[0]
    if not 1e-3 <= unit <= 1e3:
        raise fault(path, f"the unit of length is {unit:g}, but must be from 0.001 to 1000.")
    if not bones["root"].dofs or not parents:
        raise fault(path, "the sections :root and :hierarchy are missing; is this an ASF skeleton?")
    ordered = {name: bones[name] for name in _parents_first(path, parents)}
    return _Skeleton(ordered, parents, root_position, 0.0254 / unit, np.pi / 180 if degrees else 1.0)


def _parents_first(path: Path, parents: dict[str, str]) -> list[str]:
    """The root, and all bones that hang from it, depth first."""
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    order, waiting = [], ["root"]
    while waiting:
        order.append(waiting.pop())
        waiting.extend(reversed(children.get(order[-1], [])))
    if len(order) != len(parents) + 1:
        raise fault(path, "some bones do not hang from the root.")
    return order


def _vector(path: Path, words: list[str], size: int, line: int) -> np.ndarray:
    values = parse_numbers(path, words, line)
    if len(values) != size:
        raise fault(path, f"expected {size} number(s), but found {len(values)}.", line)
    return values


def _is_degrees(path: Path, words: list[str], line: int) -> bool:
    if not words or words[0].lower()[:3] not in ("deg", "rad"):
        raise fault(path, "the unit of angles is deg or rad.", line)
    return words[0].lower().startswith("deg")


def _order(path: Path, words: list[str], line: int) -> str:
    order = words[0].upper() if words else ""
    if sorted(order) != ["X", "Y", "Z"]:
        raise fault(path, "an axis has an order such as XYZ.", line)
    return order


def _dof(path: Path, word: str, line: int) -> str:
    if word.lower() not in (*_ROTATIONS, *_TRANSLATIONS, "l"):
        raise fault(path, f"{word[:40]!r} is not a degree of freedom.", line)
    return word.lower()


def _parse_amc(
    path: Path, text: str, body: _Skeleton, skeleton_path: Path
) -> tuple[bool, dict[str, Float[np.ndarray, "frame dof"]]]:
    """Whether angles are radians, and for each bone that moves its values in all frames."""
    moving = {name: bone for name, bone in body.bones.items() if bone.dofs}
    rows: dict[str, list[list[float]]] = {name: [] for name in moving}
    frames, radians = 0, False
    for line, row in enumerate(text.split("\n"), 1):
        words = row.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            radians = radians or words[0].lower() == ":radians"
        elif len(words) == 1 and words[0].isdecimal():
            _check_complete(path, rows, frames, line)
            frames += 1
        elif words[0] not in moving:
            raise fault(path, f"{words[0][:40]!r} is not a moving bone of {skeleton_path.name}.", line)
        elif len(words) - 1 != len(moving[words[0]].dofs):
            wanted = len(moving[words[0]].dofs)
            raise fault(path, f"{words[0]} has {wanted} degrees of freedom, but {len(words) - 1} values.", line)
        else:
            try:
                rows[words[0]].append([float(word) for word in words[1:]])
            except ValueError:
                parse_numbers(path, words[1:], line)
    _check_complete(path, rows, frames, line)
    if frames == 0:
        raise fault(path, "there are no frames.")
    return radians, {name: check_values(path, np.array(values), f"bone {name}") for name, values in rows.items()}


def _check_complete(path: Path, rows: dict[str, list[list[float]]], frames: int, line: int) -> None:
    for name, values in rows.items():
        if len(values) != frames:
            problem = "is missing" if len(values) < frames else "stands twice, or before the first frame's number"
            raise fault(path, f"bone {name} {problem} in the frame that ends here.", line)


def _pose(
    body: _Skeleton, values: dict[str, Float[np.ndarray, "frame dof"]], to_radians: float
) -> tuple[Float[Tensor, "frame bone 4"], Float[Tensor, "frame 3"]]:
    """Local rotations, and root positions in the file's unit of length."""
    frames = len(values["root"])
    rotations = rotation.identity(frames, len(body.bones), dtype=torch.float64)
    for index, (name, bone) in enumerate(body.bones.items()):
        turns = [i for i, dof in enumerate(bone.dofs) if dof in _ROTATIONS]
        if not turns:
            continue
        angles = torch.from_numpy(values[name][:, turns] * to_radians)
        # The first degree of freedom acts first: it stands last in the product.
        motion = rotation.from_euler(angles.flip(-1), "".join(bone.dofs[i][1] for i in reversed(turns)))
        axis = torch.from_numpy(bone.axis * body.to_radians).flip(-1)
        frame = rotation.from_euler(axis, bone.axis_order[::-1])
        rotations[:, index] = rotation.multiply(rotation.multiply(frame, motion), rotation.conjugate(frame))
    positions = np.tile(body.root_position, (frames, 1))
    for column, dof in enumerate(body.bones["root"].dofs):
        if dof in _TRANSLATIONS:
            positions[:, _TRANSLATIONS.index(dof)] += values["root"][:, column]
    return rotations, torch.from_numpy(positions)
