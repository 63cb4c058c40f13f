"""Scores by hand numbers, and by what must not change them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from anyskill.vision_language.similarity import (
    average_pool,
    clip_score,
    cosine,
    frame_strip,
    goal_baseline,
    separability,
)

seeds = st.integers(0, 2**31)


def units(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def test_cosine_by_hand() -> None:
    image, text = torch.tensor([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0]]), torch.tensor([1.0, 0.0])
    torch.testing.assert_close(cosine(image, text), torch.tensor([0.6, 0.0, -1.0]))


def test_clip_score_by_hand() -> None:
    image, text = torch.tensor([[0.6, 0.8], [-0.6, 0.8], [1.0, 0.0]]), torch.tensor([1.0, 0.0])
    torch.testing.assert_close(clip_score(image, text), torch.tensor([1.5, 0.0, 2.5]))


def test_goal_baseline_by_hand() -> None:
    """g = (1, 0, 0), b = (0, 1, 0), s = (0, 0, 1): the foot of s on the line is the middle, (½, ½, 0)."""
    goal, baseline, image = torch.eye(3)
    # α = 1: ‖(½, ½, 0) − g‖² = ½. α = ½: ‖(¼, ¼, ½) − g‖² = 0.5625 + 0.0625 + 0.25.
    assert goal_baseline(image, goal, baseline, 1.0).item() == pytest.approx(0.75)
    assert goal_baseline(image, goal, baseline, 0.5).item() == pytest.approx(1 - 0.875 / 2)
    assert goal_baseline(image, goal, baseline, 0.0).item() == pytest.approx(0.0)


@given(seeds)
def test_goal_baseline_without_regularisation_is_the_cosine(seed: int) -> None:
    image, goal, baseline = units(seed, 5, 8), units(seed + 1, 8), units(seed + 2, 8)
    torch.testing.assert_close(goal_baseline(image, goal, baseline, 0.0), cosine(image, goal))


@given(seeds, st.floats(0, 1))
def test_the_goal_itself_is_best(seed: int, alpha: float) -> None:
    goal, baseline, image = units(seed, 8), units(seed + 1, 8), units(seed + 2, 8)
    assert goal_baseline(goal, goal, baseline, alpha).item() == pytest.approx(1)
    assert goal_baseline(image, goal, baseline, alpha) <= 1


@given(seeds)
def test_full_regularisation_ignores_what_is_off_the_line(seed: int) -> None:
    goal, baseline, image, away = units(seed, 8), units(seed + 1, 8), units(seed + 2, 8), units(seed + 3, 8)
    along = normalize(goal - baseline, dim=-1)
    sideways = away - (away @ along) * along
    torch.testing.assert_close(
        goal_baseline(image, goal, baseline, 1.0), goal_baseline(image + sideways, goal, baseline, 1.0)
    )


@given(seeds, st.floats(0, 1))
def test_turning_the_space_changes_no_score(seed: int, alpha: float) -> None:
    image, goal, baseline = units(seed, 4, 8), units(seed + 1, 8), units(seed + 2, 8)
    turn = torch.linalg.qr(units(seed + 3, 8, 8)).Q
    torch.testing.assert_close(cosine(image @ turn, goal @ turn), cosine(image, goal))
    torch.testing.assert_close(
        goal_baseline(image @ turn, goal @ turn, baseline @ turn, alpha), goal_baseline(image, goal, baseline, alpha)
    )


def test_a_baseline_equal_to_the_goal_leaves_the_cosine() -> None:
    image, goal = units(0, 4, 8), units(1, 8)
    torch.testing.assert_close(goal_baseline(image, goal, goal, 0.7), cosine(image, goal))


def test_average_pool() -> None:
    frames = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    half = math.sqrt(0.5)
    torch.testing.assert_close(average_pool(frames), torch.tensor([[half, half], [0.0, 1.0]]))
    many = units(3, 2, 6, 8)
    torch.testing.assert_close(average_pool(many), average_pool(many.flip(1)))  # blind to the order
    torch.testing.assert_close(average_pool(many[:, :1]), many[:, 0])


def test_frame_strip_places() -> None:
    frames = torch.arange(1, 6, dtype=torch.uint8).view(1, 5, 1, 1, 1).expand(2, 5, 4, 6, 3)
    strip = frame_strip(frames)  # five pictures: three columns, two rows, one place black
    assert strip.shape == (2, 8, 18, 3)
    assert strip.dtype == torch.uint8
    corners = strip[0, ::4, ::6, 0]
    assert corners.tolist() == [[1, 2, 3], [4, 5, 0]]
    assert strip[:, 4:, 12:].sum() == 0
    assert frame_strip(frames, columns=5).shape == (2, 4, 30, 3)
    assert torch.equal(frame_strip(frames[:, :1]), frames[:, 0])


def test_separability() -> None:
    generator = torch.Generator().manual_seed(0)
    bank = normalize(torch.randn(2000, 16, generator=generator), dim=-1)
    special = normalize(torch.randn(16, generator=generator), dim=-1)
    bank[:20] = normalize(special + 0.05 * bank[:20], dim=-1)  # twenty poses that one sentence names
    vague = normalize(torch.randn(16, generator=generator), dim=-1)
    clear, unclear = separability(torch.stack((special, vague)), bank)
    assert clear > unclear + 1
    flat = torch.zeros(1, 17)
    flat[0, -1] = 1
    padded = torch.cat((bank, torch.zeros(2000, 1)), dim=1)
    assert separability(flat, padded).item() == pytest.approx(0)  # fits all alike
