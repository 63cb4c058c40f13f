"""Play a skill: new episodes from random starts, recorded, with boxes thrown at the body if wanted."""

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.humanoid import Character
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.learning.seeding import Streams
from anyskill.sim.engine import CONTROL_RATE, make_engine
from anyskill.skill.environment import CONTROLS
from anyskill.skill.errors import SkillError
from anyskill.skill.perturbation import BOXES, Throws
from anyskill.skill.starts import StartConfig, Starts
from anyskill.skill.termination import LYING

STARTERS = 32  # worlds that look for states to start in: under some latents bodies lie down, under others they stand


class Playable(Protocol):
    """What can be played: a controller, and what it is to follow."""

    @property
    def controller(self) -> Controller:
        """Moves the body."""

    def policy(self, state: BodyState, decision: int) -> Float[Tensor, "world latent"]:
        """Latents of unit length; every episode has ``decision`` decisions behind it."""


@dataclass(frozen=True)
class Played:
    """Episodes side by side; every record is of the state after a control step, at 30 Hz."""

    character: Character
    states: BodyState  # (time, world)
    fallen: Bool[Tensor, "world"]
    """Who was down to the neck at some time, or was in a world that blew up."""
    objects: BodyState | None = None
    """(time, world, object): the ``BOXES`` that were thrown, if any."""


@torch.no_grad()
def play(
    skill: Playable,
    worlds: int,
    seconds: float,
    seed: int = 0,
    *,
    start: StartConfig | None = None,
    device: torch.device | str = "cpu",
    perturb: bool = False,
) -> Played:
    """Let a skill act in new episodes. Nothing is reset on the way.

    With one seed, episodes are the same with and without perturbation until the first box arrives.

    Args:
        skill: Its controller is on ``device``.
        worlds: How many episodes.
        seconds: How long each is.
        seed: Of starts and throws.
        start: Where episodes begin; by default as in training.
        device: cpu or cuda.
        perturb: Whether boxes are thrown at the body.

    Raises:
        SkillError: There is no time to play, or the controller keeps no body upright to start from.
    """
    steps = round(seconds * CONTROL_RATE)
    if steps < 1:
        raise SkillError(f"an episode of {seconds} s is shorter than a control step (1/{CONTROL_RATE} s); play longer.")
    controller, streams = skill.controller, Streams(seed, device)
    character = controller.skeleton.character
    engine = make_engine(worlds, device, character, objects=BOXES if perturb else ())
    starts = Starts(make_engine(STARTERS, device, character), controller, streams("starts"), start)
    throws = Throws(engine, streams("throws")) if perturb else None
    engine.reset(torch.arange(worlds, device=engine.device), *starts.draw(worlds))
    fallen = torch.zeros(worlds, dtype=torch.bool, device=engine.device)
    states, objects = [], []
    for step in range(steps):
        if step % CONTROLS == 0:
            z = skill.policy(engine.state(), step // CONTROLS)
        if throws is not None:
            throws(step)
        fallen |= engine.step(controller.act(engine.state(), z))
        states.append(engine.state())
        fallen |= LYING(states[-1], engine.skeleton)
        if throws is not None:
            objects.append(engine.object_state())
    return Played(character, BodyState.stack(states), fallen, BodyState.stack(objects) if perturb else None)
