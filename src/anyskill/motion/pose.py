"""``Pose``: one keyframe as an animator writes it, read from plain YAML values. ``posture.py`` turns it into angles.

Angles are degrees and lengths metres. Places and directions are ``[forward, outward, up]``; *outward* is away from the
middle of the body, so the same numbers serve both sides. A direction can also be a word: up, down, forward, back, out,
in. A pose is a mapping; what it does not mention is as in standing at ease.

``pelvis``
    ``forward``, ``left`` (tilts), ``turn`` (to the left, from where the motion began), ``height``: metres above the
    ground, ``floor`` (as low as the ground allows), or left out: as high as the feet allow with nearly straight legs.
    ``at: [forward, left]`` where nothing is balanced.
``torso``, ``head``
    ``forward``, ``left``, ``turn``, relative to what they sit on.
``right_arm``, ``left_arm``, ``arms`` (both)
    A direction for a straight arm; ``{upper, lower}``: a direction for each half; ``{hand, elbow}``: a place relative
    to the point between the shoulders and the direction in which the elbow points, all in the torso's frame; or
    ``{floor, elbow}``: the hand's place on the map of the feet.
``right_foot``, ``left_foot``, ``feet`` (both)
    ``at``: place of the sole below the ankle, from the point on the ground where the motion began; ``heel``: degrees it
    is raised, pivoting on the toes (below zero, the toes are raised); ``toes``: degrees turned outward; ``knee``:
    degrees pushed outward. A foot in the air without ``heel`` or ``toes`` continues its shin.
``joints``
    Angles by name instead: a rotation vector for abdomen, neck, shoulder, hip, ankle, one number for elbow and knee. A
    leg with any angle given here follows its angles and not its foot.
``balance``
    Above what the centre of mass is put: ``both`` feet, ``left``, ``right``, ``none``, or between the feet:
    ``{right: 0.7}`` is the share of the weight that the right foot carries. Left out: the feet that are on the ground;
    with ``height: floor`` or no such foot, none.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.errors import MotionError
from anyskill.motion.limbs import SIDES, arms, legs

SKELETON = skeleton_of(HUMANOID)
ARMS, LEGS = arms(HUMANOID), legs(HUMANOID)
STANCE = (0.0, 0.10, 0.0)  # a foot's place in standing at ease
_STRAIGHT = math.radians(6)  # a straight arm is not quite straight
_WORDS = {
    "up": (0.0, 0.0, 1.0),
    "down": (0.0, 0.0, -1.0),
    "forward": (1.0, 0.0, 0.0),
    "back": (-1.0, 0.0, 0.0),
    "out": (0.0, 1.0, 0.0),
    "in": (0.0, -1.0, 0.0),
}
_BALANCE = {"both": [0.5, 0.5], "right": [1.0, 0.0], "left": [0.0, 1.0], "none": [0.0, 0.0]}
_AT_EASE: dict[str, Any] = {"upper": [-0.02, 0.14, -1], "lower": [0.22, 0.06, -1]}
_BALL = {"abdomen": "torso", "neck": "head"} | {
    f"{side}_{joint}": f"{side}_{body}"
    for side in SIDES
    for joint, body in (("shoulder", "upper_arm"), ("hip", "thigh"), ("ankle", "foot"))
}
_HINGES = {f"{s}_{joint}": f"{s}_{body}" for s in SIDES for joint, body in (("elbow", "lower_arm"), ("knee", "shin"))}
JOINTS = _BALL | _HINGES
"""Names of the joints, each with the body that it moves."""


@dataclass(frozen=True)
class Hand:
    """A hand's place on the map of the feet (m) and where its elbow points (torso frame)."""

    at: Float[Tensor, "3"]
    elbow: Float[Tensor, "3"]


@dataclass(frozen=True)
class Foot:
    """Where a foot goes."""

    sole: Float[Tensor, "6"]  # place of the sole (m), yaw, pitch and roll (rad), as in ``limbs.ankle_of``
    swivel: float  # rad, by which the knee is turned about the line from hip to ankle
    grounded: bool
    relaxed: bool  # continues the shin; the angles of ``sole`` are not used


@dataclass(frozen=True)
class Pose:
    """A pose before its legs, its balance and its hands on the floor are worked out."""

    place: Float[Tensor, "2"]  # m, of the pelvis, where nothing is balanced
    height: float | None  # m, of the pelvis; None: as high as the feet allow
    on_floor: bool  # as low as the ground allows, instead
    turn: Float[Tensor, "4"]  # of the pelvis
    dofs: Float[Tensor, "28"]  # rad; those of legs count only where ``feet`` has None
    hands: tuple[Hand | None, ...]  # right, left; None: ``dofs`` says it
    feet: tuple[Foot | None, ...]  # right, left; None: ``dofs`` says it
    weight: Float[Tensor, "2"]  # share of the right and the left foot; zero: no balance


def read_pose(text: Mapping[str, Any]) -> Pose:
    """A pose from the mapping described above.

    Raises:
        MotionError: An unknown name or a value of the wrong kind; without saying in which file.
    """
    sided = {f"{side}_{limb}" for side in SIDES for limb in ("arm", "foot")}
    known = {"pelvis", "torso", "head", "arms", "feet", "joints", "balance"} | sided
    text = check_keys(text, "the pose", known)
    dofs = torch.zeros(SKELETON.num_dof, dtype=torch.float64)
    joints = check_keys(text.get("joints", {}), "joints", JOINTS)
    for part, body in (("torso", "torso"), ("head", "head")):
        turn = _turn(check_keys(text.get(part, {}), part, {"forward", "left", "turn"}), part)
        dofs[_slot(body)] = rotation.to_rotation_vector(turn)
    hands: list[Hand | None] = []
    feet: list[Foot | None] = []
    for side, sign in SIDES.items():
        hands.append(_read_arm(_limb(text, side, "arm"), side, sign, dofs))
        by_angles = any(f"{side}_{joint}" in joints for joint in ("hip", "knee", "ankle"))
        feet.append(None if by_angles else _read_foot(_limb(text, side, "foot"), side, sign))
    for joint, value in joints.items():
        angles = _numbers(value, 3, joint) if joint in _BALL else [read_number(value, joint)]
        dofs[_slot(JOINTS[joint])] = torch.deg2rad(torch.tensor(angles, dtype=torch.float64))
    pelvis = check_keys(text.get("pelvis", {}), "pelvis", {"forward", "left", "turn", "height", "at"})
    grounded = [foot is not None and foot.grounded for foot in feet]
    height = pelvis.get("height")
    on_floor = height == "floor" or (height is None and not any(grounded))
    return Pose(
        place=torch.tensor(_numbers(pelvis.get("at", [0, 0]), 2, "pelvis at"), dtype=torch.float64),
        height=None if height is None or on_floor else read_number(height, "pelvis height"),
        on_floor=on_floor,
        turn=_turn(pelvis, "pelvis"),
        dofs=dofs,
        hands=tuple(hands),
        feet=tuple(feet),
        weight=_weight(text.get("balance"), grounded, on_floor),
    )


def _slot(body: str) -> slice:
    return SKELETON.dof_slices[SKELETON.index(body)]


def _limb(text: Mapping[str, Any], side: str, limb: str) -> Any:
    """What the pose says of one side: its own entry before the one for both."""
    both = {"arm": "arms", "foot": "feet"}[limb]
    return text.get(f"{side}_{limb}", text.get(both))


def _read_arm(value: Any, side: str, sign: int, dofs: Float[Tensor, "28"]) -> Hand | None:
    """Write the angles of an arm into ``dofs``, or return the place of its hand if that needs the rest of the body."""
    name = f"{side}_arm"
    limb = ARMS[sign > 0]
    if value is None:
        value = _AT_EASE
    if not isinstance(value, Mapping):
        _write_halves(value, value, name, sign, dofs)
        return None
    value = check_keys(value, name, {"upper", "lower", "hand", "floor", "elbow"})
    if {"upper", "lower"} == value.keys():
        _write_halves(value["upper"], value["lower"], name, sign, dofs)
        return None
    elbow = _direction(value.get("elbow", [-0.5, 0.5, -1]), f"{name} elbow", sign)
    if value.keys() - {"elbow"} == {"floor"}:
        return Hand(_place(value["floor"], f"{name} floor", sign), elbow)
    if value.keys() - {"elbow"} != {"hand"}:
        raise MotionError(f"{name} needs a direction, or upper and lower, or hand, or floor; it has {_list(value)}.")
    shoulder = SKELETON.offsets[limb.upper]
    middle = shoulder * torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    target = middle + _place(value["hand"], f"{name} hand", sign)
    upper, angle, missing = limb.solve(shoulder, target, torch.linalg.cross(target - shoulder, elbow))
    if missing > 0.005:
        raise MotionError(f"the {side} hand's place is {100 * float(missing):.0f} cm out of the arm's reach.")
    dofs[_slot(f"{side}_upper_arm")] = rotation.to_rotation_vector(upper)
    dofs[_slot(f"{side}_lower_arm")] = angle
    return None


def _write_halves(upper: Any, lower: Any, name: str, sign: int, dofs: Float[Tensor, "28"]) -> None:
    """The shoulder and elbow that give the two halves of an arm their directions."""
    first, second = _direction(upper, f"{name} upper", sign), _direction(lower, f"{name} lower", sign)
    bend = torch.arccos((first * second).sum().clamp(-1, 1))
    down = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)
    if bend < 1e-3:  # straight: turned from hanging by the shortest way
        turn, bend = rotation.between(down, first), torch.tensor(_STRAIGHT, dtype=torch.float64)
    else:
        fold = second - (first * second).sum() * first
        fold = fold / fold.norm()
        turn = rotation.from_matrix(torch.stack((fold, torch.linalg.cross(-first, fold), -first), -1))
    limb = ARMS[sign > 0]
    dofs[SKELETON.dof_slices[limb.upper]] = rotation.to_rotation_vector(turn)
    dofs[SKELETON.dof_slices[limb.lower]] = -bend


def _read_foot(value: Any, side: str, sign: int) -> Foot:
    name = f"{side}_foot"
    value = check_keys({} if value is None else value, name, {"at", "heel", "toes", "knee"})
    at = _place(value.get("at", STANCE), f"{name} at", sign)
    heel, toes, knee = (
        math.radians(read_number(value.get(key, 0), f"{name} {key}")) for key in ("heel", "toes", "knee")
    )
    grounded = float(at[2]) == 0.0
    angles = torch.tensor([sign * toes, heel, 0.0], dtype=torch.float64)
    return Foot(
        sole=torch.cat((at, angles)),
        swivel=-sign * knee,
        grounded=grounded,
        relaxed=not grounded and not value.keys() & {"heel", "toes"},
    )


def _weight(value: Any, grounded: list[bool], on_floor: bool) -> Float[Tensor, "2"]:
    """Shares of the right and the left foot."""
    if value is None:
        share = [0.0, 0.0] if on_floor else [float(foot) / max(1, sum(grounded)) for foot in grounded]
    elif isinstance(value, Mapping) and len(value) == 1:
        (side, number), *_ = check_keys(value, "balance", SIDES).items()
        carried = read_number(number, f"balance {side}")
        if not 0 <= carried <= 1:
            raise MotionError(f"balance {side} is {carried:g}; a share of the weight is between 0 and 1.")
        share = [carried, 1 - carried] if side == "right" else [1 - carried, carried]
    elif value in _BALANCE:
        share = _BALANCE[value]
    else:
        raise MotionError(f"balance is {value!r}; it must be {_list(_BALANCE)}, or a share such as {{right: 0.7}}.")
    return torch.tensor(share, dtype=torch.float64)


def _turn(value: Mapping[str, Any], name: str) -> Float[Tensor, "4"]:
    """Turn to the left, then bend forward, then tilt to the left."""
    angles = [read_number(value.get(key, 0), f"{name} {key}") for key in ("turn", "forward", "left")]
    angles[2] = -angles[2]  # about +x, what is up goes to the right
    return rotation.from_euler(torch.deg2rad(torch.tensor(angles, dtype=torch.float64)), "ZYX")


def _place(value: Any, name: str, sign: int) -> Float[Tensor, "3"]:
    forward, outward, up = _numbers(value, 3, name)
    return torch.tensor([forward, sign * outward, up], dtype=torch.float64)


def _direction(value: Any, name: str, sign: int) -> Float[Tensor, "3"]:
    if isinstance(value, str) and value not in _WORDS:
        raise MotionError(f"{name} is {value!r}; a direction is one of {_list(_WORDS)}, or three numbers.")
    vector = _place(_WORDS[value] if isinstance(value, str) else value, name, sign)
    if vector.norm() == 0:
        raise MotionError(f"{name} is [0, 0, 0], which is no direction.")
    return vector / vector.norm()


def check_keys(value: Any, name: str, known: Iterable[str]) -> Mapping[str, Any]:
    """The value, if it is a mapping with no other keys than these; raises MotionError."""
    if not isinstance(value, Mapping):
        raise MotionError(f"{name} must be a mapping, not {value!r}.")
    for key in value:
        if key not in known:
            raise MotionError(f"{name} has no {key!r}; known are {_list(known)}.")
    return value


def _numbers(value: Any, count: int, name: str) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != count:
        raise MotionError(f"{name} must be {count} numbers, not {value!r}.")
    return [read_number(item, name) for item in value]


def read_number(value: Any, name: str) -> float:
    """The value, if it is a finite number; raises MotionError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MotionError(f"{name} must be a finite number, not {value!r}.")
    return float(value)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
