"""The high-level environment: what a decision is, what it pays, and how it ends."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.environment import CONTROLS, EnvironmentConfig, SkillEnvironment
from anyskill.skill.errors import SkillError
from anyskill.skill.features import FeatureSource, Sentences
from anyskill.skill.policy import to_latent
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.termination import EarlyTermination
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.similarity import cosine
from tests.skill.made_up import CALM, SENTENCES, SKELETON, SOURCE, Puppet, environment, hands, sentences

TEXTS = tuple(SENTENCES)


def latents(worlds: int, seed: int = 0) -> torch.Tensor:
    return to_latent(torch.randn(worlds, 4, generator=torch.Generator().manual_seed(seed)))


def scripted(*values: float) -> FeatureSource:
    """Features at a given cosine to (1, 0, 0), one for each look, then the last."""
    left = list(values)

    def look(states):
        value = left.pop(0) if len(left) > 1 else left[0]
        return torch.tensor([value, math.sqrt(1 - value**2), 0.0]).expand(len(states.positions), 3)

    return FeatureSource(look)


def along_x(env):
    env.sentences = replace(env.sentences, features=torch.tensor([[1.0, 0.0, 0.0]]))
    return env


def test_a_decision_is_five_control_steps_paid_as_equation_three_says() -> None:
    reward = RewardConfig(similarity_weight=0.4, style_weight=0.3, nearest=True)
    env, z, controller = environment(replace(CALM, reward=reward)), latents(6), Puppet()
    twin = MujocoCpu(6, threads=1)
    twin.load_state_dict(env.engine.state_dict())
    looks = []
    for _ in range(5):
        twin.step(controller.act(twin.state(), z))
        looks.append(hands(twin.state()) @ env.sentences.features[0])
    outcome = env.step(z)
    assert torch.equal(env.engine.state().positions, twin.state().positions)
    distance = torch.cdist(z, torch.eye(4)).amin(1)
    expected = 0.4 * torch.stack(looks).mean(0) + 0.3 * torch.exp(-4 * distance)
    assert torch.allclose(outcome.reward, expected, atol=1e-5)
    assert torch.allclose(outcome.similarity, torch.stack(looks).mean(0), atol=1e-5)
    assert torch.allclose(outcome.style, torch.exp(-4 * distance), atol=1e-5)


def test_latents_of_whole_clips_are_as_near_to_clips_as_those_of_the_bank() -> None:
    env = environment(replace(CALM, reward=RewardConfig(nearest=True)))
    path = to_latent(torch.tensor([[1.0, 1.0, 1.0, 1.0]]))
    follows = path.expand(env.engine.num_worlds, -1)
    assert (env.step(follows).style < 0.1).all()
    env.controller.paths = path
    torch.testing.assert_close(env.step(follows).style, torch.ones(len(follows)), atol=2e-3, rtol=0)


def test_scored_once_a_decision_only_the_last_step_counts() -> None:
    env = environment(replace(CALM, scored="decision"))
    outcome = env.step(latents(6))
    assert torch.allclose(outcome.similarity, hands(env.engine.state()) @ env.sentences.features[0], atol=1e-6)


def test_every_world_is_paid_for_its_own_sentence() -> None:
    """Not, as in the released code, for that of the world whose number is its sentence's."""
    env = environment(replace(CALM, scored="decision"), texts=TEXTS)
    env.sentence = torch.tensor([2, 0, 1, 1, 0, 2])
    outcome = env.step(latents(6))
    feature = hands(env.engine.state())
    for world, sentence in enumerate([2, 0, 1, 1, 0, 2]):
        own = sentences(TEXTS[sentence]).features[0]
        assert torch.equal(env.text[world], own)
        assert outcome.similarity[world].item() == pytest.approx(cosine(feature[world], own).item(), abs=1e-6)


def test_new_episodes_draw_new_sentences_and_others_keep_theirs() -> None:
    env = environment(CALM, worlds=64, texts=TEXTS)
    before = env.sentence.clone()
    assert before.bincount(minlength=3).min() > 8
    ended = torch.arange(64) < 40
    env.reset(ended)
    assert torch.equal(env.sentence[~ended], before[~ended])
    assert (env.sentence[ended] != before[ended]).any()


def test_what_happens_within_a_decision_counts_though_nothing_is_reset_before_its_end() -> None:
    """A head that was too low at the first control step only, and one that never was."""
    env = environment(replace(CALM, termination=EarlyTermination(decreases=None, head_height=1.42)), worlds=2)
    qpos, qvel = env.starts.draw(2)
    qvel[0, 2] = 2.0  # m/s upwards
    qpos[1, 2] = 1.2  # in the air
    env.engine.reset(torch.arange(2), qpos, qvel)
    before = env.age.clone()
    outcome = env.step(latents(2))
    assert (env.engine.state().positions[:, SKELETON.index("head"), 2] > 1.42).all()
    assert outcome.head_down.tolist() == outcome.terminated.tolist() == [True, False]
    assert (env.age - before).tolist() == [5, 5]
    env.reset(outcome.done)
    assert env.age[0] == 0
    assert env.engine.state().positions[0, 0, 2].item() == pytest.approx(0.89, abs=1e-5)


def test_time_runs_out_without_failure() -> None:
    env = environment(replace(CALM, episode=15))
    env.age[:] = torch.tensor([0, 5, 10, 0, 5, 10])
    outcome = env.step(latents(6))
    assert outcome.done.tolist() == [False, False, True] * 2
    assert not outcome.terminated.any()


@pytest.mark.parametrize(("scored", "decision"), [("step", 2), ("decision", 9)])
def test_similarity_that_decreases_eight_times_ends_an_episode_without_failure(scored: str, decision: int) -> None:
    config = replace(CALM, scored=scored, termination=EarlyTermination(chance=1.0))
    env = along_x(environment(config, source=scripted(*[0.9 - 0.01 * i for i in range(60)])))
    env.age[:] = 0
    outcomes = [env.step(latents(6)) for _ in range(decision)]
    assert not any(outcome.given_up.any() for outcome in outcomes[:-1])
    assert outcomes[-1].given_up.all()
    assert outcomes[-1].done.all()
    assert not outcomes[-1].terminated.any()
    env.reset(outcomes[-1].done)
    later = [env.step(latents(6)).given_up.any() for _ in range(decision)]  # a new episode counts from nothing
    assert [bool(value) for value in later] == [False] * (decision - 1) + [True]


def test_pooled_features_reach_back_but_not_into_the_last_episode() -> None:
    config = replace(CALM, scored="decision", reward=RewardConfig(form="avgpool", style_weight=0.0, pool=2))
    env = along_x(environment(config, source=scripted(1.0, 0.6, 0.6)))
    assert env.step(latents(6)).reward.tolist() == pytest.approx([1.0] * 6)
    # The mean of (1, 0) and (0.6, 0.8) has the direction (2, 1).
    assert env.step(latents(6)).reward.tolist() == pytest.approx([2 / math.sqrt(5)] * 6)
    env.reset(torch.tensor([True] + [False] * 5))
    env.past[1:, 0] = torch.tensor([1.0, 0.0, 0.0])
    assert env.step(latents(6)).reward.tolist() == pytest.approx([0.6] + [2 / math.sqrt(5)] * 5)


def test_the_velocity_term_is_added() -> None:
    rewards = []
    for weight in (0.0, 0.1):
        env = environment(replace(CALM, reward=RewardConfig(velocity_weight=weight, speed=0.5)), worlds=2)
        qpos, qvel = env.starts.draw(2)
        qpos[:, 2], qvel[:, 0] = 2.0, torch.tensor([1.0, -1.0])  # thrown forwards and backwards, in the air
        env.engine.reset(torch.arange(2), qpos, qvel)
        rewards.append(env.step(torch.eye(4)[[2, 2]]).reward)
    assert (rewards[1] - rewards[0]).tolist() == pytest.approx([0.1 * math.exp(-0.25 * 0.25), 0.0], abs=2e-3)


class Eye:
    """An image-text model that remembers pictures, coarsely."""

    name, device = "eye", torch.device("cpu")

    def __init__(self, frames: int) -> None:
        self.frames, self.dimension = frames, frames * 48

    def encode_images(self, pictures: torch.Tensor) -> torch.Tensor:
        coarse = pictures.float().flatten(-4 if self.frames > 1 else -3)
        return normalize(coarse.unflatten(-1, (self.dimension, -1)).mean(-1), dim=-1)

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        draws = torch.Generator().manual_seed(len(texts[0]))
        return normalize(torch.rand(len(texts), self.dimension, generator=draws), dim=-1)


@pytest.mark.parametrize(("frames", "form"), [(1, "cosine"), (2, "video")])
def test_true_pictures(frames: int, form: str) -> None:
    pictures = PictureFeatures(Eye(frames), Views(count=1, size=32, interval=0.1), batch=4)
    config = replace(CALM, scored="decision", reward=RewardConfig(form=form, style_weight=0.0))
    engine, generator = MujocoCpu(3, threads=1), torch.Generator().manual_seed(0)
    texts = Sentences.encode(Eye(frames), ["raise an arm"])
    env = SkillEnvironment(engine, Puppet(), FeatureSource.pictures(pictures), texts, generator, config)
    env.step(latents(3))
    outcome = env.step(latents(3))
    history = env.onlooker.states
    assert torch.equal((history if frames == 1 else history[:, -1]).positions, engine.state().positions)
    if frames > 1:
        assert (history[:, 0].positions - history[:, 1].positions).abs().max() > 0.01
    assert torch.allclose(outcome.reward, cosine(pictures(history), texts.features), atol=1e-6)


def test_first_episodes_end_at_different_times() -> None:
    env = environment(CALM, worlds=50)
    assert len(env.age.unique()) > 10
    assert not (env.age % CONTROLS).any()


def test_going_on_from_a_state() -> None:
    config = EnvironmentConfig(episode=30, start=StartConfig(moving=0.3), reward=RewardConfig(form="avgpool", pool=3))
    source = FeatureSource(lambda states: SOURCE.function(states[:, 0]), frames=2, stride=3)
    one, other = (environment(config, texts=TEXTS, source=source, seed=seed) for seed in (0, 1))
    for step in range(4):
        one.reset(one.step(latents(6, step)).done)
    saved = one.state_dict()
    saved = {
        name: {k: v.clone() for k, v in part.items()} if isinstance(part, dict) else part.clone()
        for name, part in saved.items()
    }
    other.load_state_dict(saved)
    other.generator.set_state(one.generator.get_state())
    for step in range(8):
        outcomes = [env.step(latents(6, step)) for env in (one, other)]
        assert torch.equal(outcomes[0].reward, outcomes[1].reward)
        for env, outcome in zip((one, other), outcomes, strict=True):
            env.reset(outcome.done)
        assert torch.equal(one.observe(), other.observe())
        assert torch.equal(one.sentence, other.sentence)


def test_parts_that_do_not_fit_are_named() -> None:
    with pytest.raises(SkillError, match="video needs a model"):
        environment(replace(CALM, reward=RewardConfig(form="video")))
    other = Puppet()
    other.config = replace(other.config, character="sword_and_shield")
    with pytest.raises(SkillError, match="moves a sword_and_shield"):
        environment(controller=other)
