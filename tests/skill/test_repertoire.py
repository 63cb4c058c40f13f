"""What is looked up is what a search of the bank and the clips would find."""

import pytest
import torch

from anyskill.learning.state import read_state, write_state
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.plans import Plans
from anyskill.skill.policy import to_latent
from anyskill.skill.repertoire import Repertoire
from anyskill.skill.search import SearchConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.trials import Tryout
from tests.skill.made_up import SOURCE, Limp, Puppet, sentences
from tests.skill.test_search import IDLE, UP, with_paths

CONFIG = SearchConfig(decisions=10, tail=5, final=10, start=StartConfig(noise=0.0, moving=0.0))
TEXTS = ("raise both arms", "raise the right arm", "raise the left arm")


def made(puppet: Puppet, worlds: int = 8) -> tuple[Repertoire, Tryout]:
    generator = torch.Generator().manual_seed(0)
    tryout = Tryout(MujocoCpu(worlds, threads=1), puppet, SOURCE, generator, CONFIG.start)
    return Repertoire.of(tryout, puppet, CONFIG), tryout


def test_each_sentence_finds_what_does_it() -> None:
    bank = torch.cat((IDLE, UP, torch.eye(4)[:2]))
    tried, _ = made(with_paths(Puppet(bank), idle=IDLE))
    found = [tried.best(text).latents[0] for text in sentences(*TEXTS).features]
    assert torch.equal(torch.stack(found), torch.cat((UP, torch.eye(4)[:2])))


def test_a_clip_is_followed_again_and_again() -> None:
    swing = torch.cat((torch.eye(4)[:1], IDLE[1:2])).repeat(3, 1)
    tried, _ = made(with_paths(Puppet(IDLE), idle=IDLE, swing=swing))
    best = tried.best(sentences("raise the right arm").features[0])
    assert torch.equal(best.latents, swing)
    assert best.period == 6


def test_scores_are_those_of_a_search() -> None:
    bank = torch.cat((IDLE, UP))
    tried, tryout = made(with_paths(Puppet(bank), idle=IDLE))
    plans = Plans.constant(bank)
    trials = tryout(plans, CONFIG.decisions, CONFIG.settled)
    for text in sentences(*TEXTS).features:
        expected = CONFIG.scores(plans, trials, text, bank)
        torch.testing.assert_close(tried.scores(text)[: len(bank)], expected, atol=1e-4, rtol=0)


def test_lying_costs_nothing_where_it_is_asked_for() -> None:
    tried, _ = made(with_paths(Limp(torch.eye(4)), idle=IDLE))
    text = sentences(TEXTS[0]).features[0]
    assert tried.trials.lying.max() > 0.3
    expected = CONFIG.lying_penalty * tried.trials.lying
    torch.testing.assert_close(tried.scores(text, low=True) - tried.scores(text), expected)


def test_it_is_the_same_when_read_again(tmp_path) -> None:
    tried, _ = made(with_paths(Puppet(torch.cat((IDLE, UP))), idle=IDLE))
    write_state(tmp_path / "tried", tried.state())
    read = Repertoire.from_state(read_state(tmp_path / "tried"), "cpu")
    assert (read.held, read.lying_penalty) == (5, CONFIG.lying_penalty)
    for text in sentences(*TEXTS).features:
        torch.testing.assert_close(read.scores(text), tried.scores(text), atol=2e-3, rtol=0)
        assert read.best(text).latents[0] @ tried.best(text).latents[0] == pytest.approx(1.0, abs=1e-3)
    assert to_latent(read.plans.latents).shape == tried.plans.latents.shape
