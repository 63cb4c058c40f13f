"""Conditions of a single moment, from positions and rotations alone: where hands, feet, knees and trunk are.

Each is a pure function of a ``Track`` and returns whether it holds, for every time and world. Those that take a side
are of one arm or leg. No condition knows of any image-text model. Metres and degrees.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.track import SIDES, Side, Track, between

Holds = Bool[Tensor, "time world"]

DIRECTIONS = {
    "forward": (1.0, 0.0, 0.0),
    "back": (-1.0, 0.0, 0.0),
    "left": (0.0, 1.0, 0.0),
    "right": (0.0, -1.0, 0.0),
    "up": (0.0, 0.0, 1.0),
    "down": (0.0, 0.0, -1.0),
}
"""Seen from the hips; ``out`` and ``in`` are away from the other side, and towards it."""

PLACES = {
    "hip": ("pelvis", (0.0, 0.13, 0.08)),
    "back": ("pelvis", (-0.12, 0.0, 0.10)),
    "chest": ("torso", (0.12, 0.0, 0.14)),
    "shoulder": ("torso", (0.0, 0.18, 0.24)),
    "face": ("head", (0.13, 0.0, 0.175)),
    "ear": ("head", (0.0, 0.11, 0.175)),
    "crown": ("head", (0.0, 0.0, 0.28)),
    "nape": ("head", (-0.12, 0.0, 0.12)),
}
"""Points a hand can be at: body and place in its frame, of the left side; y is negated for the right hand."""

LEVELS = ("head", "shoulder", "hip")


def standing(track: Track, lean: float = 40.0) -> Holds:
    """On the feet, hips above 0.7 m, trunk within ``lean`` of the vertical."""
    return on_feet(track) & (track.position("pelvis")[..., 2] > 0.7) & (track.lean <= lean)


def on_feet(track: Track) -> Holds:
    """A foot is within 5 cm of the ground; hips, thighs, trunk, head and knees are not. Hands may touch it."""
    knees = torch.minimum(*(track.position(f"{side}_shin")[..., 2] for side in SIDES))
    clear = track.clearance("pelvis", "torso", "head", "right_thigh", "left_thigh")
    return (track.clearance("right_foot", "left_foot") < 0.05) & (clear > 0.05) & (knees > 0.12)


def upright(track: Track, within: float = 30.0) -> Holds:
    """The trunk is within so many degrees of the vertical."""
    return track.lean <= within


def leaning(track: Track, direction: str, least: float = 20.0) -> Holds:
    """The trunk leans so far, and within 50° of forward, back, left or right."""
    flat = track.trunk * track.trunk.new_tensor((1.0, 1.0, 0.0))
    return (track.lean >= least) & (between(flat, vector(track, direction)) <= 50)


def hips(track: Track, above: float = 0.0, below: float = 9.0) -> Holds:
    """Height of the pelvis; 0.89 in a body that stands straight."""
    height = track.position("pelvis")[..., 2]
    return (height >= above) & (height <= below)


def torso_turned(track: Track, direction: str, least: float = 25.0) -> Holds:
    """The shoulders are turned to the left or right of the hips."""
    return _aside(track.axis("torso", (1.0, 0.0, 0.0)), direction) >= least


def head_turned(track: Track, direction: str, least: float = 20.0) -> Holds:
    """The face points left or right of where the hips face, or up or down."""
    return _aside(track.axis("head", (1.0, 0.0, 0.0)), direction) >= least


def knee_bent(track: Track, side: Side, least: float = 40.0) -> Holds:
    """0 is a straight leg."""
    return track.knee(side) >= least


def knee_down(track: Track, side: Side, within: float = 0.15) -> Holds:
    """The knee is on the ground, and below the hip by 0.15 or more: stretched legs of one who sits do not kneel."""
    return (track.position(f"{side}_shin")[..., 2] <= within) & (track.thigh(side)[..., 2] <= -0.15)


def knee_up(track: Track, side: Side, least: float = 55.0) -> Holds:
    """The thigh is raised forward, so far from hanging straight down."""
    return _swing(track.thigh(side), vector(track, "forward")) >= least


def foot_up(track: Track, side: Side, least: float = 0.08) -> Holds:
    """The whole foot is off the ground."""
    return track.clearance(f"{side}_foot") >= least


def foot_ahead(track: Track, side: Side, least: float = 0.3) -> Holds:
    """It is so far in front of the other foot."""
    other = "left" if side == "right" else "right"
    return (track.from_pelvis(f"{side}_foot") - track.from_pelvis(f"{other}_foot"))[..., 0] >= least


def leg_towards(track: Track, side: Side, direction: str, least: float = 25.0) -> Holds:
    """The line from hip to ankle is swung so far from hanging straight down."""
    return _swing(track.leg(side), vector(track, direction, side)) >= least


def hand_above(track: Track, side: Side, level: str = "head", by: float = 0.0) -> Holds:
    """The hand is higher than the head's centre, its shoulder, or the hips."""
    if level not in LEVELS:
        raise EvaluationError(f"level is {level!r}; it must be one of {', '.join(LEVELS)}.")
    heights = {
        "head": track.head,
        "shoulder": track.position(f"{side}_upper_arm"),
        "hip": track.position("pelvis"),
    }
    return track.position(f"{side}_hand")[..., 2] > heights[level][..., 2] + by


def hand_low(track: Track, side: Side, within: float = 0.25) -> Holds:
    """The hand is so close to the ground."""
    return track.position(f"{side}_hand")[..., 2] <= within


def hand_at(track: Track, side: Side, place: str, within: float = 0.18) -> Holds:
    """The hand's centre is so close to a place of the body, on its own side: see ``PLACES``."""
    if place not in PLACES:
        raise EvaluationError(f"place is {place!r}; it must be one of {', '.join(PLACES)}.")
    body, (x, y, z) = PLACES[place]
    target = track.place(body, (x, y if side == "left" else -y, z))
    return (track.position(f"{side}_hand") - target).norm(dim=-1) <= within


def hand_on_elbow(track: Track, side: Side, within: float = 0.22) -> Holds:
    """The hand is so close to the other arm's elbow."""
    other = "left" if side == "right" else "right"
    return (track.position(f"{side}_hand") - track.position(f"{other}_lower_arm")).norm(dim=-1) <= within


def hands_together(track: Track, within: float = 0.18) -> Holds:
    """Centres of both hands are so close to each other; palms that touch are 0.08 apart."""
    return (track.position("right_hand") - track.position("left_hand")).norm(dim=-1) <= within


def arm_towards(track: Track, side: Side, direction: str, within: float = 35.0) -> Holds:
    """The line from shoulder to hand is within so many degrees of a direction."""
    return between(track.arm(side), vector(track, direction, side)) <= within


def elbow_bent(track: Track, side: Side, least: float = 60.0) -> Holds:
    """0 is a straight arm."""
    return track.elbow(side) >= least


def sitting(track: Track) -> Holds:
    """The seat is within 8 cm of the ground, the trunk within 60° of the vertical."""
    return (track.clearance("pelvis") <= 0.08) & (track.lean <= 60)


def lying(track: Track, face: str = "any") -> Holds:
    """Pelvis and neck below 0.3 m, trunk at least 65° from the vertical; on the back the chest faces up."""
    flat = (track.position("pelvis")[..., 2] < 0.3) & (track.position("head")[..., 2] < 0.3) & (track.lean >= 65)
    front = track.axis("torso", (1.0, 0.0, 0.0))[..., 2]
    sides = {"any": flat, "up": flat & (front > 0.5), "down": flat & (front < -0.5)}
    if face not in sides:
        raise EvaluationError(f"face is {face!r}; it must be one of {', '.join(sides)}.")
    return sides[face]


def vector(track: Track, direction: str, side: Side | None = None) -> Float[Tensor, "3"]:
    """The direction by name; ``out`` and ``in`` only for a limb."""
    if side is not None and direction in ("out", "in"):
        direction = side if (direction == "out") else {"left": "right", "right": "left"}[side]
    if direction not in DIRECTIONS:
        known = ", ".join((*DIRECTIONS, *(("out", "in") if side is not None else ())))
        raise EvaluationError(f"direction is {direction!r}; it must be one of {known}.")
    return track.states.positions.new_tensor(DIRECTIONS[direction])


def _swing(limb: Float[Tensor, "time world 3"], towards: Float[Tensor, "3"]) -> Float[Tensor, "time world"]:
    """Degrees from hanging straight down, in the plane of a direction."""
    return torch.rad2deg(torch.atan2((limb * towards).sum(-1), -limb[..., 2]))


def _aside(axis: Float[Tensor, "time world 3"], direction: str) -> Float[Tensor, "time world"]:
    """Degrees by which a direction that is forward at ease is turned left or right, or tilted up or down."""
    aside = torch.rad2deg(torch.atan2(axis[..., 1], axis[..., 0]))
    tilt = torch.rad2deg(torch.asin(axis[..., 2].clamp(-1, 1)))
    angles = {"left": aside, "right": -aside, "up": tilt, "down": -tilt}
    if direction not in angles:
        raise EvaluationError(f"direction is {direction!r}; it must be one of {', '.join(angles)}.")
    return angles[direction]
