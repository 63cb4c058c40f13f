"""Trying plans in many worlds at once, and what pictures of the bodies would be like meanwhile."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.controller.controller import Controller
from anyskill.sim.engine import Engine
from anyskill.skill.environment import CONTROLS
from anyskill.skill.features import FeatureSource, Onlooker
from anyskill.skill.plans import Plans
from anyskill.skill.starts import StartConfig, Starts
from anyskill.skill.termination import LYING


@dataclass(frozen=True)
class Trials:
    """How plans went: means over their repetitions and over the decisions that count."""

    features: Float[Tensor, "n d"]
    """Of the body at the end of each decision. Its product with a sentence's feature is the mean cosine with it."""
    lying: Float[Tensor, "n"]
    """Share of bodies that were down."""

    def scores(self, text: Float[Tensor, "d"], lying_penalty: float) -> Float[Tensor, "n"]:
        """Mean similarity to a sentence of that feature, less what lying costs."""
        return self.features @ text - lying_penalty * self.lying

    @classmethod
    def cat(cls, *trials: "Trials") -> "Trials":
        """All of them."""
        return cls(torch.cat([one.features for one in trials]), torch.cat([one.lying for one in trials]))


class Tryout:
    """Tries plans in all worlds of an engine at once.

    Args:
        engine: Physics.
        controller: Frozen.
        source: Image features of states.
        generator: Of where trials begin, on the engine's device.
        start: Settings of that.
    """

    def __init__(
        self,
        engine: Engine,
        controller: Controller,
        source: FeatureSource,
        generator: torch.Generator,
        start: StartConfig,
    ) -> None:
        self.engine, self.controller = engine, controller
        self._onlooker = Onlooker(source, engine.state())
        self._starts = Starts(engine, controller, generator, start)

    def __call__(self, plans: Plans, decisions: int, settled: int = 0) -> Trials:
        """Run plans from the start; fewer than worlds are repeated, more are run in several goes.

        Args:
            plans: To be followed.
            decisions: For how long.
            settled: The first decision that counts.
        """
        worlds = self.engine.num_worlds
        goes = [plans[start : start + worlds] for start in range(0, len(plans), worlds)]
        return Trials.cat(*(self._go(some, decisions, settled) for some in goes))

    def _go(self, plans: Plans, decisions: int, settled: int) -> Trials:
        """Run at most as many plans as worlds: plan i in the worlds i, i + n, i + 2n and so on."""
        engine, worlds, device = self.engine, self.engine.num_worlds, self.engine.device
        index = torch.arange(worlds, device=device) % len(plans)
        engine.reset(torch.arange(worlds, device=device), *self._starts.draw(worlds))
        lost = torch.zeros(worlds, dtype=torch.bool, device=device)
        features, lying = [], []
        for decision in range(decisions):
            z = plans.at(decision)[index]
            for control in range(CONTROLS):
                lost = lost | engine.step(self.controller.act(engine.state(), z))
                self._onlooker.watch(engine.state(), torch.full_like(lost, decision == control == 0))
            if decision >= settled:
                features.append(self._onlooker.feature())
                lying.append((lost | LYING(engine.state(), engine.skeleton)).float())
        seen = torch.cat((torch.stack(features).mean(0), torch.stack(lying).mean(0)[:, None]), 1)
        sums = seen.new_zeros(len(plans), seen.shape[1]).index_add(0, index, seen)
        means = sums / index.bincount(minlength=len(plans))[:, None]
        return Trials(means[:, :-1], means[:, -1])
