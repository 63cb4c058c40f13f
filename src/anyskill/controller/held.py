"""Held: does a body that stands come to do what a latent stands for, if the latent is simply held?

It is what search asks of a controller, and harder than recall, which begins in the clip and goes with it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.controller.bank import bank_places
from anyskill.controller.controller import Controller
from anyskill.controller.falling import FallRule
from anyskill.controller.play import stand
from anyskill.controller.recall import relative_positions
from anyskill.controller.windows import Windows
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, make_engine

CLOSE = 0.2  # m; a body that is further from where the window has it is a limb that does something else
SECONDS, JUDGED = 5, 2  # of a trial, and of its end that counts
_STRIDE = 3  # frames from one moment of a window to the next that is compared


@dataclass(frozen=True)
class Held:
    """How trials ended."""

    clip: tuple[str, ...]
    """Whose window each was about."""
    error: Float[Tensor, "window"]
    """How far (m) the body that is furthest off is from the nearest moment of the window, relative to the root."""
    fallen: Bool[Tensor, "window"]
    """Whose body fell at any time, though its window does not go to the ground."""

    @property
    def share(self) -> float:
        """Of windows that a body came to, without a fall."""
        return float(((self.error <= CLOSE) & ~self.fallen).float().mean())


@torch.no_grad()
def held(controller: Controller, library: MotionLibrary) -> Held:
    """Begin in the initial pose, and hold the latent of each of some windows of each clip for five seconds."""
    windows, rule = Windows(library, controller.config.frames), FallRule()
    clip, last = bank_places(library, controller.config.frames)
    latents = controller.encode(library.windows(clip, last, controller.config.frames))
    engine = make_engine(len(clip), library.device, library.skeleton.character)
    stand(engine)
    frames = [windows.first(clip, last) + step for step in range(0, SECONDS * CONTROL_RATE, _STRIDE)]
    rows = [windows.rows(clip, last, frame)[0] for frame in frames]
    states = library.states(*library.places())
    low, places = rule.low(states, library.skeleton), relative_positions(states)
    down = torch.stack([low[row] for row in rows]).any(0)
    moments = torch.stack([places[row] for row in rows])
    fallen, errors = torch.zeros_like(down), []
    for step in range(SECONDS * CONTROL_RATE):
        engine.step(controller.act(engine.state(), latents))
        fallen |= rule(engine.state(), engine.skeleton) & ~down
        if step >= (SECONDS - JUDGED) * CONTROL_RATE:
            errors.append(_nearest(engine.state(), moments))
    names = tuple(library.names[number] for number in clip.tolist())
    return Held(names, torch.stack(errors).mean(0), fallen)


def _nearest(state: BodyState, moments: Float[Tensor, "moment window body 3"]) -> Float[Tensor, "window"]:
    return (relative_positions(state) - moments).norm(dim=-1).amax(-1).amin(0)
