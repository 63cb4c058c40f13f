"""What the character looks like: shapes that are drawn, not simulated.

A slim person of 1.65 m whose front, back, left and right can be told apart in a small picture: a face, an emblem on the
chest; blue sleeve, cuff and shoe on the left, orange on the right. The limbs cover the collision shapes of
``humanoid.py``; spheres and overlapping ellipsoids at the joints keep them closed when bent. Metres, in body frames.
"""

from dataclasses import dataclass, replace
from typing import Literal

from anyskill.body.humanoid import Character, Vector

Color = tuple[float, float, float]  # red, green, blue in [0, 1]

SKIN: Color = (0.86, 0.62, 0.48)
HAIR: Color = (0.22, 0.13, 0.08)
EYE: Color = (0.05, 0.05, 0.08)
EYE_WHITE: Color = (0.97, 0.97, 0.97)
LIPS: Color = (0.66, 0.25, 0.24)
SHIRT: Color = (0.93, 0.92, 0.88)
EMBLEM: Color = (0.16, 0.50, 0.30)
BELT: Color = (0.28, 0.17, 0.09)
BUCKLE: Color = (0.80, 0.72, 0.45)
TROUSERS: Color = (0.19, 0.22, 0.32)
SOLE: Color = (0.90, 0.90, 0.88)
LEFT: Color = (0.12, 0.36, 0.78)
RIGHT: Color = (0.88, 0.40, 0.10)
STEEL: Color = (0.75, 0.77, 0.80)
WOOD: Color = (0.45, 0.28, 0.14)


@dataclass(frozen=True)
class Shape:
    """One thing to draw."""

    kind: Literal["sphere", "ellipsoid", "capsule", "cylinder", "box"]
    size: tuple[float, ...]  # radius, or half extents of an ellipsoid or box
    color: Color
    start: Vector = (0.0, 0.0, 0.0)  # centre, or one end of a capsule or cylinder
    end: Vector | None = None


def _ellipsoid(color: Color, centre: Vector, half: Vector) -> Shape:
    return Shape("ellipsoid", half, color, centre)


def _capsule(color: Color, radius: float, start: Vector, end: Vector) -> Shape:
    return Shape("capsule", (radius,), color, start, end)


def _sphere(color: Color, radius: float, centre: Vector) -> Shape:
    return Shape("sphere", (radius,), color, centre)


_PELVIS = (
    _ellipsoid(TROUSERS, (-0.005, 0, 0.02), (0.105, 0.145, 0.11)),
    Shape("cylinder", (0.112,), BELT, (0, 0, 0.085), (0, 0, 0.115)),
    Shape("box", (0.008, 0.022, 0.018), BUCKLE, (0.112, 0, 0.10)),
    _ellipsoid(SHIRT, (0, 0, 0.17), (0.098, 0.128, 0.11)),
)

_TORSO = (
    _ellipsoid(SHIRT, (0, 0, 0.03), (0.102, 0.130, 0.14)),
    _ellipsoid(SHIRT, (-0.004, 0, 0.14), (0.112, 0.160, 0.145)),
    _capsule(SHIRT, 0.052, (-0.022, -0.14, 0.228), (-0.022, 0.14, 0.228)),
    _ellipsoid(SHIRT, (-0.010, 0, 0.255), (0.062, 0.075, 0.040)),
    Shape("cylinder", (0.042,), EMBLEM, (0.090, 0, 0.145), (0.111, 0, 0.145)),
)

_HEAD = (
    _capsule(SKIN, 0.046, (-0.008, 0, -0.01), (0, 0, 0.09)),
    _ellipsoid(SKIN, (0.005, 0, 0.180), (0.084, 0.074, 0.100)),
    _ellipsoid(SKIN, (0.022, 0, 0.125), (0.060, 0.054, 0.058)),
    _ellipsoid(HAIR, (-0.018, 0, 0.212), (0.090, 0.082, 0.086)),
    _ellipsoid(HAIR, (-0.034, 0, 0.165), (0.066, 0.077, 0.085)),
    _ellipsoid(SKIN, (0.094, 0, 0.163), (0.017, 0.012, 0.022)),
    _capsule(LIPS, 0.007, (0.079, -0.019, 0.118), (0.079, 0.019, 0.118)),
    *(
        shape
        for y in (-0.031, 0.031)
        for shape in (
            _ellipsoid(EYE_WHITE, (0.076, y, 0.188), (0.012, 0.019, 0.013)),
            _sphere(EYE, 0.011, (0.081, y, 0.188)),
            _capsule(HAIR, 0.005, (0.082, y - 0.015, 0.211), (0.082, y + 0.015, 0.211)),
            _ellipsoid(SKIN, (0.0, 2.5 * y, 0.175), (0.016, 0.010, 0.026)),
        )
    ),
)


def _arm(side: str, color: Color) -> dict[str, tuple[Shape, ...]]:
    return {
        f"{side}_upper_arm": (
            _sphere(color, 0.060, (0, 0, -0.005)),
            _ellipsoid(color, (0, 0, -0.10), (0.053, 0.053, 0.125)),
            Shape("cylinder", (0.049,), color, (0, 0, -0.10), (0, 0, -0.19)),
            _capsule(SKIN, 0.040, (0, 0, -0.15), (0, 0, -0.275)),
        ),
        f"{side}_lower_arm": (
            _ellipsoid(SKIN, (0.002, 0, -0.075), (0.043, 0.041, 0.115)),
            _capsule(SKIN, 0.029, (0, 0, -0.10), (0, 0, -0.25)),
            Shape("cylinder", (0.034,), color, (0, 0, -0.195), (0, 0, -0.225)),
        ),
        f"{side}_hand": (
            _ellipsoid(SKIN, (0.002, 0, -0.025), (0.040, 0.021, 0.050)),
            _ellipsoid(SKIN, (0.008, 0, -0.068), (0.030, 0.016, 0.038)),
            _capsule(SKIN, 0.011, (0.026, 0, -0.012), (0.052, 0, -0.046)),
        ),
    }


def _leg(side: str, color: Color) -> dict[str, tuple[Shape, ...]]:
    return {
        f"{side}_thigh": (
            _sphere(TROUSERS, 0.082, (0, 0, -0.01)),
            _ellipsoid(TROUSERS, (0, 0, -0.15), (0.080, 0.074, 0.24)),
            _capsule(TROUSERS, 0.056, (0, 0, -0.15), (0, 0, -0.4215)),
        ),
        f"{side}_shin": (
            _ellipsoid(TROUSERS, (-0.008, 0, -0.13), (0.060, 0.056, 0.19)),
            _capsule(TROUSERS, 0.046, (0, 0, -0.05), (0, 0, -0.32)),
            Shape("cylinder", (0.050,), TROUSERS, (0, 0, -0.22), (0, 0, -0.375)),
        ),
        f"{side}_foot": (
            _capsule(SOLE, 0.036, (0, 0, 0.055), (0, 0, -0.005)),
            _ellipsoid(color, (0.0, 0, -0.012), (0.046, 0.042, 0.040)),
            _ellipsoid(color, (0.052, 0, -0.022), (0.084, 0.043, 0.034)),
            _ellipsoid(SOLE, (0.106, 0, -0.030), (0.032, 0.038, 0.022)),
            Shape("box", (0.082, 0.040, 0.008), SOLE, (0.043, 0, -0.042)),
        ),
    }


_BODIES: dict[str, tuple[Shape, ...]] = {
    "pelvis": _PELVIS,
    "torso": _TORSO,
    "head": _HEAD,
    **_arm("right", RIGHT),
    **_arm("left", LEFT),
    **_leg("right", RIGHT),
    **_leg("left", LEFT),
    "sword": (
        _capsule(WOOD, 0.018, (-0.84, 0, 0), (-0.68, 0, 0)),
        Shape("box", (0.012, 0.015, 0.07), BUCKLE, (-0.67, 0, 0)),
        Shape("box", (0.31, 0.006, 0.024), STEEL, (-0.34, 0, 0)),
        _ellipsoid(STEEL, (-0.03, 0, 0), (0.03, 0.006, 0.024)),
    ),
    "shield": (
        Shape("cylinder", (0.30,), STEEL, (0, 0.0, 0), (0, 0.02, 0)),
        Shape("cylinder", (0.27,), LEFT, (0, 0.01, 0), (0, 0.026, 0)),
        _ellipsoid(STEEL, (0, 0.025, 0), (0.07, 0.035, 0.07)),
    ),
}


def appearance(character: Character, tint: Color | None = None) -> dict[str, tuple[Shape, ...]]:
    """The shapes of every body by its name.

    Args:
        character: Who is drawn.
        tint: A colour that all others are drawn towards, to tell two characters in one picture apart.
    """
    looks = {body.name: _BODIES[body.name] for body in character.bodies}
    if tint is None:
        return looks
    return {
        name: tuple(replace(shape, color=_blend(shape.color, tint)) for shape in shapes)
        for name, shapes in looks.items()
    }


def _blend(color: Color, tint: Color, share: float = 0.6) -> Color:
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(color, tint, strict=True))
    return red, green, blue
