"""The motion library: places by chance, and what lies at them, against slow float64 loops."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
from anyskill.body.observation import adversarial_frame
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.bench import cases, synthetic_clip
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.library import MotionLibrary

SKELETON = skeleton_of(HUMANOID)
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")),
]


def circling(name: str, cycles: int, loop: bool, turn: float = 0.5, period: float = 1.0, fps: float = 30.0) -> Clip:
    """Walks along a circle with swinging limbs: after every period the same pose, ``turn`` rad further."""
    time = torch.arange(round(cycles * period * fps) + 1, dtype=torch.float64) / fps
    phase = 2 * math.pi * time[:, None] / period + torch.arange(28)
    dofs = 0.2 * torch.sin(phase)
    angle = turn * time / period + 0.1 * torch.sin(2 * math.pi * time / period)
    path = turn * time / period + 0.3
    position = torch.stack((2 * path.sin() + 1, -2 * path.cos(), 0.9 + 0.02 * phase[:, 0].sin()), -1)
    root = rotation.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]).double().expand(len(time), 3), angle)
    return Clip(name, fps, position, SKELETON.rotations_from_dofs(root, dofs), loop=loop)


def clips() -> list[Clip]:
    return [
        synthetic_clip(0, seconds=3.0, fps=30.0),
        synthetic_clip(1, seconds=5.0, fps=60.0),
        synthetic_clip(2, seconds=0.2, fps=30.0),
        synthetic_clip(3, seconds=4.0, fps=47.0),
        circling("loop", 1, True),
    ]


def seeded(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def slow_window(clip: Clip, frame: int, length: int) -> Tensor:
    """One frame after the other, in float64, from the clip itself; of a loop, from the middle one of three rounds."""
    states = (circling("rounds", 3, False) if clip.loop else clip).resampled(30.0).states()
    period = clip.resampled(30.0).num_frames - 1
    rows = []
    for back in range(length):
        index = frame - back
        index = index % period + period if clip.loop else max(index, 0)
        rows.append(adversarial_frame(states[index], SKELETON))
    return torch.stack(rows)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("length", [2, 10, 60])
def test_windows_equal_a_slow_loop(length: int, device: str) -> None:
    given = clips()
    library = MotionLibrary(given, device=device)
    clip, frame = library.sample(60, seeded(device=device))
    windows = library.windows(clip, frame, length).cpu()
    assert windows.shape == (60, length, 125) and windows.dtype == torch.float32
    assert len(set(clip.tolist())) == len(given)
    for i in range(60):
        expected = slow_window(given[int(clip[i])], int(frame[i]), length)
        np.testing.assert_allclose(windows[i], expected, atol=2e-5)


def test_a_stride_takes_every_so_many_frames() -> None:
    library = MotionLibrary(clips())
    clip, frame = library.sample(20, seeded())
    assert torch.equal(library.windows(clip, frame, 15, stride=4), library.windows(clip, frame, 60)[:, ::4])


def test_windows_are_padded_with_the_first_frame() -> None:
    library = MotionLibrary(clips())
    window = library.windows(torch.tensor([0]), torch.tensor([3]), 10)[0]
    first = library.windows(torch.tensor([0]), torch.tensor([0]), 1)[0, 0]
    assert torch.equal(window[3:], first.expand(7, -1))
    assert not torch.allclose(window[2], first)


def test_windows_into_a_buffer() -> None:
    library = MotionLibrary(clips())
    place = library.sample(7, seeded())
    buffer = torch.full((7, 10, 125), math.nan)
    assert library.windows(*place, 10, out=buffer) is buffer
    assert torch.equal(buffer, library.windows(*place, 10))


@pytest.mark.parametrize("turn", [0.0, 0.5, -2.9, 4.0])
def test_a_loop_is_the_motion_that_goes_on(turn: float) -> None:
    """One cycle, looped, against four cycles in one plain clip, away from that clip's ends."""
    library = MotionLibrary([circling("one", 1, True, turn), circling("four", 4, False, turn)])
    assert library.lengths.tolist() == [30, 121]
    frame = torch.arange(10, 110)
    looped, plain = (library.states(torch.full_like(frame, clip), frame) for clip in (0, 1))
    same = (looped.rotations * plain.rotations).sum(-1, keepdim=True).sign()
    np.testing.assert_allclose(looped.rotations * same, plain.rotations, atol=3e-6)
    for name in ("positions", "linear_velocities", "angular_velocities"):
        np.testing.assert_allclose(getattr(looped, name), getattr(plain, name), atol=3e-5, err_msg=name)
    ends = torch.arange(70, 110)
    ones = torch.ones_like(ends)
    np.testing.assert_allclose(library.windows(0 * ones, ends % 30, 60), library.windows(ones, ends, 60), atol=3e-5)


def test_a_loop_of_no_whole_number_of_frames_is_stretched() -> None:
    clip = circling("loop", 1, True, period=0.99, fps=100.0)  # 29.7 frames
    library = MotionLibrary([clip])
    assert library.durations == (1.0,)
    frame = torch.arange(-30, 61)
    steps = library.states(torch.zeros_like(frame), frame).positions.diff(dim=0).norm(dim=-1)
    np.testing.assert_allclose(steps[:30], steps[30:60], atol=1e-5)  # every cycle alike, seams included
    assert steps.diff(dim=0).abs().max() < 0.01


def test_states_are_those_of_the_clips() -> None:
    given = clips()[:4]
    library = MotionLibrary(given)
    for number, clip in enumerate(given):
        expected = clip.resampled(30.0).states()
        frame = torch.arange(len(expected.positions))
        found = library.states(torch.full_like(frame, number), frame)
        for field in fields(expected):
            np.testing.assert_allclose(getattr(found, field.name), getattr(expected, field.name), atol=2e-5)
        qpos, qvel = library.generalized(torch.full_like(frame, number), frame)
        np.testing.assert_allclose(qpos, expected.qpos(SKELETON), atol=2e-5)
        np.testing.assert_allclose(qvel, expected.qvel(SKELETON), atol=1e-4)


def test_states_of_any_shape_and_after_the_end() -> None:
    library = MotionLibrary(clips())
    clip, frame = torch.tensor([[0], [4]]), torch.tensor([[88, 89, 90, 91, 500]]).expand(2, 5)
    states = library.states(clip.expand(2, 5), frame)
    assert states.positions.shape == (2, 5, 15, 3)
    assert torch.equal(states.positions[0, 2], states.positions[0, 4])
    assert not torch.equal(states.positions[0, 1], states.positions[0, 2])
    assert library.ended(clip, frame).tolist() == [[False, False, True, True, True], [False] * 5]


def test_clips_are_sampled_by_weight() -> None:
    weights = torch.tensor([0.0, 1.0, 2.5, 0.5, 0.0])
    clip, _ = MotionLibrary(clips(), weights).sample(20_000, seeded())
    counts = torch.bincount(clip, minlength=5).numpy()
    assert counts[[0, 4]].tolist() == [0, 0]
    expected = 20_000 * (weights / weights.sum()).numpy()[1:4]
    assert scipy.stats.chisquare(counts[1:4], expected).pvalue > 0.01


@pytest.mark.parametrize(("clip", "margin", "choices"), [(0, 0, 91), (0, 59, 32), (2, 0, 7), (2, 9, 1), (4, 59, 30)])
def test_frames_are_sampled_uniformly(clip: int, margin: int, choices: int) -> None:
    weights = torch.zeros(5)
    weights[clip] = 1
    _, frame = MotionLibrary(clips(), weights).sample(20_000, seeded(), margin)
    counts = torch.bincount(frame)
    assert len(counts) == choices
    if choices > 1:
        assert scipy.stats.chisquare(counts.numpy()).pvalue > 0.01


def test_sampling_is_the_generators() -> None:
    library = MotionLibrary(clips())
    torch.manual_seed(1)
    first = library.sample_pair(100, seeded(5))
    torch.manual_seed(2)
    again = library.sample_pair(100, seeded(5))
    other = library.sample_pair(100, seeded(6))
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, other))


def test_windows_end_so_that_they_fit() -> None:
    library = MotionLibrary(clips())
    clip, end = library.sample_windows(5_000, seeded(), 60)
    length = library.lengths[clip]
    plain = clip != 4
    assert (end < length).all()
    assert (end[plain] >= (length[plain] - 1).clamp_max(59)).all()
    assert set(end[clip == 2].tolist()) == {6}
    assert set(end[clip == 0].tolist()) == set(range(59, 91))
    assert set(end[clip == 4].tolist()) == set(range(30))


def test_the_inner_window_lies_in_the_outer_one() -> None:
    library = MotionLibrary(clips())
    clip, outer, inner = library.sample_pair(20_000, seeded())
    back = (outer - inner) % library.lengths[clip]
    plain = clip != 4
    assert (inner[plain] <= outer[plain]).all()
    long = plain & (clip != 2)
    assert set(back[long].tolist()) == set(range(51))
    assert scipy.stats.chisquare(torch.bincount(back[long]).numpy()).pvalue > 0.01
    assert set(back[clip == 2].tolist()) == {0}
    # The frames of the inner window are frames of the outer one.
    some = long.nonzero()[:50, 0]
    wide, narrow = (library.windows(clip[some], end[some], length) for end, length in ((outer, 60), (inner, 10)))
    for i, start in enumerate(back[some].tolist()):
        assert torch.equal(wide[i, start : start + 10], narrow[i])


def test_overlapping_windows_start_half_a_second_apart_at_most() -> None:
    library = MotionLibrary(clips())
    clip, first, second = library.sample_overlapping(20_000, seeded())
    last = library.lengths[clip] - 1
    plain = clip != 4
    later = second - first
    assert ((later >= 0) & (later <= 15) & (second <= last))[plain].all()
    free = plain & (first + 15 <= last)
    assert scipy.stats.chisquare(torch.bincount(later[free], minlength=16).numpy()).pvalue > 0.01
    assert set(((second - first) % 30)[~plain].tolist()) == set(range(16))


def test_a_mirrored_clip_is_the_mirror_image() -> None:
    clip = synthetic_clip(0, seconds=2.0)
    library = MotionLibrary([clip, clip.mirrored()])
    frame = torch.arange(60)
    one, other = (library.states(torch.full_like(frame, i), frame) for i in (0, 1))
    left, right = SKELETON.index("left_hand"), SKELETON.index("right_hand")
    flip = torch.tensor([1.0, -1.0, 1.0])
    np.testing.assert_allclose(one.positions[:, left] * flip, other.positions[:, right], atol=1e-5)
    np.testing.assert_allclose(one.linear_velocities[:, left] * flip, other.linear_velocities[:, right], atol=1e-4)
    assert library.names == ("synthetic-0", "synthetic-0-mirrored")


def test_memory_grows_with_the_clips() -> None:
    clip = synthetic_clip(0)
    one, ten = (MotionLibrary([replace(clip, name=f"{i}") for i in range(n)]) for n in (1, 10))
    assert ten.nbytes == 10 * one.nbytes
    assert len(ten) == 10 and sum(ten.durations) == pytest.approx(50.0)


def test_what_cannot_be_a_library() -> None:
    clip = synthetic_clip(0)
    other = replace(clip, name="other")
    identity = rotation.identity(2, 17, dtype=torch.float64)
    knight = Clip("knight", 30.0, torch.zeros(2, 3).double(), identity, character=SWORD_AND_SHIELD)
    for given, weights, message in [
        ([], None, "at least one clip"),
        ([clip, clip], None, "2 clips .* are named synthetic-0"),
        ([clip, knight], None, "one character"),
        ([clip, other], [1.0], "as many weights"),
        ([clip, other], [1.0, -1.0], "weight of clip other"),
        ([clip, other], [math.nan, 1.0], "weight of clip synthetic-0"),
        ([clip, other], [0.0, 0.0], "all weights"),
    ]:
        with pytest.raises(MotionError, match=message):
            MotionLibrary(given, weights)


def test_the_benchmark_measures_a_real_library() -> None:
    build, memory, sample = cases(quick=True)[:3]
    assert build.run() == 1 and sample.run() == 1
    frames = 10 * 151
    assert memory.run() == pytest.approx(frames * (195 + 125) * 4 / 1e6)


def test_places_and_rows_belong_together() -> None:
    library = MotionLibrary(clips())
    clip, frame = library.places()
    assert torch.equal(library.rows(clip, frame), torch.arange(len(clip)))
    assert torch.bincount(clip).tolist() == library.lengths.tolist()
    assert library.rows(torch.tensor([0, 0, 4, 4]), torch.tensor([-3, 95, -1, 31])).tolist() == [
        library.rows(torch.tensor(c), torch.tensor(f)).item() for c, f in [(0, 0), (0, 90), (4, 29), (4, 1)]
    ]


def test_factors_multiply_the_weights() -> None:
    library = MotionLibrary(clips(), [1.0, 0.0, 2.0, 1.0, 0.0])
    clip, _ = library.sample(20_000, seeded(), factors=torch.tensor([2.0, 9.0, 0.5, 0.0, 9.0]))
    counts = torch.bincount(clip, minlength=5)
    assert counts[[1, 3, 4]].tolist() == [0, 0, 0]
    assert scipy.stats.chisquare(counts[[0, 2]].numpy(), [20_000 * 2 / 3, 20_000 / 3]).pvalue > 0.01
