"""Adversarial pretraining: each method runs, resumes bit for bit, and a discriminator learns what it is for."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.controller.pretraining import Guidance, Pretraining, fast_calm
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import library, tiny

methods = pytest.mark.parametrize("method", ["amp", "ase", "calm"])


def run(folder: Path, method: str, iterations: int) -> None:
    config = tiny(method)
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    path = folder / method
    run = RunFolder.open(path) if path.exists() else RunFolder.create(path, config)
    train(trainer, run, iterations, save_every=2, progress=False)


def iterate(method: str, iterations: int) -> list[dict[str, float]]:
    config = tiny(method)
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    return [trainer.iterate()[1] for _ in range(iterations)]


def tensors(state: dict, prefix: str = "") -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        if isinstance(value, dict):
            found |= tensors(value, f"{prefix}{key}/")
        elif isinstance(value, torch.Tensor):
            found[prefix + key] = value
    return found


@methods
def test_resuming_equals_going_on(tmp_path: Path, method: str) -> None:
    run(tmp_path / "once", method, 4)
    run(tmp_path / "twice", method, 2)
    run(tmp_path / "twice", method, 4)
    once, twice = (
        tensors(read_state(max((tmp_path / name / method / "checkpoints").glob("*.safetensors"))))
        for name in ("once", "twice")
    )
    assert once.keys() == twice.keys()
    different = [name for name in once if not torch.equal(once[name], twice[name])]
    assert not different


@pytest.mark.parametrize("method", ["amp", "ase"])
def test_the_discriminator_learns_to_tell_agent_from_clips(method: str) -> None:
    reports = iterate(method, 12)
    assert min(reports[-1]["agent_accuracy"], reports[-1]["demo_accuracy"]) > 0.8
    assert reports[-1]["loss/discriminator"] < reports[0]["loss/discriminator"]


def test_calms_discriminator_also_learns_which_latent_belongs_to_a_clip() -> None:
    last = iterate("calm", 75)[-1]
    assert last["agent_accuracy"] > 0.8
    # Demonstrations with their own and with another's latent: whoever cannot tell them apart gets 1 in all.
    assert last["demo_accuracy"] + last["mismatched_accuracy"] > 1.2


def test_calm_tells_latents_of_different_clips_apart() -> None:
    config = tiny("calm")
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    for _ in range(12):
        trainer.iterate()
    clip = torch.arange(3).repeat_interleave(10)
    end = torch.arange(59, 119, 6).repeat(3)
    with torch.no_grad():
        latent = trainer.method.encode(clip, end)
    assert torch.allclose(latent.norm(dim=-1), torch.ones(30), atol=1e-5)
    distance = 1.0 - latent @ latent.T
    same = clip[:, None] == clip
    assert distance[~same].mean() > 5.0 * distance[same].mean()


def test_a_latent_is_encoded_once_for_all_samples_that_share_its_window() -> None:
    """The same latents, and the same gradient of the encoder, as sample by sample."""
    config = tiny("calm")
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    clip, end = (place.repeat(4) for place in library().sample_windows(16, torch.Generator().manual_seed(0), 60))
    observation = torch.randn(64, trainer.world.observation_size, generator=torch.Generator().manual_seed(1))
    encoder, gradients = trainer.method.encoder, []
    minibatch = {"clip": clip, "end": end, "observation": observation}
    for mean, value in (
        trainer.method.evaluate(minibatch),
        trainer.model(observation, trainer.method.encode(clip, end)),
    ):
        loss = mean.square().sum() + value.square().sum()
        gradients.append(torch.autograd.grad(loss, list(encoder.parameters())))
    assert torch.allclose(minibatch["latent"], trainer.method.encode(clip, end), atol=1e-6)
    for shared, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(shared, plain, rtol=1e-4, atol=1e-5)


def test_presets_are_valid() -> None:
    config = fast_calm()
    assert config.method == "calm"
    assert config.calm.mismatched


def test_guidance_is_added_to_the_discriminators_reward() -> None:
    config = replace(tiny("calm"), guidance=Guidance(up=0.5, tracking=1.0, roughness=-2.0))
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    _, metrics = trainer.iterate()
    assert 0.3 < metrics["up"] <= 1.0
    assert 0.0 < metrics["tracking"] < 1.0
    assert metrics["roughness"] > 0.0
    assert "sliding" not in metrics
    paid = metrics["style"] + 0.5 * metrics["up"] + metrics["tracking"] - 2.0 * metrics["roughness"]
    assert metrics["reward"] == pytest.approx(paid, abs=1e-5)


def test_a_frozen_encoder_stays_as_it_is() -> None:
    config = tiny("calm")
    config = replace(config, calm=replace(config.calm, frozen_encoder=True))
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    trainer.method.frames.freeze()
    kept = {**trainer.method.encoder.state_dict(prefix="e."), **trainer.method.frames.state_dict(prefix="f.")}
    before = {name: value.clone() for name, value in kept.items()}
    trained = trainer.model.policy.head.weight.clone()
    for _ in range(2):
        _, metrics = trainer.iterate()
    assert all(torch.equal(value, before[name]) for name, value in kept.items())
    assert not torch.equal(trained, trainer.model.policy.head.weight)
    assert "loss/discriminator" in metrics and "loss/alignment" not in metrics


@torch.no_grad()
def test_an_anchored_policy_stays_near_where_it_began() -> None:
    apart = []
    for anchor in (0.0, 3.0):
        config = replace(tiny("calm"), anchor=anchor)
        config = replace(config, ppo=replace(config.ppo, learning_rate=1e-3))
        trainer = Pretraining(config, MujocoCpu(config.worlds), library())
        seen, latent = trainer.world.observe(), trainer.method.draw(torch.arange(config.worlds))["latent"]
        began = trainer.model.mean(seen, latent)
        trainer.model.observations.freeze()
        with torch.enable_grad():
            reports = [trainer.iterate()[1] for _ in range(4)]
        assert ("loss/anchor" in reports[-1]) == (anchor > 0)
        apart.append(float(trainer.model.policy.kl(trainer.model.mean(seen, latent), began).mean()))
    assert torch.equal(trainer.start(trainer.model.observations(seen), latent), began)
    assert "start" in trainer.parts
    free, anchored = apart
    assert 0.0 < anchored < 0.5 * free
