"""Early termination, step by step."""

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.learning.errors import LearningError
from anyskill.skill.termination import LYING, EarlyTermination, SimilarityWatch, head_is_down
from tests.skill.made_up import SKELETON

CERTAIN = EarlyTermination(chance=1.0)


def follow(similarities: list[float], config: EarlyTermination = CERTAIN) -> list[bool]:
    """Whether a single world is reset at each of these."""
    watch = SimilarityWatch(config, 1, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    return [bool(watch(torch.tensor([value]), generator)) for value in similarities]


FALLING = [1.0 - 0.1 * step for step in range(9)]  # eight decreases


@pytest.mark.parametrize(
    ("name", "similarities", "resets"),
    [
        ("the eighth decrease, not before", FALLING, [8]),
        ("a rise begins a new count", [*FALLING[:8], 0.9, *FALLING[2:9]], []),
        ("so does standing still", [*FALLING[:8], FALLING[7], *[0.29 - 0.01 * i for i in range(8)]], [16]),
        ("the count begins anew after it", [1.0 - 0.01 * step for step in range(26)], [8, 16, 24]),
        ("rises are no matter", [0.1 * step for step in range(20)], []),
        ("up and down is not successive", [0.5, 0.4] * 20, []),
        ("the first similarity has nothing to be less than", [-1.0], []),
    ],
)
def test_eight_successive_decreases(name: str, similarities: list[float], resets: list[int]) -> None:
    assert [step for step, reset in enumerate(follow(similarities)) if reset] == resets, name


def test_thresholds_are_settings() -> None:
    assert follow([3.0, 2.0, 1.0], EarlyTermination(decreases=2, chance=1.0)) == [False, False, True]
    assert not any(follow([1.0 - 0.01 * step for step in range(50)], EarlyTermination(decreases=None)))
    with pytest.raises(LearningError, match="decreases is 0"):
        EarlyTermination(decreases=0)


def test_a_world_is_reset_four_times_out_of_five_and_counts_anew_either_way() -> None:
    worlds = 20_000
    watch = SimilarityWatch(EarlyTermination(), worlds, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    for value in FALLING[:-1]:
        assert not watch(torch.full((worlds,), value), generator).any()
    assert (watch.count == 7).all()
    reset = watch(torch.full((worlds,), FALLING[-1]), generator)
    assert reset.float().mean().item() == pytest.approx(0.8, abs=0.015)
    assert not watch.count.any()


def test_worlds_are_counted_apart_and_a_new_episode_has_no_past() -> None:
    watch = SimilarityWatch(CERTAIN, 3, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    resets = []
    for step in range(9):
        if step == 5:
            watch.forget(torch.tensor([False, True, False]))
        resets.append(watch(torch.tensor([1.0 - 0.1 * step, 1.0 - 0.1 * step, 0.1 * step]), generator).tolist())
    assert resets[:8] == [[False] * 3] * 8
    assert resets[8] == [True, False, False]
    assert watch.count.tolist() == [0, 3, 0]


def test_the_watch_goes_on_from_a_state() -> None:
    one, other = (SimilarityWatch(CERTAIN, 1, torch.device("cpu")) for _ in range(2))
    generator = torch.Generator().manual_seed(0)
    for value in FALLING[:-1]:
        one(torch.tensor([value]), generator)
    other.load_state_dict({name: tensor.clone() for name, tensor in one.state_dict().items()})
    assert other(torch.tensor([FALLING[-1]]), generator).all()


def test_heads_below_fifteen_centimetres() -> None:
    zeros = torch.zeros(3, SKELETON.num_bodies, 3)
    positions = zeros.clone()
    positions[:, SKELETON.index("head"), 2] = torch.tensor([0.149, 0.151, 1.34])
    state = BodyState(positions, torch.zeros(3, SKELETON.num_bodies, 4), zeros, zeros, zeros)
    assert head_is_down(state, SKELETON, 0.15).tolist() == [True, False, False]
    assert not head_is_down(state, SKELETON, 0.0).any()


def test_hands_and_knees_on_the_ground_are_no_fall() -> None:
    positions = torch.full((2, SKELETON.num_bodies, 3), 0.6)
    positions[0, SKELETON.index("left_shin"), 2] = 0.04
    positions[1, SKELETON.index("head"), 2] = 0.2
    forces = torch.ones_like(positions)
    zeros = torch.zeros_like(positions)
    state = BodyState(positions, torch.zeros(2, SKELETON.num_bodies, 4), zeros, zeros, forces)
    assert LYING(state, SKELETON).tolist() == [False, True]
