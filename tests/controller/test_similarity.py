"""How alike two bodies are."""

import math

import pytest
import torch

from anyskill.body.observation import policy_blocks, policy_size
from anyskill.controller.similarity import Similarity
from tests.controller.made_up import SKELETON

BLOCKS = policy_blocks(SKELETON)


def test_a_body_is_wholly_alike_itself() -> None:
    assert Similarity()(torch.zeros(2, policy_size(SKELETON)), BLOCKS).tolist() == pytest.approx([1.0, 1.0])


def test_one_hand_that_is_off_counts_for_itself_and_in_the_mean() -> None:
    error = torch.zeros(1, policy_size(SKELETON))
    hand = BLOCKS["positions"].start + 3 * (SKELETON.index("right_hand") - 1)
    error[0, hand : hand + 3] = torch.tensor([0.3, 0.0, 0.4])
    positions = 3 * (SKELETON.num_bodies - 1)
    expected = 1 - 0.2 * (1 - math.exp(-100 * 0.25 / positions)) - 0.2 * (1 - math.exp(-10 * 0.25))
    assert Similarity()(error, BLOCKS).item() == pytest.approx(expected, abs=1e-6)


def test_one_hand_that_rests_counts_for_itself_and_in_the_mean() -> None:
    error = torch.zeros(1, policy_size(SKELETON))
    hand = BLOCKS["linear"].start + 3 * SKELETON.index("right_hand")
    error[0, hand : hand + 3] = torch.tensor([0.0, 0.6, 0.8])
    expected = 1 - 0.15 * (1 - math.exp(-6 / (3 * SKELETON.num_bodies))) - 0.1 * (1 - math.exp(-1.0))
    assert Similarity()(error, BLOCKS).item() == pytest.approx(expected, abs=1e-6)
