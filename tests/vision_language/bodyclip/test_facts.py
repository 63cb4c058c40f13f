import torch

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.facts import facts_of
from anyskill.vision_language.bodyclip.phrases import phrase_book
from tests.vision_language.bodyclip.movements import MOVEMENTS, movement_states, to_and_fro
from tests.vision_language.bodyclip.poses import POSES, mirror, pose_states, random_states

OF_THE_BODY = {fact for fact, phrases in phrase_book().items() if "thing" not in phrases.parts}


def test_a_mirrored_body_has_the_mirrored_facts() -> None:
    states = random_states(1000, seed=2)
    history = BodyState.stack([random_states(1000, seed=seed) for seed in (3, 4)])
    seen, other = facts_of(states, history), facts_of(mirror(states), mirror(history))
    torch.testing.assert_close(seen.mirrored().margins, other.margins)


def test_every_fact_is_true_of_some_body() -> None:
    batches = [facts_of(pose_states()), facts_of(movement_states())]
    for pose, limbs, spin in (
        ("hands up", {"right_hand": (0, 1, 0), "left_hand": (0, 1, 0)}, (0, 0, 0)),
        ("pray", {"right_hand": (0, 1, 0), "left_hand": (0, -1, 0)}, (0, 0, 0)),
        ("at ease", {}, (0, 0, 2)),
    ):
        batches.append(facts_of(*to_and_fro(pose, limbs, spin)))
    true = {fact for facts in batches for seen in (facts, facts.mirrored()) for row in seen.true for fact in row}
    assert true == OF_THE_BODY


def test_every_fact_is_denied_of_some_body() -> None:
    false = {fact for row in facts_of(pose_states()).false for fact in row}
    assert false == OF_THE_BODY


def test_a_still_knows_nothing_of_movement() -> None:
    facts = facts_of(movement_states()).still()
    for fact, phrases in phrase_book().items():
        if "movement" in phrases.parts:
            assert not any(fact in row for row in (*facts.true, *facts.false))
    assert "stand" in facts.true[0]


def test_who_walks_is_not_said_to_stand_nor_not_to() -> None:
    facts = facts_of(movement_states())
    stroll = list(MOVEMENTS).index("stroll")
    for fact in ("stand", "stand_straight", "feet_hip_width"):
        assert fact in facts.true[list(MOVEMENTS).index("stand")]
        assert fact not in facts.true[stroll] and fact not in facts.false[stroll]


def test_admits_what_nobody_could_deny() -> None:
    facts = facts_of(pose_states())
    names = list(POSES)
    admitted = facts.admits([{"arm_overhead.right"}, {"arm_overhead.right", "stand"}, {"sit_on_ground"}, {"label: x"}])
    assert admitted.shape == (len(names), 4)
    assert admitted[names.index("both arms up")].tolist() == [True, True, False, True]
    assert admitted[names.index("at ease")].tolist() == [False, False, False, True]


def test_facts_of_single_precision_are_the_same_but_at_thresholds() -> None:
    states = random_states(300, seed=5)
    difference = (facts_of(states).margins - facts_of(states.to(torch.float32)).margins).abs()
    assert difference.median() == 0
    assert (difference > 1e-3).float().mean() < 1e-3
