"""Early termination (AnySkill, Algorithm 1): episodes that lead nowhere end before their time."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.controller.falling import FallRule
from anyskill.learning.config import require

LYING = FallRule(height=0.0, head_height=0.3)
"""What is counted as a fall, for metrics and search: down to the neck. Knees and hands may be on the ground."""


@dataclass(frozen=True)
class EarlyTermination:
    """Thresholds of Algorithm 1; ``EarlyTermination(decreases=None, head_height=0)`` switches both rules off."""

    decreases: int | None = 8
    """Successive decreases of the similarity after which an episode may end; None: it never does."""
    chance: float = 0.8
    """That it then ends; otherwise counting begins anew."""
    head_height: float = 0.15
    """Of the head's frame (m), below which an episode ends.

    That frame is the neck joint, 17.5 cm below the head's centre, as in all code of this family; a body flat on the
    ground has it at about 0.1 m.
    """

    def __post_init__(self) -> None:
        require(self, "decreases", self.decreases is None or self.decreases >= 1, "at least 1, or none")
        require(self, "chance", 0 <= self.chance <= 1, "from 0 to 1")


class SimilarityWatch:
    """Counts successive decreases of each world's similarity (lines 17 to 23 of Algorithm 1).

    *Successive* as section 3.3 says: a step on which the similarity does not decrease begins a new count. The first
    similarity of an episode has nothing to be less than.
    """

    def __init__(self, config: EarlyTermination, num_worlds: int, device: torch.device) -> None:
        self.config = config
        self.count = torch.zeros(num_worlds, dtype=torch.long, device=device)
        self.previous = torch.full((num_worlds,), -torch.inf, device=device)

    def __call__(self, similarity: Float[Tensor, "world"], generator: torch.Generator) -> Bool[Tensor, "world"]:
        """Take a step's similarities; which worlds are to be reset for them."""
        self.count = torch.where(similarity < self.previous, self.count + 1, 0)
        self.previous = similarity.clone()
        if self.config.decreases is None:
            return torch.zeros_like(self.count, dtype=torch.bool)
        due = self.count >= self.config.decreases
        self.count = torch.where(due, 0, self.count)
        return due & (torch.rand(len(due), generator=generator, device=due.device) < self.config.chance)

    def forget(self, worlds: Bool[Tensor, "world"]) -> None:
        """Worlds that begin a new episode."""
        self.count = torch.where(worlds, 0, self.count)
        self.previous = torch.where(worlds, -torch.inf, self.previous)

    def state_dict(self) -> dict[str, Tensor]:
        """The counts so far."""
        return {"count": self.count, "previous": self.previous}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there."""
        self.count.copy_(state["count"])
        self.previous.copy_(state["previous"])


def head_is_down(state: BodyState, skeleton: Skeleton, height: float) -> Bool[Tensor, "world"]:
    """Which heads' frames are lower than ``height`` (m), lines 14 to 16 of Algorithm 1."""
    return state.positions[:, skeleton.index("head"), 2] < height
