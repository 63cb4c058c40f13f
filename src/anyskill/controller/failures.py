"""How soon each clip is lost, so that what goes badly is practised more."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from anyskill.motion.library import MotionLibrary

HORIZON = 60.0  # control steps, two seconds: the time over which a clip's failure rate is told
FADE = 0.95  # of what is remembered of a clip, for every attempt that ends


class FailureRates:
    """Failures of each clip by the time tried, over the last attempts.

    By time, because a long clip or a loop has more occasions to fail in one attempt than a short one.
    """

    def __init__(self, library: MotionLibrary) -> None:
        self.names = library.names
        # Failures and steps tried, both fading; at first as if half were lost within two seconds.
        self.lost = torch.full((len(library),), 0.7, device=library.device)
        self.tried = torch.full_like(self.lost, HORIZON)

    @property
    def rate(self) -> Float[Tensor, "clip"]:
        """Chance of each clip to be lost within two seconds."""
        return 1.0 - torch.exp(-HORIZON * self.lost / self.tried)

    def note(self, clip: Int[Tensor, "world"], failed: Bool[Tensor, "world"], ended: Bool[Tensor, "world"]) -> None:
        """Count a step of worlds that follow some clips, and the attempts that end with it, those that failed too."""
        fade = FADE ** self._by_clip(clip, ended)
        self.lost = fade * (self.lost + self._by_clip(clip, failed))
        self.tried = fade * (self.tried + self._by_clip(clip, torch.ones_like(failed)))

    def _by_clip(self, clip: Int[Tensor, "world"], numbers: Shaped[Tensor, "world"]) -> Float[Tensor, "clip"]:
        return torch.zeros_like(self.lost).index_add_(0, clip, numbers.float())

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered."""
        return {"names": list(self.names), "lost": self.lost, "tried": self.tried}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; of other clips, those that are known keep their rates."""
        index = {name: number for number, name in enumerate(self.names)}
        known = [(index[name], number) for number, name in enumerate(state["names"]) if name in index]
        ours, theirs = (list(numbers) for numbers in zip(*known, strict=True)) if known else ([], [])
        self.lost[ours], self.tried[ours] = state["lost"][theirs], state["tried"][theirs]
