"""States that a controller visits under latents that change at random: what a high-level policy starts from."""

import torch

from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.controller.play import Play, roam
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, Engine, make_engine

HOLD = (1, 60)  # control steps a latent is held


def wander(
    controller: Controller, engine: Engine, library: MotionLibrary, seconds: float, draws: torch.Generator
) -> Play:
    """Start all worlds in frames of motions, each under a latent of the bank, and change latents at random times."""
    n, device = engine.num_worlds, engine.device
    engine.reset(torch.arange(n, device=device), *library.generalized(*library.sample(n, draws)))
    return roam(controller, engine, draws, seconds, HOLD)


class Wandering:
    """Draws simulated states, or histories; every call lets bodies ``wander`` anew.

    Args:
        controller: Moves the bodies.
        library: Where they start.
        frames: States of a history, oldest first; 1 gives plain states.
        interval: Seconds from one to the next.
        worlds: Simulated side by side.
        seconds: How long.
    """

    def __init__(
        self,
        controller: Controller,
        library: MotionLibrary,
        frames: int = 1,
        interval: float = 0.2,
        *,
        worlds: int = 128,
        seconds: float = 3.0,
    ) -> None:
        self.controller, self.library, self.frames = controller, library, frames
        self._seconds, self._stride = seconds, max(1, round(interval * CONTROL_RATE))
        self._engine = make_engine(worlds, library.device, controller.skeleton.character)

    def __call__(self, count: int, draws: torch.Generator) -> BodyState:
        """States of batch shape ``(count,)``, or ``(count, frames)``."""
        n, device = self._engine.num_worlds, self._engine.device
        states = wander(self.controller, self._engine, self.library, self._seconds, draws).states
        before = self._stride * (self.frames - 1)
        last = torch.randint(before, len(states.positions), (count, 1), generator=draws, device=device)
        world = torch.randint(n, (count, 1), generator=draws, device=device)
        past = self._stride * torch.arange(self.frames - 1, -1, -1, device=device)
        histories = states[last - past, world]
        return histories[:, 0] if self.frames == 1 else histories
