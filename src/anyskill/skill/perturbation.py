"""Boxes thrown at a body, to see what a skill withstands.

ASE's perturbation test throws cubes of 1.6 kg at 30 to 40 m/s; these are heavier and slower, so that a film shows them
coming: 24 N·s, enough to make a body of 49 kg step aside.
"""

import math

import torch
from torch import Tensor

from anyskill.body.humanoid import Geom
from anyskill.sim.engine import CONTROL_RATE, Engine
from anyskill.sim.scene import SceneObject

PERIOD = 2.0  # s from one throw to the next
SPEED = 6.0  # m/s, horizontally and relative to the body
DISTANCE = (2.0, 3.0)  # m, from which boxes come
SPREAD = math.radians(40)  # to either side of square on
HEIGHT = 1.2  # m, at which boxes leave
GRAVITY = 9.81  # m/s²


def _box(name: str, y: float) -> SceneObject:
    """A cube of 0.24 m and 4 kg on the ground."""
    cube = Geom("box", (0.12, 0.12, 0.12), (0.0, 0.0, 0.0), 290)
    return SceneObject(name, (cube,), (0.0, y, 0.12), rgba=(0.3, 0.4, 0.8, 1.0))


BOXES = (_box("box from the left", 6.0), _box("box from the right", -6.0))
"""What an engine's scene needs: out of the way until they are thrown."""


class Throws:
    """Throws a box at the torso every two seconds in all worlds, from the left and from the right in turn.

    A box lies where it ended until its turn comes again. The first one flies after a second.

    Args:
        engine: With ``BOXES`` in its scene.
        generator: Of distances and directions, on the engine's device.
    """

    def __init__(self, engine: Engine, generator: torch.Generator) -> None:
        self.engine, self.generator = engine, generator
        self._period = round(PERIOD * CONTROL_RATE)

    def __call__(self, step: int) -> None:
        """To be called before each control step with its number; throws if it is time to."""
        turn, phase = divmod(step - self._period // 2, self._period)
        if phase == 0:
            self._throw(turn % 2)

    def _throw(self, side: int) -> None:
        engine, state = self.engine, self.engine.state()
        torso = engine.skeleton.index("torso")
        target, velocity = state.positions[:, torso], state.linear_velocities[:, torso]
        distance = self._uniform(*DISTANCE)
        direction = (math.pi / 2 if side == 0 else -math.pi / 2) + self._uniform(-SPREAD, SPREAD)
        horizontal = distance[:, None] * torch.stack((torch.cos(direction), torch.sin(direction)), -1)
        start = torch.cat((target[:, :2] + horizontal, torch.full_like(distance, HEIGHT)[:, None]), -1)
        # Aimed at where the torso will be: a parabola through both ends.
        flight = distance / SPEED
        away = (target - start) / flight[:, None] + velocity
        away[:, 2] += 0.5 * GRAVITY * flight
        worlds = torch.arange(engine.num_worlds, device=engine.device)
        engine.move_object(BOXES[side].name, worlds, start, linear_velocities=away)

    def _uniform(self, low: float, high: float) -> Tensor:
        device = self.engine.device
        return low + (high - low) * torch.rand(self.engine.num_worlds, generator=self.generator, device=device)
