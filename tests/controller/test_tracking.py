"""The tracking task on small clips."""

from dataclasses import replace

import torch

from anyskill.body.observation import policy_observation
from anyskill.controller.tracking import TrackingConfig, TrackingTask
from anyskill.controller.windows import TAIL
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import make_engine
from tests.controller.made_up import arm_clip, glide, lie_down


def test_a_mirrored_clip_is_followed_in_the_mirror() -> None:
    clip = arm_clip("right arm", 7, -1.5)
    library = MotionLibrary([clip, clip.mirrored()])
    engine = make_engine(2, "cpu")
    task = TrackingTask(engine, library, torch.Generator().manual_seed(0))
    task.clip.copy_(torch.tensor([0, 1]))
    task.start.zero_()
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


def task_of(config: TrackingConfig, *clips: Clip, worlds: int = 64) -> TrackingTask:
    return TrackingTask(make_engine(worlds, "cpu"), MotionLibrary(clips), torch.Generator().manual_seed(0), config)


def now_seen(task: TrackingTask) -> torch.Tensor:
    return policy_observation(task.engine.state())


def no_action(task: TrackingTask) -> torch.Tensor:
    return task.targets(torch.zeros(len(task.clip), task.num_actions))


def test_a_window_is_held_for_its_time_and_then_another_from_where_the_body_is() -> None:
    config = TrackingConfig(window=8, hold=(20, 21), moving=0.0, patience=9, failure_distance=3.0)
    task = task_of(config, arm_clip("right arm", 7, -0.4), arm_clip("left arm", 11, -0.4))
    clip, end = task.clip.clone(), task.end.clone()
    assert torch.equal(end - task.start, torch.full_like(end, 7))
    before = task.frame.clone()
    assert bool(((before >= task.start) & (before < end)).all())
    assert not task.patience.any()  # all have begun in a clip
    for _ in range(19):
        _, failed, finished = task.step(no_action(task))
        assert not (failed | finished).any()
    assert torch.equal(task.frame, before + 19) and torch.equal(task.clip, clip)
    now = now_seen(task)
    last = task.library.observations[task.library.rows(clip, end)]
    heights = task.blocks["positions"]
    assert (now - last)[:, heights].abs().max() < 0.15  # it has stayed where the window ends
    _, failed, finished = task.step(no_action(task))
    assert bool(finished.all()) and not failed.any()
    positions = task.engine.state().positions.clone()
    task.reset(finished)
    torch.testing.assert_close(task.engine.state().positions, positions)
    assert torch.equal(task.frame, task.windows.entry(task.clip, task.end, now_seen(task)))
    assert bool((task.patience == 9).all())
    assert 0.2 < float((task.clip != clip).float().mean()) < 0.8


def test_the_clock_goes_by_the_body() -> None:
    task = task_of(TrackingConfig(moving=0.0, failure_distance=9.0), arm_clip("right arm", 7, -1.5), worlds=3)
    task.start.zero_()
    for frame, body, expected in ((20, 30, 22), (20, 12, 18)):
        task.frame.fill_(frame)
        task.due.fill_(frame)
        seen = task.library.observations[torch.tensor([body])].expand(3, -1)
        task.patience[:] = torch.tensor([0, 45, 100])  # who is getting up has other cares
        task.synchronise(seen)
        assert task.frame.tolist() == [expected, expected, frame]
    # In doubt it goes ahead: in the clip's first frames nothing moves.
    task.frame.fill_(1)
    task.due.fill_(1)
    task.synchronise(task.library.observations[torch.tensor([0])].expand(3, -1))
    assert task.frame.tolist() == [3, 3, 1]
    # Nobody is waited for for ever, until the window has been shown, or has come to where it goes round.
    for due, expected in ((35, 25), (300, 59)):
        task.frame.fill_(20)
        task.due.fill_(due)
        task.synchronise(task.library.observations[torch.tensor([12])].expand(3, -1))
        assert task.frame.tolist() == [expected] * 3
    task.windows.again = lambda clip, last: torch.full_like(last, 22)
    for due, expected in ((30, 20), (300, 22)):
        task.frame.fill_(20)
        task.due.fill_(due)
        task.synchronise(task.library.observations[torch.tensor([20])].expand(3, -1))
        assert task.frame.tolist() == [expected] * 3


def test_a_window_that_moves_along_begins_where_the_clock_is_until_its_clip_is_over() -> None:
    config = TrackingConfig(window=20, hold=(1000, 1001), moving=0.7, stay=(5, 7), failure_distance=9.0)
    swings, walks = arm_clip("swings", 7, -0.6, seconds=1.0), replace(arm_clip("goes round", 7, -0.6), loop=True)
    task = task_of(config, arm_clip("arm", 7, -0.6), swings, walks)
    moving, begun = task.stay > 0, task.start.clone()
    task.frame, task.due = begun.clone(), begun.clone()
    assert 0.5 < float(moving.float().mean()) < 0.9
    latest, loops = task.library.lengths[task.clip] - TAIL, task.library.loops[task.clip]
    over = torch.zeros_like(moving)
    for _ in range(200):
        due = task.stay == 1
        place = rows_of(task)
        task.step(no_action(task))
        assert torch.equal(due & moving, due)
        over |= task.frame >= 120
        plays = moving & (task.clip == 0) & ~over
        assert (rows_of(task) - place == 1)[plays].all()  # no move is a jump in time
        begins = torch.where(loops, task.frame, task.frame.minimum(latest))
        assert ((task.frame < 121) | ~loops)[due].all()
        assert torch.equal(task.start[due], begins[due])
        assert torch.equal(task.due, task.frame)
    assert torch.equal(task.start[~moving], begun[~moving])
    assert torch.equal(task.start[moving & ~loops], latest[moving & ~loops])
    assert (task.start[moving & loops] != begun[moving & loops]).all()


def test_a_window_that_moves_on_from_the_ground_lets_the_body_be_late() -> None:
    clip = lie_down()
    up = replace(clip, root_positions=clip.root_positions.flip(0), rotations=clip.rotations.flip(0))
    task = task_of(TrackingConfig(window=5, moving=1.0, stay=(1, 2), patience=45, failure_distance=9.0), up)
    lay = task.grounded.clone()
    for _ in range(400):
        was = task.grounded
        task.step(no_action(task))
        stands = was & ~task.grounded
        assert (task.excused[stands] == 45).all()
        if stands.any():
            break
    assert lay.any() and stands.any()


def test_the_clock_of_what_goes_round_may_be_anywhere() -> None:
    """A swing that is over after a second; a clock that could only creep would stay with the wrong side of it."""
    task = task_of(TrackingConfig(moving=0.0, failure_distance=9.0), arm_clip("swings", 7, -0.6, seconds=1.0), worlds=3)
    task.start.zero_()
    task.patience.zero_()
    assert task.windows.again(task.clip, task.end).tolist() == [1] * 3
    for frame, body in ((15, 25), (27, 12), (75, 12)):  # 75 is 15 after a turn of 30 frames
        task.frame.fill_(frame)
        task.due.fill_(frame)
        task.synchronise(task.library.observations[torch.tensor([body])].expand(3, -1))
        assert (((task.frame - 1) % 30 + 1 - body).abs() <= 2).all()
        assert (task.frame >= frame).all()


def test_a_loop_has_no_end_and_an_episode_has() -> None:
    config = TrackingConfig(window=5, hold=(1000, 1001), episode=9)
    task = task_of(config, replace(arm_clip("arm", 7, -0.01), loop=True), worlds=4)
    for _ in range(8):
        _, failed, finished = task.step(no_action(task))
        assert not (failed | finished).any()
    _, _, finished = task.step(no_action(task))
    assert bool(finished.all())
    task.reset(finished)
    assert not task.age.any()


def test_who_goes_over_has_time_to_find_in_and_who_failed_starts_in_a_clip() -> None:
    config = TrackingConfig(window=7, hold=(1, 2), patience=3, failure_distance=0.2)
    task = task_of(config, arm_clip("right arm", 7, -2.8), arm_clip("left arm", 11, -2.8))
    _, failed, finished = task.step(no_action(task))
    task.reset(failed | finished)
    stays = ~failed
    task.left += 100
    for _ in range(2):
        _, failed, _ = task.step(no_action(task))
        assert not failed[stays].any()
    failed = task.step(no_action(task))[1]
    assert failed[stays].any()  # half way between two poses when time was up
    task.reset(failed)
    assert not task.patience[failed].any()
    assert torch.equal(task.engine.state().qpos(task.engine.skeleton)[failed], task._qpos[rows_of(task)][failed])


def rows_of(task: TrackingTask) -> torch.Tensor:
    return task.windows.rows(task.clip, task.end, task.frame)[0]


def test_falling_is_a_failure_where_the_clip_stands() -> None:
    task = task_of(TrackingConfig(window=5, moving=0.0, failure_distance=9.0), lie_down())
    lies = task.grounded
    assert not lies[task.start < 80].any()
    assert lies[task.start > 120].all()
    place = task.library.rows(task.clip, torch.full_like(task.clip, 170))
    task.engine.reset(torch.arange(64), task._qpos[place], task._qvel[place])
    task.excused[:5] = 9
    for _ in range(6):
        failed = task.step(no_action(task))[1]
    expected = ~lies
    expected[:5] = False
    assert torch.equal(failed, expected)


def test_who_stays_where_the_clip_goes_is_left_behind() -> None:
    speed = 3.0
    task = task_of(TrackingConfig(failure_distance=9.0), glide(speed), worlds=2)
    standing = task._qvel[rows_of(task)].clone()
    standing[0, 0] = 0.0  # the other goes along at first, and skids to a halt
    task.engine.reset(torch.arange(2), task._qpos[rows_of(task)], standing)
    before = task.engine.state().positions[:, 0, :2].clone()
    for step in range(1, 12):
        _, failed, _ = task.step(no_action(task))
        missing = torch.tensor([speed * step / 30, 0.0]) - (task.engine.state().positions[:, 0, :2] - before)
        torch.testing.assert_close(task.lag, missing, atol=0.1, rtol=0)
        assert torch.equal(failed, task.lag.norm(dim=-1) > 0.75)
    assert failed[0] and task.lag[1].norm() < task.lag[0].norm() - 0.3
    task.reset(failed)
    assert not task.lag[failed].any()


def test_who_finds_into_a_window_is_not_left_behind() -> None:
    task = task_of(TrackingConfig(failure_distance=9.0), glide(3.0), worlds=2)
    task.engine.reset(torch.arange(2), task._qpos[rows_of(task)], torch.zeros_like(task._qvel[:2]))
    task.patience[:] = torch.tensor([10, 0])
    for _ in range(5):
        task.step(no_action(task))
    assert not task.lag[0].any()
    assert task.lag[1, 0] > 0.3
