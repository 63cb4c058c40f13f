"""What bodies do under random latents, recorded."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.sim.engine import CONTROL_RATE, Engine


@dataclass(frozen=True)
class Play:
    """Many worlds side by side; every record is of the state after a control step."""

    states: BodyState  # (time, world)
    latents: Int[Tensor, "time world"]  # which of the bank was held
    lost: Bool[Tensor, "time world"]  # where the simulation broke down


def stand(engine: Engine) -> None:
    """Put all worlds into the initial pose: upright, all joints at zero, at rest."""
    skeleton, n, device = engine.skeleton, engine.num_worlds, engine.device
    still = torch.zeros(n, 6 + skeleton.num_dof, device=device)
    engine.reset(torch.arange(n, device=device), skeleton.initial_qpos.float().to(device).expand(n, -1), still)


def play(
    controller: Controller,
    engine: Engine,
    generator: torch.Generator,
    seconds: float = 10.0,
    hold: tuple[int, int] = (10, 150),
) -> Play:
    """Start in the initial pose and switch latents of the bank at random; arguments as of ``roam``."""
    stand(engine)
    return roam(controller, engine, generator, seconds, hold)


def roam(
    controller: Controller, engine: Engine, generator: torch.Generator, seconds: float, hold: tuple[int, int]
) -> Play:
    """Go on from wherever the worlds are, and switch latents of the bank at random.

    Args:
        controller: Whose bank and whose actions.
        engine: As many worlds as are wanted.
        generator: On any device.
        seconds: How long.
        hold: Control steps for which a latent is held: a random number from this range, without its end.
    """
    n, bank, place = engine.num_worlds, len(controller.latents), generator.device
    left, held = torch.zeros(2, n, dtype=torch.long, device=place)
    states, latents, lost = [], [], []
    for _ in range(round(seconds * CONTROL_RATE)):
        due = left <= 0
        held = torch.where(due, torch.randint(bank, (n,), generator=generator, device=place), held)
        left = torch.where(due, torch.randint(*hold, (n,), generator=generator, device=place), left) - 1
        latents.append(held.to(engine.device))
        lost.append(engine.step(controller.act(engine.state(), controller.latents[latents[-1]])))
        states.append(engine.state())
    return Play(BodyState.stack(states), torch.stack(latents), torch.stack(lost))
