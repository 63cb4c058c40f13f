"""Biovision hierarchies (``.bvh``): read any, write our own character."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import skeleton_of
from anyskill.files import write_atomically
from anyskill.motion.clip import Clip
from anyskill.motion.formats.reading import (
    MAX_JOINTS,
    check_size,
    fault,
    parse_numbers,
    parse_table,
    read_text,
    tidy_rate,
)
from anyskill.motion.formats.units import Up, guess_unit, guess_up, to_z_up, turned
from anyskill.motion.source import SourceMotion

_CHANNELS = {f"{axis}{kind}".lower() for axis in "XYZ" for kind in ("position", "rotation")}
_END_SITES = {  # m, in the frames of our own bodies
    "head": (0.0, 0.0, 0.27),
    "right_foot": (0.1335, 0.0, -0.0225),
    "left_foot": (0.1335, 0.0, -0.0225),
}
_OTHER_END_SITE = (0.0, 0.0, -0.08)


@dataclass
class _Hierarchy:
    """The tree as written; end sites are joints without channels."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[np.ndarray | None] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)

    def add(self, name: str, parent: int) -> int:
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append(None)
        self.channels.append([])
        return len(self.names) - 1


def read_bvh(path: Path, scale: float | None = None, up: Up | None = None) -> SourceMotion:
    """Read a BVH file: any hierarchy, any order of channels.

    The rest pose is the one with all rotations zero. End sites become joints named ``<joint>_end``. The position
    channels of a joint replace its offset, as in the files of MotionBuilder and Blender; where a joint other than the
    root has them, their mean is taken.

    Args:
        path: The file.
        scale: Metres in the file's unit of length; by default told from the skeleton's size (``guess_unit``).
        up: The axis that points up in the file; by default told from the pose (``guess_up``). A y-up motion that
            faces +z comes out facing +x.

    Raises:
        MotionFormatError: The file is not a BVH file, or is damaged.
    """
    text = read_text(path)
    head, motion = _split(path, text)
    tree = _parse_hierarchy(path, head)
    fps, values = _parse_motion(path, motion, head.count("\n") + 1, sum(map(len, tree.channels)))
    check_size(path, len(values), len(tree.names))
    offsets, rotations, root_positions = _apply_channels(tree, values)
    unit = guess_unit(path, tree.names, tree.parents, offsets) if scale is None else scale
    source = SourceMotion(
        tuple(tree.names),
        tuple(tree.parents),
        torch.from_numpy(offsets * unit),
        rotation.identity(len(tree.names), dtype=torch.float64),
        rotations,
        torch.from_numpy(root_positions * unit),
        fps,
    )
    return turned(source, to_z_up(guess_up(source) if up is None else up))


def _split(path: Path, text: str) -> tuple[str, str]:
    """The hierarchy and what follows the word MOTION."""
    if not text.lstrip()[:9].upper() == "HIERARCHY":
        raise fault(path, "a BVH file begins with the word HIERARCHY.", 1)
    found = re.search(r"^[ \t]*MOTION[ \t]*\n", text, re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise fault(path, "the MOTION section is missing; the file may be cut short.")
    return text[: found.end()], text[found.end() :]


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line number and statement; braces are statements of their own, wherever they stand."""
    for line, row in enumerate(text.split("\n"), 1):
        for piece in re.split(r"([{}])", row):
            if piece.strip():
                yield line, piece.strip()


def _parse_hierarchy(path: Path, text: str) -> _Hierarchy:
    tree = _Hierarchy()
    open_joints: list[int] = []  # from the root to the innermost
    announced: int | None = None  # the joint whose brace is about to open
    for line, statement in _statements(text):
        keyword, *words = statement.split(None, 1)
        keyword, rest = keyword.upper(), "".join(words)
        if announced is not None and statement != "{":
            raise fault(path, f"expected {{ after the name of a joint, but found {statement[:40]!r}.", line)
        if keyword in ("ROOT", "JOINT", "END"):
            if (keyword == "ROOT") != (not open_joints):
                raise fault(path, f"{keyword} stands where it cannot.", line)
            if keyword == "ROOT" and tree.names:
                raise fault(path, "there is a second ROOT; only one figure can be read.", line)
            if len(tree.names) >= MAX_JOINTS:
                raise fault(path, f"there are more than {MAX_JOINTS} joints.", line)
            if keyword == "END":
                announced = tree.add(f"{tree.names[open_joints[-1]]}_end", open_joints[-1])
            else:
                announced = tree.add(rest or f"joint_{len(tree.names)}", open_joints[-1] if open_joints else -1)
        elif statement == "{":
            if announced is None:
                raise fault(path, "a { stands without a joint.", line)
            open_joints.append(announced)
            announced = None
        elif statement == "}":
            if not open_joints:
                raise fault(path, "a } stands without its {.", line)
            open_joints.pop()
        elif keyword in ("OFFSET", "CHANNELS"):
            if not open_joints:
                raise fault(path, f"{keyword} stands outside of a joint.", line)
            if keyword == "OFFSET":
                tree.offsets[open_joints[-1]] = _parse_offset(path, rest, line)
            else:
                tree.channels[open_joints[-1]] = _parse_channels(path, rest, line)
        elif keyword not in ("HIERARCHY", "MOTION"):
            raise fault(path, f"{statement[:40]!r} is not a word of a BVH file.", line)
    if open_joints or announced is not None:
        raise fault(path, f"joint {tree.names[-1]} is not closed by a }}.")
    if not tree.names:
        raise fault(path, "the hierarchy has no ROOT.")
    for name, offset in zip(tree.names, tree.offsets, strict=True):
        if offset is None:
            raise fault(path, f"joint {name} has no OFFSET.")
    return tree


def _parse_offset(path: Path, text: str, line: int) -> np.ndarray:
    values = parse_numbers(path, text.split(), line)
    if len(values) != 3:
        raise fault(path, f"an OFFSET has three numbers, not {len(values)}.", line)
    return values


def _parse_channels(path: Path, text: str, line: int) -> list[str]:
    count, *names = text.lower().split() or [""]
    if count != str(len(names)):
        raise fault(path, f"CHANNELS announces {count[:9]!r} channels, but names {len(names)}.", line)
    for name in names:
        if name not in _CHANNELS:
            raise fault(path, f"{name[:40]!r} is not a channel.", line)
    if len(set(names)) != len(names):
        raise fault(path, "a channel is named twice.", line)
    return names


def _parse_motion(path: Path, text: str, line: int, channels: int) -> tuple[float, Float[np.ndarray, "frame channel"]]:
    """Frames a second, and one row of channel values for each frame; ``line`` is where the text begins."""
    found = re.match(r"\s*Frames:\s*(\d{1,9})\s+Frame\s+Time:\s*(\S{1,40})", text, re.IGNORECASE)
    if found is None:
        raise fault(path, "expected 'Frames: <number>' and 'Frame Time: <seconds>' after MOTION.", line)
    frames = int(found[1])
    time_line = line + text[: found.end()].count("\n")
    seconds = float(parse_numbers(path, [found[2]], time_line)[0])
    if seconds <= 0:
        raise fault(path, "the frame time must be positive.", time_line)
    if frames < 1 or channels < 1:
        raise fault(path, "there are no frames, or no channels.", line)
    values = parse_table(path, text[found.end() :], time_line)
    if len(values) != frames * channels:
        wanted = f"{frames} frames of {channels} channels are {frames * channels} numbers"
        raise fault(path, f"{wanted}, but the file holds {len(values)}; it may be cut short.")
    return tidy_rate(path, 1.0 / seconds), values.reshape(frames, channels)


def _apply_channels(
    tree: _Hierarchy, values: Float[np.ndarray, "frame channel"]
) -> tuple[Float[np.ndarray, "joint 3"], Float[Tensor, "frame joint 4"], Float[np.ndarray, "frame 3"]]:
    """Offsets, local rotations and root positions, in the file's units and axes."""
    offsets = np.array(tree.offsets)
    rotations = rotation.identity(len(values), len(tree.names), dtype=torch.float64)
    root_positions = np.tile(offsets[0], (len(values), 1))
    column = 0
    for joint, channels in enumerate(tree.channels):
        columns = {name: column + i for i, name in enumerate(channels)}
        column += len(channels)
        turns = [name for name in channels if name.endswith("rotation")]
        if turns:
            angles = torch.from_numpy(np.deg2rad(values[:, [columns[name] for name in turns]]))
            rotations[:, joint] = rotation.from_euler(angles, "".join(name[0] for name in turns))
        for axis, letter in enumerate("xyz"):
            if f"{letter}position" in columns:
                place = values[:, columns[f"{letter}position"]]
                if joint == 0:
                    root_positions[:, axis] = place
                else:
                    offsets[joint, axis] = place.mean()
    return offsets, rotations, root_positions


def write_bvh(clip: Clip, path: Path) -> None:
    """Write a clip of our own character: centimetres, y up, facing +z, as importers expect (Blender's default).

    The root has six channels, other joints three, in the order ZXY; hands, feet and head end in end sites.
    """
    skeleton = skeleton_of(clip.character)
    children: dict[int, list[int]] = {body: [] for body in range(-1, skeleton.num_bodies)}
    for body, parent in enumerate(skeleton.parents):
        children[parent].append(body)
    lines = ["HIERARCHY"]
    order: list[int] = []

    def offset_line(indent: str, offset: tuple[float, ...]) -> str:
        x, y, z = (100 * value for value in offset)
        return f"{indent}  OFFSET {y:.6f} {z:.6f} {x:.6f}"  # our x, y, z are the file's z, x, y

    def write_joint(body: int, depth: int) -> None:
        indent = "  " * depth
        order.append(body)
        offset = (0.0, 0.0, 0.0) if depth == 0 else tuple(skeleton.offsets[body].tolist())
        channels = "3 Zrotation Xrotation Yrotation"
        if depth == 0:
            channels = "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        lines.append(f"{indent}{'JOINT' if depth else 'ROOT'} {skeleton.names[body]}")
        lines.extend((f"{indent}{{", offset_line(indent, offset), f"{indent}  CHANNELS {channels}"))
        for child in children[body]:
            write_joint(child, depth + 1)
        if not children[body]:
            end = _END_SITES.get(skeleton.names[body], _OTHER_END_SITE)
            lines.extend((f"{indent}  End Site", f"{indent}  {{", offset_line(f"{indent}  ", end), f"{indent}  }}"))
        lines.append(f"{indent}}}")

    write_joint(0, 0)
    lines.extend(("MOTION", f"Frames: {clip.num_frames}", f"Frame Time: {1 / clip.fps:.9f}"))
    permuted = clip.rotations[:, order][..., [0, 2, 3, 1]]
    angles = torch.rad2deg(rotation.to_euler_zxy(permuted)).flatten(1)
    rows = torch.cat((100 * clip.root_positions[:, [1, 2, 0]], angles), -1)
    with write_atomically(path) as file:
        file.write("\n".join(lines).encode() + b"\n")
        np.savetxt(file, rows.numpy(), fmt="%.6f")
