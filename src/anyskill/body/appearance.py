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
TROUSERS: Color = (0.29, 0.31, 0.39)
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
    _ellipsoid(TROUSERS, (-0.008, 0, 0.015), (0.104, 0.150, 0.115)),
    _ellipsoid(BELT, (-0.002, 0, 0.100), (0.114, 0.144, 0.030)),
    Shape("box", (0.006, 0.020, 0.017), BUCKLE, (0.111, 0, 0.099)),
    _ellipsoid(SHIRT, (-0.002, 0, 0.150), (0.101, 0.128, 0.130)),
)


def _shoulder(sign: int) -> Shape:
    return _capsule(SHIRT, 0.050, (-0.015, sign * 0.045, 0.245), (-0.022, sign * 0.160, 0.228))


_TORSO = (
    _ellipsoid(SHIRT, (0, 0, 0), (0.100, 0.130, 0.100)),  # round about the joint: bending shows no edge
    _ellipsoid(SHIRT, (-0.003, 0, 0.070), (0.107, 0.145, 0.205)),
    _ellipsoid(SHIRT, (-0.012, 0, 0.160), (0.096, 0.166, 0.120)),
    _shoulder(-1),
    _shoulder(1),
    _ellipsoid(EMBLEM, (0.066, 0, 0.140), (0.038, 0.062, 0.062)),
)

_HEAD = (
    _capsule(SKIN, 0.047, (-0.010, 0, -0.01), (0, 0, 0.09)),
    _ellipsoid(SKIN, (0.004, 0, 0.182), (0.086, 0.077, 0.102)),
    _ellipsoid(SKIN, (0.024, 0, 0.124), (0.060, 0.055, 0.056)),
    _ellipsoid(HAIR, (-0.012, 0, 0.222), (0.090, 0.083, 0.080)),
    _ellipsoid(HAIR, (-0.038, 0, 0.172), (0.064, 0.076, 0.090)),
    _ellipsoid(SKIN, (0.092, 0, 0.160), (0.017, 0.012, 0.022)),
    _ellipsoid(LIPS, (0.078, 0, 0.119), (0.010, 0.023, 0.007)),
    *(
        shape
        for y in (-0.032, 0.032)
        for shape in (
            _ellipsoid(EYE_WHITE, (0.077, y, 0.187), (0.012, 0.020, 0.013)),
            _sphere(EYE, 0.011, (0.082, y, 0.187)),
            _capsule(HAIR, 0.005, (0.081, y - 0.015, 0.209), (0.081, y + 0.015, 0.209)),
            _ellipsoid(SKIN, (0.0, 2.5 * y, 0.175), (0.016, 0.010, 0.026)),
        )
    ),
)


def _arm(side: str, color: Color) -> dict[str, tuple[Shape, ...]]:
    return {
        f"{side}_upper_arm": (
            _sphere(color, 0.052, (0, 0, -0.008)),
            _ellipsoid(color, (0, 0, -0.09), (0.051, 0.051, 0.13)),
            Shape("cylinder", (0.047,), color, (0, 0, -0.08), (0, 0, -0.18)),
            _capsule(SKIN, 0.040, (0, 0, -0.15), (0, 0, -0.275)),
        ),
        f"{side}_lower_arm": (
            _ellipsoid(SKIN, (0.002, 0, -0.07), (0.043, 0.041, 0.105)),
            _capsule(SKIN, 0.029, (0, 0, -0.10), (0, 0, -0.25)),
            Shape("cylinder", (0.034,), color, (0, 0, -0.195), (0, 0, -0.225)),
        ),
        f"{side}_hand": (
            _ellipsoid(SKIN, (0.002, 0, -0.025), (0.040, 0.021, 0.050)),
            Shape("box", (0.028, 0.011, 0.028), SKIN, (0.004, 0, -0.063)),
            _ellipsoid(SKIN, (0.004, 0, -0.086), (0.028, 0.011, 0.020)),
            _capsule(SKIN, 0.011, (0.026, 0, -0.012), (0.050, 0, -0.050)),
        ),
    }


def _leg(side: str, color: Color) -> dict[str, tuple[Shape, ...]]:
    return {
        f"{side}_thigh": (
            _sphere(TROUSERS, 0.072, (0, 0, 0)),
            _ellipsoid(TROUSERS, (0, 0, -0.15), (0.080, 0.071, 0.24)),
            _capsule(TROUSERS, 0.057, (0, 0, -0.15), (0, 0, -0.4215)),
        ),
        f"{side}_shin": (
            _ellipsoid(TROUSERS, (-0.008, 0, -0.13), (0.060, 0.056, 0.185)),
            Shape("cylinder", (0.049,), TROUSERS, (0, 0, -0.10), (0, 0, -0.37)),
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
