"""Worlds of imitation: how episodes begin, what counts as a fall, what a discriminator sees."""

from dataclasses import replace

import torch

from anyskill.body.observation import adversarial_frame
from anyskill.controller.world import DROP, ENCODED, WINDOW, ImitationWorld, WorldConfig
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import SKELETON, arm_clip, library, lie_down

WORLDS = 64


def make(config: WorldConfig, motions: MotionLibrary | None = None) -> ImitationWorld:
    return ImitationWorld(MujocoCpu(WORLDS), motions or library(), torch.Generator().manual_seed(0), config)


def everyone() -> torch.Tensor:
    return torch.ones(WORLDS, dtype=torch.bool)


def test_where_episodes_begin() -> None:
    heights = make(WorldConfig(fall_start=1.0)).engine.state().positions[:, 0, 2]
    assert heights.max() < 0.7  # some end up sitting
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0))
    dofs = SKELETON.dofs_from_rotations(SKELETON.local_rotations(world.engine.state().rotations))
    assert dofs.abs().max() < 1e-5
    world = make(WorldConfig(fall_start=0.0, reference_start=1.0))
    dofs = SKELETON.dofs_from_rotations(SKELETON.local_rotations(world.engine.state().rotations))
    assert (dofs.abs().amax(1) > 0.1).float().mean() > 0.5  # an arm of most is somewhere in its swing


def test_the_window_holds_the_last_ten_frames_newest_first() -> None:
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0))
    seen = [adversarial_frame(world.engine.state(), SKELETON)]
    assert torch.equal(world.window, seen[0][:, None].expand(-1, WINDOW, -1))
    for _ in range(12):
        world.step(torch.zeros(WORLDS, 28))
        seen.append(adversarial_frame(world.engine.state(), SKELETON))
    assert torch.equal(world.window, torch.stack(seen[:-11:-1], 1))


def test_up_is_the_height_of_the_head_and_no_matter_where_the_latent_lies_down() -> None:
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0))
    assert torch.equal(world.up(), torch.ones(WORLDS))
    world = make(WorldConfig(fall_start=1.0))
    head = world.engine.state().positions[:, SKELETON.index("head"), 2]
    lying = head < 0.3
    assert lying.any()
    assert (world.up()[lying] < 0.5).all() and (world.up()[lying] > 0.0).all()
    world.grounded[:] = True
    assert torch.equal(world.up(), torch.ones(WORLDS))


def test_a_fall_ends_an_episode_unless_it_is_excused() -> None:
    config = WorldConfig(fall_start=0.0, reference_start=0.0, recovery=0.0, recovery_steps=1000)
    folded = torch.zeros(WORLDS, 28)
    folded[:, [17, 24]] = 1.0
    world = make(config)
    fallen = torch.zeros(WORLDS, dtype=torch.bool)
    for _ in range(60):
        fallen |= world.step(folded)[0]
    assert fallen.all()
    world.reset(everyone(), everyone())
    assert (world.engine.state().positions[:, 0, 2] > 0.8).all()
    # Left lying to get up: the same body, and lying is no fall for a while.
    world = make(replace(config, recovery=1.0))
    for _ in range(60):
        last = world.step(folded)[0]
    assert last.any()
    height = world.engine.state().positions[:, 0, 2].clone()
    world.reset(last, last)
    assert torch.equal(world.engine.state().positions[last, 0, 2], height[last])
    assert not (world.step(folded)[0] & last).any()


def test_time_runs_out() -> None:
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0, episode=5))
    late = [world.step(torch.zeros(WORLDS, 28))[1] for _ in range(5)]
    assert not torch.stack(late[:4]).any()
    assert late[4].all()


def test_a_latent_that_goes_down_excuses_going_down_but_no_further() -> None:
    lying = lie_down()
    heights = lying.root_positions.clone()
    heights[:, 2].clamp_(min=0.5)
    kneeling = replace(lying, root_positions=heights, rotations=lying.rotations[:1].repeat(lying.num_frames, 1, 1))
    folded = torch.zeros(WORLDS, 28)
    folded[:, [17, 24]] = 1.0
    for clip, excuse, excused in ((lying, False, False), (lying, True, True), (kneeling, True, False)):
        world = make(WorldConfig(fall_start=0.0, reference_start=0.0, excuse_ground=excuse), MotionLibrary([clip]))
        world.assign(torch.arange(WORLDS), window_of(0, 180))
        assert world.grounded.all() == excuse
        fallen = torch.stack([world.step(folded)[0] for _ in range(60)]).any(0)
        assert fallen.any() != excused
    # Who lies as it is to kneel is given time to get up as far.
    world.recovering.zero_()
    lies = (world.engine.state().positions[:, SKELETON.index("head"), 2] < world.lowest - DROP).clone()
    world.assign(torch.arange(WORLDS), window_of(0, 180))
    assert lies.any() and torch.equal(world.recovering > 0, lies)


def test_latents_are_held_for_a_time_out_of_the_range() -> None:
    world = make(WorldConfig(latent_steps=(3, 6), fall_start=0.0, reference_start=0.0))
    assert len(world.due()) == WORLDS
    held = world.until_switch.clone()
    assert held.min() == 3
    assert held.max() == 5
    for _ in range(3):
        world.step(torch.zeros(WORLDS, 28))
    assert torch.equal(world.due(), (held == 3).nonzero()[:, 0])


def window_of(clip: int, end: int) -> dict[str, torch.Tensor]:
    return {"clip": torch.full((WORLDS,), clip), "end": torch.full((WORLDS,), end)}


def test_tracking_follows_the_window_and_stays_at_its_end() -> None:
    motions = library()
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0), motions)
    world.assign(torch.arange(WORLDS), window_of(0, 89))  # frames 30 to 89: the arm goes up, and down again
    assert (world.began <= 4).all()  # all stand with the arm down, as in the frames before
    world.began.fill_(30)
    for held, frame in ((1, 31), (29, 59), (59, 89), (200, 89)):
        for late, slack, alike in ((0, 0, True), (15, 15, True), (15, 14, True), (-31, -15, False)):
            place = torch.full((WORLDS,), 0), torch.full((WORLDS,), max(frame + late, 0))
            qpos, qvel = motions.generalized(*place)
            world.engine.reset(torch.arange(WORLDS), qpos, qvel * (held < 60))  # at its end it rests
            world.held.fill_(held)
            world.slack.fill_(slack)
            assert (world.tracking() > 0.98).all() == (alike and frame + late <= 89)
            if alike and frame + late <= 89:
                assert (world.slack == late).all()


def test_half_a_wave_held_for_ever_is_no_wave() -> None:
    motions = MotionLibrary([arm_clip("right arm swings", 7, -0.6, seconds=1.0)])  # it goes on, from frame 30 to 1
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0), motions)
    everyone, paid = torch.arange(WORLDS), {}
    for name, waves in (("waves", True), ("rests", False)):
        world.assign(everyone, window_of(0, 30))
        world.began.fill_(15)  # the arm is up
        paid[name] = 0.0
        for step in range(90):
            frame = torch.full((WORLDS,), 15 + waves * step)
            qpos, qvel = motions.generalized(0 * everyone, (frame - 1) % 30 + 1)
            world.engine.reset(everyone, qpos, waves * qvel)
            world.held.fill_(step)
            paid[name] += float(world.tracking().mean()) / 90
    assert paid["waves"] > 0.99
    assert paid["rests"] < 0.93


def test_latents_that_move_along_begin_where_their_worlds_have_come_to() -> None:
    swings = arm_clip("swings", 7, -0.6, seconds=1.0)
    motions = MotionLibrary([arm_clip("arm", 7, -0.6), swings, replace(arm_clip("goes round", 7, -0.6), loop=True)])
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0, moving=0.5, stay=(5, 6)), motions)
    clip, end = torch.arange(WORLDS) % 3, torch.tensor([80, 30, 80])[torch.arange(WORLDS) % 3]
    world.assign(torch.arange(WORLDS), {"clip": clip, "end": end, "latent": torch.zeros(WORLDS, 2)})
    assert not len(world.onward()[0])
    moves = world.stay > 0
    assert 0.2 < float(moves.float().mean()) < 0.8
    world.began[:] = torch.tensor([50, 20, 50])[clip]
    world.slack.fill_(2)
    for _ in range(5):
        world.step(torch.zeros(WORLDS, 28))
    before = world._shown(world.slack)
    worlds, clips, ends = world.onward()
    assert torch.equal(worlds, moves.nonzero()[:, 0]) and torch.equal(clips, clip[worlds])
    # 50 or 20, five steps and two frames ahead are 57, and 27; a window of the short clip begins half a second before
    # its end at the latest.
    assert torch.equal(ends, torch.tensor([57, 16, 57])[clips] + ENCODED - 1)
    world.move_on(worlds, {"clip": clips, "end": ends, "latent": torch.ones(len(worlds), 2)})
    torch.testing.assert_close(world._shown(world.slack), before)
    assert torch.equal(world.latents["latent"][:, 0], moves.float())
    assert torch.equal(world.latents["end"][~moves], end[~moves])
    assert (world.stay[worlds] == 5).all() and (world.held == 5).all()
    for _ in range(5):
        world.step(torch.zeros(WORLDS, 28))
    before = world._shown(world.slack)
    worlds, clips, ends = world.onward()
    assert torch.equal(worlds, moves.nonzero()[:, 0])
    assert torch.equal(ends, torch.tensor([62, 2, 62])[clips] + 59)  # beyond the first clip, which has 121 frames
    world.move_on(worlds, {"clip": clips, "end": ends, "latent": torch.ones(len(worlds), 2)})
    torch.testing.assert_close(world._shown(world.slack), before)  # the swing has gone round: 32 is 2


def test_a_latent_that_moves_on_from_the_ground_leaves_time_to_get_up() -> None:
    world = make(WorldConfig(excuse_ground=True, recovery_steps=33, moving=1.0), MotionLibrary([lie_down()]))
    world.assign(torch.arange(WORLDS), window_of(0, 180))
    assert world.grounded.all()
    world.recovering.zero_()
    world.move_on(torch.arange(5), {name: part[:5] for name, part in window_of(0, 60).items()})
    assert not world.grounded[:5].any() and world.grounded[5:].all()
    assert (world.recovering[:5] == 33).all() and not world.recovering[5:].any()


def test_some_episodes_begin_where_the_latents_window_does() -> None:
    motions = library()
    world = make(WorldConfig(fall_start=0.0, reference_start=0.5, matched_start=0.6), motions)
    before = world.engine.state().positions.clone()
    world.assign(torch.arange(WORLDS), window_of(0, 99))
    moved = (world.engine.state().positions != before).flatten(1).any(1)
    assert 0.1 < moved.float().mean() < 0.5
    assert not moved[~world.in_clip].any()
    place = torch.zeros(int(moved.sum()), dtype=torch.long), torch.full((int(moved.sum()),), 40)
    torch.testing.assert_close(
        world.engine.state().positions[moved], motions.states(*place).positions, atol=1e-5, rtol=0
    )
    assert torch.equal(world.window[moved], motions.windows(*place, WINDOW))
    world.step(torch.zeros(WORLDS, 28))
    before = world.engine.state().positions.clone()
    world.assign(torch.arange(WORLDS), window_of(1, 99))  # in the middle of an episode nobody is moved
    assert torch.equal(world.engine.state().positions, before)


def test_roughness_is_the_change_of_the_action_within_an_episode() -> None:
    world = make(WorldConfig(fall_start=0.0, reference_start=0.0))
    world.step(torch.full((WORLDS, 28), 0.2))
    assert not world.roughness().any()  # an episode's first action changes nothing
    world.step(torch.full((WORLDS, 28), 0.5))
    torch.testing.assert_close(world.roughness(), torch.full((WORLDS,), 0.09))
