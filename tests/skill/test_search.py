"""Search finds what is known to be best."""

import math
from dataclasses import replace

import pytest
import torch

from anyskill.controller.controller import Controller
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.plans import NEVER, Pieces, Plans
from anyskill.skill.policy import to_latent
from anyskill.skill.search import LatentSearch, SearchConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.trials import Trials
from tests.skill.made_up import SOURCE, Limp, Puppet, heights, sentences

# Puppets do not keep their balance for long.
SHORT = SearchConfig(decisions=10, tail=5, final=10, rounds=0, sequences=False, clips=False, centres=2)
IDLE = to_latent(torch.tensor([[0.0, 0.0, 1.0, c] for c in (-1.0, 0.0, 0.5, 2.0)]))
UP = to_latent(torch.tensor([[1.0, 1.0, 0.0, 0.0]]))


def make(
    bank: torch.Tensor, config: SearchConfig = SHORT, text: str = "raise both arms", worlds: int = 16, puppet=Puppet
) -> LatentSearch:
    generator = torch.Generator().manual_seed(0)
    return LatentSearch(
        MujocoCpu(worlds, threads=1), puppet(bank), SOURCE, sentences(text).features[0], generator, config
    )


def scores(search: LatentSearch, plans: Plans, trials: Trials) -> torch.Tensor:
    return search.config.scores(plans, trials, search.text, search.controller.known)


def test_the_one_latent_that_raises_both_arms_is_found() -> None:
    bank = torch.cat((IDLE, UP, IDLE))
    found = make(bank)()
    assert found.ranking[0] == 4
    assert torch.allclose(found.skill.latents[-1], UP[0])
    search, plans = make(bank), Plans.constant(bank)
    similarity = search.trials(plans, 10, 9).features @ search.text  # at the end
    assert similarity.shape == (9,)
    assert similarity[4] > 0.6 > -0.4 > similarity[0]
    tried = make(bank)._tried(plans)
    assert tried[4] == tried.max()
    assert found.score == found.stages["bank"] == pytest.approx(tried[4].item(), abs=0.02)


def test_more_latents_than_worlds_are_scored_the_same() -> None:
    bank = torch.cat((to_latent(torch.randn(40, 4, generator=torch.Generator().manual_seed(3))), UP))
    config = SearchConfig(decisions=6, tail=3, start=StartConfig(noise=0.0, moving=0.0))
    many, few = (make(bank, config, worlds=worlds) for worlds in (41, 7))
    one, other = (search.trials(Plans.constant(bank), 6, 3) for search in (many, few))
    assert one.features.shape == (41, 3)
    assert torch.allclose(one.features, other.features, atol=1e-4)


def test_refinement_gets_nearer_than_the_bank() -> None:
    bank = torch.cat((IDLE, to_latent(torch.tensor([[1.0, 0.2, 0.8, 0.3]]))))
    config = SearchConfig(decisions=6, tail=3, final=6, rounds=4, centres=1, sequences=False, clips=False)
    found = make(bank, config, worlds=32)()
    assert found.stages["refined"] > found.stages["bank"] + 0.1
    assert found.score == found.stages["refined"]
    assert found.skill.latents[-1] @ UP[0] > bank[-1] @ UP[0] + 0.1


class Gated(Puppet):
    """The left arm only goes up while a hand is up already."""

    def act(self, state, z):
        targets = super().act(state, z)
        up = heights(state).amax(1) > -0.4
        targets[:, 10] = torch.where(up, targets[:, 10], 0.0)
        return targets


def test_a_sequence_gets_to_where_no_single_latent_does() -> None:
    bank = torch.cat((torch.eye(4), IDLE))
    config = SearchConfig(decisions=16, tail=5, final=16, rounds=0, transits=8, centres=4, clips=False)
    found = make(bank, config, "raise the left arm", worlds=128, puppet=Gated)()
    assert found.stages["sequences"] > found.stages["bank"] + 0.3
    assert len(found.skill.latents) > 1
    assert found.skill.starts[0] == 0
    assert torch.equal(found.skill.latents[-1], bank[1])


def test_lying_costs() -> None:
    bank = torch.eye(4)
    with_penalty, without = (
        make(bank, SearchConfig(decisions=16, tail=4, lying_penalty=penalty), puppet=Limp) for penalty in (0.5, 0.0)
    )
    plans = Plans.constant(bank)
    assert with_penalty.trials(plans, 16, 15).lying.min() > 0.9
    trials = with_penalty.trials(plans, 16, 12)
    assert not with_penalty.trials(plans, 1).lying.any()
    costly, free = (scores(search, plans, trials) for search in (with_penalty, without))
    assert torch.allclose(costly, free - 0.5 * trials.lying)


def test_who_leaves_the_bank_or_needs_more_latents_earns_less() -> None:
    """The second term of Eq. 3, of the last latent alone."""
    bank = torch.eye(4)
    search = make(bank, replace(SHORT, style_weight=0.3, latent_cost=0.04))
    between = to_latent(torch.tensor([[1.0, 1.0, 0.0, 0.0]]))[0]
    latents = torch.stack((bank[0], between, between)), torch.stack((between, between, bank[1]))
    plans = Plans.sequence(torch.stack(latents), torch.tensor([[0, 2, 4], [0, 2, NEVER]]))
    trials = search.trials(plans, SHORT.decisions, SHORT.settled)
    similarity = trials.features @ search.text
    far = math.exp(-4.0 * math.sqrt(2.0 - math.sqrt(2.0)))  # unit vectors at 45 degrees
    expected = similarity + 0.3 * torch.tensor([far, 1.0]) - torch.tensor([0.08, 0.04])
    assert scores(search, plans, trials).tolist() == pytest.approx(expected.tolist())


def test_equal_generators_make_equal_searches() -> None:
    bank = torch.cat((IDLE, UP))
    config = SearchConfig(decisions=6, tail=3, final=6, rounds=2, centres=2)
    one, other = (make(bank, config)() for _ in range(2))
    assert one.score == other.score
    assert one.stages == other.stages
    assert torch.equal(one.skill.latents, other.skill.latents)
    assert torch.equal(one.skill.starts, other.skill.starts)


class Tired(Puppet):
    """Lets its arms sink when the same is asked for longer than a third of a second."""

    asked = torch.zeros(1, 4)
    since = 0

    def act(self, state, z):
        same = (z == self.asked).all(1) if self.asked.shape == z.shape else torch.zeros(len(z), dtype=torch.bool)
        self.asked, self.since = z.clone(), torch.where(same, self.since + 1, 0)
        return torch.where(self.since[:, None] > 10, 0.0, super().act(state, z))


def with_paths(controller: Controller, **paths: torch.Tensor) -> Controller:
    controller.paths = torch.cat(list(paths.values()))
    controller.path_names = tuple(name for name, path in paths.items() for _ in path)
    return controller


def test_stretches_of_clips() -> None:
    search = make(torch.eye(4))
    path = torch.eye(4)[torch.arange(30) % 4]
    search.controller = with_paths(Puppet(torch.eye(4)), long=path, short=torch.ones(1, 4))
    clip = torch.arange(500) % 2
    plans = search._stretches(torch.tensor([0, 30])[clip], torch.tensor([30, 31])[clip])
    assert len(plans) == 500
    assert (plans.further == 1).all()
    count = (plans.starts < NEVER).sum(1)
    short = plans.latents[:, 0].eq(1).all(-1)
    assert torch.equal(short, clip == 1)
    assert torch.equal(count.unique(), torch.arange(6, 19))
    assert 0.4 < float((plans.periods == count).float().mean()) < 0.6
    assert ((plans.periods == count) | (plans.periods == 0)).all()
    assert plans.latents[short].eq(1).all()
    stays = 0
    for plan in (~short).nonzero()[:, 0].tolist():
        followed = plans.latents[plan].argmax(-1)[: count[plan]]
        ahead = (followed - followed[0] - torch.arange(len(followed))) % 4
        goes_on = int(ahead.eq(0).int().cumprod(0).sum())
        assert (followed[goes_on:] == 1).all()  # where the path of thirty ends
        stays += goes_on < len(followed)
    assert 10 < stays < 150


def test_clips_come_in_equal_pieces() -> None:
    paths = with_paths(Puppet(), short=torch.ones(1, 4), long=torch.ones(40, 4), plain=torch.ones(18, 4))
    pieces = Pieces.of(paths)
    assert [part.tolist() for part in (pieces.clip, pieces.first, pieces.last, pieces.end)] == [
        [0, 1, 1, 1, 2],
        [0, 1, 14, 27, 41],
        [0, 13, 26, 40, 58],
        [1, 41, 41, 41, 59],
    ]
    assert pieces.plans().periods.tolist() == [1, 13, 13, 14, 18]


def test_no_clip_is_overlooked() -> None:
    search = make(IDLE, replace(SHORT, clips=True), worlds=40)
    idle = {f"idle {number}": IDLE for number in range(150)}
    with_paths(search.controller, **idle, up=UP.expand(4, 4), idle_again=IDLE)
    assert (search._clips().latents == UP).all()


def test_a_clip_does_what_no_single_latent_goes_on_doing() -> None:
    bank = torch.cat((UP, to_latent(torch.tensor([[1.0, 1.0, 0.2, 0.0]])), IDLE))
    config = replace(SHORT, decisions=18, tail=9, final=18, clips=True, centres=4)
    search = make(bank, config, "raise both arms", worlds=128, puppet=Tired)
    with_paths(search.controller, idle=IDLE, up_and_up=bank[:2].repeat(9, 1))
    found = search()
    assert found.stages["clips"] > found.stages["bank"] + 0.3
    assert found.skill.period > 0


def test_a_movement_that_is_over_halfway_loses_to_one_that_goes_on() -> None:
    search = make(torch.cat((IDLE, UP)), replace(SHORT, decisions=6, tail=3, final=12))
    latents = torch.cat((UP.expand(6, 4), IDLE[:1]))
    once = Plans.stretch(latents, *(torch.tensor([value]) for value in (0, 6, 7, False)))
    again = Plans.stretch(latents, *(torch.tensor([value]) for value in (0, 6, 6, True)))
    plans = Plans.cat(once, again)
    short, long = search._tried(plans), search._tried(plans, search.config.final)
    assert short[0] == pytest.approx(short[1].item(), abs=0.05)  # but for what the last latent is
    assert long[0] < long[1] - 0.2
    similarity = search.trials(plans, 12, 3).features @ search.text
    assert long[1] == pytest.approx(similarity[1].item() + search.config.style_weight - 0.02, abs=0.05)


def test_clips_that_were_good_are_tried_again() -> None:
    search = make(IDLE, replace(SHORT, clips=True), worlds=60)
    idle = {f"idle {number}": IDLE for number in range(20)}
    with_paths(search.controller, **idle, up=UP.expand(4, 4), idle_again=IDLE)
    tried, run = [], search.trials
    search.trials = lambda plans, *when: tried.append(plans) or run(plans, *when)
    best = search._clips()
    up = [(plans.latents[:, 0] == UP).all(-1).float().mean() for plans in tried]
    assert len(tried) == 2 and 0 < up[0] < 0.2 and up[1] > 0.3
    assert len(best) == 2 and (best.latents == UP).all()


def test_plans() -> None:
    latents, zero = torch.arange(6.0).view(2, 3, 1), torch.zeros(1, dtype=torch.long)
    sequences = Plans.sequence(latents, torch.tensor([[0, 2, 4], [0, 3, NEVER]]))
    path = torch.arange(10.0, 14.0)[:, None]
    stretches = Plans.stretch(
        path, torch.tensor([1, 2]), torch.tensor([3, 3]), torch.tensor([3, 3]), torch.tensor([0, 1]).bool()
    )
    plans = Plans.cat(sequences, Plans.constant(torch.ones(3, 1))[zero], stretches)
    followed = [plans.at(decision)[:, 0].tolist() for decision in range(5)]
    assert followed == [
        [0, 3, 1, 11, 12],
        [0, 3, 1, 12, 13],
        [1, 3, 1, 13, 13],
        [1, 4, 1, 13, 12],
        [2, 4, 1, 13, 13],
    ]
    assert plans.further.tolist() == [2, 1, 0, 1, 1]
    skill = plans.skill(4)
    assert (skill.latents[:, 0].tolist(), skill.starts.tolist(), int(skill.period)) == (
        [12.0, 13.0, 13.0],
        [0, 1, 2],
        3,
    )
