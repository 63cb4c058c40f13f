"""Comparing skills in equal episodes."""

import math

import pytest
import torch

from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill import comparison
from anyskill.skill.comparison import Judgement, RandomLatents, judge
from anyskill.skill.policy import LatentSequence, to_latent
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.skill import Skill
from anyskill.skill.starts import StartConfig
from tests.skill.made_up import SOURCE, Limp, Puppet, sentences

TEXT = sentences("raise both arms").features[0]
START = StartConfig(noise=0.05, moving=0.0)


def holding(z: tuple[float, ...], puppet=Puppet) -> Skill:
    return Skill("", "", puppet(), LatentSequence.hold(to_latent(torch.tensor(z))))


def test_the_better_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS", 1.5)
    both, one, none = (
        judge(holding(z), SOURCE, TEXT, 4, 0, START) for z in ((1.0, 1.0, 0, 0), (1.0, 0, 0, 0), (0, 0, 1.0, 0))
    )
    assert both.similarity > one.similarity + 0.2 > none.similarity + 0.4
    assert both.lying == 0.0
    random = judge(RandomLatents(Puppet(), 0), SOURCE, TEXT, 16, 0, START)
    assert none.similarity < random.similarity < both.similarity


def test_it_is_the_seed_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS", 0.5)
    first, again, other = (judge(holding((1.0, 0, 0, 0)), SOURCE, TEXT, 4, seed, START) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_lying_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    down = judge(holding((1.0, 1.0, 0, 0), Limp), SOURCE, TEXT, 2, 0, START)
    assert down.lying > 0.5
    reward = RewardConfig(similarity_weight=0.8, style_weight=0.2)
    assert down.score(reward, 0.5) == pytest.approx(0.8 * down.similarity + 0.2 * down.style - 0.5 * down.lying)
    assert Judgement(0.4, 0.0, 0.5).score(reward, 0.5) == pytest.approx(0.42)


def test_style_is_how_near_latents_are_to_those_of_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS", 0.5)
    clip = to_latent(torch.tensor([0.0, 0.0, 1.0, 1.0]))

    def style(z: tuple[float, ...]) -> float:
        skill = holding(z)
        skill.controller.paths = clip[None]
        return judge(skill, SOURCE, TEXT, 4, 0, START).style

    assert style((0.0, 0.0, 1.0, 0.0)) == style((0.0, 0.0, 1.0, 1.0)) == pytest.approx(1.0, abs=1e-4)
    assert style((1.0, 1.0, 0.0, 0.0)) == pytest.approx(math.exp(-4 * math.sqrt(2 - math.sqrt(2))), rel=1e-4)


def test_random_latents_are_held_and_different_in_each_world() -> None:
    bank = to_latent(torch.randn(50, 4, generator=torch.Generator().manual_seed(0)))
    random, state = RandomLatents(Puppet(bank), 0), MujocoCpu(8, threads=1).state()
    first = random.policy(state, 0)
    assert torch.equal(random.policy(state, 7), first)
    assert len(first.unique(dim=0)) > 4
    assert not torch.equal(random.policy(state, 0), first)
