"""Everything that a controller can be told at once, and how it looks: sentences are answered without another trial."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.controller.controller import Controller
from anyskill.learning.state import halved
from anyskill.skill.plans import Pieces, Plans
from anyskill.skill.policy import LatentSequence
from anyskill.skill.search import SearchConfig
from anyskill.skill.trials import Trials, Tryout


@dataclass(frozen=True)
class Repertoire:
    """The latents of the bank, held, and all clips, again and again, tried once for all sentences.

    A mean of cosines is the cosine's product with a mean of features, so that trials need to know no sentence.
    """

    plans: Plans
    trials: Trials
    worth: Float[Tensor, "n"]
    """What each earns beside its similarity (``SearchConfig.extra``)."""
    held: int
    """How many of them, the first ones, are single latents."""
    lying_penalty: float
    """See ``SearchConfig``."""

    @classmethod
    def of(cls, tryout: Tryout, controller: Controller, config: SearchConfig) -> "Repertoire":
        """Try all there is."""
        plans = Plans.constant(controller.latents)
        if config.clips:
            plans = Plans.cat(plans, Pieces.of(controller).plans())
        trials = tryout(plans, config.decisions, config.settled)
        worth = config.extra(plans, controller.known)
        return cls(plans, trials, worth, len(controller.latents), config.lying_penalty)

    def scores(self, text: Float[Tensor, "d"], *, low: bool = False) -> Float[Tensor, "n"]:
        """How well each suits a sentence, as ``SearchConfig.scores``.

        Args:
            text: The sentence's feature.
            low: Whether lying is what it asks for.
        """
        return self.trials.scores(text, 0.0 if low else self.lying_penalty) + self.worth

    def best(self, text: Float[Tensor, "d"], *, low: bool = False) -> LatentSequence:
        """What suits a sentence best."""
        return self.plans.skill(int(self.scores(text, low=low).argmax()))

    def state(self) -> dict[str, Any]:
        """For a state file, in half precision."""
        return {
            "plans": halved(vars(self.plans)),
            "trials": halved(vars(self.trials)),
            "worth": self.worth,
            "held": self.held,
            "lying_penalty": self.lying_penalty,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device | str) -> "Repertoire":
        """From a state file."""

        def read(part: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: (t.float() if t.is_floating_point() else t).to(device) for name, t in part.items()}

        plans, trials = Plans(**read(state["plans"])), Trials(**read(state["trials"]))
        return cls(plans, trials, state["worth"].to(device), state["held"], state["lying_penalty"])
