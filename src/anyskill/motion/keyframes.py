"""Motions written by hand: poses in time, in YAML, that become clips.

A file holds a list ``motions``; each has::

    - name: wave_with_right_hand
      labels: [wave with the right hand, say hello]
      category: {primary: idle, secondary: none}
      mirror: true    # the mirrored motion is wanted, too
      loop: false     # true: it ends as it begins and may go on
      keyframes:
        - {after: 0.6, pose: {right_arm: {upper: [0.2, 1, 0.1], lower: up}}}
        - repeat: 3
          keyframes:
            - {after: 0.3, pose: {right_arm: {upper: [0.2, 1, 0.1], lower: [0, 0.5, 1]}}}
            - {after: 0.3, pose: {right_arm: {upper: [0.2, 1, 0.1], lower: [0, -0.4, 1]}}}
        - {after: 0.8}

``after`` is the time in seconds since the keyframe before, ``hold`` how long the pose is kept, ``pose`` what
``anyskill.motion.pose`` describes; without it, the body stands at ease. A motion begins standing at ease unless its
first keyframe has no ``after``. At a keyframe everything comes to rest, unless it has ``through: true``. In between,
joint angles above the hips, the pelvis and the feet move on minimum-jerk paths, and the legs follow in every frame: a
foot that stands in two keyframes stands still between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
import yaml
from jaxtyping import Float
from scipy.interpolate import BPoly
from torch import Tensor

from anyskill import rotation
from anyskill.motion.clip import Clip
from anyskill.motion.dataset import Category, Motion, Primary, Secondary
from anyskill.motion.errors import MotionError
from anyskill.motion.pose import SKELETON, Pose, check_keys, read_number, read_pose
from anyskill.motion.posture import PARTS, Postures, solve, stand_on, worst_breach

FPS = 30.0
_TOLERANCE = 0.005  # m by which a hand or a foot may miss its place
_KEYFRAME = ("after", "hold", "pose", "through", "repeat", "keyframes")
_MOTION = ("name", "labels", "category", "loop", "mirror", "keyframes")


@dataclass(frozen=True)
class Keyframe:
    """A pose and its times."""

    where: str  # for messages
    after: float  # s since the end of the keyframe before
    hold: float  # s
    through: bool  # whether the body moves through without coming to rest
    pose: Pose


@dataclass(frozen=True)
class Script:
    """A motion as it is written."""

    where: str  # for messages
    name: str
    labels: tuple[str, ...]
    category: Category
    loop: bool
    mirror: bool
    keyframes: tuple[Keyframe, ...]


def read_keyframes(path: Path) -> list[Clip]:
    """The clips of a keyframe file, 30 frames a second; a mirrored motion follows its original.

    Raises:
        MotionError: The file cannot be read, or a motion in it is wrong or impossible; the message says where.
    """
    return [motion.clip for motion in read_keyframe_motions(path)]


def read_keyframe_motions(path: Path) -> list[Motion]:
    """``read_keyframes`` with each clip's category; a motion and its mirror share the weight."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MotionError(f"{path} cannot be read ({error}).") from None
    except yaml.YAMLError as error:
        raise MotionError(f"{path} is not valid YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("motions"), list):
        raise MotionError(f"{path} must hold a list named motions.")
    scripts = [_read_script(entry, f"{path}, motion {number}") for number, entry in enumerate(content["motions"], 1)]
    return perform(scripts)


def perform(scripts: Sequence[Script]) -> list[Motion]:
    """The motions of scripts; all poses are solved together."""
    if not scripts:
        return []
    postures = solve([keyframe.pose for script in scripts for keyframe in script.keyframes])
    motions, start = [], 0
    for script in scripts:
        stop = start + len(script.keyframes)
        clip = _clip(script, postures[start:stop])
        both = [clip, clip.mirrored()] if script.mirror else [clip]
        motions += [Motion(each, 1.0 / len(both), script.category) for each in both]
        start = stop
    return motions


def _read_script(text: Any, where: str) -> Script:
    if not isinstance(text, Mapping) or not isinstance(text.get("name"), str) or not text["name"]:
        raise MotionError(f"{where} needs a name.")
    where += f" ({text['name']})"
    labels, entries = text.get("labels"), text.get("keyframes")
    try:
        check_keys(text, "the motion", _MOTION)
        if not isinstance(labels, list) or not labels or not all(isinstance(x, str) and x.strip() for x in labels):
            raise MotionError("labels must be a list of at least one text.")
        if not isinstance(entries, list) or not entries:
            raise MotionError("keyframes must be a list of at least one.")
        category = _read_category(text.get("category"))
        loop, mirror = (_flag(text.get(key, False), key) for key in ("loop", "mirror"))
    except MotionError as error:
        raise MotionError(f"{where}: {error}") from None
    keyframes = list(_read_all(entries, where))
    if "after" in _first(entries[0]):
        keyframes.insert(0, Keyframe(f"{where}, standing at its beginning", 0.0, 0.0, False, read_pose({})))
    for keyframe in keyframes[1:]:
        if keyframe.after == 0:
            raise MotionError(f"{keyframe.where} needs after: the seconds since the keyframe before.")
    if sum(keyframe.after + keyframe.hold for keyframe in keyframes) * FPS < 1:
        raise MotionError(f"{where} lasts no time; give it a second keyframe or a hold.")
    return Script(where, text["name"], tuple(labels), category, loop, mirror, tuple(keyframes))


def _read_category(text: Any) -> Category:
    known = {"primary": get_args(Primary), "secondary": get_args(Secondary)}
    values = {"secondary": "none"} | dict(check_keys(text, "category", known))
    for key, choices in known.items():
        if values.get(key) not in choices:
            raise MotionError(f"category {key} is {values.get(key)!r}; it must be one of {', '.join(choices)}.")
    return Category(**values)


def _first(entry: Any) -> Mapping[str, Any]:
    """The first keyframe proper of a list that may begin with a repetition."""
    while isinstance(entry, Mapping) and isinstance(entry.get("keyframes"), list) and entry["keyframes"]:
        entry = entry["keyframes"][0]
    return entry if isinstance(entry, Mapping) else {}


def _read_all(entries: list[Any], where: str) -> Iterator[Keyframe]:
    """All keyframes in order, repetitions written out."""
    for number, entry in enumerate(entries, 1):
        here = f"{where}, keyframe {number}"
        try:
            check_keys(entry, "the keyframe", _KEYFRAME)
            times = read_number(entry.get("repeat", 1), "repeat")
            if "repeat" in entry:
                check_keys(entry, "a repetition", ("repeat", "keyframes"))
            if times < 1 or times != int(times):
                raise MotionError(f"repeat is {times:g}; it must be a whole number from 1 up.")
            after = read_number(entry.get("after", 0.0), "after")
            hold = read_number(entry.get("hold", 0.0), "hold")
            if hold < 0 or after < 0 or ("after" in entry and after == 0):
                raise MotionError("times must increase: after must be above zero and hold not below it.")
            through = _flag(entry.get("through", False), "through")
            pose = None if "repeat" in entry else read_pose(entry.get("pose", {}))
        except MotionError as error:
            raise MotionError(f"{here}: {error}") from None
        if pose is None:
            for _ in range(int(times)):
                yield from _read_all(entry.get("keyframes") or [], here)
        else:
            yield Keyframe(here, after, hold, through, pose)


def _clip(script: Script, postures: Postures) -> Clip:
    """Fill in the frames between solved poses."""
    keyframes, where = script.keyframes, script.where
    for keyframe, missing in zip(keyframes, postures.missing, strict=True):
        worst = int(missing.argmax())
        if missing[worst] > _TOLERANCE:
            far = 100 * float(missing[worst])
            raise MotionError(f"{keyframe.where}: the place of the {PARTS[worst]} is {far:.0f} cm out of reach.")
    breach = worst_breach(postures.dofs)
    if breach:
        raise MotionError(f"{keyframes[breach[0]].where}: {breach[1]}.")
    end, path = _path(keyframes, _coordinates(postures))
    frames = torch.from_numpy(path(np.minimum(np.arange(round(end * FPS) + 1) / FPS, end)))
    root, turn, dofs, soles, swivels, balance = frames.split((3, 3, SKELETON.num_dof, 12, 2, 2), -1)
    local = SKELETON.rotations_from_dofs(rotation.from_rotation_vector(turn), dofs)
    root, local, missing = stand_on(root, local, soles.unflatten(-1, (2, 6)), swivels, balance)
    if missing.max() > 2 * _TOLERANCE:
        worst = int(missing.amax(-1).argmax())
        raise MotionError(
            f"{where}: a foot is {100 * float(missing.max()):.0f} cm out of reach {worst / FPS:.1f} s after the"
            " beginning, between keyframes; add one there or bring the poses nearer to each other."
        )
    breach = worst_breach(SKELETON.dofs_from_rotations(local))
    if breach:
        raise MotionError(f"{where}: {breach[0] / FPS:.1f} s after the beginning, between keyframes, {breach[1]}.")
    return Clip(script.name, FPS, root, local, script.labels, script.loop)


def _coordinates(postures: Postures) -> Float[Tensor, "pose coordinate"]:
    """What is interpolated, one row a pose. Turns continue from pose to pose instead of jumping by a full turn."""
    turn = rotation.to_rotation_vector(postures.turn)
    for pose in range(1, len(turn)):
        angle = turn[pose].norm()
        if angle > 0:
            other = turn[pose] * (1 - 2 * torch.pi / angle)
            if (other - turn[pose - 1]).norm() < (turn[pose] - turn[pose - 1]).norm():
                turn[pose] = other
    soles = postures.soles.clone()
    soles[..., 3] = torch.from_numpy(np.unwrap(soles[..., 3].numpy(), axis=0))
    return torch.cat((postures.root, turn, postures.dofs, soles.flatten(1), postures.swivels, postures.balance), -1)


def _path(keyframes: Sequence[Keyframe], values: Float[Tensor, "pose coordinate"]) -> tuple[float, BPoly]:
    """Duration (s) and the curve through all poses.

    Between knots it is the quintic of least jerk with no acceleration at either; the velocity is zero but at keyframes
    moved through, where it is that of the parabola through the neighbours, and zero where a coordinate turns back.
    """
    times, rows, moving, now = [], [], [], 0.0
    for keyframe, row in zip(keyframes, values.numpy(), strict=True):
        now += keyframe.after
        for pause in (0.0, keyframe.hold) if keyframe.hold else (0.0,):
            now += pause
            times.append(now)
            rows.append(row)
            moving.append(keyframe.through and not keyframe.hold)
    knots, points = np.array(times), np.array(rows)
    steps = np.diff(knots)[:, None]
    slopes = np.diff(points, axis=0) / steps
    before, after = slopes[:-1], slopes[1:]
    middle = (before * steps[1:] + after * steps[:-1]) / (steps[1:] + steps[:-1])
    velocities = np.zeros_like(points)
    velocities[1:-1] = np.where((before * after > 0) & np.array(moving)[1:-1, None], middle, 0.0)
    derivatives = np.stack((points, velocities, np.zeros_like(points)), 1)
    return now, BPoly.from_derivatives(knots, derivatives)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise MotionError(f"{name} is {value!r}; it must be true or false.")
    return value
