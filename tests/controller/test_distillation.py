"""Teacher and student: both run, resume bit for bit, and learn something measurable."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.body.observation import policy_observation
from anyskill.controller.distillation import Distillation, DistillationConfig, keeping_latents
from anyskill.controller.falling import STANDING, STOOD
from anyskill.controller.teacher import Teacher, TeacherConfig
from anyskill.learning.loop import Trainer, train
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import arm_clip, library
from tests.controller.test_pretraining import tensors

TEACHER = replace(
    TeacherConfig(),
    worlds=16,
    horizon=8,
    units=(32,),
    ppo=replace(TeacherConfig().ppo, minibatch_size=64, epochs=2),
)
RISER = replace(TEACHER, task="rising")
STUDENT = DistillationConfig(
    horizon=4,
    units=(32,),
    latent=8,
    stride=10,
    encoder_units=(32,),
    memory=2000,
    minibatch_size=128,
    teacher_iterations=2,
    iterations=60,
    learning_rate=3e-3,
)


def make_teacher() -> Teacher:
    return Teacher(TEACHER, MujocoCpu(TEACHER.worlds), library())


def make_riser() -> Teacher:
    return Teacher(RISER, MujocoCpu(TEACHER.worlds), library())


def make_student(config: DistillationConfig = STUDENT) -> Distillation:
    return Distillation(config, make_teacher(), make_riser())


def make_student_that_keeps_latents() -> Distillation:
    return make_student(keeping_latents(STUDENT))


@pytest.mark.parametrize("make", [make_teacher, make_riser, make_student, make_student_that_keeps_latents])
def test_resuming_equals_going_on(tmp_path: Path, make: type[Trainer]) -> None:
    states = []
    for name, stops in (("once", (4,)), ("twice", (2, 4))):
        path = tmp_path / name
        for stop in stops:
            folder = RunFolder.open(path) if path.exists() else RunFolder.create(path, TEACHER)
            train(make(), folder, stop, save_every=2, progress=False)
        states.append(tensors(read_state(max((path / "checkpoints").glob("*.safetensors")))))
    assert states[0].keys() == states[1].keys()
    assert not [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]


def test_the_student_comes_to_do_what_the_teacher_would() -> None:
    student = make_student()
    reports = [student.iterate()[1] for _ in range(60)]
    assert reports[-1]["loss/imitation"] < 0.2 * reports[2]["loss/imitation"]


def test_a_student_that_keeps_latents_trains_the_policy_alone() -> None:
    student = make_student_that_keeps_latents()
    before = {name: value.clone() for name, value in student.student.state_dict().items()}
    reports = [student.iterate()[1] for _ in range(40)]
    assert reports[-1]["loss/imitation"] < 0.3 * reports[2]["loss/imitation"]
    for name, value in student.student.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(("encoder", "frames", "policy.log_sigma")), name
    clip, first = student.task.library.places()
    end = student.task.windows.last(clip, first)
    torch.testing.assert_close(student._known_latents(clip, end), student._encode(clip, end))


def test_the_student_follows_the_latent_of_the_window_that_its_teacher_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    student = make_student_that_keeps_latents()
    task, told = student.task, []
    targets = student._targets

    def look(observation, latent, *number):
        if len(observation) == len(task.clip):
            told.append(torch.equal(latent, student._known_latents(task.clip, task.end)))
        return targets(observation, latent, *number)

    monkeypatch.setattr(student, "_targets", look)
    moved = torch.zeros_like(task.clip, dtype=torch.bool)
    for _ in range(10):
        before = task.clip, task.end
        student.iterate()
        moved |= (task.clip == before[0]) & (task.end != before[1])
    assert moved.any()
    assert len(told) >= 40 and all(told)


def test_a_perfect_follower_is_paid_in_full_and_never_fails() -> None:
    """Put into the reference's own states, the task pays one a step; half a metre off, it gives up."""
    task = make_teacher().task
    reward, failed, _ = task.step(task.targets(torch.zeros(16, task.num_actions)))
    assert reward.min() > 0.9
    assert not failed.any()
    qpos = task._qpos[task.library.rows(task.clip, task.frame)]
    qpos[:4, 2] += 0.8
    task.engine.reset(torch.arange(16), qpos, torch.zeros(16, 34))
    reward, failed, _ = task.step(task.targets(torch.zeros(16, task.num_actions)))
    assert failed[:4].all()
    assert not failed[4:].any()
    assert not reward[:4].any()


def test_a_task_with_other_clips_keeps_what_it_knows() -> None:
    old = make_teacher().task
    old.failures.lost.copy_(torch.tensor([0.1, 0.2, 0.3]))
    motions = MotionLibrary([arm_clip("new", 10, -1.0), arm_clip("left arm", 11, -1.5)])
    new = Teacher(TEACHER, MujocoCpu(TEACHER.worlds), motions).task
    new.load_state_dict(old.state_dict())
    assert new.failure_rate[1] == old.failure_rate[1] < new.failure_rate[0]
    assert int(new.clip.max()) < 2


def test_a_body_that_gets_up_is_told_how_by_the_second_teacher_until_it_stands() -> None:
    student = make_student()
    task = student.task
    everyone = torch.ones(16, dtype=torch.bool)
    draws = torch.Generator().manual_seed(0)
    student.config = replace(STUDENT, fall_start=1.0, trust=(-9.0, -9.0))
    task._failed = everyone
    task.reset(everyone)
    student._lay_and_raise(everyone, draws)
    assert bool((task.excused == task.config.up_patience).all())
    assert task.engine.state().positions[:, 0, 2].max() < STANDING
    standing = task.engine.skeleton.initial_qpos.float().repeat(8, 1)
    task.engine.reset(torch.arange(8), standing, torch.zeros(8, 34))
    for _ in range(STOOD):
        assert bool((task.excused > 0).all())
        student._lay_and_raise(~everyone, draws)
    assert task.excused[:8].eq(0).all() and task.excused[8:].gt(0).all()
    assert task.patience[:8].eq(task.config.patience).all()
    own = policy_observation(task.engine.state())
    assert torch.equal(task.frame[:8], task.windows.entry(task.clip, task.end, own)[:8])
    rises = student._ranges(student.riser.mean(own))
    tracks = task.targets(student.tracker.mean(task.observe()))
    torch.testing.assert_close(student._wanted(own), torch.cat((tracks[:8], rises[8:])))


def test_the_second_teacher_takes_over_while_the_first_expects_little(monkeypatch: pytest.MonkeyPatch) -> None:
    student = make_student()
    own = policy_observation(student.task.engine.state())
    rises = student._ranges(student.riser.mean(own))
    tracks = student.task.targets(student.tracker.mean(student.task.observe()))
    for hope, expected in ((0.4, tracks), (0.2, rises), (0.4, rises), (0.6, tracks), (0.4, tracks)):
        value = torch.full((16,), hope / (1 - TEACHER.ppo.discount))
        monkeypatch.setattr(student.tracker, "value", lambda seen, value=value: value)
        torch.testing.assert_close(student._wanted(own), expected)
