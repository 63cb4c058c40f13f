import pytest

from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from tests.vision_language.bodyclip.movements import MOVEMENTS, movement_states, to_and_fro


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of(movement_states())


@pytest.mark.parametrize("name", MOVEMENTS)
def test_facts_of_a_movement(name: str, facts: Facts) -> None:
    index = list(MOVEMENTS).index(name)
    *_, true, false = MOVEMENTS[name]
    assert set(true.split()) <= set(facts.true[index])
    assert set(false.split()) <= set(facts.false[index])


def test_waving_needs_a_history() -> None:
    state, history = to_and_fro("hands up", {"right_hand": (0, 1, 0)})
    facts = facts_of(state, history)
    assert "wave.right" in facts.true[0]
    assert "wave.left" in facts.false[0]
    assert "wave.right" not in facts_of(state).true[0]


def test_clapping_needs_hands_that_meet() -> None:
    speeds = {"right_hand": (0.0, 1.0, 0.0), "left_hand": (0.0, -1.0, 0.0)}
    assert "clap" in facts_of(*to_and_fro("pray", speeds)).true[0]
    assert "clap" in facts_of(*to_and_fro("hands up", speeds)).false[0]
    both_alike = {"right_hand": (0.0, 1.0, 0.0), "left_hand": (0.0, 1.0, 0.0)}
    assert "clap" not in facts_of(*to_and_fro("pray", both_alike)).true[0]


def test_head_in_motion() -> None:
    facts = facts_of(*to_and_fro("at ease", {}, head_spin=(0, 0, 2)))
    assert "move_head" in facts.true[0]
    assert "hold_still" in facts.false[0]
