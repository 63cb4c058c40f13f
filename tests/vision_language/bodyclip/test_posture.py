"""Facts of poses made by joint angles, whichever of the modules states them."""

import pytest
import torch

from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from tests.vision_language.bodyclip.poses import POSES, mirror, pose_states

_SWAPPED = {"right": "left", "left": "right"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of(pose_states())


@pytest.mark.parametrize("name", POSES)
def test_facts_of_a_pose(name: str, facts: Facts) -> None:
    index = list(POSES).index(name)
    true, false = POSES[name]["holds"], POSES[name]["denied"]
    assert set(true.split()) <= set(facts.true[index])
    assert set(false.split()) <= set(facts.false[index])


def test_facts_of_mirrored_poses() -> None:
    facts = facts_of(mirror(pose_states()))
    for index, pose in enumerate(POSES.values()):
        for text, found in ((pose["holds"], facts.true[index]), (pose["denied"], facts.false[index])):
            for fact in text.split():
                base, dot, side = fact.partition(".")
                assert base + dot + _SWAPPED.get(side, side) in found


def test_a_pose_is_not_two_postures_at_once(facts: Facts) -> None:
    exclusive = ("sit_on_ground", "kneel", "sit_on_heels", "lie", "stand", "crouch", "in_the_air", "on_all_fours")
    holds = torch.stack([facts.holds(name) for name in exclusive], -1)
    assert (holds.sum(-1) <= 1).all()
