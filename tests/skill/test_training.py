"""Learning a skill: it improves, resumes bit for bit, knows sentences apart, and stops when it has converged."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.environment import EnvironmentConfig
from anyskill.skill.features import FeatureSource
from anyskill.skill.plans import Plans
from anyskill.skill.policy import LatentSequence, to_latent
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.termination import EarlyTermination
from anyskill.skill.training import Convergence, ConvergenceConfig, SkillConfig, SkillTraining, as_released, paper
from tests.controller.test_pretraining import tensors
from tests.skill.made_up import SOURCE, Puppet, hands, sentences, tiny

UP = to_latent(torch.tensor([1.0, 1.0, 0.0, 0.0]))
LEFT, RIGHT, BOTH = "raise the left arm", "raise the right arm", "raise both arms"


def make(config: SkillConfig, *texts: str, source: FeatureSource = SOURCE, **more) -> SkillTraining:
    engine = MujocoCpu(config.worlds, threads=1)
    return SkillTraining(config, engine, Puppet(), source, sentences(*texts), **more)


def similarity(trainer: SkillTraining, text: str, sentence: int = 0) -> float:
    """Of the skill that was learnt, after a second from the initial pose, in one world."""
    engine, skill, controller = MujocoCpu(1, threads=1), trainer.skill(sentence), Puppet()
    for decision in range(6):
        z = skill(engine.state(), torch.tensor([decision]))
        for _ in range(5):
            engine.step(controller.act(engine.state(), z))
    return float(hands(engine.state()) @ sentences(text).features[0])


def test_it_learns() -> None:
    trainer = make(tiny(), BOTH)
    reports = [trainer.iterate()[1] for _ in range(20)]
    assert reports[-1]["similarity"] > reports[0]["similarity"] + 0.25
    assert similarity(trainer, BOTH) > 0.5


def test_it_begins_where_a_search_ended() -> None:
    trainer = make(tiny(), BOTH, guides=Plans.constant(UP[None]))
    assert similarity(trainer, BOTH) > 0.7
    samples, first = trainer.iterate()
    assert "best" not in first  # before its window is full
    assert samples == 256
    assert first["similarity"] > 0.4


def test_it_gets_better_than_its_guide() -> None:
    beside = to_latent(torch.tensor([1.0, 0.2, 1.0, 0.0]))
    trainer = make(tiny(), BOTH, guides=Plans.constant(beside[None]))
    before = similarity(trainer, BOTH)
    for _ in range(20):
        trainer.iterate()
    assert similarity(trainer, BOTH) > before + 0.2


def test_its_worlds_go_when_it_goes() -> None:
    gc.disable()  # which would find circles of references, but late
    try:
        engine = weakref.ref(make(tiny(), BOTH, guides=Plans.constant(UP[None])).environment.engine)
        assert engine() is None
    finally:
        gc.enable()


def test_guides_are_followed_by_the_time_of_each_world() -> None:
    trainer = make(tiny(), BOTH, guides=Plans.of([LatentSequence(torch.eye(4)[:2], torch.tensor([0, 2]), 4)]))
    trainer.environment.age = torch.arange(len(trainer.environment.age)) % 40
    guide = trainer._told()["guide"]
    second = (trainer.environment.age // 5 % 4 >= 2).long()
    assert torch.equal(guide, torch.eye(4)[second])


def test_a_policy_of_many_sentences_begins_with_what_was_found_for_each() -> None:
    trainer = make(tiny(), RIGHT, LEFT, BOTH, guides=Plans.constant(torch.stack((*torch.eye(4)[:2], UP))))
    for sentence, text in enumerate((RIGHT, LEFT, BOTH)):
        assert similarity(trainer, text, sentence) > 0.7


def test_one_policy_learns_to_tell_sentences_apart() -> None:
    trainer = make(tiny(), RIGHT, LEFT)
    for _ in range(30):
        trainer.iterate()
    for sentence, (own, other) in enumerate([(RIGHT, LEFT), (LEFT, RIGHT)]):
        assert similarity(trainer, own, sentence) > similarity(trainer, other, sentence) + 0.5


def test_resuming_equals_going_on(tmp_path: Path) -> None:
    source = FeatureSource(lambda states: hands(states[:, -1]), frames=2, stride=3)
    config = replace(
        tiny(),
        environment=EnvironmentConfig(
            episode=30, start=StartConfig(moving=0.3), reward=RewardConfig(form="avgpool", nearest=False, pool=3)
        ),
        convergence=ConvergenceConfig(window=2),
    )
    states = []
    for name, stops in (("once", (6,)), ("twice", (3, 6))):
        path = tmp_path / name
        for stop in stops:
            folder = RunFolder.open(path) if path.exists() else RunFolder.create(path, config)
            guides = Plans.of([LatentSequence(torch.eye(4)[:2], torch.tensor([0, 3])), LatentSequence.hold(UP)])
            trainer = make(folder.config_as(SkillConfig), RIGHT, LEFT, source=source, guides=guides)
            train(trainer, folder, stop, save_every=3, progress=False)
        states.append(tensors(read_state(path / "checkpoints" / "00000006.safetensors")))
    assert states[0].keys() == states[1].keys()
    assert len(states[0]) > 60
    assert not [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]


def test_the_seed_decides() -> None:
    one, same, other = (make(replace(tiny(), seed=seed), BOTH) for seed in (0, 0, 1))
    reports = [[trainer.iterate()[1] for _ in range(2)] for trainer in (one, same, other)]
    assert reports[0] == reports[1]
    assert reports[0][0]["similarity"] != reports[2][0]["similarity"]


def test_early_ends_are_counted() -> None:
    """Features that only get worse: every world is given up again and again, but heads stay up."""
    looks = iter(range(10_000))

    def worse(states):
        angle = torch.tensor(1e-3 * next(looks))
        return torch.stack((angle.cos(), -angle.sin(), 0 * angle)).expand(len(states.positions), 3)

    config = replace(
        tiny(), environment=replace(tiny().environment, termination=EarlyTermination(chance=1.0, head_height=0.15))
    )
    _, report = make(config, BOTH, source=FeatureSource(worse)).iterate()
    assert report["early/head"] == 0
    # Eight decreases are nine looks: two decisions, and two more after each reset. Some episodes run out before.
    assert 0.5 * 4 * config.worlds < report["early/similarity"] <= 4 * config.worlds
    assert report["episodes"] >= report["early/similarity"]
    assert report["falls"] == 0
    config = replace(
        config, environment=replace(config.environment, termination=EarlyTermination(None, head_height=2.0))
    )
    _, report = make(config, BOTH).iterate()
    assert report["early/head"] == report["episodes"] == config.worlds * config.horizon
    assert report["early/similarity"] == 0
    assert report["falls"] == 1.0


def test_audits_see_what_features_are_of() -> None:
    seen, changed = [], torch.nn.Linear(1, 1)

    class Audit:
        parts: ClassVar = {"projection": changed}

        def __call__(self, iteration, states, draws):
            seen.append((iteration, tuple(states.batch_shape), draws.device.type))
            return {"audit/cosine": 0.5}

    trainer = make(tiny(), BOTH, audit=Audit())
    assert trainer.parts["projection"] is changed  # or a run that was stopped would not go on with it
    assert trainer.iterate()[1]["audit/cosine"] == 0.5
    trainer.iterate()
    assert seen == [(1, (32,), "cpu"), (2, (32,), "cpu")]


def test_convergence() -> None:
    convergence = Convergence(ConvergenceConfig(window=2, margin=0.05, patience=3))
    rising = [0.0, 0.2, 0.4, 0.6]
    assert [convergence.update(value) for value in rising] == [False, True, True, True]
    assert not convergence.converged
    flat = [convergence.update(value) for value in (0.6, 0.62, 0.6)]
    assert flat == [True, True, False]  # better, though not by enough to count as a rise
    assert not convergence.converged  # the average rose when the first of them came in
    convergence.update(0.6)
    assert convergence.converged
    assert convergence.best == pytest.approx(0.61)
    other = Convergence(convergence.config)
    other.load_state_dict(convergence.state_dict())
    assert other.converged
    assert other.state_dict() == convergence.state_dict()


def test_training_ends_when_it_has_converged(tmp_path: Path) -> None:
    config = replace(tiny(), convergence=ConvergenceConfig(window=2, margin=10.0, patience=4))
    trainer = make(config, BOTH)
    run = RunFolder.create(tmp_path / "run", config)
    assert train(trainer, run, 50, progress=False, until=lambda: trainer.converged) == 6
    assert run.checkpoints.iterations() == [6]


def test_presets() -> None:
    config = paper()
    assert config.worlds * config.horizon * 5 * 500 == 10_240_000
    assert config.ppo.learning_rate == 2e-5
    assert (config.ppo.minibatch_size, config.ppo.epochs) == (2048, 6)
    assert not config.environment.reward.nearest
    for settings in (config, as_released(), SkillConfig()):
        assert from_plain(SkillConfig, to_plain(settings)) == settings


def test_the_released_code_pays_more_for_style_than_the_paper() -> None:
    """Equation 3 with a drawn latent pays next to nothing in most directions, the cosine to the nearest nearly all."""
    paid = []
    for reward in (paper().environment.reward, as_released().environment.reward):
        trainer = make(replace(tiny(), environment=replace(tiny().environment, reward=reward)), BOTH)
        paid.append(trainer.iterate()[1]["style"])
    assert paid[0] < 0.3 < 0.6 < paid[1]
