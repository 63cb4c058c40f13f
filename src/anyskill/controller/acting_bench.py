"""Benchmark of the controller in use: how long it takes to load, and to act."""

import torch

from anyskill.bench import Case
from anyskill.controller.controller import load_controller
from anyskill.controller.networks import random_latents
from anyskill.controller.play import stand
from anyskill.sim.engine import make_engine


def cases(quick: bool) -> list[Case]:
    """Loading the package's controller; its actions in many worlds, beside its network alone on ready observations."""
    worlds = 64 if quick else 1024
    controller = load_controller()
    engine = make_engine(worlds, "cpu")
    stand(engine)
    z = random_latents(worlds, controller.config.latent, torch.Generator().manual_seed(0))
    seen = torch.randn(worlds, controller.observations.mean.shape[0], generator=torch.Generator().manual_seed(0))

    def load() -> float:
        load_controller()
        return 1.0

    def act() -> float:
        controller.act(engine.state(), z)
        return 1.0

    @torch.no_grad()
    def network() -> float:
        controller.policy(seen, z)
        return 1.0

    return [Case("load the controller", "s", load), Case(f"act in {worlds} worlds", "ms", act, network)]
