"""The drawn scene as a MuJoCo model: ground, light, cameras, and every body of every figure as a mocap body.

It is separate from the physics model: nothing here has a joint, a weight or a contact, and poses are written from
outside. So simulated states, clips and imagined poses are drawn in the same way.
"""

import math
from collections.abc import Sequence

import mujoco
import numpy as np

from anyskill.body.appearance import Color, Shape, appearance
from anyskill.body.humanoid import Character, Geom
from anyskill.body.skeleton import skeleton_of
from anyskill.render.camera import Camera
from anyskill.sim.scene import SceneObject

BACKGROUND: Color = (0.70, 0.76, 0.82)
FLOOR: tuple[Color, Color] = ((0.86, 0.84, 0.80), (0.78, 0.76, 0.72))  # the two colours of the checker
HORIZON = 15.0  # m; nothing farther is drawn: the squares of the ground would be smaller than pixels
TILE = 0.5  # m, side of a square of the checker; the pattern repeats after two
_KINDS = {
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "box": mujoco.mjtGeom.mjGEOM_BOX,
}


def build_scene(
    character: Character,
    tints: Sequence[Color | None],
    objects: Sequence[SceneObject],
    cameras: Sequence[Camera],
) -> mujoco.MjModel:
    """The compiled scene; mocap bodies are the figures' bodies, figure after figure, and then the objects."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    # Fixed, so that neither depends on what is in the scene: the renderer is compiled once and for all.
    spec.stat.extent, spec.visual.map.znear, spec.visual.map.zfar = 1.0, 0.01, HORIZON
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.42] * 3, [0.30] * 3
    _add_surroundings(spec)
    for camera in cameras:
        spec.worldbody.add_camera(fovy=math.degrees(camera.field_of_view))
    skeleton = skeleton_of(character)
    # The tree of bounding boxes gets its shape from this pose, and keeps it.
    rest, _ = skeleton.forward(*skeleton.pose(skeleton.initial_qpos))
    for tint in tints:
        looks = appearance(character, tint)
        for name, position in zip(skeleton.names, rest.tolist(), strict=True):
            _add_shapes(spec.worldbody.add_body(mocap=True, pos=position), looks[name])
    for item in objects:
        pose = {"pos": list(item.position), "quat": list(item.rotation)}
        _add_shapes(spec.worldbody.add_body(mocap=True, **pose), _painted(item.geoms, item))
        _add_shapes(spec.worldbody.add_body(**pose), _painted(item.surroundings, item))
    return spec.compile()


def _painted(geoms: Sequence[Geom], item: SceneObject) -> list[Shape]:
    """Collision shapes of an object in its colour."""
    return [Shape(geom.kind, geom.size, item.rgba[:3], geom.start, geom.end) for geom in geoms]


def _add_surroundings(spec: mujoco.MjSpec) -> None:
    """Checkered ground, and one light from above, in front and to the left of the default camera's view."""
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        width=64,
        height=64,
        rgb1=list(FLOOR[0]),
        rgb2=list(FLOOR[1]),
    )
    material = spec.add_material(name="floor", texrepeat=[1 / TILE, 1 / TILE])
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], material="floor")
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[0, 0, 5],
        dir=[-0.45, -0.35, -1.0],
        diffuse=[0.46, 0.45, 0.43],
        ambient=[0, 0, 0],
        specular=[0, 0, 0],
        castshadow=True,
    )


def _add_shapes(body: mujoco.MjsBody, shapes: Sequence[Shape]) -> None:
    for shape in shapes:
        ends = {"pos": shape.start} if shape.end is None else {"fromto": np.array((shape.start, shape.end)).ravel()}
        body.add_geom(
            type=_KINDS[shape.kind],
            size=[*shape.size, *[0.0] * (3 - len(shape.size))],
            rgba=[*shape.color, 1.0],
            contype=0,
            conaffinity=0,
            **ends,
        )
