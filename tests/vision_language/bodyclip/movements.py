"""Bodies in motion, each with what must be said of it."""

from collections.abc import Mapping

import torch

from anyskill.body.state import BodyState
from anyskill.motion.pose import SKELETON
from tests.vision_language.bodyclip.poses import named

Vector = tuple[float, float, float]
_ZERO = (0.0, 0.0, 0.0)


def moving(
    pose: str, velocity: Vector, spin: Vector, limbs: Mapping[str, Vector], head_spin: Vector = _ZERO
) -> BodyState:
    """A pose of the table with all bodies at a velocity (m/s) and spin (rad/s), some with one of their own besides."""
    state = named(pose)
    linear = state.linear_velocities + torch.tensor(velocity, dtype=torch.float64)
    angular = state.angular_velocities + torch.tensor(spin, dtype=torch.float64)
    angular[SKELETON.index("head")] += torch.tensor(head_spin, dtype=torch.float64)
    for name, own in limbs.items():
        linear[SKELETON.index(name)] += torch.tensor(own, dtype=torch.float64)
    return BodyState(state.positions, state.rotations, linear, angular, state.contact_forces)


# name: (pose, velocity, spin, velocities of limbs, facts that must hold, facts that everybody must deny)
MOVEMENTS: dict[str, tuple[str, Vector, Vector, dict[str, Vector], str, str]] = {
    "stand": (
        "at ease",
        _ZERO,
        _ZERO,
        {},
        "hold_still keep_feet_still",
        "walk_forward run jump_up kick.right turn.left",
    ),
    "stroll": (
        "at ease",
        (0.6, 0, 0),
        _ZERO,
        {},
        "walk_forward walk_slowly",
        "hold_still run walk_backward walk_briskly",
    ),
    "stride": (
        "right foot ahead",
        (1.5, 0, 0),
        _ZERO,
        {},
        "walk_forward walk_briskly",
        "walk_slowly run walk_backward",
    ),
    "back off": ("at ease", (-0.8, 0, 0), _ZERO, {}, "walk_backward", "walk_forward run hold_still"),
    "sidestep": ("at ease", (0, 0.6, 0), _ZERO, {}, "step_sideways.left", "step_sideways.right walk_backward run"),
    "jog": ("right foot ahead", (2.5, 0, 0), _ZERO, {}, "run jog", "walk_forward hold_still run_fast"),
    "sprint": ("right foot ahead", (4.5, 0, 0), _ZERO, {}, "run run_fast", "jog walk_forward"),
    "jump": ("in the air", (0, 0, 1.2), _ZERO, {}, "jump_up", "come_down_from_jump hold_still walk_forward"),
    "long jump": ("in the air", (1.8, 0, 0.1), _ZERO, {}, "jump_forward", "hold_still come_down_from_jump"),
    "land": ("in the air", (0, 0, -1.2), _ZERO, {}, "come_down_from_jump", "jump_up"),
    "topple": ("toppling", (0.3, 0, -1.2), _ZERO, {}, "fall", "jump_up get_up hold_still"),
    "sink": ("half squat", (0, 0, -0.6), _ZERO, {}, "lower_body", "get_up jump_up"),
    "rise": ("half squat", (0, 0, 0.6), _ZERO, {}, "get_up", "lower_body fall"),
    "bend": ("bow", _ZERO, (0, 1.5, 0), {}, "bend_down", "straighten_up hold_still"),
    "straighten": ("bow", _ZERO, (0, -1.5, 0), {}, "straighten_up", "bend_down hold_still"),
    "turn": ("at ease", _ZERO, (0, 0, 1.5), {}, "turn.left", "turn.right spin.left hold_still"),
    "pirouette": ("right knee up", _ZERO, (0, 0, -5), {}, "turn.right spin.right", "turn.left hold_still"),
    "somersault": ("in the air upside down", _ZERO, (0, 8, 0), {}, "flip", "hold_still walk_forward"),
    "roll": ("on the back", _ZERO, (4, 0, 0), {}, "roll", "hold_still walk_forward flip"),
    "crawl": ("all fours", (0.4, 0, 0), _ZERO, {}, "crawl", "walk_forward hold_still run"),
    "kick": (
        "high kick",
        _ZERO,
        _ZERO,
        {"right_foot": (3.5, 0, 1)},
        "kick.right kick_forward.right raise_leg.right",
        "kick.left hold_still walk_forward",
    ),
    "punch": (
        "left arm forward",
        _ZERO,
        _ZERO,
        {"left_hand": (2.5, 0, 0)},
        "punch.left swing_arm.left",
        "punch.right hold_still",
    ),
    "raise": (
        "arms forward",
        _ZERO,
        _ZERO,
        {"left_hand": (0, 0, 1.5), "right_hand": (0, 0, 1.5)},
        "raise_arm.both swing_arm.both",
        "lower_arm.both lower_arm.right hold_still",
    ),
    "lower": (
        "arms forward",
        _ZERO,
        _ZERO,
        {"left_hand": (0, 0, -1.5), "right_hand": (0, 0, -1.5)},
        "lower_arm.both",
        "raise_arm.both hold_still",
    ),
}


def movement_states() -> BodyState:
    """All movements, in the order of the table."""
    return BodyState.stack([moving(*row[:4]) for row in MOVEMENTS.values()])


def to_and_fro(pose: str, limbs: Mapping[str, Vector], head_spin: Vector = _ZERO) -> tuple[BodyState, BodyState]:
    """A state and three before it, in which limbs go to and fro; both with one world."""
    back = {name: (-x, -y, -z) for name, (x, y, z) in limbs.items()}
    series = BodyState.stack([moving(pose, _ZERO, _ZERO, way, head_spin)[None] for way in (limbs, back, limbs, back)])
    return series[-1], series[:-1]
