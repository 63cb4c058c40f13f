"""Rewards against numbers worked out by hand."""

import math

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.learning.errors import LearningError
from anyskill.skill.errors import SkillError
from anyskill.skill.rewards import SCORES, RewardConfig, drawn, nearest, released_style, style, velocity
from tests.skill.made_up import SKELETON

PAST = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])  # newest first
TEXT = torch.tensor([[0.6, 0.8]])
BASELINE = torch.tensor([1.0, 0.0])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("cosine", 0.8),
        ("clip-s", 2.0),
        ("avgpool", 1.4 / math.sqrt(2)),
        ("video", 0.8),
        # The line from (1, 0) to (0.6, 0.8) has the point (0.4, 1.2) nearest to (0, 1); half way is (0.2, 1.1).
        ("vlm-rm", 1 - 0.5 * (0.4**2 + 0.3**2)),
    ],
)
def test_forms(form: str, expected: float) -> None:
    assert SCORES[form](PAST, TEXT, BASELINE).item() == pytest.approx(expected, abs=1e-6)


def test_clip_s_has_no_negative_values() -> None:
    assert SCORES["clip-s"](-PAST, TEXT, BASELINE).item() == 0.0


def test_style_is_the_second_term_of_the_equation() -> None:
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    expected = [1.0, math.exp(-4 * math.sqrt(2)), math.exp(-4 * math.sqrt(0.16 + 0.64))]
    assert style(z, target).tolist() == pytest.approx(expected, rel=1e-5)


def test_the_released_code_pays_half_of_one_plus_the_cosine() -> None:
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-0.6, 0.8]])
    assert released_style(z, target).tolist() == pytest.approx([1.0, 0.5, 0.2])
    with pytest.raises(LearningError, match="closeness"):
        RewardConfig(closeness="near")  # type: ignore[arg-type]


def test_targets_are_the_nearest_of_the_bank_or_any() -> None:
    bank = torch.eye(3)
    z = torch.nn.functional.normalize(torch.tensor([[0.9, 0.3, 0.0], [0.1, 0.2, 0.8]]), dim=-1)
    generator = torch.Generator().manual_seed(0)
    assert nearest(z, bank).tolist() == bank[[0, 2]].tolist()
    assert drawn(z[:1].expand(3000, -1), bank, generator).mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)


def test_velocity() -> None:
    zeros = torch.zeros(4, SKELETON.num_bodies, 3)
    moving = zeros.clone()
    moving[:, 0, 0] = torch.tensor([0.2, 1.2, 0.0, -0.2])
    moving[:, 0, 1] = 5.0
    state = BodyState(zeros, torch.zeros(4, SKELETON.num_bodies, 4), moving, zeros, zeros)
    assert velocity(state, 0.2).tolist() == pytest.approx([1.0, math.exp(-0.25), 0.0, 0.0])


def test_names() -> None:
    config = RewardConfig(style_weight=0.3)
    assert config.named("vlm-rm") == RewardConfig(form="vlm-rm", style_weight=0.3)
    assert config.named("+velocity") == RewardConfig(style_weight=0.3, velocity_weight=0.1)
    assert config.named("avgpool+velocity").past == 8
    for name in ("delta", "cosine+heading", "velocity", "cosine+"):
        with pytest.raises(SkillError, match="there is no reward"):
            config.named(name)
    with pytest.raises(LearningError, match="form is 'delta'"):
        RewardConfig(form="delta")
