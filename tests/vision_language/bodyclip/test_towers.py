import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.moments import turned
from anyskill.vision_language.bodyclip.towers import SIZE, Towers, encode_in_groups
from tests.vision_language.bodyclip.made_up import TINY, WORDS
from tests.vision_language.bodyclip.poses import random_states

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def towers() -> Towers:
    return _towers(0)


def _towers(seed: int) -> Towers:
    return Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(seed)).eval()


def _histories(count: int, moments: int) -> BodyState:
    states = random_states(count * moments, 0).to(torch.float32)
    return BodyState.stack([states[i * moments : (i + 1) * moments] for i in range(count)])


def test_features_are_of_unit_length(towers: Towers) -> None:
    planes = torch.randn(3, 2, 3, SIZE, SIZE)
    for features in (
        towers.picture(planes, 0.2),
        towers.state(_histories(3, 2), 0.2),
        towers.text(WORDS.encode(["right arm", "left arm up", "sit"])),
    ):
        assert features.shape == (3, TINY.dimension)
        torch.testing.assert_close(features.norm(dim=-1), torch.ones(3))


def test_order_of_words_matters(towers: Towers) -> None:
    a, b = towers.text(WORDS.encode(["left hand above, right hand in front", "right hand above, left hand in front"]))
    assert (a - b).norm() > 1e-3


def test_neighbours_in_a_batch_do_not_matter(towers: Towers) -> None:
    texts = ["right arm", "raise the left arm above your head and hold the right arm out in front", "hand"]
    together = encode_in_groups(towers.text, WORDS, texts, CPU, group=2)
    alone = torch.cat([towers.text(WORDS.encode([text])) for text in texts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_history_and_its_pace_matter(towers: Towers) -> None:
    planes = torch.randn(2, 3, 3, SIZE, SIZE)
    feature = towers.picture(planes, 0.2)
    assert (feature - towers.picture(planes.flip(1), 0.2)).norm() > 1e-3
    assert (feature - towers.picture(planes, 0.3)).norm() > 1e-3
    single = towers.picture(planes[:, -1:], 0.2)
    torch.testing.assert_close(single, towers.picture(planes[:, -1:], 0.3))


def test_fusion_is_its_whole_layer_read_at_the_last_moment(towers: Towers) -> None:
    fusion = towers.state.fusion
    for count in (1, 2, 4):
        moments = torch.randn(5, count, TINY.width, requires_grad=True)
        whole, last = fusion.layer(moments)[:, -1], fusion._last(moments)
        torch.testing.assert_close(last, whole, atol=1e-5, rtol=1e-5)
        direction = torch.randn_like(last)
        for one, other in zip(
            *(torch.autograd.grad((x * direction).sum(), moments) for x in (last, whole)), strict=True
        ):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_states_have_no_heading_and_single_ones_no_movement(towers: Towers) -> None:
    states = _histories(4, 2)
    turn = turned(states, torch.full((4, 2), 1.3))
    torch.testing.assert_close(towers.state(turn, 0.2), towers.state(states, 0.2), atol=1e-4, rtol=0)
    resting = BodyState(states.positions, states.rotations, *(torch.zeros_like(states.positions) for _ in range(3)))
    torch.testing.assert_close(towers.state(resting[:, -1:], 0.2), towers.state(states[:, -1:], 0.2))
    assert (towers.state(resting, 0.2) - towers.state(states, 0.2)).norm() > 1e-3


def test_weights_follow_from_the_generator_alone(towers: Towers) -> None:
    before = torch.random.get_rng_state()
    same, other = _towers(0), _towers(1)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in towers.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(towers.text.lift.weight, other.text.lift.weight)


def test_temperature_has_a_limit(towers: Towers) -> None:
    hot = _towers(0)
    hot.log_scale.data.fill_(50.0)
    assert float(hot.scale.detach()) == pytest.approx(20.0)
    assert float(towers.scale.detach()) == pytest.approx(1 / 0.07)
