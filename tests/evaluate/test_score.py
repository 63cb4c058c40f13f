"""Scores of a puppet: arms that go up or do not, pictures, and what is measured beside success."""

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.score import PictureScore, Score, episodes_of, evaluate, measure, passes
from anyskill.evaluate.statistics import wilson
from anyskill.skill.play import Played
from tests.evaluate.made_up import LEFT, SENTENCES, skill
from tests.evaluate.tracks import moving, pose, track
from tests.vision_language.color_model import ColorModel

BOTH, ONE, FLY = SENTENCES


def played(*tracks) -> Played:
    states = track(
        torch.cat([each.states.positions for each in tracks], 1),
        torch.cat([each.states.rotations for each in tracks], 1),
    ).states
    return Played(HUMANOID, states, torch.zeros(len(tracks), dtype=torch.bool))


@pytest.fixture(scope="module")
def score() -> Score:
    return evaluate(skill(), BOTH, episodes=6, seconds=1.5, model=ColorModel(seed=1), heldout=ColorModel(seed=2))


def test_a_skill_is_scored(score: Score) -> None:
    assert (score.text, score.episodes) == ("raise both arms", 6)
    assert score.success >= 0.5
    assert (score.low, score.high) == wilson(round(6 * score.success), 6)
    assert -100 <= score.clip_s <= 100 and score.clip_s != score.clip_s_heldout
    assert score.jerk > 0 and score.energy > 0 and 0 <= score.fall <= 1
    assert score.seconds is None


def test_scores_follow_the_seed(score: Score) -> None:
    again = evaluate(skill(), BOTH, episodes=6, seconds=1.5, model=ColorModel(seed=1))
    assert (again.success, again.jerk, again.clip_s) == (score.success, score.jerk, score.clip_s)
    assert again.clip_s_heldout is None
    assert evaluate(skill(), BOTH, episodes=6, seconds=1.5, seed=1).jerk != score.jerk


def test_the_wrong_arm_and_the_impossible_fail() -> None:
    states = episodes_of(skill(LEFT), 4, 1.0)
    assert measure(states, BOTH).success == 0
    assert measure(states, FLY).success == 0
    assert measure(states, FLY).high == wilson(0, 4)[1]


def test_the_time_to_settle_is_left_out() -> None:
    episodes = episodes_of(skill(), 2, 1.0)
    assert episodes.states.batch_shape == (30, 2)


def test_each_world_is_judged_by_itself() -> None:
    up, down = pose(right_upper_arm=(-172, 0, 0), left_upper_arm=(172, 0, 0)), pose()
    assert passes(played(up, down, up), BOTH).tolist() == [True, False, True]
    assert measure(played(up, down, up, down), BOTH).success == 0.5


def test_what_stands_still_neither_jerks_nor_slides_nor_sinks() -> None:
    score = measure(played(pose(0.8814)), BOTH)
    assert score.jerk < 1e-3 and score.sliding < 1e-4 and score.penetration < 1e-3 and score.energy == 0
    sunk = measure(played(pose(0.80)), BOTH)
    assert sunk.penetration == pytest.approx(0.0814, abs=1e-3)
    sliding = measure(played(moving(lambda t: (0.3 * t, 0.0, 0.8814), seconds=2.0)), BOTH)
    assert sliding.sliding == pytest.approx(0.3, abs=0.01)


def test_joint_speed_is_what_energy_means() -> None:
    bending = played(pose())
    spin = torch.zeros_like(bending.states.angular_velocities)
    spin[..., 5, :] = spin[..., 4, :] = torch.tensor([0.0, 2.0, 0.0])  # forearm and hand
    states = type(bending.states)(
        bending.states.positions, bending.states.rotations, spin, spin, bending.states.contact_forces
    )
    assert measure(Played(HUMANOID, states, bending.fallen), BOTH).energy == pytest.approx(4.0 / 28, abs=1e-5)


def test_pictures_are_of_the_moments_and_histories_the_model_wants() -> None:
    up, down = (played(each).states for each in (pose(right_upper_arm=(-172, 0, 0)), pose()))
    for frames in (1, 3):
        model = PictureScore(ColorModel(frames=frames), HUMANOID)
        assert model(up, "a") != pytest.approx(model(down, "a"), abs=1e-3)
        assert model(up, "a") != pytest.approx(model(up, "abc"), abs=1e-3)


def test_too_little_is_explained() -> None:
    with pytest.raises(EvaluationError, match="episodes is 0"):
        evaluate(skill(), BOTH, episodes=0)
    with pytest.raises(EvaluationError, match=r"seconds is 0\.5"):
        evaluate(skill(), BOTH, seconds=0.5)
