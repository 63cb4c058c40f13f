"""What can only be seen on a GPU: the same physics, pictures and observations as on the CPU. Skipped without one."""

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.observation import policy_observation
from anyskill.body.skeleton import skeleton_of
from anyskill.render.raytracer import Raytracer
from anyskill.sim.engine import Engine, make_engine
from tests.body.test_skeleton import random_pose

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

WORLDS = 64


def fly(engine: Engine, steps: int) -> torch.Tensor:
    """Observations after some control steps from poses in the air, towards random targets: no contact, no chaos."""
    skeleton = skeleton_of(HUMANOID)
    generator = torch.Generator().manual_seed(0)
    root, local = random_pose(skeleton, generator, WORLDS)
    root[:, 2] += 10.0
    worlds = torch.arange(WORLDS, device=engine.device)
    engine.reset(worlds, skeleton.qpos(root, local).to(engine.device), torch.zeros(WORLDS, 34, device=engine.device))
    targets = 0.3 * torch.randn(WORLDS, skeleton.num_dof, generator=generator)
    for _ in range(steps):
        engine.step(targets.to(engine.device))
    return policy_observation(engine.state()).cpu()


def test_cuda_engine_follows_the_cpu_engine() -> None:
    cpu, cuda = fly(make_engine(WORLDS), 8), fly(make_engine(WORLDS, "cuda"), 8)
    # Limbs may touch each other and part differently; most worlds agree closely.
    assert (cpu - cuda).abs().amax(-1).median() < 1e-2


def test_a_body_stands_on_the_gpu_and_feels_its_weight() -> None:
    engine = make_engine(WORLDS, "cuda")
    for _ in range(15):
        lost = engine.step(torch.zeros(WORLDS, 28, device="cuda"))
    assert not lost.any()
    weight = engine.state().contact_forces[..., 2].sum(-1)
    assert torch.allclose(weight.cpu(), torch.full((WORLDS,), 48.89 * 9.81), rtol=0.15)


def test_stepping_does_not_wait_for_the_gpu() -> None:
    engine = make_engine(WORLDS, "cuda")
    targets = torch.zeros(WORLDS, 28, device="cuda")
    engine.step(targets)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            engine.step(targets)
            policy_observation(engine.state())
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_pictures_are_the_same_on_both() -> None:
    engine = make_engine(4)
    pictures = [
        Raytracer(4, size=(112, 112), device=device).render(engine.state().to(device))[:, 0].cpu().float()
        for device in ("cpu", "cuda")
    ]
    assert (pictures[0] - pictures[1]).abs().mean() < 1.0  # of 255 grey levels
