"""A character's table → a MuJoCo model: physics only, one character on flat ground."""

from dataclasses import dataclass

import mujoco
import numpy as np

from anyskill.body.humanoid import HUMANOID, Body, Character, Geom

_CONTACT_FORCE = 1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE)
_NET_FORCE = 3
COLLISION_GROUP = 3  # MuJoCo viewers hide it by default; what people see is drawn by render/
_GEOM_TYPES = {
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
}


@dataclass(frozen=True)
class Physics:
    """How the character is simulated; the defaults are those of AMP, ASE, CALM and AnySkill."""

    timestep: float = 1 / 120
    """Seconds of one physics step."""
    self_collision: bool = True
    """Whether limbs collide with each other (all but neighbours in the tree)."""
    limit_effort: bool = False
    """Whether joint torques are capped at the motors' efforts. The ancestors of this method apply no cap."""
    friction: float = 1.0
    """Sliding friction between feet and ground."""


def build_spec(character: Character = HUMANOID, physics: Physics | None = None) -> mujoco.MjSpec:
    """The model as an editable ``MjSpec``, so that a scene can add objects before it is compiled.

    A ball joint gets three position actuators geared to x, y and z, whose lengths are the components of its rotation
    vector: PD control in exponential-map coordinates. MuJoCo's limit of a ball joint is one cone; it is set to the
    largest of the three axes' limits.

    The motors' damping kd is implicit in time: (M + Δt·kd)·Δv = Δt·(forces at the old v). It is written as an armature
    of joint.armature + Δt·kd under explicit integration, which without contacts is the step of MuJoCo's implicit
    integrators. These solve for contact forces with M alone, though, as if the limb were many times lighter than it
    then turns out to be, and feet that should rest tremble and slide.
    """
    physics = physics or Physics()
    spec = mujoco.MjSpec()
    spec.modelname = character.name
    spec.compiler.degree = False
    spec.option.timestep = physics.timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    spec.worldbody.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 1],
        condim=3,
        friction=[physics.friction, 0.005, 0.0001],
        contype=1,
        conaffinity=1,
    )
    handles: dict[str | None, mujoco.MjsBody] = {None: spec.worldbody}
    for body in character.bodies:
        handle = handles[body.parent].add_body(name=body.name, pos=list(body.offset))
        handles[body.name] = handle
        _add_joint(spec, handle, body, physics)
        for number, geom in enumerate(body.geoms):
            add_geom(
                handle,
                f"{body.name}_{number}",
                geom,
                condim=1,
                friction=[physics.friction, 0.05, 0.05],
                solimp=[0.9, 0.99, 0.003, 0.5, 2],
                solref=[0.015, 1],
                contype=1 if physics.self_collision else 2,
                conaffinity=1,
                group=COLLISION_GROUP,
            )
        add_contact_sensor(spec, body.name)
    root = handles[character.bodies[0].name]
    root.pos = [0, 0, character.rest_height]
    return spec


def _add_joint(spec: mujoco.MjSpec, handle: mujoco.MjsBody, body: Body, physics: Physics) -> None:
    if body.parent is None:
        handle.add_freejoint(name=body.name)
        return
    joint = body.joint
    if joint is None:
        return
    limits = np.deg2rad(joint.limits_degrees)
    damping = joint.stiffness / 10
    ball = joint.kind == "ball"
    cone = float(np.abs(limits).max())
    handle.add_joint(
        name=body.name,
        type=mujoco.mjtJoint.mjJNT_BALL if ball else mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0, 1, 0],
        range=[0, cone] if ball else limits[0].tolist(),
        # A cone of half a turn is no limit at all, but would act at the wrap.
        limited=mujoco.mjtLimited.mjLIMITED_FALSE if ball and cone >= np.pi else mujoco.mjtLimited.mjLIMITED_TRUE,
        armature=joint.armature + physics.timestep * damping,
        solimp_limit=[0, 0.99, 0.01, 0.5, 2],
    )
    for axis in range(len(limits)):
        gear = [0.0] * 6
        gear[axis if ball else 0] = 1.0
        actuator = spec.add_actuator(
            name=f"{body.name}_{'xyz'[axis if ball else 1]}",
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            target=body.name,
            gear=gear,
            ctrllimited=mujoco.mjtLimited.mjLIMITED_FALSE,
            forcelimited=mujoco.mjtLimited.mjLIMITED_TRUE
            if physics.limit_effort
            else mujoco.mjtLimited.mjLIMITED_FALSE,
            forcerange=[-joint.effort, joint.effort],
        )
        actuator.set_to_position(kp=joint.stiffness, kv=damping)


def add_geom(handle: mujoco.MjsBody, name: str, geom: Geom, **attributes: object) -> None:
    """Give a body one shape of a table; ``attributes`` are those of MuJoCo's geoms."""
    ends = {"pos": list(geom.start)} if geom.end is None else {"fromto": [*geom.start, *geom.end]}
    handle.add_geom(
        name=name,
        type=_GEOM_TYPES[geom.kind],
        size=[*geom.size, *[0.0] * (3 - len(geom.size))],
        density=geom.density,
        **ends,
        **attributes,
    )


def add_contact_sensor(spec: mujoco.MjSpec, body: str) -> None:
    """Measure the sum of all contact forces that a body exerts, in the world frame (engines flip the sign)."""
    spec.add_sensor(
        name=f"{body}_contact",
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        objname=body,
        intprm=[_CONTACT_FORCE, _NET_FORCE, 1],
    )


def build_model(character: Character = HUMANOID, physics: Physics | None = None) -> mujoco.MjModel:
    """The compiled model of ``build_spec``."""
    return build_spec(character, physics).compile()
