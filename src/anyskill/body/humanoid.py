"""The humanoid as tables: bodies, joints, gains and masses of AMP, ASE, CALM and AnySkill.

Metres, kilograms, degrees where a name says so. Every body's frame sits at the joint to its parent, unrotated in the
rest pose: upright, arms hanging, facing +x, +y to the left, +z up.
"""

from dataclasses import dataclass, replace
from typing import Literal

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Geom:
    """A collision shape; its volume times ``density`` (kg/m³) is its mass."""

    kind: Literal["sphere", "capsule", "box", "cylinder"]
    size: tuple[float, ...]  # radius, or half extents of a box
    start: Vector  # centre of a sphere or box, one end of a capsule or cylinder
    density: float
    end: Vector | None = None


@dataclass(frozen=True)
class Joint:
    """A joint to the parent: ``ball`` has three degrees of freedom (a rotation vector), ``hinge`` turns about +y."""

    kind: Literal["ball", "hinge"]
    limits_degrees: tuple[tuple[float, float], ...]  # one per degree of freedom
    stiffness: float  # kp, N·m/rad; kd is a tenth of it everywhere
    armature: float  # kg·m²
    effort: float  # N·m, the motor gear; a force limit only where asked for


@dataclass(frozen=True)
class Body:
    """One rigid body; ``joint`` is None for the free root and for bodies fixed to their parent."""

    name: str
    parent: str | None
    offset: Vector  # in the parent's frame
    geoms: tuple[Geom, ...]
    joint: Joint | None = None


@dataclass(frozen=True)
class Character:
    """A character: bodies in order (parents first) and the bodies that tasks single out."""

    name: str
    bodies: tuple[Body, ...]
    key_bodies: tuple[str, ...]  # their positions are part of the adversarial frame
    contact_bodies: tuple[str, ...] = ("right_foot", "left_foot")  # may touch the ground without having fallen
    rest_height: float = 0.89  # m, of the root in the initial pose


def _ball(limits: tuple[tuple[float, float], ...], stiffness: float, armature: float, effort: float) -> Joint:
    return Joint("ball", limits, stiffness, armature, effort)


def _hinge(limits: tuple[float, float], stiffness: float, armature: float, effort: float) -> Joint:
    return Joint("hinge", (limits,), stiffness, armature, effort)


def _capsule(radius: float, start: Vector, end: Vector, density: float) -> Geom:
    return Geom("capsule", (radius,), start, density, end)


def _sphere(radius: float, centre: Vector, density: float) -> Geom:
    return Geom("sphere", (radius,), centre, density)


def _arm(side: str, sign: int, shoulder: tuple[tuple[float, float], ...]) -> tuple[Body, ...]:
    return (
        Body(
            f"{side}_upper_arm",
            "torso",
            (-0.02405, sign * 0.18311, 0.24350),
            (_capsule(0.045, (0, 0, -0.05), (0, 0, -0.23), 982),),
            _ball(shoulder, 400, 0.02, 100),
        ),
        Body(
            f"{side}_lower_arm",
            f"{side}_upper_arm",
            (0, 0, -0.274788),
            (_capsule(0.04, (0, 0, -0.0525), (0, 0, -0.1875), 1056),),
            _hinge((-160, 0), 300, 0.01, 70),
        ),
        Body(f"{side}_hand", f"{side}_lower_arm", (0, 0, -0.258947), (_sphere(0.04, (0, 0, 0), 1865),)),
    )


def _leg(side: str, sign: int, hip: tuple[tuple[float, float], ...]) -> tuple[Body, ...]:
    return (
        Body(
            f"{side}_thigh",
            "pelvis",
            (0, sign * 0.084887, 0),
            (_capsule(0.055, (0, 0, -0.06), (0, 0, -0.36), 1269),),
            _ball(hip, 500, 0.02, 200),
        ),
        Body(
            f"{side}_shin",
            f"{side}_thigh",
            (0, 0, -0.421546),
            (_capsule(0.05, (0, 0, -0.045), (0, 0, -0.355), 1014),),
            _hinge((0, 160), 500, 0.02, 150),
        ),
        Body(
            f"{side}_foot",
            f"{side}_shin",
            (0, 0, -0.409870),
            (Geom("box", (0.0885, 0.045, 0.0275), (0.045, 0, -0.0225), 1141),),
            _ball(((-30, 30), (-55, 55), (-40, 40)), 400, 0.01, 90),
        ),
    )


def _clavicle(sign: int) -> Geom:
    return _capsule(0.045, (-0.0060125, sign * 0.0457775, 0.2287955), (-0.016835, sign * 0.128177, 0.2376182), 1100)


HUMANOID = Character(
    "humanoid",
    (
        Body("pelvis", None, (0, 0, 0), (_sphere(0.09, (0, 0, 0.07), 2226), _sphere(0.07, (0, 0, 0.205), 2226))),
        Body(
            "torso",
            "pelvis",
            (0, 0, 0.236151),
            (_sphere(0.11, (0, 0, 0.12), 1794), _clavicle(-1), _clavicle(1)),
            _ball(((-60, 60), (-60, 90), (-50, 50)), 1000, 0.02, 200),
        ),
        Body(
            "head",
            "torso",
            (0, 0, 0.223894),
            (_sphere(0.095, (0, 0, 0.175), 1081),),
            _ball(((-50, 50), (-40, 60), (-45, 45)), 100, 0.01, 50),
        ),
        *_arm("right", -1, ((-180, 45), (-180, 60), (-90, 90))),
        *_arm("left", 1, ((-45, 180), (-180, 60), (-90, 90))),
        *_leg("right", -1, ((-60, 15), (-140, 60), (-60, 35))),
        *_leg("left", 1, ((-15, 60), (-140, 60), (-35, 60))),
    ),
    key_bodies=("right_hand", "left_hand", "right_foot", "left_foot"),
)
"""15 bodies, 28 degrees of freedom, 48.891 kg."""


def _sword_and_shield() -> Character:
    """The plain humanoid with a ball wrist and a sword in the right hand and a shield on the left forearm."""
    wrist = _ball(((-90, 90), (-90, 90), (-90, 90)), 100, 0.01, 50)
    sword = Body(
        "sword",
        "right_hand",
        (0.74, 0, 0),  # the frame is the blade's tip
        (
            _capsule(0.023, (-0.87, 0, 0), (-0.64, 0, 0), 300),
            Geom("box", (0.34, 0.01, 0.035), (-0.34, 0, 0), 600),
        ),
    )
    shield = Body(
        "shield",
        "left_lower_arm",
        (0, 0.07, -0.12),
        (Geom("cylinder", (0.3,), (0, 0, 0), 250, (0, 0.03, 0)),),
    )
    bodies: list[Body] = []
    for body in HUMANOID.bodies:
        bodies.append(replace(body, joint=wrist) if body.name == "right_hand" else body)
        if body.name == "right_hand":
            bodies.append(sword)
        if body.name == "left_lower_arm":
            bodies.append(shield)
    return Character("sword_and_shield", tuple(bodies), (*HUMANOID.key_bodies, "sword", "shield"))


SWORD_AND_SHIELD = _sword_and_shield()
"""17 bodies, 31 degrees of freedom, 51.713 kg (the ASE and CALM character)."""

CHARACTERS = {character.name: character for character in (HUMANOID, SWORD_AND_SHIELD)}
