"""The compiled models against the published tables, typed here a second time and independently."""

import mujoco
import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD, Character
from anyskill.body.model import Physics, build_model
from anyskill.body.skeleton import skeleton_of

# name: parent, offset (m), mass (kg)
BODIES = {
    "pelvis": ("world", (0, 0, 0.89), 9.9956),
    "torso": ("pelvis", (0, 0, 0.236151), 12.0115),
    "head": ("torso", (0, 0, 0.223894), 3.8823),
    "right_upper_arm": ("torso", (-0.02405, -0.18311, 0.24350), 1.4993),
    "right_lower_arm": ("right_upper_arm", (0, 0, -0.274788), 0.9997),
    "right_hand": ("right_lower_arm", (0, 0, -0.258947), 0.5000),
    "left_upper_arm": ("torso", (-0.02405, 0.18311, 0.24350), 1.4993),
    "left_lower_arm": ("left_upper_arm", (0, 0, -0.274788), 0.9997),
    "left_hand": ("left_lower_arm", (0, 0, -0.258947), 0.5000),
    "right_thigh": ("pelvis", (0, -0.084887, 0), 4.5023),
    "right_shin": ("right_thigh", (0, 0, -0.421546), 2.9997),
    "right_foot": ("right_shin", (0, 0, -0.409870), 0.9997),
    "left_thigh": ("pelvis", (0, 0.084887, 0), 4.5023),
    "left_shin": ("left_thigh", (0, 0, -0.421546), 2.9997),
    "left_foot": ("left_shin", (0, 0, -0.409870), 0.9997),
}
ARMED_BODIES = {
    "sword": ("right_hand", (0.74, 0, 0), 0.7012),
    "shield": ("left_lower_arm", (0, 0.07, -0.12), 2.1206),
}
ARMED_ORDER = [
    "pelvis",
    "torso",
    "head",
    "right_upper_arm",
    "right_lower_arm",
    "right_hand",
    "sword",
    "left_upper_arm",
    "left_lower_arm",
    "shield",
    "left_hand",
    "right_thigh",
    "right_shin",
    "right_foot",
    "left_thigh",
    "left_shin",
    "left_foot",
]

# joint: kind, limit of the cone or range (degrees), kp, kd, armature, effort
JOINTS = {
    "torso": ("ball", 90, 1000, 100, 0.02, 200),
    "head": ("ball", 60, 100, 10, 0.01, 50),
    "right_upper_arm": ("ball", None, 400, 40, 0.02, 100),  # 180 degrees: no limit
    "right_lower_arm": ("hinge", (-160, 0), 300, 30, 0.01, 70),
    "left_upper_arm": ("ball", None, 400, 40, 0.02, 100),
    "left_lower_arm": ("hinge", (-160, 0), 300, 30, 0.01, 70),
    "right_thigh": ("ball", 140, 500, 50, 0.02, 200),
    "right_shin": ("hinge", (0, 160), 500, 50, 0.02, 150),
    "right_foot": ("ball", 55, 400, 40, 0.01, 90),
    "left_thigh": ("ball", 140, 500, 50, 0.02, 200),
    "left_shin": ("hinge", (0, 160), 500, 50, 0.02, 150),
    "left_foot": ("ball", 55, 400, 40, 0.01, 90),
}
ARMED_JOINTS = {"right_hand": ("ball", 90, 100, 10, 0.01, 50)}

# Limits of every degree of freedom in degrees, in order.
LIMITS = [
    (-60, 60), (-60, 90), (-50, 50),  # abdomen
    (-50, 50), (-40, 60), (-45, 45),  # neck
    (-180, 45), (-180, 60), (-90, 90), (-160, 0),  # right arm
    (-45, 180), (-180, 60), (-90, 90), (-160, 0),  # left arm
    (-60, 15), (-140, 60), (-60, 35), (0, 160), (-30, 30), (-55, 55), (-40, 40),  # right leg
    (-15, 60), (-140, 60), (-35, 60), (0, 160), (-30, 30), (-55, 55), (-40, 40),  # left leg
]  # fmt: skip
ARMED_LIMITS = [*LIMITS[:10], (-90, 90), (-90, 90), (-90, 90), *LIMITS[10:]]

# geom: type, half length of a capsule or cylinder, or sizes; radius; centre
GEOMS = {
    "pelvis_0": ("sphere", (0.09,), (0, 0, 0.07)),
    "pelvis_1": ("sphere", (0.07,), (0, 0, 0.205)),
    "torso_0": ("sphere", (0.11,), (0, 0, 0.12)),
    "head_0": ("sphere", (0.095,), (0, 0, 0.175)),
    "right_upper_arm_0": ("capsule", (0.045, 0.09), (0, 0, -0.14)),
    "left_upper_arm_0": ("capsule", (0.045, 0.09), (0, 0, -0.14)),
    "right_lower_arm_0": ("capsule", (0.04, 0.0675), (0, 0, -0.12)),
    "left_lower_arm_0": ("capsule", (0.04, 0.0675), (0, 0, -0.12)),
    "right_hand_0": ("sphere", (0.04,), (0, 0, 0)),
    "left_hand_0": ("sphere", (0.04,), (0, 0, 0)),
    "right_thigh_0": ("capsule", (0.055, 0.15), (0, 0, -0.21)),
    "left_thigh_0": ("capsule", (0.055, 0.15), (0, 0, -0.21)),
    "right_shin_0": ("capsule", (0.05, 0.155), (0, 0, -0.2)),
    "left_shin_0": ("capsule", (0.05, 0.155), (0, 0, -0.2)),
    "right_foot_0": ("box", (0.0885, 0.045, 0.0275), (0.045, 0, -0.0225)),
    "left_foot_0": ("box", (0.0885, 0.045, 0.0275), (0.045, 0, -0.0225)),
}
CLAVICLE_ENDS = ((-0.0060125, 0.0457775, 0.2287955), (-0.016835, 0.128177, 0.2376182))  # of the left one
ARMED_GEOMS = {
    "sword_0": ("capsule", (0.023, 0.115), (-0.755, 0, 0)),
    "sword_1": ("box", (0.34, 0.01, 0.035), (-0.34, 0, 0)),
    "shield_0": ("cylinder", (0.3, 0.015), (0, 0.015, 0)),
}
GEOM_TYPES = {"sphere": 2, "capsule": 3, "cylinder": 5, "box": 6}  # mjtGeom

VARIANTS = {
    "plain": (HUMANOID, BODIES, JOINTS, LIMITS, GEOMS, 48.891),
    "armed": (
        SWORD_AND_SHIELD,
        BODIES | ARMED_BODIES,
        JOINTS | ARMED_JOINTS,
        ARMED_LIMITS,
        GEOMS | ARMED_GEOMS,
        51.713,
    ),
}
variants = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())


def forward(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return data


@variants
def test_bodies(variant):
    character, bodies, _, _, _, total = variant
    model = build_model(character)
    names = [model.body(i).name for i in range(1, model.nbody)]
    assert names == (list(BODIES) if character is HUMANOID else ARMED_ORDER)
    for name, (parent, offset, mass) in bodies.items():
        body = model.body(name)
        assert model.body(body.parentid[0]).name == parent, name
        np.testing.assert_allclose(body.pos, offset, atol=1e-9, err_msg=name)
        np.testing.assert_array_equal(body.quat, [1, 0, 0, 0], err_msg=name)
        assert body.mass[0] == pytest.approx(mass, abs=1e-3), name
    assert model.body_mass.sum() == pytest.approx(total, abs=1e-3)


@variants
def test_joints_and_motors(variant):
    character, _, joints, _, _, _ = variant
    model = build_model(character, Physics(limit_effort=True))
    assert model.njnt == 1 + len(joints)
    assert model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
    assert model.nu == len(VARIANTS["plain" if character is HUMANOID else "armed"][3])
    for name, (kind, limit, kp, kd, armature, effort) in joints.items():
        joint = model.joint(name)
        ball = kind == "ball"
        assert joint.type[0] == (mujoco.mjtJoint.mjJNT_BALL if ball else mujoco.mjtJoint.mjJNT_HINGE), name
        if limit is None:
            assert not joint.limited[0], name
        else:
            assert joint.limited[0], name
            np.testing.assert_allclose(joint.range, np.deg2rad((0, limit) if ball else limit), err_msg=name)
        if not ball:
            np.testing.assert_array_equal(joint.axis, [0, 1, 0], err_msg=name)
        np.testing.assert_allclose(joint.armature, armature + kd / 120, err_msg=name)  # see test_damping_is_implicit
        np.testing.assert_array_equal(joint.damping, 0, err_msg=name)  # gains are the motors', not springs'
        np.testing.assert_array_equal(np.ravel(joint.stiffness), 0, err_msg=name)
        for axis in "xyz" if ball else "y":
            motor = model.actuator(f"{name}_{axis}")
            gear = np.zeros(6)
            gear["xyz".index(axis) if ball else 0] = 1
            np.testing.assert_array_equal(motor.gear, gear, err_msg=name)
            assert motor.trnid[0] == joint.id
            np.testing.assert_allclose(motor.gainprm[0], kp, err_msg=name)
            np.testing.assert_allclose(motor.biasprm[:3], [0, -kp, -kd], err_msg=name)
            np.testing.assert_array_equal(motor.forcerange, [-effort, effort], err_msg=name)
            assert motor.forcelimited[0]


@variants
def test_limits_in_the_order_of_the_actuators(variant):
    character, _, joints, limits, _, _ = variant
    model, skeleton = build_model(character), skeleton_of(character)
    np.testing.assert_allclose(skeleton.limits.numpy(), np.deg2rad(limits))
    expected = []
    for name in [body.name for body in character.bodies if body.name in joints]:
        expected += [f"{name}_{axis}" for axis in ("xyz" if joints[name][0] == "ball" else "y")]
    assert [model.actuator(i).name for i in range(model.nu)] == expected


@variants
def test_shapes_and_contacts(variant):
    character, _, _, _, geoms, _ = variant
    model = build_model(character)
    for name, (kind, size, centre) in geoms.items():
        geom = model.geom(name)
        assert geom.type[0] == GEOM_TYPES[kind], name
        np.testing.assert_allclose(geom.size[: len(size)], size, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(geom.pos, centre, atol=1e-9, err_msg=name)
    for number, sign in ((1, -1), (2, 1)):
        clavicle = model.geom(f"torso_{number}")
        ends = np.array(CLAVICLE_ENDS) * (1, sign, 1)
        assert clavicle.size[0] == 0.045
        np.testing.assert_allclose(clavicle.pos, ends.mean(0), atol=1e-9)
        assert 2 * clavicle.size[1] == pytest.approx(np.linalg.norm(ends[1] - ends[0]))
    assert model.ngeom == 1 + len(geoms) + 2
    for number in range(1, model.ngeom):
        geom = model.geom(number)
        assert geom.condim[0] == 1
        np.testing.assert_allclose(geom.friction, [1.0, 0.05, 0.05])
        np.testing.assert_allclose(geom.solimp[:3], [0.9, 0.99, 0.003])
        np.testing.assert_allclose(geom.solref, [0.015, 1])
    ground = model.geom("ground")
    assert ground.condim[0] == 3
    assert ground.friction[0] == 1.0


def test_settings_of_the_simulation():
    option = build_model().opt
    assert option.timestep == pytest.approx(1 / 120)
    np.testing.assert_allclose(option.gravity, [0, 0, -9.81])
    assert option.integrator == mujoco.mjtIntegrator.mjINT_EULER


def test_rest_pose():
    """Sole 0.0086 m above the ground with the root at 0.89 m, top of the head at 1.62 m, centre of mass at 0.929 m."""
    model = build_model()
    data = forward(model)
    assert data.body("pelvis").xpos[2] == pytest.approx(0.89)
    for side in ("left", "right"):
        geom = f"{side}_foot_0"
        assert data.geom(geom).xpos[2] - model.geom(geom).size[2] == pytest.approx(0.0086, abs=1e-4)
    assert data.geom("head_0").xpos[2] + model.geom("head_0").size[0] == pytest.approx(1.62, abs=1e-3)
    assert data.subtree_com[1, 2] == pytest.approx(0.929, abs=5e-4)
    # Facing +x, left at +y: the feet point forward.
    assert data.geom("left_foot_0").xpos[0] > data.body("left_foot").xpos[0]
    assert data.body("left_hand").xpos[1] > 0 > data.body("right_hand").xpos[1]


@variants
def test_nothing_touches_in_the_rest_pose(variant):
    assert forward(build_model(variant[0])).ncon == 0


def test_only_the_feet_touch_when_the_body_is_lowered_to_the_ground():
    model = build_model()
    data = mujoco.MjData(model)
    data.qpos[2] -= 0.0096  # a millimetre deep
    mujoco.mj_forward(model, data)
    touching = {model.geom(i).name for contact in data.contact for i in contact.geom}
    assert touching == {"ground", "left_foot_0", "right_foot_0"}
    assert data.ncon == 8


def floating(character: Character = HUMANOID, physics: Physics | None = None) -> mujoco.MjModel:
    """Without gravity and contacts, to see the motors alone."""
    model = build_model(character, physics)
    model.opt.gravity[:] = 0
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    return model


def drive(model: mujoco.MjModel, joint: str, target: np.ndarray, seconds: float) -> np.ndarray:
    """Hold a target (rad) at one joint; return the joint's rotation vector or angle at the end."""
    data = mujoco.MjData(model)
    axes = "xyz" if len(target) == 3 else "y"
    for axis, value in zip(axes, target, strict=True):
        data.actuator(f"{joint}_{axis}").ctrl[0] = value
    for _ in range(round(seconds / model.opt.timestep)):
        mujoco.mj_step(model, data)
    qpos = data.joint(joint).qpos.copy()
    if len(target) == 1:
        return qpos
    return rotation.to_rotation_vector(torch.from_numpy(qpos)).numpy()


def implicit_in_the_textbook_way(model: mujoco.MjModel) -> mujoco.MjModel:
    """The same model with the tables' armatures, and the damping left to MuJoCo's implicit integrator."""
    for name, (_, _, _, kd, armature, _) in JOINTS.items():
        np.testing.assert_allclose(model.joint(name).armature - model.opt.timestep * kd, armature, atol=1e-12)
        model.joint(name).armature[:] = armature
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return model


def shaken(model: mujoco.MjModel, seconds: float, targets: np.ndarray) -> mujoco.MjData:
    """Half a turn a second, driven to targets that change every tenth of a second."""
    data = mujoco.MjData(model)
    data.qvel[3:6] = (0.5, 1.0, 3.0)
    for step in range(round(seconds / model.opt.timestep)):
        data.ctrl[:] = targets[int(10 * step * model.opt.timestep)]
        mujoco.mj_step(model, data)
    return data


def test_damping_is_implicit():
    """In free flight, step for step what MuJoCo's implicit integrator does with the armatures of the tables."""
    free = floating()
    free.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_LIMIT)  # limits are constraints, as contacts are
    targets = np.random.default_rng(0).normal(0, 0.3, (10, 28))
    ours = shaken(free, 1.0, targets)
    textbook = shaken(implicit_in_the_textbook_way(free), 1.0, targets)
    assert np.abs(ours.qvel[6:]).max() > 0.5
    np.testing.assert_allclose(ours.qpos, textbook.qpos, atol=1e-9)
    np.testing.assert_allclose(ours.qvel, textbook.qvel, atol=1e-8)


def stamping(model: mujoco.MjModel) -> np.ndarray:
    """Places of the feet (time, foot, 3), 30 a second, of a body that stands and lifts its feet in turn."""
    data, places = mujoco.MjData(model), []
    for k in range(45):
        for side, phase in (("left", 0.0), ("right", np.pi)):
            lift = max(0.0, np.sin(0.1 * np.pi * k + phase))
            for joint, angle in (("thigh", -0.5), ("shin", 1.0), ("foot", -0.5)):
                data.actuator(f"{side}_{joint}_y").ctrl[0] = angle * lift
        mujoco.mj_step(model, data, round(1 / (30 * model.opt.timestep)))
        places.append([data.body(f"{side}_foot").xpos.copy() for side in ("left", "right")])
    return np.array(places)


def test_contacts_are_those_of_much_shorter_steps():
    """Steps of 1/120 s put the feet where the textbook's way does with 1/3840 s, which it itself misses by far."""
    truth = stamping(implicit_in_the_textbook_way(build_model(physics=Physics(timestep=1 / 3840))))
    ours = np.abs(stamping(build_model()) - truth).mean()
    textbook = np.abs(stamping(implicit_in_the_textbook_way(build_model())) - truth).mean()
    assert ours < 0.002 < 0.02 < textbook


@variants
def test_every_ball_joint_reaches_a_rotation_vector(variant):
    character, _, joints, _, _, _ = variant
    for name, (kind, limit, *_) in joints.items():
        if kind != "ball":
            continue
        target = np.array([0.8, -1.2, 0.5])
        if limit is not None:  # stay a little inside the cone
            target *= min(1.0, 0.9 * np.deg2rad(limit) / np.linalg.norm(target))
        reached = drive(floating(character), name, target, 1.5)
        np.testing.assert_allclose(reached, target, atol=0.02, err_msg=name)


@pytest.mark.parametrize(("joint", "sign"), [("left_upper_arm", 1), ("right_upper_arm", -1)])
def test_shoulders_reach_far(joint, sign):
    target = np.array([sign * 0.1, -2.85, sign * 0.5])  # 2.9 rad, mirrored
    reached = drive(floating(), joint, target, 1.5)
    np.testing.assert_allclose(reached, target, atol=0.02)


def test_hinges_reach_their_targets():
    for joint, target in (("left_lower_arm", -2.0), ("right_lower_arm", -0.5), ("left_shin", 2.5), ("right_shin", 1.0)):
        reached = drive(floating(), joint, np.array([target]), 1.5)
        assert reached[0] == pytest.approx(target, abs=0.02), joint


@pytest.mark.parametrize("limit_effort", [True, False])
def test_effort_limits_hold_only_where_asked_for(limit_effort):
    model = floating(physics=Physics(limit_effort=limit_effort))
    data = mujoco.MjData(model)
    data.ctrl[:] = 1.0
    mujoco.mj_forward(model, data)
    for name, (kind, _, kp, _, _, effort) in JOINTS.items():
        for axis in "xyz" if kind == "ball" else "y":
            force = data.actuator(f"{name}_{axis}").force[0]
            assert force == pytest.approx(effort if limit_effort else kp), name


@pytest.mark.parametrize(("joint", "limit"), [("head", 60), ("left_foot", 55), ("torso", 90)])
def test_a_ball_stays_in_its_cone(joint, limit):
    cone = np.deg2rad(limit)
    beyond = np.array([0.6, 0.0, 0.8]) * (cone + 0.5)
    free = floating()
    free.jnt_limited[free.joint(joint).id] = False
    assert np.linalg.norm(drive(free, joint, beyond, 1.5)) > cone + 0.4
    assert np.linalg.norm(drive(floating(), joint, beyond, 1.5)) < cone + 0.05


@pytest.mark.parametrize("self_collision", [True, False])
def test_self_collision_can_be_switched_off(self_collision):
    """Both forearms crossed before the belly: they meet only if limbs collide; the ground always holds the feet."""
    model = build_model(HUMANOID, Physics(self_collision=self_collision))
    data = mujoco.MjData(model)
    data.qpos[2] -= 0.0096
    skeleton = skeleton_of(HUMANOID)
    dofs = torch.zeros(skeleton.num_dof, dtype=torch.float64)
    for side, sign in (("left", 1), ("right", -1)):
        dofs[skeleton.dof_slices[skeleton.index(f"{side}_lower_arm")]] = -1.57
        dofs[skeleton.dof_slices[skeleton.index(f"{side}_upper_arm")]] = torch.tensor([0.0, 0.0, -0.9 * sign])
    local = skeleton.rotations_from_dofs(rotation.identity(dtype=torch.float64), dofs)
    data.qpos = skeleton.qpos(torch.tensor(data.qpos[:3]), local).numpy()
    mujoco.mj_forward(model, data)
    pairs = [{model.geom(i).name for i in contact.geom} for contact in data.contact]
    assert sum("ground" in pair for pair in pairs) == 8
    assert any("ground" not in pair for pair in pairs) == self_collision
