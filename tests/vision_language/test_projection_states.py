from dataclasses import replace

import torch

from anyskill import rotation
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.motion.library import MotionLibrary
from anyskill.vision_language.projection_states import MotionStates, mixed, vary
from anyskill.vision_language.projection_training import StateSource

from .bodies import SKELETON, clip, library


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clearance(states: BodyState) -> torch.Tensor:
    return lowest_points(SKELETON.character, states.positions, states.rotations).amin(-1)


def test_plain_states_are_frames_of_motions() -> None:
    states = MotionStates(library(), varied=0)(20, seeded())
    assert states.batch_shape == (20,)
    frames = library().states(*library().places())
    distance = (states.positions[:, None] - frames.positions[None]).norm(dim=-1).amax(-1).amin(-1)
    assert distance.max() < 1e-6


def test_histories_are_spaced_by_the_interval() -> None:
    histories = MotionStates(library(), 3, interval=0.2, varied=0)(50, seeded())
    assert histories.batch_shape == (50, 3)
    steps = histories.positions[:, 1:, 0, 0] - histories.positions[:, :-1, 0, 0]
    expected = 0.3 * 2 * torch.pi / 120 * 6  # six frames of a clip's even walk
    within = steps[:, 0] > 1e-6  # before a clip's start it stands still
    assert within.sum() > 30
    assert torch.allclose(steps[within][:, 1], torch.tensor(expected), atol=1e-5)


def test_histories_of_a_loop_go_on_where_the_last_round_ended() -> None:
    looped = MotionLibrary([replace(clip("right arm", 7, -1.5), loop=True)])
    histories = MotionStates(looped, 3, interval=0.2, varied=0)(100, seeded())
    steps = histories.positions[:, 1:, 0, 0] - histories.positions[:, :-1, 0, 0]
    assert torch.allclose(steps, torch.tensor(0.3 * 2 * torch.pi / 120 * 6), atol=1e-4)


def test_variations_are_plausible() -> None:
    original = MotionStates(library(), 2, varied=0)(200, seeded())
    varied = vary(original, SKELETON, seeded(1))
    dofs = SKELETON.dofs_from_rotations(SKELETON.local_rotations(varied.rotations))
    low, high = SKELETON.limits.float().unbind(-1)
    assert (dofs >= low - 1e-3).all() and (dofs <= high + 1e-3).all()
    assert torch.allclose(clearance(varied), clearance(original).clamp_min(0), atol=1e-4)
    assert (varied.positions - original.positions).norm(dim=-1).amax(-1).min() > 0
    up = varied.rotations[:, 0, 0, 1:3].norm(dim=-1)
    assert 0.15 < (up > 1e-4).float().mean() < 0.45  # tilted


def test_a_history_is_varied_as_a_whole() -> None:
    original = MotionStates(library(), 2, interval=1 / 30, varied=0)(100, seeded())
    varied = vary(original, SKELETON, seeded(1))
    moved = (varied.positions[:, 1] - varied.positions[:, 0]).norm(dim=-1)
    assert moved.max() < 0.15  # m in a thirtieth of a second


def test_what_is_varied_moves_as_it_seems() -> None:
    states = MotionStates(library(), 3, interval=1 / 30, varied=1)(100, seeded())
    difference = (states.positions[:, 2] - states.positions[:, 0]) * 15
    assert difference.norm(dim=-1).amax() > 0.2
    assert torch.allclose(states.linear_velocities[:, 1], difference, atol=1e-4)
    turn = rotation.multiply(states.rotations[:, 2], rotation.conjugate(states.rotations[:, 0]))
    assert torch.allclose(states.angular_velocities[:, 1], 15 * rotation.to_rotation_vector(turn), atol=1e-3)


def test_the_same_stream_gives_the_same_states() -> None:
    source = MotionStates(library(), 2)
    a, b, c = source(10, seeded()), source(10, seeded()), source(10, seeded(1))
    assert torch.equal(a.positions, b.positions)
    assert not torch.equal(a.positions, c.positions)


def test_sources_share() -> None:
    def at(height: float) -> StateSource:
        def source(count: int, draws: torch.Generator) -> BodyState:
            zeros = torch.zeros(count, 15, 3)
            return BodyState(zeros + height, torch.ones(count, 15, 4), zeros, zeros, zeros)

        return source

    heights = mixed(at(1.0), at(2.0))(5, seeded()).positions[:, 0, 0].tolist()
    assert heights == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert mixed(at(1.0), at(2.0))(1, seeded()).batch_shape == (1,)
