"""One suite for both engines, with plain C MuJoCo as the oracle. The GPU engine runs on Warp's CPU device here."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.model import Physics, build_model
from anyskill.sim.engine import CONTROL_DT, SUBSTEPS, Engine, make_engine
from anyskill.sim.errors import SimulationError
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.sim.mujoco_gpu import MujocoGpu
from anyskill.sim.recorder import STEPS, load_flight
from tests.sim.oracle import BODIES, DOF, NV, Oracle, normalized, random_states, random_targets

ENGINES = ("cpu", "gpu")
WEIGHT = 48.891 * 9.81  # N


def make(kind: str, worlds: int, dump_folder: Path | None = None) -> Engine:
    if kind == "cpu":
        return MujocoCpu(worlds, dump_folder=dump_folder)
    return MujocoGpu(worlds, device="cpu", dump_folder=dump_folder)


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_state_is_current_right_after_a_reset(kind):
    qpos, qvel = random_states(3, seed=1)
    engine = make(kind, 3)
    engine.step(torch.zeros(3, DOF))
    engine.reset(torch.arange(3), qpos, qvel)
    differences = Oracle(qpos, qvel).differences(engine)
    assert max(differences.values()) < 2e-5, differences
    assert (engine.state().contact_forces == 0).all()


def test_velocities_are_those_of_body_frames(kind):
    """Against finite differences of positions, so that the oracle's own convention is checked, too."""
    qpos, qvel = random_states(2, seed=2, height=3.0)
    engine = make(kind, 2)
    engine.reset(torch.arange(2), qpos, qvel)
    oracle, elapsed = Oracle(qpos, qvel), 1e-6
    for world, data in enumerate(oracle.worlds):
        positions = data.xpos[1:].copy()
        mujoco.mj_integratePos(oracle.model, data.qpos, data.qvel, elapsed)
        mujoco.mj_kinematics(oracle.model, data)
        speed = (data.xpos[1:] - positions) / elapsed
        np.testing.assert_allclose(engine.state().linear_velocities[world].numpy(), speed, atol=1e-4)


def test_follows_plain_mujoco_for_half_a_second(kind):
    worlds, steps = 3, 15
    engine = make(kind, worlds)
    initial = torch.from_numpy(build_model().qpos0).repeat(worlds, 1)
    oracle = Oracle(initial, torch.zeros(worlds, NV, dtype=torch.float64))
    targets = random_targets(worlds, 1, scale=0.1)[0]  # float32, so that both get the same numbers
    for _ in range(steps):
        engine.step(targets)
        oracle.step(targets)
    differences = oracle.differences(engine)
    assert max(differences["positions"], differences["rotations"]) < (1e-6 if kind == "cpu" else 2e-3), differences
    assert max(differences["linear"], differences["angular"]) < (1e-5 if kind == "cpu" else 5e-2), differences


def test_one_step_from_any_state_is_that_of_plain_mujoco(kind):
    """Falling and lying bodies with wild targets: contacts, limits of balls and hinges, self-collision.

    Warp finds other points than C where two boxes, the feet, meet edge to edge.
    """
    worlds = 8
    source = MujocoCpu(worlds)
    engine = make(kind, worlds)
    targets = random_targets(worlds, 60, seed=5, scale=0.8)
    everyone = torch.arange(worlds)
    touched = 0.0
    for step in range(60):
        source.step(targets[step // 10 * 10])
        if step % 10 != 9:
            continue
        state = source.state().to(torch.float64)
        qpos = torch.stack([normalized(source.model, row) for row in state.qpos(source.skeleton)])
        qvel = state.qvel(source.skeleton)
        engine.reset(everyone, qpos.float(), qvel.float())
        oracle = Oracle(qpos.float().double(), qvel.float().double())
        engine.step(targets[step])
        oracle.step(targets[step])
        tight = kind == "cpu"
        compared = np.ones(worlds, dtype=bool) if tight else ~oracle.boxes_met
        assert compared.sum() >= worlds - 2
        differences = oracle.differences(engine, compared)
        assert max(differences["positions"], differences["rotations"]) < (1e-6 if tight else 1e-4), differences
        assert max(differences["linear"], differences["angular"]) < (1e-4 if tight else 5e-2), differences
        largest = np.abs(oracle.contact).max()
        force_error = np.abs(engine.state().contact_forces.numpy() - oracle.contact)[compared].max()
        assert force_error < (1e-3 if tight else 2e-2 * largest + 1.0), (force_error, largest)
        touched = max(touched, largest)
    assert touched > WEIGHT  # the comparison of forces was about something


def test_feet_carry_the_weight(kind):
    engine = make(kind, 1)
    for _ in range(30):
        engine.step(torch.zeros(1, DOF))
    forces = engine.state().contact_forces[0]
    feet = forces[list(engine.skeleton.contact_bodies)].sum(0)
    assert feet[2].item() == pytest.approx(WEIGHT, rel=0.05)
    assert feet[:2].abs().max() < 0.2 * WEIGHT
    rest = [body for body in range(BODIES) if body not in engine.skeleton.contact_bodies]
    assert (forces[rest] == 0).all()


def test_reset_leaves_other_worlds_untouched(kind):
    qpos, qvel = random_states(2, seed=3)
    targets = random_targets(4, 6)
    engine, undisturbed = make(kind, 4), make(kind, 4)
    for step in range(6):
        engine.step(targets[step])
        undisturbed.step(targets[step])
        if step == 3:
            engine.reset(torch.tensor([2, 0]), qpos, qvel)
        others = [1, 3]
        for field in ("positions", "rotations", "linear_velocities", "angular_velocities", "contact_forces"):
            ours, theirs = getattr(engine.state(), field)[others], getattr(undisturbed.state(), field)[others]
            assert torch.equal(ours, theirs), (step, field)
    assert not torch.equal(engine.state().positions[[0, 2]], undisturbed.state().positions[[0, 2]])


def test_future_depends_on_the_state_alone(kind):
    """A world that was reset moves like a fresh one: no warm start, clock or force is left over."""
    qpos, qvel = random_states(2, seed=4)
    targets = random_targets(2, 8, seed=6)
    used, fresh = make(kind, 2), make(kind, 2)
    for step in range(5):
        used.step(targets[step])
    for engine in (used, fresh):
        engine.reset(torch.arange(2), qpos, qvel)
        for step in range(5, 8):
            engine.step(targets[step])
    assert torch.equal(used.state().contact_forces, fresh.state().contact_forces)
    for name in ("qpos", "qvel", "warmstart"):
        assert torch.equal(used.state_dict()[name], fresh.state_dict()[name]), name


def test_states_handed_out_do_not_change(kind):
    engine = make(kind, 1)
    engine.step(torch.zeros(1, DOF))
    state = engine.state()
    copy = state[:].to(torch.float64)
    engine.step(torch.full((1, DOF), 0.5))
    for field in ("positions", "rotations", "linear_velocities", "angular_velocities", "contact_forces"):
        assert torch.equal(getattr(state, field).double(), getattr(copy, field)), field


def test_goes_on_from_a_saved_state_bit_for_bit(kind):
    targets = random_targets(3, 12, seed=8)
    engine, other = make(kind, 3), make(kind, 3)
    for step in range(8):
        engine.step(targets[step])
    saved = engine.state_dict()
    other.step(targets[0])
    other.load_state_dict(saved)
    assert torch.equal(other.state().positions, engine.state().positions)
    assert torch.equal(other.state().linear_velocities, engine.state().linear_velocities)
    for step in range(8, 12):
        engine.step(targets[step])
        other.step(targets[step])
    assert torch.equal(other.state().contact_forces, engine.state().contact_forces)
    ends = engine.state_dict(), other.state_dict()
    for name in ends[0]:
        assert torch.equal(ends[0][name], ends[1][name]), name
    with pytest.raises(SimulationError, match=r"saved state is of other worlds.*\(3, 43\).*\(2, 43\)"):
        make(kind, 2).load_state_dict(saved)


def test_number_of_threads_changes_nothing():
    targets = random_targets(5, 10, scale=0.6)
    results = []
    for threads in (1, 2, 2):
        engine = MujocoCpu(5, threads=threads)
        for step in range(10):
            engine.step(targets[step])
        results.append(engine.state())
    for other in results[1:]:
        assert torch.equal(results[0].positions, other.positions)
        assert torch.equal(results[0].angular_velocities, other.angular_velocities)


def blow_up(engine: Engine, targets: torch.Tensor, world: int, at: int) -> list[torch.Tensor]:
    """Step with NaN as one world's target at one step; what ``step`` returned each time."""
    answers = []
    for step, row in enumerate(targets):
        row = row.clone()
        if step == at:
            row[world, 3] = torch.nan
        answers.append(engine.step(row))
    return answers


def test_a_world_that_blows_up_is_put_back_and_others_go_on(kind, tmp_path):
    targets = random_targets(4, 8)
    engine, undisturbed = make(kind, 4, tmp_path), make(kind, 4)
    lost = blow_up(engine, targets[:6], world=2, at=5)
    assert [row.tolist() for row in lost[:5]] == [[False] * 4] * 5
    assert lost[5].tolist() == [False, False, True, False]
    assert engine.quarantined.tolist() == [0, 0, 1, 0]
    initial = make(kind, 4).state()
    state = engine.state()
    assert torch.equal(state.positions[2], initial.positions[2])
    assert (state.linear_velocities[2] == 0).all()
    assert (state.contact_forces[2] == 0).all()
    fresh = make(kind, 4)
    for step in range(6):
        undisturbed.step(targets[step])
    for step in (6, 7):
        assert not engine.step(targets[step]).any()
        undisturbed.step(targets[step])
        fresh.step(targets[step])
        assert torch.equal(engine.state().positions[2], fresh.state().positions[2])
        for field in ("positions", "linear_velocities", "contact_forces"):
            ours, theirs = getattr(engine.state(), field), getattr(undisturbed.state(), field)
            assert torch.equal(ours[[0, 1, 3]], theirs[[0, 1, 3]]), field
            assert ours.isfinite().all()

    (path,) = tmp_path.iterdir()
    flight = load_flight(path)
    assert flight.character is HUMANOID
    assert flight.physics == Physics()
    assert (len(flight.qpos), len(flight.qvel), len(flight.targets)) == (6, 6, 6)
    assert flight.targets[-1].isnan().any()
    assert torch.equal(flight.targets[:5], targets[:5, 2])
    # What was recorded is what happened: it can be played again.
    again = make(kind, 1)
    again.reset(torch.tensor([0]), flight.qpos[3:4], flight.qvel[3:4])
    again.step(flight.targets[4:5])
    torch.testing.assert_close(again.state().qpos(again.skeleton)[0, :7], flight.qpos[4, :7], atol=1e-3, rtol=0)


def test_a_world_that_explodes_is_put_back(kind):
    engine = make(kind, 2)
    qpos = torch.from_numpy(build_model().qpos0)[None].clone()
    qpos[0, 2] -= 0.02  # feet in the ground, so that there are forces to forget
    qvel = torch.zeros(1, NV)
    qvel[0, 0] = 1000.0
    engine.reset(torch.tensor([1]), qpos, qvel)
    assert engine.step(torch.zeros(2, DOF)).tolist() == [False, True]
    fresh = make(kind, 2)
    for _ in range(3):
        assert torch.equal(engine.state().positions[1], fresh.state().positions[1])
        assert torch.equal(engine.state().contact_forces[1], fresh.state().contact_forces[1])
        engine.step(torch.full((2, DOF), 0.2))
        fresh.step(torch.full((2, DOF), 0.2))


def test_far_from_the_origin_is_not_an_explosion(kind):
    engine = make(kind, 1)
    qpos = torch.from_numpy(build_model().qpos0)[None].clone()
    qpos[0, 0] = 5000.0  # m
    engine.reset(torch.tensor([0]), qpos, torch.zeros(1, NV))
    assert not engine.step(torch.zeros(1, DOF)).any()


def test_few_recordings_are_written_and_each_is_a_second_long(tmp_path):
    engine = MujocoCpu(8, dump_folder=tmp_path)
    for _ in range(STEPS + 5):
        engine.step(torch.zeros(8, DOF))
    for _ in range(2):
        assert engine.step(torch.full((8, DOF), torch.nan)).all()
    paths = list(tmp_path.iterdir())
    assert len(paths) == 5
    assert {len(load_flight(path).qpos) for path in paths} == {STEPS}
    assert engine.quarantined.tolist() == [2] * 8


def test_a_blow_up_leaves_no_log_file_behind(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    engine = MujocoCpu(1)
    assert engine.step(torch.full((1, DOF), torch.nan)).all()
    assert list(tmp_path.iterdir()) == []
    assert "WARNING" not in "".join(capfd.readouterr())


def test_wrong_shapes_are_refused(kind):
    engine = make(kind, 2)
    with pytest.raises(SimulationError, match=r"targets must have shape \(2, 28\), not \(1, 28\)"):
        engine.step(torch.zeros(1, DOF))
    with pytest.raises(SimulationError, match=r"qpos of shape \(1, 43\)"):
        engine.reset(torch.tensor([0]), torch.zeros(1, 42), torch.zeros(1, NV))


def test_make_engine():
    engine = make_engine(2)
    assert isinstance(engine, MujocoCpu)
    assert engine.num_worlds == 2
    assert SUBSTEPS * Physics().timestep == pytest.approx(CONTROL_DT)
    with pytest.raises(SimulationError, match="at least one world"):
        make_engine(0)
    with pytest.raises(SimulationError, match="use cpu or cuda"):
        make_engine(1, "meta")
    if not torch.cuda.is_available():
        with pytest.raises(SimulationError, match="no CUDA device"):
            make_engine(1, "cuda")
