"""Scenes: a character on flat ground among objects to kick, push, sit on, open, or be hit by.

An object is one rigid body made of the same shapes as the character's; metres, kilograms, radians. The presets are the
objects of AnySkill's interaction tasks and the projectiles of ASE's perturbation test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco

from anyskill.body.humanoid import Character, Geom, Vector
from anyskill.body.model import Physics, add_contact_sensor, add_geom, build_spec
from anyskill.sim.errors import SimulationError

_ROLLING_FRICTION = 0.001  # m; a football on a firm floor


@dataclass(frozen=True)
class SceneObject:
    """One object, at its pose at the start of an episode.

    A ``free`` object moves anywhere, a ``fixed`` one not at all; a ``hinge`` object turns about the vertical through
    its origin.
    """

    name: str
    geoms: tuple[Geom, ...]
    position: Vector = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)  # w x y z
    mobility: Literal["free", "fixed", "hinge"] = "free"
    surroundings: tuple[Geom, ...] = ()  # shapes in the object's initial frame that stay there: a door's frame
    damping: float = 0.0  # of a hinge, N·m·s/rad
    rgba: tuple[float, float, float, float] = (0.75, 0.6, 0.4, 1.0)


def _box(size: Vector, centre: Vector, density: float) -> Geom:
    return Geom("box", tuple(0.5 * length for length in size), centre, density)


def upright(yaw: float) -> tuple[float, float, float, float]:
    """The rotation (w x y z) of an upright object turned by ``yaw`` (rad) about the vertical."""
    return (math.cos(0.5 * yaw), 0.0, 0.0, math.sin(0.5 * yaw))


def ball(position: Vector = (3.0, 0.0, 0.1293), name: str = "ball") -> SceneObject:
    """A football: radius 0.1293 m, 0.453 kg."""
    return SceneObject(name, (Geom("sphere", (0.1293,), (0, 0, 0), 50),), position, rgba=(0.95, 0.95, 0.95, 1.0))


def pillar(position: Vector = (3.0, 0.0, 0.9), name: str = "pillar") -> SceneObject:
    """A light pillar to knock over: 0.4 × 0.4 × 1.8 m, 14.4 kg; its origin is its middle."""
    return SceneObject(name, (_box((0.4, 0.4, 1.8), (0, 0, 0), 50),), position, rgba=(0.8, 0.3, 0.3, 1.0))


def chair(position: Vector = (-0.6, 0.0, 0.0), yaw: float = 0.0, name: str = "chair") -> SceneObject:
    """A chair facing +x: footprint 0.707 × 0.456 m, seat at 0.45 m, back up to 1.047 m, 8 kg; origin on the floor."""
    legs = (_box((0.04, 0.04, 0.42), (x, y, 0.21), 390) for x in (-0.3335, 0.3335) for y in (-0.208, 0.208))
    seat = _box((0.707, 0.456, 0.03), (0, 0, 0.435), 390)
    back = _box((0.03, 0.456, 0.597), (-0.3385, 0, 0.7485), 390)
    return SceneObject(name, (seat, back, *legs), position, upright(yaw))


def door(position: Vector = (-0.5, 0.7, 0.0), yaw: float = 0.3 * math.pi, name: str = "door") -> SceneObject:
    """A door one metre wide in its frame: a leaf of 0.75 × 1.6 m and 1 kg without a latch or a stop.

    ``position`` is the foot of the frame's hinge side; the object's own origin is the foot of the leaf's hinge.
    """
    hinge = (0.05, 0.0, 0.1)
    leaf = _box((0.75, 0.05, 1.6), (0.45, 0, 0.9), 1 / (0.75 * 0.05 * 1.6))
    frame = (
        _box((0.1, 0.1, 2.0), (0.0, 0, 0.9), 1),
        _box((0.1, 0.1, 2.0), (0.9, 0, 0.9), 1),
        _box((1.0, 0.1, 0.1), (0.45, 0, 1.85), 1),
    )
    x, y, z = position
    origin = (
        x + math.cos(yaw) * hinge[0] - math.sin(yaw) * hinge[1],
        y + math.sin(yaw) * hinge[0] + math.cos(yaw) * hinge[1],
        z + hinge[2],
    )
    return SceneObject(name, (leaf,), origin, upright(yaw), "hinge", frame, damping=1.0)


def projectile(position: Vector, *, large: bool = False, name: str = "projectile") -> SceneObject:
    """A box to throw at the character: a cube of 0.2 m and 1.6 kg, or of 0.5 m and 12.5 kg."""
    side, density = (0.5, 100) if large else (0.2, 200)
    return SceneObject(name, (_box((side, side, side), (0, 0, 0), density),), position, rgba=(0.3, 0.4, 0.8, 1.0))


def build_scene_spec(
    character: Character, physics: Physics | None = None, objects: Sequence[SceneObject] = ()
) -> mujoco.MjSpec:
    """The character's model with objects added after it: its own bodies, joints and sensors keep their indices.

    Raises:
        SimulationError: Two bodies would have the same name.
    """
    physics = physics or Physics()
    spec = build_spec(character, physics)
    names = {body.name for body in character.bodies}
    for item in objects:
        if item.name in names:
            raise SimulationError(f"two bodies of the scene are called {item.name}; give each object its own name.")
        names.add(item.name)
    # Objects come last and together, so that engines can slice them.
    for item in objects:
        if item.surroundings:
            still = _add_body(spec, item, f"{item.name}_surroundings")
            for number, geom in enumerate(item.surroundings):
                _add_geom(still, f"{item.name}_surroundings_{number}", geom, item, physics)
    for item in objects:
        body = _add_body(spec, item, item.name)
        if item.mobility == "free":
            body.add_freejoint(name=item.name)
        elif item.mobility == "hinge":
            body.add_joint(
                name=item.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1], damping=[item.damping, 0, 0]
            )
        for number, geom in enumerate(item.geoms):
            _add_geom(body, f"{item.name}_{number}", geom, item, physics)
        add_contact_sensor(spec, item.name)
    return spec


def _add_body(spec: mujoco.MjSpec, item: SceneObject, name: str) -> mujoco.MjsBody:
    return spec.worldbody.add_body(name=name, pos=list(item.position), quat=list(item.rotation))


def _add_geom(body: mujoco.MjsBody, name: str, geom: Geom, item: SceneObject, physics: Physics) -> None:
    add_geom(
        body,
        name,
        geom,
        condim=6 if geom.kind == "sphere" else 3,  # only a friction of rolling lets a ball come to rest
        friction=[physics.friction, 0.005, _ROLLING_FRICTION],
        rgba=list(item.rgba),
    )
