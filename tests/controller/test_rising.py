"""The task of standing up."""

import torch

from anyskill.controller.falling import STANDING
from anyskill.controller.rising import RisingConfig, RisingTask
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import make_engine
from tests.controller.made_up import arm_clip


def task_of(config: RisingConfig, *clips: Clip, worlds: int = 64) -> RisingTask:
    library = MotionLibrary(clips or (arm_clip("arm", 7, -1.0),))
    return RisingTask(make_engine(worlds, "cpu"), library, torch.Generator().manual_seed(0), config)


def no_action(task: RisingTask) -> torch.Tensor:
    return task.targets(torch.zeros(len(task.age), task.num_actions))


def test_some_start_on_the_ground_and_others_are_pushed_in_a_clip() -> None:
    task = task_of(RisingConfig(clip_start=0.5, push=2.0, spin=0.0))
    state = task.engine.state()
    stands = state.positions[:, 0, 2] > STANDING
    assert 0.3 < stands.float().mean() < 0.7
    assert not state.linear_velocities[~stands].any()
    pushed = state.linear_velocities[stands, 0]
    assert 1.3 < pushed.square().mean().sqrt() < 2.7
    torch.testing.assert_close(pushed, state.linear_velocities[stands, task.engine.skeleton.index("torso")])
    assert task_of(RisingConfig(clip_start=0.0)).engine.state().positions[:, 0, 2].max() < STANDING


def test_standing_still_is_paid_in_full_and_lying_little() -> None:
    task = task_of(RisingConfig(episode=9, clip_start=0.0))
    assert len(task.age.unique()) > 1
    task.age[:] = 0
    lying = task.step(no_action(task))[0]
    qpos = task.engine.skeleton.initial_qpos.float().repeat(64, 1)
    task.engine.reset(torch.arange(64), qpos, torch.zeros(64, 6 + task.num_actions))
    for _ in range(7):
        standing, lost, finished = task.step(torch.zeros(64, task.num_actions))
        assert not (lost | finished).any()
    assert standing.min() > 0.9
    assert lying.max() < 0.6
    assert not task.report()["stood"]
    _, _, finished = task.step(torch.zeros(64, task.num_actions))
    assert bool(finished.all())
    assert task.report()["stood"] > 0
    task.reset(finished)
    assert task.engine.state().positions[:, 0, 2].max() < STANDING


def test_effort_costs() -> None:
    free, dear = (task_of(RisingConfig(effort=effort)) for effort in (0.0, 0.1))
    action = torch.randn(64, free.num_actions, generator=torch.Generator().manual_seed(1))
    rewards = [task.step(task.targets(action))[0] for task in (free, dear)]
    spins = free.engine.state().angular_velocities.square().mean((1, 2))
    torch.testing.assert_close(rewards[0] - rewards[1], 0.1 * spins, atol=1e-4, rtol=1e-3)


def test_every_other_world_lives_in_the_mirror() -> None:
    task = task_of(RisingConfig(), worlds=2)
    qpos = task.fallen[0][:1].repeat(2, 1)
    task.engine.reset(torch.arange(2), qpos, torch.zeros(2, 6 + task.num_actions))
    seen = task.observe()
    torch.testing.assert_close(task._observation_mirror(seen[0]), seen[1], atol=1e-5, rtol=0)
    targets = task.targets(torch.full((2, task.num_actions), 0.1))
    action = (targets - task._offset) / task._scale
    torch.testing.assert_close(task._dof_mirror(action[0]), action[1], atol=1e-5, rtol=0)
