"""The high-level policy and skills."""

import pytest
import torch

from anyskill.body.observation import policy_observation, policy_size
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.policy import LatentSequence, PolicySkill, make_actor_critic, text_input, to_latent
from tests.skill.made_up import SKELETON

OBSERVATION = policy_size(SKELETON)


def make(text: int = 0, latent: int = 64, **more):
    return make_actor_critic(OBSERVATION, text, latent, (32, 16), -2.3, torch.Generator().manual_seed(0), **more)


def test_latents_are_of_unit_length() -> None:
    action = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(to_latent(action).norm(dim=-1), torch.ones(5))
    assert torch.allclose(to_latent(3.0 * action), to_latent(action))


def test_a_guided_policy_begins_as_its_guide_and_can_learn_to_leave_it() -> None:
    generator = torch.Generator().manual_seed(1)
    model = make(guided=True)
    seen = 2.0 * torch.randn(100, OBSERVATION, generator=generator)
    guide, wanted = to_latent(torch.randn(2, 100, 64, generator=generator))
    mean = model.mean(seen, guide)
    assert torch.allclose(to_latent(mean), guide, atol=1e-6)
    assert mean.square().mean().sqrt().item() == pytest.approx(0.5, rel=1e-4)
    assert (to_latent(model.policy.sample(mean, generator)) * guide).sum(-1).mean() > 0.95
    optimizer = torch.optim.Adam(model.policy.parameters(), lr=1e-2)
    for _ in range(50):
        loss = (to_latent(model.mean(seen, guide)) - wanted[0]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (to_latent(model.mean(seen, guide)) @ wanted[0]).mean() > 0.9


def test_a_guided_skill_follows_its_guide_through_time() -> None:
    state, guide = MujocoCpu(2, threads=1).state(), LatentSequence(torch.eye(4)[:2], torch.tensor([0, 3]))
    skill = PolicySkill(make(latent=4, guided=True), guide=guide)
    assert torch.allclose(skill(state, torch.tensor([2, 3])), torch.eye(4)[:2], atol=1e-6)


def test_a_policy_with_text_does_other_things_under_other_sentences() -> None:
    state = MujocoCpu(3, threads=1).state()
    features = torch.nn.functional.normalize(torch.randn(2, 8, generator=torch.Generator().manual_seed(2)), dim=-1)
    model = make(text=8)
    one, other = (PolicySkill(model, feature)(state, torch.zeros(3).long()) for feature in features)
    assert torch.allclose(one.norm(dim=-1), torch.ones(3))
    assert ((one * other).sum(-1) < 0.99).all()
    expected = model.mean(policy_observation(state), text_input(features[0]).expand(3, -1))
    assert torch.equal(one, to_latent(expected.detach()))


def test_text_inputs_are_about_one() -> None:
    feature = torch.nn.functional.normalize(torch.randn(512, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert text_input(feature).square().mean().item() == pytest.approx(1.0, rel=1e-5)


def test_a_sequence_follows_one_latent_after_the_other_and_keeps_the_last() -> None:
    skill = LatentSequence(torch.eye(3), torch.tensor([0, 2, 5]))
    state = MujocoCpu(7, threads=1).state()
    followed = skill(state, torch.tensor([0, 1, 2, 4, 5, 6, 1000])).argmax(1)
    assert followed.tolist() == [0, 0, 1, 1, 2, 2, 2]


def test_a_loop_begins_again() -> None:
    skill = LatentSequence(torch.eye(3), torch.tensor([0, 2, 5]), 6)
    state = MujocoCpu(8, threads=1).state()
    followed = skill(state, torch.tensor([0, 1, 2, 4, 5, 6, 7, 12 + 5])).argmax(1)
    assert followed.tolist() == [0, 0, 1, 1, 2, 0, 0, 2]
