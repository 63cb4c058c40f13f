import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.controller.wandering import Wandering

from .made_up import library


def controller() -> Controller:
    """Hardly moves: a flailing body is none to compare velocities on."""
    generator = torch.Generator().manual_seed(0)
    bank = torch.nn.functional.normalize(torch.randn(3, 8, generator=generator), dim=-1)
    config = ControllerConfig(units=(32,), latent=8, frames=10, encoder_units=(16,))
    controller = Controller(config, bank, ("a", "b", "c")).eval()
    with torch.no_grad():
        controller.policy.head.weight.mul_(0.05)
    return controller


def test_it_gives_histories_of_simulated_bodies() -> None:
    source = Wandering(controller(), library(), 3, 1 / 30, worlds=8, seconds=1.0)
    histories = source(50, torch.Generator().manual_seed(1))
    assert histories.batch_shape == (50, 3)
    # What moves in a control step is what velocities say.
    moved = (histories.positions[:, 2, 0] - histories.positions[:, 1, 0]) * 30
    mean = 0.5 * (histories.linear_velocities[:, 2, 0] + histories.linear_velocities[:, 1, 0])
    assert moved.norm(dim=-1).max() > 0.1
    assert (moved - mean).norm(dim=-1).median() < 0.25 * moved.norm(dim=-1).median()
    lengths = (histories.positions[..., 1, :] - histories.positions[..., 0, :]).norm(dim=-1)
    expected = skeleton_of(HUMANOID).offsets[1].norm().float()
    assert torch.allclose(lengths, expected.expand(50, 3), atol=1e-4)


def test_it_remembers_nothing() -> None:
    source = Wandering(controller(), library(), worlds=8, seconds=0.5)
    first, _, again = (source(10, torch.Generator().manual_seed(seed)) for seed in (1, 2, 1))
    assert first.batch_shape == (10,)
    assert torch.equal(first.positions, again.positions)
