import math

import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.authored import authored_clips
from anyskill.motion.ground import lowest_points
from anyskill.motion.library import MotionLibrary
from anyskill.vision_language.bodyclip.batches import history_facts
from anyskill.vision_language.bodyclip.moments import (
    STOPPED,
    Moments,
    MomentSampler,
    all_labels,
    mirror,
    placed,
    slowed,
    stopped,
    turned,
    unsteady,
)
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.made_up import library
from tests.vision_language.bodyclip.poses import random_states

SKELETON = skeleton_of(HUMANOID)
LIBRARY = library()
ALL = torch.ones(len(LIBRARY), dtype=torch.bool)


def _sample(count: int = 200, frames: int = 3, kept: float = 0.3, seed: int = 0, interval: float = 0.2) -> Moments:
    return MomentSampler(LIBRARY, ALL, kept).sample(count, frames, interval, torch.Generator().manual_seed(seed))


def test_shapes_and_place() -> None:
    moments = _sample()
    state = moments.states
    assert state.positions.shape == (200, 3, 15, 3)
    torch.testing.assert_close(state.positions[:, -1, 0, :2], torch.zeros(200, 2), atol=1e-5, rtol=0)
    yaw = rotation.heading(state.rotations[:, -1, 0])
    assert 0.55 < float((yaw.abs() < 1.2).float().mean()) < 0.95 and bool((yaw.abs() > 2).any())


def test_bodies_hold_together_and_stand_on_the_ground() -> None:
    state = _sample().states
    local = SKELETON.local_rotations(state.rotations)
    positions, _ = SKELETON.forward(state.positions[..., 0, :], local)
    torch.testing.assert_close(positions, state.positions, atol=1e-4, rtol=0)
    assert float(lowest_points(HUMANOID, state.positions, state.rotations).amin(-1).min()) > -1e-3
    dofs = SKELETON.dofs_from_rotations(local)
    hinges = [SKELETON.dof_slices[SKELETON.index(name)].start for name in ("right_shin", "left_shin")]
    assert float(dofs[..., hinges].min()) > -0.01


def test_velocities_belong_to_what_is_seen() -> None:
    state = _sample(frames=4, interval=0.1).states
    moved = state.positions[:, 1:] - state.positions[:, :-1]
    mean = 0.5 * (state.linear_velocities[:, 1:] + state.linear_velocities[:, :-1]) * 0.1
    moving = moved.norm(dim=-1) > 0.03
    assert int(moving.sum()) > 500
    cosine = torch.nn.functional.cosine_similarity(moved[moving], mean[moving], dim=-1)
    assert float((cosine > 0.7).float().mean()) > 0.9


def test_some_histories_are_others_held_still() -> None:
    moments = _sample(kept=1.0)
    held, others = moments.states[: int(STOPPED * 200)], moments.states[int(STOPPED * 200) :]
    assert not held.linear_velocities.any() and not held.angular_velocities.any()
    torch.testing.assert_close(held.positions, held.positions[:, -1:].expand(-1, 3, -1, -1))
    pose, poses = (SKELETON.local_rotations(states.rotations[:, -1])[:, 1:] for states in (held, others))
    apart, twin = (pose[:, None] - poses[None]).abs().amax((2, 3)).min(1)
    assert float(apart.max()) < 1e-5
    assert bool((moments.clip[: len(twin)] == -1).all()), "arms that go up and down are not what they are without it"


def test_motions_that_are_a_pose_and_motions_that_are_none() -> None:
    library = MotionLibrary(authored_clips())
    sampler = MomentSampler(library, torch.ones(len(library), dtype=torch.bool))
    restless = {name for name, pace in zip(library.names, sampler.pace.tolist(), strict=True) if pace > 0}
    assert {"wave_with_right_hand", "clap", "nod", "march_in_place", "kick_forward_right", "turn_left"} <= restless
    assert restless.isdisjoint({"raise_both_arms", "bow", "hands_on_hips", "touch_toes", "lie_down_on_back"})


def test_a_march_that_pauses_is_no_march() -> None:
    library = MotionLibrary([clip for clip in authored_clips() if clip.name in ("march_in_place", "hands_on_hips")])
    sampler = MomentSampler(library, torch.ones(2, dtype=torch.bool), kept=1.0)
    march = library.names.index("march_in_place")
    histories = sampler.sample(400, 3, 0.2, torch.Generator().manual_seed(0))
    named = torch.tensor(["march in place" in labels for labels in sampler.labels_of(histories)])
    assert set(histories.clip[named].tolist()) == {march} and int((histories.clip == march).sum()) > 150
    speed = histories.states.linear_velocities.norm(dim=-1).amax((1, 2))
    assert 40 < int(named.sum()) < 200
    assert float(speed[named].min()) > 0.3 and float(speed[named].median()) > 0.6
    single = sampler.sample(400, 1, 0.2, torch.Generator().manual_seed(0))
    named = torch.tensor([bool(labels) for labels in sampler.labels_of(single)])
    assert set(single.clip[named].tolist()) == {1 - march} and march in single.clip.tolist()


def test_what_is_slowed_comes_to_the_same_end_by_a_shorter_way() -> None:
    moments = _sample(kept=1.0).states
    slow = slowed(moments, torch.Generator().manual_seed(0))
    torch.testing.assert_close(slow.positions[:, -1], moments.positions[:, -1])

    def way(states: BodyState) -> torch.Tensor:
        turn = rotation.multiply(rotation.conjugate(states.rotations[:, -1]), states.rotations[:, 0])
        moved = (states.positions[:, 0] - states.positions[:, -1]).norm(dim=-1)
        return torch.stack((moved, rotation.to_rotation_vector(turn).norm(dim=-1)), -1)

    speed, slower = (states.linear_velocities.norm(dim=-1).sum((1, 2)) for states in (moments, slow))
    share = torch.where(speed > 0, slower / speed, 0.0)
    assert 0.0 <= float(share.min()) < 0.02 and 0.35 < float(share.max()) <= 0.4
    torch.testing.assert_close(way(slow), share[:, None, None] * way(moments), atol=2e-3, rtol=0)
    assert float(way(moments)[..., 1].max()) > 0.5


def test_nobody_stands_quite_still() -> None:
    states = stopped(_sample().states)
    swaying = unsteady(states, torch.Generator().manual_seed(0))
    assert swaying.positions is states.positions
    speed = swaying.linear_velocities.norm(dim=-1).mean((1, 2))
    assert 0.03 < float(speed.mean()) < 0.06 and float(speed.max()) < 0.1 and float(speed.min()) < 0.005
    assert 0.09 < float(swaying.angular_velocities.norm(dim=-1).mean()) < 0.15


def test_a_single_moment_is_not_held_still() -> None:
    assert bool((_sample(frames=1, kept=1.0).states.linear_velocities.abs().amax((1, 2, 3)) > 0).float().mean() > 0.5)


def test_only_what_is_kept_has_a_name() -> None:
    assert bool((_sample(kept=0.0).clip == -1).all())
    kept = _sample(kept=1.0)
    named = kept.clip >= 0
    assert 0.3 < float(named.float().mean()) < 0.8
    right_up = (kept.clip == 0) & ~kept.mirrored
    assert bool(history_facts(kept.states[right_up]).holds("arm_raised.right").any())


def test_labels_follow_the_mirror() -> None:
    sampler = MomentSampler(LIBRARY, ALL, kept=0.5)
    sampler.pace.zero_()  # as if the arms were what they are called at any speed
    moments = sampler.sample(200, 1, 0.2, torch.Generator().manual_seed(0))
    labels = sampler.labels_of(moments)
    assert {labels[row] for row in range(200) if moments.clip[row] == 0} == {("right arm up",), ("left arm up",)}
    for row in range(200):
        if moments.clip[row] == 0 and moments.mirrored[row]:
            assert labels[row] == ("left arm up",)
        if moments.clip[row] < 0:
            assert labels[row] == ()
    assert all_labels(LIBRARY.labels) == ["left arm up", "left elbow", "right arm up", "right elbow"]


def test_limbs_are_exchanged_only_among_the_chosen_motions() -> None:
    only = torch.tensor([True, False, False, False])
    still = MomentSampler(LIBRARY, only, kept=1.0).sample(50, 1, 0.2, torch.Generator().manual_seed(0))
    assert set(still.clip.tolist()) <= {-1, 0}
    with pytest.raises(VisionLanguageError, match="no motion"):
        MomentSampler(LIBRARY, ~ALL)


def test_one_seed_one_sample() -> None:
    first, second, other = _sample(seed=3), _sample(seed=3), _sample(seed=4)
    assert torch.equal(first.states.positions, second.states.positions)
    assert not torch.equal(first.states.positions, other.states.positions)


def test_variety() -> None:
    """Random poses are not those of the motions, and not all alike."""
    facts = history_facts(_sample(400, 1, kept=0.0).states)
    told = {fact for true in facts.true for fact in true}
    assert {"arm_overhead.right", "arm_to_side.left", "knee_raised.right", "look_sideways.left"} <= told


def test_mirror_and_turn() -> None:
    states = random_states(20, 0)
    twice = mirror(mirror(states))
    torch.testing.assert_close(twice.rotations, states.rotations)
    positions, _ = SKELETON.forward(mirror(states).positions[:, 0], SKELETON.local_rotations(mirror(states).rotations))
    torch.testing.assert_close(positions, mirror(states).positions)
    quarter = turned(states, torch.full((20,), math.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(quarter.positions[..., 0], -states.positions[..., 1])
    torch.testing.assert_close(quarter.linear_velocities[..., 1], states.linear_velocities[..., 0])


def test_placed() -> None:
    moments = _sample(20).states
    there = placed(moments, torch.full((20,), 0.5))
    torch.testing.assert_close(rotation.heading(there.rotations[:, -1, 0]), torch.full((20,), 0.5))
    torch.testing.assert_close(there.positions[..., 2], moments.positions[..., 2])
