"""Scenes with objects: that they are what the tables say, and that both engines move, report and reset them."""

import math

import mujoco
import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.sim.engine import CONTROL_DT, Engine
from anyskill.sim.errors import SimulationError
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.sim.mujoco_gpu import MujocoGpu
from anyskill.sim.scene import SceneObject, ball, build_scene_spec, chair, door, pillar, projectile

DOF = 28
FAR = (4.0, -4.0)  # m, out of the character's reach


def run(engine: Engine, steps: int) -> None:
    for _ in range(steps):
        engine.step(torch.zeros(engine.num_worlds, DOF))


def test_masses_of_the_presets():
    objects = (ball(), pillar(), chair(), door(), projectile((0, 5, 1)), projectile((0, 9, 1), large=True, name="big"))
    model = build_scene_spec(HUMANOID, objects=objects).compile()
    masses = {item.name: float(model.body(item.name).mass[0]) for item in objects}
    expected = {"ball": 0.453, "pillar": 14.4, "chair": 8.0, "door": 1.0, "projectile": 1.6, "big": 12.5}
    assert masses == pytest.approx(expected, rel=2e-3)


def test_the_chair_is_as_large_as_the_one_of_the_paper():
    model = build_scene_spec(HUMANOID, objects=(chair((0, 0, 0)),)).compile()
    geoms = [model.geom(i) for i in range(model.ngeom) if model.geom(i).name.startswith("chair")]
    low = torch.tensor([list(geom.pos - geom.size) for geom in geoms]).amin(0)
    high = torch.tensor([list(geom.pos + geom.size) for geom in geoms]).amax(0)
    torch.testing.assert_close((high - low).double(), torch.tensor([0.707, 0.456, 1.047]).double(), atol=1e-6, rtol=0)
    seat = model.geom("chair_0")
    assert seat.pos[2] + seat.size[2] == pytest.approx(0.45)


def test_the_character_keeps_its_indices():
    alone = build_scene_spec(HUMANOID).compile()
    scene = build_scene_spec(HUMANOID, objects=(door(), ball())).compile()
    assert (scene.qpos0[: alone.nq] == alone.qpos0).all()
    for kind in ("body", "sensor", "actuator"):
        count = {"body": alone.nbody, "sensor": alone.nsensor, "actuator": alone.nu}[kind]
        for number in range(count):
            assert getattr(scene, kind)(number).name == getattr(alone, kind)(number).name


def test_the_door_turns_freely_in_its_frame():
    model = build_scene_spec(HUMANOID, objects=(door((0, 5, 0)),)).compile()
    data = mujoco.MjData(model)
    for angle in torch.linspace(-math.pi / 2, math.pi / 2, 19).tolist():
        data.joint("door").qpos[0] = angle
        mujoco.mj_forward(model, data)
        assert data.ncon == 0, angle
    # Its hinge's axis stands where the facts put it: 5 cm into the frame, 10 cm up.
    hinge = data.body("door").xpos - (0, 5, 0)
    yaw = 0.3 * math.pi
    assert hinge.tolist() == pytest.approx([0.05 * math.cos(yaw), 0.05 * math.sin(yaw), 0.1])


def test_names_must_differ():
    with pytest.raises(SimulationError, match="two bodies of the scene are called ball"):
        build_scene_spec(HUMANOID, objects=(ball(), ball()))
    with pytest.raises(SimulationError, match="two bodies of the scene are called head"):
        build_scene_spec(HUMANOID, objects=(ball(name="head"),))


@pytest.mark.parametrize("kind", ["cpu", pytest.param("gpu", marks=pytest.mark.slow)])
def test_ball_chair_door_and_projectile(kind):
    """One long story, since every new model costs the GPU engine a compilation."""
    objects = (
        ball((*FAR, 1.0)),
        chair((-4.0, 4.0, 0.0)),
        door((3.0, 4.0, 0.0), yaw=0.0),
        projectile((3.5, 2.0, 1.0), large=True),
    )
    engine = MujocoCpu(2, objects=objects) if kind == "cpu" else MujocoGpu(2, objects=objects, device="cpu")
    state = engine.object_state()
    assert state.positions.shape == (2, 4, 3)
    torch.testing.assert_close(state.positions[1, 0], torch.tensor([*FAR, 1.0]))
    assert (state.linear_velocities == 0).all()
    assert engine.state().positions.shape == (2, 15, 3)

    # In free fall an object's velocity is that of its motion.
    run(engine, 3)
    before = engine.object_state()
    run(engine, 1)
    after = engine.object_state()
    measured = (after.positions - before.positions)[0, 0] / CONTROL_DT
    middle = 0.5 * (after.linear_velocities + before.linear_velocities)[0, 0]
    torch.testing.assert_close(measured, middle, atol=0.05, rtol=0)
    assert middle[2] < -0.5

    # Things come to rest on the ground, which carries them.
    run(engine, 75)
    state = engine.object_state()
    assert state.positions[0, 0, 2].item() == pytest.approx(0.1293, abs=2e-3)
    assert state.contact_forces[0, 0, 2].item() == pytest.approx(0.453 * 9.81, rel=0.05)
    assert state.positions[0, 1].tolist() == pytest.approx([-4.0, 4.0, 0.0], abs=5e-3)
    assert state.contact_forces[0, 1, 2].item() == pytest.approx(8.0 * 9.81, rel=0.05)

    # Thrown in one world only: there it flies, spins as asked in the world frame, and pushes the door open.
    spin = torch.tensor([[0.0, 0.0, 1.5]])
    turned = torch.tensor([[math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0]])
    engine.move_object(
        "projectile", torch.tensor([1]), torch.tensor([[3.7, 3.0, 1.0]]), turned, torch.tensor([[0.0, 4.0, 0.0]]), spin
    )
    thrown = engine.object_state()
    torch.testing.assert_close(thrown.positions[1, 3], torch.tensor([3.7, 3.0, 1.0]))
    torch.testing.assert_close(thrown.angular_velocities[1, 3], spin[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(thrown.linear_velocities[1, 3], torch.tensor([0.0, 4.0, 0.0]), atol=1e-5, rtol=0)
    assert torch.equal(thrown.positions[0], state.positions[0])
    run(engine, 12)
    swung = engine.object_state()
    yaw = 2 * torch.atan2(swung.rotations[:, 2, 3], swung.rotations[:, 2, 0])
    assert abs(yaw[0]) < 1e-3
    assert yaw[1] > 0.1
    assert swung.angular_velocities[1, 2, 2] > 0.1

    # A reset puts all back.
    qpos = engine.state().to(torch.float64).qpos(engine.skeleton)
    engine.reset(torch.arange(2), qpos, torch.zeros(2, 34))
    again = engine.object_state()
    torch.testing.assert_close(again.positions[1, 0], torch.tensor([*FAR, 1.0]))
    assert abs(again.rotations[1, 2, 3]) < 1e-6
    assert (again.linear_velocities == 0).all()

    with pytest.raises(SimulationError, match=r"no free object door .* ball, chair, projectile"):
        engine.move_object("door", torch.tensor([0]), torch.zeros(1, 3))


def test_a_fixed_object_stays():
    block = SceneObject("block", pillar().geoms, (0.0, 0.0, 3.0), mobility="fixed")
    engine = MujocoCpu(1, objects=(block,))
    run(engine, 10)
    assert engine.object_state().positions[0, 0].tolist() == [0.0, 0.0, 3.0]


def test_a_projectile_knocks_the_character_over():
    engine = MujocoCpu(2, objects=(projectile((0.0, 5.0, 1.0), large=True),))
    engine.move_object(
        "projectile",
        torch.tensor([0]),
        torch.tensor([[3.0, 0.0, 1.2]]),
        linear_velocities=torch.tensor([[30.0, 0.0, 0.0]]) * -1,
    )
    run(engine, 20)
    head = engine.state().positions[:, engine.skeleton.index("head"), 2]
    assert head[0] < head[1] - 0.3
