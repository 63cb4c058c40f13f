"""The drawn scene as a MuJoCo model: ground, light, cameras, and every body of every figure as a mocap body.

It is separate from the physics model: nothing here has a joint, a mass that matters or a contact, and poses are
written from outside. So simulated states, clips and imagined poses are drawn in the same way.
"""

from collections.abc import Sequence

import mujoco
import numpy as np

from anyskill.body.appearance import Color, Shape, appearance
from anyskill.body.humanoid import Character
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.render.camera import Camera
from anyskill.sim.engine import initial_state

BACKGROUND: Color = (0.70, 0.76, 0.82)
FLOOR: tuple[Color, Color] = ((0.66, 0.64, 0.60), (0.60, 0.58, 0.54))  # the two colours of the checker
TILE = 0.5  # m, side of a square of the checker
"""Side of a square of the floor (m)."""
_KINDS = {
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "box": mujoco.mjtGeom.mjGEOM_BOX,
}
