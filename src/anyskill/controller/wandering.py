"""States that a controller visits under latents that change at random: what a high-level policy starts from."""

import torch

from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.controller.play import roam
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, make_engine


class Wandering:
    """Draws simulated states, or histories; every call simulates anew.

    Worlds start in frames of motions. Each is under a latent of the controller's bank, and changes it at random times.

    Args:
        controller: Moves the bodies.
        library: Where they start.
        frames: States of a history, oldest first; 1 gives plain states.
        interval: Seconds from one to the next.
        worlds: Simulated side by side.
        seconds: How long.
    """

    HOLD = (1, 60)  # control steps a latent is held

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
        engine = self._engine
        n, device = engine.num_worlds, engine.device
        engine.reset(torch.arange(n, device=device), *self.library.generalized(*self.library.sample(n, draws)))
        states = roam(self.controller, engine, draws, self._seconds, self.HOLD).states
        before = self._stride * (self.frames - 1)
        last = torch.randint(before, len(states.positions), (count, 1), generator=draws, device=device)
        world = torch.randint(n, (count, 1), generator=draws, device=device)
        past = self._stride * torch.arange(self.frames - 1, -1, -1, device=device)
        histories = states[last - past, world]
        return histories[:, 0] if self.frames == 1 else histories
