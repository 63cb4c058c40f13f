"""The tracking task on small clips."""

import torch

from anyskill.controller.tracking import TrackingConfig, TrackingTask
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import make_engine
from tests.controller.made_up import arm_clip


def test_a_mirrored_clip_is_followed_in_the_mirror() -> None:
    clip = arm_clip("right arm", 7, -1.5)
    library = MotionLibrary([clip, clip.mirrored()])
    engine = make_engine(2, "cpu")
    task = TrackingTask(engine, library, torch.Generator().manual_seed(0))
    task.clip.copy_(torch.tensor([0, 1]))
    task.frame.fill_(7)
    rows = library.rows(task.clip, task.frame)
    engine.reset(torch.arange(2), task._qpos[rows], task._qvel[rows])
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        action = 0.2 * torch.randn(1, task.num_actions, generator=generator).expand(2, -1)
        seen = task.observe()
        torch.testing.assert_close(seen[0], seen[1], atol=2e-3, rtol=0)
        reward, failed, _ = task.step(task.targets(action))
        assert not failed.any()
        torch.testing.assert_close(reward[0], reward[1], atol=1e-3, rtol=0)
    hands = [engine.skeleton.index(f"{side}_hand") for side in ("right", "left")]
    positions = engine.state().positions
    assert float((positions[0, hands[0]] - positions[0, hands[1]]).norm()) > 0.1


def test_who_goes_over_stays_where_it_is_and_has_time_to_find_in() -> None:
    library = MotionLibrary([arm_clip("right arm", 7, -2.8), arm_clip("left arm", 11, -2.8)])
    engine = make_engine(64, "cpu")
    config = TrackingConfig(go_over=0.5, patience=3, failure_distance=0.2)
    task = TrackingTask(engine, library, torch.Generator().manual_seed(0), config)
    assert not task.patience.any()  # all have begun in a clip
    _, failed, _ = task.step(task.targets(torch.zeros(64, task.num_actions)))
    assert not failed.any()
    before = engine.state().positions.clone()
    task.reset(torch.ones(64, dtype=torch.bool))
    stays = task.patience > 0
    assert 0.2 < stays.float().mean() < 0.8
    unmoved = (engine.state().positions - before).abs().flatten(1).amax(1) < 1e-6
    assert torch.equal(unmoved, stays)
    far = torch.zeros(64, dtype=torch.bool)
    for step in range(4):
        _, failed, _ = task.step(task.targets(torch.zeros(64, task.num_actions)))
        if step < 2:
            assert not failed[stays].any()
        far |= failed
    assert far[stays].any()  # half way between two poses when time was up
    task.patience[:] = 7
    task.reset(failed)
    assert failed.any() and not task.patience[failed].any()  # whoever has failed begins in a clip
